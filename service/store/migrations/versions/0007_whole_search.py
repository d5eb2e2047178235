"""Full-text search in PostgreSQL that leaves out no word and cuts where SQLite's does: "WHO", "not", "open/closed"."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the words of the claims anew."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for statement in (
        "CREATE TEXT SEARCH DICTIONARY whosaid_stem (TEMPLATE = pg_catalog.snowball, LANGUAGE = english)",
        "CREATE TEXT SEARCH CONFIGURATION whosaid (COPY = pg_catalog.english)",
        "ALTER TEXT SEARCH CONFIGURATION whosaid ALTER MAPPING REPLACE pg_catalog.english_stem WITH whosaid_stem",
        "DROP INDEX claims_by_search",
        "ALTER TABLE claims DROP COLUMN search",
        """ALTER TABLE claims ADD COLUMN search tsvector
            GENERATED ALWAYS AS (to_tsvector('whosaid', translate(text, '/-_.@:', '      '))) STORED""",
        "CREATE INDEX claims_by_search ON claims USING gin (search)",
    ):
        op.execute(statement)


def downgrade() -> None:
    """Go back to PostgreSQL's own."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for statement in (
        "DROP INDEX claims_by_search",
        "ALTER TABLE claims DROP COLUMN search",
        "DROP TEXT SEARCH CONFIGURATION whosaid",
        "DROP TEXT SEARCH DICTIONARY whosaid_stem",
        "ALTER TABLE claims ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED",
        "CREATE INDEX claims_by_search ON claims USING gin (search)",
    ):
        op.execute(statement)

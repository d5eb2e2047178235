"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


SEARCH = {
    "sqlite": (
        """CREATE VIRTUAL TABLE claim_search USING fts5(
            text, content='claims', content_rowid='seq', tokenize='porter unicode61 remove_diacritics 2')""",
        """CREATE TRIGGER claim_search_insert AFTER INSERT ON claims BEGIN
            INSERT INTO claim_search(rowid, text) VALUES (new.seq, new.text); END""",
        """CREATE TRIGGER claim_search_delete AFTER DELETE ON claims BEGIN
            INSERT INTO claim_search(claim_search, rowid, text) VALUES ('delete', old.seq, old.text); END""",
        """CREATE TRIGGER claim_search_update AFTER UPDATE OF text ON claims BEGIN
            INSERT INTO claim_search(claim_search, rowid, text) VALUES ('delete', old.seq, old.text);
            INSERT INTO claim_search(rowid, text) VALUES (new.seq, new.text); END""",
    ),
    "postgresql": (
        """ALTER TABLE claims ADD COLUMN search tsvector
            GENERATED ALWAYS AS (to_tsvector('english', text)) STORED""",
        "CREATE INDEX claims_by_search ON claims USING gin (search)",
    ),
}
"""Full-text search over the claims' texts, as each database does it."""


def upgrade() -> None:
    """Make them, and the index of the claims' words."""
    op.create_table(
        "articles",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("byline", sa.Text(), nullable=True),
        sa.Column("publisher", sa.Text(), nullable=True),
        sa.Column("published", sa.String(length=40), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("boilerplate", sa.JSON(), nullable=False),
        sa.Column("habit", sa.String(length=20), nullable=False),
        sa.Column("model", sa.String(length=40), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("external_id"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("text_hash"),
        sa.UniqueConstraint("url"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_articles_published_on"), ["published_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_articles_publisher"), ["publisher"], unique=False)

    op.create_table(
        "speakers",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("qid", sa.String(length=20), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("qid"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("speakers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_speakers_kind"), ["kind"], unique=False)

    op.create_table(
        "appearances",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("article_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("speaker_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["article_seq"], ["articles.seq"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["speaker_seq"],
            ["speakers.seq"],
        ),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("article_seq", "place"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("appearances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appearances_speaker_seq"), ["speaker_seq"], unique=False)

    op.create_table(
        "speaker_names",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("speaker_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("last", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["speaker_seq"], ["speakers.seq"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("speaker_seq", "key"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("speaker_names", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_speaker_names_key"), ["key"], unique=False)
        batch_op.create_index(batch_op.f("ix_speaker_names_last"), ["last"], unique=False)

    op.create_table(
        "claims",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("article_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("category_probability", sa.Double(), nullable=False),
        sa.Column("check_worthiness", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("context_start", sa.Integer(), nullable=True),
        sa.Column("context_end", sa.Integer(), nullable=True),
        sa.Column("appearance_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["appearance_seq"], ["appearances.seq"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["article_seq"], ["articles.seq"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claims_appearance_seq"), ["appearance_seq"], unique=False)
        batch_op.create_index(batch_op.f("ix_claims_article_seq"), ["article_seq"], unique=False)

    op.create_table(
        "claim_spans",
        sa.Column("claim_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["claim_seq"], ["claims.seq"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("claim_seq", "place"),
    )
    for statement in SEARCH[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Remove them."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE claim_search")
    op.drop_table("claim_spans")
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_claims_article_seq"))
        batch_op.drop_index(batch_op.f("ix_claims_appearance_seq"))

    op.drop_table("claims")
    with op.batch_alter_table("speaker_names", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_speaker_names_last"))
        batch_op.drop_index(batch_op.f("ix_speaker_names_key"))

    op.drop_table("speaker_names")
    with op.batch_alter_table("appearances", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appearances_speaker_seq"))

    op.drop_table("appearances")
    with op.batch_alter_table("speakers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_speakers_kind"))

    op.drop_table("speakers")
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_articles_publisher"))
        batch_op.drop_index(batch_op.f("ix_articles_published_on"))

    op.drop_table("articles")

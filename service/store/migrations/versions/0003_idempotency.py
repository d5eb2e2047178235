"""Answers that are given again; names found by parts of them, and what callers decided about speakers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and take the names apart that are there."""
    op.create_table(
        "kept_answers",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("held_until", sa.Double(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("caller", "key"),
    )
    op.create_index("ix_kept_answers_created", "kept_answers", ["created"])
    words = op.create_table(
        "name_words",
        sa.Column("word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["name_seq"], ["speaker_names.seq"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("word", "name_seq"),
    )
    op.create_index("ix_name_words_name_seq", "name_words", ["name_seq"])
    names = sa.table("speaker_names", sa.column("seq"), sa.column("key"))
    for seq, key in op.get_bind().execute(sa.select(names.c.seq, names.c.key)).all():
        op.bulk_insert(words, [{"word": word, "name_seq": seq} for word in set(key.split())])
    op.add_column("speakers", sa.Column("is_decided", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("speaker_names", sa.Column("identifies", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(
        "UPDATE speaker_names SET identifies = true WHERE seq IN (SELECT min(n.seq) FROM speaker_names n"
        " JOIN speakers s ON s.seq = n.speaker_seq WHERE s.is_known GROUP BY s.seq)"
    )


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE speaker_names DROP COLUMN identifies")
    op.execute("ALTER TABLE speakers DROP COLUMN is_decided")
    op.drop_table("name_words")
    op.drop_table("kept_answers")

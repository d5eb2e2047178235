"""Batches, their chunks and results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables of batches."""
    op.create_table(
        "batches",
        sa.Column("seq", _SEQUENCE, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=True),
        sa.Column("habit", sa.String(length=20), nullable=False),
        sa.Column("store", sa.Boolean(), nullable=False),
        sa.Column("ignore_unknown", sa.Boolean(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("touched", _MOMENT, nullable=False),
        sa.Column("started", _MOMENT, nullable=True),
        sa.Column("ended", _MOMENT, nullable=True),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("callback_secret", sa.Text(), nullable=True),
        sa.Column("callback_state", sa.String(length=20), nullable=True),
        sa.Column("callback_attempts", sa.Integer(), nullable=False),
        sa.Column("callback_due", _MOMENT, nullable=True),
        sa.Column("callback_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    for column in ("state", "origin", "callback_due"):
        op.create_index(f"ix_batches_{column}", "batches", [column])
    op.create_table(
        "batch_chunks",
        sa.Column("seq", _SEQUENCE, nullable=False),
        sa.Column("batch_seq", _SEQUENCE, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=True),
        sa.Column("held_until", _MOMENT, nullable=True),
        sa.Column("reading", sa.BigInteger(), nullable=True),
        sa.Column("sent", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_seq"], ["batches.seq"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batch_chunks_batch", "batch_chunks", ["batch_seq"])
    op.create_index("ix_batch_chunks_next", "batch_chunks", ["state", "first", "seq"])
    op.create_table(
        "batch_results",
        sa.Column("batch_seq", _SEQUENCE, nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("is_done", sa.Boolean(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_seq"], ["batches.seq"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_seq", "place"),
    )
    op.create_index("ix_batch_results_number", "batch_results", ["batch_seq", "number"], unique=True)
    op.create_index("ix_batch_results_failed", "batch_results", ["batch_seq", "is_done", "place"])


def downgrade() -> None:
    """Remove them."""
    for table in ("batch_results", "batch_chunks", "batches"):
        op.drop_table(table)

"""Claims as they are compared, which of them assert the same, and clusters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables; ``whosaid db track`` fills them for claims that are stored already."""
    op.create_table(
        "clusters",
        sa.Column("seq", _SEQUENCE, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_clusters_articles", "clusters", ["articles"])
    op.create_table(
        "tracked_claims",
        sa.Column("seq", _SEQUENCE, nullable=False),
        sa.Column("claim_seq", _SEQUENCE, nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("first_seq", _SEQUENCE, nullable=True),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("cluster_seq", _SEQUENCE, nullable=True),
        sa.ForeignKeyConstraint(["claim_seq"], ["claims.seq"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["cluster_seq"], ["clusters.seq"]),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("claim_seq"),
        sqlite_autoincrement=True,
    )
    for column in ("version", "first_seq", "cluster_seq"):
        op.create_index(f"ix_tracked_claims_{column}", "tracked_claims", [column])
    op.create_table(
        "same_claims",
        sa.Column("one_seq", _SEQUENCE, nullable=False),
        sa.Column("other_seq", _SEQUENCE, nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["one_seq"], ["tracked_claims.seq"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_seq"], ["tracked_claims.seq"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("one_seq", "other_seq"),
    )
    op.create_index("ix_same_claims_other_seq", "same_claims", ["other_seq"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("same_claims")
    op.drop_table("tracked_claims")
    op.drop_table("clusters")

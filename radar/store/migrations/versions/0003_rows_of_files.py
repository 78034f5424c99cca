"""Which row of which file wrote a post or an author last, and the files that were imported."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in ("post", "author"):
        op.add_column(table, sa.Column("file", sa.BigInteger()))
        op.add_column(table, sa.Column("line", sa.BigInteger()))
    op.create_table(
        "imported_file",
        sa.Column("content", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("imported_at", tables.Instant(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("rejected_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("content", name=op.f("pk_imported_file")),
    )


def downgrade() -> None:
    op.drop_table("imported_file")
    for table in ("author", "post"):
        op.drop_column(table, "line")
        op.drop_column(table, "file")

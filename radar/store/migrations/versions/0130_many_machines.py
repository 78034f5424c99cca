"""Ticks that are run once, and pieces of work that many processes share."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0130"
down_revision = "0120"

BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("run", sa.Column("due_at", tables.Instant(), nullable=True))
    op.create_index("uq_run_job_due_at", "run", ["job", "due_at"], unique=True)
    op.create_table(
        "work",
        sa.Column("id", BigId, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("argument", sa.JSON(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_work_kind_subject")),
    )


def downgrade() -> None:
    op.drop_table("work")
    op.drop_index("uq_run_job_due_at", "run")
    op.drop_column("run", "due_at")

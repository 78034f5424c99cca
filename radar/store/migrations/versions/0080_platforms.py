"""What was used of platforms' quotas, until when posts may be kept, pushed batches, and subscriptions at hubs."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0080"
down_revision = "0070"


def upgrade() -> None:
    op.add_column("refresh_due", sa.Column("expires_at", tables.Instant()))
    op.create_index("ix_refresh_due_expires_at", "refresh_due", ["expires_at"])
    op.create_table(
        "source_usage",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("bucket", sa.String(32), nullable=False),
        sa.Column("period", sa.String(16), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "bucket", "period", name=op.f("pk_source_usage")),
    )
    op.create_table(
        "pushed_batch",
        sa.Column("idempotency_key", sa.String(255), nullable=False),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("pushed_at", tables.Instant(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("idempotency_key", name=op.f("pk_pushed_batch")),
    )
    op.create_index("ix_pushed_batch_pushed_at", "pushed_batch", ["pushed_at"])
    op.create_table(
        "hub_subscription",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("handle", sa.String(512), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("asked_at", tables.Instant()),
        sa.Column("confirmed_at", tables.Instant()),
        sa.Column("expires_at", tables.Instant()),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_subscription")),
        sa.UniqueConstraint("source", "handle", name=op.f("uq_hub_subscription_source_handle")),
    )


def downgrade() -> None:
    op.drop_table("hub_subscription")
    op.drop_table("pushed_batch")
    op.drop_table("source_usage")
    op.drop_index("ix_refresh_due_expires_at", "refresh_due")
    op.drop_column("refresh_due", "expires_at")

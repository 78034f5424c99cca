"""Accounts to watch, posts to ask for again, and sources that are paused or wait."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0040"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("source_state", sa.Column("pause_reason", sa.Text()))
    op.add_column("source_state", sa.Column("resume_at", tables.Instant()))
    op.create_table(
        "watched_account",
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("handle", sa.String(512), nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("person", sa.Text()),
        sa.Column("consented", sa.Boolean(), nullable=False),
        sa.Column("cursor", sa.JSON()),
        sa.Column("watermark_at", tables.Instant()),
        sa.Column("asked_at", tables.Instant()),
        sa.Column("profiled_at", tables.Instant()),
        sa.Column("last_success_at", tables.Instant()),
        sa.Column("last_error_at", tables.Instant()),
        sa.Column("last_error", sa.Text()),
        sa.Column("missing_since", tables.Instant()),
        sa.Column("pause_reason", sa.Text()),
        sa.ForeignKeyConstraint(["source"], ["source_state.name"], name=op.f("fk_watched_account_source")),
        sa.PrimaryKeyConstraint("source", "handle", name=op.f("pk_watched_account")),
    )
    op.create_table(
        "refresh_due",
        sa.Column("post_id", tables.BigId, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("ref", sa.String(512), nullable=False),
        sa.Column("due_at", tables.Instant(), nullable=False),
        sa.Column("missing_since", tables.Instant()),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_refresh_due_post_id")),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_refresh_due")),
    )
    op.create_index("ix_refresh_due_due_at", "refresh_due", ["due_at"])


def downgrade() -> None:
    op.drop_table("refresh_due")
    op.drop_table("watched_account")
    op.drop_column("source_state", "resume_at")
    op.drop_column("source_state", "pause_reason")

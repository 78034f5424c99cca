"""Indexes for what went through tables that grow: texts and rows past their time, names of persons, aside readings."""

import sqlalchemy as sa
from alembic import op

revision = "0140"
down_revision = "0130"

INDEXES = {
    "ix_aside_signal_post_id": ("aside_signal", ["post_id"]),
    "ix_rejected_post_native_id": ("rejected_post", ["native_id"]),
    "ix_rejected_post_seen_at": ("rejected_post", ["seen_at"]),
    "ix_imported_file_imported_at": ("imported_file", ["imported_at"]),
    "ix_refresh_due_source": ("refresh_due", ["source", "due_at"]),
    "ix_run_started_at": ("run", ["started_at"]),
    "ix_run_job_id": ("run", ["job", "id"]),
    "ix_episode_model_id": ("episode", ["model_id", "audience_market", "bucket", "ended_at"]),
    "ix_list_key_key_hash": ("list_key", ["key_hash", "audience_market"]),
}
PARTIAL = {
    "ix_person_name": ("person", ["name"], "name IS NOT NULL"),
    "ix_post_held": ("post", ["source", "fetched_at"], "text IS NOT NULL"),
}
HOURLY, DAILY = "ix_snapshot_hourly", "ix_snapshot_daily"


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    for name, (table, columns, where) in PARTIAL.items():
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index(
        HOURLY, "snapshot", ["as_of"], sqlite_where=sa.text("is_daily = 0"), postgresql_where=sa.text("NOT is_daily")
    )
    op.create_index(
        DAILY, "snapshot", ["as_of"], sqlite_where=sa.text("is_daily = 1"), postgresql_where=sa.text("is_daily")
    )


def downgrade() -> None:
    for name in (DAILY, HOURLY, *PARTIAL, *INDEXES):
        op.drop_index(name)

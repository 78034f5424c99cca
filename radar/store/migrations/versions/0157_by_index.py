"""Indexes for what was read from end to end, and whose the trends are whose adopters were collected."""

import sqlalchemy as sa
from alembic import op

from radar.store.tables import Instant

revision = "0157"
down_revision = "0156"

INDEXES = (
    ("ix_run_outcome_id", "run", ["outcome", "id"]),
    ("ix_run_job_outcome_id", "run", ["job", "outcome", "id"]),
    ("ix_day_count_counted_at", "day_count", ["audience_market", "counted_at"]),
    ("ix_day_count_told", "day_count", ["model_id", "audience_market", "local_day", "detected", "person_count"]),
    ("ix_episode_model_id_onset_at", "episode", ["model_id", "bucket", "onset_at"]),
    ("ix_adopted_trend_model_id", "adopted_trend", ["model_id"]),
)


def upgrade() -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("source_day")}
    if "last_fetched_at" not in known:  # a store that took 0156 as it was at first
        op.add_column(
            "source_day", sa.Column("last_fetched_at", Instant(), nullable=False, server_default="1970-01-01 00:00:00")
        )
        op.execute(
            "UPDATE source_day SET last_fetched_at = COALESCE((SELECT MAX(p.fetched_at) FROM post AS p WHERE "
            "p.audience_market = source_day.audience_market AND p.local_day = source_day.local_day "
            "AND p.deleted_at IS NULL AND source_day.source IN (p.source, '')), last_post_at)"
        )
    op.add_column("adopted_trend", sa.Column("model_id", sa.String(64), nullable=False, server_default=""))
    op.execute(
        "UPDATE adopted_trend SET model_id = "
        "COALESCE((SELECT model_id FROM episode WHERE id = adopted_trend.episode_id), '')"
    )
    for index in INDEXES:
        op.create_index(*index)


def downgrade() -> None:
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table)
    op.drop_column("adopted_trend", "model_id")

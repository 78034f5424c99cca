"""Indexes for what was read from end to end, and whose the trends are whose adopters were collected."""

import sqlalchemy as sa
from alembic import op

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

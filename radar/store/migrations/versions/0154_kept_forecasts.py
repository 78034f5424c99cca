"""Forecasts of arrivals as they were at the end of each day, for reports of older weeks."""

import sqlalchemy as sa
from alembic import op

from radar.store.tables import Instant

revision = "0154"
down_revision = "0140"


def upgrade() -> None:
    op.create_table(
        "kept_forecast",
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("forecasts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "audience_market", "day", name=op.f("pk_kept_forecast")),
    )
    op.create_index("ix_kept_forecast_day", "kept_forecast", ["day"])


def downgrade() -> None:
    op.drop_table("kept_forecast")

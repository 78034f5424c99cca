"""Which market leads which, the model of arrivals, and what it forecasts."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0050"
down_revision = "0040"


def upgrade() -> None:
    op.create_index("ix_episode_key_hash_onset_at", "episode", ["key_hash", "onset_at"])
    op.create_index("ix_episode_onset_at", "episode", ["onset_at"])
    op.create_index("ix_episode_leader_id", "episode", ["leader_id"])
    op.create_table(
        "market_lead",
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("topic_group", sa.String(48), nullable=False),
        sa.Column("first_market", sa.String(2), nullable=False),
        sa.Column("second_market", sa.String(2), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(
            "model_id", "topic_group", "first_market", "second_market", name=op.f("pk_market_lead")
        ),
    )
    op.create_table(
        "arrival_model",
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("fitted_at", tables.Instant(), nullable=False),
        sa.Column("since", tables.Instant(), nullable=False),
        sa.Column("until", tables.Instant(), nullable=False),
        sa.Column("working", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_arrival_model")),
    )
    op.create_table(
        "arrival_forecast",
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("key_hash", sa.BigInteger(), nullable=False),
        sa.Column("as_of", tables.Instant(), nullable=False),
        sa.Column("week", sa.Float(), nullable=False),
        sa.Column("working", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "audience_market", "key_hash", name=op.f("pk_arrival_forecast")),
    )


def downgrade() -> None:
    for name in ("arrival_forecast", "arrival_model", "market_lead"):
        op.drop_table(name)
    op.drop_index("ix_episode_leader_id", "episode")
    op.drop_index("ix_episode_onset_at", "episode")
    op.drop_index("ix_episode_key_hash_onset_at", "episode")

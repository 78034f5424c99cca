"""How far posts lie from what the model was trained on, night by night."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0030"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "model_drift",
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.Column("score_divergence", sa.Float()),
        sa.Column("topic_divergence", sa.Float()),
        sa.Column("no_topic_share", sa.Float()),
        sa.Column("unknown_share", sa.Float()),
        sa.Column("working", sa.JSON(), nullable=False),
        sa.Column("measured_at", tables.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "audience_market", "last_day", name=op.f("pk_model_drift")),
    )


def downgrade() -> None:
    op.drop_table("model_drift")

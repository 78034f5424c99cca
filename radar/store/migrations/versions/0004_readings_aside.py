"""Readings by a model that is to follow the active one, kept aside until it does."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "aside_signal",
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("post_id", tables.BigId, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("sponsored", sa.Boolean(), nullable=False),
        sa.Column("text_hash", sa.BigInteger(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_aside_signal_post_id")),
        sa.PrimaryKeyConstraint("model_id", "post_id", name=op.f("pk_aside_signal")),
    )


def downgrade() -> None:
    op.drop_table("aside_signal")

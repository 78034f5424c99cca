"""Profiles of authors, which briefs are matched against."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0070"
down_revision = "0060"


def upgrade() -> None:
    op.create_table(
        "author_profile",
        sa.Column("author_id", tables.BigId, autoincrement=False, nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("vector", sa.LargeBinary()),
        sa.Column("measured_at", tables.Instant(), nullable=False),
        sa.Column("made_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["author_measure.author_id"], name=op.f("fk_author_profile_author_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("author_id", name=op.f("pk_author_profile")),
    )
    op.create_index("ix_author_profile_audience_market", "author_profile", ["audience_market", "author_id"])
    op.create_index("ix_author_profile_measured_at", "author_profile", ["measured_at"])
    op.create_index("ix_author_measure_measured_at", "author_measure", ["measured_at", "author_id"])


def downgrade() -> None:
    op.drop_index("ix_author_measure_measured_at", "author_measure")
    op.drop_table("author_profile")

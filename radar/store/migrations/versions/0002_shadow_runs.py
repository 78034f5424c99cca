"""Shadow runs, and how new an account is to us."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("author", sa.Column("first_post_at", tables.Instant()))
    op.execute(
        "UPDATE author SET first_post_at = (SELECT min(published_at) FROM post WHERE post.author_id = author.id)"
    )
    op.create_table(
        "shadow_run",
        sa.Column("model_id", sa.String(64), nullable=False),
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("bucket", sa.String(4), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("trends", sa.Integer(), nullable=False),
        sa.Column("shadow_trends", sa.Float(), nullable=False),
        sa.Column("shadows", sa.Integer(), nullable=False),
        sa.Column("ran_at", tables.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "audience_market", "bucket", "last_day", name=op.f("pk_shadow_run")),
    )


def downgrade() -> None:
    op.drop_table("shadow_run")
    op.drop_column("author", "first_post_at")

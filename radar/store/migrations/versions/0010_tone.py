"""Whether a post blames or praises, as read in it. Posts that were read before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"


def upgrade() -> None:
    for table in ("post_signal", "aside_signal"):
        op.add_column(table, sa.Column("tone", sa.SmallInteger()))
        op.add_column(table, sa.Column("negative", sa.Float()))


def downgrade() -> None:
    for table in ("aside_signal", "post_signal"):
        op.drop_column(table, "negative")
        op.drop_column(table, "tone")

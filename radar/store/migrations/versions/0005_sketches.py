"""What a post says, in a form by which nearly the same texts are found. Posts that were read before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("post_signal", "aside_signal"):
        op.add_column(table, sa.Column("sketch", sa.LargeBinary()))


def downgrade() -> None:
    for table in ("aside_signal", "post_signal"):
        op.drop_column(table, "sketch")

"""Why an author's market was inferred as it was; null where it was declared."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("author", sa.Column("market_reasons", sa.Text()))


def downgrade() -> None:
    op.drop_column("author", "market_reasons")

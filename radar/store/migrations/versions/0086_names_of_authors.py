"""Authors found by a native id or a handle alone, of whatever platform."""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0080"


def upgrade() -> None:
    author = sa.table("author", sa.column("handle", sa.Text))
    cut = sa.func.substr(author.c.handle, 1, 255)
    op.execute(sa.update(author).where(sa.func.length(author.c.handle) > 255).values(handle=cut))
    op.create_index("ix_author_native_id", "author", ["native_id"])
    op.create_index("ix_author_handle", "author", ["handle"])


def downgrade() -> None:
    op.drop_index("ix_author_handle", "author")
    op.drop_index("ix_author_native_id", "author")

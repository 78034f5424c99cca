"""Words of an author in order, so that whether one begins like a text is read from the index alone."""

from alembic import op

revision = "0120"
down_revision = "0110"


def upgrade() -> None:
    op.create_index("ix_author_word_author_id_word", "author_word", ["author_id", "word"], unique=False)
    op.drop_index("ix_author_word_author_id", table_name="author_word")


def downgrade() -> None:
    op.create_index("ix_author_word_author_id", "author_word", ["author_id"], unique=False)
    op.drop_index("ix_author_word_author_id_word", table_name="author_word")

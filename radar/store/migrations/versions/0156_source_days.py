"""What each source gave a market on a day, and in which languages: summed up instead of counted from all posts."""

import sqlalchemy as sa
from alembic import op

from radar.store.tables import Instant

revision = "0156"
down_revision = "0155"

FILL = (
    "INSERT INTO source_day SELECT p.audience_market, p.local_day, p.source, COUNT(*), COUNT(DISTINCT p.author_id), "
    "COUNT(DISTINCT a.person_id), COUNT(DISTINCT CASE WHEN a.market_source = 'inferred' THEN a.id END), "
    "MIN(p.published_at), MAX(p.published_at), MAX(p.fetched_at) FROM post AS p JOIN author AS a ON a.id = p.author_id "
    "WHERE p.deleted_at IS NULL GROUP BY p.audience_market, p.local_day, p.source",
    "INSERT INTO source_day SELECT p.audience_market, p.local_day, '', COUNT(*), COUNT(DISTINCT p.author_id), "
    "COUNT(DISTINCT a.person_id), COUNT(DISTINCT CASE WHEN a.market_source = 'inferred' THEN a.id END), "
    "MIN(p.published_at), MAX(p.published_at), MAX(p.fetched_at) FROM post AS p JOIN author AS a ON a.id = p.author_id "
    "WHERE p.deleted_at IS NULL GROUP BY p.audience_market, p.local_day",
    "INSERT INTO language_day SELECT p.audience_market, p.local_day, s.language, COUNT(*) "
    "FROM post AS p JOIN post_signal AS s ON s.post_id = p.id WHERE p.deleted_at IS NULL "
    "GROUP BY p.audience_market, p.local_day, s.language",
)
"""By source, by all of them together, and by language."""


def upgrade() -> None:
    op.create_table(
        "source_day",
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("post_count", sa.Integer(), nullable=False),
        sa.Column("author_count", sa.Integer(), nullable=False),
        sa.Column("person_count", sa.Integer(), nullable=False),
        sa.Column("inferred_count", sa.Integer(), nullable=False),
        sa.Column("first_post_at", Instant(), nullable=False),
        sa.Column("last_post_at", Instant(), nullable=False),
        sa.Column("last_fetched_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("audience_market", "local_day", "source", name=op.f("pk_source_day")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "language_day",
        sa.Column("audience_market", sa.String(2), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("post_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("audience_market", "local_day", "language", name=op.f("pk_language_day")),
        sqlite_with_rowid=False,
    )
    for statement in FILL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("language_day")
    op.drop_table("source_day")

"""Measures of authors, what they are found by, adopters of trends, lists and notes, and the rights of the listed."""

import sqlalchemy as sa
from alembic import op

from radar.store import tables

revision = "0060"
down_revision = "0040"


def upgrade() -> None:
    op.create_table('adopted_trend',
    sa.Column('episode_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('audience_market', sa.String(length=2), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('counted_at', tables.Instant(), nullable=False),
    sa.PrimaryKeyConstraint('episode_id', name=op.f('pk_adopted_trend'))
    )
    op.create_table('author_list',
    sa.Column('id', tables.BigId, nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('created_at', tables.Instant(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_author_list')),
    sa.UniqueConstraint('name', name=op.f('uq_author_list_name'))
    )
    op.create_table('erased_author',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('erased_at', tables.Instant(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_erased_author'))
    )
    op.create_table('peer_group',
    sa.Column('id', tables.BigId, nullable=False),
    sa.Column('audience_market', sa.String(length=2), nullable=False),
    sa.Column('platform', sa.String(length=32), nullable=False),
    sa.Column('tier', sa.String(length=8), nullable=False),
    sa.Column('member_count', sa.Integer(), nullable=False),
    sa.Column('author_count', sa.Integer(), nullable=False),
    sa.Column('changed_count', sa.Integer(), nullable=False),
    sa.Column('sketches', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_peer_group')),
    sa.UniqueConstraint('audience_market', 'platform', 'tier', name=op.f('uq_peer_group_audience_market_platform_tier'))
    )
    op.create_table('trend_adoption',
    sa.Column('episode_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('person_id', tables.BigId, autoincrement=False, nullable=False),
    sa.Column('adopted_at', tables.Instant(), nullable=False),
    sa.Column('heard', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['episode_id'], ['adopted_trend.episode_id'], name=op.f('fk_trend_adoption_episode_id')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_trend_adoption_person_id')),
    sa.PrimaryKeyConstraint('episode_id', 'person_id', name=op.f('pk_trend_adoption'))
    )
    op.create_index(op.f('ix_trend_adoption_person_id'), 'trend_adoption', ['person_id'], unique=False)
    op.create_table('author_due',
    sa.Column('author_id', tables.BigId, autoincrement=False, nullable=False),
    sa.Column('due_at', tables.Instant(), nullable=False),
    sa.Column('mark', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['author.id'], name=op.f('fk_author_due_author_id')),
    sa.PrimaryKeyConstraint('author_id', name=op.f('pk_author_due'))
    )
    op.create_index('ix_author_due_due_at', 'author_due', ['due_at'], unique=False)
    op.create_table('author_facet',
    sa.Column('facet', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('author_id', tables.BigId, autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['author.id'], name=op.f('fk_author_facet_author_id')),
    sa.PrimaryKeyConstraint('facet', 'author_id', name=op.f('pk_author_facet')),
    sqlite_with_rowid=False
    )
    op.create_index(op.f('ix_author_facet_author_id'), 'author_facet', ['author_id'], unique=False)
    op.create_table('author_measure',
    sa.Column('author_id', tables.BigId, autoincrement=False, nullable=False),
    sa.Column('group_id', tables.BigId, nullable=False),
    sa.Column('audience_market', sa.String(length=2), nullable=False),
    sa.Column('follower_count', sa.BigInteger(), nullable=True),
    sa.Column('last_post_at', tables.Instant(), nullable=True),
    sa.Column('post_count', sa.Integer(), nullable=False),
    sa.Column('rated_count', sa.Integer(), nullable=False),
    sa.Column('low_confidence', sa.Boolean(), nullable=False),
    sa.Column('engagement', sa.Float(), nullable=True),
    sa.Column('er_followers', sa.Float(), nullable=True),
    sa.Column('er_views', sa.Float(), nullable=True),
    sa.Column('views_count', sa.Integer(), nullable=False),
    sa.Column('engagement_percentile', sa.Float(), nullable=True),
    sa.Column('growth', sa.Float(), nullable=True),
    sa.Column('growth_days', sa.Integer(), nullable=False),
    sa.Column('posts_per_week', sa.Float(), nullable=False),
    sa.Column('sponsored_count', sa.Integer(), nullable=False),
    sa.Column('sponsored_share', sa.Float(), nullable=True),
    sa.Column('paid_over_organic', sa.Float(), nullable=True),
    sa.Column('negative_share', sa.Float(), nullable=True),
    sa.Column('told_count', sa.Integer(), nullable=False),
    sa.Column('early', sa.Float(), nullable=True),
    sa.Column('early_low', sa.Float(), nullable=True),
    sa.Column('early_high', sa.Float(), nullable=True),
    sa.Column('early_p', sa.Float(), nullable=True),
    sa.Column('early_null', sa.Float(), nullable=True),
    sa.Column('early_count', sa.Integer(), nullable=False),
    sa.Column('profile', sa.JSON(), nullable=False),
    sa.Column('measured_at', tables.Instant(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['author.id'], name=op.f('fk_author_measure_author_id')),
    sa.ForeignKeyConstraint(['group_id'], ['peer_group.id'], name=op.f('fk_author_measure_group_id')),
    sa.PrimaryKeyConstraint('author_id', name=op.f('pk_author_measure'))
    )
    op.create_index('ix_author_measure_by_early', 'author_measure', ['audience_market', 'early', 'author_id', 'group_id', 'engagement_percentile', 'sponsored_share'], unique=False)
    op.create_index('ix_author_measure_by_engagement_percentile', 'author_measure', ['audience_market', 'engagement_percentile', 'author_id', 'group_id', 'sponsored_share'], unique=False)
    op.create_index('ix_author_measure_by_follower_count', 'author_measure', ['audience_market', 'follower_count', 'author_id', 'group_id', 'engagement_percentile', 'sponsored_share'], unique=False)
    op.create_index('ix_author_measure_by_growth', 'author_measure', ['audience_market', 'growth', 'author_id', 'group_id', 'engagement_percentile', 'sponsored_share'], unique=False)
    op.create_index('ix_author_measure_by_last_post_at', 'author_measure', ['audience_market', 'last_post_at', 'author_id', 'group_id', 'engagement_percentile', 'sponsored_share'], unique=False)
    op.create_index('ix_author_measure_group_id', 'author_measure', ['group_id', 'author_id'], unique=False)
    op.create_table('author_note',
    sa.Column('id', tables.BigId, nullable=False),
    sa.Column('author_id', tables.BigId, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('written_at', tables.Instant(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['author.id'], name=op.f('fk_author_note_author_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_author_note'))
    )
    op.create_index(op.f('ix_author_note_author_id'), 'author_note', ['author_id'], unique=False)
    op.create_table('author_word',
    sa.Column('word', sa.String(length=64).with_variant(sa.String(length=64, collation='C'), 'postgresql'), nullable=False),
    sa.Column('author_id', tables.BigId, autoincrement=False, nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['author.id'], name=op.f('fk_author_word_author_id')),
    sa.PrimaryKeyConstraint('word', 'author_id', name=op.f('pk_author_word')),
    sqlite_with_rowid=False
    )
    op.create_index(op.f('ix_author_word_author_id'), 'author_word', ['author_id'], unique=False)
    op.create_table('list_member',
    sa.Column('list_id', tables.BigId, autoincrement=False, nullable=False),
    sa.Column('author_id', tables.BigId, autoincrement=False, nullable=False),
    sa.Column('added_at', tables.Instant(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['author.id'], name=op.f('fk_list_member_author_id')),
    sa.ForeignKeyConstraint(['list_id'], ['author_list.id'], name=op.f('fk_list_member_list_id')),
    sa.PrimaryKeyConstraint('list_id', 'author_id', name=op.f('pk_list_member'))
    )
    op.create_index(op.f('ix_list_member_author_id'), 'list_member', ['author_id'], unique=False)
    op.add_column('author', sa.Column('hidden_at', tables.Instant(), nullable=True))
    op.add_column('author', sa.Column('corrected', sa.Text(), nullable=True))
    # everybody that is stored already waits to be measured
    op.execute("INSERT INTO author_due (author_id, due_at, mark) SELECT id, first_seen_at, 0 FROM author")


def downgrade() -> None:
    for table in (
        "list_member", "author_word", "author_note", "author_measure", "author_facet", "author_due", "trend_adoption", "peer_group", "erased_author", "author_list", "adopted_trend",
    ):
        op.drop_table(table)
    op.drop_column("author", "corrected")
    op.drop_column("author", "hidden_at")

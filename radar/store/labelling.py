"""Posts that a person could label."""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.markets import MARKETS
from radar.store.tables import author, post
from radar.store.tables import post_signal as signal


class LabelPost(NamedTuple):
    """A post that has been read, with its text. text_hash: copies share it."""

    id: int
    platform: str
    native_id: str
    audience_market: str
    language: str
    person_id: int
    text: str
    text_hash: int
    url: str | None
    published_at: datetime


def languages(session: Session, since: datetime) -> list[str]:
    """Languages of the posts since a moment, those of most posts first."""
    statement = (
        sa.select(signal.c.language)
        .join(post, post.c.id == signal.c.post_id)
        .where(post.c.published_at >= since, *_near(since))
        .group_by(signal.c.language)
        .order_by(sa.func.count().desc(), signal.c.language)
    )
    return list(session.scalars(statement))


def posts_to_label(
    session: Session, since: datetime, language: str, limit: int, market: str | None = None
) -> list[LabelPost]:
    """The newest posts of a language, no reposts, of one market or all."""
    columns = [(author if name == "person_id" else signal if name in _READ else post).c[name] for name in _FIELDS]
    statement = (
        sa.select(*columns)
        .join(signal, signal.c.post_id == post.c.id)
        .join(author, author.c.id == post.c.author_id)
        .where(post.c.published_at >= since, signal.c.language == language, post.c.text.is_not(None))
        .where(post.c.deleted_at.is_(None), post.c.repost_of.is_(None))
        .where(*_near(since, market))
        .order_by(post.c.published_at.desc(), post.c.id)
        .limit(limit)
    )
    return [LabelPost(*row) for row in session.execute(statement)]


def _near(since: datetime, market: str | None = None) -> tuple[sa.ColumnElement[bool], ...]:
    """The local days that hold posts since a moment: what the index of days is asked for."""
    markets = [market] if market else list(MARKETS)
    return post.c.audience_market.in_(markets), post.c.local_day >= (since - timedelta(days=1)).date()


_FIELDS = LabelPost._fields
_READ = ("language", "text_hash")

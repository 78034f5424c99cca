"""Posts of a market as a list: where a page goes on is found by day and number, however long the list is."""

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import post, post_signal, post_topic


class Place(NamedTuple):
    """Where a post stands in the list: by local day, then by number."""

    local_day: date
    id: int


def post_places(
    session: Session,
    market: str,
    *,
    first: date | None = None,
    last: date | None = None,
    platform: str | None = None,
    source: str | None = None,
    language: str | None = None,
    topic: str | None = None,
    after: Place | None = None,
    newest_first: bool = True,
    limit: int = 100,
) -> list[Place]:
    """The next read posts of a market, on the local days from first to last."""
    p = post.c
    mine = [p.audience_market == market, p.deleted_at.is_(None)]
    mine += [column == value for column, value in ((p.platform, platform), (p.source, source)) if value]
    mine += [p.language == language] if language else []
    mine += [p.local_day >= first] if first else []
    mine += [p.local_day <= last] if last else []
    if after is not None and newest_first:
        mine += [p.local_day <= after.local_day, sa.or_(p.local_day < after.local_day, p.id < after.id)]
    elif after is not None:
        mine += [p.local_day >= after.local_day, sa.or_(p.local_day > after.local_day, p.id > after.id)]
    if topic:
        about = sa.select(post_topic.c.post_id).where(post_topic.c.post_id == p.id, post_topic.c.topic_id == topic)
        mine.append(about.exists())
    is_read = sa.select(post_signal.c.post_id).where(post_signal.c.post_id == p.id).exists()
    order = (p.local_day.desc(), p.id.desc()) if newest_first else (p.local_day, p.id)
    statement = sa.select(p.local_day, p.id).where(*mine, is_read).order_by(*order).limit(limit)
    return [Place(*row) for row in session.execute(statement)]

"""Forgetting: sealing days and dropping the texts of their posts."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import day_count, dirty_day, post

ROWS = 2_000


def forget_texts(session: Session, before: date, fetched_before: datetime, source: str | None = None) -> int:
    """Drop the text of some classified posts of local days before `before`, sealing their days; how many.

    source  posts of this source only: what the others gave of a day keeps its text

    Posts that were fetched since `fetched_before` keep theirs: retention of an imported history begins at its import.
    A day that still waits for a recount or holds a post that was not read yet keeps everything until that is done.
    """
    other = post.alias("other")
    mine = sa.true() if source is None else other.c.source == source
    kept = sa.select(other.c.id).where(
        other.c.audience_market == post.c.audience_market, other.c.local_day == post.c.local_day,
        other.c.deleted_at.is_(None),
        sa.or_(other.c.classified_at.is_(None), sa.and_(mine, other.c.fetched_at >= fetched_before)),
    )  # fmt: skip
    waiting = sa.select(dirty_day.c.local_day).where(
        dirty_day.c.audience_market == post.c.audience_market, dirty_day.c.local_day == post.c.local_day
    )
    rows = session.execute(
        sa.select(post.c.id, post.c.audience_market, post.c.local_day)
        .where(post.c.local_day < before, post.c.text.is_not(None), post.c.classified_at.is_not(None))
        .where(~sa.exists(waiting), ~sa.exists(kept))
        .where(sa.true() if source is None else post.c.source == source)
        .limit(ROWS)
    ).all()
    if not rows:
        return 0
    for market, day in sorted({(row.audience_market, row.local_day) for row in rows}):
        session.execute(
            sa.update(day_count)
            .where(day_count.c.audience_market == market, day_count.c.local_day == day)
            .values(is_sealed=True)
        )
    session.execute(sa.update(post).where(post.c.id.in_([row.id for row in rows])).values(text=None))
    return len(rows)

"""Forgetting: sealing days and dropping the texts of their posts."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.posts import forget_signals, mark_dirty
from radar.store.tables import (
    author,
    day_count,
    dirty_day,
    engagement_observation,
    follower_observation,
    post,
    refresh_due,
)
from radar.store.version import answers_changed

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
        .where(post.c.source.in_(_sources(session) if source is None else [source]))
        .where(post.c.fetched_at < fetched_before)
        .limit(ROWS)
    ).all()
    if not rows:
        return 0
    answers_changed(session, removed=True)
    for market, day in sorted({(row.audience_market, row.local_day) for row in rows}):
        session.execute(
            sa.update(day_count)
            .where(day_count.c.audience_market == market, day_count.c.local_day == day)
            .values(is_sealed=True)
        )
    session.execute(sa.update(post).where(post.c.id.in_([row.id for row in rows])).values(text=None))
    return len(rows)


def _sources(session: Session) -> list[str]:
    """Sources of stored texts: each found by a step in the index of them, however many texts there are."""
    c, found = post.c, list[str]()
    while (name := session.scalar(sa.select(sa.func.min(c.source)).where(c.source > "".join(found[-1:])))) is not None:
        found.append(name)
    return found


def forget_expired(session: Session, now: datetime) -> int:
    """Delete some posts that should have been asked for again by now and were not: text, address and counts; how many.

    Of authors who have no other post, what they said of themselves goes too.

    What was counted of them goes with the next count of their days.
    """
    rows = session.execute(
        sa.select(post.c.id, post.c.author_id, post.c.audience_market, post.c.local_day)
        .join(refresh_due, refresh_due.c.post_id == post.c.id)
        .where(refresh_due.c.expires_at <= now)
        .order_by(refresh_due.c.expires_at, post.c.id)
        .limit(ROWS)
    ).all()
    ids = [row.id for row in rows]
    if not ids:
        return 0
    session.execute(
        sa.update(post)
        .where(post.c.id.in_(ids))
        .values(
            text=None, url=None, like_count=None, comment_count=None, share_count=None, view_count=None,
            deleted_at=sa.func.coalesce(post.c.deleted_at, now), revision=post.c.revision + 1,
        )
    )  # fmt: skip
    session.execute(sa.delete(engagement_observation).where(engagement_observation.c.post_id.in_(ids)))
    _forget_authors(session, {row.author_id for row in rows})
    session.execute(sa.delete(refresh_due).where(refresh_due.c.post_id.in_(ids)))
    forget_signals(session, ids)
    mark_dirty(session, {(row.audience_market, row.local_day) for row in rows})
    return len(ids)


def _forget_authors(session: Session, ids: set[int]) -> None:
    """Drop what authors without a post said of themselves."""
    held = sa.select(post.c.id).where(post.c.author_id == author.c.id, post.c.deleted_at.is_(None))
    alone = sorted(session.scalars(sa.select(author.c.id).where(author.c.id.in_(ids), ~sa.exists(held))))
    told = dict.fromkeys(("handle", "name", "url", "bio", "languages", "follower_count"))
    session.execute(sa.update(author).where(author.c.id.in_(alone)).values(told))
    session.execute(sa.delete(follower_observation).where(follower_observation.c.author_id.in_(alone)))

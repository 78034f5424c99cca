"""What a backfill reads and writes: whole local days of a market's posts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import author, dirty_day, post, post_signal


class FillPost(NamedTuple):
    """A living post of a day with its author: what reading and counting need of it.

    text  None where it was pruned, or not asked for;  read_by  the model of its present reading
    """

    id: int
    author_id: int
    person_id: int
    platform: str
    native_id: str
    revision: int
    published_at: datetime
    day_only: bool
    text: str | None
    language: str | None
    platform_sponsored: bool | None
    repost_of: str | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    follower_count: int | None
    first_post_at: datetime | None
    author_languages: str | None
    is_pruned: bool
    read_by: str | None


def fill_posts(
    session: Session, market: str, day: date, but: Sequence[str] = (), *, texts: bool = True
) -> list[FillPost]:
    """Living posts of a market's local day, in the order in which they are counted.

    but  sources whose posts are left alone;  texts  whether their texts are wanted
    """
    p, a = post.c, author.c
    columns: dict[str, sa.ColumnElement[Any]] = {
        **{c.name: c for c in post.columns if c.name in FillPost._fields},
        "person_id": a.person_id, "follower_count": a.follower_count, "first_post_at": a.first_post_at,
        "author_languages": a.languages, "is_pruned": p.text.is_(None), "read_by": post_signal.c.model_id,
    }  # fmt: skip
    if not texts:
        columns["text"] = sa.null()
    statement = (
        sa.select(*[columns[name].label(name) for name in FillPost._fields])
        .select_from(post)
        .join(author, a.id == p.author_id)
        .outerjoin(post_signal, post_signal.c.post_id == p.id)
        .where(p.audience_market == market, p.local_day == day, p.deleted_at.is_(None), p.source.not_in(but))
        .order_by(p.published_at, p.platform, p.native_id)
    )
    return list(map(FillPost._make, session.execute(statement).all()))


def revisions_of(session: Session, market: str, day: date, but: Sequence[str] = ()) -> dict[int, int]:
    """Revisions of a day's living posts by id."""
    p = post.c
    statement = sa.select(p.id, p.revision).where(p.audience_market == market, p.local_day == day)
    rows = session.execute(statement.where(p.deleted_at.is_(None), p.source.not_in(but)))
    return {row.id: row.revision for row in rows}


def mark_of(session: Session, market: str, day: date) -> int | None:
    """The mark of a day that waits for a recount; holds it until the transaction ends."""
    c = dirty_day.c
    mine = sa.select(c.mark).where(c.audience_market == market, c.local_day == day)
    return session.scalar(mine.with_for_update())

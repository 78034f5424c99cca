"""What weekly reports read of posts: persons and posts of a week by platform or by source, also of those about a place.

One statement over the index of a market's local days: bounded by the week, whatever the store's size.
"""

from datetime import date, datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import author, post, post_signal


class WeekCount(NamedTuple):
    """Living posts of some days on one platform, or of one source, copies included; persons are distinct there only.

    unread  posts that no model has read yet: they are about no place
    """

    name: str
    persons: int
    posts: int
    place_persons: int
    place_posts: int
    unread: int
    last_post_at: datetime


def week_counts(
    session: Session, market: str, place: str, first: date, last: date, by: Literal["platform", "source"]
) -> list[WeekCount]:
    """Of a market's posts on the days from first to last, most posts first.

    place  code of a country: posts that name it, or a place inside it
    """
    p, name = post.c, post.c[by]
    is_about = sa.literal(" ").concat(post_signal.c.places).concat(" ").contains(f" {place} ", autoescape=True)
    statement = (
        sa.select(
            name,
            sa.func.count(author.c.person_id.distinct()),
            sa.func.count(),
            sa.func.count(sa.case((is_about, author.c.person_id)).distinct()),
            sa.func.count(sa.case((is_about, p.id))),
            sa.func.count(sa.case((p.classified_at.is_(None), p.id))),
            sa.func.max(p.published_at),
        )
        .join(author, author.c.id == p.author_id)
        .outerjoin(post_signal, post_signal.c.post_id == p.id)
        .where(p.audience_market == market, p.local_day >= first, p.local_day <= last, p.deleted_at.is_(None))
        .group_by(name)
        .order_by(sa.func.count().desc(), name)
    )
    return [WeekCount(*row) for row in session.execute(statement)]

"""The posts of a market, in pages: everything that was read and is still there, filtered, by day."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.cursors import cursor_of, mark_of, place_in
from radar.answers.items import shown_post
from radar.answers.names import UnknownFilter, taxonomy
from radar.answers.ordering import one_order
from radar.errors import CallerError
from radar.markets import market
from radar.store.engine import world_of
from radar.store.listed_posts import Place, post_places
from radar.store.posts import evidence

SORTS = ("day",)
MOST = 1_000


def posts(
    session: Session,
    market_code: str,
    *,
    first: date | None = None,
    last: date | None = None,
    platform: str | None = None,
    source: str | None = None,
    language: str | None = None,
    topic: str | None = None,
    sort: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of a market's posts, those of the newest local day first (`sort=day`: of the oldest).

    first, last  local days of the market, both included

    Raises UnknownName, UnknownFilter and CallerError.
    """
    about = market(market_code)
    _, newest_first = one_order(sort, SORTS, "-day")
    if not 1 <= limit <= MOST:
        raise CallerError(f"limit: {limit} is not from 1 to {MOST}.", "Take pages by `next`.")
    if topic and topic not in taxonomy().ids:
        raise UnknownFilter("topic", topic[:60], list(taxonomy().ids))
    wanted = {
        "first": first,
        "last": last,
        "platform": platform,
        "source": source,
        "language": language,
        "topic": topic,
    }
    mark = mark_of("market posts", about.code, wanted, newest_first)
    after = None
    if cursor:
        day, number = place_in(mark, cursor, (int, int))
        if not 1 <= day <= date.max.toordinal():
            raise CallerError("cursor: this is no cursor.", "Take `next` of the page before as it is.")
        after = Place(date.fromordinal(day), number)
    found = post_places(
        session, about.code, first=first, last=last, platform=platform, source=source, language=language, topic=topic,
        after=after, newest_first=newest_first, limit=limit + 1,
    )  # fmt: skip
    page = found[:limit]
    more = len(found) > limit
    return {
        "items": [shown_post(row) for row in evidence(session, [place.id for place in page])],
        "next": cursor_of(mark, page[-1].local_day.toordinal(), page[-1].id) if more else None,
        "market": about.code,
        "simulated": world_of(session) == "simulated",
    }

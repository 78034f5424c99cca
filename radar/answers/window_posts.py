"""All posts behind a trend: those of its window that hold its key, oldest first, in pages."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.cursors import cursor_of, mark_of, place_in
from radar.answers.ids import episode_number, trend_id
from radar.answers.items import shown_post
from radar.answers.ordering import one_order
from radar.answers.question import MAX_LIMIT
from radar.answers.working import best_moment
from radar.errors import CallerError
from radar.markets import MARKETS, local_day
from radar.store.engine import world_of
from radar.store.posts import day_posts, evidence
from radar.support import PostsOfDay, WindowPosts


def trend_posts(
    session: Session,
    episode_id: int | str,
    as_of: datetime | None = None,
    window: str | None = None,
    *,
    limit: int = 50,
    sort: str | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of the posts in the window of a trend's best moment; parameters as of `trend_working`.

    sort  published_at, or -published_at: newest first

    total and persons are of the posts as they are now: one that was deleted since the moment is not among them.

    Raises UnknownName and CallerError.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise CallerError(f"limit: {limit} is not from 1 to {MAX_LIMIT}.", "Take pages by `next`.")
    number = episode_number(episode_id) if isinstance(episode_id, str) else episode_id
    seen = best_moment(session, number, as_of, window, asked=str(episode_id)).best
    start, end = (datetime.fromisoformat(seen.working[name]) for name in ("window_start", "at"))
    zone = MARKETS[seen.audience_market].tz
    days = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
    found = WindowPosts([PostsOfDay.of(day_posts(session, seen.model_id, seen.audience_market, *days))])
    support = found.support(seen.key_hash, seen.own_place, start, end)
    _, newest_first = one_order(sort, ("published_at",), "published_at")
    ids = support.posts[::-1] if newest_first else support.posts
    mark = mark_of("posts", seen.episode_id, seen.as_of, newest_first)
    first = max(place_in(mark, cursor, (int,))[0], 0) if cursor else 0
    page = [int(found.ids[i]) for i in ids[first : first + limit]]
    shown = {row["id"]: row for row in evidence(session, page)}
    more = first + limit < len(support.posts)
    return {
        "items": [shown_post(shown[i]) for i in page if i in shown],
        "next": cursor_of(mark, first + limit) if more else None,
        "total": len(support.posts),
        "persons": len(support.persons),
        "trend": trend_id(seen.episode_id),
        "window": {"start": start, "end": end},
        "simulated": world_of(session) == "simulated",
    }

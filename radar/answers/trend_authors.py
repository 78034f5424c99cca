"""KOLs who carry a trend: by who came first, or by who is followed most."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.ids import episode_number, trend_id
from radar.answers.partners import MOST, author
from radar.answers.working import best_moment
from radar.errors import CallerError
from radar.markets import MARKETS, local_day
from radar.match import kols
from radar.store.engine import world_of
from radar.store.partners import post_authors
from radar.store.posts import day_posts
from radar.support import PostsOfDay, WindowPosts

ORDERS = ("early", "reach")


def trend_authors(
    session: Session,
    episode_id: str,
    as_of: datetime | None = None,
    window: str | None = None,
    *,
    order: str = "early",
    limit: int | None = 10,
) -> dict[str, Any]:
    """A line a person who used the trend's key in the window of its best moment; parameters as of `trend_posts`.

    limit  None: all of them

    The line is of the account that posted first. Raises UnknownName and CallerError.
    """
    if (limit is not None and not 1 <= limit <= MOST) or order not in ORDERS:
        said = f"limit: {limit} is not from 1 to {MOST}" if order in ORDERS else f"order: '{order[:40]}' is none"
        raise CallerError(f"{said}.", f"Orders: {', '.join(ORDERS)}.")
    seen = best_moment(session, episode_number(episode_id), as_of, window, asked=episode_id).best
    start, end = (datetime.fromisoformat(seen.working[name]) for name in ("window_start", "at"))
    zone = MARKETS[seen.audience_market].tz
    days = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
    found = WindowPosts([PostsOfDay(day_posts(session, seen.model_id, seen.audience_market, *days))])
    support = found.support(seen.key_hash, seen.own_place, start, end)
    posts = post_authors(session, [found.posts[i].id for i in support.posts])
    known = {kol.author_id: kol for kol in kols(session, sorted({p.author_id for p in posts}))}
    first: dict[int, Any] = {}
    posts_of: dict[int, int] = {}
    for post in posts:
        first.setdefault(post.person_id, post)
        posts_of[post.person_id] = posts_of.get(post.person_id, 0) + 1
    lines = [(post, known[post.author_id]) for post in first.values() if post.author_id in known]
    if order == "reach":
        lines.sort(key=lambda line: -(line[1].follower_count or 0))
    others = len(first) - 1
    items = []
    for rank, (post, kol) in enumerate(lines[:limit], start=1):
        later = sum(other.published_at > post.published_at for other in first.values())
        share = later / others if others else None
        times = f"{posts_of[post.person_id]} post{'s' if posts_of[post.person_id] > 1 else ''} of it"
        came = f"came before {later} of {others} others" if others else "alone"
        items.append(
            {
                "rank": rank, "author": author(kol), "first_post_at": post.published_at,
                "posts": posts_of[post.person_id], "earlier_than": None if share is None else round(share, 4),
                "sentence": f"{came}, {times}",
            }
        )  # fmt: skip
    return {
        "items": items, "next": None, "trend": trend_id(seen.episode_id), "order": order, "persons": len(first),
        "window": {"start": start, "end": end}, "simulated": world_of(session) == "simulated",
    }  # fmt: skip

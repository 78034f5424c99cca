"""KOLs behind a trend since it came on: by who came first, whose posts earned most, or who is followed most."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.ids import episode_number, trend_id
from radar.answers.partners import author
from radar.answers.working import best_moment
from radar.errors import CallerError
from radar.markets import MARKETS, local_day
from radar.match import kols
from radar.store.engine import world_of
from radar.store.posts import day_posts, evidence
from radar.support import PostsOfDay, WindowPosts

ORDERS = ("early", "engagement", "reach")
MOST = 100
LONGEST = timedelta(days=14)
"""How far back from its best moment a trend's posts are read here."""
Row = Mapping[str, Any]


def trend_authors(
    session: Session,
    episode_id: str,
    as_of: datetime | None = None,
    window: str | None = None,
    *,
    order: str = "early",
    limit: int | None = 10,
) -> dict[str, Any]:
    """A line a person who used the trend's key from its first window to its best moment.

    limit  None: all of them

    A person is shown by the account that posted first; other parameters as of `trend_posts`. Raises UnknownName and
    CallerError.
    """
    if (limit is not None and not 1 <= limit <= MOST) or order not in ORDERS:
        said = f"limit: {limit} is not from 1 to {MOST}" if order in ORDERS else f"order: '{order[:40]}' is none"
        raise CallerError(f"{said}.", f"Orders: {', '.join(ORDERS)}.")
    chosen = best_moment(session, episode_number(episode_id), as_of, window, asked=episode_id)
    seen, zone = chosen.best, MARKETS[chosen.best.audience_market].tz
    end = datetime.fromisoformat(seen.working["at"])
    first = min(datetime.fromisoformat(s.working["window_start"]) for s in (*chosen.history, seen))
    start = max(first, end - LONGEST)
    days = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
    found = WindowPosts([PostsOfDay.of(day_posts(session, seen.model_id, seen.audience_market, *days))])
    support = found.support(seen.key_hash, seen.own_place, start, end)
    rows = evidence(session, found.ids[support.posts].tolist())
    lines = _lines(rows)
    lines.sort(key=_SORTS[order])
    known = {kol.author_id: author(kol) for kol in kols(session, [int(line["author"]["id"]) for line in lines[:limit]])}
    items = [
        {"rank": rank} | line | {"author": known.get(int(line["author"]["id"]), line["author"])}
        for rank, line in enumerate(lines[:limit], start=1)
    ]
    return {
        "items": items, "next": None, "trend": trend_id(seen.episode_id), "order": order, "persons": len(lines),
        "platforms": _by_platform(rows),
        "window": {"start": start, "end": end}, "simulated": world_of(session) == "simulated",
    }  # fmt: skip


def _by_platform(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Persons and posts on each platform, most posts first; who is on two counts on both."""
    persons: dict[str, list[int]] = {}
    for row in rows:
        persons.setdefault(row["platform"], []).append(row["person_id"])
    ordered = sorted(persons.items(), key=lambda one: (-len(one[1]), one[0]))
    return [{"platform": name, "persons": len(set(who)), "posts": len(who)} for name, who in ordered]


_SORTS: Mapping[str, Any] = {
    "early": lambda line: line["first_post_at"],
    "engagement": lambda line: line["engagement_rank"] or math.inf,
    "reach": lambda line: -(line["author"]["follower_count"] or 0),
}


def _lines(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One line a person, by their first post."""
    by_person: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["published_at"], row["id"])):
        by_person.setdefault(row["person_id"], []).append(row)
    earned = {person: _engagement(posts) for person, posts in by_person.items()}
    total = sum(n for n in earned.values() if n is not None)
    most = sorted((person for person, n in earned.items() if n), key=lambda person: (-(earned[person] or 0), person))
    ranks = {person: rank for rank, person in enumerate(most, start=1)}
    firsts = [posts[0]["published_at"] for posts in by_person.values()]
    return [
        _line(posts, firsts)
        | {
            "engagement": earned[person],
            "share": round(known / total, 3) if total and (known := earned[person]) is not None else None,
            "engagement_rank": ranks.get(person),
        }
        for person, posts in by_person.items()
    ]


def _line(posts: Sequence[Row], firsts: Sequence[datetime]) -> dict[str, Any]:
    first, others = posts[0], len(firsts) - 1
    later = sum(at > first["published_at"] for at in firsts)
    came = f"came before {later} of {others} others" if others else "alone"
    return {
        "author": _account(first), "first_post_at": first["published_at"],
        "first_post_url": first["url"], "posts": len(posts),
        "sponsored": sum(bool(post["sponsored"]) for post in posts),
        "earlier_than": round(later / others, 4) if others else None,
        "sentence": f"{came}, {len(posts)} post{'s' if len(posts) > 1 else ''} of it",
    }  # fmt: skip


def _account(row: Row) -> dict[str, Any]:
    """An account that is not measured yet, as answers name it."""
    return {
        "id": str(row["author_id"]), "person_id": str(row["person_id"]), "platform": row["platform"],
        "handle": row["handle"], "name": row["name"], "url": None, "follower_count": row["follower_count"],
        "tier": None,
        "market": {
            "code": row["audience_market"], "source": row["market_source"], "confidence": row["market_confidence"],
            "reasons": row["market_reasons"],
        },
    }  # fmt: skip


def _engagement(posts: Sequence[Row]) -> int | None:
    known = [
        n for post in posts for n in (post["like_count"], post["comment_count"], post["share_count"]) if n is not None
    ]  # fmt: skip
    return sum(known) if known else None

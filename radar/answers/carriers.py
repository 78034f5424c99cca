"""Who carried a trend, and who came first: the KOLs behind it since it came on."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.ids import episode_number
from radar.answers.working import best_moment
from radar.markets import MARKETS, local_day
from radar.store.engine import world_of
from radar.store.posts import day_posts, evidence
from radar.support import PostsOfDay, WindowPosts

LONGEST = timedelta(days=14)
"""How far back from its best moment a trend's posts are read here."""
SHOWN = 100


def trend_carriers(
    session: Session, episode_id: str, as_of: datetime | None = None, window: str | None = None
) -> dict[str, Any]:
    """KOLs who used a trend's key from its first window to its best moment, by their first post.

    Raises UnknownName.
    """
    chosen = best_moment(session, episode_number(episode_id), as_of, window, asked=episode_id)
    seen, zone = chosen.best, MARKETS[chosen.best.audience_market].tz
    end = datetime.fromisoformat(seen.working["at"])
    first = min(datetime.fromisoformat(s.working["window_start"]) for s in (*chosen.history, seen))
    start = max(first, end - LONGEST)
    days = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
    found = WindowPosts([PostsOfDay(day_posts(session, seen.model_id, seen.audience_market, *days))])
    support = found.support(seen.key_hash, seen.own_place, start, end)
    rows = evidence(session, [found.posts[i].id for i in support.posts])
    people = _by_person(rows)
    engaging = sorted((p for p in people if p["engagement"]), key=lambda p: (-p["engagement"], p["person_id"]))
    return {
        "items": people[:SHOWN],
        "next": None,
        "total": len(people),
        "most_engaging": [p["person_id"] for p in engaging[:10]],
        "platforms": _by_platform(rows),
        "window": {"start": start, "end": end},
        "simulated": world_of(session) == "simulated",
    }


def _by_platform(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Persons and posts on each platform, most posts first; who is on two counts on both."""
    persons: dict[str, list[int]] = {}
    for row in rows:
        persons.setdefault(row["platform"], []).append(row["person_id"])
    told = [{"platform": name, "persons": len(set(who)), "posts": len(who)} for name, who in persons.items()]
    return sorted(told, key=lambda one: (-len(persons[str(one["platform"])]), str(one["platform"])))


def _by_person(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line a person, by their first post."""
    by_person: dict[int, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["published_at"], row["id"])):
        by_person.setdefault(row["person_id"], []).append(row)
    earned = {person: _engagement(posts) for person, posts in by_person.items()}
    total = sum(n for n in earned.values() if n is not None)
    return [
        {
            "person_id": str(person),
            "name": posts[0]["name"],
            "handle": posts[0]["handle"],
            "platform": posts[0]["platform"],
            "url": posts[0]["url"],
            "follower_count": posts[0]["follower_count"],
            "first_at": posts[0]["published_at"],
            "posts": len(posts),
            "engagement": earned[person],
            "share": round(known / total, 3) if total and (known := earned[person]) is not None else None,
            "sponsored": sum(bool(post["sponsored"]) for post in posts),
        }
        for person, posts in by_person.items()
    ]


def _engagement(posts: Sequence[Mapping[str, Any]]) -> int | None:
    known = [
        n for post in posts for n in (post["like_count"], post["comment_count"], post["share_count"]) if n is not None
    ]  # fmt: skip
    return sum(known) if known else None

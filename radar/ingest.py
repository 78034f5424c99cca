"""Taking posts in: an upsert by (platform, native id) that marks every day it changes dirty, in one transaction."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from radar.markets import MARKETS, local_day
from radar.sources.base import RawPost, problem
from radar.store import posts as store
from radar.store.posts import COUNTS, KnownPost


@dataclass(slots=True)
class Ingested:
    """What became of a batch. rejected holds (position in the batch, reason)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def __iadd__(self, other: "Ingested") -> "Ingested":
        self.new += other.new
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.deleted += other.deleted
        self.rejected += other.rejected
        return self


def ingest_posts(session: Session, posts: Iterable[RawPost], *, source: str, now: datetime) -> Ingested:
    """Store posts in the session's transaction; the caller commits.

    Safe to run twice: the same posts again change nothing. Of a post given twice in a batch the later one counts.
    A post that cannot be taken is rejected with its reason and never stops the others.
    """
    result = Ingested()
    by_platform: dict[str, dict[str, RawPost]] = defaultdict(dict)
    for position, item in enumerate(posts):
        reason = problem(item, now)
        if reason is not None:
            result.rejected.append((position, reason))
        elif item.native_id in by_platform[item.platform]:
            by_platform[item.platform][item.native_id] = item
            result.unchanged += 1
        else:
            by_platform[item.platform][item.native_id] = item
    for platform, items in by_platform.items():
        _ingest_platform(session, platform, items, source, now, result)
    return result


def _ingest_platform(
    session: Session, platform: str, items: dict[str, RawPost], source: str, now: datetime, result: Ingested
) -> None:
    known = store.known_posts(session, platform, list(items))
    authors = _author_ids(session, platform, items.values(), now)
    new: list[dict[str, Any]] = []
    edited: list[dict[str, Any]] = []
    recounted: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    dirty: set[tuple[str, date]] = set()
    for native_id, item in items.items():
        before = known.get(native_id)
        author_id, market = authors[item.author.native_id]
        if before is None:
            if item.deleted:
                result.unchanged += 1
                continue
            row = _new_row(item, author_id, market, source, now)
            new.append(row)
            dirty.add((market, row["local_day"]))
            result.new += 1
        elif item.deleted:
            if before.deleted_at is None:
                gone.append({"post_id": before.id, "deleted_at": now, "revision": before.revision + 1})
                dirty.add((before.audience_market, before.local_day))
                result.deleted += 1
            else:
                result.unchanged += 1
        else:
            text = _clean(item.text)
            is_edited = before.deleted_at is not None or (
                (before.text is not None and text != before.text)
                or item.repost_of != before.repost_of
                or item.sponsored != before.platform_sponsored
                or item.published_at != before.published_at
            )
            has_new_counts = any(getattr(item, name) != getattr(before, name) for name in COUNTS)
            if is_edited:
                row = _edit_row(item, before, text, now)
                edited.append(row)
                dirty |= {(before.audience_market, before.local_day), (before.audience_market, row["local_day"])}
            elif has_new_counts:
                dirty.add((before.audience_market, before.local_day))
            if has_new_counts:
                recounted.append({"post_id": before.id} | {name: getattr(item, name) for name in COUNTS})
            if is_edited or has_new_counts:
                result.changed += 1
            else:
                result.unchanged += 1
    store.add_posts(session, new)
    store.change_posts(session, edited)
    store.change_posts(session, recounted)
    store.change_posts(session, gone)
    store.forget_signals(session, [row["post_id"] for row in gone + edited])
    _observe(session, platform, items, new, recounted, now)
    store.mark_dirty(session, dirty)


def _observe(
    session: Session,
    platform: str,
    items: dict[str, RawPost],
    new: list[dict[str, Any]],
    recounted: list[dict[str, Any]],
    now: datetime,
) -> None:
    """Append what the counts were seen to be; hidden counts leave no observation."""
    counted = [row["native_id"] for row in new if any(row[name] is not None for name in COUNTS)]
    ids = store.known_posts(session, platform, counted) if counted else {}
    rows = [
        {"post_id": ids[n].id, "observed_at": now} | {name: getattr(items[n], name) for name in COUNTS} for n in counted
    ]
    store.add_engagement(session, rows + [row | {"observed_at": now} for row in recounted])


def _author_ids(session: Session, platform: str, items: Iterable[RawPost], now: datetime) -> dict[str, tuple[int, str]]:
    """(author id, audience market) by the author's native id; new authors are added, a stored market stands."""
    items = list(items)
    given = {item.author.native_id: item.author for item in items}
    first: dict[str, datetime] = {}
    for item in items:
        if not item.deleted:
            first[item.author.native_id] = min(item.published_at, first.get(item.author.native_id, item.published_at))
    known = store.known_authors(session, platform, list(given))
    new = [a for native_id, a in given.items() if native_id not in known]
    if new:
        rows = [
            {
                "platform": platform, "native_id": a.native_id, "handle": a.handle, "name": a.name, "url": a.url,
                "bio": a.bio, "audience_market": a.audience_market, "market_source": a.market_source,
                "market_confidence": 1.0, "languages": a.languages, "follower_count": None, "first_seen_at": now,
                "first_post_at": first.get(a.native_id, now),
            }
            for a in new
        ]  # fmt: skip
        store.add_authors(session, rows, [a.person for a in new])
        known |= store.known_authors(session, platform, [a.native_id for a in new])
    followers = [
        {
            "author_id": known[n].id,
            "observed_on": local_day(now, MARKETS[known[n].audience_market].tz),
            "follower_count": a.follower_count,
        }
        for n, a in given.items()
        if a.follower_count is not None and a.follower_count != known[n].follower_count
    ]
    store.set_followers(session, followers)
    older = [(known[n].id, at) for n, at in first.items() if at < known[n].first_post_at]
    store.set_first_posts(session, [{"author_id": i, "first_post_at": at} for i, at in older])
    return {n: (k.id, k.audience_market) for n, k in known.items()}


def _clean(text: str) -> str:
    """What a database can hold: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()


def _new_row(item: RawPost, author_id: int, market: str, source: str, now: datetime) -> dict[str, Any]:
    return {
        "platform": item.platform, "native_id": item.native_id, "source": source, "author_id": author_id,
        "audience_market": market, "local_day": local_day(item.published_at, MARKETS[market].tz),
        "published_at": item.published_at, "day_only": item.day_only, "text": _clean(item.text),
        "language": item.language, "url": item.url, "media_kind": item.media_kind, "repost_of": item.repost_of,
        "platform_sponsored": item.sponsored, "like_count": item.like_count, "comment_count": item.comment_count,
        "share_count": item.share_count, "view_count": item.view_count, "fetched_at": now,
        "edited_at": item.edited_at, "deleted_at": None, "revision": 1, "classified_at": None,
    }  # fmt: skip


def _edit_row(item: RawPost, before: KnownPost, text: str, now: datetime) -> dict[str, Any]:
    return {
        "post_id": before.id,
        "text": text,
        "repost_of": item.repost_of,
        "platform_sponsored": item.sponsored,
        "published_at": item.published_at,
        "local_day": local_day(item.published_at, MARKETS[before.audience_market].tz),
        "edited_at": item.edited_at or now,
        "fetched_at": now,
        "deleted_at": None,
        "revision": before.revision + 1,
        "classified_at": None,
    }

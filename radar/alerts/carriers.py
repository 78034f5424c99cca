"""Whether a trend is on a watch list: by its key, or by the KOLs who carry it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from radar.alerts.rules import members_of
from radar.markets import MARKETS, local_day
from radar.store import authors, watched_keys
from radar.store.answers import Seen
from radar.store.posts import day_posts
from radar.store.watched_keys import WatchedKey
from radar.support import PostsOfDay, WindowPosts


class ListHits(NamedTuple):
    """Why a trend is on a list: its key is, or so many of the list's KOLs carry it."""

    by_key: bool
    kols: int


class Watched:
    """The named lists that rules wait for, read once a run."""

    def __init__(self, session: Session, names: Iterable[str | None]) -> None:
        wanted = {name for name in names if name}
        lists = {one.name: one.id for one in authors.lists(session) if one.name in wanted} if wanted else {}
        self._keys: dict[str, list[WatchedKey]] = {name: watched_keys.keys_on(session, i) for name, i in lists.items()}
        self._persons = {name: watched_keys.persons_on(session, i) for name, i in lists.items()}
        self._posts: tuple[tuple[object, ...], WindowPosts] | None = None

    def hits(self, session: Session, name: str, seen: Seen) -> ListHits | None:
        """What speaks for a trend being on a list; None where nothing does, or the list is gone."""
        by_key = any(_is_watched(key, seen) for key in self._keys.get(name, ()))
        kols = self._kols(session, self._persons.get(name, set()), seen)
        return ListHits(by_key, kols) if by_key or kols else None

    def _kols(self, session: Session, persons: set[int], seen: Seen) -> int:
        if not persons:
            return 0
        zone = MARKETS[seen.audience_market].tz
        start, end = (datetime.fromisoformat(seen.working[name]) for name in ("window_start", "at"))
        days = local_day(start, zone), local_day(end - timedelta(microseconds=1), zone)
        asked = (seen.model_id, seen.audience_market, *days)
        if self._posts is None or self._posts[0] != asked:
            posts = PostsOfDay.of(day_posts(session, seen.model_id, seen.audience_market, *days))
            self._posts = asked, WindowPosts([posts])
        found = self._posts[1].support(seen.key_hash, seen.own_place, start, end)
        return len(persons.intersection(found.persons.tolist()))


def _is_watched(watched: WatchedKey, seen: Seen) -> bool:
    if watched.audience_market not in ("", seen.audience_market):
        return False
    if watched.place and watched.place != seen.place:
        return False
    return any(key == watched.key_hash for key, _ in members_of(seen))

"""Who stands behind a number: the distinct persons and posts of a key in a window."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from radar.count import engagement_of
from radar.keys import Kind, kinds_of
from radar.markets import PLACE_NUMBERS
from radar.store.posts import DayPost, HeardPost, key_array

TIERS = (("mega", 1_000_000), ("macro", 500_000), ("mid", 50_000), ("micro", 10_000), ("nano", 1_000))
"""Followers from which an account is of a tier; below the last it is "below", and "unknown" where they are hidden."""


def tier(follower_count: int | None) -> str:
    """The size class of an account.

    >>> tier(12_000), tier(None)
    ('micro', 'unknown')
    """
    if follower_count is None:
        return "unknown"
    return next((name for name, least in TIERS if follower_count >= least), "below")


def complaints(tones: npt.NDArray[np.float64]) -> dict[str, int] | None:
    """How many posts blame, of those whose tone was read (NaN where it was not); None where none was."""
    told = tones[~np.isnan(tones)]
    return {"negative": int((told < 0).sum()), "posts": len(told)} if len(told) else None


@dataclass(frozen=True, slots=True)
class Support:
    """Distinct persons (sorted ids; of `radar.crowds` numbers) and posts (indices, by time) of a key in a window."""

    persons: npt.NDArray[np.int64]
    posts: npt.NDArray[np.int64]


class PostsOfDay:
    """A market's posts of one local day as columns; `keys` are those of all posts, `key_count` says how many each has.

    engagement, tone  NaN where they are not known;     first_at  0 where it is not known
    topics, countries  of each post: keys of its topics, numbers of the place markets that it is about
    """

    def __init__(self, posts: Sequence[DayPost] | Sequence[HeardPost]) -> None:
        self.ids = np.array([p.id for p in posts], np.int64)
        self.keys = key_array(b"".join([p.keys for p in posts]))
        self.key_count = np.array([len(p.keys) for p in posts], np.int64) // self.keys.itemsize
        self.person = np.array([p.person_id for p in posts], np.int64)
        self.first_at = np.array([p.first_post_at.timestamp() if p.first_post_at else 0.0 for p in posts], float)
        self.at = np.array([p.published_at.timestamp() for p in posts], float)
        self.day_only = np.array([p.day_only for p in posts], bool)
        self.engagement = np.array([engagement_of(p) for p in posts], float)
        self.sponsored = np.array([p.sponsored for p in posts], bool)
        self.tone = np.array([p.tone for p in posts], float)
        self.platforms = [p.platform for p in posts]
        self.tiers = [tier(p.follower_count) for p in posts]
        self.countries = [
            frozenset(PLACE_NUMBERS[c] for c in p.places.split() if c in PLACE_NUMBERS) if p.places else _NOWHERE
            for p in posts
        ]
        self.topics: list[tuple[int, ...]] = [()] * len(posts)
        which = np.flatnonzero(kinds_of(self.keys) == Kind.TOPIC)
        of_topics = self.post[which].tolist()
        for post, key in zip(of_topics, self.keys[which].tolist(), strict=True):
            self.topics[post] += (key,)

    @property
    def post(self) -> npt.NDArray[np.int64]:
        """Whose each key is."""
        return np.repeat(np.arange(len(self.ids)), self.key_count)


_NOWHERE: frozenset[int] = frozenset()


class WindowPosts:
    """Posts of some neighbouring days of a market, looked up by key; for many keys at once: `radar.crowds`."""

    def __init__(self, days: Sequence[PostsOfDay]) -> None:
        starts = np.cumsum([0, *(len(day.ids) for day in days)])
        keys = np.concatenate([np.zeros(0, np.int64), *(day.keys for day in days)])
        post = [day.post + first for day, first in zip(days, starts.tolist(), strict=False)]
        order = np.argsort(keys, kind="stable")
        self._keys, self._post = keys[order], np.concatenate([np.zeros(0, np.int64), *post])[order]
        self.ids = np.concatenate([np.zeros(0, np.int64), *(day.ids for day in days)])
        self._person = np.concatenate([np.zeros(0, np.int64), *(day.person for day in days)])
        self._at = np.concatenate([np.zeros(0), *(day.at for day in days)])
        self._countries = [countries for day in days for countries in day.countries]

    def support(self, key: int, place: int, start: datetime, end: datetime) -> Support:
        """Posts in [start, end) that hold the key, about the place market (0 = any)."""
        low, high = np.searchsorted(self._keys, [key, key + 1])
        found = self._post[low:high]
        at = self._at[found]
        found = found[(at >= start.timestamp()) & (at < end.timestamp())]
        if place:
            found = np.array([i for i in found if place in self._countries[i]], np.int64)
        return Support(np.unique(self._person[found]), found)

"""Who stands behind a number: the distinct persons and posts of a key in a window."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain, count, starmap

import numpy as np
import numpy.typing as npt

from radar.keys import Kind, kinds_of
from radar.markets import PLACE_NUMBERS
from radar.store.posts import DayPost, HeardPosts, key_array

TIERS = (("mega", 1_000_000), ("macro", 500_000), ("mid", 50_000), ("micro", 10_000), ("nano", 1_000))
"""Followers from which an account is of a tier; below the last it is "below", and "unknown" where they are hidden."""
TIER_NAMES = sorted([*(name for name, _ in TIERS), "below", "unknown"])

_LEAST = np.array([least for _, least in reversed(TIERS)], float)
_CODES = np.array([TIER_NAMES.index(name) for name in ("below", *(name for name, _ in reversed(TIERS)))])


def tiers(follower_counts: Sequence[int | None]) -> npt.NDArray[np.int64]:
    """The size class of each account, by its place in TIER_NAMES.

    >>> [TIER_NAMES[n] for n in tiers([12_000, 10_000, 3, None])]
    ['micro', 'micro', 'below', 'unknown']
    """
    followers = np.array(follower_counts, float)
    found = _CODES[np.searchsorted(_LEAST, followers, side="right")]
    found[np.isnan(followers)] = TIER_NAMES.index("unknown")
    return found


def engagement_of(*counts: int | None) -> int | None:
    """Likes, comments and shares together as far as they are shown; None when all are hidden."""
    shown = [n for n in counts if n is not None]
    return sum(shown) if shown else None


@dataclass(frozen=True, slots=True)
class Support:
    """Distinct persons (sorted ids) and posts (indices, by time) of a key in a window."""

    persons: npt.NDArray[np.int64]
    posts: npt.NDArray[np.int64]


class PostsOfDay:
    """A market's posts of one local day as columns; `keys` are those of all posts, `key_count` says how many each has.

    engagement, tone  NaN where they are not known;     first_at  0 where it is not known
    tier, platform  by TIER_NAMES and by a number of its own
    topics, places  keys of topics and numbers of the place markets of all posts; their counts say how many each has
    """

    def __init__(self, posts: HeardPosts) -> None:
        n = len(posts.id)
        self.ids = np.array(posts.id, np.int64)
        self.keys = key_array(b"".join(posts.keys))
        self.key_count = np.fromiter(map(len, posts.keys), np.int64, n) // self.keys.itemsize
        self.person = np.array(posts.person_id, np.int64)
        self.first_at = np.array([at.timestamp() if at else 0.0 for at in posts.first_post_at], float)
        self.at = np.array([at.timestamp() for at in posts.published_at], float)
        self.day_only = np.array(posts.day_only, bool)
        shown = zip(posts.like_count, posts.comment_count, posts.share_count, strict=True)
        self.engagement = np.array(list(starmap(engagement_of, shown)), float)
        self.sponsored = np.array(posts.sponsored, bool)
        self.tone = np.array(posts.tone, float)
        self.platform = np.fromiter(map(_platform, posts.platform), np.int64, n)
        self.tier = tiers(posts.follower_count)
        about = list(map(_places, posts.places))
        self.place_count = np.fromiter(map(len, about), np.int64, n)
        self.places = np.array(list(chain.from_iterable(about)), np.int64)
        which = np.flatnonzero(kinds_of(self.keys) == Kind.TOPIC)
        self.topics = self.keys[which]
        self.topic_count = np.bincount(self.post[which], minlength=n)

    @classmethod
    def of(cls, posts: Sequence[DayPost]) -> "PostsOfDay":
        """Those of a list."""
        return cls(HeardPosts._make([getattr(post, name) for post in posts] for name in HeardPosts._fields))

    @property
    def post(self) -> npt.NDArray[np.int64]:
        """Whose each key is."""
        return np.repeat(np.arange(len(self.ids)), self.key_count)

    @property
    def countries(self) -> list[frozenset[int]]:
        """Place markets that each post is about."""
        ends = np.cumsum(self.place_count)
        pairs = zip((ends - self.place_count).tolist(), ends.tolist(), strict=True)
        return [frozenset(self.places[start:end].tolist()) for start, end in pairs]


def _platform(name: str) -> int:
    return _numbers[name]


_numbers: defaultdict[str, int] = defaultdict(count().__next__)


@lru_cache(65_536)
def _places(codes: str) -> tuple[int, ...]:
    """Numbers of place markets, of what a post is said to be about."""
    return tuple({PLACE_NUMBERS[code] for code in codes.split() if code in PLACE_NUMBERS})


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

"""Who stands behind a number: the distinct persons, posts and examples of a key in a window."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from radar.count import engagement_of
from radar.keys import Kind, kinds_of
from radar.markets import PLACE_NUMBERS
from radar.store.posts import DayPost, key_array

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Support:
    """Distinct persons (sorted ids) and posts (indices into WindowPosts.posts, by time) of a key in a window."""

    persons: npt.NDArray[np.int64]
    posts: npt.NDArray[np.int64]


class PostsOfDay:
    """A market's posts of one local day as arrays, with their keys sorted for look-up."""

    def __init__(self, posts: Sequence[DayPost]) -> None:
        self.posts = posts
        arrays = [key_array(p.keys) for p in posts]
        keys = np.concatenate(arrays) if arrays else np.zeros(0, np.int64)
        post = np.repeat(np.arange(len(posts)), [len(a) for a in arrays])
        order = np.argsort(keys, kind="stable")
        self.keys, self.post = keys[order], post[order]
        self.person = np.array([p.person_id for p in posts], np.int64)
        self.at = np.array([p.published_at.timestamp() for p in posts])
        self.engagement = np.array([np.nan if (e := engagement_of(p)) is None else e for p in posts], float)
        self.countries = [
            frozenset(PLACE_NUMBERS[c] for c in p.places.split() if c in PLACE_NUMBERS) if p.places else _NOWHERE
            for p in posts
        ]


_NOWHERE: frozenset[int] = frozenset()


class WindowPosts:
    """Posts of some neighbouring days of a market, looked up by key."""

    def __init__(self, days: Sequence[PostsOfDay]) -> None:
        self._days = days
        self._starts = np.cumsum([0, *(len(day.posts) for day in days)])
        self.posts = [post for day in days for post in day.posts]
        self._person = np.concatenate([np.zeros(0, np.int64), *(day.person for day in days)])
        self._at = np.concatenate([np.zeros(0), *(day.at for day in days)])
        self._engagement = np.concatenate([np.zeros(0), *(day.engagement for day in days)])
        self._countries = [countries for day in days for countries in day.countries]
        known = self._engagement[~np.isnan(self._engagement)]
        self._usual = float(np.median(known)) if len(known) else 0.0

    def support(self, key: int, place: int, start: datetime, end: datetime) -> Support:
        """Posts in [start, end) that hold the key, about the place market (0 = any)."""
        hits = [np.zeros(0, np.int64)]
        for first, day in zip(self._starts, self._days, strict=False):
            low, high = np.searchsorted(day.keys, [key, key + 1])
            if high > low:
                hits.append(np.sort(day.post[low:high]) + first)
        found = np.concatenate(hits)
        at = self._at[found]
        found = found[(at >= start.timestamp()) & (at < end.timestamp())]
        if place:
            found = np.array([i for i in found if place in self._countries[i]], np.int64)
        return Support(np.unique(self._person[found]), found)

    def place_of(self, support: Support) -> int:
        """The place market that at least half of the posts are about; 0 when there is none."""
        votes: dict[int, int] = {}
        for i in support.posts:
            for number in self._countries[i]:
                votes[number] = votes.get(number, 0) + 1
        best = max(votes.items(), key=lambda v: (v[1], -v[0]), default=(0, 0))
        return best[0] if best[1] * 2 >= len(support.posts) > 0 else 0

    def topic_of(self, support: Support, names: dict[int, str]) -> str | None:
        """The plurality of the posts' topics; None where most have none."""
        votes: dict[str, int] = {}
        untold = 0
        for i in support.posts:
            keys = key_array(self.posts[i].keys)
            topics = [names[k] for k in keys[kinds_of(keys) == Kind.TOPIC].tolist() if k in names]
            untold += not topics
            for topic_id in topics:
                votes[topic_id] = votes.get(topic_id, 0) + 1
        best = max(votes.items(), key=lambda v: (v[1], v[0]), default=("", 0))
        return best[0] if best[1] > untold / 2 else None

    def engagement_factor(self, support: Support) -> float:
        """1 + min(2, log1p(median engagement of the posts / the market's median)); 1 where unknown (design.md 7)."""
        known = self._engagement[support.posts]
        known = known[~np.isnan(known)]
        if not len(known) or self._usual <= 0:
            return 1.0
        return 1.0 + min(2.0, float(np.log1p(np.median(known) / self._usual)))

    def examples(self, support: Support) -> list[int]:
        """Ids of up to five posts: most engaging first, each by another person in other words."""
        by_weight = sorted(support.posts, key=lambda i: (-np.nan_to_num(self._engagement[i], nan=-1.0), i))
        persons: set[int] = set()
        said: set[int] = set()
        chosen: list[int] = []
        for i in by_weight:
            item = self.posts[i]
            if item.person_id not in persons and item.text_hash not in said and len(chosen) < EXAMPLES:
                persons.add(item.person_id)
                said.add(item.text_hash)
                chosen.append(item.id)
        return chosen

    def described(self, support: Support) -> dict[str, Any]:
        """The counts that a trend shows of its window."""
        posts = [self.posts[i] for i in support.posts]
        return {
            "persons": len(support.persons),
            "posts": len(posts),
            "platforms": len({p.platform for p in posts}),
            "sponsored_share": round(sum(p.sponsored for p in posts) / len(posts), 3) if posts else None,
            "evidence": self.examples(support),
        }

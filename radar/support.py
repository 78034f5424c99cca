"""Who stands behind a number: the distinct persons, posts and examples of a key in a window."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from radar.count import engagement_of
from radar.keys import Kind, kinds_of
from radar.markets import PLACE_NUMBERS
from radar.store.posts import DayPost, key_array
from radar.trends.diversity import MOST_PERSONS, Sign, signs

EXAMPLES = 5
NEW = timedelta(days=14)
"""An account is new to us for this long after its first post that we were given."""

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


def complaints(posts: Sequence[DayPost]) -> dict[str, int] | None:
    """How many posts blame, of those whose tone was read; None where none was."""
    told = [post.tone for post in posts if post.tone is not None]
    return {"negative": sum(tone < 0 for tone in told), "posts": len(told)} if told else None


@dataclass(frozen=True, slots=True)
class Support:
    """Distinct persons (sorted ids) and posts (indices into WindowPosts.posts, by time) of a key in a window."""

    persons: npt.NDArray[np.int64]
    posts: npt.NDArray[np.int64]


class PostsOfDay:
    """A market's posts of one local day as arrays; `keys` are those of all posts, `post` says whose each is."""

    def __init__(self, posts: Sequence[DayPost]) -> None:
        self.posts = posts
        arrays = [key_array(p.keys) for p in posts]
        self.keys_of = arrays
        self.keys = np.concatenate([np.zeros(0, np.int64), *arrays])
        self.post = np.repeat(np.arange(len(posts)), [len(a) for a in arrays])
        self.person = np.array([p.person_id for p in posts], np.int64)
        self.first_at = np.array([p.first_post_at.timestamp() if p.first_post_at else 0.0 for p in posts], float)
        self.at = np.array([p.published_at.timestamp() for p in posts])
        self.engagement = np.array([np.nan if (e := engagement_of(p)) is None else e for p in posts], float)
        self.countries = [
            frozenset(PLACE_NUMBERS[c] for c in p.places.split() if c in PLACE_NUMBERS) if p.places else _NOWHERE
            for p in posts
        ]


def _median(values: npt.NDArray[np.float64]) -> float:
    """As numpy's, whose care for all cases takes ten times as long for a few numbers."""
    ranked = np.sort(values)
    return float((ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2)


def _alike(keys: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> bool:
    """Whether two posts say nearly the same: three quarters of their keys."""
    both = len(np.intersect1d(keys, others, assume_unique=True))
    return both >= 0.75 * (len(keys) + len(others) - both)


_NOWHERE: frozenset[int] = frozenset()


class WindowPosts:
    """Posts of some neighbouring days of a market, looked up by key."""

    def __init__(self, days: Sequence[PostsOfDay]) -> None:
        starts = np.cumsum([0, *(len(day.posts) for day in days)])
        keys = np.concatenate([np.zeros(0, np.int64), *(day.keys for day in days)])
        post = [day.post + first for day, first in zip(days, starts.tolist(), strict=False)]
        order = np.argsort(keys, kind="stable")
        self._keys, self._post = keys[order], np.concatenate([np.zeros(0, np.int64), *post])[order]
        self.posts = [post for day in days for post in day.posts]
        self._person = np.concatenate([np.zeros(0, np.int64), *(day.person for day in days)])
        self._at = np.concatenate([np.zeros(0), *(day.at for day in days)])
        self._engagement = np.concatenate([np.zeros(0), *(day.engagement for day in days)])
        self._first_at = np.concatenate([np.zeros(0), *(day.first_at for day in days)])
        self._by_person: npt.NDArray[np.int64] | None = None
        self._heard: dict[tuple[datetime, datetime], tuple[int, float]] = {}
        self._countries = [countries for day in days for countries in day.countries]
        self._keys_of = [keys for day in days for keys in day.keys_of]
        self._topics_of: dict[int, list[int]] = {}
        known = self._engagement[~np.isnan(self._engagement)]
        self._usual = _median(known) if len(known) else 0.0

    def support(self, key: int, place: int, start: datetime, end: datetime) -> Support:
        """Posts in [start, end) that hold the key, about the place market (0 = any)."""
        low, high = np.searchsorted(self._keys, [key, key + 1])
        found = self._post[low:high]
        at = self._at[found]
        found = found[(at >= start.timestamp()) & (at < end.timestamp())]
        if place:
            found = np.array([i for i in found if place in self._countries[i]], np.int64)
        return Support(np.unique(self._person[found]), found)

    def persons_of(self, posts: Sequence[int]) -> int:
        """Distinct persons who wrote these posts, by index."""
        return len(np.unique(self._person[list(posts)]))

    def place_of(self, support: Support) -> int:
        """The place market that at least half of the posts are about; 0 when there is none."""
        votes: dict[int, int] = {}
        for i in support.posts:
            for number in self._countries[i]:
                votes[number] = votes.get(number, 0) + 1
        best = max(votes.items(), key=lambda v: (v[1], -v[0]), default=(0, 0))
        return best[0] if best[1] * 2 >= len(support.posts) > 0 else 0

    def topic_of(self, support: Support, names: Mapping[int, str]) -> str | None:
        """The plurality of the posts' topics; None where most have none."""
        votes: dict[str, int] = {}
        untold = 0
        for i in support.posts.tolist():
            topics = [names[k] for k in self._topic_keys(i) if k in names]
            untold += not topics
            for topic_id in topics:
                votes[topic_id] = votes.get(topic_id, 0) + 1
        best = max(votes.items(), key=lambda v: (v[1], v[0]), default=("", 0))
        return best[0] if best[1] > untold / 2 else None

    def _topic_keys(self, post: int) -> list[int]:
        """Topics of a post, which is asked for by every trend that it is of."""
        found = self._topics_of.get(post)
        if found is None:
            keys = self._keys_of[post]
            found = self._topics_of[post] = keys[kinds_of(keys) == Kind.TOPIC].tolist()
        return found

    def engagement_factor(self, support: Support) -> float:
        """1 + min(2, log1p(median engagement of the posts / the market's median)); 1 where unknown (design.md 7)."""
        known = self._engagement[support.posts]
        known = known[~np.isnan(known)]
        if not len(known) or self._usual <= 0:
            return 1.0
        return 1.0 + min(2.0, float(np.log1p(_median(known) / self._usual)))

    def examples(self, support: Support) -> list[int]:
        """Ids of up to five posts by different persons, most engaging first; those in other words before copies."""
        known = self._engagement[support.posts]
        weights = np.where(np.isnan(known), -1.0, known)
        by_weight = support.posts[np.lexsort((support.posts, -weights))].tolist()
        persons: set[int] = set()
        said: list[npt.NDArray[np.int64]] = []
        chosen: list[int] = []
        alike: list[int] = []
        for i in by_weight:
            item = self.posts[i]
            keys = self._keys_of[i]
            if item.person_id in persons:
                continue
            persons.add(item.person_id)
            if any(_alike(keys, other) for other in said):
                alike.append(item.id)
                continue
            said.append(keys)
            chosen.append(item.id)
            if len(chosen) == EXAMPLES:
                break
        return (chosen + alike)[:EXAMPLES]

    def described(self, support: Support, start: datetime, end: datetime) -> dict[str, Any]:
        """The counts that a trend shows of its window [start, end), and what makes it narrow."""
        posts = [self.posts[i] for i in support.posts]
        tier_of = {p.person_id: tier(p.follower_count) for p in posts}
        return {
            "persons": len(support.persons),
            "heard": self._heard_in(start, end)[0],
            "posts": len(posts),
            "platforms": len({p.platform for p in posts}),
            "tiers": dict(sorted(Counter(tier_of.values()).items())),
            "sponsored_share": round(sum(p.sponsored for p in posts) / len(posts), 3) if posts else None,
            "complaints": complaints(posts),
            "narrow": [{"reason": s.reason, "share": s.share} for s in self._signs(support, start, end)],
            "evidence": self.examples(support),
        }

    def _heard_in(self, start: datetime, end: datetime) -> tuple[int, float]:
        """Persons of the market who posted in [start, end), and the share of posts by accounts new to us."""
        if (start, end) not in self._heard:
            inside = (self._at >= start.timestamp()) & (self._at < end.timestamp())
            new = self._first_at[inside] > end.timestamp() - NEW.total_seconds()
            self._heard[start, end] = len(np.unique(self._person[inside])), float(new.mean()) if len(new) else 0.0
        return self._heard[start, end]

    def _signs(self, support: Support, start: datetime, end: datetime) -> list[Sign]:
        persons, first = np.unique(self._person[support.posts], return_index=True)
        firsts = support.posts[first]
        mine = set(support.posts.tolist())
        others = []
        for posts in self._posts_of(persons[:MOST_PERSONS]):
            said = [self._keys_of[i] for i in posts if i not in mine]
            others.append(np.concatenate(said) if said else np.zeros(0, np.int64))
        timed = end - start >= timedelta(hours=1) and not any(self.posts[i].day_only for i in firsts)
        return signs(
            [self._keys_of[i] for i in firsts],
            others,
            self._at[firsts] / 60 if timed else None,
            float((self._first_at[firsts] > end.timestamp() - NEW.total_seconds()).mean()) if len(firsts) else 0.0,
            self._heard_in(start, end)[1],
        )

    def _posts_of(self, persons: npt.NDArray[np.int64]) -> list[list[int]]:
        """Indices of all posts of each person, by time."""
        if self._by_person is None:
            self._by_person = np.argsort(self._person, kind="stable")
        low = np.searchsorted(self._person, persons, sorter=self._by_person)
        high = np.searchsorted(self._person, persons, side="right", sorter=self._by_person)
        return [self._by_person[a:b].tolist() for a, b in zip(low.tolist(), high.tolist(), strict=True)]

"""The crowds behind many keys of a window at once: who they are, what they said, and what a trend shows of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.support import PostsOfDay, Support, complaints
from radar.trends.diversity import MOST_PERSONS, Sign, signs
from radar.trends.lookup import I64, Groups, Numbered, occurrences

EXAMPLES = 5
NEW = timedelta(days=14)
"""An account is new to us for this long after its first post that we were given."""

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Crowds:
    """Posts of some neighbouring days of a market, with keys and persons by their numbers among them.

    A person's number is the rank of the id; posts are told by their indices, by time.
    """

    def __init__(self, days: Sequence[PostsOfDay]) -> None:
        self._ids = _joined(days, "ids", np.int64)
        self._at, self._first_at = _joined(days, "at", float), _joined(days, "first_at", float)
        self._engagement, self._tone = _joined(days, "engagement", float), _joined(days, "tone", float)
        self._day_only, self._sponsored = _joined(days, "day_only", bool), _joined(days, "sponsored", bool)
        self._platforms = list(chain.from_iterable(day.platforms for day in days))
        self._tiers = list(chain.from_iterable(day.tiers for day in days))
        self._topics = list(chain.from_iterable(day.topics for day in days))
        self._countries = list(chain.from_iterable(day.countries for day in days))
        persons, self._person = np.unique(_joined(days, "person", np.int64), return_inverse=True)
        self._by_person = occurrences(self._person, len(persons))
        self._key_starts = np.zeros(len(self._ids) + 1, np.int64)
        np.cumsum(_joined(days, "key_count", np.int64), out=self._key_starts[1:])
        self._keys = Numbered.of(_joined(days, "keys", np.int64))
        at_keys = occurrences(self._keys.numbers, len(self._keys.distinct))
        post = np.repeat(np.arange(len(self._ids)), np.diff(self._key_starts))
        self._by_key = at_keys._replace(members=post[at_keys.members])
        self._heard: dict[tuple[datetime, datetime], tuple[int, float]] = {}
        self._words: dict[int, frozenset[int]] = {}
        known = self._engagement[~np.isnan(self._engagement)]
        self._usual = float(np.median(known)) if len(known) else 0.0

    def supports(self, keys: I64, places: npt.NDArray[np.int16], starts: F64, ends: F64) -> list[Support]:
        """Of each key the posts from a start to before an end (seconds) that hold it about a place market (0 = any)."""
        numbers = self._keys.find(keys)
        known, first = numbers[numbers >= 0], self._by_key.starts
        room = int((first[known + 1] - first[known]).sum())
        posts = Groups(np.empty(room, np.int64), np.zeros(len(keys) + 1, np.int64))
        persons = Groups(np.empty(room, np.int64), np.zeros(len(keys) + 1, np.int64))
        last = np.full(len(self._by_person.starts), -1)
        behind(
            numbers, places.astype(np.int64), starts, ends, *self._by_key, self._at, *self._about, self._person,
            last, *posts, *persons,
        )  # fmt: skip
        return [
            Support(persons.members[a:b], posts.members[c:d])
            for a, b, c, d in zip(
                persons.starts.tolist(), persons.starts[1:].tolist(), posts.starts.tolist(), posts.starts[1:].tolist(),
                strict=False,
            )
        ]  # fmt: skip

    @cached_property
    def _about(self) -> Groups:
        """Place markets that each post is about."""
        starts = np.zeros(len(self._countries) + 1, np.int64)
        np.cumsum(list(map(len, self._countries)), out=starts[1:])
        return Groups(np.array(list(chain.from_iterable(self._countries)), np.int64), starts)

    def persons_of(self, posts: I64) -> int:
        """Distinct persons who wrote these posts."""
        return len(set(self._person[posts].tolist()))

    def holding(self, posts: I64) -> Flags:
        """Of each post whether it is one of these."""
        held = np.zeros(len(self._ids), bool)
        held[posts] = True
        return held

    def place_of(self, support: Support) -> int:
        """The place market that at least half of the posts are about; 0 when there is none."""
        votes = Counter(chain.from_iterable(map(self._countries.__getitem__, support.posts.tolist())))
        best = max(votes.items(), key=lambda v: (v[1], -v[0]), default=(0, 0))
        return best[0] if best[1] * 2 >= len(support.posts) > 0 else 0

    def topic_of(self, support: Support, names: Mapping[int, str]) -> str | None:
        """The plurality of the posts' topics; None where most have none."""
        votes: dict[str, int] = {}
        untold = 0
        for topics, times in Counter(map(self._topics.__getitem__, support.posts.tolist())).items():
            told = [names[key] for key in topics if key in names]
            untold += 0 if told else times
            for topic_id in told:
                votes[topic_id] = votes.get(topic_id, 0) + times
        best = max(votes.items(), key=lambda v: (v[1], v[0]), default=("", 0))
        return best[0] if best[1] > untold / 2 else None

    def engagement_factors(self, supports: Sequence[Support]) -> list[float]:
        """1 + min(2, log1p(median engagement of the posts / the market's median)); 1 where unknown (design.md 7)."""
        posts = Groups.of([support.posts for support in supports])
        which = np.repeat(np.arange(len(supports)), np.diff(posts.starts))
        known = self._engagement[posts.members]
        is_known = ~np.isnan(known)
        which, known = which[is_known], known[is_known]
        ranked = known[np.lexsort((known, which))]
        counts = np.bincount(which, minlength=len(supports))
        first = np.cumsum(counts) - counts
        low, high = first + (counts - 1) // 2, first + counts // 2
        factors = []
        for count, a, b in zip(counts.tolist(), low.tolist(), high.tolist(), strict=True):
            if not count or self._usual <= 0:
                factors.append(1.0)
                continue
            median = float((ranked[a] + ranked[b]) / 2)
            factors.append(1.0 + min(2.0, float(np.log1p(median / self._usual))))
        return factors

    def examples(self, support: Support) -> list[int]:
        """Ids of up to five posts by different persons, most engaging first; those in other words before copies."""
        known = self._engagement[support.posts]
        by_weight = support.posts[np.lexsort((support.posts, -np.where(np.isnan(known), -1.0, known)))]
        persons: set[int] = set()
        said: list[frozenset[int]] = []
        chosen: list[int] = []
        alike: list[int] = []
        for i, person in zip(by_weight.tolist(), self._person[by_weight].tolist(), strict=True):
            if person in persons:
                continue
            persons.add(person)
            words = self._words_of(i)
            if any(_alike(words, other) for other in said):
                alike.append(i)
                continue
            said.append(words)
            chosen.append(i)
            if len(chosen) == EXAMPLES:
                break
        return [int(self._ids[i]) for i in (chosen + alike)[:EXAMPLES]]

    def _words_of(self, post: int) -> frozenset[int]:
        """Keys of a post, which is an example of several trends."""
        found = self._words.get(post)
        if found is None:
            low, high = self._key_starts[post : post + 2].tolist()
            found = self._words[post] = frozenset(self._keys.numbers[low:high].tolist())
        return found

    def described(self, support: Support, start: datetime, end: datetime) -> dict[str, Any]:
        """The counts that a trend shows of its window [start, end), and what makes it narrow."""
        posts = support.posts.tolist()
        tier_of = dict(zip(self._person[support.posts].tolist(), map(self._tiers.__getitem__, posts), strict=True))
        return {
            "persons": len(support.persons),
            "heard": self._heard_in(start, end)[0],
            "posts": len(posts),
            "platforms": len(set(map(self._platforms.__getitem__, posts))),
            "tiers": dict(sorted(Counter(tier_of.values()).items())),
            "sponsored_share": round(int(self._sponsored[support.posts].sum()) / len(posts), 3) if posts else None,
            "complaints": complaints(self._tone[support.posts]),
            "narrow": [{"reason": s.reason, "share": s.share} for s in self._signs(support, start, end)],
            "evidence": self.examples(support),
        }

    def _heard_in(self, start: datetime, end: datetime) -> tuple[int, float]:
        """Persons of the market who posted in [start, end), and the share of posts by accounts new to us."""
        if (start, end) not in self._heard:
            inside = (self._at >= start.timestamp()) & (self._at < end.timestamp())
            new = self._first_at[inside] > end.timestamp() - NEW.total_seconds()
            persons = np.bincount(self._person[inside])
            self._heard[start, end] = int((persons > 0).sum()), float(new.mean()) if len(new) else 0.0
        return self._heard[start, end]

    def _signs(self, support: Support, start: datetime, end: datetime) -> list[Sign]:
        persons, first = np.unique(self._person[support.posts], return_index=True)
        firsts = support.posts[first]
        some = persons[:MOST_PERSONS]
        others = Groups(*others_of(some, self.holding(support.posts), *self._by_person))
        keys = self._keys.numbers, self._key_starts
        timed = end - start >= timedelta(hours=1) and not self._day_only[firsts].any()
        return signs(
            Groups(*said_in(firsts, np.arange(len(firsts) + 1), *keys)),
            Groups(*said_in(*others, *keys)),
            self._at[firsts] / 60 if timed else None,
            float((self._first_at[firsts] > end.timestamp() - NEW.total_seconds()).mean()) if len(firsts) else 0.0,
            self._heard_in(start, end)[1],
        )


def _joined(days: Sequence[PostsOfDay], name: str, kind: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(getattr(day, name) for day in days)])


def _alike(keys: frozenset[int], others: frozenset[int]) -> bool:
    """Whether two posts say nearly the same: three quarters of their keys."""
    both = len(keys & others)
    return both >= 0.75 * (len(keys) + len(others) - both)


@jit
def behind(
    numbers: I64,  # (k,) of the keys, -1 where no post holds one
    places: I64,
    starts: F64,
    ends: F64,
    holders: I64,  # posts by key
    key_starts: I64,
    at: F64,
    about: I64,  # place markets by post
    about_starts: I64,
    person: I64,
    last: I64,  # (persons,) the key that each was met with last: -1
    posts: I64,  # out, by key
    post_starts: I64,
    persons: I64,  # out, by key
    person_starts: I64,
) -> None:
    """Posts and persons behind each key."""
    n = m = 0
    for k in range(numbers.size):
        first, end = (key_starts[numbers[k]], key_starts[numbers[k] + 1]) if numbers[k] >= 0 else (0, 0)
        for cell in range(first, end):
            i = holders[cell]
            if not starts[k] <= at[i] < ends[k]:
                continue
            if places[k] != 0:
                found = False
                for place in range(about_starts[i], about_starts[i + 1]):
                    found |= about[place] == places[k]
                if not found:
                    continue
            posts[n] = i
            n += 1
            if last[person[i]] != k:
                last[person[i]] = k
                persons[m] = person[i]
                m += 1
        post_starts[k + 1], person_starts[k + 1] = n, m


@jit
def others_of(persons: I64, taken: Flags, by_person: I64, person_starts: I64) -> tuple[I64, I64]:
    """All posts of some persons but those that are taken: posts by person, and where each person's begin."""
    starts = np.zeros(persons.size + 1, np.int64)
    for k in range(persons.size):
        starts[k + 1] = starts[k] + person_starts[persons[k] + 1] - person_starts[persons[k]]
    posts, n = np.empty(starts[-1], np.int64), 0
    for k in range(persons.size):
        for at in range(person_starts[persons[k]], person_starts[persons[k] + 1]):
            if not taken[by_person[at]]:
                posts[n] = by_person[at]
                n += 1
        starts[k + 1] = n
    return posts[:n], starts


@jit
def said_in(posts: I64, starts: I64, numbers: I64, key_starts: I64) -> tuple[I64, I64]:
    """Numbers of the keys of posts by person, and where each person's begin."""
    out = np.zeros(starts.size, np.int64)
    for k in range(starts.size - 1):
        out[k + 1] = out[k]
        for at in range(starts[k], starts[k + 1]):
            out[k + 1] += key_starts[posts[at] + 1] - key_starts[posts[at]]
    keys, n = np.empty(out[-1], np.int64), 0
    for k in range(posts.size):
        for at in range(key_starts[posts[k]], key_starts[posts[k] + 1]):
            keys[n] = numbers[at]
            n += 1
    return keys, out

"""The crowds behind many keys of a window at once: who they are, what they said, and what a trend shows of them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from radar import crowd_kernels as kernels
from radar.crowd_kernels import F64, Flags
from radar.markets import PLACE_NUMBERS
from radar.support import TIER_NAMES, PostsOfDay
from radar.trends.diversity import SIGNS, signs
from radar.trends.lookup import I64, Groups, Numbered, occurrences

NEW = timedelta(days=14).total_seconds()
"""An account is new to us for this long after its first post that we were given."""
TIMED_FROM = timedelta(hours=1).total_seconds()
"""A shorter window does not tell whether posts came within minutes."""
_PLACES = max(PLACE_NUMBERS.values()) + 1


class Behind(NamedTuple):
    """Distinct persons (by their first posts) and posts (by time) of keys in their windows, a row for each key.

    firsts  the first post of each of the persons
    """

    persons: Groups
    posts: Groups
    firsts: I64

    @property
    def sizes(self) -> I64:
        """Persons of each row."""
        return np.diff(self.persons.starts)

    def some(self, rows: I64) -> "Behind":
        """Some of the rows."""
        firsts, _ = kernels.chosen(self.firsts, self.persons.starts, rows)
        return Behind(Groups(*kernels.chosen(*self.persons, rows)), Groups(*kernels.chosen(*self.posts, rows)), firsts)

    def posts_of(self, row: int) -> I64:
        """Posts of one row."""
        return self.posts.members[self.posts.starts[row] : self.posts.starts[row + 1]]


class Crowds:
    """Posts of some neighbouring days of a market, with keys and persons by their numbers among them.

    A person's number is the rank of the id; posts are told by their indices, by time.

    topics  ids of the topics that are named, by key
    """

    def __init__(self, days: Sequence[PostsOfDay], topics: Mapping[int, str] | None = None) -> None:
        self._ids = _joined(days, "ids", np.int64)
        self._at, self._first_at = _joined(days, "at", float), _joined(days, "first_at", float)
        self._engagement, self._tone = _joined(days, "engagement", float), _joined(days, "tone", float)
        self._day_only, self._sponsored = _joined(days, "day_only", bool), _joined(days, "sponsored", bool)
        self._platform, self._tier = _joined(days, "platform", np.int64), _joined(days, "tier", np.int64)
        self._about = Groups(_joined(days, "places", np.int64), _starts(_joined(days, "place_count", np.int64)))
        self._names = sorted((topic_id, key) for key, topic_id in (topics or {}).items())
        self._topics = Groups(
            _places_in([key for _, key in self._names], _joined(days, "topics", np.int64)),
            _starts(_joined(days, "topic_count", np.int64)),
        )
        persons, self._person = np.unique(_joined(days, "person", np.int64), return_inverse=True)
        self._by_person = occurrences(self._person, len(persons))
        self._key_starts = _starts(_joined(days, "key_count", np.int64))
        self._keys = Numbered.of(_joined(days, "keys", np.int64))
        at_keys = occurrences(self._keys.numbers, len(self._keys.distinct))
        post = np.repeat(np.arange(len(self._ids)), np.diff(self._key_starts))
        self._by_key = at_keys._replace(members=post[at_keys.members])
        self._heard: dict[tuple[float, float], tuple[int, float]] = {}
        known = self._engagement[~np.isnan(self._engagement)]
        self._usual = float(np.median(known)) if len(known) else 0.0

    def behind(self, keys: I64, places: npt.NDArray[np.int16], starts: F64, ends: F64) -> Behind:
        """Of each key who posted from a start to before an end (seconds) with it about a place market (0 = any)."""
        numbers = self._keys.find(keys)
        known, first = numbers[numbers >= 0], self._by_key.starts
        room = int((first[known + 1] - first[known]).sum())
        posts = Groups(np.empty(room, np.int64), np.zeros(len(keys) + 1, np.int64))
        persons = Groups(np.empty(room, np.int64), np.zeros(len(keys) + 1, np.int64))
        firsts = np.empty(room, np.int64)
        kernels.behind(
            numbers, places.astype(np.int64), starts, ends, *self._by_key, self._at, *self._about, self._person,
            self._no_persons(), *posts, *persons, firsts,
        )  # fmt: skip
        persons, posts = (Groups(rows.members[: rows.starts[-1]], rows.starts) for rows in (persons, posts))
        return Behind(persons, posts, firsts[: len(persons.members)])

    def _no_persons(self) -> I64:
        return np.full(len(self._by_person.starts), -1)

    def engagement_factors(self, behind: Behind) -> list[float]:
        """1 + min(2, log1p(median engagement of the posts / the market's median)); 1 where unknown (design.md 7)."""
        members, starts = behind.posts
        n = len(starts) - 1
        which = np.repeat(np.arange(n), np.diff(starts))
        known = self._engagement[members]
        is_known = ~np.isnan(known)
        which, known = which[is_known], known[is_known]
        factors = np.ones(n)
        if len(known) and self._usual > 0:
            ranked = known[np.lexsort((known, which))]
            counts = np.bincount(which, minlength=n)
            first = np.cumsum(counts) - counts
            some = np.flatnonzero(counts)
            low, high = first[some] + (counts[some] - 1) // 2, first[some] + counts[some] // 2
            medians = (ranked[low] + ranked[high]) / 2
            factors[some] = 1.0 + np.minimum(2.0, np.log1p(medians / self._usual))
        found: list[float] = factors.tolist()
        return found

    # ---- posts of one crowd beside those of others ----

    def none(self) -> Flags:
        """Of each post that it is none of those that are looked for."""
        return np.zeros(len(self._ids), bool)

    def left_over(self, posts: I64, claimed: Flags) -> tuple[int, int]:
        """How many of these posts are not claimed, and by how many persons they are."""
        self._turn += 1
        return kernels.left_over(posts, claimed, self._person, self._met, self._turn)

    def shared(self, posts: I64, rows: Sequence[int], behind: Behind) -> list[int]:
        """How many of these posts each of some rows holds."""
        found: list[int] = kernels.shared_by(posts, np.array(rows, np.int64), *behind.posts, self._mine).tolist()
        return found

    _turn = 0

    @cached_property
    def _met(self) -> I64:
        return np.zeros(len(self._by_person.starts), np.int64)

    @cached_property
    def _mine(self) -> Flags:
        return self.none()

    # ---- what is shown ----

    def described(self, behind: Behind, starts: F64, ends: F64) -> list[dict[str, Any]]:
        """What a trend shows of each row and its window: counts, what makes it narrow, and posts as evidence.

        place     that at least half of the posts are about, 0 where there is none
        topic_id  the plurality of the posts' topics; None where most have none
        evidence  ids of up to five posts by different persons, most engaging first; those in other words before copies
        """
        told = self._told(behind.posts)
        examples = self._examples(behind.posts)
        shares = self._shares(behind, starts, ends)
        sizes, posts = behind.sizes.tolist(), np.diff(behind.posts.starts).tolist()
        found = []
        for k, window in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            counts = told[k]
            heard, usual_new = self._heard_in(*window)
            tiers = zip(TIER_NAMES, counts[kernels.TIERS :], strict=True)
            read = counts[kernels.TOLD]
            found.append({
                "place": counts[kernels.PLACE],
                "topic_id": self._names[counts[kernels.TOPIC]][0] if counts[kernels.TOPIC] >= 0 else None,
                "shown": {
                    "persons": sizes[k],
                    "heard": heard,
                    "posts": posts[k],
                    "platforms": counts[kernels.PLATFORMS],
                    "tiers": {name: count for name, count in tiers if count},
                    "sponsored_share": round(counts[kernels.SPONSORED] / posts[k], 3) if posts[k] else None,
                    "complaints": {"negative": counts[kernels.NEGATIVE], "posts": read} if read else None,
                    "narrow": [{"reason": s.reason, "share": s.share} for s in signs(shares[k], usual_new)],
                    "evidence": [self._post_ids[i] for i in examples[k] if i >= 0],
                },
            })  # fmt: skip
        return found

    @cached_property
    def _post_ids(self) -> list[int]:
        ids: list[int] = self._ids.tolist()
        return ids

    def _told(self, posts: Groups) -> list[list[int]]:
        out = np.zeros((len(posts.starts) - 1, kernels.TIERS + len(TIER_NAMES)), np.int64)
        platforms = np.full(int(self._platform.max(initial=-1)) + 1, -1)
        kernels.told(
            *posts, self._person, self._tier, self._platform, self._sponsored, self._tone, *self._about, *self._topics,
            self._no_persons(), platforms, np.zeros(_PLACES, np.int64), np.zeros(len(self._names) + 1, np.int64), out,
        )  # fmt: skip
        found: list[list[int]] = out.tolist()
        return found

    def _examples(self, posts: Groups) -> list[list[int]]:
        out = np.full((len(posts.starts) - 1, kernels.EXAMPLES), -1)
        which = np.repeat(np.arange(len(out)), np.diff(posts.starts))
        by_weight = posts.members[np.lexsort((self._weight_rank[posts.members], which))]
        keys = len(self._keys.distinct)
        kernels.exemplary(
            by_weight, posts.starts, self._person, self._keys.numbers, self._key_starts, self._no_persons(),
            np.full(keys, -1), np.full(keys, -1), out,
        )  # fmt: skip
        found: list[list[int]] = out.tolist()
        return found

    @cached_property
    def _weight_rank(self) -> I64:
        """The place of each post from the most engaging one on, the earlier of equals first."""
        known, n = self._engagement, len(self._ids)
        rank = np.empty(n, np.int64)
        rank[np.lexsort((np.arange(n), -np.where(np.isnan(known), -1.0, known)))] = np.arange(n)
        return rank

    def _shares(self, behind: Behind, starts: F64, ends: F64) -> list[list[float]]:
        out = np.zeros((len(starts), len(SIGNS)))
        which = np.repeat(np.arange(len(out)), behind.sizes)
        firsts = behind.firsts[np.lexsort((behind.persons.members, which))]
        kernels.one_hand(
            firsts, behind.firsts, behind.persons.starts, *behind.posts, *self._by_person, self._keys.numbers,
            self._key_starts, self._person, self._at, self._first_at, self._day_only, ends - NEW,
            ends - starts >= TIMED_FROM, self._mine, out,
        )  # fmt: skip
        found: list[list[float]] = out.tolist()
        return found

    def _heard_in(self, start: float, end: float) -> tuple[int, float]:
        """Persons of the market who posted in a window, and the share of posts by accounts new to us."""
        found = self._heard.get((start, end))
        if found is None:
            met = np.zeros(len(self._by_person.starts), bool)
            found = kernels.heard(self._at, self._first_at, self._person, start, end, end - NEW, met)
            self._heard[start, end] = found
        return found


def _joined(days: Sequence[PostsOfDay], name: str, kind: Any) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(getattr(day, name) for day in days)])


def _starts(counts: I64) -> I64:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _places_in(known: list[int], keys: I64) -> I64:
    """The place of each key in a list, -1 where it is not in it."""
    if not known:
        return np.full(len(keys), -1)
    ordered, order = np.array(known, np.int64), np.argsort(np.array(known, np.int64))
    at = np.minimum(np.searchsorted(ordered, keys, sorter=order), len(known) - 1)
    return np.where(ordered[order[at]] == keys, order[at], -1)

"""A local day's counts from its posts: arithmetic on columns, as a day can have hundreds of thousands.

A person counts once per key per local day, in the quarter hour of the day's first mention, so a loud account is never
a crowd.
The same text, or nearly the same (`radar.text.similar`), from several accounts counts for the first. Simple, exact
after a kill, and order-free.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.markets import PLACE_NUMBERS, day_start
from radar.store.day_blob import DAY_ONLY, HOURS, QUARTERS, DayCounts
from radar.store.day_columns import DayColumns, Numbers, micros
from radar.text.similar import firsts

_QUARTER = timedelta(minutes=15) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Mentions:
    """Posts of a day, exploded to one row per (post, key, place), in time order of posts.

    post  int32 index of the post   key  int64   place  int16
    """

    post: npt.NDArray[np.int32]
    key: Numbers
    place: npt.NDArray[np.int16]


def explode(items: DayColumns) -> Mentions:
    """One row per post, key and place market (0 = all places, and each country the post is about)."""
    abroad = list(map(_countries, items.places.names))
    told = np.array([len(numbers) for numbers in abroad], np.int64)[items.places.code] if abroad else np.zeros(0, int)
    about = np.repeat(np.arange(len(items)), told)
    about_place = [number for code in items.places.code[told > 0].tolist() for number in abroad[code]]
    lengths = items.lengths[about]
    ends = np.cumsum(items.lengths)
    # the keys of each post once more for each of its places
    again = np.arange(lengths.sum()) + np.repeat(
        ends[about] - items.lengths[about] - np.cumsum(lengths) + lengths, lengths
    )
    return Mentions(
        np.concatenate([np.repeat(np.arange(len(items)), items.lengths), np.repeat(about, lengths)]).astype(np.int32),
        np.concatenate([items.keys, items.keys[again]]),
        np.concatenate([np.zeros(len(items.keys)), np.repeat(about_place, lengths)]).astype(np.int16),
    )


@lru_cache(100_000)
def _countries(places: str | None) -> tuple[int, ...]:
    """Countries among the places of a post, which few posts name in another way than many do."""
    return tuple(PLACE_NUMBERS[code] for code in (places or "").split() if code in PLACE_NUMBERS)


def originals(items: DayColumns) -> DayColumns:
    """Posts in time order without other accounts' copies of a text or of nearly the same: the first account's stand."""
    telling = items.where(items.lengths > 0)
    _, first, same = np.unique(telling.text_hash, return_index=True, return_inverse=True)
    kept = telling.where(telling.person == telling.person[first][same])
    return kept.where(firsts(kept.person, kept.sketch, kept.has_sketch))


def count_day(items: DayColumns, day: date, zone: ZoneInfo, kept: DayColumns | None = None) -> DayCounts:
    """The counts of one local day from its posts, in time order. kept: their originals, where they are known."""
    midnight = micros(day_start(day, zone))
    quarter = _quarters(items, midnight)
    persons, person = np.unique(items.person, return_inverse=True)
    timed = quarter < QUARTERS
    by_quarter = _heard(quarter[timed], person[timed], QUARTERS)
    by_hour = _heard(quarter[timed] // 4, person[timed], HOURS)
    return _rows(originals(items) if kept is None else kept, midnight, by_quarter, by_hour, len(persons))


def _quarters(items: DayColumns, midnight: int) -> Numbers:
    """The quarter hour of each post since local midnight, DAY_ONLY where only the day is known."""
    return np.where(items.day_only, DAY_ONLY, (items.at - midnight) // _QUARTER)


def _heard(bucket: Numbers, person: Numbers, buckets: int) -> npt.NDArray[np.uint32]:
    """Distinct persons in each bucket. person: by their numbers from 0 on"""
    if not len(bucket):
        return np.zeros(buckets, np.uint32)
    of = int(person.max()) + 1
    return np.bincount(np.unique(bucket * of + person) // of, minlength=buckets).astype(np.uint32)


def _rows(
    kept: DayColumns,
    midnight: int,
    by_quarter: npt.NDArray[np.uint32],
    by_hour: npt.NDArray[np.uint32],
    day_persons: int,
) -> DayCounts:
    mentions = explode(kept)
    quarter = _quarters(kept, midnight).astype(np.uint8)
    persons, person = np.unique(kept.person, return_inverse=True)
    group, shown = _grouped(mentions.key, mentions.place)
    rank = np.empty(len(shown), np.int32)
    rank[np.lexsort((mentions.place[shown], mentions.key[shown]))] = np.arange(len(shown))
    order, at, new = _cells(rank[group], len(shown), quarter[mentions.post], person[mentions.post], len(persons))
    engagement = kept.engagement.astype(np.float64)[mentions.post[order]]
    sums = np.add.reduceat(engagement, at) if len(at) else np.zeros(0)
    posts = np.diff(np.append(at, len(order)))
    row = order[at]
    return DayCounts(
        mentions.key[row], mentions.place[row], quarter[mentions.post[row]], new, posts.astype(np.uint32),
        sums.astype(np.float32), by_quarter, by_hour, day_persons,
    )  # fmt: skip


@jit
def _grouped(key: Numbers, place: npt.NDArray[np.int16]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Which rows have one key and place: the number of each row's group, and a row of each group."""
    size = 16
    while size < 2 * len(key):
        size *= 2
    mask, n = np.uint64(size - 1), 0
    held = np.full(size, -1, np.int32)
    group, shown = np.empty(len(key), np.int32), np.empty(len(key), np.int32)
    for row in range(len(key)):
        mixed = (np.uint64(key[row]) + np.uint64(place[row])) * np.uint64(0x9E3779B97F4A7C15)
        slot = (mixed >> np.uint64(32)) & mask
        while held[slot] >= 0:
            one = shown[held[slot]]
            if key[one] == key[row] and place[one] == place[row]:
                break
            slot = (slot + np.uint64(1)) & mask
        if held[slot] < 0:
            held[slot], shown[n] = n, row
            n += 1
        group[row] = held[slot]
    return group, shown[:n].copy()


@jit
def _cells(
    group: npt.NDArray[np.int32],
    groups: int,
    bucket: npt.NDArray[np.uint8],
    person: Numbers,
    persons: int,
) -> tuple[Numbers, Numbers, npt.NDArray[np.uint32]]:
    """Rows by group and bucket, otherwise as they come; where each such cell begins, and persons who are new in it.

    A person is new in the cell of its first row of a group.
    """
    n = len(group)
    ends = np.zeros(groups + 1, np.int64)
    for row in range(n):
        ends[group[row] + 1] += 1
    for g in range(groups):
        ends[g + 1] += ends[g]
    together, place = np.empty(n, np.int64), ends[:-1].copy()
    for row in range(n):
        together[place[group[row]]] = row
        place[group[row]] += 1
    order, at, new = np.empty(n, np.int64), np.empty(n, np.int64), np.zeros(n, np.uint32)
    last = np.full(persons, -1, np.int64)
    mine, fresh, told = np.zeros(256, np.int64), np.zeros(256, np.uint32), np.empty(256, np.int64)
    cells = 0
    for g in range(groups):
        many = 0
        for i in range(ends[g], ends[g + 1]):
            row = together[i]
            b = np.int64(bucket[row])
            if mine[b] == 0:
                k = many
                while k > 0 and told[k - 1] > b:
                    told[k] = told[k - 1]
                    k -= 1
                told[k] = b
                many += 1
            mine[b] += 1
            if last[person[row]] != g:
                last[person[row]] = g
                fresh[b] += np.uint32(1)
        begins = ends[g]
        for k in range(many):
            b = told[k]
            at[cells], new[cells] = begins, fresh[b]
            cells += 1
            begins += mine[b]
            mine[b], fresh[b] = begins - mine[b], np.uint32(0)
        for i in range(ends[g], ends[g + 1]):
            row = together[i]
            order[mine[bucket[row]]] = row
            mine[bucket[row]] += 1
        for k in range(many):
            mine[told[k]] = 0
    return order, at[:cells].copy(), new[:cells].copy()


def mentions_of(kept: DayColumns, market: str, day: date, tracked: set[int]) -> list[dict[str, Any]]:
    """Who mentioned which tracked key on a day, in how many posts."""
    if not tracked:
        return []
    hit = np.isin(kept.keys, np.array(sorted(tracked), np.int64))
    posts = np.repeat(np.arange(len(kept)), kept.lengths)[hit]
    once = set(zip(kept.keys[hit].tolist(), posts.tolist(), strict=True))
    found = Counter((number, int(kept.person[post])) for number, post in once)
    return [
        {"key_hash": number, "audience_market": market, "local_day": day, "person_id": person, "post_count": n}
        for (number, person), n in sorted(found.items())
    ]

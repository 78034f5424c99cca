"""The counts of days as a watch takes them: by series and time, and the past that new series are counted back in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.store.day_blob import DAY_ONLY, DayCounts
from radar.trends.distinct import mix
from radar.windows import Bucket

NAMED_FROM = 2
"""Persons on one local day that make a key a series."""
TICK = 900
"""Seconds of a tick. Buckets are named by their start, in quarter hours since 1970, whatever their length."""


def tick_of(start: datetime) -> int:
    """The number of the quarter hour that begins at an instant.

    >>> from datetime import UTC
    >>> tick_of(datetime(1970, 1, 1, 1, 15, tzinfo=UTC))
    5
    """
    return int(start.timestamp()) // TICK


@dataclass(frozen=True, slots=True)
class Births:
    """Where each series of a day reaches the persons that make it one: (n,) bucket and row, by bucket."""

    ticks: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Rows:
    """A day's counts of persons with the mixed numbers of their series, sorted by them and then by bucket."""

    mixed: npt.NDArray[np.uint64]
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    buckets: npt.NDArray[np.uint8]
    persons: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, counts: DayCounts) -> "Rows":
        """Those of a counted day, whose rows are by series already, and by bucket within."""
        starts = np.ones(len(counts.keys), np.bool_)
        starts[1:] = (counts.keys[1:] != counts.keys[:-1]) | (counts.places[1:] != counts.places[:-1])
        first = np.flatnonzero(starts)
        mixed = mix(counts.keys[first], counts.places[first])
        order = np.argsort(mixed)
        lengths = np.diff(first, append=len(starts))[order]
        at = np.repeat(first[order] - np.cumsum(lengths) + lengths, lengths) + np.arange(len(starts))
        rows = cls(
            np.repeat(mixed[order], lengths), counts.keys[at], counts.places[at], counts.buckets[at], counts.persons[at]
        )
        return rows if rows.persons.all() else rows.some(rows.persons > 0)

    def some(self, which: npt.NDArray[Any]) -> "Rows":
        """Some of them."""
        return Rows(*(getattr(self, name)[which] for name in Rows.__slots__))


@dataclass(frozen=True, slots=True)
class Day:
    """A day's rows for one bucket length, with their mixed numbers, sorted by them and then by time.

    ticks  start of each row's bucket (int64); a series may have several rows of one bucket
    """

    mixed: npt.NDArray[np.uint64]
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    ticks: npt.NDArray[np.int64]
    persons: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, rows: Rows, starts: Sequence[int], bucket: Bucket) -> "Day":
        """starts: ticks at which the day's buckets begin."""
        if bucket is Bucket.DAY:
            ticks = np.full(len(rows.mixed), starts[0], np.int64)
        else:
            if (rows.buckets == DAY_ONLY).any():
                rows = rows.some(rows.buckets != DAY_ONLY)
            nth = rows.buckets if bucket is Bucket.QUARTER else rows.buckets // 4
            ticks = np.array(starts, np.int64)[np.minimum(nth, len(starts) - 1)]
        return cls(rows.mixed, rows.keys, rows.places, ticks, rows.persons)

    def firsts(self) -> npt.NDArray[np.int64]:
        """The first row of each series."""
        return np.flatnonzero(np.append(True, self.mixed[1:] != self.mixed[:-1])[: len(self.mixed)])

    def births(self) -> Births:
        """In which bucket each series has had NAMED_FROM persons on the day."""
        total = np.cumsum(self.persons, dtype=np.int64)
        starts = self.firsts()
        before = np.repeat(total[starts] - self.persons[starts], np.diff(np.append(starts, len(total))))
        so_far = total - before
        rows = np.flatnonzero((so_far >= NAMED_FROM) & (so_far - self.persons < NAMED_FROM))
        rows = rows[np.argsort(self.ticks[rows], kind="stable")]
        return Births(self.ticks[rows], rows)


class Back(NamedTuple):
    """Rows of new series in buckets that were advanced, by series. starts: where each begin; nth: of a bucket."""

    starts: npt.NDArray[np.int64]
    which: npt.NDArray[np.int64]
    nth: npt.NDArray[np.int64]
    persons: npt.NDArray[np.float32]

    def of(
        self, new: npt.NDArray[np.int64], before: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """What neighbouring series were before a bucket: which of them, how many buckets before, and persons."""
        some = slice(self.starts[new[0]], self.starts[new[-1] + 1])
        mine = self.nth[some] < before
        which, nth, persons = self.which[some][mine], self.nth[some][mine], self.persons[some][mine]
        return which - new[0], before - 1 - nth, persons


class History(NamedTuple):
    """Rows of (index of a series, start of a bucket in ticks, persons)."""

    which: npt.NDArray[np.int64]
    ticks: npt.NDArray[np.int64]
    persons: npt.NDArray[np.float32]

    def within(self, new: npt.NDArray[np.int64], before: int) -> "History":
        """What some neighbouring series were before a tick, numbered from the first of them."""
        mine = np.flatnonzero((self.which >= new[0]) & (self.which <= new[-1]) & (self.ticks < before))
        return History(self.which[mine] - new[0], self.ticks[mine], self.persons[mine])

    def ago(
        self, advanced: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Series, how many advanced buckets ago (0: the last one), and persons, of rows in such buckets."""
        known = np.searchsorted(advanced, self.ticks)
        seen = np.flatnonzero(np.append(advanced, -1)[known] == self.ticks)
        return self.which[seen], len(advanced) - 1 - known[seen], self.persons[seen]

    def by_series(self, advanced: npt.NDArray[np.int64], count: int) -> Back:
        """Rows in advanced buckets, of so many series."""
        which, ago, persons = self.ago(advanced)
        order = np.argsort(which, kind="stable")
        starts = np.searchsorted(which[order], np.arange(count + 1))
        return Back(starts, which[order], len(advanced) - 1 - ago[order], persons[order])


class Block(NamedTuple):
    """What `Past` keeps of some days' rows."""

    mixed: npt.NDArray[np.uint64]
    ticks: npt.NDArray[np.int64]
    persons: npt.NDArray[np.uint32]


class Past:
    """The last days' rows, to count a new series backwards in: blocks of 1, 2, 4 ... days, each sorted by series."""

    LONGEST = 32

    def __init__(self) -> None:
        self._blocks: list[tuple[int, Block]] = []  # days of each, oldest first

    def append(self, day: Day, since: int) -> None:
        """Remember a day; blocks that are wholly before the tick `since` fall away."""
        self._blocks.append((1, Block(day.mixed, day.ticks, day.persons)))
        while len(self._blocks) > 1 and self._blocks[-2][0] == (length := self._blocks[-1][0]) < self.LONGEST:
            (_, older), (_, newer) = self._blocks[-2:]
            self._blocks[-2:] = [(2 * length, _joined(older, newer))]
        while self._blocks and self._blocks[0][1].ticks.max(initial=0) < since:
            self._blocks.pop(0)

    def history(self, mixed: npt.NDArray[np.uint64], today: Day) -> History:
        """What these series were in the past days and today."""
        which, ticks, persons = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        order = np.argsort(mixed)
        wanted = mixed[order]  # neighbours are looked for one after the other: they lie side by side
        for day in (*(block for _, block in self._blocks), Block(today.mixed, today.ticks, today.persons)):
            low = np.searchsorted(day.mixed, wanted)
            known = np.flatnonzero(low < len(day.mixed))
            known = known[day.mixed[low[known]] == wanted[known]]
            if known.size:
                low = low[known]
                lengths = np.searchsorted(day.mixed, wanted[known], side="right") - low
                at = np.repeat(np.arange(len(known)), lengths)
                cell = np.arange(len(at)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + low[at]
                which.append(order[known[at]])
                ticks.append(day.ticks[cell])
                persons.append(day.persons[cell].astype(np.float32))
        return History(np.concatenate(which), np.concatenate(ticks), np.concatenate(persons))

    def ticks_of(self, mixed: np.uint64, since: int, until: int) -> npt.NDArray[np.int64]:
        """Buckets in [since, until), in ticks, in which a series was used."""
        found = [np.zeros(0, np.int64)]
        for _, day in self._blocks:
            low, high = np.searchsorted(day.mixed, mixed), np.searchsorted(day.mixed, mixed, side="right")
            found.append(day.ticks[low:high])
        ticks = np.concatenate(found)
        return np.unique(ticks[(ticks >= since) & (ticks < until)])


def _joined(older: Block, newer: Block) -> Block:
    """One of two, by series; the older first."""
    size = len(older.mixed) + len(newer.mixed)
    joined = Block(np.empty(size, np.uint64), np.empty(size, np.int64), np.empty(size, np.uint32))
    _merge(*older, *newer, *joined)
    return joined


@jit
def _merge(
    mixed: npt.NDArray[np.uint64],
    ticks: npt.NDArray[np.int64],
    persons: npt.NDArray[np.uint32],
    more_mixed: npt.NDArray[np.uint64],
    more_ticks: npt.NDArray[np.int64],
    more_persons: npt.NDArray[np.uint32],
    out_mixed: npt.NDArray[np.uint64],
    out_ticks: npt.NDArray[np.int64],
    out_persons: npt.NDArray[np.uint32],
) -> None:
    i = j = 0
    for at in range(out_mixed.size):
        if j == more_mixed.size or (i < mixed.size and mixed[i] <= more_mixed[j]):
            out_mixed[at], out_ticks[at], out_persons[at] = mixed[i], ticks[i], persons[i]
            i += 1
        else:
            out_mixed[at], out_ticks[at], out_persons[at] = more_mixed[j], more_ticks[j], more_persons[j]
            j += 1

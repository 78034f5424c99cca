"""What came of a list: which series became large afterwards, and how sure a share or a median of few trends is.

Counts of days go in, numbers come out; `radar.backtest` reads the store. A day here is a local day of the market, by
its place in the history; day t is the last one that was known when a list was made.

1. Usual. r = (Y + 0.5) / N: Y persons of the series and N persons heard, summed over the 28 counted days that end a
   week before the list (at least 14 of them, else nothing is said). The list's own week is left out, so that a burst is
   not compared with itself. The usual of a day on which n persons were heard is n r. It knows no weekday and no
   hour: it is the yardstick, kept apart from the detector's own baseline that it is to judge.
2. Large. In the horizon, the days t + 1 .. t + h: on some day at least 5 persons and surely at least 3 times the usual
   (the factor can be chosen), and over the horizon as a whole among the tenth of the market's series of that kind that
   gained most. Surely: the 5 % quantile of Gamma(y), what y persons prove, is at least 3 times the usual; by plain
   y >= 3 n r most of what is "large" would be rare words that chance brought together on one of many days. Gain =
   persons summed over the days - the usual of those days. The tenth is of the series that two persons used on some
   day of the horizon; series of all places and of one place market are two fields; ties are in. (By persons instead
   of gain the tenth would be the words that everybody always uses.)
   By the same rule over the list's week, days t - 6 .. t, a series was large already.
3. Peak. The day with the most persons among the week of the list and the horizon, the earliest of them. A series that
   was large, and whose peak lies after day t, is a large mover: its rise was still to come.
4. Shares come with Wilson's interval (Wilson, JASA 22, 1927), medians with that of order statistics, which assumes
   nothing of the distribution and covers at least 95 % (David and Nagaraja, Order Statistics, 2003, 7.1).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist, median
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

LIST_DAYS = 7
BASELINE_DAYS = 28
LEAST_BASELINE_DAYS = 14
TIMES = 3.0
LEAST_PERSONS = 5
SURELY = 0.05
NAMED_FROM = 2
TOP_SHARE = 0.1
DEPTHS = (5, 10, 20)
LEAST_TRENDS = 10
"""Fewer different trends than this carry no figure."""
TOO_LITTLE = "not_enough_history"


class Interval(NamedTuple):
    """A figure and the 95 % interval around it."""

    value: float
    low: float
    high: float


def wilson(hits: float, n: float, level: float = 0.95) -> Interval:
    """A share with Wilson's score interval. Raises ValueError without 0 <= hits <= n, n > 0.

    >>> [round(x, 3) for x in wilson(8, 10)]
    [0.8, 0.49, 0.943]
    """
    if not 0 <= hits <= n or n <= 0:
        raise ValueError(f"{hits} hits of {n}")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = hits / n
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)
    return Interval(share, max(0.0, low), min(1.0, high))


def median_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """A median with the two order statistics that hold it between them. Raises ValueError for fewer than 6 values.

    >>> median_interval([3, 1, 2, 5, 4, 9, 7, 8, 6, 10])
    Interval(value=5.5, low=2.0, high=9.0)
    """
    from scipy.stats import binom  # a second of start, which reading trends need not wait for

    n = len(values)
    rank = int(binom.ppf((1 - level) / 2, n, 0.5)) if n else 0
    if rank < 1:
        raise ValueError(f"{n} values are too few")
    ordered = sorted(values)
    return Interval(float(median(ordered)), float(ordered[rank - 1]), float(ordered[n - rank]))


def share_figure(hits: int, n: int, trends: int) -> dict[str, Any]:
    """A share as answers show it, with the interval of as many draws as there are different trends behind n.

    >>> share_figure(3, 9, 9)["status"], share_figure(6, 20, 10)["share"]
    ('not_enough_history', 0.3)
    """
    answer: dict[str, Any] = {"n": n, "trends": trends}
    if trends < LEAST_TRENDS:
        return answer | {"status": TOO_LITTLE, "hits": None, "share": None, "low": None, "high": None}
    value, low, high = (round(x, 4) for x in wilson(hits / n * trends, trends))
    return answer | {"status": "ok", "hits": hits, "share": value, "low": low, "high": high}


def median_figure(values: Sequence[float]) -> dict[str, Any]:
    """A median as answers show it, each value of another trend."""
    answer: dict[str, Any] = {"n": len(values)}
    if len(values) < LEAST_TRENDS:
        return answer | {"status": TOO_LITTLE, "median": None, "low": None, "high": None}
    value, low, high = median_interval(values)
    return answer | {"status": "ok", "median": value, "low": low, "high": high}


class Line(NamedTuple):
    """A line of a list: its rank, market and series, whether it is a hit, and was large in the list's week."""

    rank: int
    series: tuple[str, int, int]
    hit: bool
    already: bool = False


@dataclass(slots=True)
class Records:
    """What was seen of one market, kind and bucket; shares and medians are worked out of these.

    lines     of all lists, a hit where it became large;    true   the same, a hit where it was injected
    emerging  whether each became large;                    leads  days of each large mover, None where not listed
    """

    lists: int = 0
    lines: list[Line] = field(default_factory=list)
    true: list[Line] = field(default_factory=list)
    emerging: list[bool] = field(default_factory=list)
    leads: list[int | None] = field(default_factory=list)

    def add(self, other: "Records") -> None:
        """Put another market's records to these."""
        self.lists += other.lists
        self.lines += other.lines
        self.true += other.true
        self.emerging += other.emerging
        self.leads += other.leads


def precision_figures(lines: Sequence[Line], *, is_truth: bool = False) -> list[dict[str, Any]]:
    """The share of hits among the first k lines of all lists; beside it those that were large already."""
    found = []
    for depth in DEPTHS:
        mine = [line for line in lines if line.rank <= depth]
        trends = len({line.series for line in mine})
        figure = {"k": depth} | share_figure(sum(line.hit for line in mine), len(mine), trends)
        if not is_truth:
            figure["already"] = share_figure(sum(line.already for line in mine), len(mine), trends)
        found.append(figure)
    return found


class DayRows(NamedTuple):
    """Rows of one day: (key, place) may stand in several (its hours); persons add up.

    day  its place in the history;    keys int64, places int16, persons uint32, all (n,)
    """

    day: int
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    persons: npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of every series after day t; arrays are (series,).

    large    by the rule above;       already  the same over the list's own week
    times    best day of the horizon over the usual of that day
    gain     persons-days above the usual in the horizon
    usual    persons a day before, at the average number of persons heard
    peak     the day with the most persons, counted where large, else -1
    field    series of all places that two persons used on a day of the horizon
    """

    day: int
    large: npt.NDArray[np.bool_]
    already: npt.NDArray[np.bool_]
    times: npt.NDArray[np.float64]
    gain: npt.NDArray[np.float64]
    usual: npt.NDArray[np.float64]
    peak: npt.NDArray[np.int64]
    field: int


@dataclass(frozen=True, slots=True)
class History:
    """Persons a day of every series of one market and kind.

    heard          (days,) persons heard, 0 where a day was not counted
    keys, places   (series,) sorted by key, then place;    place 0 is all places
    starts         (days + 1,) first row of each day;      series, persons (rows,)
    """

    heard: npt.NDArray[np.float64]
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    starts: npt.NDArray[np.int64]
    series: npt.NDArray[np.int64]
    persons: npt.NDArray[np.float64]

    @classmethod
    def of(cls, heard: Sequence[int], days: Iterable[DayRows]) -> "History":
        """Put days together; series that two persons never used on one day are left out: they can be nothing here."""
        blocks = list(days)
        keys = np.concatenate([np.zeros(0, np.int64), *(b.keys for b in blocks)])
        places = np.concatenate([np.zeros(0, np.int16), *(b.places for b in blocks)])
        persons = np.concatenate([np.zeros(0), *(b.persons for b in blocks)])
        day = np.repeat(np.array([b.day for b in blocks], np.int64), [len(b.keys) for b in blocks])
        order = np.lexsort((day, places, keys))
        keys, places, persons, day = keys[order], places[order], persons[order], day[order]
        new = np.ones(len(keys), bool)
        new[1:] = (keys[1:] != keys[:-1]) | (places[1:] != places[:-1])
        new_day = new.copy()
        new_day[1:] |= day[1:] != day[:-1]
        at = np.flatnonzero(new_day)
        total = np.add.reduceat(persons, at) if len(at) else np.zeros(0)
        series, day = (np.cumsum(new) - 1)[at], day[at]
        most = np.zeros(int(new.sum()))
        np.maximum.at(most, series, total)
        named = most >= NAMED_FROM
        renumbered = np.cumsum(named) - 1
        rows = named[series] if len(series) else np.zeros(0, bool)
        series, total, day = renumbered[series[rows]], total[rows], day[rows]
        order = np.argsort(day, kind="stable")
        starts = np.searchsorted(day[order], np.arange(len(heard) + 1))
        return cls(
            np.asarray(heard, np.float64), keys[new][named], places[new][named], starts, series[order], total[order]
        )

    def find(self, key: int, place: int) -> int:
        """The series of a key and place, -1 where there is none."""
        low, high = np.searchsorted(self.keys, [key, key + 1])
        at = low + int(np.searchsorted(self.places[low:high], place))
        return int(at) if at < high and self.places[at] == place else -1

    def can_judge(self, day: int, horizon: int) -> bool:
        """Whether there is enough before a list made at the end of `day`, and its whole horizon after."""
        base = self._baseline(day)
        counted = int((self.heard[base] > 0).sum())
        return counted >= LEAST_BASELINE_DAYS and day + horizon < len(self.heard)

    def _baseline(self, day: int) -> slice:
        end = max(0, day + 1 - LIST_DAYS)
        return slice(max(0, end - BASELINE_DAYS), end)

    def _rows(self, days: slice) -> slice:
        return slice(int(self.starts[days.start]), int(self.starts[days.stop]))

    def outcome(self, day: int, horizon: int, times: float = TIMES) -> Outcome:
        """What became of every series in the `horizon` days after `day`. Raises ValueError where not `can_judge`."""
        if not self.can_judge(day, horizon):
            raise ValueError(f"day {day} of {len(self.heard)} cannot be judged over {horizon} days")
        base = self._baseline(day)
        known = np.bincount(self.series[self._rows(base)], self.persons[self._rows(base)], len(self.keys))
        rate = (known + 0.5) / self.heard[base].sum()
        counted = int((self.heard[base] > 0).sum())
        already, _, _, _ = self._large(rate, slice(max(0, day + 1 - LIST_DAYS), day + 1), times)
        large, best, gain, field = self._large(rate, slice(day + 1, day + 1 + horizon), times)
        usual = rate * self.heard[base].sum() / counted
        return Outcome(day, large, already, best, gain, usual, self._peaks(day, horizon, large), field)

    def _large(
        self, rate: npt.NDArray[np.float64], days: slice, times: float
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.float64], int]:
        """Which series were large in some days; their best day over the usual, their gain, and the size of the field.

        rate  persons of each person heard, (series,)
        """
        from scipy.special import gammaincinv  # a tenth of a second to import

        size, rows = len(self.keys), self._rows(days)
        series, persons = self.series[rows], self.persons[rows]
        per_day = np.diff(self.starts[days.start : days.stop + 1])
        ratio = persons / np.maximum(rate[series] * np.repeat(self.heard[days], per_day), 1e-9)
        some = np.flatnonzero((persons >= LEAST_PERSONS) & (ratio >= times))
        proven = ratio[some] * gammaincinv(persons[some], SURELY) / persons[some]
        reached, best, most = np.zeros(size, bool), np.zeros(size), np.zeros(size)
        reached[series[some[proven >= times]]] = True
        np.maximum.at(best, series, ratio)
        np.maximum.at(most, series, persons)
        gain = np.bincount(series, persons, size) - rate * self.heard[days].sum()
        member, anywhere = most >= NAMED_FROM, self.places == 0
        return reached & _in_top(gain, member, anywhere), best, gain, int((member & anywhere).sum())

    def _peaks(self, day: int, horizon: int, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """The day with the most persons in the list's week and the horizon, the earliest; -1 where not wanted."""
        days = slice(max(0, day + 1 - LIST_DAYS), day + 1 + horizon)
        rows = self._rows(days)
        at = np.repeat(np.arange(days.start, days.stop), np.diff(self.starts[days.start : days.stop + 1]))
        mine = wanted[self.series[rows]]
        series, persons, at = self.series[rows][mine], self.persons[rows][mine], at[mine]
        order = np.lexsort((at, -persons, series))
        peaks = np.full(len(self.keys), -1, np.int64)
        found, first = np.unique(series[order], return_index=True)
        peaks[found] = at[order][first]
        return peaks


def _in_top(
    gain: npt.NDArray[np.float64], member: npt.NDArray[np.bool_], anywhere: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Those in the top tenth by gain of their field: series of all places, or of one place market."""
    top = np.zeros(len(gain), bool)
    for rivals in (member & anywhere, member & ~anywhere):
        n = int(rivals.sum())
        if n:
            least = np.sort(gain[rivals])[n - math.ceil(TOP_SHARE * n)]
            top |= rivals & (gain >= least)
    return top

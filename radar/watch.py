"""The series of one market at one bucket length: their state, and the episodes that are open.

A series is a key, or a key about one place market, that two persons used on one day. Everything here is a function of
the counts that are put in, in order; reading and writing are in radar.detect.
"""

import json
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from radar.keys import kinds_of
from radar.past import NAMED_FROM, Day, History, Past
from radar.trends import SeriesState, benjamini_hochberg
from radar.trends.distinct import REGISTERS, estimate, mix
from radar.trends.packing import is_packed, pack, unpack
from radar.trends.stages import LIFT_ON, OFF_AFTER, Q_OFF, Q_ON, Stage, Staged, following, plain_stage
from radar.trends.state import Steps
from radar.windows import Bucket

MOST_CELLS = 4_000_000
"""Counts that are handed over at a time, series times buckets."""


@dataclass(slots=True)
class Open:
    """An episode that is on, or waits to be off.

    quiet          buckets in a row with q above Q_OFF
    pending, held  the stage that asks to follow, and for how many buckets
    lift, observed  of the last bucket
    """

    id: int
    onset_at: datetime
    stage: str
    stage_since: datetime
    quiet: int = 0
    pending: str | None = None
    held: int = 0
    lift: float = 1.0
    observed: float = 0.0
    leader_id: int | None = None


@dataclass(slots=True)
class Moment:
    """What one bucket showed of an open episode."""

    at: datetime
    window: int
    p: float
    q: float
    observed: float
    expected: float
    lift: float
    lift_floor: float
    score: float


@dataclass(slots=True)
class Written:
    """Rows that a chunk of days adds to the store."""

    episodes: dict[int, dict[str, Any]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    snapshots: dict[tuple[int, datetime], dict[str, Any]] = field(default_factory=dict)


class Passed(NamedTuple):
    """What some buckets showed, and how many buckets had been seen after each."""

    steps: Steps
    seen: list[int]


class Shown(NamedTuple):
    """What a bucket showed of the series that are on, or may turn on in any of the buckets passed with it.

    seen   buckets, up to this one;    tests  hypotheses that were tested in it
    rows   series, ascending, and what a moment is made of but its instant
    """

    seen: int
    tests: int
    rows: list[tuple[Any, ...]]


def never(key: int, place: int) -> bool:
    """No key recurs."""
    return False


_HEAD = struct.Struct("<4sII")
_MAGIC, _HOURLY = b"RDW2", b"RDW1"
"""How states began that were not packed; those of the first form named buckets by hours since 1970."""


def _of_before(blob: bytes) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]], bytes, int]:
    """A watch that was not packed: facts, arrays, its series' state, and the quarters of a bucket's number."""
    magic, text_length, n = _HEAD.unpack_from(blob)
    if magic not in (_MAGIC, _HOURLY):
        raise ValueError(f"not a detector state: {magic!r}")
    at = _HEAD.size + text_length
    arrays: dict[str, npt.NDArray[Any]] = {
        "keys": np.frombuffer(blob, "<i8", n, at).astype(np.int64),
        "places": np.frombuffer(blob, "<i2", n, at + 8 * n).astype(np.int16),
        "registers": np.frombuffer(blob, np.uint8, REGISTERS, at + 10 * n).copy(),
    }
    text = json.loads(blob[_HEAD.size : at])
    return text, arrays, blob[at + 10 * n + REGISTERS :], 4 if magic == _HOURLY else 1


class Watch:
    """The series of one market at one bucket length, and the episodes that are open."""

    def __init__(self, model_id: str, market: str, bucket: Bucket) -> None:
        self.model_id, self.market, self.bucket = model_id, market, bucket
        self._length, self._young, self._old = bucket.length, bucket.young, bucket.old
        self.state = SeriesState(bucket.windows, bucket.season, bucket.half_life, bucket.warm_up)
        self.keys = np.zeros(0, np.int64)
        self.places = np.zeros(0, np.int16)
        self.registers = np.zeros(REGISTERS, np.uint8)
        self.advanced: deque[int] = deque(maxlen=self.state.remembered)  # starts of buckets
        self.begun: date | None = None  # the first local day that was taken in
        self.seen = 0  # buckets, up to the one that is told of
        self.open: dict[int, Open] = {}
        self._index()

    # ---- series ----

    def _index(self) -> None:
        mixed = mix(self.keys, self.places)
        order = np.argsort(mixed)
        self._mixed, self._series = mixed[order], order

    def _index_from(self, start: int) -> None:
        """The same where only the series from this one on are new."""
        mixed = mix(self.keys[start:], self.places[start:])
        order = np.argsort(mixed)
        at = np.searchsorted(self._mixed, mixed[order])
        self._mixed, self._series = np.insert(self._mixed, at, mixed[order]), np.insert(self._series, at, start + order)

    def find(self, mixed: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Index of each series, -1 where it is none yet."""
        if not len(self._mixed):
            return np.full(len(mixed), -1)
        at = np.minimum(np.searchsorted(self._mixed, mixed), len(self._mixed) - 1)
        return np.where(self._mixed[at] == mixed, self._series[at], -1)

    def pass_buckets(
        self,
        day: Day,
        ticks: Sequence[int],
        past: Past,
        *,
        exposures: Sequence[float],
        slots: Sequence[int],
    ) -> Passed:
        """Advance over the first buckets of a day, which began at these ticks; what they showed.

        New series are those that reach two persons on the day, in the bucket in which they do. They are learnt up to
        the day together and then go along until their bucket comes; where that cannot be, the state stops at the
        bucket and takes them in with all their past.
        """
        starts, heard, places = np.array(ticks, np.int64), np.array(exposures, np.float64), np.array(slots, np.int64)
        births, firsts = day.births(), day.firsts()
        born = births.rows[births.ticks <= starts[-1]] if len(starts) else births.rows[:0]
        found, before = self.find(day.mixed[firsts]), self.state.size
        born = born[found[np.searchsorted(firsts, born, side="right") - 1] < 0]
        begin = np.searchsorted(starts, day.ticks[born])
        passed = np.concatenate([[0], np.cumsum(heard > 0)])  # before each bucket, of those that count
        rows = past.history(day.mixed[born], day) if len(born) else None
        late = int(np.searchsorted(passed[begin], 1))
        recalled = None if rows is None else self._recall(day, born, late, rows, starts, passed[begin])
        stops = begin if recalled is None else begin[:late]
        column, series, persons = self._cells(day, starts, born, len(stops), firsts, found)
        told = heard[column] > 0  # a foreign count may have rows where nobody was heard
        column, series, persons = column[told], series[told], persons[told]
        advanced = np.concatenate([np.array(self.advanced, np.int64), starts[heard > 0]])
        back = None if rows is None or not stops.size else rows.by_series(advanced, len(born))
        seen, parts = self.state.buckets_seen, list[Steps]()
        edges = np.unique(np.concatenate([[0, len(starts)], stops])).tolist()
        for i, j in pairwise(edges):
            if back is not None and (new := np.flatnonzero(stops == i)).size:
                self._grow(day, born[new], *back.of(new, len(advanced) - int(passed[-1] - passed[i])))
            if recalled is not None and j == len(starts):
                at, sizes = np.unique(begin[late:], return_counts=True)
                self.state.await_birth(recalled, passed[at], sizes)
                self._name(day, born[late:])
            parts += self._march(column, series, persons, heard, places, i, j)
        self.advanced.extend(starts[heard > 0].tolist())
        if len(born):
            self._index_from(before)
        return Passed(Steps.joined(parts), (seen + passed[1:]).tolist())

    def _march(
        self,
        column: npt.NDArray[np.int64],
        series: npt.NDArray[np.int64],
        persons: npt.NDArray[np.float32],
        heard: npt.NDArray[np.float64],
        places: npt.NDArray[np.int64],
        start: int,
        stop: int,
    ) -> Iterator[Steps]:
        """Pass some of a day's buckets; what they showed, with their number in the day."""
        size = self.state.size + self.state.waiting
        room = max(1, MOST_CELLS // max(size, 1))
        for i in range(start, stop, room):
            j = min(i + room, stop)
            some = slice(*np.searchsorted(column, [i, j]))
            y = np.zeros((j - i, size), np.float32)
            np.add.at(y.reshape(-1), (column[some] - i) * size + series[some], persons[some])
            steps = self.state.advance_many(y, heard[i:j], places[i:j])
            yield replace(steps, column=steps.column + np.int32(i)) if i else steps

    def _cells(
        self,
        day: Day,
        starts: npt.NDArray[np.int64],
        born: npt.NDArray[np.int64],
        stops: int,
        firsts: npt.NDArray[np.int64],
        found: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """(bucket, series, persons) of a day's rows by bucket; those of the first `stops` of the born from then on.

        firsts, found  the first row of each series of the day, and its index
        """
        since = np.full(len(firsts), np.iinfo(np.int64).min)
        if len(born):
            at = np.searchsorted(firsts, born, side="right") - 1
            found = found.copy()
            found[at] = len(self.keys) + np.arange(len(born))
            since[at[:stops]] = day.ticks[born[:stops]]
        lengths = np.diff(firsts, append=len(day.mixed))
        series, since = np.repeat(found, lengths), np.repeat(since, lengths)
        until = starts[-1] if len(starts) else np.iinfo(np.int64).min
        rows = np.flatnonzero((series >= 0) & (day.ticks >= since) & (day.ticks <= until))
        column = np.searchsorted(starts, day.ticks[rows])
        order = np.argsort(column.astype(np.int16), kind="stable")
        rows, column = rows[order], column[order]
        return column, series[rows], day.persons[rows].astype(np.float32)

    def _recall(
        self,
        day: Day,
        born: npt.NDArray[np.int64],
        late: int,
        rows: History,
        starts: npt.NDArray[np.int64],
        passed: npt.NDArray[np.int64],
    ) -> SeriesState | None:
        """The series from number `late` on, which come after buckets of the day, learnt together up to the day.

        passed  buckets of the day before each one's first
        None where there are none, or they cannot be: a day of so many takes less room bit by bit.
        """
        if late == len(born) or (len(born) - late) * self.state.remembered > MOST_CELLS:
            return None
        back = rows.within(np.arange(late, len(born)), starts[0])
        which, ago, persons = back.ago(np.array(self.advanced, np.int64))
        kept = ago + passed[late:][which] < self.state.remembered
        kinds = kinds_of(day.keys[born[late:]])
        return self.state.recall(kinds, which[kept], ago[kept], persons[kept], more=NAMED_FROM - 1.0)

    def _grow(
        self,
        day: Day,
        born: npt.NDArray[np.int64],
        which: npt.NDArray[np.int64],
        ago: npt.NDArray[np.int64],
        persons: npt.NDArray[np.float32],
    ) -> None:
        """Take in new series with the counts they had before they were series.

        which, ago, persons  which of them, how many buckets before this one (0: the last one)
        """
        self.state.add_with_history(kinds_of(day.keys[born]), which, ago, persons)
        self._name(day, born)

    def _name(self, day: Day, born: npt.NDArray[np.int64]) -> None:
        self.keys, self.places = np.append(self.keys, day.keys[born]), np.append(self.places, day.places[born])

    @property
    def reaches_back(self) -> int | None:
        """Start of the oldest bucket that a new series is counted back to; None before the first."""
        return self.advanced[0] if self.advanced else None

    def likely(self, steps: Steps, tests: int) -> npt.NDArray[np.int64]:
        """Series that are on, or may turn on by these: no q is under p times the tests over the p that are told."""
        may = steps.series[steps.p * tests <= 1.001 * Q_ON * np.bincount(steps.column)[steps.column]]
        return np.unique(np.concatenate([self._opened(), may]).astype(np.int64))

    def _opened(self) -> npt.NDArray[np.int64]:
        return np.fromiter(self.open, np.int64, len(self.open))

    def tests(self) -> int:
        """How many hypotheses a bucket tests: every key the market has used, whether it became a series or not."""
        return max(estimate(self.registers), len(self.keys), 1)

    # ---- memory ----

    def to_bytes(self) -> bytes:
        """Everything, to go on from at the same place."""
        opened = {str(i): {name: getattr(o, name) for name in Open.__slots__} for i, o in self.open.items()}
        facts = {"open": opened, "advanced": list(self.advanced), "begun": self.begun}
        text = json.dumps(facts, default=lambda value: value.isoformat())
        state, arrays = self.state.to_parts()
        mine: dict[str, npt.NDArray[Any]] = {"keys": self.keys, "places": self.places, "registers": self.registers}
        return pack({"watch": text, "state": state}, mine | arrays)

    @classmethod
    def from_bytes(cls, blob: bytes, model_id: str, market: str, bucket: Bucket) -> "Watch":
        """Read it back."""
        watch, scale = cls(model_id, market, bucket), 1
        if is_packed(blob):
            told, kept = unpack(blob)
            text, watch.state = json.loads(told["watch"]), SeriesState.from_parts(told["state"], kept)
        else:
            text, kept, state, scale = _of_before(blob)
            watch.state = SeriesState.from_bytes(state)
        watch.keys, watch.places, watch.registers = kept["keys"], kept["places"], kept["registers"]
        watch.advanced.extend(scale * start for start in text["advanced"])
        watch.begun = date.fromisoformat(text["begun"]) if text.get("begun") else None
        for i, o in text["open"].items():
            o["onset_at"], o["stage_since"] = (datetime.fromisoformat(o[k]) for k in ("onset_at", "stage_since"))
            watch.open[int(i)] = Open(**o)
        watch._index()
        return watch

    # ---- a bucket ----

    def shown(self, passed: Passed, tests: int) -> list[Shown]:
        """What of each bucket `learn` is to be told, in order. tests: of the day, at least."""
        steps, q = passed.steps, np.ones(len(passed.steps.p))
        ends = np.searchsorted(steps.column, np.arange(len(passed.seen) + 1)).tolist()
        told = []
        for low, high in pairwise(ends):
            told.append(tests := max(tests, high - low))  # names of this very hour, if they are more
            if high > low:
                q[low:high] = benjamini_hochberg(steps.p[low:high], tests)
        may = np.zeros(self.state.size, np.bool_)
        may[self._opened()] = may[steps.series[(q <= Q_ON) & (steps.lift >= LIFT_ON)]] = True
        rows = np.flatnonzero(may[steps.series])
        columns = (
            steps.series, steps.window, steps.p, q, steps.observed, steps.expected, steps.lift, steps.lift_floor,
            steps.score,
        )  # fmt: skip
        listed = list(zip(*(column[rows].tolist() for column in columns), strict=True))
        cuts = np.searchsorted(rows, ends).tolist()
        return [
            Shown(seen, tests, listed[low:high])
            for seen, tests, (low, high) in zip(passed.seen, told, pairwise(cuts), strict=True)
        ]

    def learn(
        self, shown: Shown, at: datetime, out: Written, *, recurs: Callable[[int, int], bool] = never
    ) -> dict[int, Moment]:
        """Open, keep and close episodes by what a bucket that ended `at` showed; moments of those that are open.

        recurs  whether a key about a place comes every year at this time, and about as large
        """
        moments: dict[int, Moment] = {}
        self.seen, opened, rows = shown.seen, self.open, out.episodes
        for series, window, p, q, observed, expected, lift, lift_floor, score in shown.rows:
            if series not in opened:
                if q > Q_ON or lift < LIFT_ON:
                    continue
                self._begin(series, at, out)
            moments[series] = Moment(at, window, p, q, observed, expected, lift, lift_floor, score)
        for series, episode in list(opened.items()):
            moment = moments.get(series)
            episode.quiet = 0 if moment is not None and moment.q <= Q_OFF else episode.quiet + 1
            if episode.quiet >= OFF_AFTER:
                del opened[series]
                moments.pop(series, None)
                rows[episode.id] = self._row(series, episode) | {"ended_at": at}
                continue
            if episode.onset_at < at:
                is_on = episode.quiet == 0  # else what recurs does not matter
                recurring = is_on and recurs(int(self.keys[series]), int(self.places[series]))
                self._stage(episode, moment, at, out, recurring)
            if (row := rows.get(episode.id)) is None:
                rows[episode.id] = self._row(series, episode)
            else:
                row["stage"], row["stage_since"] = episode.stage, episode.stage_since
        return moments

    def _begin(self, series: int, at: datetime, out: Written) -> None:
        name = f"{self.model_id}|{self.market}|{self.places[series]}|{self.keys[series]}|{self.bucket}|{at.isoformat()}"
        number = xxhash.xxh3_64_intdigest(name.encode()) >> 1
        episode = Open(number, at, Stage.EMERGING.value, at)
        self.open[series] = episode
        out.episodes[number] = self._row(series, episode)
        out.changes.append({"episode_id": number, "changed_at": at, "stage": episode.stage})

    def _stage(self, episode: Open, moment: Moment | None, at: datetime, out: Written, recurring: bool) -> None:
        """Move the stage on by the rule of radar.trends.stages."""
        lift, observed = (moment.lift, moment.observed) if moment else (1.0, 0.0)
        wanted = plain_stage(
            on=episode.quiet == 0, lift=lift, lift_before=episode.lift, observed=observed,
            observed_before=episode.observed, age=(at - episode.onset_at) // self._length, young=self._young,
            old=self._old, recurring=recurring,
        )  # fmt: skip
        episode.lift, episode.observed = lift, observed
        if wanted == episode.stage:  # mostly: nothing follows, by `following` too
            episode.pending, episode.held = None, 0
            return
        before = Staged(Stage(episode.stage), Stage(episode.pending) if episode.pending else None, episode.held)
        staged = following(before, wanted)
        episode.pending, episode.held = staged.pending.value if staged.pending else None, staged.held
        if staged.stage.value != episode.stage:
            episode.stage, episode.stage_since = staged.stage.value, at
            out.changes.append({"episode_id": episode.id, "changed_at": at, "stage": episode.stage})

    def _row(self, series: int, episode: Open) -> dict[str, Any]:
        return {
            "id": episode.id, "model_id": self.model_id, "audience_market": self.market,
            "place": int(self.places[series]), "key_hash": int(self.keys[series]), "bucket": self.bucket.value,
            "onset_at": episode.onset_at, "ended_at": None, "stage": episode.stage, "stage_since": episode.stage_since,
            "leader_id": episode.leader_id,
        }  # fmt: skip

"""The series of one market at one bucket length: their state, and the episodes that are open.

A series is a key, or a key about one place market, that two persons used on one day. Everything here is a function of
the counts that are put in, in order; reading and writing are in radar.detect.
"""

import json
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash

from radar.keys import kinds_of
from radar.store.day_blob import DAY_ONLY, DayCounts
from radar.trends import SeriesState, Step, benjamini_hochberg
from radar.trends.distinct import REGISTERS, estimate, mix
from radar.trends.stages import LIFT_ON, OFF_AFTER, Q_OFF, Q_ON, Stage, Staged, next_stage
from radar.windows import Bucket

NAMED_FROM = 2
"""Persons on one local day that make a key a series."""


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


@dataclass(frozen=True, slots=True)
class Day:
    """A day's rows for one bucket length, with their mixed numbers, sorted by them.

    hours  start of each row's bucket, hours since 1970 (int64)
    """

    mixed: npt.NDArray[np.uint64]
    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    hours: npt.NDArray[np.int64]
    persons: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, counts: DayCounts, starts: Sequence[int], bucket: Bucket) -> "Day":
        """starts: the beginnings of the day's hours (one for a day bucket), hours since 1970."""
        if bucket is Bucket.HOUR:
            rows = (counts.buckets != DAY_ONLY) & (counts.persons > 0)
            hours = np.array([*starts, starts[-1]], np.int64)[np.minimum(counts.buckets[rows], len(starts))]
        else:
            rows = counts.persons > 0
            hours = np.full(int(rows.sum()), starts[0], np.int64)
        mixed = mix(counts.keys[rows], counts.places[rows])
        order = np.lexsort((hours, mixed))
        return cls(
            mixed[order],
            counts.keys[rows][order],
            counts.places[rows][order],
            hours[order],
            counts.persons[rows][order],
        )


class Past:
    """The last days' rows, to count a new series backwards in: blocks of days, each sorted by series."""

    BLOCK = 30

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, Day]] = deque()  # with the hour of the newest row
        self._days: list[Day] = []

    def append(self, day: Day, since: int) -> None:
        """Remember a day; blocks that are wholly before the hour `since` fall away."""
        self._days.append(day)
        if len(self._days) == self.BLOCK:
            block = _joined(self._days)
            self._blocks.append((int(block.hours.max(initial=0)), block))
            self._days = []
        while self._blocks and self._blocks[0][0] < since:
            self._blocks.popleft()

    def history(
        self, mixed: npt.NDArray[np.uint64], today: Day, hour: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Rows of (index into mixed, hour, persons) of these series in the past days and today before `hour`."""
        which, hours, persons = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for day in (*(block for _, block in self._blocks), *self._days, today):
            low, high = np.searchsorted(day.mixed, mixed), np.searchsorted(day.mixed, mixed, side="right")
            lengths = high - low
            if lengths.any():
                row = np.repeat(np.arange(len(mixed)), lengths)
                cell = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + low[row]
                early = day.hours[cell] < hour
                which.append(row[early])
                hours.append(day.hours[cell[early]])
                persons.append(day.persons[cell[early]].astype(np.float32))
        return np.concatenate(which), np.concatenate(hours), np.concatenate(persons)

    def hours_of(self, mixed: np.uint64, since: int, until: int) -> npt.NDArray[np.int64]:
        """Buckets in [since, until), hours since 1970, in which a series was used."""
        found = [np.zeros(0, np.int64)]
        for day in (*(block for _, block in self._blocks), *self._days):
            low, high = np.searchsorted(day.mixed, mixed), np.searchsorted(day.mixed, mixed, side="right")
            found.append(day.hours[low:high])
        hours = np.concatenate(found)
        return np.unique(hours[(hours >= since) & (hours < until)])


def _joined(days: Sequence[Day]) -> Day:
    columns = [np.concatenate([getattr(day, name) for day in days]) for name in Day.__slots__]
    order = np.lexsort((columns[3], columns[0]))
    return Day(*(column[order] for column in columns))


def never(key: int, place: int) -> bool:
    """No key recurs."""
    return False


_HEAD = struct.Struct("<4sII")


class Watch:
    """The series of one market at one bucket length, and the episodes that are open."""

    def __init__(self, model_id: str, market: str, bucket: Bucket) -> None:
        self.model_id, self.market, self.bucket = model_id, market, bucket
        self.state = SeriesState(bucket.windows, bucket.season, bucket.half_life, bucket.warm_up)
        self.keys = np.zeros(0, np.int64)
        self.places = np.zeros(0, np.int16)
        self.registers = np.zeros(REGISTERS, np.uint8)
        self.advanced: deque[int] = deque(maxlen=self.state.remembered)  # starts of buckets, hours since 1970
        self.open: dict[int, Open] = {}
        self._index()

    # ---- series ----

    def _index(self) -> None:
        mixed = mix(self.keys, self.places)
        order = np.argsort(mixed)
        self._mixed, self._series = mixed[order], order

    def find(self, mixed: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Index of each series, -1 where it is none yet."""
        if not len(self._mixed):
            return np.full(len(mixed), -1)
        at = np.minimum(np.searchsorted(self._mixed, mixed), len(self._mixed) - 1)
        return np.where(self._mixed[at] == mixed, self._series[at], -1)

    def grow(
        self,
        keys: npt.NDArray[np.int64],
        places: npt.NDArray[np.int16],
        mixed: npt.NDArray[np.uint64],
        day: Day,
        hour: int,
        past: Past,
    ) -> None:
        """Take in new series with the counts they had before they were series."""
        kinds = kinds_of(keys)
        rows, hours, persons = past.history(mixed, day, hour)
        ordinal = {hour: i for i, hour in enumerate(self.advanced)}
        known = np.array([ordinal.get(h, -1) for h in hours.tolist()], np.int64)
        seen = known >= 0
        ago = len(self.advanced) - 1 - known[seen]
        self.state.add_with_history(kinds, rows[seen], ago, persons[seen])
        first = len(self.keys)
        self.keys, self.places = np.append(self.keys, keys), np.append(self.places, places)
        order = np.argsort(mixed)
        at = np.searchsorted(self._mixed, mixed[order])
        self._mixed = np.insert(self._mixed, at, mixed[order])
        self._series = np.insert(self._series, at, first + order)

    def advance(self, day: Day, hour: int, past: Past, *, exposure: float, slot: int) -> Step:
        """Advance one bucket that began at `hour`; new series are those that reach two persons on the day by now."""
        upto = day.hours <= hour
        distinct, first, inverse = np.unique(day.mixed[upto], return_index=True, return_inverse=True)
        rows = np.flatnonzero(upto)[first]
        total = np.bincount(inverse, day.persons[upto], len(distinct))
        new = (total >= NAMED_FROM) & (self.find(distinct) < 0)
        if new.any():
            self.grow(day.keys[rows[new]], day.places[rows[new]], distinct[new], day, hour, past)
        now = np.flatnonzero(day.hours == hour)
        series = self.find(day.mixed[now])
        mine = series >= 0
        if exposure > 0:
            self.advanced.append(hour)
        return self.state.advance_sparse(series[mine], day.persons[now[mine]], exposure, slot)

    @property
    def reaches_back(self) -> int | None:
        """Start of the oldest bucket that a new series is counted back to, hours since 1970; None before the first."""
        return self.advanced[0] if self.advanced else None

    def tests(self) -> int:
        """How many hypotheses a bucket tests: every key the market has used, whether it became a series or not."""
        return max(estimate(self.registers), len(self.keys), 1)

    # ---- memory ----

    def to_bytes(self) -> bytes:
        """Everything, to go on from at the same place."""
        opened = {str(i): asdict(o) for i, o in self.open.items()}
        text = json.dumps({"open": opened, "advanced": list(self.advanced)}, default=datetime.isoformat).encode()
        state = self.state.to_bytes()
        arrays = self.keys.astype("<i8").tobytes() + self.places.astype("<i2").tobytes() + self.registers.tobytes()
        return _HEAD.pack(b"RDW1", len(text), len(self.keys)) + text + arrays + state

    @classmethod
    def from_bytes(cls, blob: bytes, model_id: str, market: str, bucket: Bucket) -> "Watch":
        """Read it back."""
        magic, text_length, n = _HEAD.unpack_from(blob)
        if magic != b"RDW1":
            raise ValueError(f"not a detector state: {magic!r}")
        watch, at = cls(model_id, market, bucket), _HEAD.size
        text = json.loads(blob[at : at + text_length])
        at += text_length
        watch.keys = np.frombuffer(blob, "<i8", n, at).astype(np.int64)
        watch.places = np.frombuffer(blob, "<i2", n, at + 8 * n).astype(np.int16)
        watch.registers = np.frombuffer(blob, np.uint8, REGISTERS, at + 10 * n).copy()
        watch.state = SeriesState.from_bytes(blob[at + 10 * n + REGISTERS :])
        watch.advanced.extend(text["advanced"])
        for i, o in text["open"].items():
            o["onset_at"], o["stage_since"] = (datetime.fromisoformat(o[k]) for k in ("onset_at", "stage_since"))
            watch.open[int(i)] = Open(**o)
        watch._index()
        return watch

    # ---- a bucket ----

    def learn(
        self, step: Step, at: datetime, tests: int, out: Written, *, recurs: Callable[[int, int], bool] = never
    ) -> dict[int, Moment]:
        """Open, keep and close episodes by what a bucket that ended `at` showed; moments of those that are open.

        recurs  whether a key about a place comes every year at this time, and about as large
        """
        q = benjamini_hochberg(step.p, tests)
        notable = np.flatnonzero((q <= Q_OFF) | np.isin(step.series, list(self.open)))
        moments: dict[int, Moment] = {}
        for n in notable.tolist():
            series, is_on = int(step.series[n]), bool(q[n] <= Q_ON and step.lift[n] >= LIFT_ON)
            if series not in self.open and is_on:
                self._begin(series, at, out)
            if series in self.open:
                moments[series] = Moment(
                    at, int(step.window[n]), float(step.p[n]), float(q[n]), float(step.observed[n]),
                    float(step.expected[n]), float(step.lift[n]), float(step.lift_floor[n]), float(step.score[n]),
                )  # fmt: skip
        for series in list(self.open):
            episode, moment = self.open[series], moments.get(series)
            episode.quiet = 0 if moment and moment.q <= Q_OFF else episode.quiet + 1
            if episode.quiet >= OFF_AFTER:
                del self.open[series]
                moments.pop(series, None)
                out.episodes[episode.id] = self._row(series, episode) | {"ended_at": at}
            else:
                if episode.onset_at < at:
                    self._stage(episode, moment, at, out, recurs(int(self.keys[series]), int(self.places[series])))
                out.episodes[episode.id] = self._row(series, episode)
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
        before = Staged(Stage(episode.stage), Stage(episode.pending) if episode.pending else None, episode.held)
        staged = next_stage(
            before, on=episode.quiet == 0, lift=lift, lift_before=episode.lift, observed=observed,
            observed_before=episode.observed, age=int((at - episode.onset_at) / self.bucket.length),
            young=self.bucket.young, old=self.bucket.old, recurring=recurring,
        )  # fmt: skip
        episode.lift, episode.observed = lift, observed
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

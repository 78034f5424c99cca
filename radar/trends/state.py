"""SeriesState: what a market's series are expected to do, carried from bucket to bucket.

Formulas: docstring of `radar.trends`. Whoever counts calls `advance` once a closed bucket; tests come before the
update, so a bucket is judged by what was known before it.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radar.trends import kernels, march
from radar.trends.packing import is_packed, of_planes, pack, planes, unpack
from radar.trends.profile import Profile
from radar.trends.replay import replay, share, tell
from radar.trends.tail import FLOOR_POLYNOMIAL, detectable_count

KINDS = 128
_NUMBERS = ("size", "buckets_seen", "exposed", "_head", "_owners")
REMEMBERED = (
    4.0  # half-lives of exposures kept, so that a new series' past can be replayed: a sixteenth is left by then
)
MOST = np.float32(65_535)  # persons of a series in a bucket; more are taken as that
FOUND = ("p", "observed", "expected", "lift", "lift_floor", "score")  # rows of what is found; the window is apart
Part = tuple[int, NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]
"""The first bucket's number, then what some buckets showed: bucket from that one on, (series, window), FOUND."""
ROOM = 1 << 16  # rows of what is found that are kept at a time while many buckets are passed


@dataclass(frozen=True)
class Step:
    """What one bucket showed: only series whose p is under 1, in ascending order; all arrays have that length.

    series    index in the state                   p           chance of this or more, all windows allowed for
    window    the most surprising one, in buckets  observed    persons in it
    expected  persons by the baseline, > 0         lift        shrunken ratio
    lift_floor  its 5 % quantile                   score       -log10 p * log2 lift, what orders a list
    """

    series: NDArray[np.int32]
    window: NDArray[np.int32]
    p: NDArray[np.float64]
    observed: NDArray[np.float64]
    expected: NDArray[np.float64]
    lift: NDArray[np.float64]
    lift_floor: NDArray[np.float64]
    score: NDArray[np.float64]


@dataclass(frozen=True)
class Steps(Step):
    """What several buckets showed, one after the other; series ascend within each.

    column  number of the bucket among them
    """

    column: NDArray[np.int32]

    @classmethod
    def joined(cls, parts: "Sequence[Steps]") -> "Steps":
        """Several, one after the other."""
        if len(parts) == 1:
            return parts[0]
        none, few = np.zeros(0, np.int32), np.zeros(0)
        parts = [cls(none, none, few, few, few, few, few, few, none), *parts]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


class SeriesState:
    """State of many series of one market and one bucket size; (95 + 4 x longest window) bytes a series.

    windows    lengths tested, in buckets, ascending;      season   slots of the cycle (168, 24, 7) or 0
    half_life  of the baseline, in buckets;                warm_up  buckets before which nothing is tested

    >>> state = SeriesState(windows=(1, 3), season=0, half_life=60, warm_up=20)
    >>> state.add(np.zeros(2, np.int8))
    >>> for day in range(30):
    ...     _ = state.advance(np.array([2, day % 3]), exposure=100.0, slot=0)
    >>> step = state.advance(np.array([2, 12]), exposure=100.0, slot=0)
    >>> step.series.tolist(), step.window.tolist(), step.observed.tolist(), step.lift.round(1).tolist()
    ([1], [1], [12.0], [4.4])
    """

    def __init__(self, windows: tuple[int, ...], season: int, half_life: float, warm_up: int) -> None:
        if not windows or min(windows) < 1 or list(windows) != sorted(set(windows)):
            raise ValueError(f"windows must be ascending lengths of 1 or more, got {windows}")
        if half_life <= 0 or season < 0 or warm_up < 1:
            raise ValueError("half_life must be > 0, season >= 0 and warm_up >= 1")
        self.windows, self.season, self.half_life, self.warm_up = tuple(windows), season, float(half_life), warm_up
        self.size = 0
        self.buckets_seen = 0
        self.exposed = 0.0  # decayed exposure of the market (B)
        self.profile = Profile(season, half_life)
        self._decays = np.array(
            [0.5 ** (1 / half_life), 0.5 ** (0.5 / half_life), 0.5 ** (1 / max(4 * half_life / max(season, 1), 4))]
        )
        self._fallen = float(self._decays[0] ** (windows[-1] - 1))
        self._lengths = np.array(windows, np.int64)
        self._reach = np.log(self._lengths) / max(np.log(windows[-1]), 1e-9)
        keep = int(np.ceil(REMEMBERED * half_life)) + windows[-1]
        self._past = np.zeros((4, keep))  # newest first: exposure, exposure x profile, slot, B before
        self._shared = np.zeros((3, 1, keep), np.float32)  # see radar.trends.replay
        self._silent = np.zeros((4, 1), np.float32)
        self._totals = np.zeros((5, KINDS))  # by kind, see kernels.learn
        self._numbers = np.zeros(KINDS)  # series by kind
        self._head = 0  # ring row that the present bucket goes to
        self._owners = 0
        self._births = np.zeros((2, 0), np.int64)  # series laid out behind the others: see `await_birth`
        self._own = np.zeros((2, 0, self.profile.season), np.float32)
        self._allocate(0)
        self._know(np.zeros(0, np.int8))

    # ---- reading ----

    @property
    def kinds(self) -> NDArray[np.int8]:
        """Kind of each series (size,)."""
        return self._kinds[: self.size]

    @property
    def ready(self) -> bool:
        """Whether the warm-up has passed, so that the next bucket is tested."""
        return self.buckets_seen >= self.warm_up

    def expected_next(self, slot: int, exposure: float) -> NDArray[np.float64]:
        """Persons expected of each series (size,) in a bucket of this slot and exposure: the line behind a chart."""
        if not self.buckets_seen:
            return np.zeros(self.size)
        slot = self.profile.slot(slot)
        a = self._level[0, : self.size].astype(np.float64)
        prior, _ = self._told()
        mu = exposure * self.profile.factors[slot] * (a + 0.5) / (self.exposed + prior[self.kinds])
        rows = self._owner[: self.size]
        mine = np.flatnonzero(rows >= 0)
        seen, due = self._own[:, rows[mine], slot].astype(np.float64)
        mu[mine] *= (kernels.OWN_PRIOR + seen) / (kernels.OWN_PRIOR + due)
        return np.asarray(mu)

    @property
    def phi(self) -> NDArray[np.float64]:
        """Dispersion of each series (size,): variance over mean of a bucket, 1 for a Poisson."""
        due, residual = self._level[1:3, : self.size].astype(np.float64)
        weight, (_, usual) = kernels.PHI_WEIGHT, self._told()
        return np.asarray(np.maximum(1.0, (weight * usual[0, self.kinds] + residual) / (weight + due)))

    def detectable(self, expected: ArrayLike, p: float, phi: ArrayLike = kernels.PHI) -> NDArray[np.float64]:
        """Fewest persons in one window that reach p, the number of windows allowed for; after peaks it takes more.

        expected  persons that the window is expected to hold, > 0, any shape (`expected_next` summed over it)

        >>> SeriesState((1, 3), 0, 60, 20).detectable([0.5, 2.0], p=0.001)
        array([ 7., 11.])
        """
        return detectable_count(expected, p / len(self.windows), phi)

    # ---- growing ----

    def add(self, kinds: ArrayLike) -> None:
        """Append series without a history, as if they had been counted as zeros since the beginning.

        kinds  (k,) 0 to 127; series of one kind share the rate that a new one is drawn to
        """
        start, kinds = self.size, np.asarray(kinds)
        self._extend(kinds)
        if self.buckets_seen and kinds.size:  # one of each kind is learnt: silence is the same for all of them
            alike, which = np.unique(kinds, return_inverse=True)
            level = self._replayed(alike, np.zeros((self._known, alike.size), np.float32))._level
            self._level[:, start : self.size] = level[:, which]

    def add_with_history(self, kinds: ArrayLike, rows: ArrayLike, ago: ArrayLike, counts: ArrayLike) -> None:
        """Append series whose past counts are known, as if they had been carried along: the same numbers come out.

        kinds   (k,) as in `add`
        rows    (m,) which of the k series, 0 to k - 1;     counts  (m,) persons; pairs (row, ago) not named are zeros
        ago     (m,) buckets back: 0 is the last bucket advanced. What is older than `remembered` buckets is left out;
                buckets without exposure were never advanced and are not counted here either

        Exposures, profile, and the kind's mean rate and dispersion are those of the time. They do not change in
        hindsight: of what all share, a series has its part from now on.
        """
        kinds = np.asarray(kinds)
        y = _shown(self._known, kinds.size, rows, ago, counts)
        self._know(kinds)
        self._append(self._replayed(kinds, y))

    def recall(
        self, kinds: ArrayLike, rows: ArrayLike, ago: ArrayLike, counts: ArrayLike, *, more: float = 0.0
    ) -> "SeriesState | None":
        """Series that will be added within some buckets, learnt up to now: `await_birth` has them learn the rest.

        Arguments as in `add_with_history`; a count that will be older than `remembered` buckets by then is to be left
        out. more: persons that each will show until it is added, at most.
        None where it would not come to the same: for kinds above all that there were, of which `march` keeps nothing,
        and for series so large that they may get slot factors of their own.
        """
        kinds = np.asarray(kinds)
        y = _shown(self._known, kinds.size, rows, ago, counts)
        if int(kinds.max(initial=0)) + 2 > self._shared.shape[1] or self._may_grow(y.sum(0) + more):
            return None
        return self._replayed(kinds, y)

    def await_birth(self, recalled: "SeriesState", after: ArrayLike, sizes: ArrayLike) -> None:
        """Let series that were recalled now be added by and by, as if by `add_with_history` when their time comes.

        after  (groups,) when so many more buckets have been seen, ascending, 1 or more;    sizes  (groups,) how many

        Until then they learn but are not in `size`; what is passed to `advance_many` tells of them behind the others.
        """
        after, sizes = np.asarray(after, np.int64), np.asarray(sizes, np.int64)
        if sizes.sum() != recalled.size or (np.diff(after, prepend=1) < 0).any() or self.waiting:
            raise ValueError("each that was recalled must be awaited once, in order, after 1 bucket or more")
        self._allocate(self.size + recalled.size)
        self._lay_out(recalled, self.size)
        self._births = np.stack([self.buckets_seen + after, sizes])

    @property
    def waiting(self) -> int:
        """How many series are awaited."""
        return int(self._births[1].sum())

    def _may_grow(self, mentions: NDArray[np.float32]) -> bool:
        """Whether series with so many mentions may have slot factors of their own."""
        return self.season > 1 and float(mentions.max(initial=0.0)) >= march.OWN_FROM

    def _aside(self, kinds: NDArray[Any]) -> "SeriesState":
        """New series by themselves, to be learnt and appended; what belongs to the market is shared, not theirs."""
        aside, n, w, ring = copy(self), kinds.size, len(self.windows), self.windows[-1]
        aside.size, aside._owners, aside._head = n, 0, 0
        aside._kinds, aside._owner = kinds.astype(np.int8), np.full(n, -1, np.int32)
        aside._level, aside._sums = np.zeros((10, n), np.float32), np.zeros((2, w, n), np.float32)
        aside._rings, aside._own = np.zeros((2, ring, n), np.uint16), np.zeros((2, 0, self._own.shape[2]), np.float32)
        aside._totals = np.zeros_like(self._totals)
        return aside

    def _extend(self, kinds: NDArray[Any]) -> None:
        """Room for series of these kinds, that have shown nothing yet."""
        self._know(kinds)
        self._allocate(self.size + kinds.size)
        self._kinds[self.size : self.size + kinds.size] = kinds
        self._numbers += np.bincount(kinds.astype(np.int64), minlength=KINDS)
        self.size += kinds.size

    def _know(self, kinds: NDArray[Any]) -> None:
        """Keep what is shared by the series of these kinds; of those that had none, what held for such."""
        if kinds.ndim != 1 or (kinds.size and not 0 <= kinds.min() <= kinds.max() < KINDS):
            raise ValueError("kinds must be one-dimensional, 0 to 127")
        more = int(kinds.max(initial=0)) + 2 - self._shared.shape[1]
        if more > 0:
            self._shared = np.concatenate([self._shared, np.repeat(self._shared[:, :1], more, axis=1)], axis=1)
            self._silent = np.concatenate([self._silent, np.repeat(self._silent[:, :1], more, axis=1)], axis=1)

    def _replayed(self, kinds: NDArray[Any], y: NDArray[np.float32]) -> "SeriesState":
        """Series of their own that have seen the last buckets, oldest first, and showed y (buckets, k) in them."""
        aside = self._aside(kinds)
        due, plain, wide, under_way = self._silent[:, 1 + kinds.astype(np.int64)]
        aside._level[[1, 2, 3, 4, 9], : kinds.size] = due, plain, wide, under_way, plain
        length = len(y)
        past = np.concatenate([self._past[1:, :length][:, ::-1], self._late_all(length)])
        mine = np.flatnonzero(np.bincount(kinds))  # the loop goes over all kinds in every bucket: let them be few
        kind, totals = np.searchsorted(mine, kinds).astype(np.int8), np.zeros((len(aside._totals), mine.size))
        shared = self._shared[:, 1 + mine, :length][..., ::-1]
        grows = y.size > 0 and self._may_grow(y.sum(0))
        step = 1 if grows else max(length, 1)  # a series that may get slot factors is looked at after every bucket
        for t in range(0, length, step):
            aside._head = replay(
                y[t : t + step], np.ascontiguousarray(past[:, t : t + step]),
                np.ascontiguousarray(shared[..., t : t + step]), self.buckets_seen - length + t, aside._head, kind,
                aside._level, aside._sums, aside._owner, aside._own, aside._rings, aside._lengths, aside._decays,
                totals,
            )  # fmt: skip
            if grows:
                aside._give_own()
        aside._totals[:, mine] = totals
        return aside

    @property
    def remembered(self) -> int:
        """Buckets whose exposure is kept."""
        return self._past.shape[1] - self.windows[-1]

    @property
    def _known(self) -> int:
        """Of those, buckets that there were."""
        return min(self.remembered, self.buckets_seen)

    # ---- a bucket ----

    def advance(self, y: ArrayLike, exposure: float, slot: int) -> Step:
        """Test a closed bucket, then learn from it.

        y         (size,) persons by series;            slot  of the cycle, any bucket number will do
        exposure  persons of the market who posted. 0: an outage, so nothing is tested, learnt or counted as seen
        """
        counts = np.ascontiguousarray(y, np.float32)
        if counts.shape != (self.size,):
            raise ValueError(f"y must have shape ({self.size},), got {counts.shape}")
        found = self.advance_many(counts[None], [exposure], [slot])
        return Step(*(getattr(found, field.name) for field in fields(Step)))

    def advance_many(self, y: ArrayLike, exposures: ArrayLike, slots: ArrayLike) -> "Steps":
        """Test and learn from several closed buckets, oldest first: as `advance` one by one, but faster.

        y  (buckets, size + waiting) persons;    exposures, slots  (buckets,) as in `advance`
        """
        counts, heard, places = self._checked(y, exposures, slots)
        nothing = np.empty(0, np.int32), np.empty((2, 0), np.int32), np.empty((6, 0))
        parts = [
            nothing,
            *((column + np.int32(at), *rest) for at, column, *rest in self._passed(counts, heard, places)),
        ]
        columns, (series, window), numbers = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
        p, observed, expected, size, floor, score = numbers
        return Steps(series, window, p, observed, expected, size, floor, score, columns)

    def advance_apart(self, y: ArrayLike, exposures: ArrayLike, slots: ArrayLike) -> Iterator[Part]:
        """`advance_many` for those who put things in their places themselves: nothing is copied."""
        return self._passed(*self._checked(y, exposures, slots))

    def _passed(
        self, counts: NDArray[np.float32], heard: NDArray[np.float64], places: NDArray[np.int64]
    ) -> Iterator[Part]:
        """Pass all buckets, as many at a time as there is room for what they show."""
        size = counts.shape[1]
        done, room = 0, size + min((heard.size - 1) * size, ROOM) if heard.size else 0
        while done < heard.size:
            column, which, out = np.empty(room, np.int32), np.empty((2, room), np.int32), np.empty((6, room))
            passed, found = self._march(counts[done:], heard[done:], places[done:], column, which, out)
            yield done, column[:found], which[:, :found], out[:, :found]
            done += passed

    def advance_sparse(self, series: ArrayLike, counts: ArrayLike, exposure: float, slot: int) -> Step:
        """`advance` with the counts of some series, the others being zero."""
        y = np.zeros(self.size, np.float32)
        np.add.at(y, np.asarray(series, np.int64), np.asarray(counts, np.float32))
        return self.advance(y, exposure, slot)

    def _checked(
        self, y: ArrayLike, exposures: ArrayLike, slots: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
        """Buckets as they are passed: counts, exposures, slots of the cycle."""
        counts = np.minimum(np.ascontiguousarray(y, np.float32), MOST)
        heard = np.ascontiguousarray(exposures, np.float64)
        places = np.asarray(slots, np.int64) % self.profile.season
        size = self.size + self.waiting
        if counts.shape != (heard.size, size) or heard.shape != places.shape:
            raise ValueError(f"y must have shape ({heard.size}, {size}), got {counts.shape}")
        if not (heard >= 0).all():
            raise ValueError(f"exposure must be >= 0, got {heard.min()}")
        return counts, heard, places

    def _told(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the next bucket will know of each kind that has series: see `radar.trends.replay.tell`."""
        kinds = self._shared.shape[1] - 1
        shared, prior, usual = np.empty((3, 1 + kinds), np.float32), np.empty(kinds), np.empty((2, kinds))
        share(self._totals, self._numbers, shared)
        tell(shared[:, 1:], self.exposed, prior, usual)
        return prior, usual

    def _march(
        self,
        y: NDArray[np.float32],
        heard: NDArray[np.float64],
        slots: NDArray[np.int64],
        column: NDArray[np.int32],
        which: NDArray[np.int32],
        out: NDArray[np.float64],
    ) -> tuple[int, int]:
        """Pass some buckets; answers how many, and the rows of what was found."""
        passed, found, born, self.buckets_seen, self.exposed, self._head, claimed = march.march(
            self.size, self._births, y, heard, slots, self.buckets_seen, self.exposed, self._head, self.warm_up,
            self._kinds, self._numbers, self._level, self._sums, self._owner, self._own, self._rings, self._lengths,
            self._reach, self._decays, self._fallen, self._past, self._shared, self._silent, self.profile.cycle,
            self.profile.day, self.profile.decay, self._totals, FLOOR_POLYNOMIAL, column, which, out,
        )  # fmt: skip
        self.size += int(self._births[1, :born].sum())
        self._births = self._births[:, born:].copy()
        if claimed:
            self._give_own()
        return passed, found

    def _late_all(self, length: int) -> NDArray[np.float64]:
        """`_late` of the last `length` buckets, oldest first (3, length)."""
        reach, backs = self.windows[-1] - 1, np.arange(length - 1, -1, -1)
        late = np.zeros((3, length))
        known = self.buckets_seen - 1 - backs > reach
        late[:, known] = self._past[1:, backs[known] + reach]
        late[2] *= self._fallen
        return late

    def _give_own(self) -> None:
        """Slot factors of their own for series that now have enough mentions."""
        new = np.flatnonzero((self._level[0, : self.size] >= march.OWN_FROM) & (self._owner[: self.size] < 0))
        if not new.size:
            return
        self._owner[new] = np.arange(self._owners, self._owners + new.size)
        self._owners += new.size
        if self._owners > self._own.shape[1]:
            self._own = _room(self._own, 1, self._owners)

    # ---- memory ----

    @property
    def nbytes(self) -> int:
        """Bytes held for the series' counts and baselines, room to grow included."""
        arrays = (self._kinds, self._level, self._sums, self._rings, self._owner, self._own)
        return sum(array.nbytes for array in arrays)

    def to_bytes(self) -> bytes:
        """The whole state, to be read by `from_bytes`."""
        return pack(*self.to_parts())

    def to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The whole state as facts (JSON) and arrays, to be read by `from_parts`; rings are kept sparse."""
        n = self.size
        rings = self._rings[:, :, :n].ravel()
        filled = np.flatnonzero(rings)
        facts = {name: getattr(self, name) for name in ("windows", "season", "half_life", "warm_up", *_NUMBERS)}
        return facts, {
            "kinds": self.kinds, "level_of": self._level[:, :n].T, "sums_of": self._sums[:, :, :n].T,
            "owner": self._owner[:n], "own": self._own[:, : self._owners], "past": self._past,
            "shared": planes(self._shared), "silent": self._silent, "totals": self._totals,
            "steps": np.diff(filled, prepend=0), "ring_values": rings[filled],
            "numbers": self._numbers, "profile": self.profile.cycle,
        }  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> "SeriesState":
        """A state as `to_bytes` wrote it: every later step equal to the bit. Raises ValueError for anything else."""
        return cls.from_parts(*(unpack(data) if is_packed(data) else _of_npz(data)))

    @classmethod
    def from_parts(cls, facts: Mapping[str, Any], kept: Mapping[str, NDArray[Any]]) -> "SeriesState":
        """A state as `to_parts` told it."""
        state = cls(tuple(facts["windows"]), facts["season"], facts["half_life"], facts["warm_up"])
        state._allocate(facts["size"])
        for name in _NUMBERS:
            setattr(state, name, facts[name])
        level, sums = kept["level_of"].T, kept["sums_of"].T  # what belongs to a series lies side by side there
        state._level[: len(level)] = level
        if len(level) < len(state._level):  # of before peaks were kept: it has seen none
            state._level[9] = level[2]
        state._sums = np.ascontiguousarray(sums)
        for name in ("kinds", "owner", "own", "past", "totals", "numbers"):
            setattr(state, f"_{name}", np.ascontiguousarray(kept[name]))
        if "shared" in kept:
            state._silent = np.ascontiguousarray(kept["silent"])
            state._shared = of_planes(kept["shared"], (3, state._silent.shape[1], state._past.shape[1]))
        else:  # of before it was kept: as it is now
            state._know(state.kinds)
            share(state._totals, state._numbers, now := np.empty(state._shared.shape[:2], np.float32))
            state._shared = np.repeat(now[..., None], state._past.shape[1], axis=2)
        state._rings.reshape(-1)[np.cumsum(kept["steps"])] = kept["ring_values"]
        state.profile.cycle[:] = kept["profile"]
        return state

    def _append(self, other: "SeriesState") -> None:
        """Take over another state's series; both have seen the same buckets."""
        start = self.size
        self._extend(other.kinds)
        self._lay_out(other, start)
        self._totals += other._totals

    def _lay_out(self, other: "SeriesState", start: int) -> None:
        """Copy another state's series to where there is room for them."""
        n = other.size
        for name in ("_kinds", "_level", "_sums"):
            getattr(self, name)[..., start : start + n] = getattr(other, name)[..., :n]
        ring = self.windows[-1]
        turn = (self._head - other._head) % ring
        self._rings[:, turn:, start : start + n] = other._rings[:, : ring - turn, :n]
        self._rings[:, :turn, start : start + n] = other._rings[:, ring - turn :, :n]
        rows = other._owner[:n]
        self._owner[start : start + n] = np.where(rows >= 0, rows + self._owners, -1)
        if other._owners:
            self._own = np.concatenate([self._own[:, : self._owners], other._own[:, : other._owners]], axis=1)
            self._owners += other._owners

    def _allocate(self, size: int) -> None:
        """Room for this many series; what is there stays."""
        if not hasattr(self, "_level"):
            w, ring = len(self.windows), self.windows[-1]
            self._kinds = np.zeros(0, np.int8)
            self._level = np.zeros((10, 0), np.float32)
            self._sums = np.zeros((2, w, 0), np.float32)
            self._rings = np.zeros((2, ring, 0), np.uint16)
            self._owner = np.zeros(0, np.int32)
        if size > self._kinds.size:
            for name in ("_kinds", "_level", "_sums", "_rings", "_owner"):
                array = getattr(self, name)
                setattr(self, name, _room(array, array.ndim - 1, size))
            self._owner[self.size :] = -1


def _shown(buckets: int, k: int, rows: ArrayLike, ago: ArrayLike, counts: ArrayLike) -> NDArray[np.float32]:
    """What k series showed in the last buckets, oldest first (buckets, k); see `SeriesState.add_with_history`."""
    rows, ago, counts = np.asarray(rows), np.asarray(ago), np.asarray(counts)
    if not rows.shape == ago.shape == counts.shape:
        raise ValueError("rows, ago and counts must have one shape")
    if rows.size and not (rows.min() >= 0 and rows.max() < k and ago.min() >= 0):
        raise ValueError("rows must lie in 0 to k - 1 and ago be 0 or more")
    y = np.zeros((buckets, k), np.float32)
    recent = ago < buckets
    np.add.at(y, (buckets - 1 - ago[recent], rows[recent]), counts[recent])
    return np.minimum(y, MOST)


def _of_npz(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What states were written as before: an npz, and where rings were filled instead of the steps to there."""
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        arrays = dict(kept)
    turned = {f"{name}_of": arrays[name].T for name in ("level", "sums")}
    return json.loads(str(arrays["facts"])), arrays | turned | {"steps": np.diff(arrays["filled"], prepend=0)}


def _room(array: NDArray[Any], axis: int, size: int) -> NDArray[Any]:
    """The array with a longer axis, half as long again at least, zeros at the end."""
    shape = list(array.shape)
    shape[axis] = max(size, array.shape[axis] + array.shape[axis] // 2)
    out = np.zeros(shape, array.dtype)
    out[tuple(slice(0, n) for n in array.shape)] = array
    return out

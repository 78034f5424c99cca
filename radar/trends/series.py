"""score_series: a whole history at once, as back-tests and measurements want it."""

import math
import mmap
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radar.trends.march import by_series, place
from radar.trends.state import SeriesState, Steps

Floats = NDArray[np.float64]
_BLOCK = 64  # buckets turned over at a time: some cache lines
_TILE = 128  # series turned over at a time
_SCORES = ("p", "lift", "lift_floor", "score")  # p is the first
_WORKING = ("observed", "expected", "window")


@dataclass(frozen=True)
class Scores:
    """What each bucket showed of each series; all arrays (series, buckets). Untested: p 1, the rest 0."""

    p: NDArray[np.float64]
    lift: NDArray[np.float64]
    lift_floor: NDArray[np.float64]
    score: NDArray[np.float64]
    observed: NDArray[np.float64] | None = None
    expected: NDArray[np.float64] | None = None
    window: NDArray[np.float64] | None = None


def score_series(
    authors: ArrayLike,
    exposure: ArrayLike,
    *,
    windows: tuple[int, ...],
    season: int,
    half_life: float,
    warm_up: int,
    working: bool = False,
) -> Scores:
    """Score every bucket of every series by what was known before it.

    authors   (series, buckets) distinct persons;    exposure  (buckets,) persons of the market who posted, 0: an outage
    working   also fill observed, expected and window; the others are those of `SeriesState`, slot = bucket number

    Causal: column t depends on columns up to t. A loop over `SeriesState.advance_many`, all series of one kind.
    """
    counts, heard = np.asarray(authors), np.asarray(exposure, np.float64)
    n, buckets = counts.shape
    if heard.shape != (buckets,):
        raise ValueError(f"exposure must have shape ({buckets},), got {heard.shape}")
    state = SeriesState(windows, season, half_life, warm_up)
    state.add(np.zeros(n, np.int8))
    out = _Out(n, buckets, (*_SCORES, *_WORKING) if working else _SCORES)
    with ThreadPoolExecutor(1) as aside:  # writes one block's scores down while the next is computed
        written = [aside.submit(out.begin)]
        for start in range(0, buckets, _BLOCK):
            block = slice(start, start + _BLOCK)
            steps = state.advance_many(_turned(counts[:, block]), heard[block], np.arange(buckets)[block])
            written.append(aside.submit(out.write, steps, start))
        for each in written:
            each.result()
    return Scores(**out.arrays)


def _turned(counts: NDArray[Any]) -> NDArray[np.float32]:
    """Buckets before series, some series at a time: they stay in the processor's cache."""
    out = np.empty(counts.shape[::-1], np.float32)
    for start in range(0, len(counts), _TILE):
        out[:, start : start + _TILE] = counts[start : start + _TILE].T
    return out


class _Out:
    """What becomes the answer: p, 1 where nothing was tested, and the others, 0 there, side by side.

    New memory is slow to come by (on a virtual machine, slower than the arithmetic), so of the others only pages with
    something in them are ever touched: numpy's own zeros would ask for huge pages, of which every one has something.
    """

    def __init__(self, n: int, buckets: int, names: Sequence[str]) -> None:
        self.n, self.shape, self.names = n, (n, buckets), names[1:]
        shape = (n, buckets, len(self.names))
        memory = mmap.mmap(-1, 8 * max(math.prod(shape), 1), access=mmap.ACCESS_COPY)
        self.rest = np.frombuffer(memory, np.float64, math.prod(shape)).reshape(shape)

    def begin(self) -> None:
        """Ask for the memory of p."""
        self.p = np.full(self.shape, 1.0)

    def write(self, steps: Steps, start: int) -> None:
        """Put a block in place, series by series, each column `start` later."""
        if steps.series.size:
            order = by_series(steps.series, self.n)
            values = np.stack([getattr(steps, name) for name in self.names], axis=1)
            place(order, steps.series, steps.column, start, steps.p, values, self.p, self.rest)

    @property
    def arrays(self) -> dict[str, Floats]:
        """By name."""
        return {"p": self.p} | {name: self.rest[:, :, i] for i, name in enumerate(self.names)}

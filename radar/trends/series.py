"""score_series: a whole history at once, as back-tests and measurements want it."""

import math
import mmap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radar.trends.march import place
from radar.trends.state import FOUND, SeriesState

Floats = NDArray[np.float64]
_BLOCK = 64  # buckets turned over at a time: some cache lines
_TILE = 128  # series turned over at a time
_SCORES = ("lift", "lift_floor", "score")
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

    Causal: column t depends on columns up to t. A loop over `SeriesState.advance_apart`, all series of one kind.
    """
    counts, heard = np.asarray(authors), np.asarray(exposure, np.float64)
    n, buckets = counts.shape
    if heard.shape != (buckets,):
        raise ValueError(f"exposure must have shape ({buckets},), got {heard.shape}")
    state = SeriesState(windows, season, half_life, warm_up)
    state.add(np.zeros(n, np.int8))
    names = _SCORES + _WORKING if working else _SCORES
    rows = np.array([FOUND.index(name) if name in FOUND else -1 for name in names], np.int64)
    blocks = [slice(start, start + _BLOCK) for start in range(0, buckets, _BLOCK)]
    with ThreadPoolExecutor(1) as aside:  # turns the next block over and writes down the last one's scores
        full = aside.submit(np.full, (n, buckets), 1.0)
        turned = [aside.submit(_turned, counts[:, block]) for block in blocks[:1]]
        rest, written = _untouched((n, buckets, len(names))), []
        for at, block in enumerate(blocks):
            y = turned.pop().result()
            turned = [aside.submit(_turned, counts[:, other]) for other in blocks[at + 1 : at + 2]]
            p = full.result()
            for first, column, which, out in state.advance_apart(y, heard[block], np.arange(buckets)[block]):
                written.append(aside.submit(place, column, which, out, block.start + first, p, rest, rows))
        for each in written:
            each.result()
    return Scores(full.result(), **{name: rest[:, :, i] for i, name in enumerate(names)})


def _turned(counts: NDArray[Any]) -> NDArray[np.float32]:
    """Buckets before series, some series at a time: they stay in the processor's cache."""
    out = np.empty(counts.shape[::-1], np.float32)
    for start in range(0, len(counts), _TILE):
        out[:, start : start + _TILE] = counts[start : start + _TILE].T
    return out


def _untouched(shape: tuple[int, ...]) -> Floats:
    """Zeros that are no memory until written to.

    New memory is slow to come by (on a virtual machine, slower than the arithmetic), and only pages with something in
    them are ever touched: numpy's own zeros would ask for huge pages, of which every one has something.
    """
    memory = mmap.mmap(-1, 8 * max(math.prod(shape), 1), access=mmap.ACCESS_COPY)
    return np.frombuffer(memory, np.float64, math.prod(shape)).reshape(shape)

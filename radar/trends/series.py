"""score_series: a whole history at once, as back-tests and measurements want it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radar.trends.state import SeriesState

_BLOCK = 16  # buckets turned over at a time: a cache line of int32


@dataclass(frozen=True)
class Scores:
    """What each bucket showed of each series; all arrays (series, buckets). Untested: p 1, lift 1, the rest 0."""

    p: NDArray[np.float64]
    lift: NDArray[np.float64]
    lift_floor: NDArray[np.float64]
    score: NDArray[np.float64]
    observed: NDArray[np.float64] | None = None
    expected: NDArray[np.float64] | None = None
    window: NDArray[np.int32] | None = None


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

    Causal: column t depends on columns up to t. A loop over `SeriesState.advance`, all series of one kind.
    """
    counts, heard = np.asarray(authors), np.asarray(exposure, np.float64)
    n, buckets = counts.shape
    if heard.shape != (buckets,):
        raise ValueError(f"exposure must have shape ({buckets},), got {heard.shape}")
    state = SeriesState(windows, season, half_life, warm_up)
    state.add(np.zeros(n, np.int8))
    p, lift, floor, score = np.ones((buckets, n)), np.ones((buckets, n)), np.zeros((buckets, n)), np.zeros((buckets, n))
    shape = (buckets if working else 0, n)
    observed, expected, window = np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int32)
    for start in range(0, buckets, _BLOCK):
        block = np.ascontiguousarray(counts[:, start : start + _BLOCK].T, np.float32)
        for t, y in enumerate(block, start):
            step = state.advance(y, float(heard[t]), t)
            at = step.series
            p[t, at], lift[t, at], floor[t, at], score[t, at] = step.p, step.lift, step.lift_floor, step.score
            if working:
                observed[t, at], expected[t, at], window[t, at] = step.observed, step.expected, step.window
    scores = Scores(p.T, lift.T, floor.T, score.T)
    return replace(scores, observed=observed.T, expected=expected.T, window=window.T) if working else scores

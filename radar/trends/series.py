"""score_series: a whole history at once, as back-tests and measurements want it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radar.trends.state import SeriesState, Step

_BLOCK = 64  # buckets turned over at a time: some cache lines
_SCORES = ("p", "lift", "lift_floor", "score")
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

    Causal: column t depends on columns up to t. A loop over `SeriesState.advance`, all series of one kind.
    """
    counts, heard = np.asarray(authors), np.asarray(exposure, np.float64)
    n, buckets = counts.shape
    if heard.shape != (buckets,):
        raise ValueError(f"exposure must have shape ({buckets},), got {heard.shape}")
    state = SeriesState(windows, season, half_life, warm_up)
    state.add(np.zeros(n, np.int8))
    names = (*_SCORES, *_WORKING) if working else _SCORES
    out = {name: np.zeros((n, buckets)) for name in names} | {"p": np.ones((n, buckets))}
    for start in range(0, buckets, _BLOCK):
        block = np.ascontiguousarray(counts[:, start : start + _BLOCK].T, np.float32)
        steps = [state.advance(y, float(heard[t]), t) for t, y in enumerate(block, start)]
        _write(steps, start, out)
    return Scores(**out)


def _write(steps: list[Step], start: int, out: dict[str, NDArray[np.float64]]) -> None:
    """Put a block of steps in place, series by series: memory of series that are never tested is never touched."""
    series = np.concatenate([step.series for step in steps])
    column = np.repeat(np.arange(start, start + len(steps)), [step.series.size for step in steps])
    order = np.argsort(series, kind="stable")
    series, column = series[order], column[order]
    for name, array in out.items():
        array[series, column] = np.concatenate([getattr(step, name) for step in steps])[order]

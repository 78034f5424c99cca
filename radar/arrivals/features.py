"""What the hazard of a cell depends on, as columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radar.arrivals.cells import EDGES, Cells
from radar.arrivals.pairs import PairHazards
from radar.arrivals.panel import Floats, Ints, Panel

_KNOTS = np.log(np.array([0.04, 0.12, 0.25, 0.5, 1, 2, 4, 8, 16, 32]))
"""Of the days since the last onset anywhere, whose effect is a broken line over their logarithm."""
_LEAST = 1e-4
_SCRIPT_PRIOR = 5.0
"""Onsets that a market's usual share of a script is worth: one trend in it is no taste."""
_HOURS = 24
Columns = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Known:
    """What features need of the past.

    scripts  names of the columns of `taste`;  taste  (markets, scripts) log of a market's share over all markets'
    clock    (markets, 25) share of a market's onsets before each hour of the day (UTC)
    volume   mean and deviation of log1p volume
    """

    pairs: PairHazards
    scripts: list[str]
    taste: Floats
    clock: Floats
    volume: tuple[float, float]


def known_of(panel: Panel, pairs: PairHazards) -> Known:
    """Learn a panel's habits."""
    begun = np.isfinite(panel.at)
    scripts = sorted(set(panel.script))
    codes = np.array([scripts.index(s) for s in panel.script])
    counts = np.stack([(begun & (codes == c)[:, None]).sum(axis=0) for c in range(len(scripts))], axis=1)
    usual = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / max(counts.sum(), 1)
    taste = np.log((counts + _SCRIPT_PRIOR) / (usual + _SCRIPT_PRIOR))
    clock = np.zeros((len(panel.markets), _HOURS + 1))
    for j in range(len(panel.markets)):
        at = panel.at[begun[:, j], j]
        found = np.bincount(((at % 1) * _HOURS).astype(int) % _HOURS, minlength=_HOURS) + 10.0
        smooth = (np.roll(found, 1) + found + np.roll(found, -1)) / 3
        clock[j, 1:] = np.cumsum(smooth / smooth.sum())
    sizes = panel.volume[np.isfinite(panel.volume)]
    volume = (float(sizes.mean()), max(float(sizes.std()), 0.1)) if sizes.size else (0.0, 1.0)
    return Known(pairs, scripts, taste, clock, volume)


def common(panel: Panel, cells: Cells, known: Known) -> Columns:
    """(cells, columns): what is the same for all intervals ahead. Onsets after a cell's moment are not looked at."""
    ages = cells.at[:, None] - panel.at[cells.trend]
    past = ages >= 0
    ages = np.where(past, ages, np.inf)
    count = past.sum(axis=1)
    newest, oldest = ages.min(axis=1), np.where(past, ages, 0).max(axis=1)
    bent = np.clip(np.log(newest + 0.02), _KNOTS[0], _KNOTS[-1])
    position = np.interp(bent, _KNOTS, np.arange(len(_KNOTS)))
    hats = np.clip(1 - np.abs(position[:, None] - np.arange(1, len(_KNOTS))), 0, None)
    sizes = np.where(past, panel.volume[cells.trend], np.nan)
    told = np.isfinite(sizes)
    size = (np.where(told, sizes, -np.inf).max(axis=1) - known.volume[0]) / known.volume[1]
    size = np.where(told.any(axis=1), np.clip(size, -4, 4), 0.0)
    index = {script: n for n, script in enumerate(known.scripts)}
    codes = np.array([index.get(s, -1) for s in panel.script])[cells.trend]
    taste = np.where(codes >= 0, known.taste[cells.market, codes], 0.0)
    few = np.log1p(count)
    columns = [
        few, few**2, np.log(oldest + 0.1), np.log1p((ages < 0.25).sum(axis=1)), np.log1p((ages < 1).sum(axis=1)),
        np.log(known.pairs.openness[cells.market]), taste, size, size * few, told.any(axis=1),
        count == 1,
    ]  # fmt: skip
    own = cells.market[:, None] == np.arange(len(known.clock))
    return np.column_stack([*columns, hats, own]).astype(np.float32)


def ahead(panel: Panel, cells: Cells, known: Known, fold: Ints) -> Columns:
    """(intervals, cells, 2): log hazard by the pairs in each interval ahead, and how awake the market is in it.

    fold  (trends,) which set of pair hazards a trend is to be looked up in
    """
    ages = cells.at[:, None] - panel.at[cells.trend]
    reached = np.zeros((len(EDGES), len(cells)))
    for i in range(ages.shape[1]):
        rows = np.flatnonzero(ages[:, i] >= 0)
        where = (np.full(rows.size, i), cells.market[rows], fold[cells.trend[rows]])
        for e, edge in enumerate(EDGES):
            reached[e, rows] += known.pairs.within(*where, ages[rows, i] + edge)
    hours = np.stack([_clock(known, cells, edge) for edge in EDGES])
    widths = np.diff(EDGES)[:, None]
    by_pairs = np.log(np.diff(reached, axis=0) / widths + _LEAST)
    return np.stack([by_pairs, np.log(np.diff(hours, axis=0) / widths)], axis=2).astype(np.float32)


def _clock(known: Known, cells: Cells, edge: float) -> Floats:
    """Days' worth of a market's onsets from the day of the cell's moment to `edge` days after it."""
    moment = cells.at % 1 + edge
    whole, hour = np.floor(moment), moment % 1 * _HOURS
    low = hour.astype(int)
    below = known.clock[cells.market, low]
    return np.asarray(whole + below + (hour - low) * (known.clock[cells.market, low + 1] - below), np.float64)

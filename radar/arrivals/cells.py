"""Cells: a trend and a market that it has not reached, at a moment; what they are learnt and judged on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radar.arrivals.panel import Floats, Ints, Panel

EDGES = np.array([0, 0.25, 0.5, 1, 2, 3, 5, 7, 10, 14])
"""Edges of the intervals ahead, in days, whose hazards are learnt."""
HORIZON = float(EDGES[-1])
LIVE = 14.0
"""A trend is live for so many days after its last onset anywhere: forecasts and back-tests are about live ones."""

_AGES = ((0.0, 0.5, 8.0), (0.5, 1.0, 4.0), (1.0, 3.0, 2.0), (3.0, 14.0, 0.6), (14.0, 60.0, 0.1))
"""Moments a day that are looked at, by the trend's age: (from, to, density)."""
_MOMENTS, _HITS, _MISSES = 100_000, 20_000, 40_000
"""Most moments drawn, and most cells kept with and without an onset ahead."""


@dataclass(frozen=True, slots=True)
class Cells:
    """(n,) each: row and column of the panel, the moment in days, what the cell stands for, days to the onset or inf,
    and days for which it was watched.
    """

    trend: Ints
    market: Ints
    at: Floats
    weight: Floats
    wait: Floats
    watched: Floats

    def __len__(self) -> int:
        return len(self.trend)

    def some(self, kept: NDArray[np.bool_]) -> "Cells":
        """The cells that `kept` marks."""
        return Cells(
            self.trend[kept], self.market[kept], self.at[kept], self.weight[kept], self.wait[kept], self.watched[kept]
        )


def drawn(panel: Panel, until: float, rng: np.random.Generator) -> Cells:
    """Cells to learn from: moments drawn by the trend's age, weighted as if looked at all the time."""
    first = panel.at.min(axis=1)
    moments: list[tuple[Ints, Floats, Floats]] = []
    for low, high, density in _AGES:
        n = rng.poisson(density * (high - low), len(first))
        rows = np.repeat(np.arange(len(first)), n)
        at = first[rows] + rng.uniform(low, high, rows.size)
        moments.append((rows, at, np.full(rows.size, 1 / density)))
    rows, at, weight = (np.concatenate([m[part] for m in moments]) for part in range(3))
    kept = at < until
    thin = min(1.0, _MOMENTS / max(int(kept.sum()), 1))
    kept &= rng.random(rows.size) < thin
    return _thinned(_cells(panel, rows[kept], at[kept], weight[kept] / thin, until), rng)


def _thinned(cells: Cells, rng: np.random.Generator) -> Cells:
    hit = cells.wait <= HORIZON
    share = np.where(hit, min(1.0, _HITS / max(hit.sum(), 1)), min(1.0, _MISSES / max((~hit).sum(), 1)))
    kept = rng.random(len(cells)) < share
    some = cells.some(kept)
    return Cells(some.trend, some.market, some.at, some.weight / share[kept], some.wait, some.watched)


def seen_at(panel: Panel, at: float, until: float, *, live: bool = True) -> Cells:
    """All cells of a moment; of live trends only, unless live is False."""
    past = np.where(panel.at <= at, panel.at, -np.inf).max(axis=1)
    rows = np.flatnonzero(past >= at - LIVE if live else np.isfinite(past))
    return _cells(panel, rows, np.full(rows.size, at), np.ones(rows.size), until)


def _cells(panel: Panel, rows: Ints, at: Floats, weight: Floats, until: float) -> Cells:
    wait = panel.at[rows] - at[:, None]
    which, market = np.nonzero(wait > 0)
    ahead = wait[which, market]
    watched = until - at[which]
    return Cells(
        rows[which], market, at[which], weight[which], np.where(ahead <= watched, ahead, np.inf), watched
    )  # fmt: skip

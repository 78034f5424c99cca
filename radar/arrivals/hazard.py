"""A logit of the hazard in each interval ahead, drawn to one that all intervals share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from radar.arrivals.cells import EDGES, Cells
from radar.arrivals.panel import Floats

RIDGE, DRAWN = 4.0, 30.0
"""What pulls the shared weights to nothing, and each interval's own ones to the shared: in squared deviations."""
LEAST_DEVIATION = 0.2
"""A column that hardly varies is not stretched: the few cells where it does would be far out."""
_STEPS, _ENOUGH = 15, 3e-3
_ROWS = 16_000
"""Cells without an onset in an interval that its weights are learnt on."""
Columns = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class HazardLogit:
    """(intervals, 1 + columns) weights over standardised columns."""

    mean: Floats
    deviation: Floats
    weights: Floats

    def log_odds(self, common: Columns, ahead: Columns) -> Floats:
        """(intervals, cells) logit of the hazard in each interval."""
        base = (common - self.mean[:-2]) / self.deviation[:-2]
        own = (ahead - self.mean[-2:]) / self.deviation[-2:]
        w = self.weights
        return np.asarray(w[:, :1] + w[:, 1:-2] @ base.T + np.einsum("kc,knc->kn", w[:, -2:], own), np.float64)


def at_risk(cells: Cells) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(intervals, cells): watched through the whole interval with no onset before it; and an onset in it."""
    risk = (cells.wait > EDGES[:-1, None]) & (cells.watched >= EDGES[1:, None])
    return risk, risk & (cells.wait <= EDGES[1:, None])


def fit(common: Columns, ahead: Columns, cells: Cells) -> HazardLogit:
    """Weights by penalised likelihood: shared ones first, then those of each interval around them."""
    both = np.column_stack([common, ahead[0]])
    mean, deviation = both.mean(axis=0), both.std(axis=0)
    deviation = np.maximum(deviation, LEAST_DEVIATION)
    base = ((common - mean[:-2]) / deviation[:-2]).astype(np.float64)
    risk, hit = at_risk(cells)
    blocks = []
    for k in range(len(ahead)):
        rows = np.flatnonzero(risk[k])
        own = (ahead[k][rows] - mean[-2:]) / deviation[-2:]
        blocks.append(_some((np.column_stack([np.ones(rows.size), base[rows], own]), hit[k][rows], cells.weight[rows])))
    shared = _shared(blocks)
    weights = np.stack(
        [_own(*block, start) if block[1].any() else start for block, start in zip(blocks, shared, strict=True)]
    )
    return HazardLogit(mean.astype(np.float64), deviation.astype(np.float64), weights)


Block = tuple[Floats, NDArray[np.bool_], Floats]


def _some(block: Block) -> Block:
    """All rows with an onset, and evenly some of the others."""
    x, y, w = block
    others = np.flatnonzero(~y)
    every = max(1, -(-others.size // _ROWS))
    rows = np.concatenate([np.flatnonzero(y), others[::every]])
    return x[rows], y[rows], np.where(y[rows], w[rows], w[rows] * every)


def _shared(blocks: list[Block]) -> Floats:
    """(intervals, 1 + columns): an intercept of its own for each interval, the other weights in common."""
    k, columns = len(blocks), blocks[0][0].shape[1]
    found = np.zeros(k + columns - 1)
    for n, (_, y, w) in enumerate(blocks):
        share = np.clip((w * y).sum() / max(w.sum(), 1), 1e-6, 0.5) if y.size else 1e-6
        found[n] = np.log(share / (1 - share))
    penalty = np.concatenate([np.full(k, 0.01), np.full(columns - 1, RIDGE)])
    start = found.copy()
    start[k:] = 0
    for _ in range(_STEPS):
        gradient = -penalty * (found - start)
        hessian = np.diag(penalty)
        for n, (x, y, w) in enumerate(blocks):
            at = np.concatenate([[n], np.arange(k, k + columns - 1)])
            p = expit(x @ found[at])
            gradient[at] += x.T @ (w * (y - p))
            hessian[np.ix_(at, at)] += (x * (w * p * (1 - p) + 1e-9)[:, None]).T @ x
        step = np.linalg.solve(hessian, gradient)
        found = found + step * min(1.0, 3.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < _ENOUGH:
            break
    return np.column_stack([found[:k], np.tile(found[k:], (k, 1))])


def _own(x: Floats, y: NDArray[np.bool_], w: Floats, start: Floats) -> Floats:
    """An interval's weights, drawn to the shared ones."""
    penalty = np.concatenate([[0.5], np.full(x.shape[1] - 1, DRAWN)])
    found = start.copy()
    for _ in range(_STEPS):
        p = expit(x @ found)
        gradient = x.T @ (w * (y - p)) - penalty * (found - start)
        hessian = np.diag(penalty) + (x * (w * p * (1 - p) + 1e-9)[:, None]).T @ x
        step = np.linalg.solve(hessian, gradient)
        found = found + step * min(1.0, 3.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < _ENOUGH:
            break
    return found


def calibrate(log_odds: Floats, cells: Cells) -> Floats:
    """(intervals, 2) intercepts and one slope that make hazards on later data right, drawn to (0, 1).

    A trend is seen at many moments, so that its onset counts several times: the pull is strong for that.
    """
    risk, hit = at_risk(cells)
    k = len(log_odds)
    penalty = np.array([*np.full(k, 10.0), 80.0])
    start = np.array([*np.zeros(k), 1.0])
    found = start.copy()
    for _ in range(_STEPS):
        gradient, hessian = -penalty * (found - start), np.diag(penalty)
        for n in range(k):
            x, y, w = log_odds[n][risk[n]], hit[n][risk[n]], cells.weight[risk[n]]
            p = expit(found[n] + found[k] * x)
            slack, curve = w * (y - p), w * p * (1 - p)
            gradient[n] += slack.sum()
            gradient[k] += (slack * x).sum()
            hessian[n, n] += curve.sum()
            hessian[k, k] += (curve * x * x).sum()
            hessian[n, k] += (curve * x).sum()
            hessian[k, n] = hessian[n, k]
        step = np.linalg.solve(hessian, gradient)
        found = found + step * min(1.0, 1.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < _ENOUGH:
            break
    return np.column_stack([found[:k], np.full(k, found[k])])

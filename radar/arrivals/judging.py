"""How good forecasts were on what came later: beside the rate at which each market is reached anyway."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radar.arrivals.cells import HORIZON, Cells
from radar.arrivals.panel import Floats, Ints

HORIZONS = (1.0, 3.0, 7.0, 14.0)
"""Days ahead that are published."""
_BINS, _DRAWS = 10, 500
_FLOOR = 0.01
"""Quantile that is a floor: of several horizons one is enough, so each has to be this sure."""
_SUREST = 1e-4
"""No forecast is judged as surer than this, nor any rate."""


@dataclass(frozen=True, slots=True)
class Error:
    """Forecasts of a horizon against what came.

    n, hits              cells (a live trend, a market it had not reached, a moment), and those reached in time
    base_rate            hits / n;      average_precision, auc   None without hits
    calibration_error    mean distance of the probability told from the share that came, over tenths of the forecasts
    skill, skill_floor   1 - log score / that of each market's own rate, and its 1 % bootstrap quantile by trends

    The log score (Good 1952) is proper as the Brier score is, but still tells 0.1 % from 5 %: a market is reached so
    seldom that squares of such small chances say next to nothing.
    """

    days: float
    n: int
    hits: int
    base_rate: float
    average_precision: float | None
    auc: float | None
    calibration_error: float
    skill: float
    skill_floor: float

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def error_of(days: float, cells: Cells, probability: Floats, base: Floats, rng: np.random.Generator) -> Error | None:
    """The error of a horizon; None where nothing was watched that long.

    base  (markets,) rate at which each market was reached before
    """
    seen = cells.watched >= days
    if not seen.any():
        return None
    from sklearn.metrics import average_precision_score, roc_auc_score  # whoever only forecasts does not wait for it

    hit, told = (cells.wait <= days)[seen], probability[seen]
    loss, usual = log_loss(told, hit), log_loss(base[cells.market[seen]], hit)
    both = bool(hit.any()) and not bool(hit.all())
    return Error(
        days, int(seen.sum()), int(hit.sum()), float(hit.mean()),
        float(average_precision_score(hit, told)) if both else None,
        float(roc_auc_score(hit, told)) if both else None,
        calibration_error(told, hit.astype(np.float64)),
        float(1 - loss.sum() / max(usual.sum(), 1e-12)),
        _skill_floor(cells.trend[seen], loss, usual, rng),
    )  # fmt: skip


def calibration_error(told: Floats, came: Floats) -> float:
    """Mean over tenths of the forecasts of |mean probability - share that came|.

    >>> calibration_error(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0.0, 0.0, 1.0, 1.0]))
    0.1
    """
    order = np.argsort(told, kind="stable")
    parts = np.array_split(order, min(_BINS, max(len(order) // 2, 1)))
    return round(float(sum(len(p) * abs(told[p].mean() - came[p].mean()) for p in parts) / len(order)), 10)


def log_loss(told: Floats, came: NDArray[np.bool_]) -> Floats:
    """What each forecast costs: minus the logarithm of the chance it gave to what happened.

    >>> log_loss(np.array([0.5, 0.5, 0.01]), np.array([True, False, False])).round(2).tolist()
    [0.69, 0.69, 0.01]
    """
    p = np.clip(told, _SUREST, 1 - _SUREST)
    return np.asarray(-np.log(np.where(came, p, 1 - p)), np.float64)


def _skill_floor(trend: Ints, loss: Floats, usual: Floats, rng: np.random.Generator) -> float:
    _, codes = np.unique(trend, return_inverse=True)
    mine, theirs = np.bincount(codes, loss), np.bincount(codes, usual)
    draws = (rng.poisson(1.0, mine.size) for _ in range(_DRAWS))
    losses = np.array([(draw @ mine, draw @ theirs) for draw in draws])
    return float(np.quantile(1 - losses[:, 0] / np.maximum(losses[:, 1], 1e-12), _FLOOR))


def coverage_of(cells: Cells, low: Floats, high: Floats) -> tuple[float | None, int]:
    """Of the cells that were reached within the horizon, the share inside [low, high] days; and how many."""
    came = (cells.wait <= HORIZON) & (cells.watched >= HORIZON)
    inside = (cells.wait >= low) & (cells.wait <= high) & came
    return (float(inside.sum() / came.sum()) if came.any() else None), int(came.sum())

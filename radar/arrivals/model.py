"""The model of arrivals: fitted forward in time, calibrated on what came later, and silent where it knows no better."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from threadpoolctl import threadpool_limits

from radar.arrivals import cells as cell
from radar.arrivals import features, hazard, judging, pairs
from radar.arrivals.cells import EDGES, HORIZON, Cells
from radar.arrivals.features import Known
from radar.arrivals.hazard import HazardLogit
from radar.arrivals.panel import Floats, Panel, day_of, panel_of

FEWEST_TRENDS, FEWEST_ARRIVALS = 40, 30
"""Trends, and onsets in a further market, below which nothing is fitted."""
FEWEST_TESTED = 10
"""Onsets in further markets in the part that is tested on, below which the error is not known."""
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
COLUMNS = ("trend", "market", "probability", "expected_at", "low", "high")
_MOMENTS, _CELLS = 30, 250_000
_CUTS = (0.5, 0.75)
"""Shares of the onsets: fit before the first, calibrate between them; fit before the second, test after it."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is learnt from the past up to a moment."""

    known: Known
    logit: HazardLogit
    calibration: Floats
    base: Floats

    def survival(self, panel: Panel, cells: Cells) -> Floats:
        """(edges, cells) probability that the market is not reached by each edge ahead."""
        return np.concatenate([np.ones((1, len(cells))), np.cumprod(1 - expit(self._log_odds(panel, cells)), axis=0)])

    def raw(self, panel: Panel, cells: Cells) -> Floats:
        """Log odds before calibration."""
        fold = np.zeros(len(panel.trends), np.int64)
        common = features.common(panel, cells, self.known)
        return self.logit.log_odds(common, features.ahead(panel, cells, self.known, fold))

    def _log_odds(self, panel: Panel, cells: Cells) -> Floats:
        return self.calibration[:, :1] + self.calibration[:, 1:] * self.raw(panel, cells)


@dataclass
class ArrivalModel:
    """Which trend enters which market next, and when: a discrete-time hazard.

    logit of the hazard in each of nine intervals over the 14 days ahead = market + hazard by the pairs + how many
    markets have it and how new that is + volume + script + hour, each interval's weights drawn to shared ones
    (`radar.arrivals.pairs`, `features`, `hazard`). Fitted on what was known at moments of the past; what was not
    watched to the end of an interval does not count for it (right-censoring).

    after `fit`:  markets; trends and arrivals, what it was learnt from; since, until; `errors` by horizon (forward in
    time: fitted on the first three quarters of the onsets, tested on the last); coverage of the 80 % interval;
    `reason` says why it forecasts nothing, None where it does.
    """

    seed: int = 0
    markets: list[str] = field(default_factory=list)
    trends: int = 0
    arrivals: int = 0
    since: pd.Timestamp | None = None
    until: pd.Timestamp | None = None
    errors: dict[float, judging.Error] = field(default_factory=dict)
    coverage: float | None = None
    reason: str | None = "It has not been fitted."
    fitted: Fitted | None = None

    def fit(self, frame: pd.DataFrame, *, until: datetime | pd.Timestamp | str | None = None) -> ArrivalModel:
        """Learn from onsets, and measure by forecasting the last quarter of them from those before.

        frame  trend, market, onset_at (naive times are UTC); optional volume (a trend's size at that onset) and
               script (of its name; read off `trend` if left out). Doubled rows count once.
        until  when watching ended; the last onset if left out

        Too few onsets, or forecasts no better than each market's own rate, leave `reason` and no forecasts.
        Raises ValueError for a frame without those columns.
        """
        with threadpool_limits(1, "blas"):  # matrices are small here: more threads only wait for each other
            return self._fit(frame, until)

    def _fit(self, frame: pd.DataFrame, until: datetime | pd.Timestamp | str | None) -> ArrivalModel:
        rng = np.random.default_rng(self.seed)
        panel = panel_of(frame)
        self.markets, self.fitted, self.errors, self.coverage = panel.markets, None, {}, None
        self.trends, self.arrivals = len(panel.trends), int(np.isfinite(panel.at).sum()) - len(panel.trends)
        if self.trends < FEWEST_TRENDS or self.arrivals < FEWEST_ARRIVALS:
            self.reason = (
                f"Not enough to learn from: {self.trends} trends, {self.arrivals} of their onsets in a further market; "
                f"{FEWEST_TRENDS} and {FEWEST_ARRIVALS} are needed."
            )
            return self
        onsets = np.sort(panel.at[np.isfinite(panel.at)])
        end = max(day_of(until), onsets[0]) if until is not None else float(onsets[-1])
        panel = panel.known_at(end)
        self.since, self.until = _timestamp(float(onsets[0])), _timestamp(end)
        first, second = (float(np.quantile(onsets[onsets <= end], cut)) for cut in _CUTS)
        calibration = _identity()
        for begin, stop in ((first, second), (second, end)):
            trial = _learn(panel.known_at(begin), begin, calibration, rng)
            if trial is None:
                self.reason = "Not enough to learn from: too few onsets in a further market in the first part."
                return self
            test = _snapshots(panel, begin, stop, rng)
            if stop == end:
                self._judge(trial, panel, test, rng)
            calibration = hazard.calibrate(trial.raw(panel, test), test)
        if self.reason is None:
            self.fitted = _learn(panel, end, calibration, rng)
        return self

    def predict(
        self,
        frame: pd.DataFrame,
        *,
        at: datetime | pd.Timestamp | str,
        within: timedelta | str | float = timedelta(days=7),
    ) -> pd.DataFrame:
        """Chances of each market that a trend has not reached, by what was known at a moment.

        frame   onsets as for `fit`; those after `at` are not looked at
        within  how far ahead: a timedelta, "24h", or days; at most 14 days

        Returns a row a trend and market: probability of an onset within that time; expected_at, low and high: the
        median and 80 % interval of the onset if it comes within 14 days. Markets that the model never saw take part as
        where trends are, not as where they go. No rows where `reason` is set. Raises ValueError.
        """
        ahead = _days(within)
        if self.fitted is None:
            return _empty()
        moment = day_of(at)
        panel = panel_of(frame, self.markets) if len(frame) else None
        panel = panel.known_at(moment) if panel is not None else None
        if panel is None or not len(panel.trends):
            return _empty()
        cells = cell.seen_at(_folded(panel, len(self.markets)), moment, moment, live=False)
        survival = self.fitted.survival(_folded(panel, len(self.markets)), cells)
        low, middle, high = _quantiles(survival)
        start = _timestamp(moment)
        found = pd.DataFrame(
            {
                "trend": panel.trends[cells.trend],
                "market": np.asarray(panel.markets, object)[cells.market],
                "probability": 1 - _at(survival, ahead),
                "expected_at": start + pd.to_timedelta(middle, "D"),
                "low": start + pd.to_timedelta(low, "D"),
                "high": start + pd.to_timedelta(high, "D"),
            }
        )
        return found.sort_values("probability", ascending=False, kind="stable").reset_index(drop=True)

    def _judge(self, trial: Fitted, panel: Panel, test: Cells, rng: np.random.Generator) -> None:
        survival = trial.survival(panel, test)
        for n, horizon in enumerate(judging.HORIZONS):
            error = judging.error_of(horizon, test, 1 - _at(survival, horizon), trial.base[n], rng)
            if error is not None:
                self.errors[horizon] = error
        low, _, high = _quantiles(survival)
        self.coverage, _ = judging.coverage_of(test, low, high)
        self.reason = _reason(self.errors)


def _reason(errors: dict[float, judging.Error]) -> str | None:
    """Why nothing is to be forecast; None where one horizon at least was forecast better than by the base rate."""
    told = [error for error in errors.values() if error.hits >= FEWEST_TESTED]
    if not told:
        return "Its forecasts could not be tested: too few onsets in a further market in the last quarter."
    if any(error.skill_floor > 0 for error in told):
        return None
    best = max(told, key=lambda error: error.skill)
    return (
        f"It forecasts no better than the rate at which each market is reached anyway: within {best.days:g} days a "
        f"skill of {best.skill:.3f} (at least {best.skill_floor:.3f}) on {best.n:,} cases."
    )


def _learn(panel: Panel, until: float, calibration: Floats, rng: np.random.Generator) -> Fitted | None:
    """Fit on what was known at `until`; None where there are too few onsets ahead of the moments drawn."""
    cells = cell.drawn(panel, until, rng)
    if (cells.wait <= HORIZON).sum() < FEWEST_ARRIVALS:
        return None
    fold = rng.integers(0, pairs.FOLDS, len(panel.trends))
    apart = features.known_of(panel, pairs.learn(panel, until, fold))
    common = features.common(panel, cells, apart)
    logit = hazard.fit(common, features.ahead(panel, cells, apart, fold), cells)
    known = features.known_of(panel, pairs.learn(panel, until))
    return Fitted(known, logit, calibration, _base(cells, panel))


def _base(cells: Cells, panel: Panel) -> Floats:
    """(horizons, markets) rate at which a market is reached by trends that are live and not yet there."""
    past = cells.at[:, None] - panel.at[cells.trend]
    live = np.where(past >= 0, past, np.inf).min(axis=1) <= cell.LIVE
    found = []
    for horizon in judging.HORIZONS:
        rows = live & (cells.watched >= horizon)
        weight = cells.weight * rows
        hits, all_ = (
            np.bincount(cells.market, w, len(panel.markets)) for w in (weight * (cells.wait <= horizon), weight)
        )
        overall = (hits.sum() + 1) / (all_.sum() + 10)
        found.append((hits + 20 * overall) / (all_ + 20))
    return np.stack(found)


def _snapshots(panel: Panel, begin: float, end: float, rng: np.random.Generator) -> Cells:
    """Cells of live trends at moments spread over (begin, end), the whole of each moment."""
    last = max(begin, end - 1.0)
    moments = begin + (np.arange(_MOMENTS) + rng.random(_MOMENTS)) / _MOMENTS * (last - begin)
    found: list[Cells] = []
    size = 0
    for at in rng.permutation(moments):
        found.append(cell.seen_at(panel, float(at), end))
        size += len(found[-1])
        if size > _CELLS:
            break
    parts = zip(*((c.trend, c.market, c.at, c.weight, c.wait, c.watched) for c in found), strict=True)
    return Cells(*(np.concatenate(part) for part in parts))


def _folded(panel: Panel, known: int) -> Panel:
    """A panel of known markets, trends that are in unknown ones only left without an onset."""
    return Panel(panel.trends, panel.markets[:known], panel.at[:, :known], panel.volume[:, :known], panel.script)


def _at(survival: Floats, ahead: float) -> Floats:
    """Survival at some days ahead: its logarithm is a line within an interval."""
    k = min(int(np.searchsorted(EDGES, ahead, side="left")), len(EDGES) - 1)
    share = (ahead - EDGES[k - 1]) / (EDGES[k] - EDGES[k - 1])
    before, after = (np.log(np.maximum(survival[n], 1e-12)) for n in (k - 1, k))
    return np.asarray(np.exp(before + share * (after - before)), np.float64)


def _quantiles(survival: Floats) -> tuple[Floats, Floats, Floats]:
    """Days to the onset, if it comes within the horizon: (low, middle, high) of its distribution."""
    reached = (1 - survival) / np.maximum(1 - survival[-1], 1e-12)
    found = []
    for level in (LOW, MIDDLE, HIGH):
        k = np.clip((reached < level).sum(axis=0), 1, len(EDGES) - 1)
        before, after = np.take_along_axis(reached, np.stack([k - 1, k]), axis=0)
        share = np.clip((level - before) / np.maximum(after - before, 1e-12), 0, 1)
        found.append(EDGES[k - 1] + share * (EDGES[k] - EDGES[k - 1]))
    return found[0], found[1], found[2]


def _identity() -> Floats:
    return np.tile([0.0, 1.0], (len(EDGES) - 1, 1))


def _days(within: timedelta | str | float) -> float:
    if isinstance(within, str):
        within = pd.Timedelta(within.replace("d", "D") if within.rstrip().endswith("d") else within)
    length = float(within) if isinstance(within, int | float) else within / timedelta(days=1)
    if not 0 < length <= HORIZON:
        raise ValueError(f"within: expected up to {HORIZON:g} days, got {within!r}")
    return float(length)


def _timestamp(day: float) -> pd.Timestamp:
    return (pd.Timestamp(0, tz="UTC") + pd.to_timedelta(day, "D")).floor("us")


def _empty() -> pd.DataFrame:
    moments: Any = pd.Series([], dtype="datetime64[us, UTC]")
    return pd.DataFrame(
        {"trend": [], "market": [], "probability": pd.Series([], dtype=float)} | dict.fromkeys(COLUMNS[3:], moments)
    )

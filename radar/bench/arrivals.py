"""How arrivals are forecast on a synthetic network of nine markets, and what fitting and forecasting cost.

RADAR_BENCH_ARRIVALS names a Parquet file of your own instead: a row an onset (trend, market, onset_at, and optional
volume and script), or a row a trend with a column of times a market.
"""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from radar.arrivals import ArrivalModel
from radar.lead_lag import pair_table
from radar.scheduling import Progress

TRENDS, MARKETS, DAYS = 4_000, 9, 150.0


def measure(progress: Progress) -> dict[str, object]:
    """By horizon on the last quarter: average precision over the base rate, AUC, calibration error and skill."""
    own = os.environ.get("RADAR_BENCH_ARRIVALS")
    frame = pd.read_parquet(Path(own)) if own else _network()
    began = time.perf_counter()
    model = ArrivalModel().fit(frame)
    fitted = time.perf_counter() - began
    progress("fits", 1, 2)
    found: dict[str, object] = {
        "data": own or "synthetic", "trends": model.trends, "arrivals": model.arrivals,
        "reason": model.reason or "forecasts", "fit_seconds": round(fitted, 2),
    }  # fmt: skip
    if model.reason is None:
        began = time.perf_counter()
        told = model.predict(frame, at=model.until or "", within="7d")
        found["forecasts_a_second"] = round(len(told) / (time.perf_counter() - began))
    for days, error in model.errors.items():
        name = f"within_{days:g}d"
        if error.average_precision is not None and error.auc is not None:
            found[f"{name}_precision_over_base"] = round(error.average_precision / error.base_rate, 2)
            found[f"{name}_auc"] = round(error.auc, 4)
        found |= {
            f"{name}_base_rate": round(error.base_rate, 4), f"{name}_n": error.n,
            f"{name}_calibration_error": round(error.calibration_error, 4), f"{name}_skill": round(error.skill, 4),
        }  # fmt: skip
    began = time.perf_counter()
    leads = pair_table(frame, "1h")
    progress("fits", 2, 2)
    return found | {"lead_seconds": round(time.perf_counter() - began, 2), "leads": int(leads["lead"].sum())}


def _network() -> pd.DataFrame:
    """Trends of heavy-tailed size that pass on from market to market, near ones sooner and more often."""
    rng = np.random.default_rng(0)
    close = rng.lognormal(0, 0.9, (MARKETS, MARKETS))
    lag = rng.lognormal(-0.3, 0.8, (MARKETS, MARKETS))
    rows: list[tuple[str, str, float]] = []
    for n in range(TRENDS):
        at = np.full(MARKETS, np.inf)
        at[rng.integers(MARKETS)] = rng.uniform(0, DAYS)
        size, waiting = float(np.exp(rng.normal(0, 1.2))), set(np.flatnonzero(np.isfinite(at)).tolist())
        while waiting:
            source = min(waiting, key=lambda market: float(at[market]))
            waiting.remove(source)
            reached = np.flatnonzero(rng.random(MARKETS) < 1 - np.exp(-0.05 * size * close[source]))
            for market in reached.tolist():
                when = at[source] + lag[source, market] * rng.gamma(1.5, 0.7)
                waiting |= {market} if np.isinf(at[market]) else set()
                at[market] = min(at[market], when)
        rows += [(f"t{n}", f"M{m}", float(at[m])) for m in np.flatnonzero(at <= DAYS)]
    frame = pd.DataFrame(rows, columns=["trend", "market", "day"])
    frame["onset_at"] = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(frame.pop("day"), "D")
    return frame

"""What a list of trends costs, on synthetic counts: seconds per million (series x bucket) cells beside what people use
today over the same matrix, and one hour's update of 100,000 series."""

import time
from collections.abc import Callable

import numpy as np

from radar.bench import peers
from radar.scheduling import Progress
from radar.trends import SeriesState, score_series
from radar.windows import Bucket

SERIES, BUCKETS = 20_000, 336
MANY, HOURS = 100_000, 60
RUNS = 5


def _counts(series: int, buckets: int) -> tuple[peers.Counts, peers.Floats]:
    rng = np.random.default_rng(0)
    hour = 1 + 0.8 * np.sin(np.arange(buckets) / 24 * 2 * np.pi)
    rates = np.minimum(rng.pareto(1.1, series) * 0.02, 30)
    return rng.poisson(rates[:, None] * hour).astype(np.int32), 1000 * hour


def measure(progress: Progress) -> dict[str, object]:
    """Seconds per million cells, ratios to each peer (below 1 is faster), milliseconds an hour and bytes a series."""
    counts, heard = _counts(SERIES, BUCKETS)
    settings = {"windows": (1, 3, 6, 24), "season": 24, "half_life": 168.0, "warm_up": 48}
    score_series(counts[:50, :60], heard[:60], **settings)  # type: ignore[arg-type]
    ours = _seconds(lambda: score_series(counts, heard, **settings), counts)  # type: ignore[arg-type]
    progress("detectors", 1, 5)
    others = {"signitrend": _seconds(lambda: peers.signitrend(counts, 24), counts)}
    progress("detectors", 2, 5)
    few = counts[:1_000]
    others["gnip"] = _seconds(lambda: peers.gnip(few, 24), few)
    progress("detectors", 3, 5)
    others["mastodon"] = _seconds(lambda: peers.mastodon(counts), counts)
    progress("detectors", 4, 5)
    milliseconds, size = _an_hour()
    progress("detectors", 5, 5)
    return {
        "cells": counts.size,
        "windows": 4,
        "seconds_per_million_cells": round(ours, 4),
        **{f"{name}_seconds_per_million_cells": round(seconds, 4) for name, seconds in others.items()},
        **{f"ratio_to_{name}": round(ours / seconds, 3) for name, seconds in others.items()},
        "advance_100000_series_ms": round(milliseconds, 2),
        "bytes_a_series": round(size),
    }


def _seconds(run: Callable[[], object], counts: peers.Counts) -> float:
    """Seconds per million cells, the median of some runs: the first one waits for memory that is nobody's yet."""
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return float(np.median(took)) / counts.size * 1e6


def _an_hour() -> tuple[float, float]:
    """Median milliseconds of one hour's update of 100,000 series once the warm-up has passed, and bytes of state."""
    counts, heard = _counts(MANY, HOURS)
    hour = Bucket.HOUR
    state = SeriesState(hour.windows, hour.season, hour.half_life, hour.warm_up)
    state.add(np.zeros(MANY, np.int8))
    took = []
    for t in range(HOURS):
        y = np.ascontiguousarray(counts[:, t], np.float32)
        began = time.perf_counter()
        state.advance(y, float(heard[t]), t)
        took.append(time.perf_counter() - began)
    return float(np.median(took[hour.warm_up :]) * 1e3), state.nbytes / MANY

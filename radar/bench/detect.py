"""Seconds per million (series x bucket) cells on synthetic counts; beside it SigniTrend's moving mean and variance
(Schubert et al., KDD 2014) over the same matrix in NumPy."""

import time

import numpy as np
import numpy.typing as npt

from radar.scheduling import Progress
from radar.trends import score_series

SERIES, BUCKETS = 20_000, 336


def signitrend(counts: npt.NDArray[np.int32], half_life: float, beta: float = 1.0) -> npt.NDArray[np.float64]:
    """SigniTrend's significance of each cell (series, buckets): deviation from an exponentially weighted mean."""
    x = counts.astype(float)
    rate = 1 - 0.5 ** (1 / half_life)
    mean, variance = x[:, 0].copy(), np.zeros(len(x))
    out = np.zeros(x.shape)
    for t in range(1, x.shape[1]):
        out[:, t] = (x[:, t] - np.maximum(mean, beta)) / (np.sqrt(variance) + beta)
        off = x[:, t] - mean
        mean = mean + rate * off
        variance = (1 - rate) * (variance + rate * off * off)
    return out


def measure(progress: Progress) -> dict[str, object]:
    """seconds_per_million_cells, and ratio_to_signitrend (below 1 is faster)."""
    rng = np.random.default_rng(0)
    hour = 1 + 0.8 * np.sin(np.arange(BUCKETS) / 24 * 2 * np.pi)
    counts = rng.poisson(np.minimum(rng.pareto(1.1, SERIES) * 0.02, 30)[:, None] * hour).astype(np.int32)
    settings = {"windows": (1, 3, 6, 24), "season": 24, "half_life": 168.0, "warm_up": 48}
    score_series(counts[:50, :60], 1000 * hour[:60], **settings)  # type: ignore[arg-type]
    progress("runs", 1, 3)
    began = time.perf_counter()
    score_series(counts, 1000 * hour, **settings)  # type: ignore[arg-type]
    ours = time.perf_counter() - began
    progress("runs", 2, 3)
    began = time.perf_counter()
    signitrend(counts, 24)
    peer = time.perf_counter() - began
    progress("runs", 3, 3)
    cells = counts.size / 1e6
    return {
        "cells": counts.size,
        "seconds_per_million_cells": round(ours / cells, 4),
        "peer": "SigniTrend, one window, no season, no test",
        "peer_seconds_per_million_cells": round(peer / cells, 4),
        "ratio_to_signitrend": round(ours / peer, 3),
    }

"""Detectors that people use today, written from their papers and pages, to be measured in the same run as ours.

All take counts (series, buckets) and give what orders a list, (series, buckets), higher first.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import poisson

Counts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


def signitrend(counts: Counts, half_life: float, beta: float = 1.0) -> Floats:
    """Deviation from an exponentially weighted mean (Schubert, Weiler and Kriegel, SigniTrend, KDD 2014)."""
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


def gnip(counts: Counts, season: int, confidence: float = 0.99) -> Floats:
    """Distance from the mean of the same slot of earlier cycles, in widths of a Poisson interval around it (Hendrickson
    et al., Trend Detection in Social Data, Gnip 2015)."""
    x = counts.astype(float)
    out = np.zeros(x.shape)
    total, cycles = np.zeros((len(x), season)), np.zeros(season)
    for t in range(x.shape[1]):
        slot = t % season
        usual = np.maximum(total[:, slot] / max(cycles[slot], 1), 0.2)
        low, high = poisson.interval(confidence, usual)
        out[:, t] = (x[:, t] - usual) / np.maximum(high - low, 1)
        total[:, slot] += x[:, t]
        cycles[slot] += 1
    return out


def mastodon(counts: Counts, fewest: int = 5, half_life: float = 1.0) -> Floats:
    """(observed - expected)^2 / expected against the bucket before, its peak fading by half-lives (Mastodon's tags)."""
    x = counts.astype(float)
    out = np.zeros(x.shape)
    peak, peaked = np.zeros(len(x)), np.zeros(len(x))
    for t in range(1, x.shape[1]):
        usual = np.maximum(x[:, t - 1], 1)
        risen = (x[:, t] >= fewest) & (x[:, t] > usual)
        score = np.where(risen, (x[:, t] - usual) ** 2 / usual, 0)
        fades = peak * 0.5 ** ((t - peaked) / half_life)
        higher = score > fades
        peak, peaked = np.where(higher, score, peak), np.where(higher, t, peaked)
        out[:, t] = peak * 0.5 ** ((t - peaked) / half_life)
    return out

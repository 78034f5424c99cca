"""From margins to probabilities and decisions, and what they are held against; needs no scikit-learn to be read."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Floats = npt.NDArray[np.float64]
Indicators = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labelled posts: texts and their topics, (posts, topics) of 0 and 1."""

    texts: list[str]
    languages: list[str]
    topics: Indicators


@dataclass(frozen=True, slots=True)
class Calibration:
    """From margins to probabilities and decisions, each (topics,): sigmoid(slope * margin + offset) >= threshold."""

    slope: Floats
    offset: Floats
    thresholds: Floats

    def probabilities(self, margins: Floats) -> Floats:
        """(posts, topics) in (0, 1)."""
        return np.asarray(expit(self.slope * margins + self.offset))


def f1(on: npt.NDArray[np.bool_], truth: Indicators) -> float:
    """Harmonic mean of precision and recall; 0 where neither holds anything."""
    return float(2 * (on & (truth == 1)).sum() / max(on.sum() + truth.sum(), 1))


def best_threshold(p: Floats, truth: Indicators, least_precision: float, least: float) -> float:
    """Where F1 is best among thresholds from `least` on that keep the precision.

    >>> best_threshold(np.array([.9, .8, .4, .35]), np.array([1, 1, 1, 0], np.int8), 0.7, 0.3)
    0.36
    """
    best, best_f1 = 0.5, -1.0
    for threshold in np.arange(least, 0.91, 0.02):
        on = p >= threshold
        precision = (truth[on] == 1).mean() if on.any() else 1.0
        score = f1(on, truth)
        if precision >= least_precision and score > best_f1:
            best, best_f1 = float(threshold), score
    return round(best, 2)

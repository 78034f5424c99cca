"""From margins to probabilities and decisions, and what they are held against; needs no scikit-learn to be read."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MOST = 60.0
"""Log odds beyond which a probability is as good as certain; and SciPy need not be imported to read a post."""

Indicators = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labelled posts: texts and their topics, (posts, topics) of 0 and 1."""

    texts: list[str]
    languages: list[str]
    topics: Indicators


@dataclass(frozen=True, slots=True)
class Calibration:
    """From margins to probabilities and decisions, all but the first (topics,).

    weights     (topics, 3) of a topic's own margin, of its strongest rival's, and of the margin of any topic at all
    offset      probability = sigmoid(weighted sum + offset)
    thresholds  probability from which a post is given the topic
    """

    weights: Floats
    offset: Floats
    thresholds: Floats

    def probabilities(self, margins: Floats) -> Floats:
        """(posts, topics) in (0, 1), of margins (posts, topics + 1), the last of any topic."""
        return sigmoid(margins, self.weights, self.offset)


def sigmoid(margins: Floats, weights: Floats, offset: Floats) -> Floats:
    """Probabilities (posts, topics) of margins (posts, topics + 1)."""
    own, rival, any_topic = margins[:, :-1], rivals(margins[:, :-1]), margins[:, -1:]
    heard = own * weights[:, 0] + rival * weights[:, 1] + any_topic * weights[:, 2] + offset
    return np.asarray(1 / (1 + np.exp(-np.clip(heard, -MOST, MOST))))


def rivals(margins: Floats) -> Floats:
    """The highest margin among the other topics, (posts, topics).

    >>> rivals(np.array([[3.0, 1.0, 2.0]])).tolist()
    [[2.0, 3.0, 3.0]]
    """
    second, first = np.moveaxis(np.partition(margins, -2, axis=1)[:, -2:], 1, 0)
    return np.asarray(np.where(margins == first[:, None], second[:, None], first[:, None]))


def with_any(topics: Indicators) -> Indicators:
    """Topics and one column more: whether a post has any, (posts, topics + 1)."""
    return np.hstack([topics, topics.any(1, keepdims=True)]).astype(np.int8)


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

"""From margins to probabilities and decisions, and what they are held against; needs no scikit-learn to be read."""

import math
from dataclasses import dataclass
from typing import Any

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
    gate        how sure it must be that a post has any topic at all
    """

    weights: Floats
    offset: Floats
    thresholds: Floats
    gate: "Gate"

    def probabilities(self, margins: Floats) -> Floats:
        """(posts, topics) in (0, 1), of margins (posts, topics + 1), the last of any topic."""
        return sigmoid(margins, self.weights, self.offset) * self.gate.factor(margins)[:, None]


@dataclass(frozen=True, slots=True)
class Gate:
    """What is left of a post's probabilities where it may have no topic at all: all of them, or `shut` of them.

    Between the two the factor is linear in the log odds of any topic, so that no rounding turns a decision over.

    weights  (3,) of the margin of any topic, of the highest topic's and of the second's
    offset   how far the gate is open = weighted sum + offset, held between 0 and 1
    shut     no threshold is below it
    """

    weights: Floats
    offset: float
    shut: float

    def factor(self, margins: Floats) -> Floats:
        """(posts,) in [shut, 1], of margins (posts, topics + 1)."""
        is_open = np.clip(gate_features(margins) @ self.weights + self.offset, 0, 1)
        return np.asarray(self.shut + (1 - self.shut) * is_open)


OPEN = Gate(np.zeros(3), 1.0, 0.0)
"""Of models that were fitted before there was a gate."""


def gate_features(margins: Floats) -> Floats:
    """(posts, 3): the margin of any topic, the highest of a topic and the second, of margins (posts, topics + 1).

    >>> gate_features(np.array([[3.0, 1.0, 2.0, 0.5]])).tolist()
    [[0.5, 3.0, 2.0]]
    """
    highest = np.partition(margins[:, :-1], -2, axis=1)[:, -2:]
    return np.stack([margins[:, -1], highest[:, 1], highest[:, 0]], axis=1)


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


def best_thresholds(p: Floats, truth: Indicators, least_precision: float, least: float) -> Floats:
    """Where each topic's F1 is best among thresholds from `least` on that keep the precision, (topics,).

    Thresholds are whole hundredths, every other one from the first that is not below `least`.

    p, truth  (posts, topics)

    >>> best_thresholds(np.array([[.9], [.8], [.4], [.35]]), np.array([[1], [1], [1], [0]], np.int8), 0.7, 0.3).tolist()
    [0.36]
    """
    first = math.ceil(round(100 * least, 6))
    tried = np.arange(first, max(first, 90) + 1, 2) / 100
    found = np.full(p.shape[1], max(0.5, tried[0]))
    for k in range(p.shape[1]):
        near = p[:, k] >= tried[0]  # most posts are given the topic by none of the thresholds
        reached = np.searchsorted(tried, p[near, k], side="right")
        given = _from_each_on(np.bincount(reached, minlength=len(tried) + 1))
        right = _from_each_on(np.bincount(reached, truth[near, k], len(tried) + 1))
        score = 2 * right / np.maximum(given + truth[:, k].sum(), 1)
        keeps = right >= least_precision * given
        if keeps.any():
            found[k] = tried[np.where(keeps, score, -1).argmax()]
    return found


def _from_each_on(counts: Any) -> Floats:
    """Of counts by thresholds reached, how many reach each of them."""
    return np.asarray(counts[::-1].cumsum()[::-1][1:], float)

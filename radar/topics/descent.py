"""Linear classifiers of all topics in one go, and what they say of posts that they have not seen.

The classifiers are scikit-learn's LinearSVC (squared hinge, the intercept one more feature), and the optimum is the
same; liblinear reads all posts anew for each topic, here a post is read once for all of them. Solved by dual coordinate
descent (Hsieh et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008): a post's dual
variable on a topic is 2 C max(0, 1 - y f) at the optimum.

For posts that are unseen, each fold's are taken out of the classifiers of all, and the rest is brought to its own
optimum: with the duals of before, a few passes do. Folds are dealt to threads; orders are drawn before, so that any
number of threads gives the same.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from radar._jit import jit_unlocked
from radar.topics.calibration import Floats, Indicators

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

PASSES = 12
"""From nothing: the sum over posts and penalty is then within a few thousandths of its least."""

PASSES_UNSEEN = 5
"""From the duals of all posts: margins are then within .03 of a fit from nothing (root mean square)."""

_STILL = np.float32(1e-4)
"""A dual variable that would move by less stays."""

_ROWS = 1_024
"""Posts whose margins are read at a time."""


class Posts:
    """Features and topics of labelled posts, and what the descent has found for them.

    features  sparse (posts, features)
    topics    (posts, topics) 0 or 1
    c         inverse strength of the penalty
    """

    def __init__(self, features: Any, topics: Indicators, c: float, seed: int) -> None:
        self.x = features.tocsr().astype(np.float32, copy=False)
        self.x.sort_indices()
        self.signs: Floats32 = np.where(topics > 0, 1, -1).astype(np.float32)
        self.duals = np.zeros(topics.shape, np.float32)
        self._norms = np.array([value @ value for value in np.split(self.x.data, self.x.indptr[1:-1])], np.float32)
        self._ridge = np.float32(0.5 / c)
        self._rng = np.random.default_rng(seed)

    def fit(self, passes: int = PASSES) -> None:
        """Find the duals of classifiers of all posts."""
        self._solved(self._orders(np.arange(self.x.shape[0]), passes), self.duals)

    def planes(self) -> tuple[Floats32, Floats32]:
        """Coefficients (features, topics) and intercepts (topics,) of the classifiers of all posts; after `fit`.

        They are what the duals say, and need not lie beside those of the folds.
        """
        pull = self.duals * self.signs
        return np.ascontiguousarray(self.x.T @ pull), pull.sum(0)

    def unseen_margins(self, splits: Iterable[tuple[Ints, Ints]], passes: int = PASSES_UNSEEN) -> Floats:
        """Margins of each post by classifiers that have not seen it, (posts, topics); after `fit`.

        splits  (rows that train, rows that are unseen); each post is unseen once
        """
        margins = np.zeros(self.signs.shape)
        folds = [(self._orders(train, passes), unseen) for train, unseen in splits]

        def leave_out(fold: tuple[Ints, Ints]) -> None:
            order, unseen = fold
            weights, bias = self._solved(order, self.duals.copy())
            for rows in np.array_split(unseen, max(1, len(unseen) // _ROWS)):
                margins[rows] = self.x[rows] @ weights + bias

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(leave_out, folds))
        return margins

    def _orders(self, rows: Ints, passes: int) -> Ints:
        return np.stack([self._rng.permutation(rows) for _ in range(passes)])

    def _solved(self, order: Ints, duals: Floats32) -> tuple[Floats32, Floats32]:
        """Classifiers of the rows in order, (passes, rows), beginning with their duals, which are brought on."""
        x, pull = self.x, np.zeros_like(duals)
        pull[order[0]] = (duals * self.signs)[order[0]]
        weights, bias = np.ascontiguousarray(x.T @ pull), pull.sum(0)
        _descend(
            x.indptr, x.indices, x.data, self._norms, order.ravel(), self._ridge, self.signs.ravel(), duals.ravel(),
            weights.ravel(), bias,
        )  # fmt: skip
        return weights, bias


@jit_unlocked
def _descend(
    starts: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    values: Floats32,
    norms: Floats32,
    order: Ints,
    ridge: np.float32,
    signs: Floats32,
    duals: Floats32,
    weights: Floats32,
    bias: Floats32,
) -> None:
    """Matrices lie flat, a row after the other: rows cut out of them take a third longer."""
    topics = bias.size
    margin, move = np.zeros(topics, np.float32), np.zeros(topics, np.float32)
    for i in order:
        margin[:] = bias
        for at in range(starts[i], starts[i + 1]):
            value, first = values[at], np.uint64(columns[at]) * np.uint64(topics)
            for k in range(topics):
                margin[k] += value * weights[first + np.uint64(k)]
        curve = norms[i] + np.float32(1.0) + ridge
        moved = False
        for k in range(topics):
            dual, sign = duals[i * topics + k], signs[i * topics + k]
            step = max(-dual, (np.float32(1.0) - sign * margin[k] - ridge * dual) / curve)
            move[k] = np.float32(0.0)
            if abs(step) > _STILL:
                move[k] = step * sign
                duals[i * topics + k] = dual + step
                moved = True
        if moved:
            bias += move
            for at in range(starts[i], starts[i + 1]):
                value, first = values[at], np.uint64(columns[at]) * np.uint64(topics)
                for k in range(topics):
                    weights[first + np.uint64(k)] += value * move[k]

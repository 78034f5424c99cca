"""Linear classifiers of all topics in one go, and what they say of posts that they have not seen.

The classifiers are scikit-learn's LinearSVC (squared hinge, the intercept one more feature), and the optimum is the
same; liblinear reads all posts anew for each topic, here a post is read once for all of them. Solved by dual coordinate
descent (Hsieh et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008): a post's dual
variable on a topic is 2 C max(0, 1 - y f) at the optimum.

For posts that are unseen, each fold's are taken out of the classifiers of all, and the rest is brought to its own
optimum: with the duals of before, a few passes do.

Topics know nothing of each other, so `WIDE` of them are solved at a time: their weights are so small that the nearer
memory holds much of them. Blocks and folds are dealt to threads; orders are drawn before, so that any number of threads
gives the same.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from radar._eight import EIGHT, plus, put, taken
from radar._jit import jit_unlocked
from radar.topics.calibration import Floats, Indicators

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Ints32 = npt.NDArray[np.int32]

PASSES = 12
"""From nothing: the sum over posts and penalty is then within a few thousandths of its least."""

PASSES_UNSEEN = 5
"""From the duals of all posts: margins are then within .03 of a fit from nothing (root mean square)."""

WIDE = 3 * EIGHT
"""Topics that are solved at a time."""

_STILL = np.float32(1e-4)
"""A dual variable that would move by less stays."""


class Posts:
    """Features and topics of labelled posts, and what the descent has found for them.

    features  sparse (posts, features)
    topics    (posts, topics) 0 or 1
    c         inverse strength of the penalty
    """

    def __init__(self, features: Any, topics: Indicators, c: float, seed: int) -> None:
        self.x = features.tocsr().astype(np.float32, copy=False)
        self.x.sort_indices()
        self._rows = (
            self.x.indptr.astype(np.int32, copy=False),
            self.x.indices.astype(np.int32, copy=False),
            self.x.data,
        )
        self._norms = np.empty(len(topics), np.float32)
        _measure(self._rows[0], self._rows[2], self._norms)
        self._topics = topics.shape[1]
        blocks = -(-self._topics // WIDE)
        self._signs = np.zeros((blocks, len(topics), WIDE), np.float32)
        for block in range(blocks):
            some = topics[:, block * WIDE : (block + 1) * WIDE]
            self._signs[block, :, : some.shape[1]] = np.where(some > 0, 1, -1)
        self._duals = np.zeros_like(self._signs)
        self._ridge = np.float32(0.5 / c)
        self._rng = np.random.default_rng(seed)

    def fit(self, passes: int = PASSES) -> None:
        """Find the duals of classifiers of all posts."""
        order = self._orders(np.arange(self.x.shape[0]), passes)

        def solve(block: int) -> None:
            self._solved(block, order, self._duals[block])

        _at_once(solve, range(len(self._duals)))

    def planes(self) -> tuple[Floats32, Floats32]:
        """Coefficients (topics, features) and intercepts (topics,) of the classifiers of all posts; after `fit`.

        They are what the duals say, and need not lie beside those of the folds.
        """
        coefficients = np.empty((self._topics, self.x.shape[1]), np.float32)
        intercepts = np.empty(self._topics, np.float32)
        everyone = np.arange(self.x.shape[0])
        for block, duals in enumerate(self._duals):
            weights, bias = self._begun(block, everyone, duals)
            first = block * WIDE
            some = coefficients[first : first + WIDE]
            some[:] = weights[:, : len(some)].T
            intercepts[first : first + WIDE] = bias[: len(some)]
        return coefficients, intercepts

    def unseen_margins(self, splits: Iterable[tuple[Ints, Ints]], passes: int = PASSES_UNSEEN) -> Floats:
        """Margins of each post by classifiers that have not seen it, (posts, topics); after `fit`.

        splits  (rows that train, rows that are unseen); each post is unseen once
        """
        margins = np.zeros((len(self._signs), self.x.shape[0], WIDE), np.float32)
        folds = [(self._orders(train, passes), unseen) for train, unseen in splits]

        def leave_out(job: tuple[Ints, Ints, int]) -> None:
            order, unseen, block = job
            weights, bias = self._solved(block, order, self._duals[block].copy())
            _listen(*self._rows, unseen, weights.ravel(), bias, margins[block].ravel())

        _at_once(leave_out, [(*fold, block) for fold in folds for block in range(len(margins))])
        return np.concatenate(margins, axis=1)[:, : self._topics].astype(np.float64)

    def _orders(self, rows: Ints, passes: int) -> Ints:
        return np.stack([self._rng.permutation(rows) for _ in range(passes)])

    def _begun(self, block: int, rows: Ints, duals: Floats32) -> tuple[Floats32, Floats32]:
        """Weights (features, WIDE) and bias (WIDE,) that the rows' duals say."""
        weights, pull = np.zeros((self.x.shape[1], WIDE), np.float32), duals * self._signs[block]
        _pull_all(*self._rows, rows, pull.ravel(), weights.ravel())
        return weights, pull[rows].sum(0)

    def _solved(self, block: int, order: Ints, duals: Floats32) -> tuple[Floats32, Floats32]:
        """Classifiers of the rows in order, (passes, rows), beginning with their duals, which are brought on."""
        weights, bias = self._begun(block, np.sort(order[0]), duals)
        many = min(WIDE, self._topics - block * WIDE)
        _descend(
            *self._rows, self._norms, order.ravel(), self._ridge, many, self._signs[block].ravel(), duals.ravel(),
            weights.ravel(), bias,
        )  # fmt: skip
        return weights, bias


def _at_once(work: Callable[[Any], None], jobs: Iterable[Any]) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(work, jobs))


@jit_unlocked
def _measure(starts: Ints32, values: Floats32, norms: Floats32) -> None:
    """The square of each row's length."""
    for i in range(norms.size):
        norms[i] = np.float32(0.0)
        for at in range(starts[i], starts[i + 1]):
            norms[i] += values[at] * values[at]


@jit_unlocked
def _hear(
    starts: Ints32, columns: Ints32, values: Floats32, i: int, weights: Floats32, bias: Floats32, out: Floats32, to: int
) -> None:
    """Put the margins of a row into out[to : to + WIDE]."""
    a, b, c = taken(bias, 0), taken(bias, EIGHT), taken(bias, 2 * EIGHT)
    for at in range(starts[i], starts[i + 1]):
        value, first = values[at], np.int64(columns[at]) * WIDE
        a = plus(a, value, taken(weights, first))
        b = plus(b, value, taken(weights, first + EIGHT))
        c = plus(c, value, taken(weights, first + 2 * EIGHT))
    put(out, to, a)
    put(out, to + EIGHT, b)
    put(out, to + 2 * EIGHT, c)


@jit_unlocked
def _pull(
    starts: Ints32, columns: Ints32, values: Floats32, i: int, moves: Floats32, by: int, weights: Floats32
) -> None:
    """Add a row to the weights, times moves[by : by + WIDE]."""
    a, b, c = taken(moves, by), taken(moves, by + EIGHT), taken(moves, by + 2 * EIGHT)
    for at in range(starts[i], starts[i + 1]):
        value, first = values[at], np.int64(columns[at]) * WIDE
        put(weights, first, plus(taken(weights, first), value, a))
        put(weights, first + EIGHT, plus(taken(weights, first + EIGHT), value, b))
        put(weights, first + 2 * EIGHT, plus(taken(weights, first + 2 * EIGHT), value, c))


@jit_unlocked
def _listen(
    starts: Ints32, columns: Ints32, values: Floats32, rows: Ints, weights: Floats32, bias: Floats32, out: Floats32
) -> None:
    for i in rows:
        _hear(starts, columns, values, i, weights, bias, out, i * WIDE)


@jit_unlocked
def _pull_all(
    starts: Ints32, columns: Ints32, values: Floats32, rows: Ints, moves: Floats32, weights: Floats32
) -> None:
    for i in rows:
        _pull(starts, columns, values, i, moves, i * WIDE, weights)


@jit_unlocked
def _descend(
    starts: Ints32,
    columns: Ints32,
    values: Floats32,
    norms: Floats32,
    order: Ints,
    ridge: np.float32,
    many: int,
    signs: Floats32,
    duals: Floats32,
    weights: Floats32,
    bias: Floats32,
) -> None:
    """Matrices lie flat, a row of WIDE after the other, of which the first `many` are topics."""
    margin, move = np.zeros(WIDE, np.float32), np.zeros(WIDE, np.float32)
    for i in order:
        _hear(starts, columns, values, i, weights, bias, margin, 0)
        curve = norms[i] + np.float32(1.0) + ridge
        moved = False
        for k in range(many):
            at = i * WIDE + k
            step = max(-duals[at], (np.float32(1.0) - signs[at] * margin[k] - ridge * duals[at]) / curve)
            move[k] = np.float32(0.0)
            if abs(step) > _STILL:
                move[k] = step * signs[at]
                duals[at] += step
                moved = True
        if moved:
            bias += move
            _pull(starts, columns, values, i, move, 0, weights)

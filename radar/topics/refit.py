"""What linear classifiers say of posts that they have not seen, without fitting them anew from nothing.

Each fold's posts are taken out of classifiers fitted on all, and the rest is brought to its own optimum by dual
coordinate descent (Hsieh et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008), all topics
of a post in one pass. At the optimum of the squared hinge a post's dual variable is 2 C max(0, 1 - y f), so a fitted
classifier says itself where to begin; ten passes later margins of posts are within a hundredth of a fit from nothing.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.topics.calibration import Floats, Indicators

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

PASSES = 10
_STILL = np.float32(1e-4)
"""A dual variable that would move by less stays."""


def unseen_margins(
    features: Any,
    topics: Indicators,
    coefficients: Floats,
    intercepts: Floats,
    c: float,
    splits: Iterable[tuple[Ints, Ints]],
    seed: int,
) -> Floats:
    """Margins of each post by classifiers that have not seen it, (posts, topics).

    features      sparse (posts, features);  coefficients  (topics, features) and intercepts  (topics,): L2-loss SVMs
                  fitted on all posts with penalty 1 / (2 c), intercepts as one more feature of value 1
    splits        (rows that train, rows that are unseen); each post is unseen once
    """
    x = features.tocsr().astype(np.float32)
    x.sort_indices()
    norms = np.asarray(x.multiply(x).sum(1), np.float32).ravel()
    signs = np.where(topics > 0, 1, -1).astype(np.float32)
    fitted = features @ coefficients.T + intercepts
    duals = (2 * c * np.maximum(0, 1 - signs * fitted)).astype(np.float32)
    margins = np.zeros(topics.shape)
    rng = np.random.default_rng(seed)
    for train, unseen in splits:
        alpha, pull = duals.copy(), duals[train] * signs[train]
        weights, bias = np.ascontiguousarray(x[train].T @ pull), pull.sum(0)
        order = np.stack([rng.permutation(train) for _ in range(PASSES)])
        _descend(x.indptr, x.indices, x.data, norms, signs, order, np.float32(0.5 / c), alpha, weights, bias)
        margins[unseen] = x[unseen] @ weights + bias
    return margins


@jit
def _descend(
    starts: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    values: Floats32,
    norms: Floats32,
    signs: Floats32,
    order: Ints,
    ridge: np.float32,
    alpha: Floats32,
    weights: Floats32,
    bias: Floats32,
) -> None:
    topics = bias.size
    margin, move = np.zeros(topics, np.float32), np.zeros(topics, np.float32)
    for i in order.ravel():
        margin[:] = bias
        for at in range(starts[i], starts[i + 1]):
            value, row = values[at], weights[columns[at]]
            for k in range(topics):
                margin[k] += value * row[k]
        curve = norms[i] + np.float32(1.0) + ridge
        moved = False
        for k in range(topics):
            slope = signs[i, k] * margin[k] - np.float32(1.0) + ridge * alpha[i, k]
            better = max(np.float32(0.0), alpha[i, k] - slope / curve)
            move[k] = np.float32(0.0)
            if abs(better - alpha[i, k]) > _STILL:
                move[k] = (better - alpha[i, k]) * signs[i, k]
                alpha[i, k] = better
                moved = True
        if moved:
            bias += move
            for at in range(starts[i], starts[i + 1]):
                value, row = values[at], weights[columns[at]]
                for k in range(topics):
                    row[k] += value * move[k]

"""Many series are tested at once: from p to q."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p: ArrayLike, tests: int | None = None) -> NDArray[np.float64]:
    """q of each p: the smallest false discovery rate at which it would be accepted.

    p      tail probabilities, any order, one dimension
    tests  number of hypotheses when only the small p are passed; the rest count as p = 1. Default: len(p)

    Of a list of all series with q <= 0.05, some 5 in 100 are chance, averaged over many lists. Valid under positive
    dependence. Raises ValueError when tests is under len(p). Source: Benjamini and Hochberg (1995).

    >>> benjamini_hochberg([0.01, 0.02, 0.9, 0.03])
    array([0.04, 0.04, 0.9 , 0.04])
    >>> benjamini_hochberg([0.001], tests=50)
    array([0.05])
    """
    values = np.asarray(p, np.float64)
    n = values.size if tests is None else tests
    if n < values.size:
        raise ValueError(f"tests must be at least the {values.size} values passed, got {n}")
    q = np.ones_like(values)
    few = np.flatnonzero(values * (n / max(values.size, 1)) < 1.0)  # q of the others is 1, and makes no other smaller
    order = few[np.argsort(values[few])[::-1]]
    ranked = values[order] * (n / np.arange(order.size, 0, -1))
    q[order] = np.minimum(np.minimum.accumulate(ranked), 1.0)
    return q

"""How far two distributions lie apart: the Jensen-Shannon divergence (Lin, IEEE Trans. Inf. Theory, 1991).

0 bits: the same; 1 bit: nothing in common. Two samples of one distribution lie apart as well, the further the smaller
they are: `by_chance` says how far on average, and a divergence is worth a look from several times that.
"""

import numpy as np
import numpy.typing as npt


def divergence(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Jensen-Shannon divergence of two sets of counts, in bits. Raises ValueError where one holds nothing.

    >>> divergence([1, 1], [5, 5]), divergence([3, 0], [0, 7])
    (0.0, 1.0)
    """
    p, q = (np.asarray(counts, float) for counts in (a, b))
    if not p.sum() or not q.sum():
        raise ValueError("no counts")
    p, q = p / p.sum(), q / q.sum()
    m = (p + q) / 2
    return float(sum(_bits(part, m) for part in (p, q)) / 2)


def _bits(p: npt.NDArray[np.float64], m: npt.NDArray[np.float64]) -> float:
    held = p > 0
    return float((p[held] * np.log2(p[held] / m[held])).sum())


def by_chance(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """What two samples of this size and one distribution lie apart on average, in bits (second order).

    >>> round(by_chance([50, 50], [50, 50]), 4)
    0.0036
    """
    p, q = (np.asarray(counts, float) for counts in (a, b))
    used = int(((p + q) > 0).sum())
    return float((used - 1) * (1 / p.sum() + 1 / q.sum()) / (8 * np.log(2)))

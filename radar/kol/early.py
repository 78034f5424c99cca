"""Early adopters: how early among a trend's people an account used what later became a trend.

For each trend that passed q <= 1 %: earliness = 1 - the mid-rank of the account's first use among the *other* adopters'
(its own is removed, and at least four others must be left), 1 for the first, 0 for the last, 0.5 by chance.
score = (2 + sum of earliness) / (4 + trends), the mean of Beta(2, 2) after that many, from five trends on; the interval
is that Beta's 5 % to 95 %.

The null keeps who was awake: in each trend the account takes the place of any adopter whose hour it posted in too, with
chance 1 / (people heard in that hour), as if first uses were permuted among those active in the market in that hour.
p is the share of permutations at least as early (Phipson and Smyth 2010: never 0), null their mean score. Chance is not
0.5 for an account that posts in few hours: compare with null.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST_TRENDS = 5
LEAST_OTHERS = 4
PERMUTATIONS = 999

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Adoption:
    """One trend that an account used.

    own     when (any unit)      others  when each other adopter did, (k,)
    chance  for each of `others`: 1 / people heard in that hour where the account posted in it too, else 0, (k,)
    own_chance  1 / people heard in its own hour
    """

    own: float
    others: Floats
    chance: Floats
    own_chance: float


@dataclass(frozen=True, slots=True)
class Early:
    """The score with its interval and null; all None below five trends. n  trends."""

    score: float | None
    low: float | None
    high: float | None
    p: float | None
    null: float | None
    n: int


def earliness(own: float, others: Floats) -> float:
    """1 - mid-rank among the others.

    >>> earliness(1.0, np.array([2.0, 3.0, 4.0, 5.0])), earliness(3.0, np.array([2.0, 3.0, 3.0, 5.0]))
    (1.0, 0.5)
    """
    return 1.0 - float((np.sum(others < own) + np.sum(others <= own)) / (2 * len(others)))


def early(adoptions: Sequence[Adoption], seed: int) -> Early:
    """The early-adopter score of an account; the same seed draws the same permutations."""
    usable = [a for a in adoptions if len(a.others) >= LEAST_OTHERS]
    n = len(usable)
    if n < LEAST_TRENDS:
        return Early(None, None, None, None, None, n)
    total = sum(earliness(a.own, a.others) for a in usable)
    rng = np.random.default_rng(seed)
    drawn = np.zeros(PERMUTATIONS)
    for a in usable:
        drawn += _permuted(rng, a)
    p = (1 + int(np.sum(drawn >= total - 1e-9))) / (PERMUTATIONS + 1)
    from scipy.special import betaincinv  # a tenth of a second to import

    low, high = betaincinv(2 + total, 2 + n - total, [0.05, 0.95])
    score, null = (2 + total) / (4 + n), (2 + float(drawn.mean())) / (4 + n)
    said = [round(float(v), 4) for v in (score, low, high, p, null)]
    return Early(said[0], said[1], said[2], said[3], said[4], n)


def _permuted(rng: np.random.Generator, a: Adoption) -> Floats:
    """Earliness under the null, one draw a permutation: the account in an adopter's place, of an hour of its own."""
    times = np.append(a.others, a.own)
    weights = np.append(a.chance, a.own_chance)
    ranks = np.searchsorted(np.sort(times), times) + np.searchsorted(np.sort(times), times, side="right") - 1
    value = 1.0 - ranks / 2 / len(a.others)  # among the others: it is no longer among those it stands before
    return np.asarray(rng.choice(value, PERMUTATIONS, p=weights / weights.sum()), np.float64)

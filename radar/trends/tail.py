"""The test and the size of a burst: tail probability, lift, lift floor, smallest count that shows.

Formulas and their sources: docstring of `radar.trends`, sections 4 and 6.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radar._jit import jit

Floats = NDArray[np.float64]

POISSON_BELOW = 1.0 + 1e-6  # a dispersion under this is a Poisson: the tails differ by less than anything shown does
PRIOR = 2.0  # the lift's Gamma prior, shape and rate: two persons seen where two were expected
_SHORT = 24  # factors whose product no float overflows
_LARGE = 1e4  # a size from which Stirling's series is right to 1e-14 after its first term
_FLOOR = 0.05  # the lift floor's quantile


FLOOR_POLYNOMIAL: Floats = np.array([
    0.786363207287018, -0.2197011604801295, -0.005678189871493418, 0.0004839528612714076, 0.00011009182999857322,
    1.2752749618627667e-05, 2.795026534493637e-07, -1.9052101615179595e-07, -3.601891329448881e-08,
    -1.3699271841094123e-09,
])  # fmt: skip
"""Chebyshev coefficients of u -> (5 % quantile of Gamma(a) / a)^(1/3), u = 1/sqrt(a) from [0, .708] to [-1, 1].

Fitted by NumPy at 64 Chebyshev nodes of SciPy's quantile: right to 1e-6 from a = 2 up, and thirty times faster.
"""


@jit
def log_choose(n: int, size: float) -> float:
    """ln of Gamma(n + size) / (Gamma(size) n!), n >= 0: where it is short a product, which costs less.

    Of a large size Stirling's series by hand: both Gammas are then so huge that their difference would be noise.
    """
    if size > _LARGE:
        grown = n * math.log(n + size) - n + (size - 0.5) * math.log1p(n / size)
        return grown + (1.0 / (n + size) - 1.0 / size) / 12.0 - math.lgamma(n + 1.0)
    if n > _SHORT:
        return math.lgamma(n + size) - math.lgamma(size) - math.lgamma(n + 1.0)
    over, under = 1.0, 1.0
    for j in range(n):
        over *= size + j
        under *= j + 1.0
    return math.log(over / under)


@jit
def log_tail(observed: float, mean: float, phi: float) -> float:
    """ln P(Y >= observed), Y with this mean and variance phi * mean; summed term by term, so it never underflows."""
    o = math.ceil(observed)
    if o <= 0:
        return 0.0
    poisson = phi < POISSON_BELOW
    size = 0.0 if poisson else mean / (phi - 1.0)
    odds = mean if poisson else (phi - 1.0) / phi
    at = o if o > mean else o - 1  # above the mean sum the tail, below it what is left of the tail
    if poisson:
        log_pmf = at * math.log(mean) - mean - math.lgamma(at + 1.0)
    else:
        log_pmf = log_choose(at, size) + at * math.log(odds) - size * math.log(phi)
    term, total, j = 1.0, 1.0, float(at)
    if o > mean:
        while term > 1e-11 * total:
            term *= odds / (j + 1.0) if poisson else (j + size) / (j + 1.0) * odds
            total += term
            j += 1.0
        return min(0.0, log_pmf + math.log(total))
    while j >= 1.0 and term > 1e-15 * total:
        term *= j / odds if poisson else j / ((j - 1.0 + size) * odds)
        total += term
        j -= 1.0
    return math.log1p(-min(math.exp(log_pmf) * total, 1.0 - 1e-16))


@jit
def digamma(x: float) -> float:
    """psi(x) for x >= 1, to 1e-10: the recurrence up to 6, then Abramowitz and Stegun 6.3.18."""
    shift = 0.0
    while x < 6.0:
        shift -= 1.0 / x
        x += 1.0
    z = 1.0 / (x * x)
    series = z * (1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z / 132))))
    return shift + math.log(x) - 0.5 / x - series


@jit
def gamma_floor(shape: float, polynomial: Floats) -> float:
    """5 % quantile of Gamma(shape, 1), shape >= 2, from FLOOR_POLYNOMIAL by Clenshaw's recurrence."""
    x = 2.0 / (0.708 * math.sqrt(shape)) - 1.0
    b1, b2 = 0.0, 0.0
    for c in polynomial[:0:-1]:
        b1, b2 = c + 2.0 * x * b1 - b2, b1
    root: float = polynomial[0] + x * b1 - b2
    return shape * root * root * root


@jit
def _log_tails(observed: Floats, mean: Floats, phi: Floats) -> Floats:
    out = np.empty(observed.size)
    for i in range(observed.size):
        out[i] = log_tail(observed[i], mean[i], phi[i])
    return out


@jit
def _digammas(x: Floats) -> Floats:
    out = np.empty(x.size)
    for i in range(x.size):
        out[i] = digamma(x[i])
    return out


@jit
def _smallest(mean: Floats, phi: Floats, log_p: float) -> Floats:
    out = np.empty(mean.size)
    for i in range(mean.size):
        low, high = 0.0, max(4.0, math.ceil(2.0 * mean[i]))  # low does not show, high will
        while log_tail(high, mean[i], phi[i]) > log_p:
            low, high = high, 2.0 * high
        while high - low > 1.0:
            middle = math.floor((low + high) / 2.0)
            low, high = (low, middle) if log_tail(middle, mean[i], phi[i]) <= log_p else (middle, high)
        out[i] = max(high, 3.0)
    return out


def _checked(observed: ArrayLike, expected: ArrayLike, phi: ArrayLike) -> tuple[Floats, Floats, Floats]:
    o, e, f = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (observed, expected, phi)))
    if not (np.all(e > 0) and np.all(f >= 1) and np.all(o >= 0)):
        raise ValueError("observed must be >= 0, expected > 0 and phi >= 1")
    return o, e, f


def burst_p(observed: ArrayLike, expected: ArrayLike, phi: ArrayLike = 1.0) -> Floats:
    """Chance of this many persons or more, had nothing changed.

    observed  distinct persons in the window; expected  persons per window by the baseline, > 0;
    phi       dispersion >= 1: variance over mean. All broadcast together.

    Negative binomial upper tail (a Poisson as phi comes to 1) in (0, 1], at least 5e-324. Many series are tested at
    once: decide on q, never on this. Raises ValueError outside those ranges.

    >>> burst_p([12, 12], 4.0, [1.0, 1.5]).round(5)
    array([0.00092, 0.00742])
    """
    o, e, f = _checked(observed, expected, phi)
    return burst_ps(o.ravel(), e.ravel(), f.ravel()).reshape(o.shape)


def burst_ps(observed: Floats, expected: Floats, phi: Floats) -> Floats:
    """`burst_p` of arrays (n,) in range, unchecked: for whoever asks for few at a time, and often."""
    return np.asarray(np.maximum(np.exp(_log_tails(observed, expected, phi)), 5e-324))


def lift(observed: ArrayLike, expected: ArrayLike, phi: ArrayLike = 1.0) -> Floats:
    """How many times the expected, shrunken towards 1: exp(psi(2 + O/phi)) / (2 + E/phi).

    Arguments as in `burst_p`. The geometric mean of the posterior of the rate ratio under a Gamma(2, 2) prior, a
    fixed-prior form of EBGM (DuMouchel 1999): three where one was expected say much less than 300 where 100 were.

    >>> lift([3, 30, 300], [1, 10, 100]).round(2)
    array([1.5 , 2.63, 2.96])
    """
    o, e, f = _checked(observed, expected, phi)
    return np.asarray(np.exp(_digammas((PRIOR + o / f).ravel()).reshape(o.shape)) / (PRIOR + e / f))


def lift_floor(observed: ArrayLike, expected: ArrayLike, phi: ArrayLike = 1.0) -> Floats:
    """What the lift is at least, with 95 % confidence: the 5 % quantile of Gamma(2 + O/phi, 2 + E/phi).

    Arguments as in `burst_p`. A fixed-prior form of EB05 (DuMouchel 1999).

    >>> lift_floor([3, 30, 300], [1, 10, 100]).round(2)
    array([0.66, 1.94, 2.69])
    """
    from scipy.special import gammaincinv  # a tenth of a second to import

    o, e, f = _checked(observed, expected, phi)
    return np.asarray(gammaincinv(PRIOR + o / f, _FLOOR) / (PRIOR + e / f))


def dispersion(observed: float, expected: float, shown: float) -> float:
    """The dispersion by which a lift was shrunken to what is shown: the phi >= 1 of `lift(observed, expected, phi)`.

    Found by halving, up to 64; 1 where the lift is no less shrunken than a Poisson's.

    >>> round(dispersion(17.0, 3.4, float(lift(17.0, 3.4, 1.3))), 3)
    1.3
    """
    low, high = 1.0, 64.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if float(lift(observed, expected, middle)) > shown else (low, middle)
    return low


def usual_range(expected: ArrayLike, phi: float, share: float = 0.95) -> tuple[Floats, Floats]:
    """Between which counts so large a share of buckets lies, had nothing changed: quantiles of the same distribution.

    expected  persons by the baseline, >= 0;    phi  dispersion >= 1

    >>> [bound.tolist() for bound in usual_range([0.0, 4.0], phi=1.5)]
    [[0.0, 0.0], [0.0, 10.0]]
    """
    from scipy.stats import nbinom, poisson  # half a second to import, and only pages ask

    mean = np.maximum(np.asarray(expected, np.float64), 1e-9)
    tails = ((1 - share) / 2, (1 + share) / 2)
    if phi < POISSON_BELOW:
        low, high = (poisson.ppf(tail, mean) for tail in tails)
    else:
        low, high = (nbinom.ppf(tail, mean / (phi - 1), 1 / phi) for tail in tails)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)


def detectable_count(expected: ArrayLike, p: float, phi: ArrayLike = 1.3) -> Floats:
    """Fewest persons in a window whose `burst_p` is p or less; never under 3, as fewer are not tested.

    >>> detectable_count([0.1, 2.0, 20.0], p=1e-4, phi=1.0)
    array([ 4., 10., 40.])
    """
    if not 0 < p < 1:
        raise ValueError(f"p must lie in (0, 1), got {p}")
    _, e, f = _checked(0.0, expected, phi)
    return np.asarray(_smallest(e.ravel(), f.ravel(), math.log(p)).reshape(e.shape))


def rise_shows_from(times: float, p: float, phi: float = 1.3) -> int:
    """Fewest persons with whom a rise to so many times the expected reaches p.

    >>> rise_shows_from(3.0, p=1e-4), rise_shows_from(10.0, p=1e-4)
    (24, 9)
    """
    persons = np.arange(3, 2_000)
    shows = detectable_count(persons / times, p, phi) <= persons
    return int(persons[int(np.argmax(shows))])

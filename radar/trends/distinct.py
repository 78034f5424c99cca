"""How many distinct keys a market has used: the number of hypotheses that a detector really looks at.

HyperLogLog (Flajolet et al. 2007) with 4,096 registers: 1.6 % standard error in 4 KB, the same whatever the order of
what is added, so a recount or another slicing of time gives the same number.
"""

import numpy as np
import numpy.typing as npt

_BITS = 12
REGISTERS = 1 << _BITS


def mix(keys: npt.NDArray[np.int64], places: npt.NDArray[np.int16]) -> npt.NDArray[np.uint64]:
    """One well-mixed 64-bit number for each (key, place): the finaliser of SplitMix64."""
    x = keys.astype(np.uint64) + (places.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def add(registers: npt.NDArray[np.uint8], mixed: npt.NDArray[np.uint64]) -> None:
    """Take mixed numbers into the registers (4096,), in place."""
    rest = mixed << np.uint64(_BITS) | np.uint64(1 << (_BITS - 1))
    # position of the first 1 bit, from the float's exponent of the top 53 bits
    top = (rest >> np.uint64(11)).astype(np.float64)
    rank = (53 - np.floor(np.log2(np.maximum(top, 0.5)))).astype(np.uint8)
    np.maximum.at(registers, (mixed >> np.uint64(64 - _BITS)).astype(np.int64), rank)


def estimate(registers: npt.NDArray[np.uint8]) -> int:
    """Distinct numbers taken in so far.

    >>> registers = np.zeros(REGISTERS, np.uint8)
    >>> add(registers, mix(np.arange(10_000), np.zeros(10_000, np.int16)))
    >>> abs(estimate(registers) / 10_000 - 1) < 0.05
    True
    """
    raw = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS**2 / float((2.0 ** -registers.astype(np.float64)).sum())
    zeros = int((registers == 0).sum())
    if raw <= 2.5 * REGISTERS and zeros:
        return round(REGISTERS * float(np.log(REGISTERS / zeros)))
    return round(raw)

"""The keys of many texts in one array: put together, sorted and cut by compiled code."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.keys import Keys

Offsets = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class KeyRows:
    """Keys, a row each text.

    keys  end to end        offsets  (rows + 1,) where each row begins; the last is the length
    """

    keys: Keys
    offsets: Offsets

    @classmethod
    def of(cls, keys: npt.ArrayLike, lengths: npt.ArrayLike) -> "KeyRows":
        """Keys end to end, so many a row."""
        return cls(
            np.asarray(keys, np.int64), np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
        )

    def __getitem__(self, row: int) -> Keys:
        return self.keys[self.offsets[row] : self.offsets[row + 1]]

    def __or__(self, other: "KeyRows") -> "KeyRows":
        """All keys of both by row, sorted and distinct.

        >>> both = KeyRows.of([3, 1], [2, 0]) | KeyRows.of([1, 2, 5], [2, 1])
        >>> both[0].tolist(), both[1].tolist()
        ([1, 2, 3], [5])
        """
        keys, offsets = np.empty(len(self.keys) + len(other.keys), np.int64), np.empty_like(self.offsets)
        _unite(self.keys, self.offsets, other.keys, other.offsets, keys, offsets)
        return KeyRows(keys[: offsets[-1]], offsets)

    def as_bytes(self) -> list[bytes]:
        """Each row's keys as they are stored: little-endian."""
        said = self.keys.astype("<i8", copy=False).tobytes()
        return [said[8 * a : 8 * b] for a, b in pairwise(self.offsets.tolist())]


@jit
def _unite(one: Keys, ones: Offsets, other: Keys, others: Offsets, keys: Keys, offsets: Offsets) -> None:
    n = 0
    for row in range(ones.size - 1):
        first = last = n
        for i in range(ones[row], ones[row + 1]):
            keys[last] = one[i]
            last += 1
        for i in range(others[row], others[row + 1]):
            keys[last] = other[i]
            last += 1
        _sort(keys, first, last)
        offsets[row] = first
        for i in range(first, last):
            if i == first or keys[i] != keys[n - 1]:
                keys[n] = keys[i]
                n += 1
    offsets[ones.size - 1] = n


@jit
def _sort(keys: Keys, first: int, last: int) -> None:
    """Shell's way: most rows are short, and a long one takes no square of its length."""
    gap = last - first
    while gap > 1:
        gap = max(gap * 5 // 11, 1)
        for i in range(first + gap, last):
            key, at = keys[i], i
            while at - gap >= first and keys[at - gap] > key:
                keys[at] = keys[at - gap]
                at -= gap
            keys[at] = key

"""Numbers for what many posts hold: keys as 0, 1, 2 ..., and where each occurs. Compiled.

A table is a power of two of cells, twice the keys at least: 0, or one more than the number of the key that came there
first. Keys are hashes already, so their lowest bits say where to look.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from radar._jit import jit

I64 = NDArray[np.int64]


class Groups(NamedTuple):
    """Rows of numbers of different lengths, one after the other: row n is members[starts[n] : starts[n + 1]]."""

    members: I64
    starts: I64

    @classmethod
    def of(cls, rows: "list[I64]") -> "Groups":
        """The rows of a list.

        >>> Groups.of([np.array([4, 5]), np.array([6])]).starts.tolist()
        [0, 2, 3]
        """
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=starts[1:])
        return cls(np.concatenate([np.zeros(0, np.int64), *rows]), starts)


class Numbered(NamedTuple):
    """Keys with their numbers. numbers: of each key that was asked for; distinct: the keys by number."""

    numbers: I64
    distinct: I64
    table: I64

    @classmethod
    def of(cls, keys: I64) -> "Numbered":
        """Number keys in the order in which they first come.

        >>> Numbered.of(np.array([70, 30, 70])).numbers.tolist()
        [0, 1, 0]
        """
        table = np.zeros(1 << max(2 * len(keys), 1).bit_length(), np.int64)
        distinct, numbers = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
        return cls(numbers, distinct[: number(keys, table, distinct, numbers)], table)

    def find(self, keys: I64) -> I64:
        """The number of each key, -1 where it is none."""
        out = np.empty(len(keys), np.int64)
        find(keys, self.table, self.distinct, out)
        return out


@jit
def number(keys: I64, table: I64, distinct: I64, out: I64) -> int:
    """Number keys; answers how many are distinct."""
    found, last = 0, table.size - 1
    for i in range(keys.size):
        key = keys[i]
        at = key & last
        while table[at] != 0 and distinct[table[at] - 1] != key:
            at = (at + 1) & last
        if table[at] == 0:
            distinct[found] = key
            found += 1
            table[at] = found
        out[i] = table[at] - 1
    return found


@jit
def find(keys: I64, table: I64, distinct: I64, out: I64) -> None:
    """The numbers of keys; -1 for one that has none."""
    last = table.size - 1
    for i in range(keys.size):
        at = keys[i] & last
        while table[at] != 0 and distinct[table[at] - 1] != keys[i]:
            at = (at + 1) & last
        out[i] = table[at] - 1


@jit
def sort_by(numbers: I64, starts: I64, out: I64) -> None:
    """Where each number occurs, in order; starts (distinct + 1,) zeros, out: where each number's places begin."""
    for i in range(numbers.size):
        starts[numbers[i] + 1] += 1
    for k in range(starts.size - 1):
        starts[k + 1] += starts[k]
    for i in range(numbers.size):
        out[starts[numbers[i]]] = i
        starts[numbers[i]] += 1
    for k in range(starts.size - 1, 0, -1):
        starts[k] = starts[k - 1]
    starts[0] = 0


def occurrences(numbers: I64, distinct: int) -> Groups:
    """Where each of so many numbers occurs.

    >>> occurrences(np.array([1, 0, 1]), 2)
    Groups(members=array([1, 0, 2]), starts=array([0, 1, 3]))
    """
    found = Groups(np.empty(len(numbers), np.int64), np.zeros(distinct + 1, np.int64))
    sort_by(numbers, found.starts, found.members)
    return found

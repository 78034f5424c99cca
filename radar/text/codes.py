"""Many texts as one array of code points: what compiled passes over text read.

A batch of texts is joined by line feeds and held as UTF-32; offsets say where each begins. Every code point has a
class (script), and a hash of a run of code points is built sign by sign, so that a longer run's hash goes on from a
shorter one's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from radar._jit import jit

Codes = npt.NDArray[np.uint32]
Classes = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]

OTHER, SPACED, DENSE, HANGUL, THAI, EMOJI = range(6)
"""Signs and spaces; letters and digits of spaced scripts; Han and kana; Hangul; Thai; emoji."""

SEED = np.uint64(0xCBF29CE484222325)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_HIGH = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Joined:
    """Texts end to end.

    codes    (signs,) code points, a line feed after each text
    offsets  (texts + 1,) where each text begins; the last is the length
    """

    codes: Codes
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Joined":
        """Texts without line feeds, joined.

        >>> Joined.of(["ab", "", "ก"]).offsets.tolist()
        [0, 3, 4, 6]
        """
        lengths = np.fromiter((len(text) + 1 for text in texts), np.int64, len(texts))
        joined = "\n".join(texts) + "\n" if texts else ""
        codes = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
        return cls(codes, np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]))


_EMOJI = ((0x1F000, 0x1FAFF), (0x2600, 0x27BF), (0x2B50, 0x2B55), (0x231A, 0x231B), (0x23E9, 0x23FA))
_NOT_EMOJI = ((0x1F3FB, 0x1F3FF), (0x1F1E6, 0x1F1FF))  # skin tones; letters of flags


@cache
def class_table() -> Classes:
    """Class of each code point, (0x110000,)."""
    table = np.zeros(0x110000, np.uint8)
    table[0x20000:0x40000] = DENSE
    table[[c for c in range(0x20000) if chr(c).isalnum() or chr(c) == "_"]] = SPACED
    for first, last, kind in (
        (0x0E01, 0x0E3A, THAI), (0x0E40, 0x0E5B, THAI), (0x1100, 0x11FF, HANGUL), (0x3130, 0x318F, HANGUL),
        (0xAC00, 0xD7AF, HANGUL), (0x3005, 0x3007, DENSE), (0x3041, 0x3096, DENSE), (0x30A1, 0x30FA, DENSE),
        (0x30FC, 0x30FE, DENSE), (0x3400, 0x4DBF, DENSE), (0x4E00, 0x9FFF, DENSE), (0xF900, 0xFAFF, DENSE),
        *((low, high, EMOJI) for low, high in _EMOJI), *((low, high, OTHER) for low, high in _NOT_EMOJI),
    ):  # fmt: skip
        table[first : last + 1] = kind
    return table


def classes_of(codes: Codes) -> Classes:
    """Class of each code point, same shape."""
    return class_table()[codes]


@jit
def grown(state: np.uint64, code: np.uint32) -> np.uint64:
    """The hash of a run with one more code point."""
    mixed = (state ^ np.uint64(code)) * _STEP
    return mixed ^ (mixed >> _HIGH)


@jit
def _hashes(codes: Codes, offsets: npt.NDArray[np.int64], out: Hashes) -> None:
    for i in range(out.size):
        state = SEED
        for at in range(offsets[i], offsets[i + 1] - 1):
            state = grown(state, codes[at])
        out[i] = state


def hashes_of(words: Sequence[str]) -> Hashes:
    """The hash of each string, (n,); two of a million strings meet with a chance of 1 in 37 million.

    >>> len(set(hashes_of(["ab", "ba", "a", ""]).tolist()))
    4
    """
    joined = Joined.of(words)
    out = np.empty(len(words), np.uint64)
    _hashes(joined.codes, joined.offsets, out)
    return out


@dataclass(frozen=True, slots=True)
class HashTable:
    """Numbers by hash, open addressing, at most half full.

    hashes  (slots,) 0: empty          values  (slots,) int32
    """

    hashes: Hashes
    values: npt.NDArray[np.int32]

    @classmethod
    def of(cls, hashes: Hashes, values: npt.ArrayLike, room: int = 0) -> "HashTable":
        """A table of distinct hashes; of equal ones the first stands.

        room  for how many hashes it is large enough
        """
        slots = 1 << max(4, int(2 * max(len(hashes), room) - 1).bit_length())
        table = cls(np.zeros(slots, np.uint64), np.full(slots, ABSENT, np.int32))
        table.add(hashes, np.asarray(values, np.int32))
        return table

    def add(self, hashes: Hashes, values: npt.NDArray[np.int32]) -> None:
        """Put more in, as long as there is room."""
        _fill(self.hashes, self.values, hashes, values)


ABSENT = -2
"""What a table answers for a hash that it does not hold."""


@jit
def _fill(slots: Hashes, kept: npt.NDArray[np.int32], hashes: Hashes, values: npt.NDArray[np.int32]) -> None:
    mask = np.uint64(slots.size - 1)
    for i in range(hashes.size):
        at = hashes[i] & mask
        while slots[at] != np.uint64(0) and slots[at] != hashes[i]:
            at = (at + np.uint64(1)) & mask
        if slots[at] == np.uint64(0):
            slots[at] = hashes[i]
            kept[at] = values[i]


@jit
def look_up(slots: Hashes, kept: npt.NDArray[np.int32], wanted: np.uint64) -> int:
    """The value of a hash, ABSENT where there is none."""
    mask = np.uint64(slots.size - 1)
    at = wanted & mask
    while slots[at] != np.uint64(0):
        if slots[at] == wanted:
            return int(kept[at])
        at = (at + np.uint64(1)) & mask
    return ABSENT

"""Keys: what mentions are counted by, each a signed 64-bit number.

A key is a kind and a text. Its number holds the kind in bits 60-62 and 60 bits of XXH3 of the text, so that
arrays of keys can be split by kind without a look-up. Two texts of a kind collide with a chance of about
n^2 / 2^61: one in 2 million for a million texts.
"""

from collections.abc import Iterable
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import xxhash

Keys = npt.NDArray[np.int64]

_HASH_BITS = 60
_HASH_MASK = (1 << _HASH_BITS) - 1


class Kind(IntEnum):
    """What a key names."""

    TOPIC = 0
    HASHTAG = 1
    TERM = 2
    PLACE = 3
    PRODUCT = 4
    TRACKED = 5  # a user's own: radar.text.tracked


def key_number(kind: Kind, text: str) -> int:
    """The number of a key.

    >>> key_number(Kind.TOPIC, "travel.air") >> 60, key_number(Kind.PLACE, "JP-27") >> 60
    (0, 3)
    """
    return (int(kind) << _HASH_BITS) | (xxhash.xxh3_64_intdigest(text.encode()) & _HASH_MASK)


def key_numbers(kind: Kind, texts: Iterable[str]) -> list[int]:
    """The numbers of keys of one kind, in order.

    >>> key_numbers(Kind.TERM, ["a", "b"]) == [key_number(Kind.TERM, "a"), key_number(Kind.TERM, "b")]
    True
    """
    bits, digest = int(kind) << _HASH_BITS, xxhash.xxh3_64_intdigest
    return [bits | (digest(text.encode()) & _HASH_MASK) for text in texts]


def kind_of(key: int) -> Kind:
    """The kind of one key.

    >>> kind_of(key_number(Kind.TERM, "a")).name
    'TERM'
    """
    return Kind(key >> _HASH_BITS)


def kinds_of(keys: Keys) -> npt.NDArray[np.int8]:
    """Kind of each key, (n,) int8.

    >>> kinds_of(np.array([key_number(Kind.TERM, "a")])).tolist()
    [2]
    """
    return (keys >> _HASH_BITS).astype(np.int8)

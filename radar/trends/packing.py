"""Arrays and facts as one compact blob, and back to the bit.

What repeats is what compression finds, so whoever packs lays side by side what belongs to one series: many series were
seen in the same buckets by as many persons, and are the same.

    RDP1, length of the rest when it was not compressed, the rest by zlib: length of the head, head (JSON: facts, and of
    each array name, dtype and shape), arrays
"""

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"RDP1"
_LENGTH = struct.Struct("<Q")


def pack(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """One blob of facts (JSON) and arrays by name.

    >>> _, found = unpack(pack({}, {"a": np.arange(4, dtype=np.int32)}))
    >>> found["a"]
    array([0, 1, 2, 3], dtype=int32)
    """
    little = {name: array.astype(array.dtype.newbyteorder("<"), "C", copy=False) for name, array in arrays.items()}
    listed = [(name, array.dtype.str, array.shape) for name, array in little.items()]
    head = json.dumps([facts, listed]).encode()
    rest = b"".join([_LENGTH.pack(len(head)), head, *(array.tobytes() for array in little.values())])
    return _MAGIC + _LENGTH.pack(len(rest)) + zlib.compress(rest, 1)


def is_packed(blob: bytes) -> bool:
    """Whether a blob begins as `pack` begins one."""
    return blob[:4] == _MAGIC


def unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Facts and arrays, which can be written to. Raises ValueError for anything that `pack` did not write."""
    if not is_packed(blob):
        raise ValueError(f"not packed arrays: {blob[:4]!r}")
    at = 4 + _LENGTH.size
    try:
        size = _LENGTH.unpack_from(blob, 4)[0]
        rest = zlib.decompress(memoryview(blob)[at:], bufsize=size or 1)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"packed arrays that cannot be read: {error}") from error
    at = _LENGTH.size + _LENGTH.unpack_from(rest)[0]
    facts, listed = json.loads(rest[_LENGTH.size : at])
    arrays = {}
    for name, kind, shape in listed:
        found = np.frombuffer(rest, kind, int(np.prod(shape, dtype=np.int64)), at)
        arrays[name] = found.reshape(shape).astype(found.dtype.newbyteorder("="))  # a copy, which is aligned
        at += found.nbytes
    return facts, arrays


def planes(numbers: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The first bytes of all numbers, then the second ...: of what changes slowly a third less is left when packed."""
    return np.ascontiguousarray(numbers, "<f4").view(np.uint8).reshape(-1, 4).T


def of_planes(found: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Those numbers again.

    >>> of_planes(planes(np.array([[1.5, -2.0]], np.float32)), (1, 2))
    array([[ 1.5, -2. ]], dtype=float32)
    """
    return np.ascontiguousarray(found.T).view("<f4").reshape(shape).astype(np.float32)

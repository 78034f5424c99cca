"""XXH3 of 64 bits over short runs of bytes, for compiled code: the number that the xxhash library gives for them.

After the specification of XXH3 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): inputs of up to 240 bytes, no seed.
"""

import numpy as np
import numpy.typing as npt

from radar._jit import jit

Bytes = npt.NDArray[np.uint8]

LONGEST = 240

_SECRET = np.frombuffer(
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e"
        "e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a"
        "51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8f"
    ),
    np.uint8,
)
_P1, _P2, _P3 = (np.uint64(p) for p in (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_MIX, _END = np.uint64(0x9FB21C651E98DF25), np.uint64(0x165667919E3779F9)
_LOW = np.uint64(0xFFFFFFFF)


@jit
def _four(of: Bytes, at: int) -> np.uint64:
    """Four bytes, the least first."""
    return (
        np.uint64(of[at])
        | np.uint64(of[at + 1]) << np.uint64(8)
        | np.uint64(of[at + 2]) << np.uint64(16)
        | np.uint64(of[at + 3]) << np.uint64(24)
    )


@jit
def _eight(of: Bytes, at: int) -> np.uint64:
    return _four(of, at) | _four(of, at + 4) << np.uint64(32)


@jit
def _folded(a: np.uint64, b: np.uint64) -> np.uint64:
    """The halves of the product of 128 bits, one upon the other."""
    a0, a1, b0, b1 = a & _LOW, a >> np.uint64(32), b & _LOW, b >> np.uint64(32)
    middle = a1 * b0 + (a0 * b0 >> np.uint64(32))
    other = a0 * b1 + (middle & _LOW)
    return (a * b) ^ (a1 * b1 + (middle >> np.uint64(32)) + (other >> np.uint64(32)))


@jit
def _sixteen(of: Bytes, at: int, secret: int) -> np.uint64:
    return _folded(
        _eight(of, at) ^ _eight(_SECRET, secret), _eight(of, at + 8) ^ _eight(_SECRET, secret + 8)
    )  # fmt: skip


@jit
def _ended(h: np.uint64) -> np.uint64:
    h = (h ^ (h >> np.uint64(37))) * _END
    return h ^ (h >> np.uint64(32))


@jit
def _of_few(of: Bytes, n: int) -> np.uint64:
    """Of 1 to 16 bytes."""
    if n < 4:
        h = (
            np.uint64(of[0]) << np.uint64(16)
            | np.uint64(of[n >> 1]) << np.uint64(24)
            | np.uint64(of[n - 1])
            | np.uint64(n) << np.uint64(8)
        )
        h ^= _four(_SECRET, 0) ^ _four(_SECRET, 4)
        h = (h ^ (h >> np.uint64(33))) * _P2
        h = (h ^ (h >> np.uint64(29))) * _P3
        return h ^ (h >> np.uint64(32))
    if n < 9:
        h = (_four(of, n - 4) + (_four(of, 0) << np.uint64(32))) ^ _eight(_SECRET, 8) ^ _eight(_SECRET, 16)
        h ^= (h << np.uint64(49) | h >> np.uint64(15)) ^ (h << np.uint64(24) | h >> np.uint64(40))
        h *= _MIX
        h = (h ^ ((h >> np.uint64(35)) + np.uint64(n))) * _MIX
        return h ^ (h >> np.uint64(28))
    low = _eight(of, 0) ^ _eight(_SECRET, 24) ^ _eight(_SECRET, 32)
    high = _eight(of, n - 8) ^ _eight(_SECRET, 40) ^ _eight(_SECRET, 48)
    turned = np.uint64(0)
    for i in range(8):
        turned = turned << np.uint64(8) | (low >> np.uint64(8 * i)) & np.uint64(0xFF)
    return _ended(np.uint64(n) + turned + high + _folded(low, high))


@jit
def xxh3(of: Bytes, n: int) -> np.uint64:
    """The hash of the first n bytes, 1 to LONGEST."""
    if n <= 16:
        return _of_few(of, n)
    h = np.uint64(n) * _P1
    if n <= 128:
        for i in range((n - 1) // 32 + 1):
            h += _sixteen(of, 16 * i, 32 * i) + _sixteen(of, n - 16 * (i + 1), 32 * i + 16)
        return _ended(h)
    for i in range(8):
        h += _sixteen(of, 16 * i, 16 * i)
    h = _ended(h)
    for i in range(8, n // 16):
        h += _sixteen(of, 16 * i, 16 * (i - 8) + 3)
    return _ended(h + _sixteen(of, n - 16, 119))

"""The counts of one market's local day as one compact blob.

Rows are (key, place, bucket) -> persons, posts, engagement, sorted; bucket is the hour since local midnight, or
DAY_ONLY for posts of which only the day is known. Exposure is the number of persons who posted, by hour and over
the day.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

DAY_ONLY = 255
HOURS = 25
"""Hours a local day can have: 25 when clocks go back."""

_HEADER = struct.Struct("<4sIQ")
_MAGIC = b"RDC1"


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Counts of a day; the row arrays have equal length.

    keys        int64   places     int16 (ISO 3166-1 numeric, 0 = all)   buckets  uint8
    persons     uint32  persons whose first mention of the day falls in the bucket
    posts       uint32  engagement float32 (sum over posts whose counts are known)
    by_hour     (25,) uint32 distinct persons who posted in the hour
    day_persons distinct persons of the day
    """

    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    buckets: npt.NDArray[np.uint8]
    persons: npt.NDArray[np.uint32]
    posts: npt.NDArray[np.uint32]
    engagement: npt.NDArray[np.float32]
    by_hour: npt.NDArray[np.uint32]
    day_persons: int

    def to_bytes(self) -> bytes:
        body = b"".join(_little(column).tobytes() for column in (*self._columns, self.by_hour))
        return _HEADER.pack(_MAGIC, len(self.keys), self.day_persons) + zlib.compress(body, 1)

    @property
    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return (self.keys, self.places, self.buckets, self.persons, self.posts, self.engagement)

    @classmethod
    def from_bytes(cls, blob: bytes) -> "DayCounts":
        """Read a blob back. Raises ValueError when it is none."""
        magic, n, day_persons = _HEADER.unpack_from(blob)
        if magic != _MAGIC:
            raise ValueError(f"not a day of counts: {magic!r}")
        body = zlib.decompress(memoryview(blob)[_HEADER.size :])
        columns: list[npt.NDArray[Any]] = []
        at = 0
        for dtype, length in [("<i8", n), ("<i2", n), ("u1", n), ("<u4", n), ("<u4", n), ("<f4", n), ("<u4", HOURS)]:
            columns.append(np.frombuffer(body, dtype, length, at))
            at += columns[-1].nbytes
        keys, places, buckets, persons, posts, engagement, by_hour = columns
        return cls(keys, places, buckets, persons, posts, engagement, by_hour, day_persons)


def _little(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column.astype(column.dtype.newbyteorder("<"), copy=False)

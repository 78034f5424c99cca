"""The counts of one market's local day as one compact blob.

Rows are (key, place, bucket) -> persons, posts, engagement, sorted; bucket is the quarter of an hour since local
midnight, or DAY_ONLY for posts of which only the day is known. Exposure is the number of persons who posted, by
quarter, by hour and over the day.

Old days are kept by the hour, then by the day: `radar.compacting`. Blobs of the first form ("RDC1") knew hours only:
each of their rows is read as of its hour's first quarter, and nobody is said to have been heard in any quarter. A
recount writes the present form.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from radar.windows import Bucket

DAY_ONLY = 255
HOURS = 25
"""Hours a local day can have: 25 when clocks go back."""
QUARTERS = 4 * HOURS

_HEADER = struct.Struct("<4sIQ")
_MAGIC, _HOURLY = b"RDC2", b"RDC1"


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Counts of a day; the row arrays have equal length.

    keys        int64   places     int16 (ISO 3166-1 numeric, 0 = all)   buckets  uint8
    persons     uint32  persons whose first mention of the day falls in the bucket
    posts       uint32  engagement float32 (sum over posts whose counts are known)
    by_quarter  (100,) uint32 distinct persons who posted in the quarter;  by_hour  (25,) in the hour
    day_persons distinct persons of the day
    """

    keys: npt.NDArray[np.int64]
    places: npt.NDArray[np.int16]
    buckets: npt.NDArray[np.uint8]
    persons: npt.NDArray[np.uint32]
    posts: npt.NDArray[np.uint32]
    engagement: npt.NDArray[np.float32]
    by_quarter: npt.NDArray[np.uint32]
    by_hour: npt.NDArray[np.uint32]
    day_persons: int

    @property
    def hours(self) -> npt.NDArray[np.uint8]:
        """The hour of each row since local midnight, DAY_ONLY where it is not known."""
        return np.where(self.buckets == DAY_ONLY, DAY_ONLY, self.buckets // 4).astype(np.uint8)

    def knows(self, bucket: Bucket) -> bool:
        """Whether anything is known of slices so short: not of old days, nor where sources tell days alone."""
        if bucket is Bucket.DAY:
            return True
        return bool((self.by_hour if bucket is Bucket.HOUR else self.by_quarter).any())

    def by_the_hour(self) -> "DayCounts":
        """The same without its quarters: rows of one hour are one, and nobody is said to have been heard in a quarter.

        A person counts in the bucket of the day's first mention alone, so hours are exact sums of their quarters.
        """
        return self._in(np.where(self.buckets == DAY_ONLY, DAY_ONLY, self.buckets // 4 * 4), self.by_hour)

    def by_the_day(self) -> "DayCounts":
        """The same as if only the day were known of each post: sums over the day are what they were."""
        return self._in(np.full(len(self.buckets), DAY_ONLY), np.zeros(HOURS, np.uint32))

    def _in(self, buckets: npt.NDArray[Any], by_hour: npt.NDArray[np.uint32]) -> "DayCounts":
        """Rows that come into one bucket are one; buckets are in order within each key and place."""
        buckets = buckets.astype(np.uint8)
        starts = np.ones(len(buckets), bool)
        columns = (self.keys, self.places, buckets)
        starts[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
        at = np.flatnonzero(starts)
        sums = [np.add.reduceat(column, at) if len(at) else column for column in self._columns[3:]]
        persons, posts, engagement = (new.astype(old.dtype) for new, old in zip(sums, self._columns[3:], strict=True))
        return DayCounts(
            self.keys[at], self.places[at], buckets[at], persons, posts, engagement,
            np.zeros(QUARTERS, np.uint32), by_hour, self.day_persons,
        )  # fmt: skip

    def to_bytes(self, level: int = 1) -> bytes:
        """As one blob. level: of zlib; a day that is written for good is worth more work."""
        body = b"".join(_little(column).tobytes() for column in (*self._columns, self.by_quarter, self.by_hour))
        return _HEADER.pack(_MAGIC, len(self.keys), self.day_persons) + zlib.compress(body, level)

    @property
    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return (self.keys, self.places, self.buckets, self.persons, self.posts, self.engagement)

    @classmethod
    def from_bytes(cls, blob: bytes) -> "DayCounts":
        """Read a blob back. Raises ValueError when it is none."""
        magic, n, day_persons = _HEADER.unpack_from(blob)
        if magic not in (_MAGIC, _HOURLY):
            raise ValueError(f"not a day of counts: {magic!r}")
        body = zlib.decompress(memoryview(blob)[_HEADER.size :])
        layout = [("<i8", n), ("<i2", n), ("u1", n), ("<u4", n), ("<u4", n), ("<f4", n)]
        exposures = [("<u4", HOURS)] if magic == _HOURLY else [("<u4", QUARTERS), ("<u4", HOURS)]
        columns: list[npt.NDArray[Any]] = []
        at = 0
        for dtype, length in layout + exposures:
            columns.append(np.frombuffer(body, dtype, length, at))
            at += columns[-1].nbytes
        if magic == _HOURLY:
            hours = columns[2]
            columns[2] = np.where(hours == DAY_ONLY, DAY_ONLY, 4 * hours.astype(np.int64)).astype(np.uint8)
            columns.insert(6, np.zeros(QUARTERS, np.uint32))
        keys, places, buckets, persons, posts, engagement, by_quarter, by_hour = columns
        return cls(keys, places, buckets, persons, posts, engagement, by_quarter, by_hour, day_persons)


def _little(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column.astype(column.dtype.newbyteorder("<"), copy=False)

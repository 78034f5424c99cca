"""Day counts as they are stored, and as the form before knew them: by the hour."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from radar.store.day_blob import DAY_ONLY, HOURS, QUARTERS, DayCounts


def _counts() -> DayCounts:
    by_quarter, by_hour = np.zeros(QUARTERS, np.uint32), np.zeros(HOURS, np.uint32)
    by_quarter[[37, 39]], by_hour[9] = (3, 2), 4
    return DayCounts(
        np.array([5, 5, 8], np.int64), np.array([0, 392, 0], np.int16), np.array([37, 39, DAY_ONLY], np.uint8),
        np.array([2, 1, 1], np.uint32), np.array([3, 1, 1], np.uint32), np.array([7, 0, 1.5], np.float32),
        by_quarter, by_hour, 6,
    )  # fmt: skip


def test_a_day_comes_back_as_it_was_put_in() -> None:
    kept, back = _counts(), DayCounts.from_bytes(_counts().to_bytes())
    for name in DayCounts.__slots__:
        assert np.array_equal(getattr(kept, name), getattr(back, name))
    assert back.hours.tolist() == [9, 9, DAY_ONLY]


def test_a_day_that_was_counted_by_the_hour_is_read_as_hours() -> None:
    """The first form, as stores of version 0001 to 0002 hold it."""
    kept = _counts()
    columns = (kept.keys, kept.places, kept.hours, kept.persons, kept.posts, kept.engagement, kept.by_hour)
    body = b"".join(np.ascontiguousarray(column).tobytes() for column in columns)
    back = DayCounts.from_bytes(struct.pack("<4sIQ", b"RDC1", 3, 6) + zlib.compress(body))
    assert back.hours.tolist() == [9, 9, DAY_ONLY]
    assert back.persons.tolist() == [2, 1, 1]
    assert back.by_hour[9] == 4
    assert not back.by_quarter.any()
    assert back.day_persons == 6


def test_what_is_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match="not a day"):
        DayCounts.from_bytes(b"RDC9" + _counts().to_bytes()[4:])


def test_hours_are_the_sums_of_their_quarters() -> None:
    counts = _counts()
    keys, places = np.array([5, 5, 5, 8], np.int64), np.array([0, 0, 0, 0], np.int16)
    buckets, persons = np.array([36, 39, 40, DAY_ONLY], np.uint8), np.array([2, 1, 4, 1], np.uint32)
    quarters = replace(
        counts, keys=keys, places=places, buckets=buckets, persons=persons, posts=persons + 1,
        engagement=persons.astype(np.float32),
    )  # fmt: skip
    hours = quarters.by_the_hour()
    assert hours.buckets.tolist() == [36, 40, DAY_ONLY]
    assert hours.persons.tolist() == [3, 4, 1]
    assert hours.posts.tolist() == [5, 5, 2]
    assert hours.by_hour.tolist() == counts.by_hour.tolist()
    assert not hours.by_quarter.any()
    assert DayCounts.from_bytes(hours.to_bytes()).by_the_hour().to_bytes() == hours.to_bytes()

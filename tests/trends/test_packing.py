"""Detector states are kept packed: read back to the bit, small, and those of before are still read."""

import io
import json
import struct
from datetime import date, timedelta

import numpy as np
import pytest

from radar.past import Day, Past, Rows
from radar.store.day_blob import HOURS, QUARTERS, DayCounts
from radar.trends.distinct import add
from radar.trends.packing import pack, unpack
from radar.watch import Watch
from radar.windows import Bucket

BEGINS = date(2026, 3, 1)


def _counts(rng: np.random.Generator, keys: int) -> DayCounts:
    persons = rng.integers(0, 4, keys).astype(np.uint32)
    return DayCounts(
        np.arange(keys) + (2 << 60), np.zeros(keys, np.int16), np.full(keys, 40, np.uint8), persons, persons,
        persons.astype(np.float32), np.full(QUARTERS, 9, np.uint32), np.full(HOURS, 30, np.uint32), 200,
    )  # fmt: skip


def _watch(days: int = 40, keys: int = 300) -> Watch:
    rng, watch, past = np.random.default_rng(3), Watch("model", "TW", Bucket.DAY), Past()
    watch.begun = BEGINS
    for n in range(days):
        tick = 96 * (BEGINS + timedelta(days=n)).toordinal()
        day = Day.of(Rows.of(_counts(rng, keys)), [tick], Bucket.DAY)
        for _ in watch.pass_buckets(day, [tick], past, exposures=[200.0], slots=[n % 7]):
            pass
        add(watch.registers, day.mixed)
        past.append(day, watch.reaches_back or 0)
    return watch


def _as_before(watch: Watch) -> bytes:
    """The form of states before they were packed."""
    facts, arrays = watch.state.to_parts()
    turned = {name: np.ascontiguousarray(arrays.pop(f"{name}_of").T) for name in ("level", "sums")}
    kept, filled = io.BytesIO(), np.cumsum(arrays.pop("steps"))
    np.savez(kept, facts=np.array(json.dumps(facts)), filled=filled, **arrays, **turned)  # type: ignore[arg-type]
    told = {"open": {}, "advanced": list(watch.advanced), "begun": BEGINS.isoformat()}
    text = json.dumps(told).encode()
    own = watch.keys.tobytes() + watch.places.tobytes() + watch.registers.tobytes()
    return struct.pack("<4sII", b"RDW2", len(text), len(watch.keys)) + text + own + kept.getvalue()


def test_a_watch_is_read_back_whole_and_from_the_form_of_before_and_takes_a_third_of_it() -> None:
    watch = _watch()
    assert len(watch.keys) == 300
    packed, before = watch.to_bytes(), _as_before(watch)
    for blob in (packed, before):
        assert Watch.from_bytes(blob, "model", "TW", Bucket.DAY).to_bytes() == packed
    assert len(packed) < len(before) / 3


@pytest.mark.parametrize("shape", [(0,), (7,), (3, 5), (2, 0, 168), (0, 3)])
def test_arrays_of_any_shape_come_back_and_can_be_written_to(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    facts, found = unpack(pack({"n": 1}, {"x": np.zeros(1, np.int8), "array": array.T}))
    assert facts == {"n": 1}
    np.testing.assert_array_equal(found["array"], array.T)
    assert found["array"].flags.aligned
    found["array"] += 1


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(ValueError, match="not packed"):
        unpack(b"something else")
    whole = pack({}, {"x": np.arange(9)})
    for cut in (whole[:6], whole[:-5], whole[:12] + b"x" * 9):
        with pytest.raises(ValueError, match="cannot be read"):
            unpack(cut)
    with pytest.raises(ValueError, match="not a detector state"):
        Watch.from_bytes(b"something else altogether", "model", "TW", Bucket.DAY)

"""A market's watch, rebuilt from its counts, is the one that was advanced day by day."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radar.keys import kinds_of
from radar.past import Day, Past
from radar.trends.distinct import mix
from radar.watch import Watch
from radar.windows import Bucket
from tests.conftest import IN_CI

Counts = npt.NDArray[np.int64]
FIRST = 20_000 * 96  # tick of a midnight
KEYS = np.array([n % 3 << 60 | n + 7 for n in range(90)])
DAYS = {Bucket.DAY: 60, Bucket.HOUR: 26}
"""After the warm-up, and all of it remembered."""


def talk(seed: int, days: int, per_day: int) -> tuple[Counts, npt.NDArray[np.float64]]:
    """Persons by key and bucket, and all persons: keys used every day, from some day on, and hardly ever; outages."""
    rng, at = np.random.default_rng(seed), np.arange(days * per_day)
    rate = 10 ** rng.uniform(-1.5, 0.6, (len(KEYS), 1)) / per_day
    since = rng.choice([0, 0, days // 3, days - 8], (len(KEYS), 1)) * per_day
    persons = rng.poisson(rate * np.where(at >= since, 1.0, 0.05))
    heard = rng.integers(60, 140, len(at)).astype(float)
    heard[rng.integers(0, len(at), 3)] = 0.0
    return np.where(heard > 0, persons, 0), heard


def pass_day(watch: Watch, past: Past, n: int, persons: Counts, heard: npt.NDArray[np.float64]) -> None:
    per_day = len(heard)
    ticks = FIRST + 96 * n + 96 // per_day * np.arange(per_day)
    which, column = np.nonzero(persons)
    mixed = mix(KEYS[which], np.zeros(len(which), np.int16))
    order = np.lexsort((column, mixed))
    which, column = which[order], column[order]
    rows = persons[which, column].astype(np.uint32)
    day = Day(mixed[order], KEYS[which], np.zeros(len(which), np.int16), ticks[column], rows)
    slots = (np.arange(per_day) + n % 7 * per_day).tolist()
    watch.pass_buckets(day, ticks.tolist(), past, exposures=heard.tolist(), slots=slots)
    past.append(day, watch.reaches_back or 0)


@pytest.mark.parametrize("bucket", list(DAYS))
@settings(deadline=None, derandomize=IN_CI, max_examples=4)
@given(seed=st.integers(0, 10_000), stops=st.sets(st.integers(1, 25), max_size=3))
def test_a_watch_rebuilt_from_its_counts_is_the_one_advanced(bucket: Bucket, seed: int, stops: set[int]) -> None:
    """At one go and put away on some days: the same to the bit. And each series, whatever day made it one, is what
    its counts make of it today."""
    days, per_day = DAYS[bucket], 1 if bucket is Bucket.DAY else 24
    persons, heard = talk(seed, days, per_day)
    one, other = Watch("m", "TW", bucket), Watch("m", "TW", bucket)
    past, other_past, sizes = Past(), Past(), set()
    for n in range(days):
        some = slice(n * per_day, (n + 1) * per_day)
        if n in stops:
            other = Watch.from_bytes(other.to_bytes(), "m", "TW", bucket)
        pass_day(one, past, n, persons[:, some], heard[some])
        pass_day(other, other_past, n, persons[:, some], heard[some])
        sizes.add(len(one.keys))
    assert one.to_bytes() == other.to_bytes()
    assert len(sizes) >= 4  # series were made on several days
    assert len(one.keys) < len(KEYS)
    back = persons[(one.keys & (1 << 60) - 1) - 7][:, heard > 0][:, ::-1]
    rows, ago = np.nonzero(back)
    state, size = one.state, one.state.size
    state.add_with_history(kinds_of(one.keys), rows, ago, back[rows, ago])
    for slot in (0, 3):
        expected = state.expected_next(slot, 100.0)
        np.testing.assert_allclose(expected[size:], expected[:size], rtol=1e-6)
    np.testing.assert_allclose(state.phi[size:], state.phi[:size], rtol=1e-6)
    step = state.advance(np.tile(np.arange(size) % 9, 2), 100.0, 0)
    p = np.ones(2 * size)
    p[step.series] = step.p
    assert (p < 0.01).any()
    np.testing.assert_allclose(np.log(p[size:]), np.log(p[:size]), rtol=1e-6)


def test_what_is_forgotten_by_a_series_first_bucket_is_not_learnt_at_the_days_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A day's new series are learnt up to the day at once: the same as each one's whole past at its first bucket."""
    born = 11 + Watch("m", "TW", Bucket.HOUR).state.remembered // 24
    persons, heard = talk(1, born + 1, 24)
    heard[:] = 100
    persons[60:] = 0
    persons[np.arange(60, 90), 24 * 11 + np.arange(30) % 20] = 1  # forgotten at the hour in which it comes again
    persons[60:, 24 * born + 21] = 9
    one, other = Watch("m", "TW", Bucket.HOUR), Watch("m", "TW", Bucket.HOUR)
    past, other_past = Past(), Past()
    for n in range(born + 1):
        some = slice(n * 24, (n + 1) * 24)
        before = set(one.keys.tolist())
        pass_day(one, past, n, persons[:, some], heard[some])
        with monkeypatch.context() as patched:
            patched.setattr(Watch, "_recall", lambda *_: None)
            pass_day(other, other_past, n, persons[:, some], heard[some])
    assert set(KEYS[60:].tolist()) <= set(one.keys.tolist()) - before
    is_same = one.to_bytes() == other.to_bytes()  # pytest would take minutes to tell megabytes apart
    assert is_same


def test_rows_of_a_bucket_in_which_nobody_was_heard_end_no_watch() -> None:
    """No count of ours has any; a foreign or damaged one may. They are as if they were not there."""
    watches = []
    for lost in (0, 1):
        watch, past, persons = Watch("m", "TW", Bucket.HOUR), Past(), np.zeros((len(KEYS), 24), np.int64)
        pass_day(watch, past, 0, persons, np.full(24, 5.0))
        persons[0, 1], persons[3, 0], persons[3, 3] = 2, lost, 2
        heard = np.full(24, 5.0)
        heard[0] = 0.0
        pass_day(watch, past, 1, persons, heard)
        watches.append(watch)
    assert len(watches[1].keys) == 2
    assert watches[0].to_bytes() == watches[1].to_bytes()

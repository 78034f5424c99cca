"""What must hold whatever the counts: properties of the arithmetic of `radar.trends`.

Tolerances are measured, and where one follows from a formula (sections as in the docstring of `radar.trends`) the test
says from which.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from radar.trends import Scores, SeriesState, Step, benjamini_hochberg, score_series
from radar.windows import Bucket
from tests.conftest import IN_CI

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

PROPERTY = settings(deadline=None, derandomize=IN_CI, max_examples=40)
COSTLY = settings(PROPERTY, max_examples=6)
SEEDS = st.integers(0, 10_000)
CERTAIN = 1e-10
"""A p under which no list and no alert tells one from another."""
BUCKETS = pytest.mark.parametrize("bucket", [Bucket.HOUR, Bucket.DAY])
COLUMNS = ("p", "lift", "lift_floor", "score", "observed", "expected", "window")


def of(bucket: Bucket, **other: Any) -> dict[str, Any]:
    """The settings that the product uses at this bucket length."""
    names = ("windows", "season", "half_life", "warm_up")
    return {name: getattr(bucket, name) for name in names} | other


@st.composite
def markets(draw: st.DrawFn) -> tuple[Counts, Floats, dict[str, Any]]:
    """Any few series, mostly zeros or not, with outages, under any settings: nothing about them is likely."""
    series, buckets = draw(st.integers(1, 8)), draw(st.integers(20, 70))
    y = draw(arrays(np.int64, (series, buckets), elements=st.integers(0, 400), fill=st.integers(0, 3)))
    exposure = draw(arrays(np.float64, buckets, elements=st.sampled_from([0.0, 1.0, 70.0, 500.0]), fill=st.just(90.0)))
    chosen = {
        "windows": draw(st.sampled_from([(1,), (1, 3), (1, 3, 7), (2, 5), (1, 3, 6, 24)])),
        "season": draw(st.sampled_from([0, 7, 24, 168])),
        "half_life": draw(st.sampled_from([5.0, 60.0, 168.0])),
        "warm_up": draw(st.integers(1, 15)),
    }
    return y, exposure, chosen


def quiet(
    seed: int, series: int, buckets: int, phi: float = 1.0, rates: tuple[float, float] = (-1.5, 1.0), cycle: int = 7
) -> tuple[Counts, Floats]:
    """Nothing trends: rates 10^rates a bucket per 1,000 persons, a cycle of exposure, negative binomial counts."""
    rng = np.random.default_rng(seed)
    wave = 1 + 0.3 * np.sin(np.arange(buckets) / cycle * 2 * np.pi)
    exposure = np.round(1000 * wave * rng.uniform(0.8, 1.2, buckets))
    return drawn(rng, 10 ** rng.uniform(*rates, series)[:, None] * exposure / 1000, phi), exposure


def drawn(rng: np.random.Generator, mean: Floats, phi: float) -> Counts:
    """Counts of this mean and of variance phi times the mean."""
    return rng.poisson(mean if phi == 1 else rng.gamma(mean / (phi - 1), phi - 1))


def full(step: Step, size: int) -> Floats:
    """p of every series, 1 where it was not tested."""
    p = np.ones(size)
    p[step.series] = step.p
    return p


def began(y: Counts, exposure: Floats, chosen: dict[str, Any]) -> SeriesState:
    """A state that has seen these buckets."""
    state = SeriesState(**chosen)
    state.add(np.zeros(len(y), np.int8))
    for t in range(y.shape[1]):
        state.advance(y[:, t], exposure[t], t)
    return state


# ---- order, time, memory ----


@PROPERTY
@given(markets(), st.randoms(use_true_random=False))
def test_series_in_another_order_get_the_same_numbers(market: tuple[Counts, Floats, dict[str, Any]], r: Any) -> None:
    y, exposure, chosen = market
    order = r.sample(range(len(y)), len(y))
    a, b = (score_series(x, exposure, **chosen, working=True) for x in (y, y[order]))
    for name in COLUMNS:  # sums over series are taken in another order: float64 rounding, no more
        np.testing.assert_allclose(getattr(a, name)[order], getattr(b, name), rtol=1e-6, err_msg=name)


@PROPERTY
@given(markets(), st.data())
def test_the_past_does_not_know_the_future(market: tuple[Counts, Floats, dict[str, Any]], data: st.DataObject) -> None:
    y, exposure, chosen = market
    cut = data.draw(st.integers(1, y.shape[1] - 1))
    whole = score_series(y, exposure, **chosen, working=True)
    part = score_series(y[:, :cut], exposure[:cut], **chosen, working=True)
    other = y.copy()
    other[:, cut:] = 7 * other[::-1, cut:] + 1
    twisted = score_series(other, np.r_[exposure[:cut], 3 * exposure[cut:] + 1], **chosen, working=True)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(whole, name)[:, :cut], getattr(part, name))
        np.testing.assert_array_equal(getattr(twisted, name)[:, :cut], getattr(part, name))


@PROPERTY
@given(markets(), st.data())
def test_bucket_by_bucket_through_the_store_is_the_whole_at_once(
    market: tuple[Counts, Floats, dict[str, Any]], data: st.DataObject
) -> None:
    y, exposure, chosen = market
    stops = data.draw(st.sets(st.integers(0, y.shape[1] - 1), max_size=3))
    whole: Scores = score_series(y, exposure, **chosen, working=True)
    state = SeriesState(**chosen)
    state.add(np.zeros(len(y), np.int8))
    for t in range(y.shape[1]):
        if t in stops:
            state = SeriesState.from_bytes(state.to_bytes())
        step = state.advance(y[:, t], exposure[t], t)
        np.testing.assert_array_equal(full(step, len(y)), whole.p[:, t])
        for name in COLUMNS[1:]:
            np.testing.assert_array_equal(getattr(step, name), getattr(whole, name)[step.series, t])


@pytest.mark.parametrize("bucket", list(Bucket))
@pytest.mark.parametrize("has_season", [False, True])
@COSTLY
@given(seed=SEEDS, data=st.data())
def test_series_rebuilt_from_their_counts_are_those_advanced(
    bucket: Bucket, has_season: bool, seed: int, data: st.DataObject
) -> None:
    """Whenever a series came, in whatever company: expected, phi and p of its twin, made of its counts alone, are its.

    Some were there from the first bucket, some came late with a past of their own. What is older than is remembered is
    left out by rule, so there nobody says anything but the others, of which the market's own numbers are learnt.
    """
    state = SeriesState(**of(bucket, season=bucket.season if has_season else 0))
    most = 2 * state.remembered + 40
    came, now = sorted((data.draw(st.integers(0, most)), data.draw(st.integers(1, most))))
    y, exposure = quiet(seed, 60, now + 12, phi=1.4, rates=(-1.5, 0.9))
    y[30:, : max(0, now - state.remembered)] = 0
    y[40:43, max(now - 9, 0) : now + 4] += 9
    kinds = np.arange(60) % 3
    state.add(kinds[:45])
    state.advance_many(y[:45, :came].T, exposure[:came], np.arange(came))
    remember(state, y[45:, :came], kinds[45:])
    state.advance_many(y[:, came:now].T, exposure[came:now], np.arange(came, now))
    state = SeriesState.from_bytes(state.to_bytes())
    mine = np.random.default_rng(seed).permutation(np.arange(30, 60))
    for some in (mine[:11], mine[11:]):
        remember(state, y[some, :now], kinds[some])
    twins, both = np.arange(60, 90), np.vstack([y, y[mine]])
    deepest = 0.0
    for t in range(now, now + 12):
        expected = state.expected_next(t, 1000.0)
        np.testing.assert_allclose(expected[twins], expected[mine], rtol=1e-6)
        np.testing.assert_allclose(state.phi[twins], state.phi[mine], rtol=1e-6)
        p = np.log(full(state.advance(both[:, t], exposure[t], t), 90))
        np.testing.assert_allclose(p[twins], p[mine], rtol=1e-6, atol=1e-9)
        deepest = min(deepest, p[mine].min())
    assert deepest < -3 or now < bucket.warm_up


def remember(state: SeriesState, y: Counts, kinds: Any) -> None:
    """Let series join that have shown these counts up to now."""
    rows, ago = np.nonzero(y[:, ::-1])
    state.add_with_history(kinds, rows, ago, y[:, ::-1][rows, ago])


@pytest.mark.parametrize("bucket", list(Bucket))
def test_a_series_that_joins_in_silence_is_one_that_was_always_silent(bucket: Bucket) -> None:
    y, exposure = quiet(4, 41, bucket.warm_up + 5 * int(bucket.half_life))
    y[40] = 0
    state = began(y, exposure, of(bucket))
    state.add([0])
    for t in range(12):
        expected = state.expected_next(t, 1000.0)
        assert expected[41] == expected[40] > 0
        assert state.phi[41] == state.phi[40]
        found = full(state.advance(np.r_[y[:40, t], t, t], exposure[t], t), 42)
        assert found[41] == found[40]
    assert found[41] < 1e-3


# ---- factors ----


@BUCKETS
@COSTLY
@given(seed=SEEDS, factor=st.floats(1e-3, 1e3))
def test_the_unit_of_exposure_changes_nothing(bucket: Bucket, seed: int, factor: float) -> None:
    """Sections 1 and 2 are free of it: r0 is a rate of the same unit."""
    y, exposure = quiet(seed, 100, 200, phi=1.5)
    a, b = (score_series(y, exposure * f, **of(bucket)) for f in (1.0, factor))
    np.testing.assert_allclose(np.log(a.p), np.log(b.p), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(a.lift, b.lift, rtol=1e-8)


@BUCKETS
@COSTLY
@given(seed=SEEDS, factor=st.integers(2, 3))
def test_a_factor_on_counts_and_exposure_moves_the_expected_by_half_a_mention_at_most(
    bucket: Bucket, seed: int, factor: int
) -> None:
    """Section 1: E' / c = E (A + 0.5 / c) / (A + 0.5) (1 + 0.5 / m) / (1 + 0.5 / (c m)), m the mean of A.

    On top of it 12 % (9.9 % measured): first mentions c at a time are cut (winsorised) more than single ones. The
    factors of slots are the next test's.
    """
    y, exposure = quiet(seed, 200, int(2.5 * bucket.half_life))
    one, many = (began(c * y, c * exposure, of(bucket, season=0)) for c in (1, factor))
    a = one.expected_next(0, 1000.0) * one.exposed / 1000
    ratio = many.expected_next(0, 1000.0 * factor) / factor / one.expected_next(0, 1000.0)
    known = a >= 10  # where A is nothing, 0.5 is all there is
    assert (np.abs(ratio - 1)[known] <= 0.5 / a[known] + 0.5 / a.mean() + 0.12).all()
    assert np.median(np.abs(ratio - 1)[known]) <= 0.01


@BUCKETS
@COSTLY
@given(seed=SEEDS, factor=st.integers(2, 3))
def test_a_factor_on_counts_and_exposure_changes_little_of_the_slots(bucket: Bucket, seed: int, factor: int) -> None:
    """Section 2: f is of all series, so its prior is nothing. Only in g do c persons at a time weigh as c witnesses:
    (20 + c y) / (20 + c e), and a series that has 200 mentions only c times over gets factors that it had not.

    Measured: f by 1.2 % at most; the expected of series without a g by 8 %, of half of all by 4 %.
    """
    y, exposure = quiet(seed, 200, int(2.5 * bucket.half_life))
    one, many = (began(c * y, c * exposure, of(bucket)) for c in (1, factor))
    np.testing.assert_allclose(many.profile.factors, one.profile.factors, rtol=0.03)
    changed = np.stack(
        [np.abs(many.expected_next(n, 1000.0 * factor) / factor / one.expected_next(n, 1000.0) - 1) for n in range(7)]
    )
    known = y.sum(1) >= 20
    alike = known & (factor * y.sum(1) < 200)  # few enough that c times as many are none either
    assert alike.sum() >= 20
    assert changed[:, alike].max() <= 0.15
    assert np.median(changed[:, known]) <= 0.06


@BUCKETS
@COSTLY
@given(seed=SEEDS, factor=st.integers(2, 5))
def test_a_market_that_grows_at_once_makes_no_trend(bucket: Bucket, seed: int, factor: int) -> None:
    rng = np.random.default_rng(seed)
    y, exposure = quiet(seed, 300, 250, rates=(-1.0, 1.0), cycle=7 if bucket is Bucket.DAY else 24)
    rate = y.sum(1) / exposure.sum()
    exposure[200:] *= factor
    y[:, 200:] = rng.poisson(rate[:, None] * exposure[200:])
    scores = score_series(y, exposure, **of(bucket))
    p = scores.p[:, 200:]
    assert (p <= 0.05).mean() <= 0.05
    assert (p <= 0.01).mean() <= 0.01


# ---- one more series ----


def moved(bucket: Bucket, seed: int, series: int, rates: tuple[float, float], newcomer: str) -> tuple[Floats, Floats]:
    """p of the others without and with one more series."""
    buckets, cycle = (120, 7) if bucket is Bucket.DAY else (504, 24)
    y, exposure = quiet(seed, series + 1, buckets, phi=1.5, rates=rates, cycle=cycle)
    if newcomer == "silent":
        y[-1] = 0
    if newcomer == "bursting":
        y[-1, -10:] += 20
    without, with_it = (score_series(x, exposure, **of(bucket)).p[:series] for x in (y[:-1], y))
    return without[:, bucket.warm_up :], with_it[:, bucket.warm_up :]


@BUCKETS
@pytest.mark.parametrize("rates", [(-1.5, 1.0), (-2.5, 0.0)])
@COSTLY
@given(seed=SEEDS, series=st.integers(50, 200))
def test_one_more_series_never_moves_a_p_that_could_alarm_by_a_thousandth(
    bucket: Bucket, rates: tuple[float, float], seed: int, series: int
) -> None:
    """Among 50, p = 0.001 is what reaches q = 0.05 alone. A larger p moves more, through the profile, which has no
    more to go by than the counts of so few."""
    a, b = moved(bucket, seed, series, rates, "like the others")
    assert np.abs(a - b)[np.minimum(a, b) <= 0.001].max(initial=0) <= 1e-3
    a, b = moved(bucket, seed, series, rates, "silent")  # it leaves the profile as it is
    assert np.abs(a - b)[np.minimum(a, b) <= 0.01].max(initial=0) <= 1e-3


@BUCKETS
@COSTLY
@given(seed=SEEDS, series=st.integers(3, 49), newcomer=st.sampled_from(["like the others", "silent", "bursting"]))
def test_nor_among_few(bucket: Bucket, seed: int, series: int, newcomer: str) -> None:
    """Three series have hardly a profile of the market: there ln p moves by up to 0.9, which is nothing where p is."""
    a, b = moved(bucket, seed, series, (-1.5, 1.0), newcomer)
    assert np.abs(a - b)[np.minimum(a, b) <= 0.0005].max(initial=0) <= 1e-3


@pytest.mark.parametrize(("newcomer", "level"), [("like the others", 0.05), ("silent", 0.05), ("bursting", 0.01)])
def test_one_more_of_thousands_moves_no_p_of_any_interest_by_a_thousandth(newcomer: str, level: float) -> None:
    for bucket, series, rates in ((Bucket.DAY, 2000, (-2.5, 1.0)), (Bucket.HOUR, 6000, (-3.0, 0.5))):
        a, b = moved(bucket, 1, series, rates, newcomer)
        low = np.minimum(a, b) <= level
        assert low.sum() > 500
        assert np.abs(a - b)[low].max() <= 1e-3


@pytest.mark.parametrize("seed", [0, 1])
def test_the_trends_of_a_market_do_not_hide_the_next_one(seed: int) -> None:
    """Sixty crazes of sixteen in three weeks among 2,000 sparse series, then one of seven."""
    rng, hours = np.random.default_rng(seed), 600
    still = rng.poisson(10 ** rng.uniform(-4.0, -1.5, (2000, 1)) * np.ones(hours))
    still[-1] = 0
    np.add.at(still[-1], [585, 588, 591, 594, 597, 598, 598], 1)
    loud = still.copy()
    for series in rng.choice(1999, 60, replace=False):
        np.add.at(loud[series], rng.integers(50, 520) + rng.integers(0, 48, 16), 1)
    alone, among = (score_series(y, np.full(hours, 300.0), **of(Bucket.HOUR)).p[-1, -1] for y in (still, loud))
    assert alone < 1e-6
    assert np.log(among) < 0.75 * np.log(alone)  # half of it when a trend's stretches were taken whole


# ---- a world at rest ----


def rearmed(seed: int, series: int, days: int, phi: float, shape: float | None) -> tuple[Counts, Floats]:
    """Hourly first mentions of the local day by 1,000 persons who post and mention at constant rates round the clock.

    shape  mentions an hour by a person who uses the key: after midnight nobody has, so counts stand highest there and
           fall by exp(-shape) an hour, for all series alike. None: each series by its own rate, from one person in
           1,400 a day to one in five
    """
    rng = np.random.default_rng(seed)
    rate = 10 ** rng.uniform(-4.5, -2.0, series) if shape is None else np.full(series, shape)
    users = 1000 * (np.ones(series) if shape is None else 10 ** rng.uniform(-3, -1, series))
    first = users[:, None] * np.exp(-rate[:, None] * np.arange(24)) * (1 - np.exp(-rate[:, None]))
    return drawn(rng, np.tile(first, (1, days)), phi), rng.binomial(1000, 0.1, 24 * days).astype(float)


SHAPES = pytest.mark.parametrize("shape", [0.1, 0.02, None])


@SHAPES
@pytest.mark.parametrize("phi", [1.0, 1.5])
def test_a_constant_world_raises_nothing_around_local_midnight(shape: float | None, phi: float) -> None:
    y, exposure = rearmed(1, 1000, 35, phi, shape)
    scores = score_series(y, exposure, **of(Bucket.HOUR))
    hour = np.arange(y.shape[1]) % 24
    tested = np.arange(y.shape[1]) >= Bucket.HOUR.warm_up
    midnight = tested & np.isin(hour, (22, 23, 0, 1, 2))
    q = np.stack([benjamini_hochberg(p) for p in scores.p.T], 1)
    alarms = (q <= 0.05) & (scores.lift >= 1.5)
    assert alarms[:, midnight].mean() <= (1e-4 if phi == 1 else 6e-4)
    assert (scores.p[:, midnight] <= 0.01).mean() <= 1.25 * (scores.p[:, tested & ~midnight] <= 0.01).mean()


def at_most(p: Floats, level: float, slack: float = 1.0) -> None:
    """P(p <= level) is level times slack or less, but for chance: neighbouring buckets are not independent, so the
    error is that of the shares of single series."""
    shares = (p <= level).mean(1)
    assert shares.mean() <= slack * level + 3 * shares.std() / np.sqrt(len(shares))


@SHAPES
def test_hourly_p_of_a_constant_world_is_uniform_or_above(shape: float | None) -> None:
    for level in (0.001, 0.01, 0.05):
        y, exposure = rearmed(2, 1000, 35, 1.0, shape)
        at_most(score_series(y, exposure, **of(Bucket.HOUR)).p[:, Bucket.HOUR.warm_up :], level)


@pytest.mark.parametrize("seed", [3, 4])
def test_daily_p_of_a_constant_world_is_uniform_or_above(seed: int) -> None:
    y, exposure = quiet(seed, 1000, 200, rates=(-2.0, 1.5))
    p = score_series(y, exposure, **of(Bucket.DAY)).p[:, Bucket.DAY.warm_up :]
    for level in (0.001, 0.01, 0.05):
        at_most(p, level)


@BUCKETS
def test_p_of_a_wild_constant_world_is_nearly_so(bucket: Bucket) -> None:
    """Negative binomial, phi 1.5: each series' own dispersion is itself estimated, which the far tail shows."""
    y, exposure = rearmed(2, 1000, 35, 1.5, 0.1) if bucket is Bucket.HOUR else quiet(3, 1000, 200, 1.5, (-2.0, 1.5))
    p = score_series(y, exposure, **of(bucket)).p[:, bucket.warm_up :]
    for level, slack in ((0.05, 1.0), (0.01, 1.0), (0.001, 1.5)):
        at_most(p, level, slack)

"""The small rules beside the engine: tails, q, on and off, stages, variants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from radar.trends import (
    OnOff,
    Stage,
    Staged,
    benjamini_hochberg,
    burst_p,
    detectable_count,
    lift,
    lift_floor,
    merge_variants,
    next_stage,
)  # fmt: skip
from radar.trends.tail import FLOOR_POLYNOMIAL, gamma_floor


@pytest.mark.parametrize("phi", [1.0, 1.00001, 1.01, 1.3, 4.0, 50.0])
def test_the_tail_is_that_of_scipy(phi: float) -> None:
    rng = np.random.default_rng(0)
    mean = 10 ** rng.uniform(-3, 4, 300)
    observed = np.floor(mean * rng.uniform(0.2, 3, 300) + rng.integers(0, 6, 300))
    if phi == 1:
        truth = stats.poisson.sf(observed - 1, mean)
    else:
        truth = stats.nbinom.sf(observed - 1, mean / (phi - 1), 1 / phi)
    np.testing.assert_allclose(burst_p(observed, mean, phi), truth, rtol=1e-5, atol=1e-300)


def test_no_dispersion_is_a_step_in_the_tail() -> None:
    """What is learnt of phi differs in its last digits: p may not jump there, not where Poisson ends nor elsewhere."""
    phi = 1 + np.r_[0.0, np.logspace(-9, -1, 4_000)]
    for observed, mean in ((3, 0.01), (9, 0.2), (30, 4.0), (90, 40.0), (700, 500.0)):
        log_p = np.log(burst_p(observed, mean, phi))
        assert (np.diff(log_p) >= -1e-7).all()
        assert np.diff(log_p).max() <= 0.05


def test_the_quick_floor_is_the_exact_quantile() -> None:
    shapes = 2 * 10 ** np.linspace(0, 5, 100)
    quick = [gamma_floor(float(a), FLOOR_POLYNOMIAL) for a in shapes]
    np.testing.assert_allclose(quick, special.gammaincinv(shapes, 0.05), rtol=1e-6)


@settings(deadline=None)
@given(st.floats(0.01, 1e4), st.floats(1, 20), st.floats(1e-12, 0.2))
def test_the_smallest_count_that_shows_is_the_smallest(expected: float, phi: float, p: float) -> None:
    count = float(detectable_count(expected, p, phi))
    assert burst_p(count, expected, phi) <= p * (1 + 1e-9)
    assert count == 3 or burst_p(count - 1, expected, phi) > p * (1 - 1e-9)


@settings(deadline=None)
@given(st.floats(0, 1e5), st.floats(0.01, 1e4), st.floats(1, 20))
def test_the_floor_lies_under_the_lift(observed: float, expected: float, phi: float) -> None:
    assert 0 < lift_floor(observed, expected, phi) < lift(observed, expected, phi)


def test_impossible_expectations_are_refused() -> None:
    for wrong in ((3, 0.0, 1.0), (3, 1.0, 0.5), (-1, 1.0, 1.0)):
        with pytest.raises(ValueError, match="must be"):
            burst_p(*wrong)
    with pytest.raises(ValueError, match="p must"):
        detectable_count(1.0, 0.0)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(0, 50))
def test_q_is_that_of_scipy(p: list[float], untested: int) -> None:
    truth = stats.false_discovery_control(np.r_[p, np.ones(untested)])[: len(p)]
    np.testing.assert_allclose(benjamini_hochberg(p, tests=len(p) + untested), truth, rtol=1e-12)


def test_q_of_nothing_is_nothing() -> None:
    assert benjamini_hochberg([], tests=10).size == 0
    with pytest.raises(ValueError, match="at least"):
        benjamini_hochberg([0.1, 0.2], tests=1)


def test_a_trend_ends_only_after_six_quiet_buckets_in_a_row() -> None:
    state = OnOff.start(3).step([0.01, 0.01, 0.01], [3.0, 1.2, 3.0])
    assert state.on.tolist() == [True, False, True]
    for _ in range(5):
        state = state.step([0.9, 0.9, 0.9], 1.0)
    state = state.step([0.9, 0.9, 0.15], 1.0)
    assert state.on.tolist() == [False, False, True]
    assert state.grown(5).on.tolist() == [False, False, True, False, False]


def live(previous: Staged | None, **facts: object) -> Staged:
    level = {"on": True, "lift": 3.0, "lift_before": 3.0, "observed": 9, "observed_before": 9, "age": 5}
    return next_stage(previous, **(level | facts))  # type: ignore[arg-type]


def test_a_trend_lives_from_emerging_to_fading() -> None:
    staged, seen = None, []
    course = (2, 4, 7, 12, 20, 30, 30, 30, 30, 20, 12, 7)
    for age, (before, now) in enumerate(zip((1, *course), course, strict=False)):
        staged = live(staged, lift=now, lift_before=before, observed=now, observed_before=before, age=age)
        seen += [staged.stage.value] if staged.stage.value not in seen else []
    assert seen == ["emerging", "rising", "peaking", "fading"]


@pytest.mark.parametrize(("facts", "stage"), [
    ({"ready": False}, Stage.INSUFFICIENT_HISTORY), ({"on": False}, Stage.FADING),
    ({"recurring": True}, Stage.RECURRING),
    ({"age": 40}, Stage.STEADY), ({"age": 1}, Stage.EMERGING), ({"lift": 4.0}, Stage.RISING),
])  # fmt: skip
def test_a_new_episode_takes_its_first_stage_at_once(facts: dict[str, object], stage: Stage) -> None:
    assert live(None, **facts).stage is stage
    assert live(Staged(Stage.INSUFFICIENT_HISTORY), **facts).stage is stage


def test_one_odd_bucket_does_not_change_the_stage() -> None:
    odd = live(Staged(Stage.PEAKING), lift=9.0)
    assert odd.stage is Stage.PEAKING
    assert odd.pending is Stage.RISING
    assert live(odd) == Staged(Stage.PEAKING)


def test_variants_follow_the_best_score_and_do_not_chain() -> None:
    sets = [{1, 2, 3, 4}, np.array([3, 4, 5, 6, 1]), {4, 5, 6, 7}, set(), {1, 2, 3, 4}]
    assert merge_variants(sets, [1.0, 5.0, 2.0, 9.0, 1.0]) == [1, 1, 1, 3, 1]
    assert merge_variants([{1, 2}, {2, 3}, {3, 4}], [1, 1, 1]) == [0, 1, 2]
    with pytest.raises(ValueError, match="shape"):
        merge_variants([{1}], [1.0, 2.0])


@settings(deadline=None)
@given(st.lists(st.sets(st.integers(0, 12), max_size=8), max_size=12), st.randoms(use_true_random=False))
def test_every_variant_has_half_its_persons_in_common_with_a_leader(sets: list[set[int]], random: object) -> None:
    scores = np.arange(len(sets))[::-1]
    for i, leader in enumerate(merge_variants(sets, scores)):
        assert merge_variants(sets, scores)[leader] == leader
        assert i == leader or 2 * len(sets[i] & sets[leader]) >= len(sets[i] | sets[leader])

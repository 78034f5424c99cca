"""Where nothing happens, p is uniform or above, and few lists hold a false alarm."""

import numpy as np
import pytest

from radar.trends import benjamini_hochberg, score_series
from radar.windows import Bucket
from tests.trends.test_invariants import at_most, of, quiet, rearmed


@pytest.mark.parametrize("bucket", [Bucket.HOUR, Bucket.DAY])
def test_p_is_uniform_or_above_at_phi_15(bucket: Bucket) -> None:
    y, e = rearmed(2, 1000, 35, 1.5, None) if bucket is Bucket.HOUR else quiet(3, 1000, 200, 1.5, (-2.0, 1.5))
    p = score_series(y, e, **of(bucket)).p[:, bucket.warm_up :]
    for level in (0.05, 0.01, 0.001):
        at_most(p, level)


@pytest.mark.parametrize("bucket", [Bucket.HOUR, Bucket.DAY])
def test_five_lists_in_a_hundred_are_wrong_at_phi_15(bucket: Bucket) -> None:
    y, e = rearmed(2, 1000, 35, 1.5, None) if bucket is Bucket.HOUR else quiet(3, 1000, 200, 1.5, (-2.0, 1.5))
    s = score_series(y, e, **of(bucket))
    wrong = [
        ((benjamini_hochberg(s.p[:, t]) <= 0.05) & (s.lift[:, t] >= 1.5)).any()
        for t in range(bucket.warm_up, y.shape[1])
    ]
    assert np.mean(wrong) <= 0.08


def test_keys_of_very_different_rates_share_no_shape_after_midnight() -> None:
    """Rates from one person in 1,400 a day to nine in ten: shared f misfits both ends until g is learnt."""
    rng = np.random.default_rng(1)
    rate = 10 ** rng.uniform(-4.5, -1.0, 1000)
    first = 1000 * np.exp(-rate[:, None] * np.arange(24)) * (1 - np.exp(-rate[:, None]))
    y, e = rng.poisson(np.tile(first, (1, 35))), rng.binomial(1000, 0.1, 24 * 35).astype(float)
    s = score_series(y, e, **of(Bucket.HOUR))
    p, hour = s.p[:, 48:], np.arange(48, 24 * 35) % 24
    wrong = [(benjamini_hochberg(s.p[:, t]) <= 0.05).any() for t in range(48, 24 * 35)]
    assert (p[:, np.isin(hour, (22, 23, 0, 1))] <= 0.01).mean() <= 0.01
    assert np.mean(wrong) <= 0.05

"""KOL arithmetic: medians, what is missing, peers, growth, oddities, earliness against its null."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from radar.errors import CallerError
from radar.kol import Account, PostFact, Priors, Sketch, Tiers, measure
from radar.kol.early import Adoption, early
from radar.kol.growth import follower_step, growth
from radar.kol.signals import judge
from radar.kol.tiers import read_tiers

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
ACCOUNT = Account(1, "instagram", "TW", "micro", 20_000, NOW - timedelta(days=200))
PRIORS = Priors({"shop.snacks": 0.1}, {"JP": 0.3})


def _post(n: int, age: float, likes: int | None = 100, **more: object) -> PostFact:
    at = NOW - timedelta(days=age)
    return replace(PostFact(n, at, likes, 10, 0, None, 10_000, False, ("shop.snacks",), ("JP",)), **more)


def _measure(posts: list[PostFact], **more: object):  # type: ignore[no-untyped-def]
    ordered = sorted(posts, key=lambda p: p.published_at)
    return measure(ACCOUNT, ordered, [], [], PRIORS, UTC_ZONE, NOW)


def test_one_viral_post_moves_no_rate() -> None:
    posts = [_post(n, 5 + n) for n in range(20)]
    usual = _measure(posts)
    viral = _measure([*posts, _post(99, 10.5, likes=1_000_000)])
    assert usual.er_followers == viral.er_followers == pytest.approx(0.011)
    assert viral.top_posts[0].post_id == 99
    assert viral.top_posts[0].ratio == pytest.approx(1_000_010 / 110, abs=0.01)


def test_hidden_likes_are_unknown_and_never_nought() -> None:
    hidden = _measure([_post(n, 5 + n, likes=None) for n in range(20)])
    assert hidden.er_followers is None
    assert hidden.engagement is None
    assert hidden.rated_count == 0
    assert hidden.low_confidence
    assert hidden.post_count == 20


def test_young_posts_and_old_ones_are_not_rated() -> None:
    m = _measure([_post(1, 1), _post(2, 3.9), _post(3, 4.1), _post(4, 59), _post(5, 61)])
    assert (m.post_count, m.rated_count, m.low_confidence) == (4, 2, True)


def test_shares_are_drawn_to_the_market() -> None:
    m = _measure([_post(1, 5)])
    assert m.topics[0].share == pytest.approx((1 + 10 * 0.1) / 11, abs=1e-4)


def test_paid_work_is_compared_from_three_of_each() -> None:
    organic = [_post(n, 5 + n) for n in range(10)]
    paid = [_post(50 + n, 5.5 + n, likes=45, sponsored=True, products=("cosrx",)) for n in range(3)]
    assert _measure(organic + paid[:2]).paid_over_organic is None
    m = _measure(organic + paid)
    assert m.paid_over_organic == pytest.approx(55 / 110)
    assert (m.brands[0].product_id, m.brands[0].posts) == ("cosrx", 3)
    assert m.brands[0].first_on < m.brands[0].last_on


def test_a_bought_step_of_followers_is_odd_and_an_earned_one_is_not() -> None:
    days = [date(2026, 4, 1) + timedelta(days=n) for n in range(40)]
    steady = [(day, 10_000 + 12 * n + n % 3) for n, day in enumerate(days)]
    bought = [(day, n + (5_000 if day >= days[20] else 0)) for day, n in steady]
    assert growth(steady, days[-1])[0] == pytest.approx(12 * 30 / 10_108, rel=0.02)
    assert (follower_step(steady, [])[0] or 0) < 2
    assert (follower_step(bought, [])[0] or 0) > 50
    assert (follower_step(bought, [days[19]])[0] or 0) < 2  # a strong post the day before explains it
    assert growth(steady[:5], days[5]) == (None, 4)
    assert growth(steady, days[-1] + timedelta(days=31)) == (None, 0)  # whatever it was, it is not of these 30 days


def test_a_signal_is_odd_only_among_enough_peers_and_on_its_side() -> None:
    few, many = Sketch.of([1.0 + n for n in range(10)]), Sketch.of([1.0 + n for n in range(100)])
    assert not judge("repeated_share", 1_000, 30, few).is_odd
    assert judge("repeated_share", 1_000, 30, many).is_odd
    assert not judge("repeated_share", 0, 30, many).is_odd
    assert judge("engagement_level", 0, 30, many).is_odd
    assert judge("repeated_share", None, 0, many).percentile is None


def test_quantiles_of_many_peers_are_exact_to_half_a_percent() -> None:
    values = np.random.default_rng(1).lognormal(0, 2, 5_000)
    sketch = Sketch.of(values.tolist())
    for v in values[:200]:
        assert sketch.percentile(float(v)) == pytest.approx(float(np.mean(values < v)), abs=0.006)


def _random_adoptions(rng: np.random.Generator, trends: int, lead: float) -> list[Adoption]:
    found = []
    for _ in range(trends):
        others = np.sort(rng.uniform(0, 100, 20))
        found.append(Adoption(float(rng.uniform(0, 100) * (1 - lead)), others, np.full(20, 0.05), 0.05))
    return found


def test_earliness_by_chance_is_rarely_called_sure_and_real_earliness_is() -> None:
    rng = np.random.default_rng(3)
    chance = [early(_random_adoptions(rng, 12, 0.0), seed) for seed in range(200)]
    assert 0.01 <= np.mean([e.p <= 0.05 for e in chance if e.p is not None]) <= 0.09
    assert np.mean([e.score for e in chance if e.score is not None]) == pytest.approx(0.5, abs=0.02)
    ahead = [early(_random_adoptions(rng, 12, 0.7), seed) for seed in range(40)]
    assert np.mean([e.p <= 0.05 for e in ahead if e.p is not None]) > 0.9
    assert all(e.low < e.score < e.high for e in ahead if e.score is not None)  # type: ignore[operator]


def test_four_trends_say_nothing_of_earliness() -> None:
    said = early(_random_adoptions(np.random.default_rng(1), 4, 0.9), 1)
    assert (said.score, said.p, said.n) == (None, None, 4)


def test_tiers_are_configured_by_market(tmp_path: Path) -> None:
    path = tmp_path / "tiers.toml"
    assert read_tiers(path) == Tiers()
    path.write_text("micro = 5000\n[TH]\nmicro = 8000\n")
    tiers = read_tiers(path)
    assert [tiers.of(m, 6_000) for m in ("TW", "TH")] == ["micro", "nano"]
    for text, named in [("[XX]\nmicro = 1", "XX"), ("micro = 'a'", "micro"), ("nano = 20000", "grow"), ("=", "TOML")]:
        path.write_text(text)
        with pytest.raises(CallerError, match=named):
            read_tiers(path)

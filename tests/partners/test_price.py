"""Prices are ranges with their inputs, in the market's currency, from a file that a user edits."""

from datetime import date

import pytest

from radar.errors import UnreadableInput
from radar.markets import MARKETS
from radar.partners.price import parse_prices, price, shipped_prices
from tests.partners.builders import a_kol

PRICES = parse_prices(shipped_prices())


def test_a_price_is_a_range_that_can_be_worked_out_again() -> None:
    found = price(a_kol(engagement_percentile=0.5), PRICES)
    assert found is not None
    usd = 25 * 40 * 1.05
    assert found.inputs["usd"] == pytest.approx(usd)
    assert (found.low, found.high, found.currency) == (24_000, 47_000, "TWD")
    assert (found.heuristic, found.as_of) == (True, date(2026, 11, 1))
    assert found.inputs["followers"] == 40_000


def test_fewer_views_than_followers_cost_less_and_nothing_known_costs_nothing_known() -> None:
    seen = price(a_kol(median_views=10_000.0), PRICES)
    usual = price(a_kol(), PRICES)
    assert seen is not None
    assert usual is not None
    assert seen.high < usual.low
    assert price(a_kol(follower_count=None), PRICES) is None


@pytest.mark.parametrize("code", MARKETS)
def test_each_market_has_its_currency(code: str) -> None:
    found = price(a_kol(market=code), PRICES)
    assert found is not None
    assert 0 < found.low < found.high


def test_a_users_own_figures_are_no_heuristic() -> None:
    own = shipped_prices().replace("heuristic: true", "heuristic: false").replace("micro: 25", "micro: 50")
    found = price(a_kol(engagement_percentile=0.5), parse_prices(own))
    assert found is not None
    assert found.inputs["usd"] == pytest.approx(50 * 40 * 1.05)
    assert not found.heuristic


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("as_of: 2026-11-01", "as_of: soon"), "as_of"),
        (("low: 0.7", "low: cheap"), "band"),
        (("low: 0.7", "low: 7"), "low is above high"),
        (("unknown: 20", "other: 20"), "unknown"),
        (("TW: {currency: TWD, per_usd: 32}", ""), "no currency for TW"),
        (("least_usd: 20", "least_usd: -1"), "least_usd"),
        (("as_of:", "[as_of:"), "not YAML"),
        ((shipped_prices(), ""), "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_where(change: tuple[str, str], named: str) -> None:
    with pytest.raises(UnreadableInput, match=named):
        parse_prices(shipped_prices().replace(*change))

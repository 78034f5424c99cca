"""What a post may cost: always a range, with its inputs, from a dated file that a user edits.

usd = usd_per_1000[tier] * min(followers, median views) / 1000 * platform * (at_0 + (at_1 - at_0) * percentile), at
least least_usd, times band; then in the market's currency, rounded to two digits. Never from followers alone where
views are known. Marked heuristic until the file says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from math import floor, log10
from typing import Any

import yaml

from radar.errors import UnreadableInput
from radar.markets import MARKETS
from radar.partners.kol import Kol


@dataclass(frozen=True, slots=True)
class Prices:
    """The file, checked."""

    as_of: date
    heuristic: bool
    source: str
    band: tuple[float, float]
    engagement: tuple[float, float]
    usd_per_1000: Mapping[str, float]
    platforms: Mapping[str, float]
    least_usd: float
    currencies: Mapping[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Price:
    """A range for one post. inputs  what it was computed from."""

    low: float
    high: float
    currency: str
    heuristic: bool
    as_of: date
    inputs: Mapping[str, Any]


def shipped_prices() -> str:
    """prices.yaml as it ships."""
    return (files("radar.partners") / "prices.yaml").read_text(encoding="utf-8")


def parse_prices(text: str) -> Prices:
    """Read prices as YAML. Raises UnreadableInput that names the entry at fault."""
    hint = "See radar/partners/prices.yaml for the form."
    at = "the file"
    try:
        data = yaml.safe_load(text)
        at = "as_of"
        as_of = data["as_of"] if isinstance(data["as_of"], date) else date.fromisoformat(data["as_of"])
        at = "band"
        band = _positive(data[at]["low"]), _positive(data[at]["high"])
        if band[0] > band[1]:
            raise ValueError("low is above high")
        at = "engagement"
        engagement = _positive(data[at]["at_0"]), _positive(data[at]["at_1"])
        at = "usd_per_1000"
        tiers = {str(tier): _positive(usd) for tier, usd in data[at].items()}
        if "unknown" not in tiers:
            raise ValueError("the tier 'unknown' is missing")
        at = "platforms"
        platforms = {str(name): _positive(by) for name, by in (data.get(at) or {}).items()}
        at = "least_usd"
        least = _positive(data[at])
        at = "currencies"
        currencies = {code: (str(c["currency"]), _positive(c["per_usd"])) for code, c in data[at].items()}
        if missing := [code for code in MARKETS if code not in currencies]:
            raise ValueError(f"no currency for {missing[0]}")
    except yaml.YAMLError as error:
        raise UnreadableInput(f"The prices are not YAML: {' '.join(str(error).split())[:200]}.", hint) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableInput(f"The prices cannot be read at {at}: {error}.", hint) from error
    source = str(data.get("source", "not said"))
    return Prices(
        as_of, bool(data.get("heuristic", True)), source, band, engagement, tiers, platforms, least, currencies
    )


def _positive(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ValueError(f"expected a number above 0, got {value!r}")
    return float(value)


def price(kol: Kol, prices: Prices) -> Price | None:
    """What a post of a KOL may cost; None where neither followers nor views are known."""
    reached = [n for n in (kol.follower_count, kol.median_views) if n]
    if not reached:
        return None
    platform = kol.platform.removeprefix("sim-")
    at_0, at_1 = prices.engagement
    percentile = 0.5 if kol.engagement_percentile is None else kol.engagement_percentile
    by_engagement, by_platform = at_0 + (at_1 - at_0) * percentile, prices.platforms.get(platform, 1.0)
    cpm = prices.usd_per_1000.get(kol.tier or "unknown", prices.usd_per_1000["unknown"])
    usd = max(cpm * min(reached) / 1000 * by_platform * by_engagement, prices.least_usd)
    currency, per_usd = prices.currencies[kol.market]
    inputs = {
        "usd_per_1000": cpm, "followers": kol.follower_count, "median_views": kol.median_views,
        "engagement_percentile": kol.engagement_percentile, "engagement_factor": round(by_engagement, 4),
        "platform_factor": by_platform, "band": list(prices.band), "usd": round(usd, 2), "per_usd": per_usd,
        "source": prices.source,
    }  # fmt: skip
    low, high = (two_digits(usd * by * per_usd) for by in prices.band)
    return Price(low, high, currency, prices.heuristic, prices.as_of, inputs)


def two_digits(value: float) -> float:
    """A number that pretends no more than is known.

    >>> two_digits(12345.0), two_digits(0.0)
    (12000.0, 0.0)
    """
    if value <= 0:
        return 0.0
    step = 10.0 ** (floor(log10(value)) - 1)
    return float(round(value / step) * step)

"""KOLs and briefs for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from radar.partners.brief import Brief, Wanted
from radar.partners.kol import Kol, Profile
from radar.partners.parts import Scene

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
NAMES = {"shop.drugstore": "Drugstore", "travel.air": "Flights"}


def a_kol(number: int = 1, **more: Any) -> Kol:
    """A Taiwanese KOL of whose 40 posts 20 are on drugstores and 20 name Japan, but for what is said otherwise."""
    pairs = {("shop.drugstore", "JP"): 15}
    vector = more.pop("vector", None)
    profile = Profile(40, {"shop.drugstore": 20}, {"JP": 20}, pairs, {}, {"zh-Hant": 40}, vector)
    usual: dict[str, Any] = {
        "author_id": number, "person_id": number, "platform": "instagram", "handle": f"kol{number}", "name": None,
        "url": None, "market": "TW", "market_source": "declared", "market_confidence": 1.0, "market_reasons": None,
        "follower_count": 40_000, "tier": "micro", "profile": profile, "last_post_at": NOW - timedelta(days=1),
        "engagement_rate": 0.03, "engagement_percentile": 0.6, "engagement_peers": 80, "engagement_n": 30,
        "sponsored_share": 0.05, "sponsored_n": 40, "signs": (),
    }  # fmt: skip
    return Kol(**usual | more)


def a_scene(**more: Any) -> Scene:
    """A brief of drugstores from Japan to Taiwan."""
    usual: dict[str, Any] = {
        "brief": Brief(), "topics": {"shop.drugstore": 1.0}, "read_topics": (), "products": (), "from_market": "JP",
        "to_market": "TW", "places": (), "vector": None,
    }  # fmt: skip
    return Scene(Wanted(**usual | more), NOW, NAMES)


def unit(*values: float) -> np.ndarray:
    """A vector of length one."""
    found = np.array(values, np.float32)
    return found / np.linalg.norm(found)

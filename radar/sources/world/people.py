"""Who lives in the simulated world: some 150 persons a market with a heavy-tailed rhythm."""

import math
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np

from radar.markets import MARKETS
from radar.sources.base import RawAuthor
from radar.sources.world.texts import topic_ids

PER_MARKET = 150
LINKED = 40
PLATFORMS = ("sim-instagram", "sim-youtube", "sim-threads", "sim-x", "sim-blog")
VIDEO = "sim-youtube"
_SYLLABLES = "mi ka lo ru ten sa no ri be ha yu do pe zen ka ba li mo ne ta".split()


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person.

    accounts  (platform, author) of each account      weight  share of the market's posts
    """

    name: str
    market: str
    languages: tuple[str, ...]
    accounts: tuple[tuple[str, RawAuthor], ...]
    weight: float
    topics: tuple[str, ...]
    places: tuple[str, ...]
    followers: int
    hides_likes: bool


@cache
def _pace(seed: int, native_id: str) -> tuple[float, float]:
    """How an account's followers grow: a share of them a day, and the phase of its better and worse weeks."""
    rng = np.random.default_rng([seed, 8, zlib.crc32(native_id.encode())])
    return float(rng.normal(0.0006, 0.0009)), float(rng.uniform(0, 2 * math.pi))


def grown(author: RawAuthor, seed: int, starts_at: datetime, at: datetime) -> RawAuthor:
    """An account with the followers it has at a moment: at the world's beginning what it was made with."""
    days = max((at - starts_at) / timedelta(days=1), 0.0)
    pace, phase = _pace(seed, author.native_id)
    wave = 0.002 * (math.sin(phase + days / 9) - math.sin(phase))
    count = int((author.follower_count or 0) * max(1 + pace * days + wave, 0.5))
    return RawAuthor(
        author.native_id,
        author.audience_market,
        author.handle,
        author.name,
        author.url,
        author.bio,
        author.languages,
        count,
        author.market_source,
        author.person,
        author.market_confidence,
        author.market_reasons,
        at,
    )  # what `replace` does in a fourth of its time


@cache
def people(seed: int) -> dict[str, list[Person]]:
    """Everybody, by market."""
    rng = np.random.default_rng([seed, 1])
    found: dict[str, list[Person]] = {}
    for m, code in enumerate(MARKETS):
        weights = 1.0 / (np.arange(PER_MARKET) + 12.0) ** 0.9
        weights = rng.permutation(weights / weights.sum())
        found[code] = [_person(rng, code, m, i, float(weights[i])) for i in range(PER_MARKET)]
    return found


def _person(rng: np.random.Generator, code: str, m: int, i: int, weight: float) -> Person:
    market = MARKETS[code]
    name = "".join(rng.choice(_SYLLABLES, 3)) + f"{i:03d}"
    followers = int(np.clip(np.exp(rng.normal(10.2, 1.4)), 800, 4_000_000))
    platforms = [str(p) for p in rng.choice(PLATFORMS, 2, replace=False, p=[0.35, 0.2, 0.2, 0.15, 0.1])]
    linked = i < LINKED // len(MARKETS)
    accounts = []
    for n, platform in enumerate(platforms if linked else platforms[:1]):
        accounts.append(
            (
                platform,
                RawAuthor(
                    native_id=f"sim-{code.lower()}-{i:03d}-{n}", audience_market=code, handle=f"sim_{name}",
                    name=f"Sim {name.capitalize()}", follower_count=int(followers * (1.0 if n == 0 else 0.4)),
                    languages=" ".join(market.languages), market_source="declared",
                    person=f"sim-{code}-{i:03d}" if linked else None,
                ),
            )
        )  # fmt: skip
    others = [c for c in MARKETS if c != code]
    draw = np.array([3.0 if c in ("JP", "KR") else 1.0 for c in others])
    places = rng.choice(others, int(rng.integers(1, 4)), replace=False, p=draw / draw.sum())
    topics = rng.choice(topic_ids(), int(rng.integers(2, 5)), replace=False)
    return Person(
        name, code, market.languages, tuple(accounts), weight, tuple(map(str, topics)), tuple(map(str, places)),
        followers, bool(rng.random() < 0.08),
    )  # fmt: skip

"""What is injected into the simulated world: crazes that spread from market to market, and one-author spam."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import numpy as np

from radar.markets import MARKETS
from radar.sources.world import texts

SMALL, LARGE = (4, 8), (16, 32, 64)
SMALL_SHARES, LARGE_SHARES = (0.5, 0.5), (0.5, 0.4, 0.1)
"""Half of the crazes are small and stay where they began; a large one is large in every market that it reaches."""
INJECTIONS, SPAMS = 300, 100
FIRST_DAY = 12
ORIGINS = {"TW": 6.0, "JP": 2.0, "KR": 2.0}
"""How much likelier a craze begins in these markets than in the others."""
OPENING = ("TW", "JP")
OPENING_SIZE, OPENING_AGE = 32, timedelta(hours=66)
"""The last days of the first stretch hold a craze of these markets: a newcomer's first question is answered."""

WAVES: tuple[dict[str, int], ...] = ({"JP": 0, "TW": 30, "HK": 50, "MY": 76}, {"KR": 0, "TH": 28, "SG": 60})
"""Markets that follow each other, with their median hours after the first."""
REACH = 0.97
"""How likely a large craze reaches each market further down its wave."""
APART = ("JP", "KR", "US")
APART_DAYS = 3.0
"""Markets that some large crazes reach independently of each other, at any time within these days."""

LAGS: dict[tuple[str, str], int] = {
    (one, other): wave[other] - wave[one] for wave in WAVES for one in wave for other in wave if wave[one] < wave[other]
}
"""Median hours from an onset in the first market to the one in the second; pairs not named are independent."""

_SYLLABLES = "na gi fes ho shi mat su ri ke do pan ze lu mi ra to fu wa ki sen bo ta yo ga ne po".split()


@dataclass(frozen=True, slots=True)
class Injection:
    """A craze in one market: `size` distinct persons over `days` days from starts_at on."""

    id: int
    event: int
    market: str
    origin: str
    lag_hours: float
    topic: str
    place: str
    names: dict[str, str]
    hashtag: str
    starts_at: datetime
    days: float
    size: int


@dataclass(frozen=True, slots=True)
class Spam:
    """One account that repeats one invented name."""

    id: int
    market: str
    person: int
    name: str
    hashtag: str
    starts_at: datetime
    hours: float
    posts: int


@dataclass(slots=True)
class Plan:
    """All injections of a stretch of time; large crazes take turns among the waves and the markets apart."""

    injections: list[Injection] = field(default_factory=list)
    large: int = 0
    spams: list[Spam] = field(default_factory=list)


@cache
def first_plan(seed: int, starts_at: datetime, days: int) -> Plan:
    """The plan of the first days: 300 injections and 100 spams in 75 days, in proportion for other lengths."""
    share = max(days - FIRST_DAY, 1) / 63
    return _plan(seed, 0, starts_at + timedelta(days=FIRST_DAY), days - FIRST_DAY, share)


@cache
def week_plan(seed: int, starts_at: datetime, days: int, week: int) -> Plan:
    """The plan of a week after those."""
    return _plan(seed, week + 1, starts_at + timedelta(days=days + 7 * week), 7, 7 / 63)


def _plan(seed: int, block: int, since: datetime, days: float, share: float) -> Plan:
    rng = np.random.default_rng([seed, 2, block])
    plan = Plan()
    wanted, spams = max(round(INJECTIONS * share), 1), max(round(SPAMS * share), 1)
    event = block * 10_000
    while len(plan.injections) < wanted:
        event += 1
        _spread(rng, plan, event, since, days, wanted, is_opening=event == 1)
    for n in range(spams):
        market = str(rng.choice(list(MARKETS)))
        language = MARKETS[market].languages[0]
        plan.spams.append(
            Spam(
                block * 10_000 + n, market, int(rng.integers(0, 150)), texts.event_name(rng, language) + f"{n}",
                _hashtag(rng, block * 10_000 + n + 500),
                since + timedelta(days=float(rng.uniform(0, max(days - 2, 0.5)))),
                float(rng.uniform(8, 44)), int(rng.choice([8, 16, 32, 64])),
            )
        )  # fmt: skip
    return plan


def _spread(
    rng: np.random.Generator,
    plan: Plan,
    event: int,
    since: datetime,
    days: float,
    wanted: int,
    *,
    is_opening: bool = False,
) -> None:
    """One craze: where it begins, and the markets it reaches later."""
    is_large = is_opening or rng.random() < _large_share(plan)
    if is_opening:
        onsets = _wave(rng, WAVES[0], OPENING[0])
    elif is_large:
        onsets = (_wave(rng, WAVES[0]), _wave(rng, WAVES[1]), _apart(rng))[plan.large % 3]
    else:
        onsets = _local(rng)
    plan.large += is_large
    origin = min(onsets, key=lambda market: onsets[market])
    place_markets = [m for m in MARKETS if m != origin]
    draw = np.array([3.0 if m in ("JP", "KR") else 1.0 for m in place_markets])
    country = str(rng.choice(place_markets, p=draw / draw.sum()))
    if is_opening:
        country = OPENING[1]
    places = texts.places_in(country)
    place = str(rng.choice(places[1:])) if len(places) > 1 else places[0]
    topic = str(rng.choice(texts.topic_ids()))
    names = {language: texts.event_name(rng, language) for language in ("zh-Hant", "ja", "ko", "th", "en")}
    hashtag = _hashtag(rng, event)
    began = since + timedelta(days=float(rng.uniform(0, max(days - 2, 0.5))))
    if is_opening:
        began = max(since, since + timedelta(days=days) - OPENING_AGE)
    sizes, shares = (LARGE, LARGE_SHARES) if is_large else (SMALL, SMALL_SHARES)
    for market, hours in sorted(onsets.items(), key=lambda x: x[1]):
        at = began + timedelta(hours=hours)
        if len(plan.injections) == wanted or at > since + timedelta(days=days):
            return
        size = int(rng.choice(sizes, p=shares))
        if is_opening and market == origin:
            size = OPENING_SIZE
        span = float(rng.uniform(1, 2 if size <= 8 else 5 if size >= 32 else 3.5))
        plan.injections.append(
            Injection(
                len(plan.injections) + event // 10_000 * 10_000, event, market,
                origin, round(hours - onsets[origin], 2), topic, place, names, hashtag, at, span, size,
            )
        )  # fmt: skip


def _large_share(plan: Plan) -> float:
    """How likely the next craze is a large one, so that about half of all bursts are."""
    large = sum(injection.size in LARGE for injection in plan.injections)
    return 0.5 if 2 * large < len(plan.injections) + 3 else 0.0


def _local(rng: np.random.Generator) -> dict[str, float]:
    """A craze of one market."""
    share = np.array([ORIGINS.get(m, 1.0) for m in MARKETS])
    return {str(rng.choice(list(MARKETS), p=share / share.sum())): 0.0}


def _wave(rng: np.random.Generator, wave: dict[str, int], origin: str | None = None) -> dict[str, float]:
    """Hours after its beginning at which a craze reaches the markets of a wave, from its first or `origin` on."""
    origin = origin or next(iter(wave))
    onsets = {origin: 0.0}
    for market, place in wave.items():
        lag = place - wave[origin]
        if lag > 0 and rng.random() < REACH:
            onsets[market] = max(1.0, float(rng.normal(lag, lag * 0.15)))
    return onsets


def _apart(rng: np.random.Generator) -> dict[str, float]:
    """A craze that several markets take up without regard to each other."""
    return {market: float(rng.uniform(0, 24 * APART_DAYS)) for market in APART}


def _hashtag(rng: np.random.Generator, number: int) -> str:
    return "".join(rng.choice(_SYLLABLES, 3)) + str(number % 1000)

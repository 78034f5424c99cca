"""What is injected into the simulated world: crazes that spread from market to market, and one-author spam."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import numpy as np

from radar.markets import MARKETS
from radar.sources.world import texts

SIZES = (4, 8, 16, 32, 64)
SIZE_SHARES = (0.25, 0.25, 0.25, 0.20, 0.05)
INJECTIONS, SPAMS = 300, 100
FIRST_DAY = 12
ORIGINS = {"TW": 6.0, "JP": 2.0, "KR": 2.0}
"""How much likelier a craze begins in these markets than in the others."""
OPENING = ("TW", "JP")
OPENING_SIZE, OPENING_AGE = 32, timedelta(hours=66)
"""The last days of the first stretch hold a craze of these markets: a newcomer's first question is answered."""

LAGS: dict[tuple[str, str], int] = {
    ("JP", "TW"): 30, ("JP", "HK"): 38, ("JP", "KR"): 46, ("JP", "TH"): 56, ("KR", "TW"): 22, ("KR", "JP"): 42,
    ("KR", "TH"): 28, ("KR", "SG"): 36, ("TW", "HK"): 18, ("TW", "MY"): 44, ("HK", "SG"): 32, ("HK", "TW"): 26,
    ("TH", "SG"): 30, ("TH", "MY"): 24, ("SG", "MY"): 20, ("US", "KR"): 60, ("US", "SG"): 52, ("MY", "SG"): 34,
}  # fmt: skip
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
    """All injections of a stretch of time."""

    injections: list[Injection] = field(default_factory=list)
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
    share = np.array([ORIGINS.get(m, 1.0) for m in MARKETS])
    origin = str(rng.choice(list(MARKETS), p=share / share.sum()))
    place_markets = [m for m in MARKETS if m != origin]
    draw = np.array([3.0 if m in ("JP", "KR") else 1.0 for m in place_markets])
    country = str(rng.choice(place_markets, p=draw / draw.sum()))
    if is_opening:
        origin, country = OPENING
    places = texts.places_in(country)
    place = str(rng.choice(places[1:])) if len(places) > 1 else places[0]
    topic = str(rng.choice(texts.topic_ids()))
    names = {language: texts.event_name(rng, language) for language in ("zh-Hant", "ja", "ko", "th", "en")}
    hashtag = _hashtag(rng, event)
    began = since + timedelta(days=float(rng.uniform(0, max(days - 2, 0.5))))
    if is_opening:
        began = max(since, since + timedelta(days=days) - OPENING_AGE)
    onsets = {origin: began}
    for market in rng.permutation(list(MARKETS)).tolist():
        lag = LAGS.get((origin, market))
        if lag is not None and rng.random() < 0.75:
            onsets[market] = began + timedelta(hours=max(1.0, float(rng.normal(lag, lag * 0.15))))
    for market, at in sorted(onsets.items(), key=lambda x: x[1]):
        if len(plan.injections) == wanted or at > since + timedelta(days=days):
            return
        size = int(rng.choice(SIZES, p=SIZE_SHARES))
        if is_opening and market == origin:
            size = OPENING_SIZE
        span = float(rng.uniform(1, 2 if size <= 8 else 5 if size >= 32 else 3.5))
        lag_hours = (at - began) / timedelta(hours=1)
        plan.injections.append(
            Injection(
                len(plan.injections) + event // 10_000 * 10_000, event, market,
                origin, round(lag_hours, 2), topic, place, names, hashtag, at, span, size,
            )
        )  # fmt: skip


def _hashtag(rng: np.random.Generator, number: int) -> str:
    return "".join(rng.choice(_SYLLABLES, 3)) + str(number % 1000)

"""Which market an author speaks to, where nobody declared it: from what they write, when, and about which places.

A naive Bayes over the markets, all as likely before: each sign multiplies a market's odds by how likely the sign is of
an author there, and the product is scaled to add up to one. A market has several kinds of authors: in Hong Kong those
who write Cantonese, standard Chinese or English. Languages and hours of a person's posts resemble each other, so they
count as at most `ENOUGH` posts however many there are; places say little (people write of where they travel) and at
most double the odds. A declared country says much. The likelihoods are set by hand, from what the markets' languages
and clocks are; the tests hold them against the simulated world. Taiwan and Hong Kong in standard Chinese, Singapore and
Malaysia in English, share language and clock: without a profile or Cantonese they stay open.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log

from radar.markets import MARKETS, Market
from radar.text import gazetteer
from radar.text.language import language_of
from radar.text.normalise import normalise

SURE = 0.8
"""Confidence from which an inferred market is used."""

ENOUGH = 6
_CANTONESE = "嘅喺咗唔啲冇佢哋嚟咁噉睇"
_DECLARED, _OTHER = 40.0, 0.01
_HABITS: dict[str, tuple[tuple[float, dict[str, float]], ...]] = {
    "HK": (
        (0.35, {"yue": 0.6, "zh-Hant": 0.25, "en": 0.1}),
        (0.45, {"zh-Hant": 0.9, "en": 0.06, "yue": 0.03}),
        (0.2, {"en": 0.85, "zh-Hant": 0.08}),
    ),
    "TW": ((0.97, {"zh-Hant": 0.92, "en": 0.05}), (0.03, {"en": 0.9, "zh-Hant": 0.07})),
    "SG": ((0.8, {"en": 0.92, "zh-Hans": 0.03, "ms": 0.02}), (0.2, {"zh-Hans": 0.75, "en": 0.2})),
    "MY": (
        (0.5, {"en": 0.85, "ms": 0.1}),
        (0.3, {"ms": 0.7, "en": 0.25}),
        (0.2, {"zh-Hans": 0.75, "en": 0.2}),
    ),
    "US": ((0.9, {"en": 0.95}), (0.1, {"es": 0.7, "en": 0.28})),
}
"""Kinds of authors of a market, where its first language alone would not tell: their share, and their languages."""

_AWAKE = (3, 2, 1, 1, 1, 1, 2, 4, 6, 6, 6, 6, 7, 6, 5, 5, 5, 6, 7, 8, 9, 9, 8, 5)
"""Relative numbers of posts by hour of the local day."""


@dataclass(frozen=True, slots=True)
class Post:
    """What one post says of its author's whereabouts. places: of countries, as ISO codes."""

    language: str
    published_at: datetime | None
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """The likeliest market, how likely it is, and what speaks for it in words."""

    market: str
    confidence: float
    reasons: tuple[str, ...]

    @property
    def is_sure(self) -> bool:
        return self.confidence >= SURE


def sign_of(text: str, published_at: datetime | None, prior: str | None = None) -> Post:
    """The signs of one post. published_at: None where only the day is known.

    >>> sign_of("今日喺大阪食咗拉麵", None).language, sign_of("ramen in Osaka", None).places
    ('yue', ('JP',))
    """
    normal = normalise(text)
    language = language_of(normal, prior)
    if language == "zh-Hant" and sum(sign in normal for sign in _CANTONESE) >= 2:
        language = "yue"
    return Post(language, published_at, tuple(code for code in gazetteer.find(normal).places if len(code) == 2))


def countries_of(profile: str) -> tuple[str, ...]:
    """Countries that a profile names or waves the flag of, as ISO codes; the place of a trip among them is a risk.

    >>> countries_of("travel diary 🇹🇼"), countries_of("ramen lover")
    (('TW',), ())
    """
    letters = [chr(ord(c) - 0x1F1E6 + ord("A")) if "\U0001f1e6" <= c <= "\U0001f1ff" else " " for c in profile]
    flags = [run[i : i + 2] for run in "".join(letters).split() for i in range(0, len(run), 2)]
    named = [code for code in gazetteer.find(normalise(profile)).places if len(code) == 2]
    return tuple(dict.fromkeys(code for code in [*flags, *named] if code in MARKETS))


def infer_audience(posts: Sequence[Post], declared: Sequence[str] = ()) -> Audience | None:
    """The market that fits best; None where nothing is known of the author.

    declared  countries that the author's profile names, as ISO codes

    >>> at = datetime.fromisoformat("2026-05-04T12:00:00+00:00")
    >>> found = infer_audience([Post("ja", at)] * 3)
    >>> found.market, found.is_sure, found.reasons[0]
    ('JP', True, 'writes ja in 3 of 3 posts')
    """
    if not posts and not any(code in MARKETS for code in declared):
        return None
    languages = Counter(post.language for post in posts)
    odds = {code: _log_odds(market, posts, languages, declared) for code, market in MARKETS.items()}
    best = max(odds, key=lambda code: odds[code])
    confidence = 1 / sum(exp(value - odds[best]) for value in odds.values())
    return Audience(best, round(confidence, 3), tuple(_reasons(MARKETS[best], posts, languages, declared)))


def _log_odds(market: Market, posts: Sequence[Post], languages: Mapping[str, int], declared: Sequence[str]) -> float:
    weight = min(len(posts), ENOUGH) / max(len(posts), 1)
    total = log(
        sum(
            share
            * exp(weight * sum(n * log(spoken.get(name, _OTHER)) for name, n in languages.items() if name != "und"))
            for share, spoken in _habits(market)
        )
    )
    total += weight * sum(log(24 * _AWAKE[hour] / sum(_AWAKE)) for hour in _local_hours(market, posts))
    at_home = sum(market.code in post.places for post in posts)
    total += log(1 + at_home / max(len(posts), 1))
    return total + (log(_DECLARED) if market.code in declared else 0.0)


def _habits(market: Market) -> tuple[tuple[float, dict[str, float]], ...]:
    return _HABITS.get(market.code) or ((1.0, {"en": 0.05} | {market.languages[0]: 0.93}),)


def _local_hours(market: Market, posts: Sequence[Post]) -> list[int]:
    return [post.published_at.astimezone(market.tz).hour for post in posts if post.published_at]


def _reasons(market: Market, posts: Sequence[Post], languages: Mapping[str, int], declared: Sequence[str]) -> list[str]:
    found = [f"the profile names {market.name}"] if market.code in declared else []
    spoken = {name for _, of in _habits(market) for name in of}
    found += [
        f"writes {name} in {n} of {len(posts)} posts"
        for name, n in sorted(languages.items(), key=lambda told: -told[1])
        if name in spoken
    ][:2]
    hours = _local_hours(market, posts)
    awake = sum(not 1 <= hour < 7 for hour in hours)
    if hours:
        found.append(f"posts by day and evening there in {awake} of {len(hours)}")
    at_home = sum(market.code in post.places for post in posts)
    return [*found, f"names places there in {at_home} of {len(posts)}"] if at_home else found

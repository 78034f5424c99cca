"""Who is planted for known briefs: good partners, frauds that look like them, and near misses; each with a grade.

They post beside the others from a generator of their own, so nothing else of the world moves. A brief's truth grades
everybody of its market by what they were made of: 3 a planted partner; 2 who speaks of the topic and the country (or
a partner whose posts are mostly paid); 1 who speaks of one of the two; 0 all others, and the frauds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

import numpy as np

from radar.markets import MARKETS
from radar.sources.base import RawAuthor, RawPost
from radar.sources.world import texts
from radar.sources.world.people import PLATFORMS, VIDEO, people

ROLES = ("partner",) * 4 + ("bought", "pod", "paid", "elsewhere")
"""Whom each brief gets. bought: followers in a step, few likes, all alike. pod: too many likes, hardly a comment."""
GRADES = {"partner": 3, "bought": 0, "pod": 0, "paid": 2, "elsewhere": 1}
STEP_ON = 40
"""Day of the world on which bought followers arrive."""
_RATE = 0.8
_SYLLABLES = "vo ri tan el mu shi go pa len ka do ra".split()


@dataclass(frozen=True, slots=True)
class PlantedBrief:
    """What somebody might ask, and whom the world holds for it."""

    id: str
    text: str
    from_market: str
    to_market: str
    topic: str


BRIEFS = (
    PlantedBrief("drugstore", "想找會介紹日本藥妝、眼藥水和痠痛貼布的創作者", "JP", "TW", "shop.drugstore"),
    PlantedBrief(
        "skincare", "韓国のスキンケアとシートマスクを紹介してくれる人を探しています", "KR", "JP", "shop.skincare"
    ),
    PlantedBrief("onsen", "일본 온천과 료칸 노천탕을 소개해 줄 크리에이터", "JP", "KR", "travel.onsen_spa"),
    PlantedBrief("snacks", "Pineapple cakes and other snacks to bring home as souvenirs", "TW", "HK", "shop.snacks"),
    PlantedBrief("snow", "รีวิวเล่นสกีและลานหิมะที่ญี่ปุ่น", "JP", "TH", "travel.snow"),
)


@dataclass(frozen=True, slots=True)
class Planted:
    """An invented person made for a brief; like  share of followers who like a post, spread  sd of its logarithm."""

    number: int
    brief: PlantedBrief
    role: str
    platform: str
    author: RawAuthor
    like: float
    spread: float


@cache
def planted(seed: int) -> tuple[Planted, ...]:
    """Everybody who is planted, in order."""
    rng = np.random.default_rng([seed, 7])
    found = [(brief, role) for brief in BRIEFS for role in ROLES]
    return tuple(_planted(rng, n, brief, role) for n, (brief, role) in enumerate(found))


def _planted(rng: np.random.Generator, number: int, brief: PlantedBrief, role: str) -> Planted:
    market = MARKETS[brief.to_market]
    name = "".join(rng.choice(_SYLLABLES, 3))
    followers = int(np.exp(rng.uniform(10.0, 12.6)))
    author = RawAuthor(
        native_id=f"sim-{market.code.lower()}-p{number:02d}", audience_market=market.code,
        handle=f"sim_{name}{number}", name=f"Sim {name.capitalize()}", follower_count=followers,
        languages=" ".join(market.languages), market_source="declared",
    )  # fmt: skip
    like, spread = {"bought": (0.003, 0.02), "pod": (0.6, 0.02)}.get(role, (0.055, 0.6))
    platform = str(rng.choice([p for p in PLATFORMS if p != VIDEO]))
    return Planted(number, brief, role, platform, author, like, spread)


def planted_posts(seed: int, market: str, day: date, since: date, moments: Any) -> Iterator[RawPost]:
    """The posts of a market's planted persons on a local day.

    since  the world's first day;  moments  called with a generator, the instant of a post of that day
    """
    for person in planted(seed):
        if person.brief.to_market == market:
            rng = np.random.default_rng([seed, 9, person.number, day.toordinal()])
            for n in range(int(rng.poisson(_RATE))):
                yield _post(rng, person, (day - since).days, f"P{person.number}-{day:%y%m%d}-{n}", moments(rng))


def _post(rng: np.random.Generator, person: Planted, age: int, native_id: str, at: datetime) -> RawPost:
    base = person.author.follower_count or 0
    followers = int(base * (1 + 0.0004 * age) * (2.2 if person.role == "bought" and age >= STEP_ON else 1.0))
    likes = int(followers * person.like * float(np.exp(rng.normal(0, person.spread))))
    is_fraud = person.role in ("bought", "pod")
    return RawPost(
        platform=person.platform, native_id=native_id,
        author=replace(person.author, follower_count=followers, followers_at=at),
        text=_text(rng, person), published_at=at, language=MARKETS[person.brief.to_market].languages[0],
        url=f"https://simulated.invalid/{person.platform}/{native_id}", media_kind="image", like_count=likes,
        comment_count=int(likes * (0.0004 if is_fraud else 0.04)), share_count=int(likes * 0.02),
    )  # fmt: skip


def _text(rng: np.random.Generator, person: Planted) -> str:
    brief, language = person.brief, MARKETS[person.brief.to_market].languages[0]
    words = texts.bank(language)
    if rng.random() < 0.25:
        return texts.caption(rng, language, texts.sentence(rng, language, None, None)[0], [])
    topic = brief.topic if rng.random() < 0.75 else texts.pick(rng, texts.topic_ids())
    others = [c for c in MARKETS if c not in (brief.from_market, brief.to_market)]
    country = texts.pick(rng, others) if person.role == "elsewhere" else brief.from_market
    codes = texts.places_in(country)
    place = codes[min(int(rng.pareto(0.8)), len(codes) - 1)]
    body, is_named = texts.sentence(rng, language, topic, place)
    tags = [texts.pick(rng, words.topics[topic][1])]
    if not is_named and rng.random() < 0.6:
        tags.append(texts.place_name(country, language).replace(" ", ""))
    if rng.random() < (0.75 if person.role == "paid" else 0.05):
        tags.append(texts.pick(rng, words.sponsored))
    return texts.caption(rng, language, body, list(dict.fromkeys(tags)))


def briefs_truth(seed: int) -> list[dict[str, Any]]:
    """Each brief with the grade of everybody above 0 in its market, and its frauds, by (platform, native id)."""
    return [
        {
            "id": brief.id, "text": brief.text, "from": brief.from_market, "to": brief.to_market,
            "topics": [brief.topic], "grades": list(_grades(seed, brief)),
            "frauds": [
                [p.platform, p.author.native_id]
                for p in planted(seed) if p.brief is brief and p.role in ("bought", "pod")
            ],
        }
        for brief in BRIEFS
    ]  # fmt: skip


def _grades(seed: int, brief: PlantedBrief) -> Iterator[list[Any]]:
    for one in planted(seed):
        if one.brief is brief and GRADES[one.role]:
            yield [one.platform, one.author.native_id, GRADES[one.role]]
    for person in people(seed)[brief.to_market]:
        grade = (brief.topic in person.topics) + (brief.from_market in person.places)
        if grade:
            yield from ([platform, author.native_id, grade] for platform, author in person.accounts)

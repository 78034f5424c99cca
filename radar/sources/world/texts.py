"""The words of the simulated world: banks of sentences by language, filled with places, products and invented names."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from radar.text import gazetteer

_FOLDER = Path(__file__).parent / "texts"
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Bank:
    """What people of one language say."""

    language: str
    openers: list[str]
    closers: list[str]
    emoji: list[str]
    sponsored: list[str]
    event_first: list[str]
    event_second: list[str]
    event_sentences: list[str]
    topics: dict[str, tuple[list[str], list[str]]]  # sentences, hashtags
    none: tuple[list[str], list[str]]


@cache
def bank(language: str) -> Bank:
    """The bank of a language."""
    data = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    topics = {t: (v["sentences"], v["hashtags"]) for t, v in data["topics"].items()}
    head = {name: data[name] for name in Bank.__slots__ if name in data and name not in ("topics", "none")}
    return Bank(language, topics=topics, none=(data["none"]["sentences"], data["none"]["hashtags"]), **head)


@cache
def topic_ids() -> list[str]:
    """Topics the world talks about."""
    return sorted(bank("zh-Hant").topics)


@cache
def places_in(country: str) -> list[str]:
    """Codes of places in a country, the most talked of first."""
    order = {"country": 0, "subdivision": 1, "city": 2, "poi": 3}
    found = [p for p in gazetteer.places().values() if p.country == country]
    return [p.code for p in sorted(found, key=lambda p: (order.get(p.kind, 4), p.code))]


@cache
def products_of(topic_id: str) -> list[str]:
    """Names of products of a topic."""
    return sorted(p.name for p in gazetteer.products().values() if p.topic_id == topic_id)


def place_name(code: str, language: str) -> str:
    """What a place is called in a language."""
    names = gazetteer.places()[code].names
    return names.get(language) or names["en"]


def pick(rng: Rng, items: Sequence[str]) -> str:
    """One of them."""
    return items[int(rng.integers(len(items)))]


def drawn(rng: Rng, up_to: NDArray[np.float64]) -> int:
    """An index, with chances by the running sum of weights: `rng.choice` with them, ten times as fast."""
    return int(up_to.searchsorted(rng.random() * up_to[-1], side="right"))


def sentence(rng: Rng, language: str, topic_id: str | None, place: str | None) -> tuple[str, bool]:
    """A sentence about a topic (None: about nothing of ours), and whether it names the place."""
    if topic_id is None:
        return pick(rng, bank(language).none[0]), False
    chosen = pick(rng, bank(language).topics[topic_id][0])
    if "{place}" in chosen and place is None:
        chosen = pick(rng, [s for s in bank(language).topics[topic_id][0] if "{place}" not in s])
    products = products_of(topic_id)
    said = chosen.replace("{product}", pick(rng, products) if products else "")
    return said.replace("{place}", place_name(place, language) if place else ""), "{place}" in chosen


def caption(rng: Rng, language: str, body: str, tags: list[str]) -> str:
    """A body between an opener and a closer, with emoji and hashtags, as people write."""
    words = bank(language)
    style = rng.random(4)
    parts = [pick(rng, words.openers)] if style[0] < 0.45 else []
    parts.append(body)
    if style[1] < 0.35:
        parts.append(pick(rng, words.closers))
    if style[2] < 0.4:
        parts.append(pick(rng, words.emoji))
    return " ".join([*parts, *(tag if tag.startswith("#") else f"#{tag}" for tag in tags)])


def event_name(rng: Rng, language: str) -> str:
    """An invented name of a craze."""
    words = bank(language)
    space = " " if language in ("en", "ko") else ""
    return pick(rng, words.event_first) + space + pick(rng, words.event_second)


def event_body(rng: Rng, language: str, name: str, place: str) -> str:
    """A sentence about a craze."""
    chosen = pick(rng, bank(language).event_sentences)
    return chosen.replace("{event}", name).replace("{place}", place_name(place, language))


def hype(rng: Rng, language: str, topic_id: str, place: str) -> str:
    """What a craze is spoken of with, said of any thing: words of excitement are no news by themselves."""
    products = products_of(topic_id)
    name = pick(rng, products) if products and rng.random() < 0.5 else event_name(rng, language)
    return event_body(rng, language, name, place)

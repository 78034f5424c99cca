"""A brief: what somebody looks for, and what was understood of it.

A text in any of the languages is read as posts are: topics by the same fitted model (those at or above their
thresholds, or where none is, those at half of them), places and products by the gazetteer, and its vector in the word
vectors that the model reads. What a filter says goes over what a text says; both are told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from radar.errors import CallerError, UnknownName
from radar.markets import market, place_number
from radar.partners.kol import Vector
from radar.text import gazetteer
from radar.text.normalise import normalise
from radar.text.vectors import text_vectors
from radar.topics.form import feature_texts

TIERS = ("nano", "micro", "mid", "macro", "mega")


class Scorer(Protocol):
    """What reads topics: `radar.registry.TopicScorer`."""

    topic_ids: list[str]
    thresholds: Any

    def score(self, texts: list[str]) -> Any:
        """Probabilities, (texts, topics)."""


class TooVague(CallerError):
    """A brief that says too little to rank by."""

    status = 422
    slug = "too-vague"

    def __init__(self, message: str, add: list[str]) -> None:
        super().__init__(message, f"Add {', or '.join(add)}.")
        self.near = [a.partition(":")[0] for a in add]


class Conflict(CallerError):
    """Filters that leave nobody whatever is stored."""

    status = 422
    slug = "conflicting-filters"


@dataclass(frozen=True, slots=True)
class Brief:
    """What is looked for, as it was asked.

    from_market  where the thing is    to_market  whom to reach
    products     names or ids          budget     for one post, in the currency of the KOL's market
    with_review  also rank those who stand out in several authenticity signals
    exclude_*    topics the KOL must not be about, products they must not have been paid for, account ids
    """

    text: str = ""
    topics: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    from_market: str | None = None
    to_market: str | None = None
    platforms: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    budget: float | None = None
    exclude_topics: tuple[str, ...] = ()
    exclude_products: tuple[str, ...] = ()
    exclude_authors: tuple[str, ...] = ()
    with_review: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A brief as understood.

    topics    topic -> weight, the heaviest 1       read_topics  those that its text gave
    places    codes within from_market, beyond it   vector       of its text, of length one; None without a text
    notes     sentences: what was read, and what was not      unwanted  ids of excluded products
    """

    brief: Brief
    topics: Mapping[str, float]
    read_topics: tuple[str, ...]
    products: tuple[str, ...]
    from_market: str | None
    to_market: str | None
    places: tuple[str, ...]
    vector: Vector | None
    notes: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


def read_brief(brief: Brief, scorer: Scorer, *, platforms: Collection[str], topic_names: Mapping[str, str]) -> Wanted:
    """Understand a brief.

    platforms    those that are stored        topic_names  topic id -> its name

    Raises UnknownName (404) for a market, topic, platform or tier that is none, TooVague and Conflict (422).
    """
    _check(brief, scorer.topic_ids, platforms)
    notes: list[str] = []
    found = gazetteer.find(normalise(f"{brief.text} {' '.join(brief.products)}"))
    read = _read_topics(brief.text, scorer)
    products = _products(brief.products, found.products, notes)
    origin = _origin(brief, found.places, notes)
    topics = _weights(brief, read, products)
    if brief.text and not brief.topics:
        named = ", ".join(topic_names.get(t, t) for t in topics)
        notes.append(f"Read as: {named}." if named else "The text names no topic we know: ranked by its words alone.")
    words = " ".join([brief.text, *brief.products]).strip()
    vector = text_vectors(feature_texts([words]))[0] if words else None
    vector = None if vector is None or not vector.any() else vector
    unwanted = tuple(sorted(_ids(brief.exclude_products) & gazetteer.products().keys()))
    notes += [
        f"'{name[:60]}', to be left out, is no product we know by name: it leaves out nobody."
        for name in brief.exclude_products
        if not _ids([name]) & gazetteer.products().keys()
    ]
    wanted = Wanted(
        brief, topics, tuple(read), products, origin, brief.to_market and brief.to_market.upper(),
        tuple(c for c in found.places if origin and c != origin and c.startswith(origin)), vector, tuple(notes),
        unwanted,
    )  # fmt: skip
    _check_enough(wanted)
    return wanted


def _check(brief: Brief, topic_ids: Sequence[str], platforms: Collection[str]) -> None:
    for code in filter(None, (brief.to_market,)):
        market(code)
    if brief.from_market:
        place_number(brief.from_market)
    known = {"topic": list(topic_ids), "platform": sorted(platforms), "tier": list(TIERS)}
    asked = [("topic", t) for t in (*brief.topics, *brief.exclude_topics)]
    asked += [("platform", p) for p in brief.platforms] + [("tier", t) for t in brief.tiers]
    for kind, name in asked:
        if name not in known[kind]:
            raise UnknownName(kind, name[:60], known[kind])
    if both := sorted({*brief.topics} & {*brief.exclude_topics}):
        raise Conflict(f"The topic {both[0]} is both wanted and excluded.", "Take it out of one of them.")
    if both := sorted(_ids(brief.products) & _ids(brief.exclude_products)):
        raise Conflict(f"The product {both[0]} is both wanted and excluded.", "Take it out of one of them.")
    if brief.budget is not None and not brief.budget > 0:
        raise Conflict("The budget leaves nobody: it is not above 0.", "Give what one post may cost, or leave it out.")


def _read_topics(text: str, scorer: Scorer) -> dict[str, float]:
    """Topic -> probability, the most probable first."""
    if not text.strip():
        return {}
    p = scorer.score([text])[0]
    near = [i for i in range(len(p)) if p[i] >= scorer.thresholds[i]]
    near = near or [i for i in range(len(p)) if p[i] >= scorer.thresholds[i] / 2]
    return {scorer.topic_ids[i]: float(p[i]) for i in sorted(near, key=lambda i: -p[i])[:4]}


def _weights(brief: Brief, read: Mapping[str, float], products: Sequence[str]) -> dict[str, float]:
    """Topics asked for count whole; those read only where none was asked for; a product's topic counts whole."""
    topics = dict.fromkeys(brief.topics, 1.0)
    if not topics:
        top = max(read.values(), default=1.0)
        topics = {t: p / top for t, p in read.items() if t not in brief.exclude_topics}
    return topics | {t: 1.0 for p in products if (t := gazetteer.products()[p].topic_id) and p in _ids(brief.products)}


def _ids(names: Sequence[str]) -> set[str]:
    """Ids of the products of a list of names and ids; what is no product we know is left as it is."""
    return {i for name in names for i in gazetteer.find(normalise(name)).products or (name,)}


def _products(asked: Sequence[str], found: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    known = gazetteer.products()
    ids = list(found)
    for name in asked:
        if name in known:
            ids.append(name)
        elif not gazetteer.find(normalise(name)).products:
            notes.append(f"'{name[:60]}' is no product we know by name: it is read as a text.")
    return tuple(dict.fromkeys(ids))


def _origin(brief: Brief, places: Sequence[str], notes: list[str]) -> str | None:
    """The market the thing is in: as asked, else the only other country that the text names."""
    if brief.from_market:
        return brief.from_market.upper()
    countries = {c for c in places if len(c) == 2} - {brief.to_market}
    if len(countries) != 1:
        return None
    (country,) = countries
    notes.append(f"Place read from the text: {gazetteer.places()[country].names['en']}.")
    return country


def _check_enough(wanted: Wanted) -> None:
    brief = wanted.brief
    if wanted.topics or wanted.products or (wanted.from_market and wanted.to_market):
        return
    add = ["topics: what it is about, as shop.drugstore", "products: names of what is to be shown"]
    if not brief.text.strip():
        add.append("text: a sentence on what you look for, in any of the languages")
    if not (wanted.from_market and wanted.to_market):
        add.append("from and to: the market the thing is in, and the one to reach")
    said = "The text names no topic, product or pair of markets" if brief.text.strip() else "The brief says too little"
    raise TooVague(f"{said}: nobody can be ranked by it.", add)

"""Watch lists: named lists of keys and KOLs. A trend is watched by its key: the trend ends, what it is about stays."""

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.answers.ids import episode_number
from radar.answers.kol import checked_name, list_named
from radar.answers.names import KINDS, UnknownFilter, key_shown, place_market, taxonomy
from radar.errors import CallerError, UnknownName
from radar.keys import Kind, key_number
from radar.markets import MARKETS, PLACE_NUMBERS, market
from radar.store import answers, authors, watched_keys
from radar.store.counts import KeyName, key_names
from radar.store.engine import world_of, writing
from radar.text.gazetteer import places, products
from radar.text.normalise import normalise

DEFAULT = "watching"
"""The list that "Watch this" puts a trend on."""
Item = dict[str, Any]


class ToWatch(NamedTuple):
    """A key to be watched. market is empty and place 0 where it is watched in all of them."""

    kind: Kind
    text: str
    number: int
    market: str = ""
    place: int = 0


def key_of_trend(session: Session, trend: str) -> ToWatch:
    """The key that a trend is a trend of, in its market. Raises UnknownName."""
    number = episode_number(trend)
    found = answers.episodes(session, [number]).get(number)
    name = key_names(session, [found.key_hash]).get(found.key_hash) if found else None
    if found is None or name is None:
        raise UnknownName("trend", trend[:60], [])
    return ToWatch(Kind(name.kind), name.text, found.key_hash, found.audience_market)


def key_named(said: str, *, market_code: str | None = None, place: str | None = None) -> ToWatch:
    """The key of a text: "#osaka", "kind:text", a topic's id, a place's code, a product's id, else a word.

    >>> key_named("#Osaka").text, key_named("shop.drugstore").kind.name, key_named("term:Ramen").text
    ('osaka', 'TOPIC', 'ramen')
    """
    text = " ".join(said.split())
    name, colon, rest = text.partition(":")
    kind = Kind[name.upper()] if colon and name.lower() in KINDS and rest.strip() else None
    text = rest.strip() if kind is not None else text
    if not 1 <= len(text) <= 200 or not text.isprintable():
        raise CallerError("A key has 1 to 200 characters.", "Give a word, a #hashtag, a topic or a place.")
    if kind is None:
        kind = _kind_of(text)
    if kind in (Kind.HASHTAG, Kind.TERM):
        text = normalise(text).removeprefix("#")
    elif text not in _known(kind):
        raise UnknownFilter(kind.name.lower(), text[:60], sorted(_known(kind)))
    code = market(market_code).code if market_code else ""
    if place and place.upper() not in PLACE_NUMBERS:
        raise UnknownFilter("place", place[:60], list(PLACE_NUMBERS))
    return ToWatch(kind, text, key_number(kind, text), code, PLACE_NUMBERS[place.upper()] if place else 0)


def _kind_of(text: str) -> Kind:
    if text.startswith(("#", "＃")):
        return Kind.HASHTAG
    return next((kind for kind in (Kind.TOPIC, Kind.PLACE, Kind.PRODUCT) if text in _known(kind)), Kind.TERM)


def _known(kind: Kind) -> set[str]:
    return {Kind.TOPIC: set(taxonomy().ids), Kind.PLACE: {*PLACE_NUMBERS, *places()}, Kind.PRODUCT: set(products())}[
        kind
    ]


def watch(engine: sa.Engine, name: str, keys: list[ToWatch], author_ids: list[int], *, now: datetime) -> None:
    """Put keys and KOLs on a list, which is made with the first of them. Raises CallerError."""
    with writing(engine) as session, session.begin():
        if author_ids:
            authors.put_on_list(session, checked_name(name), author_ids, now)
        if keys:
            watched_keys.put_keys(session, checked_name(name), keys, now)
            if len(watched_keys.keys_on(session, list_named(session, name).id)) >= watched_keys.MOST_KEYS:
                raise CallerError(f"A list holds at most {watched_keys.MOST_KEYS} keys.", "Begin another list.")


def unwatch(engine: sa.Engine, name: str, number: int, market_code: str | None = None) -> int:
    """Take a key off a list; how many lines of it there were. Raises UnknownName."""
    with writing(engine) as session, session.begin():
        return watched_keys.take_keys_off(session, list_named(session, name).id, number, market_code)


def lists_of_trend(session: Session, trend: Item) -> list[str]:
    """Names of the lists that hold the key of a trend as answers show it, in its market or everywhere."""
    number = key_number(Kind[trend["key"]["kind"].upper()], trend["key"]["text"])
    return watched_keys.lists_watching(session, number, trend["market"])


def lists_shown(session: Session) -> Item:
    """All lists, with how many keys and KOLs are on each."""
    keys = watched_keys.counted(session)
    found = [
        {"name": one.name, "keys": keys.get(one.id, 0), "kols": one.members, "created_at": one.created_at}
        for one in authors.lists(session)
    ]
    return {"items": found, "next": None}


def list_shown(session: Session, name: str) -> Item:
    """What is on a list. Raises UnknownName."""
    found = list_named(session, name)
    kols = watched_keys.kols_on(session, found.id, limit=100)
    return {
        "name": found.name,
        "keys": [_key_shown(one) for one in watched_keys.keys_on(session, found.id)],
        "kols": [
            {"id": str(k.id), "platform": k.platform, "handle": k.handle, "name": k.name, "market": k.audience_market}
            for k in kols
        ],
        "created_at": found.created_at,
        "simulated": world_of(session) == "simulated",
    }


def _key_shown(one: watched_keys.WatchedKey) -> Item:
    language = MARKETS[one.audience_market].languages[0] if one.audience_market else "en"
    shown = key_shown(KeyName(Kind(one.kind), one.text, one.gloss), language)
    return {
        "name": shown["name"], "key": {part: shown[part] for part in ("text", "kind", "gloss")},
        "market": one.audience_market or None, "place_market": place_market(one.place), "added_at": one.added_at,
    }  # fmt: skip

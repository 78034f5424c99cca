"""What keys, places and topics are called."""

from functools import cache
from typing import Any

from radar.answers.gloss import gloss as gloss_of
from radar.errors import UnknownName
from radar.keys import Kind
from radar.markets import MARKETS, PLACE_CODES
from radar.registry import load_taxonomy
from radar.store.counts import KeyName
from radar.text.gazetteer import places, products
from radar.topics import Taxonomy

KINDS = tuple(kind.name.lower() for kind in Kind)


class UnknownFilter(UnknownName):
    """A value to filter by that does not exist: the query is at fault, not the address."""

    status = 400
    slug = "unknown-value"


@cache
def taxonomy() -> Taxonomy:
    """The topics, read once."""
    return load_taxonomy()


@cache
def topic_names() -> dict[str, dict[str, str]]:
    """Display names by topic id, by language."""
    return {topic.id: topic.names for topic in taxonomy().topics}


def topic(topic_id: str | None) -> dict[str, Any] | None:
    """A topic as answers show it; one that a later taxonomy dropped is shown by its id."""
    if topic_id is None:
        return None
    return {"id": topic_id, "name": topic_names().get(topic_id, {}).get("en", topic_id)}


def place_name(code: str) -> str:
    """English name of a country, subdivision or point of interest.

    >>> place_name("JP"), place_name("JP-27")
    ('Japan', 'Osaka')
    """
    if code in MARKETS:
        return MARKETS[code].name
    found = places().get(code)
    return found.names.get("en", code) if found else code


def place_market(number: int) -> str | None:
    """Country code of a stored place market; None for all places."""
    return PLACE_CODES.get(number)


def key_shown(name: KeyName | None, language: str) -> dict[str, Any]:
    """A key as answers show it: text, kind, gloss and the name to print.

    language  what the market's people post in; places are named in it and glossed in English

    >>> key_shown(KeyName(Kind.PLACE, "JP-27", None), "zh-Hant")
    {'text': 'JP-27', 'kind': 'place', 'gloss': 'Osaka', 'name': '大阪'}
    >>> key_shown(KeyName(Kind.HASHTAG, "月光列車", None), "zh-Hant")["gloss"]
    'yueguang lieche'
    """
    if name is None:
        return {"text": "", "kind": "term", "gloss": None, "name": "(name not kept)"}
    kind, shown, gloss = Kind(name.kind), name.text, name.gloss
    if kind is Kind.TOPIC:
        names = topic_names().get(name.text, {})
        shown = names.get(language, names.get("en", name.text))
        gloss = gloss or names.get("en")
    elif kind is Kind.PLACE and name.text in places():
        names = places()[name.text].names
        shown = names.get(language, names.get("en", name.text))
        gloss = gloss or names.get("en")
    elif kind is Kind.PRODUCT and name.text in products():
        shown = products()[name.text].name
        known = gloss_of(kind, name.text, language, "en")
        gloss = gloss or (known if known and known != shown else products()[name.text].kind)
    else:
        shown = "#" + name.text.removeprefix("#") if kind is Kind.HASHTAG else name.text
        gloss = gloss or gloss_of(kind, name.text, language, "en")
    return {"text": name.text, "kind": kind.name.lower(), "gloss": None if gloss == shown else gloss, "name": shown}

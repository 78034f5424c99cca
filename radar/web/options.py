"""What the filters of pages offer, as (value, words) in the reader's language."""

from collections.abc import Iterable

from radar import answers
from radar.markets import MARKETS, PLACE_NUMBERS
from radar.web import words
from radar.web.languages import say
from radar.web.radar_drawing import SECTORS, sector_of

Options = list[tuple[str, str]]


def markets() -> Options:
    """Every audience market."""
    return [(code, words.country(code)) for code in MARKETS]


def places(*more: str | None) -> Options:
    """Every country a place may be in, and places that an address asked for, by name."""
    codes = [*PLACE_NUMBERS, *(code for code in more if code and code.upper() not in PLACE_NUMBERS)]
    return sorted(((code, words.place(code)) for code in codes), key=lambda option: option[1])


def topics() -> Options:
    """Every topic, in the order of the radar's sectors."""
    order = [sector.words for sector in SECTORS]
    found = [(sector_of(topic["id"]).words, topic["id"]) for topic in answers.topics()]
    found.sort(key=lambda topic: order.index(topic[0]) if topic[0] in order else len(order))
    return [(id, f"{say(group)}: {words.topic_called(id)}") for group, id in found]


def named(names: Iterable[str]) -> Options:
    """Words of the radar's own by their names; a name that is none of them stands as it is."""
    return [(name, words.called(name)) for name in names]

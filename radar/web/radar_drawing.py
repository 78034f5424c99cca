"""The radar as numbers: where each trend stands, and which names fit beside them without touching anything.

A sector is a group of topics, the distance from the centre is the stage, the size is the KOLs. Within a cell (sector
and ring) each blip takes the free place that is farthest from those set before; names are set from the first trend of
the list to the last, at the first of eight places around the blip that is free and inside the outer ring (round it are
the sectors' names), and left out where none is: every name is in the list beside. Two settings are made: names for
wide screens, ranks for narrow ones, where names would be dust.
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from radar.web.navigation import N_

SIZE, REACH = 640, 290
"""Width and height of the drawing, and the radius of its outer ring."""
CENTRE = SIZE / 2
RINGS = ((0, 100), (100, 196), (196, REACH))
"""Inner and outer radius: peaking in the centre, what goes on around it, emerging outside."""
_RING = {"peaking": 0, "emerging": 2}
NAME_SIZE, RANK_SIZE = 12.5, 21.0
_GAP = 4.0


class Sector(NamedTuple):
    """A group of topics."""

    id: str
    words: str
    topics: frozenset[str]


def _sector(id: str, words: str, topics: str) -> Sector:
    return Sector(id, words, frozenset(topics.split()))


SECTORS = (
    _sector("go", N_("Getting there"), "travel.air travel.rail_transit travel.selfdrive travel.entry_connect "
            "travel.itinerary travel.city_walk travel.family"),
    _sector("see", N_("Sights & seasons"), "travel.theme_park travel.nature travel.season_view travel.snow "
            "travel.beach_island travel.heritage travel.active"),
    _sector("fan", N_("Events & fandom"), "travel.festival travel.fandom travel.nightlife shop.character_toys"),
    _sector("eat", N_("Food & drink"), "travel.dining travel.street_food travel.cafe_dessert shop.snacks "
            "shop.grocery_drink shop.konbini"),
    _sector("stay", N_("Stays & wellness"), "travel.hotel travel.unique_stay travel.onsen_spa travel.medical_beauty"),
    _sector("beauty", N_("Drugstore & beauty"), "shop.drugstore shop.skincare shop.makeup_fragrance shop.supplements"),
    _sector("shop", N_("Fashion & goods"), "shop.fashion shop.luxury shop.electronics shop.home_kitchen shop.baby_kids "
            "shop.crafts"),
    _sector("deals", N_("Deals & ordering"), "shop.deals_taxfree shop.crossborder_ec"),
)  # fmt: skip
OTHER = Sector("other", N_("Other"), frozenset())
"""Where a trend stands that has none of these topics; drawn only where there is one."""
_OF = {topic: sector for sector in SECTORS for topic in sector.topics}


def sector_of(topic_id: str | None) -> Sector:
    """The sector of a topic.

    >>> sector_of("shop.drugstore").id, sector_of(None).id
    ('beauty', 'other')
    """
    return _OF.get(topic_id or "", OTHER)


class Label(NamedTuple):
    """A word's place: x, y of its baseline, and which end x is: start, middle or end."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(slots=True)
class Blip:
    """A trend on the radar; `mark` is the outline that tells its stage without colour."""

    trend: Mapping[str, Any]
    sector: Sector
    mark: str
    x: float
    y: float
    r: float
    name: Label | None = None
    rank: Label | None = None


@dataclass(slots=True)
class Drawing:
    """The radar of a list: outer ends of spokes as (x, y), arcs for the sectors' names, the blips, largest first."""

    blips: list[Blip]
    spokes: list[tuple[float, float]]
    sectors: list[tuple[Sector, str]]
    rings: Sequence[tuple[int, int]] = RINGS
    hidden: int = field(default=0)


def draw_radar(trends: Sequence[Mapping[str, Any]]) -> Drawing:
    """Set a list of trends out as a radar."""
    sectors = [*SECTORS, *([OTHER] if any(sector_of(_topic(t)) is OTHER for t in trends) else [])]
    width = 2 * math.pi / len(sectors)
    starts = {sector.id: n * width - math.pi / 2 for n, sector in enumerate(sectors)}
    blips: list[Blip] = []
    most = max((t["persons"] for t in trends), default=1)
    for trend in trends:
        sector = sector_of(_topic(trend))
        radius = 5 + 13 * math.sqrt(trend["persons"] / most)
        x, y = _free_place(blips, starts[sector.id], width, RINGS[_RING.get(trend["stage"], 1)], radius)
        blips.append(Blip(trend, sector, trend["stage"], x, y, radius))
    arcs = [(s, _arc(starts[s.id], width)) for s in sectors]
    _set_names(blips)
    _set_ranks(blips)
    spokes = [_at(REACH, starts[s.id]) for s in sectors]
    return Drawing(sorted(blips, key=lambda b: -b.r), spokes, arcs, hidden=sum(b.name is None for b in blips))


def _topic(trend: Mapping[str, Any]) -> str | None:
    return trend["topic"]["id"] if trend["topic"] else None


def _at(radius: float, angle: float) -> tuple[float, float]:
    return round(CENTRE + radius * math.cos(angle), 1), round(CENTRE + radius * math.sin(angle), 1)


def _free_place(
    blips: Sequence[Blip], start: float, width: float, ring: tuple[int, int], radius: float
) -> tuple[float, float]:
    """The place in a cell that is farthest from all others, the middle first."""
    low, high = max(ring[0] + radius + 2, 22), ring[1] - radius - 2
    best, found = -math.inf, (CENTRE, CENTRE)
    for i, r in enumerate(_spread(low, max(high, low + 1), 5)):
        margin = min((radius + 3) / r, width / 2 - 0.01)
        for j, angle in enumerate(_spread(start + margin, start + width - margin, 9)):
            x, y = _at(r, angle)
            room = min((math.hypot(x - b.x, y - b.y) - b.r - radius for b in blips), default=200.0)
            worth = min(room, 60.0) - 0.3 * (i + j)
            if worth > best:
                best, found = worth, (x, y)
    return found


def _spread(low: float, high: float, n: int) -> list[float]:
    """n numbers from low to high, from the middle outwards."""
    step = (high - low) / (n - 1)
    return sorted((low + i * step for i in range(n)), key=lambda value: abs(value - (low + high) / 2))


def _arc(start: float, width: float) -> str:
    """The path along which a sector's name is written, outside of the rings; below the centre from right to left."""
    low = math.sin(start + width / 2) > 0.01
    radius = REACH + (19 if low else 8)
    ends = _at(radius, start), _at(radius, start + width)
    (x, y), (to_x, to_y) = reversed(ends) if low else ends
    return f"M{x} {y}A{radius} {radius} 0 0 {0 if low else 1} {to_x} {to_y}"


def text_width(text: str, size: float) -> float:
    """About how wide a text is when printed, in the drawing's units.

    >>> round(text_width("KOL", 10)), round(text_width("藥妝", 10))
    (18, 20)
    """
    wide = 0.0
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        wide += 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.6
    return wide * size


Box = tuple[float, float, float, float]


def _box(label: Label, size: float) -> Box:
    wide = text_width(label.text, size)
    left = label.x - {"start": 0.0, "middle": wide / 2, "end": wide}[label.anchor]
    return left, label.y - size, left + wide, label.y + size * 0.25


def _meet(one: Box, other: Box, gap: float = 2) -> bool:
    return (
        one[0] < other[2] + gap and other[0] < one[2] + gap and one[1] < other[3] + gap and other[1] < one[3] + gap
    )  # fmt: skip


def _around(blip: Blip, text: str, size: float) -> list[Label]:
    """Where a word can stand beside a blip, the most readable first."""
    away, middle = blip.r + _GAP, blip.y + size * 0.36
    right, left = blip.x + away, blip.x - away
    above, below = blip.y - away, blip.y + away + size * 0.8
    places = [
        (right, middle, "start"), (left, middle, "end"), (blip.x, below, "middle"), (blip.x, above, "middle"),
        (right - 3, above + 2, "start"), (right - 3, below - 2, "start"),
        (left + 3, above + 2, "end"), (left + 3, below - 2, "end"),
    ]  # fmt: skip
    return [Label(round(x, 1), round(y, 1), anchor, text) for x, y, anchor in places]


def shortened(text: str, most: int = 26) -> str:
    """A name that is not too long for a label.

    >>> shortened("a" * 40, 10)
    'aaaaaaaaa…'
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _set_names(blips: Sequence[Blip]) -> None:
    taken: list[Box] = []
    for blip in blips:
        blip.name = _first_free(_around(blip, shortened(blip.trend["name"]), NAME_SIZE), NAME_SIZE, blips, taken, blip)


def _set_ranks(blips: Sequence[Blip]) -> None:
    taken: list[Box] = []
    for blip in blips:
        places = _around(blip, str(blip.trend["rank"] or ""), RANK_SIZE)
        blip.rank = _first_free(places, RANK_SIZE, blips, taken, blip)


def _first_free(
    places: Sequence[Label], size: float, blips: Sequence[Blip], taken: list[Box], own: Blip
) -> Label | None:
    for label in places:
        box = _box(label, size)
        others = (b for b in blips if b is not own)
        if _within(box) and not any(_meet(box, t) for t in taken) and not any(_covers(b, box) for b in others):
            taken.append(box)
            return label
    return None


def _within(box: Box) -> bool:
    """Whether a box stays inside the outer ring, round which the sectors' names are written."""
    return all(math.hypot(x - CENTRE, y - CENTRE) <= REACH + 5 for x in (box[0], box[2]) for y in (box[1], box[3]))


def _covers(blip: Blip, box: Box) -> bool:
    return _meet((blip.x - blip.r, blip.y - blip.r, blip.x + blip.r, blip.y + blip.r), box, 1)

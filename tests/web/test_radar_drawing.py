"""The radar's geometry: every trend stands in its sector and ring, apart from the others, and names stay free."""

import math
import random
from typing import Any

import pytest

from radar.web.radar_drawing import CENTRE, NAME_SIZE, RANK_SIZE, REACH, RINGS, SECTORS, draw_radar, text_width

TOPICS = sorted(topic for sector in SECTORS for topic in sector.topics)
STAGES = ["emerging", "rising", "peaking", "fading", "steady", "recurring"]


def trends(n: int, seed: int, **fixed: Any) -> list[dict[str, Any]]:
    """A list of trends by chance; what is fixed holds for all."""
    chance = random.Random(seed)
    names = ["合利他命EX", "#大阪必買", "ตลาดนัด", "USJ Donkey Kong Country opening day tickets", "성수", "x"]
    return [
        {
            "id": str(i), "rank": i + 1, "name": chance.choice(names), "topic": {"id": chance.choice(TOPICS)},
            "stage": chance.choice(STAGES), "persons": chance.randint(3, 90),
        } | fixed
        for i in range(n)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_every_trend_stands_in_its_sector_and_ring(seed: int) -> None:
    drawing = draw_radar(trends(20, seed))
    width = 2 * math.pi / len(drawing.sectors)
    order = [sector.id for sector, _ in drawing.sectors]
    assert len(drawing.blips) == 20
    for blip in drawing.blips:
        ring = RINGS[{"peaking": 0, "emerging": 2}.get(blip.trend["stage"], 1)]
        away = math.hypot(blip.x - CENTRE, blip.y - CENTRE)
        assert ring[0] - 0.5 <= away - 0.99 * blip.r or ring[0] == 0
        assert away + blip.r <= ring[1] + 0.5
        angle = (math.atan2(blip.y - CENTRE, blip.x - CENTRE) + math.pi / 2) % (2 * math.pi)
        assert order[int(angle / width)] == blip.sector.id
        assert blip.trend["topic"]["id"] in blip.sector.topics


@pytest.mark.parametrize("seed", range(5))
def test_names_and_ranks_touch_nothing_and_stay_inside(seed: int) -> None:
    drawing = draw_radar(trends(40, seed))
    for part, size in (("name", NAME_SIZE), ("rank", RANK_SIZE)):
        boxes = []
        for blip in drawing.blips:
            label = getattr(blip, part)
            if label is None:
                continue
            wide = text_width(label.text, size)
            left = label.x - {"start": 0.0, "middle": wide / 2, "end": wide}[label.anchor]
            boxes.append((left, label.y - size, left + wide, label.y))
        assert len(boxes) >= 20, part
        corners = [(x, y) for b in boxes for x in (b[0], b[2]) for y in (b[1], b[3])]
        assert all(math.hypot(x - CENTRE, y - CENTRE) < REACH + 8 for x, y in corners)  # the sectors' names stand there
        met = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i]
               if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]  # fmt: skip
        assert met == [], part


def test_a_crowded_cell_spreads_out_and_leaves_names_without_room_to_the_list() -> None:
    crowd = trends(9, 1, topic={"id": "shop.drugstore"}, stage="rising", persons=20, name="合利他命")
    drawing = draw_radar(crowd)
    places = {(blip.x, blip.y) for blip in drawing.blips}
    assert len(places) == 9
    named = [blip.trend["rank"] for blip in drawing.blips if blip.name]
    assert 4 <= len(named) < 9
    assert drawing.hidden == 9 - len(named)


def test_more_people_are_drawn_larger_and_none_at_all_is_an_empty_radar() -> None:
    small, large = ({b.trend["persons"]: b.r for b in draw_radar([*trends(2, 3), t]).blips} for t in trends(2, 4))
    for sizes in (small, large):
        ordered = [sizes[n] for n in sorted(sizes)]
        assert ordered == sorted(ordered)
    assert draw_radar([]).blips == []


def test_a_trend_without_a_topic_has_a_sector_of_its_own() -> None:
    drawing = draw_radar(trends(3, 5, topic=None))
    assert {blip.sector.id for blip in drawing.blips} == {"other"}
    assert [sector.id for sector, _ in drawing.sectors][-1] == "other"

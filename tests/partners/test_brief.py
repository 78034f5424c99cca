"""A brief is read as posts are, in each language; too little or contradictory is said, with what to add."""

import pytest

from radar.errors import UnknownName
from radar.partners.brief import Brief, Conflict, TooVague, Wanted, read_brief
from radar.registry import TopicScorer
from radar.sources.world.partners import BRIEFS

PLATFORMS = ["instagram", "youtube"]


@pytest.fixture
def understood(scorer: TopicScorer):  # type: ignore[no-untyped-def]
    def read(**said: object) -> Wanted:
        return read_brief(Brief(**said), scorer, platforms=PLATFORMS, topic_names={"shop.drugstore": "Drugstore"})  # type: ignore[arg-type]

    return read


@pytest.mark.parametrize("brief", BRIEFS, ids=lambda brief: brief.id)
def test_a_text_in_each_language_gives_its_topic(brief, understood) -> None:  # type: ignore[no-untyped-def]
    found = understood(text=brief.text, to_market=brief.to_market)
    assert max(found.topics, key=found.topics.get) == brief.topic
    assert found.vector is not None


def test_places_and_products_are_read_and_told(understood) -> None:  # type: ignore[no-untyped-def]
    found = understood(text="大阪的合利他命和藥妝", to_market="TW")
    assert found.from_market == "JP"
    assert "JP-27" in found.places
    assert found.products
    assert "Place read from the text: Japan." in found.notes


def test_what_is_asked_goes_over_what_the_text_says(understood) -> None:  # type: ignore[no-untyped-def]
    found = understood(text="日本藥妝", topics=("travel.air",), from_market="KR", to_market="TW")
    assert (dict(found.topics), found.from_market) == ({"travel.air": 1.0}, "KR")


def test_a_product_nobody_knows_is_read_as_text(understood) -> None:  # type: ignore[no-untyped-def]
    found = understood(products=("Grandma's matcha soap",), from_market="JP", to_market="TW")
    assert found.vector is not None
    assert any("no product we know" in note for note in found.notes)


def test_products_to_leave_out_are_known_by_any_name(understood) -> None:  # type: ignore[no-untyped-def]
    found = understood(topics=("shop.skincare",), exclude_products=("雪花秀", "Grandma's soap"))
    assert found.unwanted == ("sulwhasoo",)
    assert any("leaves out nobody" in note for note in found.notes)


@pytest.mark.parametrize("said", [{}, {"to_market": "TW"}, {"text": "hello there"}, {"from_market": "JP", "text": " "}])
def test_too_vague_names_what_to_add(said, understood) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TooVague) as raised:
        understood(**said)
    assert raised.value.status == 422
    assert "topics" in raised.value.near
    assert raised.value.hint.startswith("Add topics")


def test_two_markets_are_enough(understood) -> None:  # type: ignore[no-untyped-def]
    assert understood(from_market="jp", to_market="tw").to_market == "TW"


@pytest.mark.parametrize(
    "said",
    [
        {"topics": ("travel.air",), "exclude_topics": ("travel.air",)},
        {"products": ("Grandma's soap",), "exclude_products": ("Grandma's soap",)},
        {"products": ("雪花秀",), "exclude_products": ("sulwhasoo",)},
        {"topics": ("travel.air",), "budget": 0.0},
        {"topics": ("travel.air",), "budget": float("nan")},
    ],
)
def test_contradictions_are_said(said, understood) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Conflict):
        understood(**said)


@pytest.mark.parametrize(
    ("said", "near"),
    [
        ({"to_market": "TV"}, "TW"),
        ({"from_market": "JQ", "to_market": "TW"}, "JP"),
        ({"topics": ("shop.drugstor",)}, "shop.drugstore"),
        ({"exclude_topics": ("shop.drugstor",)}, "shop.drugstore"),
        ({"platforms": ("instagran",)}, "instagram"),
        ({"tiers": ("mikro",)}, "micro"),
    ],
)
def test_unknown_names_are_404_with_near_ones(said, near, understood) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UnknownName) as raised:
        understood(**said)
    assert raised.value.status == 404
    assert near in raised.value.near

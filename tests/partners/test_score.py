"""A score can be multiplied again, says what is not known, and overrules nobody."""

import json
from dataclasses import replace
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar.errors import CallerError
from radar.kol import Sketch
from radar.partners.kol import Brand, Early, Profile
from radar.partners.parts import PARTS
from radar.partners.profile import ReadPost, packed, profiles_of, unpacked, vector_bytes
from radar.partners.scoring import UNKNOWN, Weights, checked, parse_weights, score, shipped_weights, weights_said
from radar.partners.shortlist import shortlist
from radar.partners.signs import merged, signs, usual
from tests.partners.builders import NOW, a_kol, a_scene, unit

WEIGHTS = parse_weights(shipped_weights())


def value(kol, name, **scene):  # type: ignore[no-untyped-def]
    return {part.name: part for part in score(kol, a_scene(**scene), WEIGHTS.of).parts}[name]


def test_the_score_is_the_product_of_its_factors_and_each_part_is_weighed() -> None:
    found = score(a_kol(), a_scene(), WEIGHTS.of)
    assert found.score == pytest.approx(prod(found.factors.values()))
    assert {part.name for part in found.parts} == set(PARTS) == set(WEIGHTS.of)
    total = sum(WEIGHTS.of.values())
    topic = found.parts[0]
    assert topic.value is not None
    assert found.factors["topic"] == pytest.approx(topic.value ** (WEIGHTS.of["topic"] / total))


@given(st.integers(0, 40), st.integers(0, 40), st.one_of(st.none(), st.floats(0, 1)), st.integers(0, 10**8))
def test_parts_and_scores_stay_within_0_and_1(on: int, about: int, percentile: float | None, followers: int) -> None:
    profile = Profile(40, {"shop.drugstore": on}, {"JP": about}, {("shop.drugstore", "JP"): min(on, about)})
    found = score(
        a_kol(profile=profile, engagement_percentile=percentile, follower_count=followers), a_scene(), WEIGHTS.of
    )
    assert all(part.value is None or 0 <= part.value <= 1 for part in found.parts)
    assert 0 < found.score <= 1


def test_more_posts_on_the_brief_score_higher_and_few_posts_prove_little() -> None:
    many = Profile(40, {"shop.drugstore": 30}, {"JP": 30})
    two = Profile(2, {"shop.drugstore": 2}, {"JP": 2})
    scores = [score(a_kol(profile=p), a_scene(), WEIGHTS.of).score for p in (many, a_kol().profile, two)]
    assert scores == sorted(scores, reverse=True)


def test_a_post_on_two_of_the_topics_counts_once() -> None:
    def read(*topics: str) -> ReadPost:
        return ReadPost("x", NOW.date(), topics, ("JP", "JP-27"), (), "ja", False)

    both, one = read("shop.drugstore", "travel.air"), read("shop.drugstore")
    (made,) = profiles_of([[*[both] * 6, *[one] * 4, *[read()] * 10]])
    profile = unpacked(json.loads(json.dumps(packed(made))), vector_bytes(made))
    kol = a_kol(profile=profile)
    topics = {"shop.drugstore": 1.0, "travel.air": 0.5}
    assert value(kol, "topic", topics=topics).numbers["on_topic"] == 10
    assert value(kol, "place", topics=topics).numbers["on_topic_there"] == 10
    assert value(kol, "topic", topics=topics).value == value(kol, "topic").value  # its heaviest topic counts
    assert value(kol, "topic", topics={"travel.air": 1.0}).numbers["on_topic"] == 6


def test_what_is_not_known_is_null_enters_below_the_middle_and_is_said() -> None:
    kol = a_kol(engagement_percentile=None, engagement_rate=None, follower_count=None, sponsored_share=None, signs=None)
    found = score(kol, a_scene(), WEIGHTS.of)
    unknown = [part for part in found.parts if part.value is None]
    assert {p.name for p in unknown} == {"engagement", "reach", "saturation", "early", "authenticity"}
    assert all(part.mind for part in unknown)
    share = WEIGHTS.of["reach"] / sum(WEIGHTS.of.values())
    assert found.factors["reach"] == pytest.approx(UNKNOWN**share)


def test_a_declared_market_stands_and_what_speaks_against_it_is_said() -> None:
    kol = a_kol(profile=replace(a_kol().profile, languages={"ja": 36, "zh-Hant": 4}))
    part = value(kol, "market")
    assert part.value >= 0.5
    assert "what is declared stands" in part.mind
    assert "mostly ja" in part.mind
    inferred = value(a_kol(market_source="inferred", market_confidence=0.82, market_reasons="posts at night"), "market")
    assert inferred.value == pytest.approx(0.82)
    assert "inferred" in inferred.mind
    assert "posts at night" in inferred.mind


def test_parts_that_nobody_asked_for_are_left_out() -> None:
    names = {part.name for part in score(a_kol(), a_scene(from_market=None, to_market=None), WEIGHTS.of).parts}
    assert names == set(PARTS) - {"place", "market"}


def test_early_is_measured_from_its_null() -> None:
    early = Early(0.7, 0.5, 0.85, 0.45, 0.01, 9)
    assert value(a_kol(early=early), "early").value == pytest.approx(0.75)
    assert value(a_kol(early=Early(None, None, None, None, None, 3)), "early").value is None


def test_paid_work_for_another_brand_of_the_topic_is_minded() -> None:
    recent = Brand("kabejin", 3, 2, NOW.date())
    profile = replace(a_kol().profile, products={"kabejin": recent})
    part = value(a_kol(profile=profile), "saturation")
    assert part.value == pytest.approx(0.45)
    assert part.mind.startswith("Paid posts within 30 days name ")
    assert value(a_kol(profile=profile), "saturation", products=("kabejin",)).value == pytest.approx(0.9)
    gone = replace(profile, products={"no-longer-listed": replace(recent, id="no-longer-listed")})
    assert value(a_kol(profile=gone), "saturation").value == pytest.approx(0.9)


def test_signals_stand_out_only_far_from_peers_and_are_named() -> None:
    peers = usual({"comment_ratio": Sketch.of([0.03 + i / 5000 for i in range(100)])})
    odd, usual_one = (signs({"comment_ratio": (v, 30)}, {}, peers)[0] for v in (0.0004, 0.0305))
    assert odd.stands_out
    assert not usual_one.stands_out  # somebody is always the outermost
    part = value(a_kol(signs=(odd,)), "authenticity")
    assert part.value == pytest.approx(0.3)
    assert part.mind == f"Look into: {odd.sentence}."
    assert signs({"comment_ratio": (0.0004, 30)}, {}, {})[0].percentile is None


def test_merged_sketches_hold_everybody_once() -> None:
    both = merged([{"growth": Sketch.of([1.0] * 300)}, {"growth": Sketch.of([float(i) for i in range(2, 102)])}])
    assert both["growth"].n == 400
    assert both["growth"].percentile(1.5) == pytest.approx(0.75)


def test_a_list_holds_a_person_once_and_no_ten_alike() -> None:
    twins = [a_kol(i, vector=unit(1, 0.01 * i, 0)) for i in range(1, 5)]
    other = a_kol(9, vector=unit(0, 0, 1), platform="youtube", tier="mid", last_post_at=None, person_id=9)
    second = a_kol(8, person_id=1, last_post_at=None)
    found = sorted((score(k, a_scene(), WEIGHTS.of) for k in [*twins, other, second]), key=lambda s: -s.score)
    plain = [s.kol.author_id for s in shortlist(found, 3, 0.0, None)]
    diverse = [s.kol.author_id for s in shortlist(found, 3, 0.5, None)]
    assert 9 not in plain
    assert 9 in diverse
    everybody = [s.kol.person_id for s in shortlist(found, 10, 0.2, None)]
    assert len(everybody) == len(set(everybody)) == 5


def test_weights_are_checked_and_a_requests_go_over_the_files() -> None:
    assert parse_weights("[weights]\nreach = 0").of == {**WEIGHTS.of, "reach": 0.0}
    assert WEIGHTS.changed({"topic": 1}, 0.5) == Weights({**WEIGHTS.of, "topic": 1.0}, 0.5)
    assert weights_said(["topic:40"]) == {"topic": 40.0}
    for bad in ({"topics": 1.0}, {"topic": -1.0}, {"topic": float("nan")}, dict.fromkeys(PARTS, 0.0)):
        with pytest.raises(CallerError):
            checked(bad)
    for text in ("[weights", "[weights]\nx = 1", "[shortlist]\ndiversity = 2"):
        with pytest.raises(CallerError):
            parse_weights(text)

"""An author's market is inferred where nobody declared it: rarely wrong, and silent where the signs do not say."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from radar.markets import MARKETS, Market
from radar.sources.world import SimulatedWorld
from radar.text.audience import Audience, Post, infer_audience, sign_of

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)


def inferred(texts: list[str], hour: int = 12, declared: tuple[str, ...] = ()) -> Audience:
    signs = [sign_of(text, BEGINS + timedelta(days=n, hours=hour)) for n, text in enumerate(texts)]
    found = infer_audience(signs, declared)
    assert found is not None
    return found


def test_hidden_markets_of_the_simulated_world_are_found(record_property: Callable[[str, object], None]) -> None:
    world = SimulatedWorld(starts_at=BEGINS, days=20)
    signs: dict[tuple[str, str], list[Post]] = defaultdict(list)
    for batch in world.discover(None, BEGINS + timedelta(days=10)):
        for post in batch.posts:
            key = post.author.audience_market, post.author.native_id
            signs[key].append(sign_of(post.text, post.published_at))
    said = [
        (truth, found) for (truth, _), posts in signs.items() if len(posts) >= 5 and (found := infer_audience(posts))
    ]
    sure = [(truth, found) for truth, found in said if found.is_sure]
    right = sum(truth == found.market for truth, found in sure) / len(sure)
    record_property("audience", {"authors": len(said), "sure": len(sure) / len(said), "right_of_sure": right})
    assert right >= 0.97, right
    tells_itself = [found for truth, found in said if truth in ("JP", "KR", "TH")]
    assert sum(found.is_sure for found in tells_itself) >= 0.95 * len(tells_itself)
    assert len(sure) >= 0.4 * len(said)


def test_cantonese_tells_hong_kong_and_plain_chinese_leaves_it_open() -> None:
    assert inferred(["今日喺旺角食咗碗麵", "呢間嘢唔係咁好食", "佢哋嘅甜品冇得彈"]).market == "HK"
    assert inferred(["今日喺旺角食咗碗麵", "呢間嘢唔係咁好食", "佢哋嘅甜品冇得彈"]).is_sure
    plain = inferred(["今天的晚餐很好吃", "週末要去逛街", "天氣變冷了"])
    assert plain.market == "TW"
    assert not plain.is_sure
    assert inferred(["今天的晚餐很好吃", "週末要去逛街"], declared=("TW",)).is_sure


def test_the_clock_tells_english_speakers_of_the_other_side_of_the_world() -> None:
    by_night = [18, 19, 20, 21, 22, 23]  # UTC: afternoon in New York, night in Singapore
    signs = [Post("en", BEGINS + timedelta(days=n, hours=at)) for n, at in enumerate(by_night)]
    found = infer_audience(signs)
    assert found is not None
    assert (found.market, found.is_sure) == ("US", True)


def test_a_profile_decides_between_markets_of_one_language_and_clock() -> None:
    texts = ["best laksa in town", "weekend at the mall", "so humid today"]
    assert not inferred(texts).is_sure
    told = inferred(texts, declared=("SG",))
    assert (told.market, told.reasons[0]) == ("SG", "the profile names Singapore")
    assert told.is_sure


def test_travelling_does_not_move_an_author() -> None:
    assert inferred(["오사카 라멘 최고", "도쿄 여행 중", "교토 단풍"]).market == "KR"


def test_nothing_known_is_no_market() -> None:
    assert infer_audience([]) is None
    assert not inferred(["🍜"]).is_sure


def test_a_market_that_is_added_is_found_by_what_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """README's first step of five: its line in markets.py, and nothing else."""
    monkeypatch.setitem(MARKETS, "AU", Market("AU", 36, "Australia", ("en",), "Australia/Sydney"))
    noon = datetime(2026, 3, 2, 1, tzinfo=UTC)
    found = infer_audience([sign_of("Melbourne coffee again", noon)] * 4, ("AU",))
    assert found is not None
    assert (found.market, found.is_sure) == ("AU", True)

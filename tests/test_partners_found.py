"""Partners that the simulated world plants for known briefs are found, and the frauds beside them are not."""

import json
from collections.abc import Iterator, Sequence
from math import log2
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.config import Settings
from radar.store.engine import open_store

Identity = tuple[str, str]


@pytest.fixture(scope="module")
def client(demo_dir: Path) -> Iterator[TestClient]:
    settings = Settings(data_dir=demo_dir / "demo")
    engine = open_store(settings.url)
    yield TestClient(create_app(engine, settings))
    engine.dispose()


@pytest.fixture(scope="module")
def briefs(demo_dir: Path) -> list[dict[str, Any]]:
    return json.loads((demo_dir / "demo" / "truth.json").read_text(encoding="utf-8"))["briefs"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def native_ids(demo_dir: Path) -> dict[str, Identity]:
    """(platform, native id) by the id that answers show; the truth file knows no other."""
    engine = open_store(f"sqlite:///{demo_dir / 'demo' / 'radar.db'}")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, platform, native_id FROM author").all()
    engine.dispose()
    return {str(number): (platform, native) for number, platform, native in rows}


def ndcg(grades: Sequence[int], ideal: Sequence[int], k: int = 10) -> float:
    """Normalised discounted cumulative gain at k with gains 2 ** grade - 1 (Burges et al. 2005)."""
    gain = lambda some: sum((2**g - 1) / log2(i + 2) for i, g in enumerate(some[:k]))  # noqa: E731
    return gain(grades) / gain(sorted(ideal, reverse=True))


def _ask(client: TestClient, brief: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = client.post("/v1/partners", json={name: brief[name] for name in ("text", "from", "to")} | more)
    assert response.status_code == 200, response.text
    return response.json()  # type: ignore[no-any-return]


@pytest.mark.parametrize("diversity", [None, 0.0])
def test_planted_partners_are_found_and_planted_frauds_are_not(
    client: TestClient, briefs: list[dict[str, Any]], native_ids: dict[str, Identity], diversity: float | None
) -> None:
    found: dict[str, float] = {}
    for brief in briefs:
        answer = _ask(client, brief, diversity=diversity)
        assert [t["id"] for t in answer["brief"]["topics"]] == brief["topics"]
        grade_of = {(platform, native): grade for platform, native, grade in brief["grades"]}
        named = [native_ids[item["author"]["id"]] for item in answer["items"]]
        frauds = {tuple(fraud) for fraud in brief["frauds"]}
        assert len(frauds) == 2
        assert not frauds & set(named)
        found[brief["id"]] = ndcg([grade_of.get(one, 0) for one in named], list(_by_person(grade_of).values()))
    print(found)
    assert mean(found.values()) >= 0.9


def _by_person(grade_of: dict[Identity, int]) -> dict[str, int]:
    """Grades of persons: a list holds a person once, with whichever account."""
    return {native.rpartition("-")[0] if native[7:8].isdigit() else native: g for (_, native), g in grade_of.items()}


def test_frauds_are_shown_apart_with_their_signals(
    client: TestClient, briefs: list[dict[str, Any]], native_ids: dict[str, Identity]
) -> None:
    frauds = apart = honest = 0
    for brief in briefs:
        planted = {tuple(fraud) for fraud in brief["frauds"]}
        for item in _ask(client, brief)["review"]:
            is_fraud = native_ids[item["author"]["id"]] in planted
            apart, honest = apart + is_fraud, honest + (not is_fraud)
            assert any(said.startswith("Look into: ") for said in item["mind"])
        frauds += len(planted)
    assert apart >= 0.8 * frauds
    assert honest <= 2


def test_every_part_can_be_worked_out_again_and_is_proved(client: TestClient, briefs: list[dict[str, Any]]) -> None:
    answer = _ask(client, briefs[0])
    for item in answer["items"]:
        product = 1.0
        for part in item["parts"]:
            product *= part["factor"]
            assert part["value"] is None or 0 <= part["value"] <= 1
            assert part["numbers"]
        assert product == pytest.approx(item["score"], abs=0.002)
        assert item["posts"]
        assert item["why"]
    assert len({item["author"]["person_id"] for item in answer["items"]}) == len(answer["items"]) == 10


def test_weights_of_a_request_change_the_order(client: TestClient, briefs: list[dict[str, Any]]) -> None:
    by_reach = _ask(client, briefs[0], diversity=0, weights={"reach": 1000})["items"]
    followers = [item["author"]["follower_count"] for item in by_reach]
    usual = [item["author"]["follower_count"] for item in _ask(client, briefs[0], diversity=0)["items"]]
    assert min(followers) > min(usual)


def test_filters_that_leave_nobody_are_said_on_the_page(client: TestClient) -> None:
    page = client.get(
        "/partners?from=JP&to=TW&topics=shop.drugstore&tiers=nano&budget=1", headers={"accept": "text/html"}
    )
    assert page.status_code == 200
    assert "Nobody is left of" in page.text
    assert "budget: leaves out" in page.text
    vague = client.get("/partners?text=hello", headers={"accept": "text/html"})
    assert vague.status_code == 422
    assert "Add topics" in vague.text
    assert 'name="text"' in vague.text  # the form stays


def test_who_was_early_on_a_trend_comes_first(client: TestClient) -> None:
    trend = client.get("/v1/markets/TW/trends").json()["items"][0]["id"]
    early = client.get(f"/v1/trends/{trend}/authors").json()
    times = [item["first_post_at"] for item in early["items"]]
    assert times == sorted(times)
    assert early["items"][0]["earlier_than"] == 1.0
    by_reach = client.get(f"/v1/trends/{trend}/authors?order=reach").json()["items"]
    followers = [item["author"]["follower_count"] for item in by_reach]
    assert followers == sorted(followers, reverse=True)

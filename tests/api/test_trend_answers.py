"""What a caller of the API notices about lists, one trend, and what is known."""

import json
from datetime import UTC, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from radar.answers import episode_number, trend_id
from radar.api import (
    access_shapes,
    alert_shapes,
    arrival_shapes,
    coverage_shapes,
    curation_shapes,
    kol_shapes,
    partner_shapes,
    pushed_shapes,
    report_shapes,
    resource_shapes,
    shapes,
    trend_shapes,
)
from tests.api.small_store import NOW, SmallStore, post


def names(answer: dict[str, Any]) -> list[str]:
    return [item["name"] for item in answer["items"]]


def get(client: TestClient, path: str, **query: Any) -> dict[str, Any]:
    response = client.get(path, params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


TRENDS = "/v1/markets/TW/trends"


def test_default_list_has_topics_only_and_other_markets_first(client: TestClient) -> None:
    answer = get(client, TRENDS)
    assert names(answer) == ["#大阪必買", "大阪", "#首爾", "機票航班"]
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4]
    assert answer["status"] == "ok"
    assert answer["note"].startswith("At most 5 in 100 of these are chance")


def test_scope_all_is_by_score(client: TestClient) -> None:
    answer = get(client, TRENDS, scope="all")
    scores = [item["score"] for item in answer["items"]]
    assert names(answer)[0] == "電影"
    assert scores == sorted(scores, reverse=True)


def test_a_key_found_by_hour_and_by_day_is_one_line(client: TestClient) -> None:
    assert names(get(client, TRENDS)).count("#大阪必買") == 1
    assert names(get(client, TRENDS, bucket="1d")) == ["#大阪必買"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"place": "KR"}, ["#首爾"]),
        ({"place": "jp"}, ["#大阪必買", "大阪"]),
        ({"place": "JP-27"}, ["大阪"]),
        ({"topic": "travel.air"}, ["機票航班"]),
        ({"kind": "hashtag"}, ["#大阪必買", "#首爾"]),
        ({"stage": "emerging"}, ["大阪"]),
        ({"window": "24h"}, ["#大阪必買", "機票航班"]),
        ({"q": "0.0001"}, []),
        ({"lift": "3"}, ["#大阪必買", "大阪", "機票航班"]),
        ({"place": "", "topic": "", "kind": "", "stage": ""}, ["#大阪必買", "大阪", "#首爾", "機票航班"]),
        ({"as_of": (NOW - timedelta(days=2)).isoformat()}, ["大阪", "#首爾"]),
    ],
)
def test_filters(client: TestClient, query: dict[str, str], expected: list[str]) -> None:
    assert names(get(client, TRENDS, **query)) == expected


def test_empty_filters_say_what_there_would_be(client: TestClient) -> None:
    answer = get(client, TRENDS, stage="fading")
    assert answer["status"] == "ok"
    assert "scope=all there would be 5 trends" in answer["message"]


def test_an_item_shows_its_working_and_evidence(client: TestClient) -> None:
    item = get(client, TRENDS)["items"][0]
    assert item["sentence"] == "at least 2.1x the usual for 24 hours, 9 KOLs, 2 platforms"
    assert item["window"]["buckets"] == 24
    assert item["place_market"] == "JP"
    assert item["topic"]["id"] == "shop.drugstore"
    assert [v["name"] for v in item["variants"]] == ["日本"]
    assert len(item["evidence"]) == 5
    assert item["evidence"][0]["share_count"] is None
    assert len(item["sparkline"]) == 28
    assert sum(n or 0 for n in item["sparkline"][-2:]) == 9
    assert item["sparkline"][-5] == 0


def test_names_are_in_the_markets_language_with_a_gloss(client: TestClient) -> None:
    place = get(client, TRENDS)["items"][1]
    assert (place["name"], place["key"]) == ("大阪", {"text": "JP-27", "kind": "place", "gloss": "Osaka"})


def test_cursor_walks_all_lines_once(client: TestClient) -> None:
    whole = [item["id"] for item in get(client, TRENDS, scope="all")["items"]]
    walked: list[str] = []
    ranks: list[int] = []
    query: dict[str, Any] = {"scope": "all", "limit": 2}
    while True:
        answer = get(client, TRENDS, **query)
        walked += [item["id"] for item in answer["items"]]
        ranks += [item["rank"] for item in answer["items"]]
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"]
    assert walked == whole
    assert ranks == list(range(1, len(whole) + 1))


def test_cursor_keeps_its_moment(client: TestClient) -> None:
    asked = (NOW - timedelta(hours=1)).isoformat()
    first = get(client, TRENDS, limit=1, as_of=asked)
    second = get(client, TRENDS, limit=1, cursor=first["next"])
    assert second["as_of"] == first["as_of"]


@pytest.mark.parametrize("cursor", ["nonsense", "!!!", "bnVsbA", "W10"])
def test_a_broken_cursor_is_a_problem(client: TestClient, cursor: str) -> None:
    response = client.get(TRENDS, params={"cursor": cursor})
    assert response.status_code == 400
    assert "no cursor" in response.json()["detail"]


def test_a_cursor_of_other_filters_is_a_problem(client: TestClient) -> None:
    cursor = get(client, TRENDS, limit=1)["next"]
    response = client.get(TRENDS, params={"cursor": cursor, "place": "JP"})
    assert response.status_code == 400
    assert "other filters" in response.json()["detail"]


def test_one_trend_has_its_curve_stages_and_moments(client: TestClient, filled: SmallStore) -> None:
    trend = get(client, f"/v1/trends/{trend_id(filled.ids['term'])}")
    assert sum(point["persons"] for point in trend["curve"]["points"]) == 9
    assert all(point["heard"] >= point["persons"] for point in trend["curve"]["points"])
    tested = [p for p in trend["curve"]["points"] if trend["window"]["start"] <= p["start"] < trend["window"]["end"]]
    assert sum(p["expected"] for p in tested) == pytest.approx(trend["expected"], abs=0.05)
    assert trend["coverage"]["sources"] == 1
    assert trend["coverage"]["posts"] >= trend["posts"] > 0
    assert [change["stage"] for change in trend["stages"]] == ["emerging", "rising"]
    assert len(trend["history"]) == 1


def test_an_old_trends_curve_shows_its_own_days(client: TestClient, filled: SmallStore) -> None:
    trend = get(client, f"/v1/trends/{trend_id(filled.ids['kr'])}")
    starts = [point["start"] for point in trend["curve"]["points"]]
    assert starts[0] < trend["window"]["start"] < trend["window"]["end"] < starts[-1]


def test_a_variant_answers_with_its_leader(client: TestClient, filled: SmallStore) -> None:
    asked = trend_id(filled.ids["variant"])
    trend = get(client, f"/v1/trends/{asked}")
    assert (trend["asked"], trend["id"]) == (asked, trend_id(filled.ids["term"]))


def test_ids_go_back_and_forth() -> None:
    assert all(episode_number(trend_id(n)) == n for n in (0, 1, 2**62 + 12345, 2**63 - 1))


def test_too_little_history_says_when_there_will_be_enough(client: TestClient) -> None:
    answer = get(client, "/v1/markets/KR/trends")
    assert answer["items"] == []
    assert answer["status"] == "not_enough_history"
    assert "1 of 28 days" in answer["message"] or "2 of 28 days" in answer["message"]
    assert "2026-" in answer["message"]


def test_days_alone_ask_for_28_of_them(empty: SmallStore, fresh: TestClient) -> None:
    at = NOW.replace(hour=0) - timedelta(days=1, hours=8)
    empty.ingest([post(i, f"a{i}", f"리뷰 {i}", at.astimezone(UTC), "KR", day_only=True) for i in range(4)])
    empty.work()
    answer = get(fresh, "/v1/markets/KR/trends")
    assert "1 of 28 days. The first trends can show on 2026-12-" in answer["message"]


def test_an_empty_market_says_what_to_do(client: TestClient) -> None:
    answer = get(client, "/v1/markets/TH/trends")
    assert (answer["status"], answer["as_of"], answer["window"]) == ("no_data", None, None)
    assert "radar import FILE --market TH" in answer["message"]


def test_posts_that_wait_are_named(empty: SmallStore, fresh: TestClient) -> None:
    empty.ingest([post(1, "a", "機票", NOW)])
    answer = get(fresh, TRENDS)
    assert "1 posts for Taiwan wait to be classified" in answer["message"]


def test_as_of_is_the_stores_newest_moment_not_the_clocks(client: TestClient) -> None:
    assert get(client, TRENDS)["as_of"] == "2026-11-23T02:00:00Z"


def test_markets_topics_coverage_health(client: TestClient) -> None:
    markets = {line["code"]: line for line in get(client, "/v1/markets")["items"]}
    assert (markets["TW"]["trends"], markets["TW"]["posts"]) == (4, 249)
    assert markets["TW"]["persons"] == 6  # of nine KOLs, on an average day
    assert len(get(client, "/v1/topics")["items"]) == 40
    coverage = get(client, "/v1/coverage", market="TW")
    assert [(line["source"], line["posts"]) for line in coverage["items"]] == [("file:small.csv", 249)]
    health = get(client, "/v1/health")
    assert health["status"] == "degraded"
    assert any("no scheduler is running" in problem for problem in health["problems"])
    assert get(client, "/v1/health/live") == get(client, "/v1/health/ready") == {"status": "ok"}


def test_openapi_is_complete(client: TestClient) -> None:
    document = get(client, "/v1/openapi.json")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert "500" in operation["responses"], path
            # FastAPI's own answer to what it cannot read is a 400 problem here
            assert "application/json" not in operation["responses"].get("422", {"content": {}})["content"], path
    text = json.dumps(document)
    for name in ("Problem", "PushedPost", "PushedPosts", "PushedAuthor", "TrendPage"):
        assert name in document["components"]["schemas"]
    for reference in set(text.split('"$ref": "')[1:]):
        name = reference.split('"')[0].removeprefix("#/components/schemas/")
        assert name in document["components"]["schemas"], name


SHAPES = (
    shapes, trend_shapes, arrival_shapes, coverage_shapes, pushed_shapes, kol_shapes, partner_shapes, access_shapes,
    alert_shapes, resource_shapes, curation_shapes, report_shapes,
)  # fmt: skip


def _shape(name: str) -> Any:
    return next(found for module in SHAPES if (found := getattr(module, name, None)))


def test_openapi_shows_an_example_of_every_answer_parameter_and_body(client: TestClient) -> None:
    document = get(client, "/v1/openapi.json")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                shown = parameter.get("examples") or parameter["schema"].get("examples")
                assert shown, (path, parameter["name"])
            for status, response in operation["responses"].items():
                content = next(iter(response["content"].values()))
                shape = content["schema"]["$ref"].rpartition("/")[2]
                _shape(shape).model_validate(content["example"], strict=False)
                assert content["example"].get("status") in (int(status), "ok", None), (path, status)
            if "requestBody" in operation:
                body = operation["requestBody"]["content"]["application/json"]
                assert body["example"], path
                for item in body["example"].get("posts", []):
                    pushed_shapes.PushedPost.model_validate(item)
    for name in ("Trend", "TrendWorking", "Problem"):
        _shape(name).model_validate(document["components"]["schemas"][name]["example"])


def test_sizes_of_accounts_are_told_largest_first(client: TestClient) -> None:
    assert list(get(client, TRENDS)["items"][0]["tiers"]) == ["mega", "macro", "nano", "unknown"]


def test_every_answer_made_of_posts_says_whether_they_are_simulated(client: TestClient) -> None:
    trend = get(client, TRENDS)["items"][0]["id"]
    for path in ("/v1/markets", TRENDS, f"/v1/trends/{trend}", f"/v1/trends/{trend}/posts", "/v1/coverage"):
        assert get(client, path)["simulated"] is False, path
    assert get(client, "/v1/health")["world"] == "real"


def test_all_posts_of_a_trend_come_in_pages_oldest_first(client: TestClient) -> None:
    trend = client.get("/v1/markets/TW/trends", params={"scope": "all"}).json()["items"][0]
    path = f"/v1/trends/{trend['id']}/posts"
    whole = client.get(path).json()
    assert whole["total"] == len(whole["items"]) > 1
    assert whole["persons"] == len({p["author"]["person_id"] for p in whole["items"]})
    assert {p["id"] for p in trend["evidence"]} <= {p["id"] for p in whole["items"]}
    pages = [client.get(path, params={"limit": 1}).json()]
    while pages[-1]["next"]:
        pages.append(client.get(path, params={"limit": 1, "cursor": pages[-1]["next"]}).json())
    assert [p["items"][0] for p in pages] == whole["items"]
    assert [p["published_at"] for p in whole["items"]] == sorted(p["published_at"] for p in whole["items"])
    assert client.get(path, params={"cursor": "x"}).status_code == 400
    assert client.get("/v1/trends/zzz/posts").status_code == 404

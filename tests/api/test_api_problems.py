"""Every error has one shape, says what is wrong and what to do."""

import pytest
from fastapi.testclient import TestClient

from tests.api.small_store import SmallStore

TRENDS = "/v1/markets/TW/trends"
SHAPE = {"type", "title", "status", "detail", "hint", "near", "instance", "request_id"}


@pytest.mark.parametrize(
    ("path", "status", "near"),
    [
        ("/v1/markets/TV/trends", 404, "TW"),
        (TRENDS + "?plase=JP", 400, "place"),
        (TRENDS + "?place=JP&place=KR", 400, "place"),
        (TRENDS + "?topic=shop.drugstor", 400, "shop.drugstore"),
        (TRENDS + "?place=JP-99", 400, None),
        (TRENDS + "?place=Japan", 400, None),
        (TRENDS + "?kind=hashtags", 400, "hashtag"),
        (TRENDS + "?stage=risen", 400, "rising"),
        (TRENDS + "?scope=everything", 400, None),
        (TRENDS + "?bucket=1m", 400, "1h"),
        (TRENDS + "?window=soon", 400, None),
        (TRENDS + "?window=0d", 400, None),
        (TRENDS + "?window=99999d", 400, None),
        (TRENDS + "?as_of=yesterday", 400, None),
        (TRENDS + "?as_of=2026-11-22T14:00:00", 400, None),
        (TRENDS + "?as_of=0001-01-01", 400, None),
        (TRENDS + "?limit=0", 400, "limit"),
        (TRENDS + "?limit=x", 400, "limit"),
        (TRENDS + "?q=2", 400, "q"),
        (TRENDS + "?q=nan", 400, "q"),
        (TRENDS + "?lift=inf", 400, None),
        ("/v1/trends/zzzzzzzzzzzzz", 404, None),
        ("/v1/trends/0000000000000", 404, None),
        ("/v1/trends/%00", 404, None),
        ("/v1/coverage?market=XX", 404, None),
        ("/v1/topics?x=1", 400, None),
        ("/v1/markets/TW/posts?last=0", 400, "last"),
        ("/v1/markets/TW/posts?first=1795305600", 400, "first"),
        ("/v1/markets/TW/posts?first=2026-11-22T00:00", 400, "first"),
        ("/v1/nothing", 404, None),
        ("/nothing", 404, None),
    ],
)
def test_get_problems(client: TestClient, path: str, status: int, near: str | None) -> None:
    response = client.get(path, headers={"accept": "application/json"})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == SHAPE
    assert problem["status"] == status
    assert problem["detail"]
    if near:
        assert near in problem["near"]


def test_a_wrong_method_names_the_right_one(client: TestClient) -> None:
    response = client.post(TRENDS)
    assert response.status_code == 405
    assert set(response.json()) == SHAPE
    assert "GET" in response.json()["hint"]
    assert "GET" in response.headers["allow"]


def test_a_broken_store_is_503_and_says_nothing_of_its_insides(empty: SmallStore, fresh: TestClient) -> None:
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE stage_change")
        connection.exec_driver_sql("DROP TABLE snapshot")
    for path in ("/v1/markets", "/markets"):
        response = fresh.get(path, headers={"accept": "application/json"})
        assert response.status_code == 503
        assert set(response.json()) == SHAPE
        assert "SELECT" not in response.text


def test_an_unforeseen_failure_is_a_500_problem(fresh: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("radar.answers.topics", fail)
    response = fresh.get("/v1/topics")
    assert response.status_code == 500
    assert set(response.json()) == SHAPE
    assert "secret" not in response.text
    page = fresh.get("/markets/TW", headers={"accept": "text/html"})
    assert page.status_code == 500
    assert page.headers["content-type"].startswith("text/html")
    assert "content-security-policy" in page.headers


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/v1/topics", "/v1/nothing", "/markets", "/static/radar.css"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"

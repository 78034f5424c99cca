"""Every list: five forms, pages, fields, an order; and what it says of the past."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from radar.answers import trend_id
from radar.api import tables
from radar.api.columns import line_of
from radar.api.lists import ListRoute
from radar.api.problem_types import TYPES
from radar.api.routes import router
from radar.errors import RadarError
from radar.keys import Kind
from radar.store.engine import writing
from radar.store.trends import prune_snapshots
from tests.api.conftest import client_of
from tests.api.small_store import HOSTILE, NOW, SmallStore, fill, open_small

TRENDS = "/v1/markets/TW/trends"
LISTS = (
    "/v1/markets", "/v1/topics", TRENDS, "/v1/markets/TW/arrivals", "/v1/leads", "/v1/matrix", "/v1/coverage",
    "/v1/models/drift", "/v1/models", "/v1/runs", "/v1/authors", "/v1/lists", "/v1/markets/TW/keys",
    "/v1/markets/TW/posts?first=2026-11-22", "/v1/markets/TW/series?kind=topic&key=shop.drugstore",
    "/v1/trends/{id}/posts", "/v1/trends/{id}/authors", "/v1/trends/{id}/markets", "/v1/trends/{id}/path",
)  # fmt: skip
PARQUET = "application/vnd.apache.parquet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def asked(path: str, **query: Any) -> str:
    """The address with more in its query."""
    more = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    return f"{path}{'&' if '?' in path else '?'}{more}" if more else path


@pytest.fixture(params=LISTS)
def path(request: pytest.FixtureRequest, filled: SmallStore) -> str:
    return str(request.param).replace("{id}", trend_id(filled.ids["term"]))


def test_a_list_says_the_same_in_every_form(client: TestClient, path: str) -> None:
    whole = client.get(path)
    assert whole.status_code == 200, whole.text
    items = whole.json()["items"]
    text = client.get(path, headers={"accept": "text/csv"})
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    lines = client.get(path, headers={"accept": "application/x-ndjson"})
    assert [_still(json.loads(line)) for line in lines.text.splitlines()] == [_still(item) for item in items]
    table = pq.read_table(io.BytesIO(client.get(path, headers={"accept": PARQUET}).content))
    book = load_workbook(io.BytesIO(client.get(asked(path, format="xlsx")).content), read_only=True)
    sheet = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[0] == table.column_names == [str(name) for name in sheet[0]]
    assert len(rows) - 1 == table.num_rows == len(sheet) - 1 >= len(items)
    for form in ("csv", "parquet", "xlsx"):
        response = client.get(asked(path, format=form))
        assert response.headers["content-disposition"].endswith(f'.{form}"')
        assert json.loads(response.headers["radar-answer"]).keys() <= whole.json().keys()
        assert "Accept" in response.headers["vary"]


def _still(item: dict[str, Any]) -> dict[str, Any]:
    """Without what moves with the clock."""
    return {name: value for name, value in item.items() if name != "lag_seconds"}


def test_every_form_of_a_short_list_has_its_tag(client: TestClient, path: str) -> None:
    if path == "/v1/coverage":
        return  # says how old things are
    for form in ("json", "csv", "ndjson", "xlsx", "parquet"):
        first = client.get(asked(path, format=form))
        again = client.get(asked(path, format=form), headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), form


def test_a_list_comes_in_pages_and_in_an_order(client: TestClient, path: str) -> None:
    whole = client.get(asked(path, limit=100)).json()["items"]
    walked: list[Any] = []
    cursor: dict[str, str] = {}
    for _ in range(len(whole) + 1):
        page = client.get(asked(path, limit=2, **cursor)).json()
        assert len(page["items"]) <= 2
        walked += page["items"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert [_still(item) for item in walked[:100]] == [_still(item) for item in whole]
    assert client.get(asked(path, cursor="nonsense")).status_code == 400
    if whole:
        name = next(iter(whole[0]))
        sparse = client.get(asked(path, fields=name)).json()
        assert [list(item) for item in sparse["items"]] == [[name]] * len(sparse["items"])
    for parameter in ("fields", "sort", "format"):
        problem = client.get(asked(path, **{parameter: "nothing-of-that"})).json()
        assert (problem["status"], problem["type"]) == (400, "/problems/unknown-field")
        assert problem["near"]


def test_nobody_else_is_answered(client: TestClient, path: str) -> None:
    for accepted in ("image/png", "application/json;q=0", "text/csv;q=0, text/*;q=0"):
        response = client.get(path, headers={"accept": accepted})
        assert (response.status_code, response.json()["type"]) == (406, "/problems/not-acceptable")
    assert client.get(path, headers={"accept": "text/html, */*;q=0.1"}).headers["content-type"] == "application/json"


def test_a_table_is_the_rest_of_the_list_or_the_page_asked_for(client: TestClient) -> None:
    keys = "/v1/markets/TW/keys"
    total = len(client.get(asked(keys, limit=1000)).json()["items"])
    assert client.get(asked(keys, format="ndjson")).text.count("\n") == total > 3
    page = client.get(asked(keys, format="ndjson", limit=3))
    assert page.text.count("\n") == 3
    onward = page.headers["link"].removeprefix("<").partition(">")[0]
    assert client.get(onward.replace("limit=3&", "")).text.count("\n") == total - 3


def test_no_cell_is_a_formula_and_no_text_is_changed_where_none_can_be(tmp_path: Any) -> None:
    signs = ("=1+1", "+1", "-1", "@x", "\t=1", "plain", "\x07bell")
    from radar.api.columns import Column

    columns, rows = [Column("text", ("text",), str)], [[[text] for text in signs]]
    text = b"".join(tables.csv_pieces(columns, rows)).decode("utf-8-sig")
    cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]
    assert [cell[:1] for cell in cells[:5]] == ["'"] * 5
    made = tables.Made(tables.write_xlsx, columns, rows)
    sheet = load_workbook(io.BytesIO(b"".join(made.pieces()))).worksheets[0]
    assert [cell.data_type for cell in sheet["A"]] == ["s"] * (len(signs) + 1)
    assert sheet["A2"].value == "=1+1"
    made = tables.Made(tables.write_parquet, columns, rows)
    assert pq.read_table(io.BytesIO(b"".join(made.pieces())))["text"].to_pylist() == list(signs)


def test_a_long_sheet_goes_on_in_a_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SHEET_ROWS", 4)
    from radar.api.columns import Column

    made = tables.Made(tables.write_xlsx, [Column("n", ("n",), int)], [[[n] for n in range(7)]])
    book = load_workbook(io.BytesIO(b"".join(made.pieces())))
    assert [sheet.max_row for sheet in book.worksheets] == [4, 4, 2]


def test_a_long_table_is_made_as_it_is_sent() -> None:
    made: list[int] = []

    def pages() -> Iterator[list[list[Any]]]:
        for n in range(50):
            made.append(n)
            yield [[n]] * 1000

    from radar.api.columns import Column

    pieces = tables.csv_pieces([Column("n", ("n",), int)], pages())
    next(pieces)
    assert len(made) == 1
    assert sum(piece.count(b"\n") for piece in pieces) == 49_000


def test_every_list_of_the_api_is_one(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    for path, operations in document["paths"].items():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        shape = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        properties = document["components"]["schemas"].get(shape, {}).get("properties", {})
        if {"items", "next"} <= properties.keys():
            assert "text/csv" in content, f"{path}: let its router have route_class=ListRoute"
            assert "406" in operations["get"]["responses"]
            named = {parameter["name"] for parameter in operations["get"]["parameters"]}
            assert {"format", "fields"} <= named
    assert all(isinstance(route, ListRoute) for route in router.routes)


def test_a_list_of_any_router_is_one() -> None:
    from fastapi import APIRouter

    from radar.api.coverage_shapes import Topics

    other = APIRouter(route_class=ListRoute)

    @other.get("/things", response_model=Topics)
    def list_things() -> Any:
        """Things."""
        return {"items": [], "next": None}

    app = FastAPI()
    app.include_router(other)
    assert TestClient(app).get("/things?format=csv").content.startswith(b"\xef\xbb\xbfid,group")
    assert line_of(Topics) is not None
    assert isinstance(other.routes[0], APIRoute)


def test_every_type_of_problem_is_told_of(client: TestClient) -> None:
    def kinds(of: type[RadarError]) -> Iterator[type[RadarError]]:
        for kind in of.__subclasses__():
            yield kind
            yield from kinds(kind)

    assert {kind.slug for kind in kinds(RadarError)} <= TYPES.keys()
    problem = client.get("/v1/topics?x=1").json()
    found = client.get(problem["type"]).json()
    assert (found["type"], found["status"]) == (problem["type"], 400)
    assert len(client.get("/problems").json()["items"]) == len(TYPES)
    assert client.get("/problems/nonsense").status_code == 404


# ---- keys, series, runs, models ----


def test_keys_of_a_market_are_counted_over_a_window(client: TestClient) -> None:
    found = client.get("/v1/markets/TW/keys", params={"kind": "place", "window": "30d"}).json()
    assert found["items"][0]["key"] == {"text": "JP", "kind": "place", "gloss": "Japan"}
    assert found["items"][0]["persons"] >= 2
    one = client.get("/v1/markets/TW/keys", params={"key": "shop.drugstore", "window": "30d"}).json()["items"]
    assert [(line["key"]["kind"], line["days"]) for line in one] == [("topic", 30)]
    about = client.get("/v1/markets/TW/keys", params={"place": "JP"}).json()
    assert {line["place_market"] for line in about["items"]} == {"JP"}
    persons = [line["persons"] for line in client.get("/v1/markets/TW/keys?sort=persons").json()["items"]]
    assert persons == sorted(persons)


def test_a_series_has_its_baseline(client: TestClient) -> None:
    asked_for = {"kind": "topic", "key": "shop.drugstore", "window": "10d"}
    found = client.get("/v1/markets/TW/series", params=asked_for).json()
    assert len(found["items"]) in (9, 10)
    usual = found["items"][2]
    assert (usual["persons"], usual["heard"]) == (6, 6)
    assert usual["low"] <= usual["expected"] <= usual["high"]
    by_hour = client.get("/v1/markets/TW/series", params=asked_for | {"bucket": "1h", "window": "1d"}).json()
    assert sum(point["persons"] for point in by_hour["items"]) >= 6
    until = (NOW - timedelta(days=5)).isoformat()
    past = client.get("/v1/markets/TW/series", params=asked_for | {"as_of": until}).json()
    assert past["items"][-1]["start"] < until
    for wrong in ({"kind": "topic", "key": "nothing"}, {"kind": "x", "key": "y"}, asked_for | {"window": "900d"}):
        assert client.get("/v1/markets/TW/series", params=wrong).status_code == 400


def test_runs_and_models_are_listed(client: TestClient) -> None:
    assert client.get("/v1/runs?outcome=nothing").json()["near"]
    assert client.get("/v1/runs?job=nothing").status_code == 400
    assert client.get("/v1/models/nothing").status_code == 404
    assert client.get("/v1/topics/shop.drugstore").json()["terms"]
    assert client.get("/v1/topics/shop.drugstor").json()["near"][0] == "shop.drugstore"
    assert {topic["group"] for topic in client.get("/v1/topics?group=shop").json()["items"]} == {"shop"}


def test_trends_are_sorted_by_a_column(client: TestClient) -> None:
    for sort, name in (("-lift", "lift"), ("persons", "persons"), ("-onset_at", "onset_at"), ("-rank", "rank")):
        values = [item[name] for item in client.get(asked(TRENDS, sort=sort, scope="all")).json()["items"]]
        assert values == sorted(values, reverse=sort[0] == "-"), sort
    assert client.get(asked(TRENDS, sort="name")).json()["type"] == "/problems/unknown-field"


# ---- the past, and what holds no longer ----


@pytest.mark.parametrize("of", [TRENDS, "/v1/markets/TW/keys", "/v1/markets/TW/series?kind=topic&key=travel.air"])
def test_what_is_not_kept_is_gone_and_says_what_is(client: TestClient, of: str) -> None:
    response = client.get(asked(of, as_of="2020-01-01"))
    assert (response.status_code, response.json()["type"]) == (410, "/problems/gone")
    assert "2026-" in response.json()["hint"]


def test_pruning_leaves_hours_for_a_week_and_days_for_longer(empty: SmallStore) -> None:
    store = fill(empty)
    far, near = NOW - timedelta(days=6, hours=3), NOW - timedelta(days=7, hours=3)
    for at in (far, near):
        store.trend(f"hour {at}", Kind.TERM, f"hour {at}", at=at)
        store.trend(f"day {at}", Kind.TERM, f"day {at}", at=at, is_daily=True)
    with writing(store.engine) as session, session.begin():
        prune_snapshots(session, NOW - timedelta(days=7), NOW - timedelta(days=90))
    client = client_of(store)
    listed = {}
    for at in (far, near):
        found = client.get(TRENDS, params={"as_of": at.isoformat(), "scope": "all"}).json()
        listed[at] = {item["id"] for item in found["items"]}
    ids = {name: trend_id(number) for name, number in store.ids.items()}
    assert listed[near] == {ids[f"day {near}"]}
    assert listed[far] >= {ids[f"hour {far}"], ids[f"day {far}"]}
    gone = trend_id(store.ids[f"hour {near}"])
    assert client.get(f"/v1/trends/{gone}").status_code == 410


def test_a_kept_answer_holds_until_something_changes(empty: SmallStore) -> None:
    store = fill(empty)
    client = client_of(store)
    ids = [item["id"] for item in client.get(TRENDS).json()["items"]]
    assert client.get(TRENDS).json() == client.get(TRENDS).json()
    new = trend_id(store.trend("new", Kind.HASHTAG, "新潮", score=99.0))
    assert [item["id"] for item in client.get(TRENDS).json()["items"]] == [new, *ids]
    who = client.get(TRENDS, params={"fields": "evidence", "limit": 3}).json()["items"][1]["evidence"][0]["author"]
    assert client.patch(f"/v1/authors/{who['id']}", json={"hidden": True}).status_code == 200
    assert f'"id":"{who["id"]}"' not in client.get(TRENDS).text
    assert HOSTILE in client.get(TRENDS).text


def test_an_empty_store_has_every_list(tmp_path: Any) -> None:
    store = open_small(tmp_path)
    client = client_of(store)
    for path in LISTS:
        if "{id}" not in path:
            for form in ("json", "csv", "parquet", "xlsx"):
                response = client.get(asked(path, format=form))
                assert response.status_code == 200, (path, response.text)
    store.engine.dispose()

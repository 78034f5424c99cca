"""What a person sees: every page answers, says where its figures come from, and lets nothing run."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient

from radar.answers import trend_id
from radar.api import create_app
from radar.config import Settings
from radar.keys import Kind, key_number
from radar.store.counts import add_keys
from radar.store.engine import writing
from radar.web.view import static
from tests.api.small_store import HOSTILE, SmallStore, fill, open_small

SCRIPT = f'<script type="module" src="{static("radar.js")}">'
HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    filled = fill(open_small(tmp_path_factory.mktemp("pages")), world="simulated")
    yield filled
    filled.engine.dispose()


@pytest.fixture
def client(store: SmallStore) -> Iterator[TestClient]:
    with TestClient(create_app(store.engine, Settings()), follow_redirects=False, headers=HTML) as opened:
        yield opened


@pytest.fixture
def pages(store: SmallStore) -> list[str]:
    trend = trend_id(store.ids["term"])
    return [
        "/markets", "/markets/TW", "/markets/TW?scope=all", "/markets/TW?place=JP-27&stage=emerging&q=0.04",
        "/markets/KR", "/markets/TH", "/markets/TW/arrivals", f"/trends/{trend}", "/coverage", "/coverage?market=TH",
        "/partners?to=TW&topics=shop.drugstore&from=JP", "/matrix", "/matrix?place=JP&window=3d", "/topics", "/models",
        "/kols?market=TW&sort=followers", "/alerts", "/watch-lists", "/tracked", "/curation",
        "/reports", "/reports/TW/JP/2026-W47",
    ]  # fmt: skip


def test_every_page_answers_with_a_twin_and_the_banner(client: TestClient, pages: list[str]) -> None:
    for path in pages:
        response = client.get(path)
        assert response.status_code == 200, path
        assert "Simulated data." in response.text, path
        twin = re.search(r'<link rel="alternate" type="application/json" href="([^"]+)"', response.text)
        assert twin, path
        answer = client.get(twin[1].replace("&amp;", "&"))
        assert answer.status_code == 200, twin[1]
        assert answer.headers["content-type"] == "application/json"
        assert response.text.count("<table") == response.text.count("<caption"), path


def test_all_posts_are_those_of_the_moment_that_the_page_looks_back_from(client: TestClient, store: SmallStore) -> None:
    asked = {"as_of": "2026-11-23T02:00:00Z", "window": "24h"}
    page = client.get(f"/trends/{trend_id(store.ids['term'])}", params=asked)
    link = re.search(r'href="(/v1/trends/[^"]+/posts[^"]*)"', page.text)
    assert link
    address = link[1].replace("&amp;", "&")
    assert dict(parse_qsl(urlsplit(address).query)) == asked | {"limit": "100"}
    assert client.get(address).status_code == 200


def test_nothing_hostile_gets_through(client: TestClient, store: SmallStore, pages: list[str]) -> None:
    hostile = "/markets/TW?window=7d&as_of=" + "%22%3E%3Cscript%3E"
    for path in [
        *pages,
        hostile,
        "/markets/%3Cscript%3E",
        "/%3Cscript%3Ealert(1)",
        "/trends/%3Cscript%3E?window=%3Cb%3E",
    ]:
        text = client.get(path).text
        assert re.findall(r"<script[^>]*>", text) == [SCRIPT], path
        assert "<img" not in text, path
        assert "style=" not in text, path
        assert 'href="javascript' not in text, path
    shown = client.get(f"/trends/{trend_id(store.ids['term'])}").text
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in shown


def test_filters_stay_chosen_and_links_keep_them(client: TestClient) -> None:
    text = client.get("/markets/TW?place=JP&window=3d&scope=all").text
    assert '<option value="JP" selected>' in text
    assert '<option value="3d" selected>' in text
    assert '<option value="all" selected>' in text
    assert "What Taiwan is starting to say about Japan" in text
    assert "/v1/markets/TW/trends?place=JP&amp;window=3d&amp;scope=all" in text


def test_next_page_goes_on(client: TestClient) -> None:
    first = client.get("/markets/TW?limit=2&scope=all").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = client.get(following[1].replace("&amp;", "&"))
    assert second.status_code == 200
    ids = [re.findall(r'<tr role="row" id="t-([0-9a-z]{13})"', text) for text in (first, second.text)]
    assert len(ids[0]) == len(ids[1]) == 2
    assert not set(ids[0]) & set(ids[1])


def test_home_leads_to_the_first_market_with_trends(client: TestClient) -> None:
    assert client.get("/").headers["location"] == "/markets/TW"


def test_json_twins_lead_to_the_api(client: TestClient) -> None:
    assert client.get("/markets/TW.json?place=JP").headers["location"] == "/v1/markets/TW/trends?place=JP"
    assert client.get("/coverage.json").headers["location"] == "/v1/coverage"


def test_an_empty_market_says_why_and_what_to_do(client: TestClient) -> None:
    assert "radar import FILE --market TH" in client.get("/markets/TH").text
    assert "Not enough history" in client.get("/markets/KR").text


def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    client = TestClient(create_app(store.engine, Settings()), headers=HTML)
    for path in ("/", "/coverage"):
        page = client.get(path)
        assert page.status_code == 200
        assert "radar import FILE" in page.text
    store.engine.dispose()


def test_browsers_get_errors_as_pages_and_others_as_problems(client: TestClient) -> None:
    for path, status in (("/markets/XX", 404), ("/nothing", 404), ("/markets/TW?plase=JP", 400), ("/trends/x", 404)):
        page = client.get(path)
        assert page.status_code == status
        assert page.headers["content-type"].startswith("text/html")
        assert "All markets" in page.text
        other = client.get(path, headers={"accept": "*/*"})
        assert other.headers["content-type"] == "application/problem+json"
    assert client.get("/v1/nothing").headers["content-type"] == "application/problem+json"


def test_pages_say_how_many_posts_complain(client: TestClient, store: SmallStore) -> None:
    assert "share of complaints 12 % of 40 posts" in client.get("/markets/TW?scope=all").text
    page = client.get(f"/trends/{trend_id(store.ids['term'])}").text
    assert re.search(r"Complaints</th><td[^>]*>12(\.5)? % of 40 posts", page)
    assert "share of complaints 0 % of 41 posts of this KOL" in page


def test_a_hostile_name_is_shown_as_text_on_the_radar_and_in_the_list(tmp_path: Path) -> None:
    name = '</title><script>alert(1)</script>" onfocus="x'
    store = fill(open_small(tmp_path))
    number = key_number(Kind.HASHTAG, name)
    with writing(store.engine) as session, session.begin():
        add_keys(session, [{"hash": number, "kind": int(Kind.HASHTAG), "text": name, "gloss": "<img src=x>"}])
    store.trend("hostile", Kind.HASHTAG, name, score=40.0)
    client = TestClient(create_app(store.engine, Settings(data_dir=tmp_path)), headers=HTML)
    for path in ("/markets/TW?scope=all", f"/trends/{trend_id(store.ids['hostile'])}"):
        text = client.get(path).text
        assert "&lt;script&gt;alert(1)" in text, path
        assert re.findall(r"<script[^>]*>", text) == [SCRIPT], path
        assert "<img" not in text
        assert not re.search(r'<[^>]*" onfocus=', text)
    store.engine.dispose()


def test_the_matrix_counts_who_mentions_a_place(tmp_path: Path) -> None:
    store = fill(open_small(tmp_path))
    client = TestClient(create_app(store.engine, Settings(data_dir=tmp_path)), headers=HTML)
    rows = {row["id"]: row for row in client.get("/v1/matrix?window=1d").json()["items"]}
    cells = {cell["market"]: cell for cell in rows["JP"]["cells"]}
    assert 0 < cells["TW"]["share"] <= 1
    assert cells["TH"]["share"] is None
    inside = client.get("/v1/matrix?place=jp&window=3d").json()["items"]
    assert inside[0]["id"].startswith("JP")
    assert client.get("/matrix?place=XX").status_code == 400
    assert client.get("/matrix?window=90d").status_code == 400
    store.engine.dispose()


def test_charts_come_as_pictures_and_numbers(client: TestClient, store: SmallStore) -> None:
    trend = f"/trends/{trend_id(store.ids['term'])}"
    assert client.get(f"{trend}/curve.json").json()["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    assert client.get(f"{trend}/curve.svg").text.startswith("<svg")
    assert client.get(f"{trend}/markets.png").content.startswith(b"\x89PNG")
    assert client.get(f"{trend}/curve.csv").text.startswith("start,persons,expected,low,high,heard\n")
    assert client.get(f"{trend}/curve.exe").status_code == 400
    assert "script-src 'self'" in client.get(trend).headers["content-security-policy"]
    assert "unsafe" not in client.get(trend).headers["content-security-policy"]


def test_a_trend_says_who_came_first_and_where_else(client: TestClient, store: SmallStore) -> None:
    trend = f"/v1/trends/{trend_id(store.ids['term'])}"
    carriers = client.get(f"{trend}/authors").json()
    firsts = [line["first_post_at"] for line in carriers["items"]]
    assert firsts == sorted(firsts)
    assert carriers["persons"] == len({line["author"]["person_id"] for line in carriers["items"]}) == 9
    by_engagement = client.get(f"{trend}/authors?order=engagement").json()["items"]
    assert [line["engagement_rank"] for line in by_engagement if line["engagement_rank"]] == list(
        range(1, 1 + sum(line["engagement"] is not None for line in carriers["items"]))
    )
    beside = client.get(f"{trend}/markets").json()
    assert [row["market"] for row in beside["items"] if row["is_own"]] == ["TW"]
    assert len(beside["days"]) == len(beside["items"][0]["persons"]) == 56

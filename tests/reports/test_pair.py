"""The weekly report's figures: those of the API, as of the week's end, and honest where there is too little."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.api.report_shapes import Report
from radar.config import Settings
from radar.reports import pair_report
from radar.reports.week import NoSuchWeek, WeekNotThere
from radar.store.engine import reading
from radar.store.reports import week_counts
from tests.api.small_store import NOW, SmallStore, fill, open_small, post
from tests.builders import a_post, put

WEEK = "2026-W47"
LATER = NOW + timedelta(days=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    filled = fill(open_small(tmp_path_factory.mktemp("reports")), world="simulated")
    yield filled
    filled.engine.dispose()


@pytest.fixture(scope="module")
def report(store: SmallStore) -> dict[str, Any]:
    with reading(store.engine) as session:
        return pair_report(session, "tw", "jp", WEEK, now=LATER)


def _client(store: SmallStore, **more: Any) -> TestClient:
    return TestClient(create_app(store.engine, Settings(**more)), raise_server_exceptions=False)


def test_its_figures_are_those_of_the_api(store: SmallStore, report: dict[str, Any]) -> None:
    told = Report.model_validate(report).model_dump(mode="json")
    client = _client(store)
    asked = {"place": "JP", "window": "7d", "as_of": told["as_of"], "limit": 10}
    page = client.get("/v1/markets/TW/trends", params=asked).json()
    assert page["total"] == told["total"] > 0
    for name in ("coverage", "shadow", "model_id", "simulated", "status"):
        assert page[name] == told[name], name
    for mine, theirs in zip(told["trends"], page["items"], strict=True):
        assert {name: mine[name] for name in theirs} == theirs
        there = f"/v1/trends/{mine['id']}/authors"
        carriers = client.get(there, params={k: asked[k] for k in ("as_of", "window")}).json()
        assert mine["on_platforms"] == carriers["platforms"]
        assert mine["carriers_total"] == carriers["persons"] == len(carriers["items"])
        for one, line in zip(mine["carriers"], carriers["items"][:3], strict=True):
            named = ("person_id", "name", "handle", "platform", "follower_count")
            assert {name: line["author"][name] for name in named}.items() <= one.items()
            assert (one["url"], one["first_at"]) == (line["first_post_url"], line["first_post_at"])
            assert {name: line[name] for name in ("posts", "engagement", "share", "sponsored")}.items() <= one.items()


def test_platforms_stand_apart(report: dict[str, Any], store: SmallStore) -> None:
    platforms = {one["name"]: one for one in report["platforms"]}
    assert set(platforms) == {"instagram", "youtube"}
    assert sum(one["posts"] for one in report["platforms"]) == report["coverage"]["posts"]
    assert sum(one["persons"] for one in report["platforms"]) >= report["coverage"]["persons"]
    with store.engine.connect() as connection:
        asked = sa.text(
            "SELECT count(*) FROM post JOIN post_signal ON post_id = post.id WHERE platform = 'youtube' "
            "AND audience_market = 'TW' AND local_day BETWEEN '2026-11-16' AND '2026-11-22' AND places LIKE '%JP%'"
        )
        assert platforms["youtube"]["place_posts"] == connection.scalar(asked) > 0


def test_days_are_the_markets_own(report: dict[str, Any]) -> None:
    assert (report["first_day"], report["last_day"]) == (date(2026, 11, 16), date(2026, 11, 22))
    assert report["window"]["end"] == report["as_of"] == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert [one["day"] for one in report["by_day"]][-1] == report["last_day"]
    assert report["about_place"]["change"] is not None


@pytest.mark.parametrize(("week", "said"), [("2026-W54", "no ISO week"), ("next", "no ISO week"), ("", "")])
def test_a_week_that_is_none_is_named(store: SmallStore, week: str, said: str) -> None:
    with reading(store.engine) as session:
        if not said:
            assert pair_report(session, "TW", "JP", week, now=LATER)["week"] == WEEK
            return
        with pytest.raises(NoSuchWeek, match=said) as caught:
            pair_report(session, "TW", "JP", week, now=LATER)
    assert WEEK in caught.value.hint


@pytest.mark.parametrize("week", ["2026-W48", "2031-W01", "2026-W30", "1999-W01"])
def test_a_week_that_is_not_there_says_which_are(store: SmallStore, week: str) -> None:
    with reading(store.engine) as session, pytest.raises(WeekNotThere) as caught:
        pair_report(session, "TW", "JP", week, now=LATER)
    assert "2026-W" in caught.value.hint
    answer = _client(store).get(f"/v1/reports/TW/JP/{week}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/week-not-there"


def test_too_little_history_compares_nothing(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    store.ingest([post(n, f"kol{n}", f"藥妝 日本 大阪 {n}", NOW - timedelta(days=3, hours=n)) for n in range(12)])
    store.work()
    with reading(store.engine) as session:
        found = pair_report(session, "TW", "JP", WEEK, now=LATER)
    assert found["status"] == "not_enough_history"
    assert found["trends"] == found["topics"] == []
    assert all(row["usual_share"] is None and row["change"] is None for row in [*found["places"], found["about_place"]])
    assert {"history", "end", "silent", "forecast", "shadow"} <= {gap["what"] for gap in found["missing"]}
    client = _client(store)
    text = client.get(f"/v1/reports/TW/JP/{WEEK}?format=md").text
    assert "Not enough history" in text
    assert client.get("/reports/TW/JP/" + WEEK).status_code == 200
    store.engine.dispose()


def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    store = open_small(tmp_path)
    answer = _client(store).get("/v1/reports/TW/JP/latest")
    assert answer.status_code == 404
    assert "radar import" in answer.json()["detail"]
    store.engine.dispose()


def test_a_week_is_counted_by_platform_on_both_databases(engine: sa.Engine) -> None:
    noon = datetime(2026, 5, 6, 4, tzinfo=UTC)
    put(
        engine, a_post("1", published_at=noon), a_post("2", published_at=noon),
        a_post("3", author="bob", published_at=noon), a_post("4", published_at=noon - timedelta(days=9)),
        a_post("5", market="KR", author="kim", published_at=noon), now=noon + timedelta(hours=1),
    )  # fmt: skip
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO post_signal (post_id, model_id, keys, places, language, sponsored, text_hash) "
                "SELECT id, 'm', :none, CASE native_id WHEN '1' THEN 'JP JP-27' ELSE 'JPX' END, 'en', :no, 1 FROM post"
            ),
            {"none": b"", "no": False},
        )
    with reading(engine) as session:
        for by in ("platform", "source"):
            found = week_counts(session, "TW", "JP", date(2026, 5, 4), date(2026, 5, 10), by)  # type: ignore[arg-type]
            assert [one[1:6] for one in found] == [(2, 3, 1, 1, 3)]
            assert found[0].last_post_at == noon


def test_the_week_is_found_by_the_index(store: SmallStore) -> None:
    said: list[str] = []

    def explain(conn: Any, cursor: Any, statement: str, parameters: Any, *more: Any) -> None:
        if "FROM post" in statement and not said:
            said.append("")
            said[0] = str(conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())

    with reading(store.engine) as session:
        sa.event.listen(store.engine, "before_cursor_execute", explain)
        week_counts(session, "TW", "JP", date(2026, 11, 16), date(2026, 11, 22), "platform")
        sa.event.remove(store.engine, "before_cursor_execute", explain)
    assert "ix_post_audience_market_local_day" in said[0]
    assert "SCAN post" not in said[0]

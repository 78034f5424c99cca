"""Operators see what is asked, how the jobs fare, and which request failed."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families as parse

from radar import __version__
from radar.config import Settings
from radar.logs import JsonLines, TextLines
from radar.scheduling import Context, Tick, _run_and_tell, load_jobs
from radar.store import operation, runs
from radar.store.engine import reading, writing
from radar.store.promotion import name_active
from tests.api.small_store import SmallStore
from tests.builders import a_post, put


def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, those in the order of the alphabet."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found = [sample for family in parse(answer.text) for sample in family.samples]
    return {(s.name, *(s.labels[label] for label in sorted(s.labels))): s.value for s in found}


def test_a_request_is_counted_by_its_template(client: TestClient) -> None:
    for path in ("/v1/trends/zzzzzzzzzzzz1", "/v1/trends/zzzzzzzzzzzz2", "/nothing", "/wp-login.php", "/v1/x"):
        client.get(path)
    client.get("/static/radar.css")
    client.head("/v1/topics")
    client.request("BREW", "/v1/topics")
    found = samples(client)
    assert found["radar_http_requests_total", "GET", "/v1/trends/{id}", "404"] == 2
    assert found["radar_http_requests_total", "GET", "unknown", "404"] == 3
    assert found["radar_http_requests_total", "GET", "/static", "200"] == 1
    assert found["radar_http_requests_total", "HEAD", "/v1/topics", "200"] == 1
    assert found["radar_http_requests_total", "other", "/v1/topics", "405"] == 1
    assert found["radar_http_request_seconds_count", "GET", "/v1/trends/{id}"] == 2
    assert not [name for name in found if "zzzz" in str(name) or "wp-login" in str(name)]


def test_the_store_is_told_as_it_stands(empty: SmallStore, fresh: TestClient) -> None:
    now = datetime.now(UTC)
    put(empty.engine, a_post("1", published_at=now - timedelta(hours=2)), now=now)
    with writing(empty.engine) as session, session.begin():
        for outcome, ago in (("ok", 50), ("failed", 5)):
            began = now - timedelta(minutes=ago)
            number = runs.begin_run(session, "detect_trends", began, "host", 1)
            runs.end_run(session, number, ended_at=began, outcome=outcome)
        name_active(session, "model-1")
    found = samples(fresh)
    assert found["radar_database_up",] == 1
    assert found["radar_scheduler_up",] == 0
    assert found["radar_build_info", __version__] == 1
    assert found["radar_active_model_info", "model-1"] == 1
    assert found["radar_job_runs_day", "detect_trends", "failed"] == 1
    assert found["radar_job_success_age_seconds", "detect_trends"] == pytest.approx(3000, abs=60)
    assert found["radar_posts_waiting", "TW"] == 1
    assert found["radar_posts_waiting", "JP"] == 0
    assert found["radar_newest_post_age_seconds", "TW"] == pytest.approx(7200, abs=60)


def test_a_store_out_of_reach_is_told_and_its_figures_are_left_out(empty: SmallStore, fresh: TestClient) -> None:
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE run")
    found = samples(fresh)
    assert found["radar_database_up",] == 0
    assert ("radar_posts_waiting", "TW") not in found
    assert ("radar_build_info", __version__) in found


def test_figures_of_operation_on_both_databases(engine: sa.Engine) -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    old, new = now - timedelta(days=3), now - timedelta(hours=1)
    put(engine, a_post("1", published_at=old), a_post("2", published_at=new), now=now)
    with writing(engine) as session, session.begin():
        for ago, outcome in ((30, "ok"), (20, "ok"), (3, "failed"), (2, "failed")):
            number = runs.begin_run(session, "count_mentions", now - timedelta(hours=ago), "host", 1)
            runs.end_run(session, number, ended_at=now - timedelta(hours=ago), outcome=outcome)
    with reading(engine) as session:
        state = operation.state(session, ["count_mentions", "detect_trends"], ["TW", "JP"], now)
        assert operation.waiting_posts(session, 1) == {"TW": 1}
    assert state.runs == {("count_mentions", "ok"): 1, ("count_mentions", "failed"): 2}
    assert state.succeeded_at == {"count_mentions": now - timedelta(hours=20)}
    assert state.waiting_posts == {"TW": 2}
    assert state.newest_posts == {"TW": new}
    assert sum(state.dirty_days.values()) >= 1
    assert (state.scheduler_until, state.model_id) == (None, None)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_probes_have_short_addresses(fresh: TestClient, path: str) -> None:
    assert fresh.get(path).json() == {"status": "ok"}


# ---- request ids ----


def test_a_request_id_is_taken_and_is_on_every_answer(client: TestClient) -> None:
    for path in ("/v1/topics", "/v1/nothing", "/markets", "/static/radar.css", "/metrics"):
        assert client.get(path, headers={"x-request-id": "7f3a-42"}).headers["x-request-id"] == "7f3a-42"
    assert client.get("/v1/nothing", headers={"x-request-id": "7f3a-42"}).json()["request_id"] == "7f3a-42"
    tag = client.get("/v1/topics").headers["etag"]
    known = client.get("/v1/topics", headers={"if-none-match": tag, "x-request-id": "again-1"})
    assert (known.status_code, known.headers["x-request-id"]) == (304, "again-1")


@pytest.mark.parametrize("hostile", ["", "a b", "<script>", "x" * 129, 'a"b', "a\tb", "é", "-x", "${jndi:x}"])
def test_a_hostile_request_id_is_replaced(client: TestClient, hostile: str) -> None:
    problem = client.get("/v1/nothing", headers={"x-request-id": hostile.encode("latin-1")})
    made = problem.headers["x-request-id"]
    assert made != hostile
    assert len(made) == 32
    assert problem.json()["request_id"] == made


# ---- log lines ----


@pytest.fixture
def lines(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """What the log says, in the form that the test names."""
    said: list[str] = []
    formatter = (JsonLines if request.param == "json" else TextLines)(["hunter22"])

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(formatter.format(record))

    handler, log = Kept(), logging.getLogger("radar")
    level, _ = log.level, log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield said
    log.removeHandler(handler)
    log.setLevel(level)


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_a_failure_stands_in_the_log_under_its_request_id(
    fresh: TestClient, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("no answer from postgresql://ann:pass@db/x with hunter22 and Bearer abcdef123")

    monkeypatch.setattr("radar.answers.topics", fail)
    problem = fresh.get("/v1/topics", headers={"x-request-id": "find-me"})
    assert (problem.status_code, problem.headers["x-request-id"]) == (500, "find-me")
    assert problem.json()["request_id"] == "find-me"
    failure, request = (json.loads(line) for line in lines)
    assert failure["level"] == "error"
    assert (failure["request_id"], request["request_id"]) == ("find-me", "find-me")
    assert "RuntimeError" in failure["traceback"]
    assert (request["method"], request["route"], request["status"]) == ("GET", "/v1/topics", 500)
    assert not [word for word in ("ann:pass", "hunter22", "abcdef123") if word in "".join(lines)]
    assert samples(fresh)["radar_http_requests_total", "GET", "/v1/topics", "500"] == 1


@pytest.mark.parametrize("lines", ["text", "json"], indirect=True)
def test_a_request_is_one_line_without_its_query(client: TestClient, lines: list[str]) -> None:
    client.get("/v1/a%0AERROR%20all%20is%20lost?token=hunter22")
    [line] = lines
    assert "\n" not in line
    assert "404" in line
    assert "hunter22" not in line
    assert "token" not in line


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_a_run_of_a_job_is_one_line(empty: SmallStore, lines: list[str], tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    context = Context(empty.engine, Settings(data_dir=tmp_path), now)
    _run_and_tell(load_jobs()["prune_posts"], context, Tick(now, missed=0))
    [line] = [json.loads(line) for line in lines]
    assert (line["job"], line["outcome"], line["level"]) == ("prune_posts", "ok", "info")
    assert line["seconds"] >= 0

"""Rules and watch lists as people and systems meet them: API, pages without scripts, terminal."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from radar.alerts import fire, send_due
from radar.answers import trend_id
from radar.api import create_app
from radar.cli import cli
from radar.store import alert_rules
from radar.store.engine import writing
from tests.alerts.receivers import NOW, Radar, hook
from tests.api.small_store import HOSTILE, post
from tests.builders import fresh_store

HTML = {"accept": "text/html"}


@pytest.fixture
def radar(tmp_path: Path) -> Iterator[Radar]:
    opened = Radar(fresh_store(tmp_path / "radar.db"), data_dir=tmp_path)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def client(radar: Radar) -> Iterator[TestClient]:
    app = create_app(radar.engine, radar.settings)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as opened:
        yield opened


def backdate(radar: Radar) -> None:
    """Let the rules tell what the test has stored already."""
    with writing(radar.engine) as session, session.begin():
        for rule in alert_rules.rules(session):
            alert_rules.change_rule(session, rule.id, begins_at=NOW - timedelta(days=1), read_upto=NOW)


def test_a_system_makes_a_rule_and_sees_what_became_of_it(radar: Radar, client: TestClient) -> None:
    radar.trend("new")
    with hook() as stage:
        target = {"kind": "webhook", "address": f"{stage.url}?key=1"}
        asked = {"name": "Japan", "market": "tw", "place": "jp", "stages": ["rising"], "targets": [target]}
        made = client.post("/v1/alert-rules", json=asked)
        assert made.status_code == 201
        secret = made.json()["targets"][0]["secret"]
        assert secret.startswith("whsec_")
        again = client.get("/v1/alert-rules/Japan").json()
        assert (again["market"], again["place"], again["targets"][0]["secret"]) == ("TW", "JP", None)
        assert again["targets"][0]["address"].endswith("/hook?…")
        assert client.post("/v1/alert-rules", json=asked).json()["type"] == "/problems/name-taken"
        backdate(radar)
        fire(radar.engine, radar.model_id, now=NOW)
        stage.replies = [(410, {}, b"gone")]
        send_due(radar.engine, radar.sender)
        (alert,) = client.get("/v1/alerts", params={"rule": "Japan"}).json()["items"]
        assert (alert["trend"]["name"], alert["deliveries"][0]["state"]) == ("#大阪必買", "dead")
        assert alert["deliveries"][0]["error"] == "HTTP 410 Gone: gone"
        assert client.get(f"/v1/trends/{alert['trend']['id']}").status_code == 200
        assert client.post(f"/v1/alerts/{alert['id']}/retry").json() == {"done": "1 to be tried again"}
        assert client.post("/v1/alert-rules/Japan/test").json()["items"][0]["ok"] is True
        assert stage.received[-1].is_signed(secret)
    changed = client.patch("/v1/alert-rules/Japan", json={"active": False, "wanted": {"market": "KR"}}).json()
    assert (changed["active"], changed["market"], changed["place"]) == (False, "KR", None)
    assert client.delete(f"/v1/alert-rules/Japan/targets/{changed['targets'][0]['id']}").status_code == 200
    assert client.delete("/v1/alert-rules/Japan").json() == {"done": "Japan is gone"}
    assert client.get("/v1/alert-rules/Japan").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/alert-rules", {"name": "x", "market": "XX"}, 404),
        ("/v1/alert-rules", {"name": "x", "topic": "shop.nothing"}, 400),
        ("/v1/alert-rules", {"name": ""}, 400),
        ("/v1/alert-rules", {"name": "x", "plase": "JP"}, 400),
        ("/v1/alert-rules", {"name": "x", "active": 0}, 400),
        ("/v1/alert-rules", {"name": "x", "q": "0.05"}, 400),
        ("/v1/alert-rules", {"name": "x", "targets": [{"kind": "email", "address": "ann@example.com"}]}, 400),
        ("/v1/alert-rules", {"name": "x", "targets": [{"kind": "webhook", "address": "http://127.0.0.1/"}]}, 400),
        ("/v1/alert-rules", {"name": "x", "language": "fr"}, 400),
        ("/v1/alert-rules", {"name": "x", "watch_list": "nobody"}, 404),
        ("/v1/alert-rules/9/test", None, 404),
        ("/v1/alerts/9/retry", None, 404),
        ("/v1/watch-lists/x", {"trends": ["0000000000000"]}, 404),
        ("/v1/watch-lists/x", {"keys": ["place:XX"]}, 400),
    ],
)
def test_what_cannot_be_is_a_problem_that_says_so(
    radar: Radar, path: str, body: dict[str, object] | None, status: int
) -> None:
    settings = radar.settings.model_copy(update={"allow_private_targets": False})
    client = TestClient(create_app(radar.engine, settings), raise_server_exceptions=False)
    answer = client.post(path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert client.get("/v1/alert-rules").json()["items"] == []


def test_a_reader_watches_a_trend_and_is_told_without_a_script(radar: Radar, client: TestClient) -> None:
    radar.trend("new")
    path = f"/trends/{trend_id(radar.store.ids['new'])}"
    assert "Watch this" in client.get(path, headers=HTML).text
    assert client.post(f"{path}/watch").headers["location"] == f"{path}#watch"
    page = client.get(path, headers=HTML).text
    assert "Watched on: watching" in page
    assert "/alerts?watch_list=watching#new" in page
    assert "#大阪必買" in client.get("/watch-lists/watching", headers=HTML).text
    assert '<option value="watching" selected>' in client.get("/alerts?watch_list=watching", headers=HTML).text

    form = {
        "name": "Mine",
        "watch_list": "watching",
        "stages": ["rising"],
        "q": "0.05",
        "lift_floor": "0",
        "feed": "true",
    }
    with hook() as stage:
        made = client.post("/alerts", data=form | {"webhook": stage.url, "language": "ja"}, headers=HTML)
        assert made.status_code == 201
        assert re.search(r"<code>whsec_[\w+/=]+</code>", made.text)
        assert "/feeds/alerts/1.atom?token=" in made.text
        assert "whsec_" not in client.get("/alerts/rules/1", headers=HTML).text
        tried = client.post("/alerts/rules/1/test", headers=HTML).text
        assert "HTTP 204 No Content" in tried
        backdate(radar)
        fire(radar.engine, radar.model_id, now=NOW)
        stage.replies = [(410, {}, b"<script>alert(1)</script>")]
        send_due(radar.engine, radar.sender)
    page = client.get("/alerts", headers=HTML).text
    assert "Could not be delivered" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "#大阪必買 is rising in Taiwan" in page
    assert client.post("/alerts/1/retry").headers["location"] == "/alerts"
    assert "Could not be delivered" not in client.get("/alerts", headers=HTML).text
    client.post("/alerts/rules/1/switch", data={"on": "false"})
    assert ">off<" in client.get("/alerts", headers=HTML).text
    changed = client.post("/alerts/rules/1", data=form | {"name": "Ours", "watch_list": "", "language": "ko"})
    assert changed.status_code == 303
    assert "Ours" in client.get("/alerts", headers=HTML).text
    client.post("/alerts/rules/1/remove")
    assert "There is no rule yet" in client.get("/alerts", headers=HTML).text
    client.post(f"{path}/watch", data={"off": "true", "name": "watching"})
    assert "Watch this" in client.get(path, headers=HTML).text


def test_a_reader_watches_a_kol(radar: Radar, client: TestClient) -> None:
    radar.store.ingest([post(1, "mei", "藥妝 日本", NOW - timedelta(hours=3), handle="mei")], "simulated")
    assert "Watch this KOL" in client.get("/kols/mei", headers=HTML).text
    assert client.post("/kols/mei/watch").headers["location"] == "/kols/mei"
    assert "Watched on: watching" in client.get("/kols/mei", headers=HTML).text
    assert client.get("/v1/watch-lists/watching").json()["kols"][0]["handle"] == "mei"
    assert client.post("/watch-lists", data={"name": "two", "kol": "instagram:mei"}).status_code == 303
    assert client.get("/v1/watch-lists/two").json()["kols"][0]["handle"] == "mei"
    client.post("/watch-lists/two/remove", data={"kol": "mei"})
    assert client.get("/v1/watch-lists/two").json()["kols"] == []
    client.post("/watch-lists/two/remove")
    assert client.get("/v1/watch-lists/two").status_code == 404


def test_names_are_shown_escaped_and_a_wrong_form_says_what_is_wrong(radar: Radar, client: TestClient) -> None:
    client.post("/v1/alert-rules", json={"name": HOSTILE.replace("/", "|"), "key": '"><img src=x>'})
    client.post("/watch-lists", data={"name": '"><img src=x>', "key": "#" + HOSTILE})
    pages = ["/alerts", "/alerts/rules/1", "/watch-lists", "/watch-lists/%22%3E%3Cimg%20src=x%3E"]
    for path in [*pages, "/alerts?key=%22%3E%3Cimg%3E"]:
        text = client.get(path, headers=HTML).text
        assert "<img" not in text, path
        assert "<script>" not in text, path
        assert text.count("<table") == text.count("<caption"), path
        assert "style=" not in text, path
    wrong = client.post("/alerts", data={"name": "x", "webhook": "nowhere"}, headers=HTML)
    assert wrong.status_code == 400
    assert "no web address" in wrong.text
    for path, twin in (("/alerts.json", "/v1/alert-rules"), ("/watch-lists/a.json", "/v1/watch-lists/a")):
        assert client.get(path).headers["location"] == twin


def test_an_operator_does_it_all_on_the_terminal(radar: Radar, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RADAR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RADAR_ALLOW_PRIVATE_TARGETS", "1")
    monkeypatch.setattr("radar.cli.app._overrides", {})

    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, list(words), env={"COLUMNS": "200"}, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    radar.trend("new")
    assert "watching" in run("lists", "add", "watching", "--key", "#大阪必買", "--market", "TW") + run("lists", "show")
    with hook() as stage:
        made = run("alerts", "add", "Mine", "--list", "watching", "--stage", "rising", "--webhook", stage.url, "--feed")
        assert "whsec_" in made
        assert "HTTP 204" in run("alerts", "test", "Mine")
        backdate(radar)
        fire(radar.engine, radar.model_id, now=NOW)
        stage.replies = [(410, {}, b"")]
        send_due(radar.engine, radar.sender)
    assert "list watching" in run("alerts", "list")
    assert "HTTP 410 Gone" in run("alerts", "dead")
    assert "1 to be tried again" in run("alerts", "retry", "1")
    assert "There is no dead letter" in run("alerts", "dead")
    assert "#大阪必買 rising in TW" in run("alerts", "show", "Mine")
    assert "is off" in run("alerts", "switch", "Mine", "--off")
    assert "is gone" in run("alerts", "remove", "Mine") + run("lists", "remove", "watching", "--all")

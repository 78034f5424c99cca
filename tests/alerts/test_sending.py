"""What arrives: signed webhooks, mail in the reader's language, feeds; tried again, and never into a private net."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.alerts import addresses, fire, send_due, send_test
from radar.alerts.addresses import PrivateTarget, checked_mail, checked_url
from radar.alerts.outcomes import LONGEST, MOST, WAITS, Outcome, next_turn
from radar.api import create_app
from radar.errors import CallerError
from radar.scheduling import Context, run_job
from radar.store import alerts
from radar.store.engine import reading, writing
from radar.store.tables import alert_delivery
from tests.alerts.receivers import NOW, Radar, hook, post_office
from tests.builders import fresh_store


@pytest.fixture
def radar(engine: sa.Engine) -> Radar:
    return Radar(engine)


@pytest.fixture
def small(tmp_path: Path) -> Radar:
    """A store on SQLite, for what no database has a part in."""
    return Radar(fresh_store(tmp_path / "radar.db"))


def states(radar: Radar) -> list[tuple[str, int, int | None, str | None]]:
    """(state, attempts, status, error) of all deliveries."""
    with radar.engine.connect() as connection:
        d = alert_delivery.c
        rows = connection.execute(sa.select(d.state, d.attempts, d.status, d.error).order_by(d.event_id, d.target_id))
        return [tuple(row) for row in rows]


def fired(radar: Radar, *targets: tuple[str, str], **more: str) -> dict[int, str]:
    """One message to these targets; the secrets of those."""
    made = radar.rule("all", *targets, stages=("rising",), **more)
    radar.trend("new")
    assert fire(radar.engine, radar.model_id, now=NOW) == 1
    return made.secrets


def test_a_webhook_is_signed_and_says_what_a_person_needs(radar: Radar) -> None:
    with hook() as stage:
        (secret,) = fired(radar, ("webhook", stage.url)).values()
        assert send_due(radar.engine, radar.sender) == {"sent": 1, "pending": 0, "dead": 0}
        assert send_due(radar.engine, radar.sender) == {"sent": 0, "pending": 0, "dead": 0}
    (came,) = stage.received
    assert came.is_signed(secret)
    assert came.headers["host"] == f"127.0.0.1:{stage.port}"
    assert came.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    data = came.data
    assert data["url"] == f"https://radar.example/trends/{data['trend']['id']}"
    assert data["subject"].startswith("#大阪必買 is rising in Taiwan: at least 2.1× the usual")
    assert (data["test"], data["trend"]["simulated"], data["trend"]["stage"]) == (False, True, "rising")
    for said in ("9 KOLs", "×3.2, at least ×2.1", "9 of 120 heard", "q: 0.001", "some 5 in 100 tell of chance",
                 "Simulated", "Japan", data["url"]):  # fmt: skip
        assert said in data["text"]
    assert states(radar) == [("sent", 1, 204, None)]


def test_what_fails_is_tried_again_under_the_same_id_and_when_the_receiver_says(radar: Radar) -> None:
    with hook() as stage:
        stage.replies = [(503, {"Retry-After": "7200"}, b"<b>busy</b>"), (302, {"Location": "/elsewhere"}, b"")]
        fired(radar, ("webhook", stage.url))
        assert send_due(radar.engine, radar.sender)["pending"] == 1
        assert states(radar) == [("pending", 1, 503, "HTTP 503 Service Unavailable: <b>busy</b>")]
        radar.clock.at += timedelta(hours=1, minutes=59)
        assert send_due(radar.engine, radar.sender)["pending"] == 0
        radar.clock.at += timedelta(minutes=2)
        assert send_due(radar.engine, radar.sender)["pending"] == 1
        assert states(radar)[0][3] == "HTTP 302 Found: redirects are not followed."
        radar.clock.at += timedelta(minutes=5)
        assert send_due(radar.engine, radar.sender)["sent"] == 1
    assert [one.path for one in stage.received] == ["/hook"] * 3
    assert len({one.headers["webhook-id"] for one in stage.received}) == 1
    assert len({one.body for one in stage.received}) == 1


def test_it_is_given_up_after_ten_attempts_in_three_days_kept_and_sent_when_asked_to(radar: Radar) -> None:
    with hook() as stage:
        stage.replies = [(500, {}, b"")] * MOST
        fired(radar, ("webhook", stage.url))
        for _ in range(MOST):
            send_due(radar.engine, radar.sender)
            with radar.engine.connect() as connection:
                radar.clock.at = connection.scalar(sa.select(alert_delivery.c.turn_at)) or NOW
        assert radar.clock.at - NOW < timedelta(days=3)
        assert states(radar) == [("dead", MOST, 500, "HTTP 500 Internal Server Error")]
        with reading(radar.engine) as session:
            (dead,) = alerts.in_state(session, "dead", limit=9)
        with writing(radar.engine) as session, session.begin():
            assert alerts.retry(session, [dead.id], radar.clock.at) == 1
            assert alerts.retry(session, [dead.id], radar.clock.at) == 0
        assert send_due(radar.engine, radar.sender)["sent"] == 1
    assert {one.headers["webhook-id"] for one in stage.received} == {dead.id}


def test_waits_grow_and_end_within_three_days() -> None:
    longest = sum(WAITS, timedelta(0))
    assert list(WAITS) == sorted(WAITS)
    assert longest < LONGEST
    late = Outcome(False, "", not_before=NOW + timedelta(days=4))
    assert next_turn(late, 1, NOW, NOW, random.Random(1)) is None
    assert next_turn(Outcome(False, "", final=True), 1, NOW, NOW, random.Random(1)) is None


def test_gone_is_final_and_one_broken_receiver_holds_up_no_other(radar: Radar) -> None:
    with hook() as broken, hook() as good:
        broken.replies = [(410, {}, b"")]
        made = radar.rule("all", ("webhook", broken.url), ("webhook", good.url))
        radar.trend("new")
        fire(radar.engine, radar.model_id, now=NOW)
        assert send_due(radar.engine, radar.sender) == {"sent": 2, "pending": 0, "dead": 1}
        assert len(made.secrets) == 2
        assert [one.data["trend"]["stage"] for one in good.received] == ["emerging", "rising"]


def test_an_answer_that_never_ends_is_left_after_ten_seconds(small: Radar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radar.alerts.webhook.SECONDS", 0.5)
    with hook() as stage:
        stage.drip, stage.replies = 0.2, [(500, {}, b"")]
        fired(small, ("webhook", stage.url))
        began = time.monotonic()
        send_due(small.engine, small.sender)
        assert time.monotonic() - began < 3
        stage.drip = 0
    assert states(small) == [("pending", 1, None, "No answer within 0 seconds.")]
    small.engine.dispose()


def test_mail_comes_in_the_rules_language_as_text_and_html(radar: Radar) -> None:
    with post_office() as office:
        radar.settings = radar.settings.model_copy(
            update={"smtp_url": office.url, "mail_from": "Radar <radar@example.com>"}
        )
        office.refused["gone@example.com"] = "550 no such user"
        office.refused["full@example.com"] = "452 the box is full"
        fired(
            radar, *[("email", f"{who}@example.com") for who in ("ann", "gone", "full")], language="ja"
        )  # fmt: skip
        assert send_due(radar.engine, radar.sender) == {"sent": 1, "pending": 1, "dead": 1}
    (mail,) = office.taken
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert (mail["To"], mail["From"]) == ("ann@example.com", "Radar <radar@example.com>")
    assert mail["Subject"].startswith("#大阪必買 が台湾で上昇しています")
    assert mail["Message-ID"].endswith("@example.com>")
    assert "シミュレーション" in text
    assert "https://radar.example/trends/" in text
    assert '<html lang="ja">' in html
    assert "100 件のうち約 5 件は偶然です" in html
    assert [error for *_, error in states(radar)] == [None, "SMTP 550: no such user", "SMTP 452: the box is full"]


def test_a_hostile_name_makes_no_header_and_no_markup(small: Radar) -> None:
    with post_office() as office:
        small.settings = small.settings.model_copy(update={"smtp_url": office.url, "mail_from": "radar@example.com"})
        small.rule("all", ("email", "ann@example.com"), ("feed", ""), stages=("rising",))
        small.trend("bad", "x\r\nBcc: eve@example.com\x00<script>alert(1)</script>")
        fire(small.engine, small.model_id, now=NOW)
        assert send_due(small.engine, small.sender)["sent"] == 1
    (mail,) = office.taken
    assert mail["Bcc"] is None
    assert "<script" not in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert ET.fromstring(_feed(small).content)
    small.engine.dispose()


@pytest.mark.parametrize("code", ["en", "th"])
def test_a_feed_is_valid_atom_for_whoever_knows_its_token(small: Radar, code: str) -> None:
    fired(small, ("feed", ""), language=code)
    answer = _feed(small)
    assert answer.headers["content-type"].startswith("application/atom+xml")
    import feedparser

    read = feedparser.parse(answer.content)
    assert not read.bozo
    (entry,) = read.entries
    assert entry.id.startswith("tag:radar,")
    assert "#大阪必買" in entry.title
    assert entry.link.startswith("https://radar.example/trends/")
    client = TestClient(create_app(small.engine, small.settings))
    tag = answer.headers["etag"]
    assert client.get(_path(small), headers={"If-None-Match": tag}).status_code == 304
    for wrong in ("", "?token=", "?token=" + "x" * 43, "?token=é"):
        assert client.get("/feeds/alerts/1.atom" + wrong).status_code == 404
    small.engine.dispose()


def _path(radar: Radar) -> str:
    client = TestClient(create_app(radar.engine, radar.settings))
    (rule,) = client.get("/v1/alert-rules").json()["items"]
    return str(next(t["feed"] for t in rule["targets"] if t["kind"] == "feed"))


def _feed(radar: Radar):  # type: ignore[no-untyped-def]
    return TestClient(create_app(radar.engine, radar.settings)).get(_path(radar))


# ---- private addresses ----

PRIVATE = [
    "http://127.0.0.1/x", "http://localhost/x", "http://[::1]/x", "http://10.1.2.3/x", "http://192.168.0.1:8080/x",
    "http://169.254.169.254/latest/meta-data", "http://100.100.100.200/", "http://168.63.129.16/", "http://0.0.0.0/",
    "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::a00:1]/", "http://2130706433/", "http://0x7f.1/", "http://[fd00::1]/",
]  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_a_private_address_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(PrivateTarget, match="RADAR_ALLOW_PRIVATE_TARGETS"):
        checked_url(url, allow_private=False)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "http://", "https://ann:pw@93.184.215.14/", "x", "http://93.184.215.14/#x", "http://a b/"],
)
def test_what_is_no_address_to_send_to_is_refused(url: str) -> None:
    with pytest.raises(CallerError):
        checked_url(url, allow_private=True)
    for address in ("ann", "ann@", "a@b\r\nBcc: c@d", "a b@c.de", "@c.de"):
        with pytest.raises(CallerError):
            checked_mail(address)


def test_a_name_that_stands_for_another_address_by_now_is_not_connected_to(
    small: Radar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is saved, this machine when it is sent to."""
    answers = ["93.184.215.14"]

    def resolve(host: str, port: int, **more: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolve)
    small.settings = small.settings.model_copy(update={"allow_private_targets": False})
    with hook() as stage:
        fired(small, ("webhook", f"http://hooks.example:{stage.port}/hook"))
        answers[:] = ["93.184.215.14", "127.0.0.1"]
        assert send_due(small.engine, small.sender) == {"sent": 0, "pending": 1, "dead": 0}
        assert "is in a private network" in str(states(small)[0][3])
        assert stage.received == []
        small.settings = small.settings.model_copy(update={"allow_private_targets": True})
        answers[:] = ["127.0.0.1"]
        small.clock.at += timedelta(hours=1)
        assert send_due(small.engine, small.sender)["sent"] == 1
        assert stage.received[0].headers["host"] == f"hooks.example:{stage.port}"
    small.engine.dispose()


# ---- tests of a rule, the job, and kills ----


def test_trying_a_rule_sends_a_marked_message_that_is_not_kept(radar: Radar) -> None:
    with hook() as stage:
        stage.replies = [(204, {}, b""), (404, {}, b"nobody here")]
        rule = radar.rule("all", ("webhook", stage.url), ("feed", "")).rule
        came = [(target.kind, outcome.ok) for target, outcome in send_test(radar.engine, radar.sender, rule)]
        assert came == [("webhook", True), ("feed", True)]
        (_, outcome), _ = send_test(radar.engine, radar.sender, rule)
        assert (outcome.ok, outcome.said) == (False, "HTTP 404 Not Found: nobody here")
    assert stage.received[0].data["test"] is True
    assert stage.received[0].data["subject"].startswith("[Test]")
    assert states(radar) == []


_KILLED = """
import sys
from radar.config import Settings
from radar.store.engine import open_store
from radar.alerts import Sender, send_due
from radar.web.letters import writer
settings = Settings(allow_private_targets=True)
engine = open_store(sys.argv[1])
send_due(engine, Sender(settings, writer(settings)))
"""


def test_a_kill_between_claim_and_answer_loses_nothing(radar: Radar, url: str) -> None:
    """A receiver that takes the connection and says nothing; then kill -9, and the next run."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        fired(radar, ("webhook", f"http://127.0.0.1:{port}/hook"))
        with radar.engine.begin() as connection:
            connection.execute(sa.update(alert_delivery).values(turn_at=NOW - timedelta(days=1)))
        working = subprocess.Popen([sys.executable, "-c", _KILLED, url])
        silent.settimeout(180)
        try:
            taken, _ = silent.accept()
        finally:
            os.kill(working.pid, signal.SIGKILL)
            working.wait()
        taken.close()
    ((state, attempts, _, _),) = states(radar)
    assert (state, attempts) == ("delivering", 1)
    with radar.engine.connect() as connection:
        radar.clock.at = connection.scalar(sa.select(alert_delivery.c.turn_at)) or NOW
    radar.clock.at -= timedelta(seconds=1)
    with hook(port) as stage:
        assert send_due(radar.engine, radar.sender)["sent"] == 0
        radar.clock.at += timedelta(seconds=1)
        assert send_due(radar.engine, radar.sender)["sent"] == 1
        assert send_due(radar.engine, radar.sender)["sent"] == 0
    assert len(stage.received) == 1
    assert states(radar)[0][:2] == ("sent", 2)


def test_two_senders_at_once_send_each_message_once(radar: Radar) -> None:
    with reading(radar.engine) as session, hook() as stage:
        fired(radar, ("webhook", stage.url))
        (one,) = alerts.due(session, NOW, limit=9)
        session.rollback()
        for expected in (True, False):
            with writing(radar.engine) as to, to.begin():
                assert alerts.claim(to, one, NOW, NOW + timedelta(minutes=2)) is expected


def test_the_job_tells_and_delivers(small: Radar) -> None:
    with hook() as stage:
        small.rule("all", ("webhook", stage.url), stages=("rising",))
        small.trend("new")
        context = Context(small.engine, small.settings, NOW)
        assert run_job("send_alerts", context).detail.startswith("1 new messages; 1 sent")
        assert run_job("send_alerts", context).detail.startswith("0 new messages; 0 sent")
    assert len(stage.received) == 1
    small.engine.dispose()

"""Mastodon's API as somebody else understood it: tests/servers/install_mastodon_mock, then pytest -m servers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from radar.collect import collect
from radar.refresh import refresh
from radar.sources.web import Web
from radar.store import tables
from tests.servers.others import assert_the_twenty, free_port, installed, running, until, watching_store
from tests.sources.test_normal_form import POSTS

pytestmark = pytest.mark.servers


@pytest.fixture
def server(tmp_path: Path) -> Iterator[httpx.Client]:
    """The server, and a client that is logged in as its one user."""
    command, port = installed("mastodon_mock", "bin", "mastodon_mock"), free_port()
    words = [command, "serve", "--in-memory", "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "Bearer mock_token"}, timeout=30
    )
    (tmp_path / "mock").mkdir()
    with running(words, tmp_path / "mock"), client:
        until(lambda: client.get("/api/v1/instance").is_success)
        yield client


def test_twenty_posts_have_their_one_form(server: httpx.Client, tmp_path: Path) -> None:
    for _, text, _ in POSTS:
        server.post("/api/v1/statuses", json={"status": text, "visibility": "public"}).raise_for_status()
    me = server.get("/api/v1/accounts/verify_credentials").json()
    engine = watching_store(tmp_path, "mastodon", {"url": str(server.base_url)}, me["acct"])
    assert collect(engine, now=datetime.now(UTC), web=Web()).new == 20
    assert_the_twenty(engine, times=False)
    engine.dispose()


def test_ninety_posts_an_edit_a_deletion_and_a_busy_hour(server: httpx.Client, tmp_path: Path) -> None:
    def publish(text: str) -> dict[str, Any]:
        answer: dict[str, Any] = server.post("/api/v1/statuses", json={"status": text, "visibility": "public"}).json()
        return answer

    def held(*columns: str) -> list[Any]:
        p = tables.post.c
        with engine.connect() as connection:
            statement = sa.select(p.native_id, *[p[c] for c in columns]).where(p.deleted_at.is_(None))
            return connection.execute(statement.order_by(p.native_id)).all()

    ours = [publish(f"台北美食 number {n} #foodie") for n in range(93)]
    me = server.get("/api/v1/accounts/verify_credentials").json()
    engine = watching_store(tmp_path, "mastodon", {"url": str(server.base_url)}, me["acct"])
    now = datetime.now(UTC)
    fault = {"effect": {"type": "status", "status": 429, "headers": {"Retry-After": "1"}}, "count": 1}
    server.post("/api/v1/_mock/faults", json=fault)
    assert collect(engine, now=now, web=Web()).new == 93
    assert held("text")[0].text == "台北美食 number 0 #foodie"

    ours.append(publish("one more"))
    assert collect(engine, now=now + timedelta(minutes=10), web=Web()).new == 1
    server.put(f"/api/v1/statuses/{ours[0]['id']}", json={"status": "corrected"})
    server.post(f"/api/v1/statuses/{ours[1]['id']}/favourite")
    server.delete(f"/api/v1/statuses/{ours[2]['id']}")
    for later in (timedelta(hours=2), timedelta(hours=3, minutes=5)):
        refresh(engine, now=now + later, web=Web())
    rows = {row.native_id: row for row in held("text", "like_count", "revision")}
    assert (rows[ours[0]["uri"]].text, rows[ours[0]["uri"]].revision) == ("corrected", 2)
    assert rows[ours[1]["uri"]].like_count == 1
    assert rows.keys() == {one["uri"] for one in ours} - {ours[2]["uri"]}
    engine.dispose()

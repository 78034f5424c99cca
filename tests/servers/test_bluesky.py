"""Bluesky's own servers: tests/servers/install_bluesky, then pytest -m servers."""

import os
import subprocess
import sys
import time
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
from radar.store import runs, tables
from radar.store.engine import open_store, writing
from tests.servers.others import assert_the_twenty, free_port, held, installed, running, until, watching_store
from tests.sources.test_normal_form import POSTS

pytestmark = pytest.mark.servers
POST = "app.bsky.feed.post"
HOUR = timedelta(hours=1)


class Network:
    """A PDS, an AppView that follows it, and a stream of what happens there."""

    def __init__(self, pds: int, appview: int, stream: int) -> None:
        self.pds = httpx.Client(base_url=f"http://127.0.0.1:{pds}/xrpc/", timeout=30)
        self.url = f"http://127.0.0.1:{appview}"
        self.stream = f"ws://127.0.0.1:{stream}/xrpc/network.bsky.jetstream.subscribeEvents"

    def call(self, method: str, token: str | None = None, **body: Any) -> dict[str, Any]:
        answer = self.pds.post(method, json=body, headers={"Authorization": f"Bearer {token}"} if token else {})
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}  # type: ignore[no-any-return]

    def shown(self, did: str) -> int:
        """How many posts of an account the AppView has indexed."""
        answer = httpx.get(f"{self.url}/xrpc/app.bsky.actor.getProfile", params={"actor": did})
        return int(answer.json().get("postsCount", 0)) if answer.is_success else 0


class Person:
    """Somebody with an account at the PDS."""

    def __init__(self, network: Network, name: str) -> None:
        said = {"handle": f"{name}.test", "email": f"{name}@example.org", "password": "a-pass-word"}
        made = network.call("com.atproto.server.createAccount", **said)
        self.network, self.did, self._token = network, made["did"], made["accessJwt"]

    def write(self, *writes: dict[str, Any]) -> list[str]:
        for start in range(0, len(writes), 100):
            some = writes[start : start + 100]
            done = self.network.call("com.atproto.repo.applyWrites", self._token, repo=self.did, writes=list(some))
        return [one.get("uri", "") for one in done["results"]]

    def post(self, *posts: tuple[str, datetime]) -> list[str]:
        return self.write(
            *(
                {
                    "$type": "com.atproto.repo.applyWrites#create", "collection": POST,
                    "value": {"$type": POST, "text": text, "createdAt": at.isoformat(), "langs": ["ja"]},
                }
                for text, at in posts
            )
        )  # fmt: skip

    def like(self, uri: str, cid: str) -> None:
        value = {"subject": {"uri": uri, "cid": cid}, "createdAt": datetime.now(UTC).isoformat()}
        self.write({"$type": "com.atproto.repo.applyWrites#create", "collection": "app.bsky.feed.like", "value": value})

    def delete(self, uri: str) -> None:
        self.write({"$type": "com.atproto.repo.applyWrites#delete", "collection": POST, "rkey": uri.rpartition("/")[2]})


@pytest.fixture(scope="module")
def network(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    node, folder = installed("bluesky", "node"), tmp_path_factory.mktemp("bluesky")
    ports = [free_port() for _ in range(6)]
    redis = [node.with_name("redis-server"), "--port", str(ports[5]), "--bind", "127.0.0.1", "--save", ""]
    script = Path(__file__).with_name("bluesky_network.mjs")
    (folder / "redis").mkdir()
    words = [node, script, *ports[:5]]
    known = {"DB_POSTGRES_URL": postgres_url, "REDIS_HOST": f"127.0.0.1:{ports[5]}", "INSTALLED": str(node.parent)}
    with running(redis, folder / "redis"), running(words, folder, **known) as log:
        until(lambda: b"READY" in log.read_bytes(), 90)
        up = Network(ports[1], ports[2], ports[4])
        yield up
        up.pds.close()


def test_twenty_posts_are_the_same_from_the_appview_and_from_the_stream(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = Person(network, "ann")
    ann.post(*((text, at) for _, text, at in POSTS))
    until(lambda: network.shown(ann.did) == 20)
    now = POSTS[-1][2] + HOUR
    engine = watching_store(tmp_path, "bluesky", {"url": network.url}, ann.did)
    assert collect(engine, now=now, web=Web()).new == 20
    assert_the_twenty(engine, times=True)
    assert collect(engine, now=now + HOUR, web=Web()).new == 0
    engine.dispose()
    (tmp_path / "live").mkdir()
    live = open_store(f"sqlite:///{tmp_path / 'live' / 'radar.db'}")
    with writing(live) as session, session.begin():
        config = {"url": network.stream, "markets": {"ja": "TW"}}
        runs.add_source(session, "live", "jetstream", config, is_simulated=False)
    monkeypatch.setattr("radar.sources.jetstream.QUIET", 2.0)  # nothing more is to come
    collect(live, now=datetime.now(UTC), web=Web())
    assert_the_twenty(live, times=True)
    live.dispose()


def test_counts_come_and_what_is_missed_twice_is_gone(network: Network, tmp_path: Path) -> None:
    bob, now = Person(network, "bob"), datetime.now(UTC)
    uris = bob.post(*((f"bowl {n}", now - HOUR / 2 + n * timedelta(minutes=1)) for n in range(3)))
    until(lambda: network.shown(bob.did) == 3)
    engine = watching_store(tmp_path, "bluesky", {"url": network.url}, bob.did)
    assert collect(engine, now=now, web=Web()).new == 3
    asked = {"uris": uris[1]}
    seen = httpx.get(f"{network.url}/xrpc/app.bsky.feed.getPosts", params=asked).json()["posts"][0]
    bob.like(uris[1], seen["cid"])
    bob.delete(uris[0])
    until(lambda: network.shown(bob.did) == 2)
    for later in (1, 3):
        refresh(engine, now=now + later * HOUR, web=Web())
        assert len(held(engine)) == (3 if later == 1 else 2)
    assert {row.native_id: row.like_count for row in held(engine)} == {uris[1]: 1, uris[2]: 0}
    engine.dispose()


def test_a_deletion_in_the_firehose_is_here_within_five_seconds(network: Network, tmp_path: Path) -> None:
    eve = Person(network, "eve")
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}")
    with writing(engine) as session, session.begin():
        runs.add_source(session, "live", "jetstream", {"url": network.stream}, is_simulated=False)
    (uri,) = eve.post(("ラーメン", datetime.now(UTC)))

    def is_there() -> bool:
        return uri in {row.native_id for row in held(engine)}

    follower = [sys.executable, "-m", "radar", "sources", "follow", "live"]
    with running(follower, tmp_path, RADAR_DATA_DIR=str(tmp_path)):
        until(is_there)
        eve.delete(uri)
        began = time.monotonic()
        until(lambda: not is_there())
        assert time.monotonic() - began < 5
    engine.dispose()


def test_a_fill_back_from_the_appview_that_is_killed_goes_on(network: Network, tmp_path: Path) -> None:
    kim, now = Person(network, "kim"), datetime.now(UTC)
    kim.post(*((f"bowl {n}", now - timedelta(minutes=10 * (n + 1))) for n in range(350)))
    until(lambda: network.shown(kim.did) == 350, 120)
    engine = watching_store(tmp_path, "bluesky", {"url": network.url}, kim.did)

    def run() -> "subprocess.Popen[bytes]":
        words = [sys.executable, "-m", "radar", "run", "ingest_posts"]
        known = os.environ | {"RADAR_DATA_DIR": str(tmp_path)}
        return subprocess.Popen(words, env=known, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def count() -> int:
        with engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(tables.post)) or 0

    stopped_at = []
    for _ in range(2):
        before, process = count(), run()
        while process.poll() is None and count() <= before:
            time.sleep(0.005)
        process.kill()
        process.wait()
        stopped_at.append(count())
    kim.post(("while radar was down", now))
    until(lambda: network.shown(kim.did) == 351, 120)
    assert run().wait() == 0
    assert run().wait() == 0
    texts = [row.text for row in held(engine)]
    assert sorted(texts) == sorted(["while radar was down", *(f"bowl {n}" for n in range(350))])
    assert any(0 < n < 350 for n in stopped_at), stopped_at
    engine.dispose()

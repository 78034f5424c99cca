"""A feed reader that others wrote sees the same entries in the same feeds: install_miniflux, then pytest -m servers."""

import html
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from radar.collect import collect
from radar.sources.web import Web
from radar.store import tables
from tests.servers.others import free_port, installed, running, until, watching_store
from tests.sources.plain_feeds import FEEDS, TYPES

pytestmark = pytest.mark.servers
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LOGIN = ("ann", "a-pass-word")


class Feeds(SimpleHTTPRequestHandler):
    """The corpus, by name."""

    def do_GET(self) -> None:
        name = self.path.strip("/")
        body = FEEDS.get(name, b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", TYPES[name.rpartition(".")[2]] if body else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def feeds() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Feeds)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def reader(postgres_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    program, port = installed("miniflux", "usr", "bin", "miniflux"), free_port()
    (tmp_path / "miniflux").mkdir()
    known = {
        "DATABASE_URL": _database(postgres_url, "miniflux"), "LISTEN_ADDR": f"127.0.0.1:{port}", "RUN_MIGRATIONS": "1",
        "CREATE_ADMIN": "1", "ADMIN_USERNAME": LOGIN[0], "ADMIN_PASSWORD": LOGIN[1], "DISABLE_SCHEDULER_SERVICE": "1",
    }  # fmt: skip
    with (
        running([program], tmp_path / "miniflux", **known),
        httpx.Client(base_url=f"http://127.0.0.1:{port}/v1/", auth=LOGIN, timeout=120) as client,
    ):
        until(lambda: client.get("me").is_success)
        yield client


def _database(url: str, name: str) -> str:
    server = sa.make_url(url)
    admin = sa.create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    host = server.host or server.query["host"]
    return f"user={server.username} password={server.password or 'none'} host={host} dbname={name} sslmode=disable" + (
        f" port={server.port}" if server.port else ""
    )


def _plain(title: str) -> str:
    """A title as text: theirs keeps its markup."""
    return " ".join(html.unescape(re.sub(r"</?(b|div)[^>]*>", "", title)).split())


def test_another_reader_sees_the_same_entries(feeds: str, reader: httpx.Client, tmp_path: Path) -> None:
    theirs: dict[str, set[tuple[str, str, str, datetime]]] = {}
    for name in FEEDS:
        made = reader.post("feeds", json={"feed_url": f"{feeds}/{name}", "category_id": 1})
        assert made.is_success, (name, made.text)
        entries = reader.get(f"feeds/{made.json()['feed_id']}/entries", params={"limit": 500}).json()["entries"]
        theirs[name] = {
            (e["hash"], e["url"], _plain(e["title"]), datetime.fromisoformat(e["published_at"])) for e in entries
        }
    differ = {}
    for name in FEEDS:
        folder = tmp_path / name
        folder.mkdir()
        engine = watching_store(folder, "feed", {}, f"{feeds}/{name}")
        collect(engine, now=NOW, web=Web())
        p = tables.post.c
        with engine.connect() as connection:
            rows = list(connection.execute(sa.select(p.native_id, p.url, p.text, p.published_at)))
        engine.dispose()
        host = feeds.removeprefix("http://")
        ours = {
            (sha256(i.removeprefix(f"{host}:").encode()).hexdigest(), url, " ".join(text.split("\n")[0].split()), at)
            for i, url, text, at in rows
        }
        assert ours, name
        if ours != theirs[name]:
            differ[name] = sorted(ours - theirs[name]), sorted(theirs[name] - ours)
    assert not differ

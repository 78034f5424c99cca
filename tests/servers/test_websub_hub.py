"""A hub that somebody else wrote: tests/servers/install_websub_hub, then pytest -m servers."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

from radar.api import create_app
from radar.collect import collect
from radar.config import Settings
from radar.hubs import hub_key, subscribe
from radar.sources.web import Web
from radar.store import hubs, runs, tables, watching
from radar.store.engine import open_store, reading, writing
from tests.servers.others import free_port, installed, running, until

pytestmark = pytest.mark.servers


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[httpx.Client]:
    """The blog with its hub."""
    python, port = installed("websub_hub", "bin", "python"), free_port()
    words = [python, Path(__file__).with_name("websub_hub"), str(port), tmp_path]
    with running(words, tmp_path), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        until(lambda: client.get("/feed"))
        yield client


def entry(name: str, text: str) -> str:
    at = datetime.now(UTC).isoformat()
    return f"<entry><id>tag:ann,{name}</id><published>{at}</published><title>{text}</title></entry>"


def test_a_post_is_here_within_seconds_of_being_published(blog: httpx.Client, tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}")
    port, now = free_port(), datetime.now(UTC)
    app = create_app(engine, Settings(data_dir=tmp_path))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    blog.post("/publish", content=entry("1", "an old bowl").encode())
    address = f"{blog.base_url}/feed"
    with writing(engine) as session, session.begin():
        runs.add_source(session, "blogs", "feed", {}, is_simulated=False)
        row = {"source": "blogs", "handle": address, "audience_market": "TW", "person": None, "consented": False}
        watching.watch(session, [row])
    assert collect(engine, now=now, web=Web()).new == 1
    with Web() as web:
        asked = subscribe(engine, public_url=f"http://127.0.0.1:{port}", key=hub_key(tmp_path), now=now, web=web)
    assert asked == (1, 0)
    with reading(engine) as session:
        (held,) = hubs.subscriptions(session)
    assert held.confirmed_at is not None
    assert held.expires_at is not None
    begun = time.monotonic()
    blog.post("/publish", content=entry("2", "a new bowl in Namba").encode())
    with engine.connect() as connection:
        texts = sorted(connection.scalars(sa.select(tables.post.c.text)))
    assert texts == ["a new bowl in Namba", "an old bowl"]
    assert time.monotonic() - begun < 5
    server.should_exit = True
    thread.join()
    engine.dispose()

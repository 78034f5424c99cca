"""Servers that others wrote, and what the tests against them have in common."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from radar.sources.web import Answer, Web
from radar.store import runs, tables, watching
from radar.store.engine import open_store, writing
from tests.sources.test_normal_form import POSTS, as_html_shows

FOLDER = Path(os.environ.get("RADAR_SERVERS") or Path.home() / ".cache" / "radar-servers")
WANTED = [as_html_shows(text) for _, text, _ in POSTS]
"""The texts of the twenty posts, in their order."""


def installed(name: str, *path: str) -> Path:
    """A file of a server that a script beside this module installs; skipped where it did not."""
    found = FOLDER.joinpath(name, *path)
    if not found.exists():
        pytest.skip(f"not installed: run tests/servers/install_{name}")
    return found


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def until(is_so: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for something to be so, and answer what it is. A server that is not up yet is not so."""
    began = time.monotonic()
    while True:
        try:
            found = is_so()
        except httpx.TransportError:
            found = None
        if found:
            return found
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.1)


@contextmanager
def running(words: Sequence[str | Path], folder: Path, **environment: str) -> Iterator[Path]:
    """A server; what it says goes into a log."""
    log = folder / "server.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [str(word) for word in words], cwd=folder, env=os.environ | environment, stdout=out, stderr=out
        ) as process,
    ):
        yield log
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()


def watching_store(folder: Path, kind: str, config: dict[str, Any], handle: str) -> sa.Engine:
    """A store with one source, which watches one account."""
    engine = open_store(f"sqlite:///{folder / 'radar.db'}")
    account = {"source": "s", "handle": handle, "audience_market": "TW", "person": None, "consented": True}
    with writing(engine) as session, session.begin():
        runs.add_source(session, "s", kind, config, is_simulated=False)
        watching.watch(session, [account])
    return engine


def held(engine: sa.Engine) -> list[Any]:
    """The posts that are there, oldest first, those of one second in the order in which they came."""
    p = tables.post.c
    columns = (p.native_id, p.text, p.published_at, p.audience_market, p.day_only, p.revision, p.like_count)
    statement = sa.select(*columns).where(p.deleted_at.is_(None)).order_by(p.published_at, p.native_id)
    with engine.connect() as connection:
        return list(connection.execute(statement))


def assert_the_twenty(engine: sa.Engine, *, times: bool) -> None:
    """The twenty posts are in the store in their one normal form; with their times, where a server lets us say them."""
    rows = held(engine)
    assert sorted(as_html_shows(row.text) for row in rows) == sorted(WANTED)
    assert {(row.audience_market, row.day_only, row.revision) for row in rows} == {("TW", False, 1)}
    if times:
        assert [(as_html_shows(row.text), row.published_at) for row in rows] == [
            (text, at) for text, (_, _, at) in zip(WANTED, POSTS, strict=True)
        ]


class CountingWeb(Web):
    """A client that remembers what it asked for, and what it was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.answers: list[int] = []

    def get(self, url: str, **more: Any) -> Answer:
        self.asked.append(url)
        answer = super().get(url, **more)
        self.answers.append(answer.status)
        return answer

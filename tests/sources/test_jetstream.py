"""Bluesky live, against a server on the loopback address that speaks as Jetstream does; all events are synthetic."""

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from radar.answers import coverage
from radar.collect import closed_at, collect, follow
from radar.sources.jetstream import JetstreamSource
from radar.sources.trouble import Unreachable
from radar.sources.web import Web
from radar.store import runs, tables
from radar.store.engine import reading, writing
from tests.builders import fresh_store
from tests.sources.stages import NOW, FakeClock

ZERO = int(NOW.timestamp() * 1e6)


class Stream:
    """A server that keeps its events and gives each client those after its cursor, then what comes."""

    path = "/subscribe"

    def __init__(self) -> None:
        self.events: list[str] = []
        self.kept_from = 0
        self.hangs_up_after: int | None = None
        self.asked: list[dict[str, list[str]]] = []
        self.server: Server = serve(
            self._give,
            "127.0.0.1",
            0,
            process_request=self._refuse,
            select_subprotocol=lambda _, offered: self.speaks(offered),
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}{self.path}"

    def speaks(self, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return None

    def _refuse(self, socket: ServerConnection, request: Request) -> Response | None:
        self.asked.append(parse_qs(urlsplit(request.path).query))
        return None

    def frame(self, n: int, event: str) -> str:
        return event

    def is_before(self, n: int, event: str, cursor: int) -> bool:
        at = re.match(r'\{"time_us": (\d+),', event)
        return at is not None and int(at[1]) < max(cursor, self.kept_from)

    def _give(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        cursor, sent, n = int(query["cursor"][0]), 0, 0
        while True:
            while n < len(self.events):
                found = self.events[n]
                n += 1
                if self.is_before(n - 1, found, cursor):
                    continue
                socket.send(self.frame(n - 1, found))
                sent += 1
                if sent == self.hangs_up_after:
                    return
            with suppress(TimeoutError):
                socket.recv(timeout=0.02)  # ends when the client leaves

    def say(self, minute: float, rkey: str, text: str | None, operation: str = "create", lang: str = "ja") -> None:
        """text None deletes."""
        commit: dict[str, Any] = {"rev": "1", "operation": operation, "collection": "app.bsky.feed.post", "rkey": rkey}
        if text is None:
            commit["operation"] = "delete"
        else:
            commit["record"] = {
                "text": text,
                "langs": [lang],
                "createdAt": (NOW + timedelta(minutes=minute)).isoformat(),
            }
        event = {"time_us": ZERO + int(minute * 60e6), "did": "did:plc:ann", "kind": "commit", "commit": commit}
        self.events.append(json.dumps(event))


class SecondStream(Stream):
    """The same by the second protocol: events are numbered, and a cursor that is too old is refused."""

    path = "/xrpc/network.bsky.jetstream.subscribeEvents"

    def speaks(self, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        assert "xrpc.v1.json" in offered
        return Subprotocol("xrpc.v1.json")

    def _refuse(self, socket: ServerConnection, request: Request) -> Response | None:
        super()._refuse(socket, request)
        query = self.asked[-1]
        assert (query["collections"], query["kinds"]) == (["app.bsky.feed.post"], ["commit"])
        kept = next((n for n, e in enumerate(self.events) if not self.is_before(n, e, self.kept_from)), 0)
        cursor = int(query["cursor"][0])
        if cursor < (kept if cursor < 10**15 else self.kept_from):
            body = json.dumps({"error": "CursorTooOld", "message": "the cursor is too old"})
            return socket.respond(HTTPStatus.BAD_REQUEST, body)
        return None

    def frame(self, n: int, event: str) -> str:
        try:
            found = json.loads(event)
            at = datetime.fromtimestamp(found["time_us"] / 1e6, UTC).isoformat()
            kind = f"network.bsky.jetstream.subscribeEvents#{found['kind']}"
            about = {"$type": kind, "did": found["did"], "seq": n, "time": at, **found.get("commit", {})}
        except (ValueError, TypeError, KeyError):
            return event
        return json.dumps({"$type": "message", "payload": about})

    def is_before(self, n: int, event: str, cursor: int) -> bool:
        return n < cursor if cursor < 10**15 else super().is_before(n, event, cursor)


@pytest.fixture(params=[Stream, SecondStream], ids=["first", "second"])
def stream(request: pytest.FixtureRequest) -> Iterator[Stream]:
    up: Stream = request.param()
    yield up
    up.server.shutdown()


@pytest.fixture
def engine(stream: Stream, tmp_path: Path) -> Iterator[sa.Engine]:
    opened = fresh_store(tmp_path / "radar.db")
    with writing(opened) as session, session.begin():
        runs.add_source(session, "live", "jetstream", {"url": stream.url}, is_simulated=False)
    yield opened
    opened.dispose()


def held(engine: sa.Engine) -> dict[str, str]:
    p = tables.post.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(p.native_id, p.text).where(p.deleted_at.is_(None)))
        return {row.native_id.rpartition("/")[2]: row.text for row in rows}


def ask(engine: sa.Engine, minute: float) -> Any:
    now = NOW + timedelta(minutes=minute)
    return collect(engine, now=now, web=Web(clock=FakeClock(now)))


def test_posts_of_our_languages_come_with_their_edits_and_deletions(stream: Stream, engine: sa.Engine) -> None:
    stream.say(-8, "a", "大阪のラーメン")
    stream.say(-7, "b", "ramen", lang="en")
    stream.say(-6, "c", "消える")
    stream.say(-5, "a", "京都のラーメン", "update")
    stream.say(-4, "c", None)
    stream.say(-3, "never seen", None)
    stream.say(1, "later", "あとで")
    done = ask(engine, 0)
    assert held(engine) == {"a": "京都のラーメン", "later": "あとで"}
    assert done.rejected == []
    assert closed_at(engine, NOW) == NOW
    with engine.connect() as connection:
        a = tables.author.c
        assert connection.execute(sa.select(a.audience_market, a.market_source)).all() == [("JP", "inferred")]


def test_a_connection_that_ends_is_taken_up_where_it_ended(stream: Stream, engine: sa.Engine) -> None:
    for n in range(30):
        stream.say(-9 + n / 10, f"p{n:02}", f"ラーメン {n}")
    stream.say(0.1, "end", "おわり")
    stream.hangs_up_after = 12
    for _ in range(5):
        ask(engine, 0)
    stream.hangs_up_after = None
    ask(engine, 0)
    assert len(held(engine)) == 31


def test_a_gap_in_the_stream_is_told(stream: Stream, engine: sa.Engine) -> None:
    stream.say(-5, "a", "ラーメン")
    stream.say(0, "b", "うどん")
    ask(engine, 0)
    stream.kept_from = ZERO + int(2_985 * 60e6)
    stream.say(3_000, "c", "そば")
    ask(engine, 3_000)
    assert "c" in held(engine)
    with engine.connect() as connection:
        (reason,) = connection.scalars(sa.select(tables.rejected_post.c.reason))
    assert "lost" in reason


def test_a_number_is_a_cursor_at_the_server_that_gave_it_alone(tmp_path: Path) -> None:
    up, other = SecondStream(), SecondStream()
    for one in (up, other):
        one.say(-5, "a", "ラーメン")
        one.say(0, "b", "うどん")
    with Web(clock=FakeClock()) as web:
        cursor: dict[str, Any] | None = None
        for one in (up, up, other):
            *_, last = JetstreamSource("live", {"url": one.url}, web).discover(cursor, NOW)
            cursor = last.cursor
    assert [query["cursor"] for query in up.asked][1:] == [["1"]]
    assert [query["cursor"] for query in other.asked] == [[str(ZERO)]]
    for one in (up, other):
        one.server.shutdown()


def test_what_a_server_says_when_it_ends_a_stream_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    up = SecondStream()
    up.say(-5, "a", "ラーメン")
    up.events.append('{"$type": "error", "error": "ConsumerTooSlow", "message": "read faster"}')
    with Web(clock=FakeClock()) as web:
        batches = JetstreamSource("live", {"url": up.url}, web).discover(None, NOW)
        assert [post.text for post in next(batches).posts] == ["ラーメン"]
        with pytest.raises(Unreachable, match="ConsumerTooSlow read faster"):
            next(batches)
    up.server.shutdown()


def test_nonsense_between_events_is_set_aside(stream: Stream, engine: sa.Engine) -> None:
    stream.events += ["nonsense", "[]", "{}", '{"time_us": "x"}', '{"time_us": 1.5}']
    broken = {"time_us": ZERO - 60_000_000, "did": "did:plc:x", "kind": "commit"}
    post = {"collection": "app.bsky.feed.post"}
    numbers = post | {"operation": "create", "rkey": "x", "record": {"langs": ["ja"], "text": 7}}
    for commit in (None, {}, post, numbers):
        stream.events.append(json.dumps(broken | {"commit": commit}))
    stream.events.append(json.dumps({"time_us": ZERO - 1, "kind": "identity", "did": "did:plc:x"}))
    stream.say(10_000_000, "far", "未来")
    stream.say(0, "good", "ラーメン")
    ask(engine, 0)
    assert held(engine) == {"good": "ラーメン"}
    with reading(engine) as session:
        (line,) = coverage(session, now=NOW)["sources"]
    assert line["rejected"] == 8


def test_a_server_that_is_away_is_a_failing_source(stream: Stream, engine: sa.Engine) -> None:
    stream.server.shutdown()
    ask(engine, 0)
    with reading(engine) as session:
        (line,) = coverage(session, now=NOW)["sources"]
    assert line["state"] == "failing"


def test_a_deletion_is_here_within_five_seconds(stream: Stream, engine: sa.Engine) -> None:
    stream.say(-1, "a", "ラーメン")
    with Web(clock=FakeClock()) as web:
        worker = threading.Thread(
            target=follow, args=(engine, "live"), kwargs={"web": web, "for_ever": False}, daemon=True
        )
        worker.start()
        _until(lambda: held(engine) == {"a": "ラーメン"})
        stream.say(0, "a", None)
        began = time.monotonic()
        _until(lambda: held(engine) == {})
        assert time.monotonic() - began < 5
        stream.hangs_up_after = 0
        stream.server.shutdown()
        worker.join(20)
        assert not worker.is_alive()


def _until(is_so: Any) -> None:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < 20
        time.sleep(0.05)

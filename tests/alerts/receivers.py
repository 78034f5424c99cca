"""Whom alerts reach: a real HTTP server and a real SMTP server on the loopback address, and a store with trends."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import sqlalchemy as sa

from radar.alerts import Sender, Wanted, managing
from radar.alerts.managing import Made, NewTarget
from radar.config import Settings
from radar.keys import Kind, key_number
from radar.registry import model_id
from radar.store.counts import add_keys
from radar.store.engine import claim_world, writing
from radar.web.letters import writer
from tests.api.small_store import SmallStore

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@dataclass
class Received:
    """A POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.body)["data"])

    def is_signed(self, secret: str) -> bool:
        """Checked in the specification's own words, not by our code."""
        said = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), said, hashlib.sha256).digest()
        return self.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


@dataclass
class Hook:
    """A webhook's receiver: replies are (status, headers, body), one a request; 204 when there are no more."""

    port: int = 0
    replies: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    drip: float = 0.0  # seconds between bytes of an answer that never ends

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def hook(port: int = 0) -> Iterator[Hook]:
    """A receiver that runs meanwhile."""
    stage = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            stage.received.append(Received(self.path, {n.lower(): v for n, v in self.headers.items()}, body))
            status, headers, said = stage.replies.pop(0) if stage.replies else (204, {}, b"")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                while stage.drip:
                    self.wfile.write(b"x")
                    time.sleep(stage.drip)
                self.wfile.write(said)
            except OSError:
                pass

        def do_GET(self) -> None:
            stage.received.append(Received("GET " + self.path, {}, b""))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    stage.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stage
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class PostOffice:
    """A mail server: what it took, and what it says of whom."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def post_office() -> Iterator[PostOffice]:
    """A mail server that runs meanwhile."""
    from aiosmtpd.smtp import SMTP

    office, ready = PostOffice(), threading.Event()

    class Handler:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
            if address not in office.refused:
                envelope.rcpt_tos.append(address)
            return office.refused.get(address, "250 OK")

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            found = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(found, EmailMessage)
            office.taken.append(found)
            return "250 taken"

    loop = asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(Handler(), loop=loop, hostname="post.test"), "127.0.0.1", 0)

    def serve() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(start())
        office.port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.run_until_complete(server.wait_closed())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait(10)
    try:
        yield office
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


class Clock:
    """Time that a test moves on."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class Radar:
    """A store with rules, on either database."""

    def __init__(self, engine: sa.Engine, **settings: Any) -> None:
        self.engine, self.clock = engine, Clock()
        self.store = SmallStore(engine, NOW)
        given = {"allow_private_targets": True, "public_url": "https://radar.example"} | settings
        self.settings = Settings(**given)
        with writing(engine) as session, session.begin():
            claim_world(session, "simulated")

    def rule(self, name: str = "all", *targets: tuple[str, str], language: str = "en", **wanted: Any) -> Made:
        """A rule that was made two days before NOW."""
        return managing.make_rule(
            self.engine, self.settings, name, Wanted(**wanted), now=NOW - timedelta(days=2), language=language,
            targets=[NewTarget(*target) for target in targets],
        )  # fmt: skip

    def trend(self, name: str, text: str = "大阪必買", kind: Kind = Kind.HASHTAG, **more: Any) -> int:
        """A trend that emerged six hours ago and is rising since two."""
        with writing(self.engine) as session, session.begin():
            row = {"hash": key_number(kind, text), "kind": int(kind), "text": text, "gloss": None}
            add_keys(session, [row])
        return self.store.trend(name, kind, text, **more)

    @property
    def model_id(self) -> str:
        return model_id()

    @property
    def sender(self) -> Sender:
        return Sender(self.settings, writer(self.settings), self.clock)

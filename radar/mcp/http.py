"""MCP over HTTP: one address, each request by itself, and no page of another origin let in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from radar.config import Settings
from radar.errors import CallerError
from radar.mcp.server import RadarServer

MAX_BODY = 1_000_000
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class UnreadQuery(CallerError):
    """A query where none is read."""

    slug = "unknown-parameter"


class Stranger(CallerError):
    """A Host or Origin that is none of this radar's names."""

    slug = "unknown-host"

    def __init__(self, status: int) -> None:
        header = "Host" if status == 421 else "Origin"
        super().__init__(f"{header} is no name this radar answers agents by.", "An operator adds it: RADAR_MCP_HOSTS.")
        self.status = status


class Door:
    """The ASGI endpoint of POST /mcp. It answers while `open` is entered: sessions are not kept between requests."""

    def __init__(self, server: RadarServer, settings: Settings) -> None:
        self._server, self._security = server, security(settings)
        self._manager: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answer until this ends; may be entered again afterwards."""
        self._server.streamable_http_app(  # makes a manager; its one route is not what is served here
            json_response=True, stateless_http=True, transport_security=self._security, max_request_body_size=MAX_BODY
        )
        self._manager = self._server.session_manager
        try:
            async with self._manager.run():
                yield
        finally:
            self._manager = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"]:
            raise UnreadQuery("/mcp takes no query parameters.", "A tool's arguments are in the body.")
        refused = await TransportSecurityMiddleware(self._security).validate_request(Request(scope))
        if refused is not None:
            raise Stranger(refused.status_code)
        if self._manager is None:
            raise RuntimeError("the app was not started: enter its lifespan")
        await self._manager.handle_request(scope, receive, send)


def security(settings: Settings) -> TransportSecuritySettings:
    """Names this radar answers by: loopback, its own address, and those an operator gave it.

    A page of a stranger that made its own name point here (DNS rebinding) sends that name as Host, and is refused.

    >>> security(Settings(host="192.0.2.7", public_url="https://radar.example")).allowed_hosts[-2:]
    ['radar.example', 'radar.example:*']
    """
    own = f"[{settings.host}]" if ":" in settings.host else settings.host
    names = [*_LOOPBACK, own, urlsplit(settings.public_url).hostname or "", *settings.mcp_hosts.split()]
    known = [name for name in dict.fromkeys(names) if name not in ("", "0.0.0.0", "[::]")]
    hosts = [form for name in known for form in (name, f"{name}:*")]
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)

"""What is kept of each request: its id, a line in the log, and its place in the metrics."""

import logging
import re
import time
import uuid
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radar.api.metrics import Requests
from radar.logs import request_id

log = logging.getLogger("radar.requests")

REQUEST_ID = "X-Request-Id"
UNKNOWN = "unknown"
"""The label of all addresses that no route knows."""
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def id_of(given: str | None) -> str:
    """The id that a request came with, where it is one to repeat in headers and logs, else a new one.

    >>> id_of("7f3a-42"), len(id_of("a\\nb")), len(id_of(None))
    ('7f3a-42', 32, 32)
    """
    return given if given and _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex


def route_of(scope: Scope) -> str:
    """The template that a request was answered by, as `/v1/trends/{id}`: never the address as it was asked."""
    route = getattr(scope.get("route"), "path", None)
    if route:
        return str(route)
    return "/static" if "endpoint" in scope else UNKNOWN  # files are mounted, not routed


class Watched:
    """Around the whole application, its last handler of failures too."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self.app, self.requests = app, requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        own = id_of(Headers(scope=scope).get(REQUEST_ID))
        method = scope["method"] if scope["method"] in _METHODS else "other"
        began, status = time.perf_counter(), 500

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = own
            await send(message)

        token = request_id.set(own)
        try:
            await self.app(scope, receive, told)
        finally:
            self._keep(scope, method, status, time.perf_counter() - began)
            request_id.reset(token)

    def _keep(self, scope: Scope, method: str, status: int, seconds: float) -> None:
        route = route_of(scope)
        self.requests.count(route, method, status, seconds)
        path = quote(scope["path"][:200], safe="/:@,;=+!$&'()*~")  # without the query, which may hold what is private
        facts: dict[str, Any] = {
            "method": method, "path": path, "route": route, "status": status, "seconds": round(seconds, 4),
        }  # fmt: skip
        log.info(
            "%s %s %d in %.0f ms (%s)", method, path, status, 1000 * seconds, request_id.get(), extra={"facts": facts}
        )

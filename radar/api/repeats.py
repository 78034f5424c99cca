"""The same question again: answered from what is kept, before the application looks at it.

Outside of all but the watcher, which counts and names each request, and the last handler of failures. Whoever asks
passes the doorkeeper all the same, once: who is not let in goes the long way. What goes out is what the long way sends:
the same bytes, the same headers.
"""

import asyncio
from collections.abc import Hashable, MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radar.actors import Actor
from radar.api.admission import ENTRY, Doorkeeper, Entry
from radar.api.answered import FLEETING, Answered, Kept, Pairs, is_by_trends
from radar.api.caching import OF_CONTENT, accepts_gzip, is_known
from radar.api.forms import Form, NotAcceptable, form_of
from radar.api.rules import SAFE, scope_needed
from radar.web.languages import language_of

_OF_CONTENT = {name.encode() for name in OF_CONTENT}
_OWN = (b"etag", b"content-length", b"content-encoding")
_PUSH = "/v1/posts"
_NOTHING: Message = {"type": "http.request", "body": b"", "more_body": False}


class Repeats:
    """Around an application whose own `Admission` goes by what the same doorkeeper said here."""

    def __init__(self, app: ASGIApp, answered: Answered, door: Doorkeeper) -> None:
        self.app, self._answered, self._door = app, answered, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope_needed(scope["method"], scope["path"]) in ("write", "admin") and scope["method"] not in SAFE:
            await self._write(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and self._answered.keeps(scope["path"]) and _is_plain(scope):
            await self._read(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever writes here sees it here; what posts bring takes its turn."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                self._answered.forget()
            await send(message)

        await self.app(scope, receive, send if scope["path"] == _PUSH else noted)

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry: Entry = await self._door.enter(scope)
        scope[ENTRY] = entry
        kept = None
        if entry.error is None:
            kept = await self._answered.get(_key(scope, entry.actor), lambda: self._made(scope, entry))
        if kept is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = kept.route
        if kept.packed is None and len(kept.body) > 1024 and accepts_gzip(_header(scope, b"accept-encoding")):
            await run_in_threadpool(kept.pack)
        await _send(scope, kept, entry.headers(), send)

    async def _made(self, scope: Scope, entry: Entry) -> Kept:
        """The answer as the application makes it: whole, as it is, whatever form is asked for this time."""
        form = (b"accept-encoding", b"if-none-match", b"range")
        own = {**scope, "method": "GET", "headers": [pair for pair in scope["headers"] if pair[0] not in form]}
        own["state"] = dict(scope.get("state", {}))
        start: MutableMapping[str, Any] = {}
        pieces: list[bytes] = []

        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                pieces.append(message.get("body", b""))

        asked = [_NOTHING]

        async def receive() -> Message:
            return asked.pop() if asked else await asyncio.get_running_loop().create_future()  # it never goes away

        await self.app(own, receive, kept)
        told = {name.lower().encode() for name in entry.headers()}
        headers = [(name, value) for name, value in start["headers"] if name not in told and name not in _OWN]
        is_own = start["status"] not in (200, 302) or any(name == b"set-cookie" for name, _ in headers)
        is_brief = not is_by_trends(scope["path"]) or own["state"].get(FLEETING, False)
        return Kept(start["status"], headers, b"".join(pieces), own.get("route"), is_own, is_brief)


def _is_plain(scope: Scope) -> bool:
    """Whether it is a page, or a list as JSON, that is asked for."""
    if not scope["path"].startswith("/v1/"):
        return True
    if b"format=" in scope["query_string"]:
        return False
    try:
        return form_of(_header(scope, b"accept")) is Form.JSON
    except NotAcceptable:
        return False


def _key(scope: Scope, actor: Actor) -> Hashable:
    """What tells answers apart: a page greets its reader in a language, and offers what they may do."""
    asked = scope["path"], scope["query_string"]
    if scope["path"].startswith("/v1/"):
        return asked
    return *asked, language_of(Headers(scope=scope)), actor.kind, actor.id, actor.scope


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


async def _send(scope: Scope, kept: Kept, more: dict[str, str], send: Send) -> None:
    """A kept answer: compressed where that is taken, no body for HEAD, and 304 where it is known."""
    accepted = known = ""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepted = accepted or value.decode("latin-1")
        elif name == b"if-none-match":
            known = f"{known}, {value.decode('latin-1')}" if known else value.decode("latin-1")
    is_packed = bool(kept.packed and accepted and accepts_gzip(accepted))
    body, tag = (kept.packed or b"", kept.packed_tag) if is_packed else (kept.body, kept.tag)
    headers: Pairs = list(kept.headers)
    headers += [(name.lower().encode(), value.encode()) for name, value in more.items()]
    status = kept.status
    if status == 200:
        headers.append((b"etag", tag.encode()))
        if known and is_known(tag, known):
            status, headers = 304, [pair for pair in headers if pair[0] not in _OF_CONTENT]
    if status != 304:
        headers.append((b"content-length", str(len(body)).encode()))
        if is_packed:
            headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    is_empty = status == 304 or scope["method"] == "HEAD"
    await send({"type": "http.response.body", "body": b"" if is_empty else body})

"""The very same question again: sent from what is kept, before the application looks at it.

Outside of all but the watcher, which counts and names each request, and the last handler of failures. Whoever asks
passes the doorkeeper all the same, once: who is not let in, or asks what nothing is kept of, goes the long way. What
goes out is what the long way sends: the same bytes, the same headers.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from radar.api import problems
from radar.api.admission import ENTRY, Doorkeeper
from radar.api.answered import Answered, Kept
from radar.api.caching import ASK_AGAIN, accepts_gzip, is_known
from radar.api.forms import MEDIA, Form, NotAcceptable, form_of

_Pairs = list[tuple[bytes, bytes]]
_ALWAYS: _Pairs = [(name.lower().encode(), value.encode()) for name, value in problems.HEADERS.items()]
_ALWAYS.append((b"cache-control", ASK_AGAIN.encode()))
_VARY = (b"vary", b"Accept, Accept-Encoding"), (b"vary", b"Accept")
_JSON = (b"content-type", MEDIA[Form.JSON].encode())


class Repeats:
    """Around an application whose own `Admission` goes by what the same doorkeeper said here."""

    def __init__(self, app: ASGIApp, answered: Answered, door: Doorkeeper) -> None:
        self.app, self._answered, self._door = app, answered, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = self._kept(scope)
        if kept is not None:
            entry = scope[ENTRY] = await self._door.enter(scope)
            if entry.error is None:
                scope["route"] = kept.route  # what the watcher counts it by
                await _send(scope, kept, entry.headers(), send)
                return
        await self.app(scope, receive, send)

    def _kept(self, scope: Scope) -> Kept | None:
        """What is kept of an answer to the same request, as JSON."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            return None
        query: bytes = scope["query_string"]
        if not self._answered.may_know((scope["path"], query)) or b"format=" in query:
            return None
        try:
            form = form_of(Headers(scope=scope).get("accept", ""))
        except NotAcceptable:
            return None
        return self._answered.known((scope["path"], query)) if form is Form.JSON else None


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
    headers = [_VARY[kept.packed is None], (b"etag", tag.encode()), *_ALWAYS]
    headers += [(name.lower().encode(), value.encode()) for name, value in more.items()]
    is_same = bool(known) and is_known(tag, known)
    if not is_same:
        headers += [_JSON, (b"content-length", str(len(body)).encode())]
        if is_packed:
            headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 304 if is_same else 200, "headers": headers})
    is_empty = is_same or scope["method"] == "HEAD"
    await send({"type": "http.response.body", "body": b"" if is_empty else body})

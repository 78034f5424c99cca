"""Answers that a client need not take twice: a print of each, 304 where it is known, and gzip where it is asked for."""

import hashlib
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASK_AGAIN = "private, no-cache"
"""A client may keep an answer, and asks whether it still holds each time."""
_PACKED = (
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.apache.parquet",
    "application/pdf",
)
OF_CONTENT = ("content-length", "content-type", "content-encoding", "content-language", "content-disposition")
"""Headers that a 304 does not repeat."""


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding asks for gzip.

    >>> accepts_gzip("br, gzip"), accepts_gzip("*"), accepts_gzip("gzip;q=0, *"), accepts_gzip("identity")
    (True, True, False, False)
    """
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        try:
            weights[name.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            weights[name.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def is_known(tag: str, known: str) -> bool:
    """Whether an If-None-Match names a tag (weak comparison, RFC 9110, 13.1.2).

    >>> is_known('"a"', 'W/"a", "b"'), is_known('"a"', "*"), is_known('"a"', '"aa"')
    (True, True, False)
    """
    names = [name.strip().removeprefix("W/") for name in known.split(",")]
    return known.strip() == "*" or tag.removeprefix("W/") in names


class Compressed(GZipMiddleware):
    """gzip for answers over 1 kB, where the client takes it; streams are compressed as they go."""

    def __init__(self, app: ASGIApp) -> None:
        kinds = (*DEFAULT_EXCLUDED_CONTENT_TYPES, *_PACKED)
        super().__init__(app, minimum_size=1024, compresslevel=5, exclude_content_types=kinds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not accepts_gzip(Headers(scope=scope).get("accept-encoding", "")):
            # says that the answer would vary, also to those who get it as it is
            kinds = self.exclude_content_types
            await IdentityResponder(self.app, self.minimum_size, exclude_content_types=kinds)(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


class Conditional:
    """ETag and 304 for what is read, and HEAD wherever there is GET.

    The tag is the hash of the answer as it is sent, compressed or not, so that each form has its own. A streamed answer
    has none, unless it came with one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        known = Headers(scope=scope).getlist("if-none-match")
        answer = _Answer(send, ", ".join(known), is_head=scope["method"] == "HEAD")
        scope["method"] = "GET"
        await self.app(scope, receive, answer.send)


class _Answer:
    """One answer on its way: held back until its tag is known."""

    def __init__(self, send: Send, known: str, *, is_head: bool) -> None:
        self._send, self._known, self._is_head = send, known, is_head
        self._start: Message | None = None
        self._is_over = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("Cache-Control", ASK_AGAIN)
            self._start = message
            return
        if self._is_over:
            return
        if self._start is not None:
            await self._begin(self._start, message)
            self._start = None
        if not self._is_over:
            await self._send(message)

    async def _begin(self, start: Message, first: Message) -> None:
        headers = MutableHeaders(scope=start)
        is_whole = first["type"] == "http.response.body" and not first.get("more_body", False)
        if start["status"] == 200:
            tag = _tag_of(headers, first.get("body", b"") if is_whole else None)
            if tag and self._known and is_known(tag, self._known):
                start["status"] = 304
                _drop(headers, OF_CONTENT)
        await self._send(start)
        if start["status"] == 304 or self._is_head:
            self._is_over = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _tag_of(headers: MutableHeaders, body: bytes | None) -> str | None:
    """Name an answer by its content, unless it has a name and goes out as it is; a streamed one keeps the name it has,
    weak where it may have been compressed."""
    if body is not None:
        if "etag" not in headers or "content-encoding" in headers:
            headers["ETag"] = tag_of(body)
    elif "etag" in headers and "content-encoding" in headers:
        headers["ETag"] = f"W/{headers['etag'].removeprefix('W/')}"
    return headers.get("etag")


def tag_of(body: bytes) -> str:
    """The name of an answer: a print of what is sent."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def _drop(headers: MutableHeaders, names: Iterable[str]) -> None:
    for name in names:
        if name in headers:
            del headers[name]

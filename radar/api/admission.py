"""Whoever comes in passes here: known or not, allowed or not, too often or not, and what was written is written down.

One place around all routes and pages. A route needs nothing for it: `radar.api.rules` says what its address needs, and
the audit log holds its method, address and outcome. One that has more to say takes `radar.web.actors.Writer`.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radar.access import SEEN_EVERY
from radar.access.buckets import Allowance, Buckets
from radar.access.keys import KeyNotValid, actor_by_token
from radar.access.people import actor_by_session, network
from radar.actors import Actor
from radar.api import problems
from radar.api.rules import SAFE, is_counted, scope_needed
from radar.config import Settings
from radar.errors import CallerError, RadarError
from radar.logs import request_id
from radar.store import api_keys, members
from radar.store.audit import record
from radar.store.engine import reading, writing
from radar.web.actors import current
from radar.web.origins import address_of, check_origin, is_local
from radar.web.view import SESSION_COOKIE, url

log = logging.getLogger("radar")
_NAMED = re.compile(r"(/v1/authors/|/kols/)(?![0-9]+(?:/|$))[^/]+")
"""An author by handle: one that is erased leaves no trace, so the log knows authors by their numbers alone."""


class KeyNeeded(CallerError):
    """Nobody known asks for what not everybody may have."""

    status = 401
    slug = "key-needed"


class ScopeNeeded(CallerError):
    """Somebody known asks for what takes a wider scope."""

    status = 403
    slug = "scope-needed"

    def __init__(self, actor: Actor, needed: str) -> None:
        self.needed = needed
        held = f"The {actor.kind} '{actor.name}' may {actor.scope}" if actor.name else f"This may {actor.scope}"
        what = "another role" if actor.kind == "user" else f"a key of scope {needed}"
        super().__init__(f"{held}; this needs the scope {needed}.", f"Whoever runs this radar can give {what}.")


class TooManyRequests(CallerError):
    """More requests than are answered in a minute."""

    status = 429
    slug = "too-many-requests"


@dataclass(frozen=True, slots=True)
class Entry:
    """What was found of whoever asks. needed: the scope it takes;  error: why it is not let in"""

    actor: Actor
    needed: str | None
    allowance: Allowance | None = None
    error: Exception | None = None

    def headers(self) -> dict[str, str]:
        """What is left to it."""
        return self.allowance.headers() if self.allowance else {}


ENTRY = "radar.entry"
"""Where a scope holds the entry of a request that was looked at already, so that it counts once."""


class Doorkeeper:
    """Says who may come in. One of each application, because it counts."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._buckets = Buckets()

    async def enter(self, scope: Scope) -> Entry:
        """Look at a request, and count it."""
        needed = scope_needed(scope["method"], scope["path"])
        actor = Actor("nobody", "", None, datetime.now(UTC), request_id=request_id.get())
        allowance: Allowance | None = None
        error: Exception | None = None
        try:
            self._check_origin(scope)
            actor = await self._identify(scope, needed, actor)
        except (RadarError, sa.exc.OperationalError) as found:
            error = found
        if actor.kind != "loopback" and is_counted(scope["path"]):
            allowance = self._count(scope, actor)
        if allowance and not allowance.is_allowed:
            said = f"More than {allowance.limit} requests a minute: wait {allowance.retry_after} s."
            error = TooManyRequests(said, "Retry-After says how long; RateLimit says what is left.")
        elif error is None and not actor.may(needed):
            error = self._refusal(scope, actor, needed or "")
        return Entry(actor, needed, allowance, error)

    def _check_origin(self, scope: Scope) -> None:
        """A browser carries a cookie, or sits at this machine, whoever's page it shows; a key nobody sends for it."""
        if scope["method"] in SAFE or scope["path"] == "/mcp":  # which looks at Origin itself, and only reads
            return
        headers = Headers(scope=scope)
        if _bearer(headers) is None:
            check_origin(scope, self._settings, by_cookie=_cookie(headers) is not None)

    async def _identify(self, scope: Scope, needed: str | None, nobody: Actor) -> Actor:
        """Who asks. A key goes before a cookie, and that before this machine. Raises KeyNotValid."""
        if needed is None:
            return nobody
        headers = Headers(scope=scope)
        token, cookie = _bearer(headers), _cookie(headers)
        if token is not None:
            return await run_in_threadpool(self._by_token, token, nobody)
        known = await run_in_threadpool(self._by_cookie, cookie, nobody) if cookie else None
        if known is not None:
            return known
        if scope["path"] == "/v1/posts" and self._settings.push_secret and "webhook-signature" in headers:
            return Actor("signed", "push", "write", nobody.at, request_id=nobody.request_id)  # the route looks at it
        if is_local(scope, self._settings):
            return Actor("loopback", "", "admin", nobody.at, request_id=nobody.request_id)
        return nobody

    def _by_token(self, token: str, nobody: Actor) -> Actor:
        with reading(self._engine) as session:
            actor, is_stale = actor_by_token(session, token, nobody.at, nobody.request_id)
        if is_stale and actor.id is not None:
            with writing(self._engine) as session, session.begin():
                api_keys.note_use(session, actor.id, actor.at, SEEN_EVERY)
        return actor

    def _by_cookie(self, cookie: str, nobody: Actor) -> Actor | None:
        with reading(self._engine) as session:
            found = actor_by_session(session, cookie, nobody.at, nobody.request_id)
        if found is None:
            return None
        actor, is_stale = found
        if is_stale:
            with writing(self._engine) as session, session.begin():
                members.note_seen(session, actor.session, actor.at, SEEN_EVERY)
        return actor

    def _count(self, scope: Scope, actor: Actor) -> Allowance | None:
        """Take one request from whoever asks; this machine may ask as often as it likes."""
        if actor.id is not None:
            return self._buckets.take(actor.kind, str(actor.id), self._settings.rate_limit, time.monotonic())
        if actor.kind == "nobody" and _bearer(Headers(scope=scope)) is None and is_local(scope, self._settings):
            return None
        address = network(address_of(scope, self._settings))
        return self._buckets.take("address", address, self._settings.rate_limit_address, time.monotonic())

    def _refusal(self, scope: Scope, actor: Actor, needed: str) -> RadarError:
        if actor.scope is not None:
            return ScopeNeeded(actor, needed)
        if scope["path"] == "/mcp" and is_local(scope, self._settings, by_any_name=True):
            from radar.mcp.http import Stranger

            return Stranger(421)
        hint = f"Send Authorization: Bearer with a key (radar keys create --scope {needed}), or log in at /log-in."
        return KeyNeeded("Whoever asks from another machine, or through a proxy, needs a key.", hint)


class Admission:
    """Inside of the languages and outside of the routes."""

    def __init__(self, app: ASGIApp, engine: sa.Engine, door: Doorkeeper, wrote: Callable[[], None]) -> None:
        self.app, self._engine, self._door, self._wrote = app, engine, door, wrote

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        entry: Entry = scope.pop(ENTRY, None) or await self._door.enter(scope)
        actor = entry.actor
        wrote = None if scope["method"] in SAFE or entry.needed == "read" else self._wrote
        answer = _Answer(send, entry.headers(), self._noter(scope, actor, entry.needed), wrote)
        if entry.error is not None:
            await _refused(Request(scope), actor, entry.error)(scope, receive, answer.send)
            return
        scope["state"] = {**scope.get("state", {}), "actor": actor}
        token = current.set(actor)
        try:
            await self.app(scope, receive, answer.send)
        except Exception:
            await answer.note(500)
            raise
        finally:
            current.reset(token)

    def _noter(self, scope: Scope, actor: Actor, needed: str | None) -> Callable[[int], None] | None:
        """What writes down that somebody known wrote, or tried to, unless the route did."""
        if scope["method"] in SAFE or needed in (None, "read") or actor.scope is None:
            return None

        def note(status: int) -> None:
            outcome = "done" if status < 400 else "refused" if status < 500 else "failed"
            if outcome == "done" and actor.noted:
                return
            route = getattr(scope.get("route"), "path", "")
            target = scope.get("state", {}).get("target") or _NAMED.sub(r"\1…", scope["path"])
            try:
                with writing(self._engine) as session, session.begin():
                    action = f"{scope['method']} {route}".strip()
                    record(session, actor, action, target, {"status": status}, outcome=outcome)
            except sa.exc.SQLAlchemyError as error:
                log.error("the audit log could not be written (%s): %s", actor.request_id, error)

        return note


class _Answer:
    """An answer on its way: what is left is said in it, and what was written is written down before it is told."""

    def __init__(
        self,
        send: Send,
        headers: dict[str, str],
        noter: Callable[[int], None] | None,
        wrote: Callable[[], None] | None,
    ) -> None:
        self._send, self._headers, self._noter, self._wrote = send, headers, noter, wrote

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(self._headers)
            await self.note(message["status"])
            if self._wrote is not None:
                self._wrote()
        await self._send(message)

    async def note(self, status: int) -> None:
        noter, self._noter = self._noter, None
        if noter is not None:
            await run_in_threadpool(noter, status)


def _bearer(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer`; None for another scheme, which is a proxy's business."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cookie(headers: Headers) -> str | None:
    sent = headers.get("cookie")
    if not sent or SESSION_COOKIE not in sent:
        return None
    try:
        found = SimpleCookie(sent).get(SESSION_COOKIE)
    except CookieError:
        return None
    return found.value if found else None


def _refused(request: Request, actor: Actor, error: Exception) -> Response:
    """The answer to whoever is not let in: browsers are led to the log-in, and come back from there."""
    status = getattr(error, "status", 503)
    path = request.url.path
    wants_page = "text/html" in request.headers.get("accept", "") and not path.startswith("/v1")
    if status == 401 and wants_page and request.method in SAFE:
        back = path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(url("/log-in", back=None if back == "/" else back[:2000]), 303)
    token = current.set(actor)
    response = problems.answer(request, error)
    current.reset(token)
    if status == 401:
        invalid = ', error="invalid_token"' if isinstance(error, KeyNotValid) else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="radar"{invalid}'
    elif isinstance(error, ScopeNeeded):
        needed = f'error="insufficient_scope", scope="{error.needed}"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="radar", {needed}'
    return response

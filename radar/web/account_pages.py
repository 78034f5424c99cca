"""The pages of whoever logs in: the log-in, one's own sessions and password, and for admins who wrote what."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from radar.access import people
from radar.actors import ROLES
from radar.answers.written import written
from radar.errors import CallerError
from radar.store import members
from radar.web.actors import Writer
from radar.web.languages import say
from radar.web.navigation import N_
from radar.web.origins import address_of, is_secure
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import SESSION_COOKIE, address_here, note_address, page, url
from radar.web.words import span

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])

Back = Annotated[str, Query(max_length=2000)]
Given = Annotated[str, Form()]
ROLE_WORDS = {"viewer": N_("reads"), "editor": N_("reads and writes"), "admin": N_("may do everything")}
KIND_WORDS = {
    "key": N_("key"), "user": N_("user"), "loopback": N_("this machine"), "terminal": N_("terminal"),
    "signed": N_("signed push"), "nobody": N_("unknown"),
}  # fmt: skip
OUTCOME_WORDS = {"done": N_("done"), "refused": N_("refused"), "failed": N_("failed")}
_DONE = {
    "password": N_("The password is changed; other sessions have ended."),
    "sessions": N_("The session has ended."),
}
_BROWSERS = ("Edg", "OPR", "SamsungBrowser", "Firefox", "Chrome", "Safari", "curl")
_SYSTEMS = ("iPhone", "iPad", "Android", "Windows", "Mac OS X", "CrOS", "Linux")
_CALLED = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Mac OS X": "macOS", "CrOS": "ChromeOS"}


@router.get("/log-in")
def log_in_page(request: Request, session: SessionDep, back: Back = "/") -> Response:
    """Ask for name and password; whoever is in already goes on."""
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie and people.actor_by_session(session, cookie, datetime.now(UTC), ""):
        return RedirectResponse(_onwards(back), 303)
    return _asked(back)


@router.post("/log-in")
def log_in(request: Request, writer: Writer, name: Given = "", password: Given = "", back: Given = "/") -> Response:
    """Let somebody in, and back to where they were; a page says what to do where not."""
    state, now = request.app.state, datetime.now(UTC)
    lasts = timedelta(days=state.settings.session_days)
    try:
        token = people.log_in(
            state.engine, name, password, now=now, lasts=lasts, address=address_of(request.scope, state.settings),
            browser=request.headers.get("user-agent", ""), request_id=writer.request_id,
        )  # fmt: skip
    except people.LockedOut as error:
        said = say("Too many log-ins failed under this name or from this address. The next one is heard in %(time)s.")
        answer = _asked(back, name, said % {"time": span(error.seconds)}, 429)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    except people.NotLetIn:
        return _asked(back, name, say("Name and password do not belong together."), 401)
    response = RedirectResponse(_onwards(back), 303)
    response.set_cookie(
        SESSION_COOKIE, token, max_age=int(lasts.total_seconds()), httponly=True, samesite="lax",
        secure=is_secure(request.scope, state.settings),
    )  # fmt: skip
    return response


def _asked(back: str, name: str = "", said: str = "", status: int = 200) -> Response:
    answer = page(
        "log_in.html", status, back=_onwards(back), called=name[:64], said=said, simulated=False, here="", twin=None
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _onwards(back: str) -> str:
    """Where a log-in leads; never to itself."""
    return "/" if back.startswith(("/log-in", "/log-out")) else address_here(back[:2000])


@router.post("/log-out")
def log_out(request: Request, session: SessionDep) -> Response:
    """End the session that asks."""
    cookie, now = request.cookies.get(SESSION_COOKIE), datetime.now(UTC)
    found = people.actor_by_session(session, cookie, now, "") if cookie else None
    session.rollback()
    if found:
        people.log_out(request.app.state.engine, found[0], [found[0].session])
    response = RedirectResponse("/log-in", 303)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax")
    return response


@router.get("/account")
def account_page(session: SessionDep, writer: Writer, done: str | None = None) -> Response:
    """Who one is here, and one's sessions."""
    return _account(session, writer, done=say(_DONE[done]) if done in _DONE else "")


def _account(session: Any, writer: Writer, *, done: str = "", said: str = "", status: int = 200) -> Response:
    mine = members.sessions_of(session, writer.id, writer.at) if writer.kind == "user" and writer.id else []
    role = next((name for name, scope in ROLES.items() if scope == writer.scope), "")
    return page(
        "account.html", status, who=writer, role=role, role_words=ROLE_WORDS, sessions=mine, browser=browser_words,
        done=done, said=said, simulated=False, here="", twin=None,
    )  # fmt: skip


@router.post("/account/sessions")
def end_session(request: Request, session: SessionDep, writer: Writer, which: Given = "") -> Response:
    """End one of one's own sessions, named by the beginning of its hash, or all the others."""
    if writer.kind != "user" or writer.id is None:
        raise CallerError("Nobody is logged in here.", "Sessions are those of a user: /log-in.")
    mine = [line.digest for line in members.sessions_of(session, writer.id, writer.at)]
    session.rollback()
    named = [digest for digest in mine if len(which) == 16 and digest.startswith(which)]
    if which != "others" and not named:
        raise CallerError("There is no such session.", "It may have ended already: /account.")
    people.log_out(request.app.state.engine, writer, None if which == "others" else named)
    return RedirectResponse("/log-in" if writer.session in named else url("/account", done="sessions"), 303)


@router.post("/account/password")
def change_password(
    request: Request, session: SessionDep, writer: Writer, password: Given = "", another: Given = ""
) -> Response:
    """Change one's own password, knowing the one before."""
    if writer.kind != "user":
        raise CallerError("Nobody is logged in here.", "A password is that of a user: /log-in.")
    session.rollback()
    state = request.app.state
    try:
        address = address_of(request.scope, state.settings)
        people.verified(
            state.engine, writer.name, password, now=writer.at, address=address, request_id=writer.request_id
        )
        people.change_password(state.engine, writer, writer.name, another)
    except people.NotLetIn:
        return _account(session, writer, said=say("That is not your password."), status=401)
    except people.BadPassword:
        said = say("A password has %(low)s to %(high)s characters, and is not the name.")
        told = said % {"low": people.SHORTEST, "high": people.LONGEST}
        return _account(session, writer, said=told, status=400)
    return RedirectResponse(url("/account", done="password"), 303)


@router.get("/audit")
def audit_page(session: SessionDep, cursor: str | None = None) -> Response:
    """Who wrote what, for admins."""
    return page(
        "audit.html", answer=written(session, limit=50, cursor=cursor or None), kind_words=KIND_WORDS,
        outcome_words=OUTCOME_WORDS, cursor=cursor, simulated=False, here="", twin=url("/v1/audit", cursor=cursor),
    )  # fmt: skip


@router.get("/settings")
def settings_page(request: Request) -> Response:
    """How this radar is set up, for admins."""
    answer = {"items": request.app.state.settings.told()}
    return page("settings.html", answer=answer, simulated=False, here="", twin="/v1/settings")


@router.get("/settings.json")
def settings_twin() -> Response:
    return RedirectResponse("/v1/settings", 307)


@router.get("/audit.json")
def audit_twin(cursor: str | None = None) -> Response:
    return RedirectResponse(url("/v1/audit", cursor=cursor), 307)


def browser_words(agent: str) -> str:
    """What a User-Agent says, as far as one knows it by.

    >>> browser_words("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36")
    'Chrome · Windows'
    >>> browser_words("my-own/1.0"), browser_words("")
    ('my-own/1.0', '—')
    """
    browser = next((name for name in _BROWSERS if re.search(rf"\b{name}/", agent)), None)
    system = next((name for name in _SYSTEMS if name in agent), None)
    found = [_CALLED.get(name, name) for name in (browser, system) if name]
    return " · ".join(found) or agent[:60] or "—"

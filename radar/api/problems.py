"""Every error in one shape, application/problem+json (RFC 9457), from one handler."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from radar.api.problem_types import uri_of
from radar.errors import RadarError
from radar.logs import request_id
from radar.web.navigation import N_
from radar.web.view import error_page

log = logging.getLogger("radar")

MEDIA_TYPE = "application/problem+json"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any, a browser names no origin for our own forms
}
"""On every answer."""
_TITLES = {
    400: N_("The request cannot be answered as it stands"),
    401: N_("It is not known who asks"),
    403: N_("That is not allowed"),
    404: N_("There is no such thing"),
    406: N_("None of the forms of a list is accepted"),
    410: N_("It is not kept any more"),
    405: N_("This address does not take that method"),
    409: N_("It does not fit what is stored"),
    413: N_("Too much at once"),
    415: N_("Send JSON"),
    422: N_("The request cannot be answered as it stands"),
    429: N_("Too much at once"),
    500: N_("Something went wrong here"),
    503: N_("The store is out of reach"),
}
_HINTS = {"trend": "Take an id from a market's list: /markets/{market}, or /v1/markets/{market}/trends."}
"""What to do about a name that nothing is near to, by its kind."""


def install(app: FastAPI) -> None:
    """Let every error of the app answer as a problem."""
    for kind in (RadarError, HTTPException, RequestValidationError, OperationalError, Exception):
        app.add_exception_handler(kind, answer)


def answer(request: Request, error: Exception) -> Response:
    """One problem: as a page where a browser asks for one, else as problem+json."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        error = HTTPException(
            405, error.detail, {"Allow": _allowed(request, (error.headers or {}).get("Allow", "GET"))}
        )
    problem, headers = describe(error, request.url.path)
    problem["request_id"] = request_id.get()
    if problem["status"] >= 500:
        log.error("%s %s (%s): %s", request.method, request.url.path, request_id.get(), error, exc_info=error)
    accepted = request.headers.get("accept", "")
    if "text/html" in accepted and not request.url.path.startswith("/v1"):
        response = error_page(request, problem)
    else:
        response = JSONResponse(problem, problem["status"], media_type=MEDIA_TYPE)
    response.headers.update(
        HEADERS | {"Cache-Control": "no-store"} | dict(headers)
    )  # a failure answers outside of the middleware
    return response


def _allowed(request: Request, known: str) -> str:
    """All methods that an address of the API takes: a route knows its own only."""
    paths = request.app.openapi()["paths"] if request.url.path.startswith("/v1/") else {}
    for template in sorted(paths, key=lambda one: one.count("{")):
        if re.fullmatch(re.sub(r"\\{[^}]*}", "[^/]+", re.escape(template)), request.url.path):
            return ", ".join(sorted(method.upper() for method in paths[template]))
    return known


def describe(error: Exception, path: str) -> tuple[dict[str, Any], Mapping[str, str]]:
    """The problem behind an error, and headers that belong to it."""
    if isinstance(error, RadarError):
        status = error.status if error.status >= 400 else 500
        near = list(getattr(error, "near", []))
        hint = error.hint or _HINTS.get(getattr(error, "kind", ""), "")
        seconds = getattr(error, "seconds", None)
        headers = {"Retry-After": str(seconds)} if seconds else {}
        return problem(status, error.slug, error.message, hint, path, near), headers
    if isinstance(error, RequestValidationError):
        return _invalid(error, path), {}
    if isinstance(error, HTTPException):
        return _plain(error, path), error.headers or {}
    if isinstance(error, OperationalError):
        reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason given"
        hint = "Try again in a moment; an operator finds more in the log."
        return problem(503, "store", f"The store did not answer: {reason}.", hint, path), {"Retry-After": "5"}
    return problem(500, "failure", "The radar failed to answer.", "An operator finds the cause in the log.", path), {}


def problem(
    status: int, slug: str, detail: str, hint: str, path: str, near: "list[str] | None" = None
) -> dict[str, Any]:
    """The shape itself."""
    return {
        "type": uri_of(slug),
        "title": _TITLES.get(status, N_("The request was refused")),
        "status": status,
        "detail": _sendable(detail),
        "hint": _sendable(hint),
        "near": [_sendable(name) for name in near or []],
        "instance": _sendable(path),
    }


def _sendable(text: str) -> str:
    """Without halves of surrogate pairs, which JSON may bring and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _invalid(error: RequestValidationError, path: str) -> dict[str, Any]:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("query", "path", "body"))
    if first["type"] == "json_invalid":
        said = f"The body is not JSON: {first.get('ctx', {}).get('error', 'it ends too early')}."
        return problem(400, "unreadable-input", said, "Send one JSON object as UTF-8; see /v1/openapi.json.", path)
    if first["type"] == "missing":
        said, hint = f"{where or 'The body'} is missing.", "See /v1/openapi.json for what is expected."
        return problem(400, "bad-request", said, hint, path, [where] if where else [])
    shown = str(first.get("input"))[:60]
    said = f"{where or 'body'}: '{shown}' is not valid. {first['msg']}."
    hint = "See /v1/openapi.json for what is expected."
    return problem(400, "bad-request", said, hint, path, [where] if where else [])


def _plain(error: HTTPException, path: str) -> dict[str, Any]:
    if error.status_code == 404:
        hint = "See /v1/openapi.json." if path.startswith("/v1") else "Begin at /markets; /v1/openapi.json has the API."
        return problem(404, "no-such-address", f"There is nothing at {path[:200]}.", hint, path)
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        said = f"{path[:200]} does not take this method."
        return problem(405, "method-not-allowed", said, f"It takes: {allowed}.", path)
    if error.status_code == 413:
        return problem(413, "too-large", str(error.detail), "Send smaller batches.", path)
    return problem(error.status_code, "bad-request", str(error.detail), "See /v1/openapi.json.", path)

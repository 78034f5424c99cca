"""The application: routes, pages, error handler, limits, headers, and the OpenAPI document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import HTTPException
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from radar import __version__
from radar.api import (
    access_routes,
    access_shapes,
    alert_examples,
    alert_feeds,
    alert_routes,
    curation_routes,
    curation_shapes,
    examples,
    hubs,
    kol_routes,
    metrics,
    partner_examples,
    partner_routes,
    problem_types,
    problems,
    pushed_shapes,
    report_routes,
    report_shapes,
    resource_examples,
    resource_routes,
    routes,
    shapes,
)
from radar.api.admission import Admission, Doorkeeper
from radar.api.answered import Answered
from radar.api.caching import Compressed, Conditional
from radar.api.columns import declare_choice
from radar.api.push import MAX_POSTS
from radar.api.repeats import Repeats
from radar.api.watching import Watched
from radar.config import Settings
from radar.store.replica import Reads
from radar.web.briefs import scorer_of
from radar.web.pages import mount_pages

MAX_BODY = 10_000_000
THREADS = 15
"""Answers made at a time: as many as the store's engine has connections. See `radar.web.requests.SEATS`."""
_DESCRIPTION = """What key opinion leaders in one market start to say about another, with the evidence.

Lists are `{"items": [...], "next": null}`; take `next` as `cursor` for the page after. `Accept` or `format` asks for
a list as CSV, NDJSON, XLSX or Parquet, whole unless `limit` is given; `fields` and `sort` choose fields and order.
Every error is one problem shape (`application/problem+json`), whose `type` leads to what it
means. Unknown query parameters are 400. Instants are UTC, counts are null when hidden.
From another machine a key is sent: `Authorization: Bearer radar_...`; reading needs the scope `read`, else `write`.
Answers carry an `ETag` (as `If-None-Match` it gets 304 where nothing changed) and an `X-Request-Id` (yours if sent).
"""


def create_app(engine: sa.Engine, settings: Settings) -> FastAPI:
    """The API and the pages over one store, and the address that agents ask."""
    from radar.mcp import Door, create_server  # takes a second, which commands that print our shapes need not wait for

    @asynccontextmanager
    async def started(app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        async with door.open():
            yield
        app.state.reads.end()

    app = FastAPI(
        lifespan=started,
        title="KOL trend radar",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # their scripts come from a CDN
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.engine, app.state.settings = engine, settings
    app.state.reads = Reads(engine, settings.replica_url, timedelta(seconds=settings.replica_lag))
    app.include_router(routes.router)
    app.include_router(kol_routes.router)
    app.include_router(partner_routes.router)
    app.include_router(alert_routes.router)
    app.include_router(alert_feeds.router)
    app.include_router(resource_routes.router)
    app.include_router(curation_routes.router)
    app.include_router(report_routes.router)
    app.include_router(hubs.router)
    app.include_router(access_routes.router)
    door = Door(create_server(engine, settings, lambda session: scorer_of(app, session)), settings)
    app.router.routes.append(Route("/mcp", door, methods=["POST"], include_in_schema=False))
    app.include_router(metrics.router)
    app.include_router(problem_types.router)
    app.include_router(routes.probes)
    keeper = Doorkeeper(engine, settings)
    app.add_middleware(
        Admission, engine=engine, door=keeper, wrote=app.state.reads.wrote
    )  # the innermost: its answers are said and guarded too
    mount_pages(app)
    problems.install(app)
    app.add_middleware(Guard)
    app.add_middleware(Compressed)
    app.add_middleware(Conditional)
    app.add_middleware(Repeats, answered=Answered(engine, briefly=not settings.replica_url), door=keeper)
    _watch(app, engine)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _watch(app: FastAPI, engine: sa.Engine) -> None:
    """Put the watcher around everything: what `add_middleware` adds never sees an unforeseen failure's answer."""
    app.state.metrics = metrics.registry_of(engine)
    requests, build = metrics.Requests(app.state.metrics), app.build_middleware_stack
    app.build_middleware_stack = lambda: Watched(build(), requests)  # type: ignore[method-assign]


_HEADERS = [(name.lower().encode(), value.encode()) for name, value in problems.HEADERS.items()]


class Guard:
    """Refuses bodies over the limit while they arrive, and puts the security headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        read = 0

        async def limited() -> Message:
            nonlocal read
            if declared.isdigit() and int(declared) > MAX_BODY:
                raise _too_large()
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY:
                raise _too_large()
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                names = {name.lower() for name, _ in given}
                message["headers"] = [*given, *(pair for pair in _HEADERS if pair[0] not in names)]
            await send(message)

        await self.app(scope, limited, guarded)


def _too_large() -> HTTPException:
    return HTTPException(413, f"The body is larger than {MAX_BODY // 1_000_000} MB.", {"Connection": "close"})


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with the shapes that routes take or answer with on their own: pushed posts and problems."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes,
            tags=[
                {"name": "trends", "description": "What rises, and by what it was found."},
                {"name": "KOLs", "description": "Who posts: measures, lists, notes, and the rights of the listed."},
                {"name": "partners", "description": "Who to work with, and who is like whom."},
                {"name": "alerts", "description": "Who is told what, and watch lists."},
                {"name": "curation", "description": "What editors decide of trends, and keys of one's own."},
                {"name": "reports", "description": "One market about another, week by week."},
                {"name": "operation", "description": "Posts in; freshness and health."},
            ],
        )  # fmt: skip
        _, extra = models_json_schema(
            [(shapes.Problem, "serialization"), (pushed_shapes.PushedPost, "validation")],
            ref_template="#/components/schemas/{model}",
        )
        schemas = document["components"]["schemas"]
        schemas |= extra["$defs"]
        told = {"description": "Anything else is answered for as rejected, and stops no other."}
        item = {"anyOf": [{"$ref": "#/components/schemas/PushedPost"}, told]}
        posts = {"type": "array", "maxItems": MAX_POSTS, "items": item}
        batch = {"type": "object", "required": ["posts"], "properties": {"posts": posts}, "additionalProperties": False}
        schemas["PushedPosts"] = {"title": "PushedPosts", "anyOf": [batch, posts]}
        _without_422(document)
        declare_choice(schemas)
        access_routes.put_in(document)
        known = partner_examples.ANSWERS | alert_examples.ANSWERS | access_shapes.ANSWERS | resource_examples.ANSWERS
        known |= curation_shapes.EXAMPLES | report_shapes.ANSWERS
        examples.put_in(document, known)
        app.openapi_schema = document
    return app.openapi_schema


def _without_422(document: dict[str, Any]) -> None:
    """FastAPI declares its own validation answer where a route has none; ours is a 400 problem."""
    for operations in document["paths"].values():
        for operation in operations.values():
            declared = operation["responses"].get("422", {}).get("content", {})
            if "application/problem+json" not in declared:
                operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)

"""Who asks, for routes and pages: the one dependency that a route needs to say on whose behalf it writes."""

from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from radar.actors import Actor

current: ContextVar[Actor | None] = ContextVar("actor", default=None)
"""Who asks, for templates; set by radar.api.admission around each request."""


def actor_of(request: Request) -> Actor:
    """Who asks: set by radar.api.admission, which has looked at what the route needs already."""
    found: Actor | None = request.scope.get("state", {}).get("actor")
    return found or Actor("nobody", "", None, datetime.now(UTC))


def who_asks(request: Request) -> str:
    """Who a decision is written down as."""
    actor = actor_of(request)
    return actor.name or actor.kind


Writer = Annotated[Actor, Depends(actor_of)]
"""On whose behalf a route writes. In its transaction: `audit.record(session, writer, action, target, detail)`."""

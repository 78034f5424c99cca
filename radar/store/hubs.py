"""Subscriptions at WebSub hubs: which feeds a hub tells of, and how long it still does."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import hub_subscription

h = hub_subscription.c


class Subscription(NamedTuple):
    """A feed that a hub tells of, or was asked to."""

    id: str
    source: str
    handle: str
    topic: str
    hub: str
    asked_at: datetime | None
    confirmed_at: datetime | None
    expires_at: datetime | None
    last_error: str | None


def subscriptions(session: Session) -> list[Subscription]:
    """All of them."""
    statement = sa.select(*[h[name] for name in Subscription._fields]).order_by(h.source, h.handle)
    return [Subscription(*row) for row in session.execute(statement)]


def subscription(session: Session, id: str) -> Subscription | None:
    """The one of that id."""
    row = session.execute(sa.select(*[h[name] for name in Subscription._fields]).where(h.id == id)).first()
    return Subscription(*row) if row else None


def put_subscription(session: Session, row: dict[str, Any]) -> None:
    """Add a subscription of id, source, handle, topic, hub; one of that account is asked anew, under the new id."""
    told = ["id", "topic", "hub", "asked_at", "confirmed_at", "expires_at", "last_error"]
    whole = dict.fromkeys(told) | row
    upsert(session, hub_subscription, [whole], on=["source", "handle"], update=told)


def note_subscription(session: Session, id: str, **values: Any) -> None:
    """Set columns of one subscription."""
    session.execute(sa.update(hub_subscription).where(h.id == id).values(values))


def drop_subscriptions(session: Session, ids: Sequence[str]) -> None:
    """Forget subscriptions: what a hub still sends is answered as gone."""
    session.execute(sa.delete(hub_subscription).where(h.id.in_(ids)))

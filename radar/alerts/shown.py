"""Rules, and what they told, as answers show them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from radar.alerts.messages import read_back
from radar.alerts.rules import Wanted
from radar.answers.ids import trend_id
from radar.errors import CallerError, UnknownName
from radar.store import alert_rules, alerts
from radar.store.alert_rules import Rule, Target
from radar.store.alerts import Delivery, Event
from radar.store.engine import world_of

Item = dict[str, Any]
MOST = 100


def rules_shown(session: Session) -> Item:
    """All rules by name."""
    targets = alert_rules.targets(session)
    return {"items": [rule_shown(rule, targets.get(rule.id, ())) for rule in alert_rules.rules(session)], "next": None}


def rule_shown(rule: Rule, targets: Iterable[Target], secrets: Mapping[int, str] | None = None) -> Item:
    """One rule.  secrets  of targets that were just made: shown this once"""
    wanted = Wanted.of(rule.filters)
    lists = {"kinds": list(wanted.kinds), "stages": list(wanted.stages)}
    return {
        "id": str(rule.id), "name": rule.name, "active": rule.is_active, "language": rule.language,
        **wanted.stored(), **lists, "begins_at": rule.begins_at, "read_upto": rule.read_upto,
        "created_at": rule.created_at,
        "targets": [
            {
                "id": str(t.id), "kind": t.kind, "address": shown_address(t.kind, t.address),
                "feed": feed_path(rule, t) if t.kind == "feed" else None, "secret": (secrets or {}).get(t.id),
            }
            for t in targets
        ],
    }  # fmt: skip


def feed_path(rule: Rule, target: Target) -> str:
    """Where the feed of a rule is read, by whoever knows its token."""
    return f"/feeds/alerts/{rule.id}.atom?token={target.secret}"


def shown_address(kind: str, address: str | None) -> str | None:
    """A target's address as it is shown: what stands after '?' may be a key of the receiver's.

    >>> shown_address("webhook", "https://example.com/hook?key=1")
    'https://example.com/hook?…'
    """
    if kind != "webhook" or not address:
        return address
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")


def alerts_shown(session: Session, *, rule: Rule | None = None, limit: int = 50, cursor: str | None = None) -> Item:
    """What was told, the newest first, with how it was delivered. Raises CallerError."""
    if not 1 <= limit <= MOST:
        raise CallerError(f"limit: {limit} is not from 1 to {MOST}.", "Take pages by `next`.")
    before = _number(cursor) if cursor else None
    found = alerts.events(session, rule_id=rule.id if rule else None, before=before, limit=limit + 1)
    return {
        "items": _told(session, found[:limit]),
        "next": str(found[limit - 1].id) if len(found) > limit else None,
        "simulated": world_of(session) == "simulated",
    }


def dead_shown(session: Session, *, limit: int = 50) -> list[Item]:
    """What was given up, the newest first, each with its one delivery."""
    dead = alerts.in_state(session, "dead", limit=limit)
    found = []
    for one in dead:
        about = alerts.event(session, one.event_id)
        if about is not None:
            found.append(_event_shown(about, [one]))
    return found


def alert_shown(session: Session, number: str) -> Item:
    """One thing that was told. Raises UnknownName."""
    about = alerts.event(session, int(number)) if number.isascii() and number.isdecimal() and len(number) < 19 else None
    if about is None:
        raise UnknownName("alert", number[:60], [])
    return _told(session, [about])[0]


def _told(session: Session, found: Sequence[Event]) -> list[Item]:
    deliveries = alerts.deliveries(session, [one.id for one in found]) if found else {}
    return [_event_shown(one, deliveries.get(one.id, [])) for one in found]


def _event_shown(one: Event, deliveries: Sequence[Delivery]) -> Item:
    trend = read_back(one.message) | {"id": trend_id(one.episode_id)}
    return {
        "id": str(one.id), "rule": one.rule, "rule_id": str(one.rule_id), "stage": one.stage,
        "changed_at": one.changed_at, "told_at": one.fired_at, "trend": trend,
        "deliveries": [
            {
                "id": d.id, "target": str(d.target_id), "kind": d.kind, "address": shown_address(d.kind, d.address),
                "state": d.state, "attempts": d.attempts, "status": d.status, "error": d.error,
                "next_at": d.turn_at if d.state == "pending" else None, "ended_at": _ended(d),
            }
            for d in deliveries
        ],
    }  # fmt: skip


def _ended(one: Delivery) -> datetime | None:
    return one.turn_at if one.state in ("sent", "dead") else None


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise CallerError("cursor: this is no cursor.", "Take `next` of the page before as it is.")
    return int(cursor)

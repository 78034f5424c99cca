"""Alert rules and where their messages go."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import alert_delivery, alert_event, alert_rule, alert_target, episode, stage_change

MOST_RULES = 200
MOST_TARGETS = 10


class Rule(NamedTuple):
    """A rule as stored. filters are those of radar.alerts.rules.Wanted."""

    id: int
    name: str
    filters: dict[str, Any]
    language: str
    is_active: bool
    revision: int
    begins_at: datetime
    read_upto: datetime
    created_at: datetime


class Target(NamedTuple):
    """Where messages go. secret signs a webhook's, or is the token of a feed."""

    id: int
    rule_id: int
    kind: str
    address: str | None
    secret: str | None
    created_at: datetime


_RULE = [alert_rule.c[name] for name in Rule._fields]
_TARGET = [alert_target.c[name] for name in Target._fields]


def rules(session: Session) -> list[Rule]:
    """All rules by name."""
    statement = sa.select(*_RULE).order_by(alert_rule.c.name).limit(MOST_RULES)
    return [Rule(*row) for row in session.execute(statement)]


def rule(session: Session, named: str) -> Rule | None:
    """The rule of a name or, where there is none, of an id."""
    c = alert_rule.c
    row = session.execute(sa.select(*_RULE).where(c.name == named)).first()
    if row is None and named.isascii() and named.isdecimal() and len(named) < 19:
        row = session.execute(sa.select(*_RULE).where(c.id == int(named))).first()
    return Rule(*row) if row else None


def targets(session: Session) -> dict[int, list[Target]]:
    """Targets by rule, in the order in which they were added."""
    found: dict[int, list[Target]] = {}
    statement = sa.select(*_TARGET).order_by(alert_target.c.id).limit(MOST_RULES * MOST_TARGETS)
    for row in session.execute(statement):
        found.setdefault(row.rule_id, []).append(Target(*row))
    return found


def targets_of(session: Session, rule_id: int) -> list[Target]:
    """Targets of one rule, in the order in which they were added."""
    statement = sa.select(*_TARGET).where(alert_target.c.rule_id == rule_id).order_by(alert_target.c.id)
    return [Target(*row) for row in session.execute(statement)]


def add_rule(session: Session, row: Mapping[str, Any]) -> int:
    """Store a rule of name, filters, language, is_active, begins_at, read_upto, created_at; its id."""
    return int(session.scalar(sa.insert(alert_rule).values(revision=1, **row).returning(alert_rule.c.id)) or 0)


def change_rule(session: Session, rule_id: int, **values: Any) -> None:
    """Set columns of a rule: it is another revision of it."""
    c = alert_rule.c
    session.execute(sa.update(alert_rule).where(c.id == rule_id).values(revision=c.revision + 1, **values))


def read_to(session: Session, found: Rule, upto: datetime) -> bool:
    """Move a rule's reading position on; whether the rule still stands as it was when it was read."""
    c = alert_rule.c
    same = sa.and_(c.id == found.id, c.revision == found.revision, c.is_active)
    values = {"read_upto": sa.case((c.read_upto < upto, upto), else_=c.read_upto)}
    return bool(session.connection().execute(sa.update(alert_rule).where(same).values(values)).rowcount)


def drop_rule(session: Session, rule_id: int) -> None:
    """Forget a rule with its targets, what it told, and what was still to be delivered."""
    events = sa.select(alert_event.c.id).where(alert_event.c.rule_id == rule_id)
    session.execute(sa.delete(alert_delivery).where(alert_delivery.c.event_id.in_(events)))
    session.execute(sa.delete(alert_event).where(alert_event.c.rule_id == rule_id))
    session.execute(sa.delete(alert_target).where(alert_target.c.rule_id == rule_id))
    session.execute(sa.delete(alert_rule).where(alert_rule.c.id == rule_id))


def add_target(session: Session, row: Mapping[str, Any]) -> int:
    """Store a target of rule_id, kind, address, secret, created_at; its id."""
    return int(session.scalar(sa.insert(alert_target).values(**row).returning(alert_target.c.id)) or 0)


def drop_target(session: Session, rule_id: int, target_id: int) -> bool:
    """Forget a target of a rule with its deliveries; whether there was one."""
    c = alert_target.c
    if session.scalar(sa.select(c.id).where(c.id == target_id, c.rule_id == rule_id)) is None:
        return False
    session.execute(sa.delete(alert_delivery).where(alert_delivery.c.target_id == target_id))
    session.execute(sa.delete(alert_target).where(c.id == target_id))
    return True


def newest_change(session: Session) -> datetime | None:
    """When the newest stored change of stage happened: what a new rule begins after."""
    c = stage_change.c
    return session.scalar(
        sa.select(c.changed_at).join(episode, episode.c.id == c.episode_id).order_by(c.changed_at.desc()).limit(1)
    )

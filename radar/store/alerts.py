"""What alert rules read, what they told, and what is still to be delivered."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.answers import Seen
from radar.store.engine import SQL_VARIABLES, chunks, insert_into, upsert
from radar.store.tables import alert_delivery, alert_event, alert_rule, alert_target, episode, snapshot, stage_change

PAGE = 500
"""Changes of stage that are read at once."""
_e, _d = alert_event.c, alert_delivery.c


class Change(NamedTuple):
    """A trend that took another stage, with the newest snapshot of it then."""

    stage: str
    changed_at: datetime
    seen: Seen


def changes(session: Session, model_id: str, after: datetime) -> Iterator[list[Change]]:
    """Changes of stage after an instant, of trends that were shown and lead their variants, in pages by time."""
    e, c, s = episode.c, stage_change.c, snapshot.c
    own = snapshot.alias("own")
    before = (
        sa.select(sa.func.max(own.c.as_of)).where(own.c.episode_id == e.id, own.c.as_of <= c.changed_at).correlate(
            episode, stage_change
        )
    ).scalar_subquery()  # fmt: skip
    later = (
        sa.select(sa.func.min(own.c.as_of)).where(own.c.episode_id == e.id).correlate(episode, stage_change)
    ).scalar_subquery()
    columns = [(episode if name in _OF_EPISODE else snapshot).c[_OF_EPISODE.get(name, name)] for name in Seen._fields]
    statement = (
        sa.select(c.stage.label("to"), c.changed_at, *columns)
        .join(episode, e.id == c.episode_id)
        .join(snapshot, sa.and_(s.episode_id == e.id, s.as_of == sa.func.coalesce(before, later)))
        .where(e.model_id == model_id, e.leader_id.is_(None))
        .order_by(c.changed_at, c.episode_id)
        .limit(PAGE)
    )
    at: datetime = after
    episode_id = 2**63 - 1
    while True:
        beyond = sa.or_(c.changed_at > at, sa.and_(c.changed_at == at, c.episode_id > episode_id))
        rows = session.execute(statement.where(c.changed_at >= at, beyond)).all()
        if rows:
            yield [Change(row[0], row[1], Seen(*row[2:])) for row in rows]
        if len(rows) < PAGE:
            return
        at, episode_id = rows[-1][1], rows[-1][2]


_OF_EPISODE = {
    name: name for name in ("model_id", "key_hash", "onset_at", "ended_at", "leader_id")
} | {"own_place": "place"}  # fmt: skip


class Told(NamedTuple):
    """A change of stage that a rule told of. members: [key, place] of the trend and its variants."""

    rule_id: int
    episode_id: int
    stage: str
    changed_at: datetime
    onset_at: datetime
    members: list[list[int]]


def told(session: Session, rule_ids: Sequence[int], since: datetime) -> list[Told]:
    """What rules told of changes since an instant."""
    statement = sa.select(*[_e[name] for name in Told._fields]).where(
        _e.rule_id.in_(rule_ids), _e.changed_at >= since
    )  # fmt: skip
    return [Told(*row) for row in session.execute(statement)]


def told_names(session: Session, rule_ids: Sequence[int], episode_ids: Sequence[int]) -> set[tuple[int, int, str]]:
    """(rule, episode, stage) of all that was ever told of these."""
    found: set[tuple[int, int, str]] = set()
    for some in chunks(episode_ids, SQL_VARIABLES // 2):
        statement = sa.select(_e.rule_id, _e.episode_id, _e.stage).where(
            _e.rule_id.in_(rule_ids), _e.episode_id.in_(some)
        )
        found |= {(row[0], row[1], row[2]) for row in session.execute(statement)}
    return found


def add_event(session: Session, row: Mapping[str, Any]) -> int | None:
    """Note that a rule tells of a change: its id; None where it has told of it already."""
    insert = insert_into(session.get_bind().dialect, alert_event)
    statement = insert.values(**row).on_conflict_do_nothing(index_elements=["rule_id", "episode_id", "stage"])
    found: int | None = session.scalar(statement.returning(_e.id))
    return found


def add_deliveries(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Messages to be delivered: rows of id, event_id, target_id, state, turn_at."""
    upsert(session, alert_delivery, [{"attempts": 0, **row} for row in rows], on=["id"])


class Event(NamedTuple):
    """Something that was told."""

    id: int
    rule_id: int
    episode_id: int
    stage: str
    changed_at: datetime
    message: dict[str, Any]
    fired_at: datetime
    rule: str
    language: str


_EVENT = [_e[name] for name in Event._fields[:-2]] + [alert_rule.c.name.label("rule"), alert_rule.c.language]


def events(session: Session, *, rule_id: int | None = None, before: int | None = None, limit: int) -> list[Event]:
    """The newest that was told, by one rule or all; before: ids below that one."""
    statement = sa.select(*_EVENT).join(alert_rule, alert_rule.c.id == _e.rule_id)
    if rule_id is not None:
        statement = statement.where(_e.rule_id == rule_id)
    if before is not None:
        statement = statement.where(_e.id < before)
    return [Event(*row) for row in session.execute(statement.order_by(_e.id.desc()).limit(limit))]


def event(session: Session, event_id: int) -> Event | None:
    """The event of an id."""
    row = session.execute(
        sa.select(*_EVENT).join(alert_rule, alert_rule.c.id == _e.rule_id).where(_e.id == event_id)
    ).first()
    return Event(*row) if row else None


class Delivery(NamedTuple):
    """A message to a target."""

    id: str
    event_id: int
    target_id: int
    state: str
    turn_at: datetime
    attempts: int
    first_at: datetime | None
    status: int | None
    error: str | None
    kind: str
    address: str | None


_DELIVERY = [_d[name] for name in Delivery._fields[:-2]] + [alert_target.c.kind, alert_target.c.address]


def deliveries(session: Session, event_ids: Sequence[int]) -> dict[int, list[Delivery]]:
    """Deliveries of events, in the order of their targets."""
    found: dict[int, list[Delivery]] = {}
    statement = sa.select(*_DELIVERY).join(alert_target, alert_target.c.id == _d.target_id)
    for row in session.execute(statement.where(_d.event_id.in_(event_ids)).order_by(_d.target_id)):
        found.setdefault(row.event_id, []).append(Delivery(*row))
    return found


def in_state(session: Session, state: str, *, limit: int) -> list[Delivery]:
    """Deliveries in a state, those of the latest turn first."""
    statement = sa.select(*_DELIVERY).join(alert_target, alert_target.c.id == _d.target_id).where(_d.state == state)
    return [Delivery(*row) for row in session.execute(statement.order_by(_d.turn_at.desc()).limit(limit))]


_OPEN = ("pending", "delivering")


def due(session: Session, now: datetime, *, limit: int) -> list[Delivery]:
    """What is to be tried now, the longest overdue first; also what was claimed by somebody who is gone."""
    statement = sa.select(*_DELIVERY).join(alert_target, alert_target.c.id == _d.target_id)
    statement = statement.where(_d.state.in_(_OPEN), _d.turn_at <= now)
    return [Delivery(*row) for row in session.execute(statement.order_by(_d.turn_at, _d.event_id, _d.id).limit(limit))]


def claim(session: Session, one: Delivery, now: datetime, until: datetime) -> bool:
    """Take a due delivery on; whether nobody else did. `until` is when others may take it over."""
    as_it_was = sa.and_(_d.id == one.id, _d.state == one.state, _d.turn_at == one.turn_at, _d.attempts == one.attempts)
    values = {
        "state": "delivering", "turn_at": until, "attempts": one.attempts + 1, "first_at": one.first_at or now,
    }  # fmt: skip
    return bool(session.connection().execute(sa.update(alert_delivery).where(as_it_was).values(values)).rowcount)


def settle(session: Session, id: str, **values: Any) -> None:
    """Say how an attempt ended: state, turn_at, status, error."""
    session.execute(sa.update(alert_delivery).where(_d.id == id).values(values))


def retry(session: Session, ids: Sequence[str], now: datetime) -> int:
    """Give dead letters all their attempts again, beginning now; how many there were."""
    values = {"state": "pending", "turn_at": now, "attempts": 0, "first_at": None}
    dead = sa.and_(_d.id.in_(ids), _d.state == "dead")
    return int(session.connection().execute(sa.update(alert_delivery).where(dead).values(values)).rowcount)


def count_in(session: Session, state: str, since: datetime | None = None, *, upto: int) -> int:
    """How many deliveries are in a state (since an instant); counted up to a number."""
    statement = sa.select(_d.id).where(_d.state == state)
    if since is not None:
        statement = statement.where(_d.turn_at > since)
    return int(session.scalar(sa.select(sa.func.count()).select_from(statement.limit(upto).subquery())) or 0)


def prune(session: Session, before: datetime, *, limit: int) -> int:
    """Forget what was told before an instant, and how it was delivered; how many."""
    ids = list(session.scalars(sa.select(_e.id).where(_e.fired_at < before).order_by(_e.fired_at).limit(limit)))
    session.execute(sa.delete(alert_delivery).where(_d.event_id.in_(ids)))
    session.execute(sa.delete(alert_event).where(_e.id.in_(ids)))
    return len(ids)

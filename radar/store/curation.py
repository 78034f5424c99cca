"""Decisions of editors on trends: rows are only added; a decision stands until a later row undoes it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import SQL_VARIABLES, chunks
from radar.store.tables import curation
from radar.store.version import answers_changed


class Decision(NamedTuple):
    """A decision. episode_id and onset_at: null where it is about a key in a market from now on."""

    id: int
    decided_at: datetime
    who: str
    action: str
    audience_market: str
    key_hash: int
    episode_id: int | None
    onset_at: datetime | None
    into_id: int | None
    into_key: int | None
    name: str | None
    reason: str
    undoes: int | None


_COLUMNS = [curation.c[name] for name in Decision._fields]


def _standing() -> list[sa.ColumnElement[bool]]:
    undone = curation.alias("undone")
    return [curation.c.action != "undo", ~sa.exists(sa.select(undone.c.id).where(undone.c.undoes == curation.c.id))]


def add(session: Session, values: dict[str, Any]) -> int:
    """Append a decision; returns its id."""
    answers_changed(session, removed=True)  # what is muted is shown to nobody from now on
    number: int = session.execute(sa.insert(curation).values(**values).returning(curation.c.id)).scalar_one()
    return number


def standing(session: Session, market: str, hashes: Collection[int]) -> list[Decision]:
    """Decisions on keys in a market that nobody undid, oldest first."""
    found: list[Decision] = []
    for some in chunks(sorted(hashes), SQL_VARIABLES):
        mine = [curation.c.audience_market == market, curation.c.key_hash.in_(some), *_standing()]
        found += [Decision(*row) for row in session.execute(sa.select(*_COLUMNS).where(*mine))]
    return sorted(found, key=lambda one: one.id)


def merged_into(session: Session, market: str, hashes: Collection[int]) -> list[Decision]:
    """Decisions that make something a variant of trends of these keys, oldest first."""
    found: list[Decision] = []
    for some in chunks(sorted(hashes), SQL_VARIABLES):
        mine = [curation.c.audience_market == market, curation.c.into_key.in_(some), *_standing()]
        found += [Decision(*row) for row in session.execute(sa.select(*_COLUMNS).where(*mine))]
    return sorted(found, key=lambda one: one.id)


def decision(session: Session, number: int) -> Decision | None:
    """One decision."""
    row = session.execute(sa.select(*_COLUMNS).where(curation.c.id == number)).first()
    return Decision(*row) if row else None


def undone_by(session: Session, ids: Sequence[int]) -> dict[int, Decision]:
    """What undid decisions, by their ids."""
    found: dict[int, Decision] = {}
    for some in chunks(ids, SQL_VARIABLES):
        rows = session.execute(sa.select(*_COLUMNS).where(curation.c.undoes.in_(some)))
        found |= {one.undoes: one for one in map(Decision._make, rows) if one.undoes is not None}
    return found


def log(session: Session, market: str | None, before: int | None, limit: int) -> list[Decision]:
    """Decisions and undoings, newest first, below an id."""
    statement = sa.select(*_COLUMNS).order_by(curation.c.id.desc()).limit(limit)
    if market:
        statement = statement.where(curation.c.audience_market == market)
    if before is not None:
        statement = statement.where(curation.c.id < before)
    return [Decision(*row) for row in session.execute(statement)]

"""Pieces of work that lie out for any process: claimed by the lock on their row, gone from the list when done.

The lock ends with the transaction that holds it, and so with the process or the host: no expiry is to be chosen, and
no clock is asked. SQLite locks no rows; its one writer does its work without a list.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import work


class Piece(NamedTuple):
    """A piece of work: its kind (count, detect), what of, and what else one must know."""

    id: int
    kind: str
    subject: str
    argument: dict[str, Any]


def put_out(session: Session, kind: str, pieces: Mapping[str, dict[str, Any]], now: datetime) -> None:
    """Lay out pieces by subject, in the place of all of that kind but those at which somebody is at work."""
    idle = sa.select(work.c.id).where(work.c.kind == kind).with_for_update(skip_locked=True)
    session.execute(sa.delete(work).where(work.c.id.in_(list(session.scalars(idle)))))
    rows = [{"kind": kind, "subject": subject, "argument": more, "created_at": now} for subject, more in pieces.items()]
    upsert(session, work, rows, on=["kind", "subject"])


def claim(session: Session, kinds: Sequence[str]) -> Piece | None:
    """The oldest piece at which nobody is at work; it is this transaction's until that ends."""
    columns = [work.c[name] for name in Piece._fields]
    statement = sa.select(*columns).where(work.c.kind.in_(kinds)).order_by(work.c.id).limit(1)
    row = session.execute(statement.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    # the claim waits in its transaction while others do the work: a server that ends idle ones must not
    session.execute(sa.select(sa.func.set_config("idle_in_transaction_session_timeout", "0", True)))
    return Piece(*row)


def drop(session: Session, piece: Piece) -> None:
    """Take a piece off the list: it is done."""
    session.execute(sa.delete(work).where(work.c.id == piece.id))


def is_left(session: Session, kind: str) -> bool:
    """Whether pieces of a kind are not done yet, by whomever."""
    return session.scalar(sa.select(work.c.id).where(work.c.kind == kind).limit(1)) is not None


def left(session: Session, kind: str) -> list[Piece]:
    """All pieces of a kind that are not done yet, the oldest first; whoever asks is the only one who does them."""
    columns = [work.c[name] for name in Piece._fields]
    return [Piece(*row) for row in session.execute(sa.select(*columns).where(work.c.kind == kind).order_by(work.c.id))]


def is_there(session: Session, piece: Piece) -> bool:
    """Whether a piece still lies out; holds it until the transaction ends."""
    return session.scalar(sa.select(work.c.id).where(work.c.id == piece.id).with_for_update()) is not None

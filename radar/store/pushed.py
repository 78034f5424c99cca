"""Batches that were pushed under a key, with what was answered."""

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import pushed_batch

b = pushed_batch.c


class Pushed(NamedTuple):
    """What was answered to a batch. content: the hash of its body."""

    content: str
    answer: dict[str, Any]


def pushed(session: Session, key: str) -> Pushed | None:
    """What was answered to the batch of that key."""
    row = session.execute(sa.select(b.content, b.answer).where(b.idempotency_key == key)).first()
    return Pushed(*row) if row else None


def note_pushed(session: Session, key: str, content: str, now: datetime, answer: dict[str, Any]) -> None:
    """Keep what was answered to a batch, in its transaction."""
    row = {"idempotency_key": key, "content": content, "pushed_at": now, "answer": answer}
    session.execute(sa.insert(pushed_batch).values(row))


def prune_pushed(session: Session, before: datetime) -> int:
    """Forget batches that were pushed before then."""
    return int(session.connection().execute(sa.delete(pushed_batch).where(b.pushed_at < before)).rowcount)

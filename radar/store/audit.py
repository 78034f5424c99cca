"""The audit log: who wrote what and when, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.actors import Actor
from radar.store.tables import audit

a = audit.c
LONGEST = 500
"""Characters of a target that are kept."""


def record(
    session: Session, actor: Actor, action: str, target: str, detail: Mapping[str, Any] | None = None,
    *, outcome: str = "done",
) -> None:  # fmt: skip
    """Write down what an actor did, in the transaction that does it.

    action   what was done, as `POST /v1/lists/{name}` or `radar keys create`
    target   to what; never a text, a secret, or a name that its owner may want erased: an author by its number
    detail   what else an admin wants to know, as JSON
    outcome  done, refused or failed

    A request that was recorded by its route is not recorded once more from outside; see radar.api.admission.
    """
    row = {
        "at": actor.at, "actor_kind": actor.kind, "actor": actor.name[:64], "action": _plain(action)[:200],
        "target": _plain(target)[:LONGEST], "outcome": outcome, "detail": dict(detail or {}),
        "request_id": actor.request_id,
    }  # fmt: skip
    session.execute(sa.insert(audit).values(row))
    actor.noted.append(action)


def _plain(text: str) -> str:
    """What every database takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def entries(session: Session, *, limit: int, before: int | None = None) -> list[sa.Row[Any]]:
    """Entries, the newest first. before: only those older than the entry of that id."""
    statement = sa.select(audit).order_by(a.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(a.id < before)
    return list(session.execute(statement))


def prune_audit(session: Session, before: datetime) -> int:
    """Forget entries that are older."""
    return int(session.connection().execute(sa.delete(audit).where(a.at < before)).rowcount)

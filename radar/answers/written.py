"""The audit log, in pages: who wrote what and when, the newest first."""

import base64
import json
from typing import Any

from sqlalchemy.orm import Session

from radar.errors import CallerError
from radar.store import audit


def written(session: Session, *, limit: int, cursor: str | None = None) -> dict[str, Any]:
    """One page of the audit log. cursor: `next` of the page before. Raises CallerError for one that is none."""
    found = audit.entries(session, limit=limit + 1, before=_read(cursor) if cursor else None)
    page = found[:limit]
    items = [
        {
            "id": str(row.id), "at": row.at, "by": {"kind": row.actor_kind, "name": row.actor},
            "action": row.action, "target": row.target, "outcome": row.outcome, "detail": row.detail,
            "request_id": row.request_id or None,
        }
        for row in page
    ]  # fmt: skip
    return {"items": items, "next": _cursor(page[-1].id) if len(found) > limit else None}


def _cursor(id: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([id]).encode()).decode().rstrip("=")


def _read(cursor: str) -> int:
    try:
        [id] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(id) is int and 0 < id < 2**63:
            return id
    except (ValueError, TypeError):
        pass
    raise CallerError("cursor: this is no cursor.", "Take `next` of the page before; or leave it out to begin again.")

"""What the jobs did: every run that is kept, in pages."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.cursors import cursor_of, mark_of, place_in
from radar.answers.names import UnknownFilter
from radar.answers.ordering import one_order
from radar.errors import CallerError
from radar.store import runs as store

OUTCOMES = ("running", "ok", "failed", "abandoned")
SORTS = ("started_at",)
MOST = 1_000


def runs(
    session: Session,
    *,
    job: str | None = None,
    outcome: str | None = None,
    since: datetime | None = None,
    sort: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of runs, the newest first (`sort=started_at`: the oldest). Raises UnknownFilter and CallerError."""
    _, descending = one_order(sort, SORTS, "-started_at")
    if not 1 <= limit <= MOST:
        raise CallerError(f"limit: {limit} is not from 1 to {MOST}.", "Take pages by `next`.")
    known = sorted(store.latest_runs(session))
    if job and job not in known:
        raise UnknownFilter("job", job[:60], known)
    if outcome and outcome not in OUTCOMES:
        raise UnknownFilter("outcome", outcome[:60], list(OUTCOMES))
    mark = mark_of("runs", job, outcome, since, descending)
    after = place_in(mark, cursor, (int,))[0] if cursor else None
    found = store.some_runs(
        session, job=job, outcome=outcome, since=since, after=after, descending=descending, limit=limit + 1
    )
    page = found[:limit]
    return {
        "items": [{"id": str(run.id)} | shown_run(run) for run in page],
        "next": cursor_of(mark, page[-1].id) if len(found) > limit else None,
        "jobs": known,
    }


def shown_run(run: store.Run) -> dict[str, Any]:
    """A run as answers show it."""
    return {
        "job": run.job,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "outcome": run.outcome,
        "rows_in": run.rows_in,
        "rows_out": run.rows_out,
        "detail": run.detail,
        "error": run.error,
    }

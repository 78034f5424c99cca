"""Runs of jobs, the scheduler's lease, and the state of sources."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import SQL_VARIABLES, chunks, insert_into, upsert
from radar.store.tables import imported_file, lease, rejected_post, run, source_state, watched_account


class Run(NamedTuple):
    """One run of a job."""

    id: int
    job: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    rows_in: int | None
    rows_out: int | None
    detail: str | None
    error: str | None


def begin_run(session: Session, job: str, now: datetime, host: str, pid: int) -> int:
    """Record that a job started; one that never ended is noted as abandoned: who begins holds the job's lease."""
    _abandon(session, job, now)
    row = {"job": job, "started_at": now, "outcome": "running", "host": host, "pid": pid}
    return int(session.execute(sa.insert(run).values(row).returning(run.c.id)).scalar_one())


def begin_tick(session: Session, job: str, due_at: datetime, now: datetime, host: str, pid: int) -> int | None:
    """The same for one tick of a job's schedule; None where that tick was begun before, by whomever."""
    row = {"job": job, "started_at": now, "outcome": "running", "host": host, "pid": pid, "due_at": due_at}
    insert = insert_into(session.get_bind().dialect, run).values(row)
    statement = insert.on_conflict_do_nothing(index_elements=["job", "due_at"]).returning(run.c.id)
    begun: int | None = session.execute(statement).scalar_one_or_none()
    if begun is not None:
        _abandon(session, job, now, but=begun)
    return begun


def _abandon(session: Session, job: str, now: datetime, but: int = 0) -> None:
    session.execute(
        sa.update(run)
        .where(run.c.job == job, run.c.outcome == "running", run.c.id != but)
        .values(outcome="abandoned", ended_at=now, error="the process ended before the job did")
    )


def last_tick(session: Session, job: str, now: datetime) -> datetime | None:
    """The last tick of a job that was begun; those a clock that ran ahead has left in the future are none."""
    at: datetime | None = session.scalar(
        sa.select(sa.func.max(run.c.due_at)).where(run.c.job == job, run.c.due_at <= now)
    )
    return at


def running_at(session: Session, job: str) -> str | None:
    """Host and process of the run of a job that has not ended, as far as is known."""
    newest = sa.select(run.c.host, run.c.pid).where(run.c.job == job, run.c.outcome == "running")
    row = session.execute(newest.order_by(run.c.started_at.desc()).limit(1)).first()
    return f"{row.host}:{row.pid}" if row else None


def end_run(session: Session, run_id: int, **values: Any) -> None:
    """Record how a run ended: ended_at, outcome, rows_in, rows_out, detail, error."""
    session.execute(sa.update(run).where(run.c.id == run_id).values(**values))


def latest_runs(session: Session) -> dict[str, Run]:
    """The newest run of each job."""
    found: dict[str, Run] = {}
    job = ""
    while (job := session.scalar(sa.select(sa.func.min(run.c.job)).where(run.c.job > job))) is not None:
        newest = sa.select(*[run.c[name] for name in Run._fields]).where(run.c.job == job)
        found[job] = Run(*session.execute(newest.order_by(run.c.id.desc()).limit(1)).one())
    return found


def some_runs(
    session: Session,
    *,
    job: str | None = None,
    outcome: str | None = None,
    since: datetime | None = None,
    after: int | None = None,
    descending: bool = True,
    limit: int,
) -> list[Run]:
    """Runs by id, which is the order they began in: those after one of them."""
    wanted: list[sa.ColumnElement[bool]] = []
    if job is not None:
        wanted.append(run.c.job == job)
    if outcome is not None:
        wanted.append(run.c.outcome == outcome)
    if since is not None:
        first = _first_since(session, since, job)
        if first is None:
            return []
        wanted += [run.c.id >= first, run.c.started_at >= since]  # a clock may have gone back between two of them
    if after is not None:
        wanted.append(run.c.id < after if descending else run.c.id > after)
    statement = sa.select(*[run.c[name] for name in Run._fields]).where(*wanted)
    order = run.c.id.desc() if descending else run.c.id
    return [Run(*row) for row in session.execute(statement.order_by(order).limit(limit))]


def _first_since(session: Session, since: datetime, job: str | None) -> int | None:
    """The lowest id of a run since then: how far a walk down the ids goes."""
    mine = [run.c.job == job] if job is not None else []
    first: int | None = session.scalar(
        sa.select(sa.func.min(run.c.id + 0)).where(
            run.c.started_at >= since, *mine
        )  # + 0: by time, not through the ids
    )
    return first


def prune_runs(session: Session, before: datetime) -> int:
    """Drop runs that started before then."""
    return int(session.connection().execute(sa.delete(run).where(run.c.started_at < before)).rowcount)


def take_lease(session: Session, name: str, holder: str, now: datetime, length: timedelta) -> bool:
    """Hold or renew a lease; False while another holder's has not run out."""
    upsert(session, lease, [{"name": name, "holder": holder, "expires_at": now}], on=["name"])
    taken = session.connection().execute(
        sa.update(lease)
        .where(lease.c.name == name, sa.or_(lease.c.holder == holder, lease.c.expires_at <= now))
        .values(holder=holder, expires_at=now + length)
    )
    return taken.rowcount == 1


def tell_lease(session: Session, name: str, holder: str, until: datetime) -> None:
    """Say who holds what another lock decides on, so that others can read it."""
    row = {"name": name, "holder": holder, "expires_at": until}
    upsert(session, lease, [row], on=["name"], update=["holder", "expires_at"])


def is_silent(session: Session, name: str, now: datetime) -> str | None:
    """Who holds a lease that has run out, and so should have been heard of since."""
    statement = sa.select(lease.c.holder).where(lease.c.name == name, lease.c.expires_at <= now)
    holder: str | None = session.scalar(statement)
    return holder


def holder_of(session: Session, name: str, now: datetime) -> str | None:
    """Who holds a lease that has not run out."""
    statement = sa.select(lease.c.holder).where(lease.c.name == name, lease.c.expires_at > now)
    holder: str | None = session.scalar(statement)
    return holder


def release_lease(session: Session, name: str, holder: str) -> None:
    """Give a lease back."""
    session.execute(sa.delete(lease).where(lease.c.name == name, lease.c.holder == holder))


class SourceState(NamedTuple):
    """A configured source and how it fares."""

    name: str
    kind: str
    config: dict[str, Any]
    cursor: dict[str, Any] | None
    watermark_at: datetime | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    is_simulated: bool
    pause_reason: str | None
    resume_at: datetime | None


def source_states(session: Session) -> list[SourceState]:
    """All sources by name."""
    statement = sa.select(*[source_state.c[name] for name in SourceState._fields]).order_by(source_state.c.name)
    return [SourceState(*row) for row in session.execute(statement)]


def add_source(session: Session, name: str, kind: str, config: dict[str, Any], is_simulated: bool) -> None:
    """Configure a source, unless it is there."""
    row = {"name": name, "kind": kind, "config": config, "is_simulated": is_simulated}
    upsert(session, source_state, [row], on=["name"])


def set_cursor(session: Session, name: str, cursor: dict[str, Any]) -> None:
    """Give a source another cursor, and nothing else."""
    session.execute(sa.update(source_state).where(source_state.c.name == name).values(cursor=cursor))


def configure_source(session: Session, name: str, config: dict[str, Any]) -> None:
    """Give a source another configuration."""
    session.execute(sa.update(source_state).where(source_state.c.name == name).values(config=config))


def advance_source(
    session: Session, name: str, cursor: dict[str, Any] | None, watermark_at: datetime | None, now: datetime
) -> None:
    """Keep the cursor that follows posts just written, in their transaction; without a watermark it stays."""
    values: dict[str, Any] = {"cursor": cursor, "last_success_at": now}
    if watermark_at is not None:
        values["watermark_at"] = watermark_at
    session.execute(sa.update(source_state).where(source_state.c.name == name).values(values))


def settle_source(session: Session, name: str, since: datetime) -> None:
    """Let a source that watches accounts stand where the slowest of those stands that answered since then."""
    w = watched_account.c
    healthy = sa.and_(w.source == name, w.last_success_at >= since)
    found = session.execute(sa.select(sa.func.min(w.watermark_at), sa.func.max(w.last_success_at)).where(healthy)).one()
    if found[1] is not None:
        values = {"watermark_at": found[0], "last_success_at": found[1]}
        session.execute(sa.update(source_state).where(source_state.c.name == name).values(values))


def note_source_error(session: Session, name: str, now: datetime, error: str) -> None:
    """Keep what went wrong with a source; its cursor stays."""
    session.execute(
        sa.update(source_state).where(source_state.c.name == name).values(last_error_at=now, last_error=error[:2000])
    )


def keep_rejected(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Set aside what could not be taken: rows of source, seen_at, native_id, reason, payload.

    An item with an id that was set aside for the same reason already is not set aside again: sources show it each time.
    """
    r = rejected_post.c
    known: set[tuple[str, str | None, str]] = set()
    for some in chunks([row for row in rows if row["native_id"]], SQL_VARIABLES // 2):
        here = r.source.in_({row["source"] for row in some}) & r.native_id.in_({row["native_id"] for row in some})
        found = session.execute(sa.select(r.source, r.native_id, r.reason).where(here))
        known |= {(source, native_id, reason) for source, native_id, reason in found}
    new = [row for row in rows if (row["source"], row["native_id"], row["reason"]) not in known]
    if new:
        session.connection().execute(sa.insert(rejected_post), new)


def note_import(
    session: Session, content: int, source: str, now: datetime, row_count: int, rejected_count: int
) -> None:
    """Keep how far a file (by the hash of its content) was read; imported again, it counts as it does now."""
    row = {
        "content": content, "source": source, "imported_at": now, "row_count": row_count,
        "rejected_count": rejected_count,
    }  # fmt: skip
    upsert(session, imported_file, [row], on=["content"], update=[name for name in row if name != "content"])


def prune_rejected(session: Session, before: datetime) -> int:
    """Drop rejected items seen before then, and what is kept of files that were imported before then."""
    session.execute(sa.delete(imported_file).where(imported_file.c.imported_at < before))
    return int(session.connection().execute(sa.delete(rejected_post).where(rejected_post.c.seen_at < before)).rowcount)

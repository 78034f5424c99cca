"""How the radar runs, in figures that are cheap at any size: every statement follows an index or stops early."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.alerts import count_in
from radar.store.answers import lease_of, waiting_days, waiting_posts
from radar.store.promotion import named_model
from radar.store.tables import post, run

DAY = timedelta(days=1)
COUNTED = 100_000
"""Waiting posts are counted up to here."""
LOOKED_AT = 1000
"""The last success of a job is looked for among so many of its newest runs."""


@dataclass(frozen=True, slots=True)
class State:
    """What an operator watches.

    runs             runs that began within the last 24 hours, by job and outcome
    succeeded_at     when each job last ended well; without those that did not among their newest runs
    waiting_posts    posts that wait for classification, by market
    dirty_days       days that wait for a recount, by market
    newest_posts     when the newest post of each market was published
    alerts           messages that wait, that were given up, and that were sent within the last 24 hours
    scheduler_until  when the scheduler's lease runs out; None where none is held
    """

    runs: dict[tuple[str, str], int]
    succeeded_at: dict[str, datetime]
    waiting_posts: dict[str, int]
    dirty_days: dict[str, int]
    newest_posts: dict[str, datetime]
    scheduler_until: datetime | None
    model_id: str | None
    alerts: dict[str, int]


def state(session: Session, jobs: Sequence[str], markets: Sequence[str], now: datetime) -> State:
    """All of it, for these jobs and markets."""
    lease = lease_of(session, "scheduler")
    return State(
        runs=runs_since(session, jobs, now - DAY),
        succeeded_at={job: at for job in jobs if (at := succeeded_at(session, job)) is not None},
        waiting_posts=waiting_posts(session, COUNTED),
        dirty_days=waiting_days(session),
        newest_posts={code: at for code in markets if (at := newest_post(session, code)) is not None},
        scheduler_until=lease[1] if lease else None,
        model_id=named_model(session),
        alerts={
            "waiting": count_in(session, "pending", upto=COUNTED),
            "dead": count_in(session, "dead", upto=COUNTED),
            "sent": count_in(session, "sent", now - DAY, upto=COUNTED),
        },
    )


def runs_since(session: Session, jobs: Sequence[str], since: datetime) -> dict[tuple[str, str], int]:
    """Runs that began since then, by job and outcome."""
    statement = (
        sa.select(run.c.job, run.c.outcome, sa.func.count())
        .where(run.c.job.in_(jobs), run.c.started_at >= since)
        .group_by(run.c.job, run.c.outcome)
    )
    return {(job, outcome): n for job, outcome, n in session.execute(statement)}


def succeeded_at(session: Session, job: str) -> datetime | None:
    """When a job last ended well, as far as its newest runs know."""
    r = run.c
    newest = sa.select(r.outcome, r.started_at, r.ended_at).where(r.job == job)
    some = newest.order_by(r.started_at.desc()).limit(LOOKED_AT).subquery().c
    ended: datetime | None = session.scalar(
        sa.select(some.ended_at).where(some.outcome == "ok").order_by(some.started_at.desc()).limit(1)
    )
    return ended


def newest_post(session: Session, market: str) -> datetime | None:
    """When the newest post of a market was published; reads its newest local day, and no other."""
    p = post.c
    last = sa.select(sa.func.max(p.local_day)).where(p.audience_market == market).scalar_subquery()
    at: datetime | None = session.scalar(
        sa.select(sa.func.max(p.published_at)).where(p.audience_market == market, p.local_day == last)
    )
    return at


def database_clock(session: Session) -> datetime:
    """What time it is for PostgreSQL; SQLite has no clock of its own."""
    at: datetime = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return at

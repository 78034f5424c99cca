"""Jobs, and what runs them: by hand, once in order, or on a schedule by the one process that holds the lease."""

import importlib
import logging
import os
import pkgutil
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.orm import Session

from radar.config import Settings
from radar.errors import RadarError, UnknownName
from radar.memory import give_back
from radar.registry import TopicScorer, fitted_folder, fitting, model_folder, model_id, open_scorer
from radar.spread import load_ahead
from radar.store import promotion, runs
from radar.store.engine import reading, writing
from radar.store.lasting import lasting, patiently
from radar.store.locks import SessionLock, has_locks

log = logging.getLogger("radar")

LEASE = timedelta(seconds=45)
JOB_LEASE = timedelta(seconds=90)
NICE = 10
"""How much the scheduler beside a server gives way to it: answers come before jobs where both want the processor."""
GRACE = timedelta(minutes=5)
"""A job that is later than this waits for its next tick."""
MOST_MISSED = 1_000
"""Missed ticks are counted up to here."""
LINE = ("ingest_posts", "classify_posts", "count_mentions", "detect_trends")
"""The jobs that take a post to a trend, in order."""

load_ahead("radar.loaded_ahead")

Progress = Callable[[str, int, int | None], None]
"""progress(what, done, of): of is None while it is not known."""


def silent(what: str, done: int, of: int | None) -> None:
    """Progress that nobody looks at."""


@dataclass(slots=True)
class Outcome:
    """What a job did."""

    detail: str
    rows_in: int = 0
    rows_out: int = 0


@dataclass(slots=True)
class Context:
    """What a job is given. `now` is the time of the run; jobs ask no clock."""

    engine: sa.Engine
    settings: Settings
    now: datetime
    progress: Progress = silent
    coming: Callable[[], bool] = lambda: False
    """Whether posts come in while the job is at work, so that whoever reads them waits for the last."""
    _scorer: TopicScorer | None = field(default=None)

    @property
    def model_id(self) -> str:
        """The store's active model: the shipped one in a new store, and then whichever was promoted last."""
        with reading(self.engine) as session:
            named = promotion.named_model(session)
        if named is None:
            with writing(self.engine) as session, session.begin():
                promotion.name_active(session, promotion.active_model(session) or model_id())
                named = promotion.active_model(session) or model_id()
        return named

    @property
    def model_folder(self) -> Path:
        """Where the active model is kept; the shipped one is fitted first where it is missing. Raises RadarError."""
        active = self.model_id
        if active == model_id():
            return fitted_folder(self.settings, apart=True)
        folder = self.settings.models_dir / "topics" / active
        if not folder.is_dir():
            raise RadarError(
                f"The posts here are read by {active}, which is not in {folder.parent}.",
                f"Bring its folder back, or promote another model; radar ships {model_id()}.",
            )
        return folder

    def fitting(self) -> AbstractContextManager[None]:
        """Fit the shipped model meanwhile, in another process, where it is the active one and missing."""
        is_shipped = self.model_id == model_id()
        return fitting(model_folder(self.settings)) if is_shipped else nullcontext()

    @property
    def scorer(self) -> TopicScorer:
        """The active model's topic scorer, loaded when first asked for."""
        folder = self.model_folder
        if self._scorer is None or self._scorer.model_id != folder.name:
            self._scorer = open_scorer(folder)
        return self._scorer


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work on a schedule (crontab fields: minute hour day month weekday, UTC).

    follows  a job that has news for this one: it is run at once after it, besides its schedule
    """

    name: str
    cron: str
    run: Callable[[Context], Outcome]
    follows: str | None = None

    @property
    def summary(self) -> str:
        """What the job does, from its module's docstring."""
        module = importlib.import_module(self.run.__module__)
        return (module.__doc__ or "").strip().splitlines()[0]


def job_names() -> list[str]:
    """Names of all jobs, which are those of their modules, without loading what they work with."""
    return [module.name for module in pkgutil.iter_modules(importlib.import_module("radar._content.jobs").__path__)]


def load_jobs() -> dict[str, Job]:
    """All jobs by name, from jobs/."""
    found = {}
    for name in job_names():
        job: Job = importlib.import_module(f"radar._content.jobs.{name}").JOB
        found[job.name] = job
    return found


def run_job(name: str, context: Context) -> Outcome:
    """Run one job now, recorded as a run; waits while another process runs the same job.

    Raises what the job raises, after recording it.
    """
    done = _run_alone(_named(name), context, None)
    assert done is not None
    return done


def run_followers(name: str, done: Outcome, context: Context) -> dict[str, Outcome]:
    """Run what follows a job at once, if that job wrote anything; what each said, by its name."""
    if not done.rows_out:
        return {}
    return {job.name: run_job(job.name, context) for job in load_jobs().values() if job.follows == name}


def _named(name: str) -> Job:
    jobs = load_jobs()
    if name not in jobs:
        raise UnknownName("job", name, list(jobs))
    return jobs[name]


def _run_alone(job: Job, context: Context, tick: "Tick | None") -> Outcome | None:
    with alone(job.name, context):
        return _run(job, context, tick)


@contextmanager
def alone(name: str, context: Context) -> Iterator[None]:
    """Hold the job's lock while others wait for it; a dead process's is free at once, or can be taken over."""
    holding = _locked if has_locks(context.engine) else _leased
    with holding(name, context):
        yield


@contextmanager
def _locked(name: str, context: Context) -> Iterator[None]:
    """Hold the job's lock of the database, which ends with this process's connection."""
    lock, waited = SessionLock(context.engine, f"job {name}"), False
    while not patiently(lock.take):
        if not waited:
            with reading(context.engine) as session:
                other = runs.running_at(session, name)
            log.warning("%s: waits for %s, which runs it", name, other or "another process")
            waited = True
        time.sleep(0.2)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _leased(name: str, context: Context) -> Iterator[None]:
    """Hold the job's lease, kept alive by a thread; one left behind by a dead process of this host is taken over."""
    lease, holder = f"job:{name}", f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    waited = False
    while not _take(context.engine, lease, holder):
        with reading(context.engine) as session:
            other = runs.holder_of(session, lease, datetime.now(UTC))
        if other and _is_dead(other):
            with writing(context.engine) as session, session.begin():
                runs.release_lease(session, lease, other)
            continue
        if other and not waited:
            log.warning("%s: waits for %s, which runs it", name, other.rpartition(":")[0])
            waited = True
        time.sleep(0.2)
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(JOB_LEASE.total_seconds() / 3):
            _take(context.engine, lease, holder)

    keeper = threading.Thread(target=keep, name=f"lease of {name}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()
        with writing(context.engine) as session, session.begin():
            runs.release_lease(session, lease, holder)


def _take(engine: sa.Engine, lease: str, holder: str) -> bool:
    with writing(engine) as session, session.begin():
        return runs.take_lease(session, lease, holder, datetime.now(UTC), JOB_LEASE)


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this host that is gone."""
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _run(job: Job, context: Context, tick: "Tick | None") -> Outcome | None:
    """Do it and record it; None where the tick was begun by another process."""
    run_id = lasting(context.engine, lambda session: _begin(session, job, context, tick))
    if run_id is None:
        return None
    try:
        outcome = job.run(context)
    except BaseException as error:
        values = {"outcome": "failed", "error": f"{type(error).__name__}: {error}"[:2000]}
        _end(context, run_id, values)
        raise
    detail = outcome.detail + (f"; {tick.told}" if tick and tick.missed else "")
    _end(context, run_id, {"outcome": "ok", "rows_in": outcome.rows_in, "rows_out": outcome.rows_out, "detail": detail})
    give_back()
    return outcome


def _begin(session: Session, job: Job, context: Context, tick: "Tick | None") -> int | None:
    host, pid = socket.gethostname(), os.getpid()
    if tick is None:
        return runs.begin_run(session, job.name, context.now, host, pid)
    return runs.begin_tick(session, job.name, tick.due_at, context.now, host, pid)


def _end(context: Context, run_id: int, values: dict[str, Any]) -> None:
    lasting(context.engine, lambda session: runs.end_run(session, run_id, ended_at=datetime.now(UTC), **values))


def _run_and_tell(job: Job, context: Context, tick: "Tick | None") -> Outcome | None:
    """Run a job, and say in one line of the log how it ended; raises nothing. None where it failed or was not begun."""
    began = time.perf_counter()

    def facts(outcome: str, **more: int) -> dict[str, object]:
        seconds = round(time.perf_counter() - began, 3)
        return {"facts": {"job": job.name, "outcome": outcome, "seconds": seconds, **more}}

    try:
        done = _run_alone(job, context, tick)
        if done is not None:
            log.info("%s: %s", job.name, done.detail, extra=facts("ok", rows_in=done.rows_in, rows_out=done.rows_out))
        return done
    except RadarError as error:
        log.error("%s: %s", job.name, error, extra=facts("failed"))
    except Exception:
        log.exception("%s failed", job.name, extra=facts("failed"))
    return None


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment at which a job is due, and how many of its moments before that nobody came to."""

    due_at: datetime
    missed: int

    @property
    def told(self) -> str:
        """The missed ones in words."""
        many = f"more than {MOST_MISSED - 1}" if self.missed >= MOST_MISSED else str(self.missed)
        return f"{many} earlier tick{'s were' if self.missed != 1 else ' was'} missed"


def trigger_of(job: Job) -> CronTrigger:
    """When a job is due."""
    return CronTrigger.from_crontab(job.cron, timezone=UTC)


def tick_between(trigger: CronTrigger, since: datetime, now: datetime) -> Tick | None:
    """The last moment in (since, now] at which a job is due, with those before it; None where there is none.

    >>> hourly = CronTrigger.from_crontab("5 * * * *", timezone=UTC)
    >>> tick_between(hourly, datetime(2026, 5, 1, 7, 5, tzinfo=UTC), datetime(2026, 5, 1, 10, 30, tzinfo=UTC))
    Tick(due_at=datetime.datetime(2026, 5, 1, 10, 5, tzinfo=datetime.timezone.utc), missed=2)
    """
    if (at := trigger.get_next_fire_time(since, now)) is None or at > now:
        return None
    missed = 0
    while (then := trigger.get_next_fire_time(at, now)) is not None and then <= now:
        at, missed = then, missed + 1
        if missed == MOST_MISSED:  # long ago: the last one is looked for from just before now
            found = tick_between(trigger, max(at, now - GRACE), now)
            return Tick(found.due_at if found else at, MOST_MISSED)
    return Tick(at.astimezone(UTC), missed)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


class Scheduler:
    """Runs the jobs on their schedule while it is the one that does; stands by while another process is.

    Who is it, decides on PostgreSQL a lock that ends with the holder's connection, on SQLite a lease of 45 s. Whoever
    it is, a tick is begun once: runs have a unique (job, tick). A process that was cut off and does not know yet that
    another one took over finds the tick taken.
    """

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self._began = datetime.now(UTC)
        self._jobs = load_jobs()
        self._one_at_a_time = threading.Lock()
        self._lock = SessionLock(engine, "scheduler") if has_locks(engine) else None
        self._holds: bool | None = None
        self._scorer: TopicScorer | None = None
        # memory job store: the schedule is in jobs/, and a job store shared by processes runs every tick twice
        self._scheduler = BlockingScheduler(timezone=UTC)

    def serve(self) -> None:
        """Run until stopped."""
        for job in self._jobs.values():
            self._scheduler.add_job(
                self._tick, trigger_of(job), args=[job.name], id=job.name,
                coalesce=True, max_instances=1, misfire_grace_time=int(GRACE.total_seconds()),
            )  # fmt: skip
        self._renew()
        self._scheduler.add_job(
            self._renew, "interval", seconds=LEASE.total_seconds() / 3, max_instances=1, coalesce=True
        )
        try:
            self._scheduler.start()
        finally:
            self._give_up()

    def stop(self) -> None:
        """End serve()."""
        self._scheduler.shutdown(wait=False)

    def _renew(self) -> None:
        """Find out whether this is the one that runs; where it is now, ticks that nobody came to are looked for."""
        try:
            holds = self._is_it()
        except sa.exc.SQLAlchemyError as error:
            log.error("scheduler: the store does not answer, nothing begins meanwhile: %s", _first_line(error))
            self._holds = False
            return
        if holds != self._holds:
            log.info("scheduler %s", "holds the lease" if holds else "stands by: another one runs")
        if holds and not self._holds:
            for name in self._jobs:
                self._scheduler.add_job(self._tick, args=[name], misfire_grace_time=None)
        self._holds = holds

    def _is_it(self) -> bool:
        now = datetime.now(UTC)
        if self._lock is None:
            with writing(self.engine) as session, session.begin():
                return runs.take_lease(session, "scheduler", self.holder, now, LEASE)
        if not self._lock.take():
            with reading(self.engine) as session:
                silent = runs.is_silent(session, "scheduler", now)
            if silent:  # it stands still, or its host does: its connection is there, and nobody at it
                log.warning("scheduler: %s holds the lock and is silent, it is let go", silent)
                self._lock.take_away()
            if not silent or not self._lock.take():
                return False
        with writing(self.engine) as session, session.begin():
            runs.tell_lease(session, "scheduler", self.holder, now + LEASE)
        return True

    def _give_up(self) -> None:
        with suppress(sa.exc.SQLAlchemyError), writing(self.engine) as session, session.begin():
            runs.release_lease(session, "scheduler", self.holder)
        if self._lock is not None:
            self._lock.release()

    def _tick(self, name: str) -> None:
        """Run a job if it is due and nobody has begun that yet."""
        if not self._holds:
            return
        asked_at, job = datetime.now(UTC), self._jobs[name]
        with self._one_at_a_time:
            now = datetime.now(UTC)
            try:
                with reading(self.engine) as session:
                    last = runs.last_tick(session, name, now)
            except sa.exc.SQLAlchemyError as error:
                log.error("%s: not begun, the store does not answer: %s", name, _first_line(error))
                return
            tick = tick_between(trigger_of(job), last or self._began, now)
            if tick is None:
                return
            if tick.missed:
                log.warning("%s: %s", name, tick.told)
            if asked_at - tick.due_at > GRACE:  # while it waited for another job here it was not late
                log.warning("%s: missed at %s, too late to make up for it", name, f"{tick.due_at:%m-%d %H:%M} UTC")
                return
            context = Context(self.engine, self.settings, now, _scorer=self._scorer)
            done = _run_and_tell(job, context, tick)
            self._scorer = context._scorer
            for other in self._jobs.values() if done and done.rows_out else ():
                if other.follows == name:
                    _run_and_tell(other, Context(self.engine, self.settings, datetime.now(UTC)), None)

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
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

from radar.config import Settings
from radar.errors import RadarError, UnknownName
from radar.memory import give_back
from radar.registry import TopicScorer, fitted_folder, fitting, model_folder, model_id, open_scorer
from radar.spread import load_ahead
from radar.store import promotion, runs
from radar.store.engine import reading, writing

log = logging.getLogger("radar")

LEASE = timedelta(seconds=45)
JOB_LEASE = timedelta(seconds=90)
LINE = ("ingest_posts", "classify_posts", "count_mentions", "detect_trends")
"""The jobs that take a post to a trend, in order."""

load_ahead("radar.classify", "radar.count", "radar.detect", "radar.topics.compiled")

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
    """A piece of work on a schedule (crontab fields: minute hour day month weekday, UTC)."""

    name: str
    cron: str
    run: Callable[[Context], Outcome]

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
    jobs = load_jobs()
    if name not in jobs:
        raise UnknownName("job", name, list(jobs))
    with _alone(name, context):
        return _run(jobs[name], context)


@contextmanager
def _alone(name: str, context: Context) -> Iterator[None]:
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


def _run(job: Job, context: Context) -> Outcome:
    host, pid = socket.gethostname(), os.getpid()
    with writing(context.engine) as session, session.begin():
        run_id = runs.begin_run(session, job.name, context.now, host, pid)
    try:
        outcome = job.run(context)
    except BaseException as error:
        values = {"outcome": "failed", "error": f"{type(error).__name__}: {error}"[:2000]}
        with writing(context.engine) as session, session.begin():
            runs.end_run(session, run_id, ended_at=datetime.now(UTC), **values)
        raise
    with writing(context.engine) as session, session.begin():
        runs.end_run(
            session, run_id, ended_at=datetime.now(UTC), outcome="ok", rows_in=outcome.rows_in,
            rows_out=outcome.rows_out, detail=outcome.detail,
        )  # fmt: skip
    give_back()
    return outcome


def _run_and_tell(name: str, context: Context) -> None:
    """Run a job, and say in one line of the log how it ended; raises nothing."""
    began = time.perf_counter()

    def facts(outcome: str, **more: int) -> dict[str, object]:
        return {"facts": {"job": name, "outcome": outcome, "seconds": round(time.perf_counter() - began, 3), **more}}

    try:
        done = run_job(name, context)
        log.info("%s: %s", name, done.detail, extra=facts("ok", rows_in=done.rows_in, rows_out=done.rows_out))
    except RadarError as error:
        log.error("%s: %s", name, error, extra=facts("failed"))
    except Exception:
        log.exception("%s failed", name, extra=facts("failed"))


def run_line(context: Context) -> dict[str, Outcome]:
    """Ingest, classify, count and detect, one after another."""
    return {name: run_job(name, context) for name in LINE}


class Scheduler:
    """Runs the jobs on their schedule while it holds the lease; stands by while another process does."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self.engine, self.settings = engine, settings
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self._one_at_a_time = threading.Lock()
        self._holds: bool | None = None
        self._scorer: TopicScorer | None = None
        # memory job store: the schedule is in jobs/, and a job store shared by processes runs every tick twice
        self._scheduler = BlockingScheduler(timezone=UTC)

    def serve(self) -> None:
        """Run until stopped."""
        for job in load_jobs().values():
            self._scheduler.add_job(
                self._tick, CronTrigger.from_crontab(job.cron, timezone=UTC), args=[job.name], id=job.name,
                coalesce=True, max_instances=1, misfire_grace_time=300,
            )  # fmt: skip
        self._renew()
        self._scheduler.add_job(self._renew, "interval", seconds=LEASE.total_seconds() / 3, max_instances=1)
        try:
            self._scheduler.start()
        finally:
            with writing(self.engine) as session, session.begin():
                runs.release_lease(session, "scheduler", self.holder)

    def stop(self) -> None:
        """End serve()."""
        self._scheduler.shutdown(wait=False)

    def _renew(self) -> None:
        with writing(self.engine) as session, session.begin():
            holds = runs.take_lease(session, "scheduler", self.holder, datetime.now(UTC), LEASE)
        if holds != self._holds:
            log.info("scheduler %s", "holds the lease" if holds else "stands by: another one runs")
        self._holds = holds

    def _tick(self, name: str) -> None:
        if not self._holds:
            return
        with self._one_at_a_time:
            context = Context(self.engine, self.settings, datetime.now(UTC), _scorer=self._scorer)
            _run_and_tell(name, context)
            self._scorer = context._scorer

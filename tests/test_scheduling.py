"""Jobs and what runs them."""

import importlib
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger

from radar.config import Settings
from radar.errors import UnknownName
from radar.scheduling import LEASE, Context, Job, Outcome, Scheduler, job_names, load_jobs, run_followers, run_job
from radar.store import runs
from radar.store.engine import reading, writing
from radar.store.locks import SessionLock, has_locks
from tests.builders import NOON


@pytest.mark.parametrize("name", sorted(load_jobs()))
def test_every_job_says_what_it_does_and_when(name: str) -> None:
    job = load_jobs()[name]
    assert name in job_names()
    assert job.summary.endswith((".", ";"))
    assert importlib.import_module(f"radar._content.jobs.{name}").JOB is job
    CronTrigger.from_crontab(job.cron)


def test_runs_are_recorded_with_their_outcome(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(context: Context) -> Outcome:
        raise OSError("disk on fire")

    jobs = {
        "good": Job("good", "* * * * *", lambda c: Outcome("all well", 3, 2)),
        "bad": Job("bad", "* * * * *", fails),
    }
    monkeypatch.setattr("radar.scheduling.load_jobs", lambda: jobs)
    context = Context(engine, Settings(data_dir=tmp_path), NOON)
    run_job("good", context)
    with pytest.raises(OSError, match="disk on fire"):
        run_job("bad", context)
    with reading(engine) as session:
        latest = runs.latest_runs(session)
    assert (latest["good"].outcome, latest["good"].rows_in, latest["good"].detail) == ("ok", 3, "all well")
    assert (latest["bad"].outcome, latest["bad"].error) == ("failed", "OSError: disk on fire")
    with pytest.raises(UnknownName, match="good"):
        run_job("goood", context)


def test_what_follows_a_job_is_run_at_once_after_it_where_it_wrote_something(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_jobs()["send_alerts"].follows == "detect_trends"
    said: list[str] = []

    def job(name: str, cron: str, rows: int, follows: str | None = None) -> Job:
        return Job(name, cron, lambda context: said.append(name) or Outcome(name, 0, rows), follows)

    never = "0 0 30 2 *"
    jobs = [job("news", "* * * * *", 1), job("none", "* * * * *", 0), job("teller", never, 0, "news")]
    jobs.append(job("silent", never, 0, "none"))
    monkeypatch.setattr("radar.scheduling.load_jobs", lambda: {one.name: one for one in jobs})
    scheduler = Scheduler(engine, Settings(data_dir=tmp_path))
    scheduler._holds, scheduler._began = True, datetime.now(UTC) - timedelta(minutes=1)
    scheduler._tick("news")
    scheduler._tick("none")
    assert said == ["news", "teller", "none"]
    context = Context(engine, Settings(data_dir=tmp_path), NOON)
    assert list(run_followers("news", Outcome("", 0, 1), context)) == ["teller"]
    assert run_followers("news", Outcome("", 0, 0), context) == {}


def test_a_run_that_never_ended_is_noted_as_abandoned(engine: sa.Engine) -> None:
    with writing(engine) as session, session.begin():
        first = runs.begin_run(session, "job", NOON, "here", 1)
        runs.begin_run(session, "job", NOON + timedelta(hours=1), "here", 2)
        outcome: Any = session.scalar(sa.text(f"SELECT outcome FROM run WHERE id = {first}"))
    assert outcome == "abandoned"


def test_one_holder_at_a_time_has_the_lease(engine: sa.Engine) -> None:
    def take(holder: str, minutes: float) -> bool:
        with writing(engine) as session, session.begin():
            return runs.take_lease(
                session, "scheduler", holder, NOON + timedelta(minutes=minutes), timedelta(minutes=1)
            )

    assert take("a", 0)
    assert not take("b", 0.5)
    assert take("a", 0.9)
    assert not take("b", 1.5)
    assert take("b", 2)
    assert not take("a", 2.1)
    with writing(engine) as session, session.begin():
        runs.release_lease(session, "scheduler", "b")
    assert take("a", 2.2)


def test_a_second_scheduler_says_at_once_that_it_stands_by(
    engine: sa.Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    another = SessionLock(engine, "scheduler")
    with writing(engine) as session, session.begin():
        runs.take_lease(session, "scheduler", "another", datetime.now(UTC), LEASE)
    if has_locks(engine):
        assert another.take()
    with caplog.at_level(logging.INFO, logger="radar"):
        second = Scheduler(engine, Settings(data_dir=tmp_path))
        second._renew()
        second._renew()
    second._give_up()
    another.release()
    assert caplog.messages == ["scheduler stands by: another one runs"]


def test_jobs_are_listed_without_waiting_for_what_computes() -> None:
    slow = ("sklearn", "numba", "scipy", "pandas")
    said = f"from radar.scheduling import load_jobs; load_jobs(); import sys; print(*sys.modules.keys() & {slow})"
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout == "\n"

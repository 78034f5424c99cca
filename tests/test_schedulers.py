"""Two schedulers over one store: one runs, the other takes over, and each tick is run once."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger

from radar import scheduling
from radar.config import Settings
from radar.scheduling import Context, Job, Outcome, Scheduler
from radar.store import runs
from radar.store.engine import reading, writing
from radar.store.tables import lease, run
from tests.builders import NOON
from tests.ticking import NAME

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    """Start a scheduler in a process of its own."""
    started = []

    def begin(*seconds: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "tests.ticking", url, str(tmp_path / "said.txt"), *seconds]
        log = (tmp_path / f"log{len(started)}.txt").open("w")
        started.append(subprocess.Popen(words, stderr=log, text=True, cwd=Path(__file__).parents[1]))
        log.close()
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def _until(holds: Callable[[], bool], seconds: float, what: str) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.05)
    return time.monotonic() - began


def _one_ends(
    engine: sa.Engine, folder: Path, start: Start, period: timedelta, ticks: int, how: signal.Signals = signal.SIGKILL
) -> float:
    """Let two run, end the one that works, and look what was run; returns the seconds until the other one did.

    how  SIGKILL; or SIGSTOP, as a host that stands still, and goes on later
    """
    seconds = [] if period >= timedelta(minutes=1) else [str(int(period.total_seconds()))]
    slow = 2 * period.total_seconds() + 60

    def holder() -> int:
        with engine.connect() as connection:
            name: str | None = connection.scalar(sa.select(lease.c.holder).where(lease.c.name == "scheduler"))
        return int(name.rpartition(":")[2]) if name else 0

    def rows() -> int:
        with engine.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(run)) or 0)

    first = start(*seconds)
    _until(lambda: holder() == first.pid, 60, "the first one does not begin")
    second = start(*seconds)
    _until(lambda: "stands by" in (folder / "log1.txt").read_text(), 60, "the second one does not stand by")
    _until(lambda: rows() >= ticks, ticks * slow, "the first one runs nothing")
    first.send_signal(how)
    before = rows()
    took = _until(lambda: holder() == second.pid, 60, "the second one does not take over within a minute")
    _until(lambda: rows() >= before + ticks, ticks * slow, "the second one runs nothing")
    if how == signal.SIGSTOP:
        first.send_signal(signal.SIGCONT)
        _until(lambda: (folder / "log0.txt").read_text().count("stands by") > 0, 60, "the first one believes to be it")
        _until(lambda: rows() >= before + 2 * ticks, ticks * slow, "the second one runs no more")
        first.terminate()
    second.terminate()
    assert second.wait(30) == 0
    _check(engine, folder, period, {first.pid, second.pid})
    return took


def _check(engine: sa.Engine, folder: Path, period: timedelta, pids: set[int]) -> None:
    """Each tick from the first that was run to the last was run once, or told as missed."""
    with engine.connect() as connection:
        found = connection.execute(sa.select(run.c.due_at, run.c.pid, run.c.detail).order_by(run.c.due_at)).all()
    due = [row.due_at for row in found]
    missed = sum(int(n) for row in found[1:] for n in re.findall(r"(\d+) earlier tick", row.detail or ""))
    assert len(due) == len(set(due))
    assert {row.pid for row in found} == pids
    assert (due[-1] - due[0]) / period + 1 == len(due) + missed
    said = (folder / "said.txt").read_text().splitlines()
    assert len(said) in (len(due), len(due) - 1), "one may have been killed before it said so, none said it twice"


def test_one_of_two_is_killed_and_the_other_goes_on(engine: sa.Engine, tmp_path: Path, start: Start) -> None:
    print("took over after", _one_ends(engine, tmp_path, start, timedelta(seconds=1), ticks=2), "s")


def test_one_of_two_stands_still_and_finds_itself_replaced(engine: sa.Engine, tmp_path: Path, start: Start) -> None:
    _one_ends(engine, tmp_path, start, timedelta(seconds=1), 2, signal.SIGSTOP)


@pytest.mark.long
def test_the_same_by_the_minute_with_the_lease_as_it_is(engine: sa.Engine, tmp_path: Path, start: Start) -> None:
    print("took over after", _one_ends(engine, tmp_path, start, timedelta(minutes=1), ticks=2), "s")


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """One job that is due every second; when it was run."""
    ran: list[datetime] = []

    def note(ctx: Context) -> Outcome:
        ran.append(ctx.now)
        return Outcome("noted")

    monkeypatch.setattr(scheduling, "load_jobs", lambda: {NAME: Job(NAME, "* * * * *", note)})
    monkeypatch.setattr(scheduling, "trigger_of", lambda job: CronTrigger(second="*", timezone=UTC))
    return ran


def test_two_that_both_believe_to_be_it_run_a_tick_once(
    engine: sa.Engine, tmp_path: Path, jobs: list[datetime]
) -> None:
    both = [Scheduler(engine, Settings(data_dir=tmp_path)) for _ in range(2)]
    for one in both:
        one._holds = True
        one._began = datetime.now(UTC) - timedelta(seconds=1)
    threads = [threading.Thread(target=one._tick, args=[NAME]) for one in both for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        due = list(connection.scalars(sa.select(run.c.due_at)))
    assert len(jobs) == len(due) == len(set(due))
    assert len(due) in (1, 2)  # a second may have begun meanwhile


def test_missed_ticks_are_told_with_the_next_one(engine: sa.Engine, tmp_path: Path, jobs: list[datetime]) -> None:
    before = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=20)
    with writing(engine) as session, session.begin():
        number = runs.begin_tick(session, NAME, before, before, "host", 1)
        assert runs.begin_tick(session, NAME, before, before, "another", 2) is None
        assert number is not None
        runs.end_run(session, number, outcome="ok")
    one = Scheduler(engine, Settings(data_dir=tmp_path))
    one._holds = True
    one._tick(NAME)
    with reading(engine) as session:
        last = runs.latest_runs(session)[NAME]
    assert re.fullmatch(r"noted; (19|20) earlier ticks were missed", last.detail or "")
    assert len(jobs) == 1


def test_what_is_too_late_waits_for_its_next_tick(
    engine: sa.Engine, tmp_path: Path, jobs: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "trigger_of", lambda job: CronTrigger.from_crontab("0 12 4 5 *", timezone=UTC))
    one = Scheduler(engine, Settings(data_dir=tmp_path))
    one._holds, one._began = True, NOON - timedelta(days=2 * 365)
    one._tick(NAME)
    assert jobs == []


def test_a_clock_that_ran_ahead_stops_nothing(engine: sa.Engine, tmp_path: Path, jobs: list[datetime]) -> None:
    with writing(engine) as session, session.begin():
        ahead = datetime.now(UTC) + timedelta(days=365)
        runs.begin_tick(session, NAME, ahead, ahead, "host", 1)
    one = Scheduler(engine, Settings(data_dir=tmp_path))
    one._holds, one._began = True, datetime.now(UTC) - timedelta(seconds=2)
    one._tick(NAME)
    assert len(jobs) == 1


def test_a_job_whose_process_died_can_be_run_at_once(url: str, engine: sa.Engine, tmp_path: Path) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("a lease there, which another test of this host's takes over")
    holds = (
        "import sys, time; from radar.store.engine import open_store; from radar.store.locks import SessionLock;"
        "lock = SessionLock(open_store(sys.argv[1]), 'job ' + sys.argv[2]); print(lock.take(), flush=True);"
        "time.sleep(60)"
    )
    words = [sys.executable, "-c", holds, url, "sweep_tracked"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        threading.Timer(1, process.kill).start()
        began = time.monotonic()
        scheduling.run_job("sweep_tracked", Context(engine, Settings(data_dir=tmp_path), NOON))
        assert 0.5 < time.monotonic() - began < 20

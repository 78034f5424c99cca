"""The scheduler's process: run until told to end, and kept running beside a server."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType

import sqlalchemy as sa
from apscheduler.schedulers import SchedulerNotRunningError

from radar.cli.app import log_to_terminal
from radar.cli.failures import explained
from radar.config import Settings
from radar.scheduling import NICE, Scheduler
from radar.store import runs
from radar.store.engine import open_store, writing

log = logging.getLogger("radar")

PAUSES = (1.0, 60.0)
"""Seconds before a scheduler that ended is started again: at first, and at most."""
STEADY = 300.0
"""Seconds a scheduler lives before its end counts as the first again."""
PATIENCE = 6.0
"""Seconds a scheduler has to give its lease back."""


def run_scheduler(engine: sa.Engine, settings: Settings, *, parent: int | None = None) -> None:
    """Run the jobs until SIGTERM (or SIGINT, or the parent's end); gives the lease back and ends this process.

    A job at work is cut short: every job goes on where it was when it runs again.
    """
    scheduler = Scheduler(engine, settings)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT) if parent is None else (signal.SIGTERM,):
        signal.signal(number, lambda number, _frame: asked.append(number))

    def end_when_asked() -> None:
        while not asked and parent in (None, os.getppid()):
            time.sleep(0.2)
        while True:  # it may be asked before it has begun
            with suppress(SchedulerNotRunningError):
                scheduler.stop()
            time.sleep(0.2)

    threading.Thread(target=end_when_asked, daemon=True).start()
    scheduler.serve()
    logging.shutdown()
    os._exit(0)  # without waiting for the thread of a job


def _child(settings: Settings, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends this one
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    log_to_terminal(settings)
    if hasattr(os, "nice"):
        os.nice(NICE)
    try:
        run_scheduler(open_store(settings.url), settings, parent=parent)
    except Exception as error:
        log.error("the scheduler cannot run: %s", explained(error))
        sys.exit(1)


class Keeper:
    """Keeps a scheduler running in a child process while a server serves; use it as a context manager.

    A child that ends is started again, after a pause that doubles while children end young. Its lease is made to run
    out at once, so that the next one need not stand by, and /v1/health tells until then.
    """

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._over = threading.Event()
        self._starting = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, name="scheduler's keeper", daemon=True)

    def __enter__(self) -> "Keeper":
        self._child = self._start()
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        with self._starting:
            child = self._child
        child.terminate()
        self._watcher.join(PATIENCE)
        if self._watcher.is_alive():
            child.kill()
            self._watcher.join(PATIENCE)
        self._free_lease(child.pid, gives_back=True)

    def _start(self) -> multiprocessing.process.BaseProcess:
        child = multiprocessing.get_context("spawn").Process(
            target=_child, args=(self._settings, os.getpid()), name="radar scheduler", daemon=True
        )
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the child has it blocked until it ignores it
        try:
            child.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return child

    def _watch(self) -> None:
        pause = PAUSES[0]
        while True:
            began = time.monotonic()
            self._child.join()
            if self._over.is_set():
                return
            self._free_lease(self._child.pid, gives_back=False)
            if time.monotonic() - began > STEADY:
                pause = PAUSES[0]
            log.error("the scheduler ended (exit code %s); it starts again in %g s", self._child.exitcode, pause)
            if self._over.wait(pause):
                return
            pause = min(2 * pause, PAUSES[1])
            with self._starting:
                if self._over.is_set():
                    return
                self._child = self._start()

    def _free_lease(self, pid: int | None, *, gives_back: bool) -> None:
        holder = f"{socket.gethostname()}:{pid}"  # as Scheduler names itself
        with suppress(sa.exc.SQLAlchemyError), writing(self._engine) as session, session.begin():
            if gives_back:
                runs.release_lease(session, "scheduler", holder)
            else:
                runs.take_lease(session, "scheduler", holder, datetime.now(UTC), timedelta(0))

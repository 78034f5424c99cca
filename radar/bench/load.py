"""The API under wrk for a minute while posts come in, are read and counted, and trends are looked for.

RADAR_BENCH_POSTS and RADAR_BENCH_DIR as for `api`; RADAR_BENCH_SECONDS says how long (60). wrk is another's program
(Debian: apt-get install wrk): 16 connections that ask for lists of trends and of KOLs, coverage and a page, as fast as
they are answered. It begins once the first batch was worked through, by a process that gives way as the scheduler of
`radar serve` does.
"""

import multiprocessing
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from radar.bench.api import _server
from radar.bench.many_posts import NOW, fill
from radar.config import Settings, load_settings
from radar.errors import RadarError
from radar.ingest import ingest_posts
from radar.registry import fitted_folder
from radar.scheduling import NICE, Context, Progress, run_job
from radar.sources.world import SimulatedWorld
from radar.store.engine import chunks, open_store, writing

PATHS = ("/v1/markets/TW/trends", "/v1/markets/JP/trends?scope=all", "/v1/authors?market=TW", "/v1/coverage", "/")
CONNECTIONS, BATCH = 16, 500
_SCRIPT = """
local paths, n = {%s}, 0
request = function() n = n + 1; return wrk.format("GET", paths[n %% #paths + 1]) end
"""


def measure(progress: Progress) -> dict[str, object]:
    """Requests a second, p50 and p99, what was not answered well, and what the server's memory did."""
    if shutil.which("wrk") is None:
        return {"not_measured": "there is no wrk on this machine (apt-get install wrk)"}
    posts, seconds = int(os.environ.get("RADAR_BENCH_POSTS", "200000")), os.environ.get("RADAR_BENCH_SECONDS", "60")
    with ExitStack() as ending:
        folder = Path(os.environ.get("RADAR_BENCH_DIR") or ending.enter_context(tempfile.TemporaryDirectory()))
        settings = load_settings().model_copy(update={"data_dir": folder, "database_url": "", "replica_url": ""})
        _prepare(settings, load_settings(), posts, progress)
        environment = {"RADAR_DATA_DIR": str(folder), "RADAR_DATABASE_URL": "", "PYTHONUNBUFFERED": "1"}
        at = ending.enter_context(_server(["-m", "radar", "serve", "--no-scheduler", "--port", "0"], environment))
        script = folder / "paths.lua"
        script.write_text(_SCRIPT % ", ".join(f'"{path}"' for path in PATHS), encoding="utf-8")
        words = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", "--timeout", "10s", "-s", str(script), at]
        subprocess.run([*words, "-d2s"], check=True, capture_output=True)
        context = multiprocessing.get_context("spawn")
        done, over = context.Value("q", 0), context.Event()
        worker = context.Process(target=_work, args=(settings, done, over))
        worker.start()
        ending.callback(worker.kill)
        _await_work(worker, done)
        begun, memory = int(done.value), _memory(at)
        said = subprocess.run([*words, f"-d{seconds}s"], check=True, capture_output=True, text=True).stdout
        grown = _memory(at) - memory
        over.set()
        worker.join(30)
        if worker.exitcode not in (0, None):
            raise RadarError("What works beside the API failed.", "What it said stands above.")
    return {"posts": posts, "seconds": int(seconds), "connections": CONNECTIONS, **read_wrk(said)} | {
        "posts_taken_meanwhile": int(done.value) - begun,
        "memory_mb": round((memory + grown) / 2**20),
        "memory_grew_mb": round(grown / 2**20, 1),
    }


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


def _work(settings: Settings, done: Any, over: Any) -> None:
    """Take posts in, read and count them and look for trends, again and again."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    engine = open_store(settings.url, migrate=False)
    world = SimulatedWorld(starts_at=NOW - timedelta(days=9))
    given = (post for batch in world.discover(None, NOW) for post in batch.posts if not post.deleted)
    for batch in chunks(list(given), BATCH):
        if over.is_set():
            break
        with writing(engine) as session, session.begin():
            ingest_posts(session, batch, source="bench", now=NOW)
        for name in ("classify_posts", "count_mentions", "detect_trends"):
            run_job(name, Context(engine, settings, NOW))
            if over.is_set():
                break
        done.value += len(batch)
    engine.dispose()


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

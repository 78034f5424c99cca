"""Answers a second of the list of trends, beside a bare FastAPI route that sends the same bytes: each server a process
of its own, asked by turns by the same client.

RADAR_BENCH_POSTS says how many posts the store holds (200,000; synthetic); RADAR_BENCH_DIR names a folder to keep the
store in, or one that an earlier run filled.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import numpy as np

from radar.bench.many_posts import fill
from radar.bench.sizes import asked
from radar.errors import RadarError
from radar.scheduling import Progress
from radar.store.engine import open_store

PATH = "/v1/markets/TW/trends"
CONNECTIONS, SECONDS, ROUNDS = 16, 2.0, 4


def measure(progress: Progress) -> dict[str, object]:
    """Requests a second, p50 and p99 of both, and the ratios."""
    posts = asked("POSTS", 200_000)
    with ExitStack() as ending:
        kept = os.environ.get("RADAR_BENCH_DIR")
        folder = Path(kept or ending.enter_context(tempfile.TemporaryDirectory()))
        began, is_new = time.perf_counter(), not (folder / "radar.db").exists()
        if is_new:
            engine = open_store(f"sqlite:///{folder / 'radar.db'}")
            fill(engine, posts, progress)
            engine.dispose()
        filled = time.perf_counter() - began
        environment = {"RADAR_DATA_DIR": str(folder), "RADAR_DATABASE_URL": "", "PYTHONUNBUFFERED": "1"}
        serve = ["-m", "radar", "serve", "--no-scheduler", "--port", "0"]
        ours = ending.enter_context(_server(serve, environment))
        began = time.perf_counter()
        body = httpx.get(f"{ours}{PATH}", headers={"accept-encoding": "identity"}, timeout=600).content
        first = time.perf_counter() - began
        (folder / "answer.json").write_bytes(body)
        bare = ending.enter_context(_server(["-m", "radar.bench.bare", str(folder / "answer.json")], {}))
        times: dict[str, list[float]] = {f"{ours}{PATH}": [], f"{bare}/": []}
        for n in range(ROUNDS):
            for url, took in times.items():
                found = asyncio.run(_asked(url, SECONDS if n else 0.5))
                took += found if n else []  # the first round warms up
            progress("rounds", n + 1, ROUNDS)
    mine, theirs = (np.array(took) for took in times.values())
    length = SECONDS * (ROUNDS - 1)
    return {
        "posts": posts,
        "fill_seconds": round(filled, 1) if is_new else "kept",
        "connections": CONNECTIONS,
        "answer_bytes": len(body),
        "first_answer_ms": round(1000 * first, 1),
        "requests_per_second": round(len(mine) / length),
        "p50_ms": _ms(mine, 0.5),
        "p99_ms": _ms(mine, 0.99),
        "bare_requests_per_second": round(len(theirs) / length),
        "bare_p50_ms": _ms(theirs, 0.5),
        "bare_p99_ms": _ms(theirs, 0.99),
        "ratio_of_throughput": round(len(mine) / max(len(theirs), 1), 3),
        "ratio_of_p99": round(_ms(mine, 0.99) / _ms(theirs, 0.99), 2),
    }


def _ms(took: "np.ndarray[tuple[int], np.dtype[np.float64]]", share: float) -> float:
    return round(1000 * float(np.quantile(took, share)), 2)


@contextmanager
def _server(arguments: list[str], environment: dict[str, str]) -> Iterator[str]:
    """A server in a process of its own, and its address."""
    names = {name: value for name, value in os.environ.items() if name not in environment} | {
        name: value for name, value in environment.items() if value
    }
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=names
    )
    assert process.stdout is not None
    try:
        found = next((m for line in process.stdout if (m := re.search(r"http://[\d.]+:\d+", line))), None)
        if found is None:
            raise RadarError(f"`python {' '.join(arguments)}` ended before it served.", "Run it to see why.")
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


async def _asked(url: str, seconds: float) -> list[float]:
    """Seconds that each answer took, over some connections that are kept open, for so long."""
    where = httpx.URL(url)
    request = f"GET {where.raw_path.decode()} HTTP/1.1\r\nHost: {where.host}\r\n\r\n".encode()
    until = time.perf_counter() + seconds
    took: list[float] = []

    async def ask() -> None:
        reader, writer = await asyncio.open_connection(where.host, where.port)
        while (began := time.perf_counter()) < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: (\d+)", head)
            if found is None or b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RadarError(f"{url} answered {head[:80]!r}.", "See what the server says.")
            await reader.readexactly(int(found[1]))
            took.append(time.perf_counter() - began)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return took

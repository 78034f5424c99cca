"""Posts a second into a SQLite store: given in Python, from a file, and pushed over HTTP to another process.

The posts are simulated. Beside them stands pandas' DataFrame.to_sql of the same fields, without keys and checks.
"""

import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

from radar.importing import import_file
from radar.ingest import ingest_posts
from radar.row_reading import Mapping
from radar.scheduling import Progress
from radar.sources.base import RawPost
from radar.sources.world import SimulatedWorld
from radar.store.engine import chunks, open_store, writing

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 60
UNTIL = BEGINS + timedelta(days=DAYS)
PUSHED, CLIENTS = 2_000, 2
"""Posts in a request, and who sends them."""
_JSON = {"Content-Type": "application/json"}


def measure(progress: Progress) -> dict[str, object]:
    """posts_per_second, from_file_ and pushed_per_second, and ratio_to_pandas_to_sql (above 1 is faster)."""
    world = SimulatedWorld(starts_at=BEGINS, days=DAYS)
    given = [p for batch in world.discover(None, UNTIL) for p in batch.posts if not p.deleted]
    posts = list({(p.platform, p.native_id): p for p in given}.values())  # the last version of each
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = (_given, _from_file, _pushed, _to_sql)
        took: list[float] = []
        gc.collect()
        gc.freeze()  # the posts that are given are no garbage of the radar's
        for n, way in enumerate(ways, 1):
            took.append(way(posts, folder))
            progress("ways", n, len(ways))
        gc.unfreeze()
    in_python, from_file, pushed, peer = took
    return {
        "posts": len(posts),
        "posts_per_second": round(len(posts) / in_python),
        "from_file_per_second": round(len(posts) / from_file),
        "pushed_per_second": round(len(posts) / pushed),
        "peer": "pandas DataFrame.to_sql, no keys, no checks",
        "ratio_to_pandas_to_sql": round(peer / in_python, 3),
    }


def _given(posts: Sequence[RawPost], folder: Path) -> float:
    """Seconds that taking posts takes which are there already."""
    engine = open_store(f"sqlite:///{folder / 'given.db'}")
    began = time.perf_counter()
    for some in chunks(posts, 2_000):
        with writing(engine) as session, session.begin():
            ingest_posts(session, some, source="bench", now=UNTIL)
    took = time.perf_counter() - began
    engine.dispose()
    return took


def _from_file(posts: Sequence[RawPost], folder: Path) -> float:
    """The same of a JSONL file, which is read and checked row by row."""
    path = folder / "posts.jsonl"
    rows = ({**_told(p), "author": p.author.native_id, "market": p.author.audience_market} for p in posts)
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    engine = open_store(f"sqlite:///{folder / 'file.db'}")
    began = time.perf_counter()
    done = import_file(engine, str(path), Mapping(), format_name=None, rejects_folder=folder, now=UNTIL)
    took = time.perf_counter() - began
    engine.dispose()
    if done.posts.new != len(posts):
        raise RuntimeError(f"{done.posts.new} posts came from the file, not {len(posts)}")
    return took


def _pushed(posts: Sequence[RawPost], folder: Path) -> float:
    """The same pushed to `radar serve` by two clients at once, each a request after another.

    Their bodies are made before and their answers looked into afterwards: clients have machines of their own. What
    they do between, sending and receiving, is in the figure: a twentieth of the processor's time. The clock runs from
    the first request to the last answer, which comes when the last posts are committed.
    """
    bodies = [
        json.dumps({"posts": [_told(p) | {"author": _author(p)} for p in some]}).encode()
        for some in chunks(posts, PUSHED)
    ]
    with served(folder / "pushed") as url, ThreadPoolExecutor(CLIENTS) as clients:
        began = time.perf_counter()
        answers = list(clients.map(_push, [url] * CLIENTS, [bodies[n::CLIENTS] for n in range(CLIENTS)]))
        took = time.perf_counter() - began
    created = sum(answer.json()["created"] for some in answers for answer in some)
    if created != len(posts):
        raise RuntimeError(f"{created} posts were pushed, not {len(posts)}")
    return took


def _push(url: str, bodies: Sequence[bytes]) -> list[httpx.Response]:
    with httpx.Client(timeout=60) as client:
        return [client.post(f"{url}/v1/posts", content=body, headers=_JSON).raise_for_status() for body in bodies]


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Where a radar of its own serves, without jobs."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "radar", "--data-dir", str(folder), "serve", "--no-scheduler", "--port", str(port)]
    known = {name: value for name, value in os.environ.items() if not name.startswith("RADAR_")}
    with subprocess.Popen(words, env=known, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/v1/health/live").raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _told(post: RawPost) -> dict[str, Any]:
    names = ("platform", "native_id", "text", "language", "like_count", "comment_count", "share_count", "view_count")
    told = {name: value for name in names if (value := getattr(post, name)) is not None}
    return told | {"published_at": post.published_at.isoformat()}


def _author(post: RawPost) -> dict[str, Any]:
    return {"native_id": post.author.native_id, "audience_market": post.author.audience_market}


def _to_sql(posts: Sequence[RawPost], folder: Path) -> float:
    """The peer."""
    rows = pd.DataFrame([asdict(p) | {"author": p.author.native_id} for p in posts]).drop(columns="may_lag")
    engine = open_store(f"sqlite:///{folder / 'peer.db'}", migrate=False)
    began = time.perf_counter()
    rows.to_sql("posts", engine, index=False, chunksize=2_000)
    took = time.perf_counter() - began
    engine.dispose()
    return took

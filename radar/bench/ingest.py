"""Posts a second into a SQLite store (simulated posts); beside it pandas' DataFrame.to_sql of the same fields."""

import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from radar.ingest import ingest_posts
from radar.scheduling import Progress
from radar.sources.world import SimulatedWorld
from radar.store.engine import chunks, open_store, writing

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 20


def measure(progress: Progress) -> dict[str, object]:
    """posts_per_second, and ratio_to_pandas_to_sql (above 1 is faster)."""
    world = SimulatedWorld(starts_at=BEGINS, days=DAYS)
    until = BEGINS + timedelta(days=DAYS)
    posts = [p for batch in world.discover(None, until) for p in batch.posts if not p.deleted]
    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{Path(folder) / 'ours.db'}")
        began, done = time.perf_counter(), 0
        for some in chunks(posts, 2_000):
            with writing(engine) as session, session.begin():
                ingest_posts(session, some, source="bench", now=until)
            done += len(some)
            progress("posts", done, len(posts))
        ours = time.perf_counter() - began
        engine.dispose()
        rows = pd.DataFrame([asdict(p) | {"author": p.author.native_id} for p in posts])
        plain = open_store(f"sqlite:///{Path(folder) / 'peer.db'}", migrate=False)
        began = time.perf_counter()
        rows.to_sql("posts", plain, index=False, chunksize=2_000)
        peer = time.perf_counter() - began
        plain.dispose()
    return {
        "posts": len(posts),
        "posts_per_second": round(len(posts) / ours),
        "peer": "pandas DataFrame.to_sql, no keys, no checks",
        "ratio_to_pandas_to_sql": round(peer / ours, 3),
    }

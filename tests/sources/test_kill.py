"""kill -9 in the middle of a fill-back: the same command again leaves neither gap nor double."""

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from radar.store.engine import open_store
from radar.store.tables import post
from tests.sources.stages import on_stage

POSTS = {"bluesky": 300, "mastodon": 300, "youtube": 300, "x": 300, "ptt": 40}
"""How many there are to fill back. Instagram, Threads and TikTok read down as X does; PTT is asked slowly."""
LONG = ("mastodon", "ptt")
"""Those that a short run leaves out: Mastodon reads down by id as X does, and PTT takes half a minute of waiting."""
KINDS = [pytest.param(kind, marks=pytest.mark.long) if kind in LONG else kind for kind in POSTS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fill_back_that_is_killed_goes_on(kind: str, tmp_path: Path) -> None:
    now, rng = datetime.now(UTC), random.Random(os.getpid())
    environment = os.environ | {"RADAR_DATA_DIR": str(tmp_path)}
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}")

    def radar(*words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "radar", *words]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def held() -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(sa.select(post.c.native_id)))

    with on_stage(kind) as stage:
        for n in range(POSTS[kind]):
            stage.publish(f"p{n:03}", f"bowl {n}", now - timedelta(minutes=10 * (POSTS[kind] - n)))
        stage.configure(engine, "s")
        assert radar("watch", "add", "s", stage.handle, "--market", "TW", "--later").wait() == 0
        stopped_at = []
        for _ in range(2):
            before = len(held())
            process = radar("run", "ingest_posts")
            while process.poll() is None and len(held()) <= before:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.1))
            process.kill()
            process.wait()
            stopped_at.append(len(held()))
        stage.publish("p999", "while radar was down", now)
        assert radar("run", "ingest_posts").wait() == 0
        assert radar("run", "ingest_posts").wait() == 0
        assert sorted(held()) == sorted(stage.native_id(name) for name in stage.posts)
    engine.dispose()
    assert any(0 < n < POSTS[kind] for n in stopped_at), stopped_at

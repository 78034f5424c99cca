"""kill -9 at any moment, then the same command again: the store is as an undisturbed run leaves it."""

import csv
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.store.day_blob import DayCounts
from radar.store.engine import open_store
from radar.store.posts import key_array
from tests.conftest import radar

POSTS, DAYS = 9_000, 70
STEPS = ("classify_posts", "count_mentions", "detect_trends")


def _write_posts(path: Path) -> None:
    """Ordinary talk of 90 persons in two markets, and one craze of 20 persons near the end."""
    rng = random.Random(5)
    words = [
        "ramen",
        "hotel",
        "metro",
        "beach",
        "museum",
        "coffee",
        "market",
        "camera",
        "garden",
        "temple",
        "rain",
        "office",
    ]
    begins = datetime(2026, 3, 1, tzinfo=UTC)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["native_id", "author", "market", "published_at", "text", "like_count"])
        for n in range(POSTS):
            market = rng.choice(["TW", "SG"])
            at = begins + timedelta(seconds=rng.uniform(0, DAYS * 86_400))
            text = f"{' '.join(rng.sample(words, 4))} Tokyo note {n}"
            writer.writerow([f"p{n}", f"{market}{rng.randrange(45)}", market, at.isoformat(), text, rng.randrange(500)])
        for n in range(30):
            at = begins + timedelta(days=66, hours=rng.uniform(0, 30))
            text = f"everyone wants the moonbeam lantern in Osaka {n} #moonbeamlantern"
            writer.writerow([f"b{n}", f"TW{n % 20}", "TW", at.isoformat(), text, 50])


def _facts(url: str) -> dict[str, Any]:
    """Everything the store holds, by natural keys."""
    engine = open_store(url)
    with engine.connect() as c:

        def rows(sql: str) -> list[Any]:
            return [tuple(row) for row in c.execute(sa.text(sql))]

        posts = dict(rows("SELECT id, native_id FROM post"))
        facts: dict[str, Any] = {
            "posts": sorted(rows("SELECT native_id, text, audience_market, published_at, like_count FROM post")),
            "authors": sorted(rows("SELECT native_id, audience_market FROM author")),
            "unread": rows("SELECT count(*) FROM post WHERE classified_at IS NULL"),
            "dirty": rows("SELECT count(*) FROM dirty_day"),
            "signals": sorted(
                (posts[i], key_array(bytes(keys)).tolist(), places, language)
                for i, keys, places, language in rows("SELECT post_id, keys, places, language FROM post_signal")
            ),
            "topics": sorted(
                (posts[i], *rest) for i, *rest in rows("SELECT post_id, topic_id, probability FROM post_topic")
            ),
            "keys": sorted(rows("SELECT hash, kind, text FROM key")),
            "episodes": sorted(
                rows(
                    "SELECT id, audience_market, place, key_hash, bucket, onset_at, ended_at, stage, leader_id "
                    "FROM episode"
                ),
                key=repr,
            ),
            "changes": sorted(rows("SELECT episode_id, changed_at, stage FROM stage_change"), key=repr),
        }
        counts = []
        for market, day, blob in rows("SELECT audience_market, local_day, counts FROM day_count"):
            day_counts = DayCounts.from_bytes(bytes(blob))
            counts.append(
                (market, str(day), day_counts.day_persons, *(np.asarray(x).tolist() for x in day_counts._columns))
            )
        facts["counts"] = sorted(counts)
        snapshots = []
        statement = "SELECT episode_id, as_of, stage, q, score, working FROM snapshot"
        for episode_id, as_of, stage, q, score, working in rows(statement):
            found = working if isinstance(working, dict) else __import__("json").loads(working)
            found["evidence"] = [posts[i] for i in found["evidence"]]
            snapshots.append((episode_id, str(as_of), stage, round(q, 12), score, repr(sorted(found.items()))))
        facts["snapshots"] = sorted(snapshots)
    engine.dispose()
    return facts


def _killed(arguments: list[str], environment: dict[str, str], after: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "radar", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after)
    process.kill()
    process.wait()


def test_killed_and_run_again_equals_undisturbed(url: str, tmp_path: Path, fitted_dir: Path) -> None:
    file = tmp_path / "posts.csv"
    _write_posts(file)
    command = ["import", str(file), "--platform", "test", "--only-import"]
    calm_dir = tmp_path / "calm"
    calm = f"sqlite:///{tmp_path / 'calm.db'}"
    for folder in (calm_dir, tmp_path / "killed"):
        folder.mkdir()
        (folder / "models").symlink_to(fitted_dir / "models")
    env = {"RADAR_DATABASE_URL": calm}
    for arguments in (command, *(["run", step] for step in STEPS)):
        done = radar(*arguments, data_dir=calm_dir, env=env)
        assert done.returncode == 0, done.stderr

    env = {"RADAR_DATABASE_URL": url}
    environment = os.environ | env | {"RADAR_DATA_DIR": str(tmp_path / "killed")}
    rng = random.Random(os.getpid())
    moments = [round(rng.uniform(1.0, 4.0), 2) for _ in range(8)]
    print("killed after", moments)
    for arguments in (command, *(["run", step] for step in STEPS)):
        _killed(arguments, environment, moments.pop())
        _killed(arguments, environment, moments.pop())
        done = radar(*arguments, data_dir=tmp_path / "killed", env=env)
        assert done.returncode == 0, done.stderr

    expected, found = _facts(calm), _facts(url)
    assert expected["episodes"], "the planted craze was not found: this test would prove little"
    for name in expected:
        if name in ("posts", "episodes", "changes", "snapshots") and "postgresql" in url:
            assert len(found[name]) == len(expected[name]), name  # instants come back in another form
        else:
            assert found[name] == expected[name], name

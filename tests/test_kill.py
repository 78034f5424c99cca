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

import pytest
import sqlalchemy as sa

from radar.store import tables as t
from radar.store.engine import open_store
from tests.conftest import radar
from tests.facts import facts_of

POSTS, DAYS = 8_000, 48
STEPS = ("classify_posts", "count_mentions", "detect_trends")


def write_posts(path: Path) -> None:
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
            at = begins + timedelta(days=DAYS - 4, hours=rng.uniform(0, 30))
            text = f"everyone wants the moonbeam lantern in Osaka {n} #moonbeamlantern"
            writer.writerow([f"b{n}", f"TW{n % 20}", "TW", at.isoformat(), text, 50])


def _done(engine: sa.Engine, step: str) -> int:
    """How far a step has come: rows it has written, or days it has taken from what waits."""
    measure = {
        "import": sa.select(sa.func.count()).select_from(t.post),
        "classify_posts": sa.select(sa.func.count()).select_from(t.post_signal),
        "count_mentions": sa.select(sa.func.count()).select_from(t.day_count),
        "detect_trends": sa.select(sa.func.count()).select_from(t.detector_state),
    }
    with engine.connect() as connection:
        return int(connection.execute(measure[step]).scalar_one())


def _killed_at_work(step: str, arguments: list[str], environment: dict[str, str], url: str, rest: float) -> bool:
    """Start a command, kill it a moment after it has written something; whether it was still at work."""
    engine = open_store(url)
    before = _done(engine, step)
    process = subprocess.Popen(
        [sys.executable, "-m", "radar", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and _done(engine, step) == before:
        time.sleep(0.01)
    time.sleep(rest)
    at_work = process.poll() is None
    process.kill()
    process.wait()
    engine.dispose()
    return at_work


def _data_dir(folder: Path, fitted_dir: Path) -> Path:
    """A data folder with the model."""
    folder.mkdir()
    (folder / "models").symlink_to(fitted_dir / "models")
    return folder


def _steps(file: Path) -> dict[str, list[str]]:
    """The line, command by command."""
    command = ["import", str(file), "--platform", "test", "--only-import"]
    return {"import": command} | {step: ["run", step] for step in STEPS}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, fitted_dir: Path) -> tuple[Path, dict[str, Any]]:
    """The posts, and what a store holds after a run that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    file, calm = folder / "posts.csv", f"sqlite:///{folder / 'calm.db'}"
    write_posts(file)
    data_dir = _data_dir(folder / "calm", fitted_dir)
    done = radar("import", str(file), "--platform", "test", data_dir=data_dir, env={"RADAR_DATABASE_URL": calm})
    assert done.returncode == 0, done.stderr
    expected = facts_of(calm)
    assert expected["episodes"], "the planted craze was not found: this test would prove little"
    return file, expected


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.long)])
def test_killed_and_run_again_equals_undisturbed(
    kills: int, url: str, tmp_path: Path, fitted_dir: Path, undisturbed: tuple[Path, dict[str, Any]]
) -> None:
    """Each command is killed at a random moment of its work (first, or alone: soon after its first rows)."""
    file, expected = undisturbed
    data_dir = _data_dir(tmp_path / "killed", fitted_dir)
    env = {"RADAR_DATABASE_URL": url}
    environment = os.environ | env | {"RADAR_DATA_DIR": str(data_dir)}
    rng = random.Random(f"{os.getpid()} {url}")
    at_work = []
    for step, arguments in _steps(file).items():
        for n in range(kills):
            rest = round(rng.uniform(0, 0.2 if n else 0.02), 3)
            at_work.append((step, rest, _killed_at_work(step, arguments, environment, url, rest)))
        done = radar(*arguments, data_dir=data_dir, env=env)
        assert done.returncode == 0, done.stderr
    print("killed:", at_work)
    assert {step for step, _, yes in at_work if yes} == set(_steps(file)), at_work
    found = facts_of(url)
    for name in expected:
        assert found[name] == expected[name], name

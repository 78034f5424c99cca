"""radar worker: several at work beside the jobs leave what one process alone would leave, also if one is killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from radar.config import Settings
from radar.scheduling import Context, run_job
from radar.sharing import do_all, do_one
from radar.store import work
from radar.store.engine import open_store, reading, writing
from radar.store.posts import claim_unread
from radar.store.tables import engagement_observation, post, post_signal
from tests.builders import NOON, a_post, put
from tests.conftest import radar
from tests.facts import facts_of
from tests.test_kill import STEPS, write_posts


@pytest.fixture
def shared(url: str, engine: sa.Engine) -> sa.Engine:
    """A store on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    return engine


def test_on_sqlite_the_command_says_that_there_is_one_writer(tmp_path: Path) -> None:
    done = radar("worker", data_dir=tmp_path)
    assert done.returncode == 2
    assert "SQLite has one writer" in done.stderr
    assert "RADAR_DATABASE_URL" in done.stderr


def test_posts_that_are_claimed_are_nobody_elses_until_the_claim_ends(shared: sa.Engine) -> None:
    put(shared, *[a_post(str(n)) for n in range(6)])
    with writing(shared) as one, writing(shared) as other:
        mine = [item.id for item in claim_unread(one, 0, None, 4)]
        left = [item.id for item in claim_unread(other, 0, None, 4)]
        assert (len(mine), len(left)) == (4, 2)
        assert not set(mine) & set(left)
        one.rollback()  # as when its process dies
        other.rollback()
    with writing(shared) as another:
        assert len(claim_unread(another, 0, None, 10)) == 6


def test_whoever_refers_to_a_claimed_post_does_not_wait(shared: sa.Engine) -> None:
    put(shared, a_post("1"))
    with writing(shared) as one, shared.connect() as other:
        [item] = claim_unread(one, 0, None, 4)
        other.exec_driver_sql("SET lock_timeout = '2s'")
        row = {"post_id": item.id, "observed_at": NOON, "like_count": 1}
        other.execute(sa.insert(engagement_observation).values(row))
        other.commit()


def test_a_piece_of_a_dead_process_is_done_by_another(shared: sa.Engine) -> None:
    with writing(shared) as session, session.begin():
        work.put_out(session, "count", {"TW": {"n": 1}, "JP": {"n": 2}}, NOON)
    with pytest.raises(KeyboardInterrupt):
        do_one(shared, ["count"], _dies)
    with writing(shared) as session, session.begin():
        assert [work.claim(session, ["detect"])] == [None]
        held = work.claim(session, ["count"])
        assert held is not None
        with writing(shared) as other, other.begin():  # laid out again: the one at work stays, the other is anew
            work.put_out(other, "count", {"TW": {"n": 3}, "JP": {"n": 4}}, NOON)
            assert work.claim(other, ["count"]) != held
    assert sorted(do_all(shared, "count", lambda piece: piece.argument["n"])) == [1, 4]
    with reading(shared) as session:
        assert not work.is_left(session, "count")


def _dies(piece: work.Piece) -> int:
    raise KeyboardInterrupt


def test_a_job_waits_for_what_others_are_at(shared: sa.Engine) -> None:
    with writing(shared) as session, session.begin():
        work.put_out(session, "count", {"TW": {}}, NOON)
    done: list[str] = []
    with writing(shared) as session, session.begin():
        piece = work.claim(session, ["count"])
        assert piece is not None
        assert do_one(shared, ["count"], lambda piece: done.append(piece.subject)) is None
        work.drop(session, piece)
    assert list(do_all(shared, "count", lambda piece: piece.subject)) == []


@contextmanager
def _workers(number: int, environment: dict[str, str], folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    words = [sys.executable, "-m", "radar", "worker"]
    logs = [(folder / f"worker{n}.txt").open("w") for n in range(number)]
    crew = [subprocess.Popen(words, env=environment, stdout=log, stderr=log, text=True) for log in logs]
    try:
        yield crew
    finally:
        for process in crew:
            process.kill()
            process.wait()
        for log in logs:
            log.close()


def _at_work(engine: sa.Engine, crew: list[subprocess.Popen[str]], least: int) -> None:
    """Wait until workers have read posts, and nobody else can have."""
    until = time.monotonic() + 240
    while True:
        assert all(process.poll() is None for process in crew), "a worker ended"
        with engine.connect() as connection:
            if int(connection.scalar(sa.select(sa.func.count()).select_from(post_signal)) or 0) >= least:
                return
        assert time.monotonic() < until, "the workers do nothing"
        time.sleep(0.01)


def _compare(shared: sa.Engine, url: str, tmp_path: Path, fitted_dir: Path, *, last: int) -> None:
    """Two workers and the jobs at once, one worker killed on the way: the store is as one process leaves it."""
    file = tmp_path / "posts.csv"
    write_posts(file)
    head, *rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join([head, *rows[-last:]]), encoding="utf-8")
    for folder in (tmp_path / "calm", tmp_path / "shared"):
        folder.mkdir()
        (folder / "models").symlink_to(fitted_dir / "models")
    calm = f"sqlite:///{tmp_path / 'calm.db'}"
    words = ["import", str(file), "--platform", "test"]
    assert radar(*words, data_dir=tmp_path / "calm", env={"RADAR_DATABASE_URL": calm}).returncode == 0
    env = {"RADAR_DATABASE_URL": url}
    assert radar(*words, "--only-import", data_dir=tmp_path / "shared", env=env).returncode == 0
    settings = Settings(data_dir=tmp_path / "shared", database_url=url)
    with _workers(2, os.environ | env | {"RADAR_DATA_DIR": str(settings.data_dir)}, tmp_path) as crew:
        _at_work(shared, crew, 1)
        crew[0].kill()
        for step in STEPS:
            run_job(step, Context(shared, settings, datetime.now(UTC)))
        _until_all_read(shared)
        for step in STEPS:  # what a worker was still at is taken in
            run_job(step, Context(shared, settings, datetime.now(UTC) + timedelta(seconds=1)))
        crew[1].terminate()
        assert crew[1].wait(60) == 0
    said = (tmp_path / "worker1.txt").read_text()
    assert "Traceback" not in said
    expected, found = facts_of(calm), facts_of(url)
    assert expected["episodes"]
    for name in expected:
        assert found[name] == expected[name], name


def _until_all_read(engine: sa.Engine) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with engine.connect() as connection:
            if connection.scalar(sa.select(post.c.id).where(post.c.classified_at.is_(None)).limit(1)) is None:
                return
        time.sleep(0.1)
    raise AssertionError("posts wait for ever")


def test_workers_beside_the_jobs_leave_what_one_process_leaves(
    shared: sa.Engine, url: str, tmp_path: Path, fitted_dir: Path
) -> None:
    _compare(shared, url, tmp_path, fitted_dir, last=3_000)


@pytest.mark.long
@pytest.mark.parametrize("turn", range(5))
def test_the_same_with_more_posts_and_often(
    shared: sa.Engine, url: str, tmp_path: Path, fitted_dir: Path, turn: int
) -> None:
    _compare(shared, url, tmp_path, fitted_dir, last=9_030)


def test_a_worker_goes_on_once_the_database_is_back(shared: sa.Engine, url: str, tmp_path: Path) -> None:
    from radar.worker import Worker

    worker = Worker(open_store(url), Settings(data_dir=tmp_path, database_url=url))
    assert worker.step() is False
    with shared.connect() as connection:  # every other connection of this database is cut, as by a restart
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert worker.step() is False
    worker._engine.dispose()

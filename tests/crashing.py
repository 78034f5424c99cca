"""Real processes that are killed at a chosen point of their work, and all that is left of it, to compare.

A child is forked from a process that has loaded everything, so hundreds of kills take minutes. It dies by SIGKILL
before a statement or a commit of the database, any of those that it would send, or some milliseconds later.
"""

import hashlib
import json
import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Collection
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
            if table.name in ASIDE or table.name not in there:
                continue
            rows = [
                (row, _named(table, row._mapping, known, moments))
                for row in connection.execute(sa.select(table))
                if row[0] not in COUNTERS
            ]
            found[table.name] = sorted(said for _, said in rows)
            if "id" in table.c:
                known[table.name] = {row.id: said for row, said in rows}
    engine.dispose()
    if folder is not None:
        found["files"] = sorted(
            f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            for path in folder.rglob("*")
            if path.is_file() and "models" not in path.parts and not path.name.startswith("radar.db")
        )
    return found


def _named(table: sa.Table, row: Any, known: dict[str, dict[int, str]], moments: Collection[tuple[str, str]]) -> str:
    """A row without its own number, and with whatever it belongs to in place of that one's."""
    said = {}
    for column in table.columns:
        value = row[column.name]
        keys = list(column.foreign_keys)
        if keys and keys[0].column.name == "id" and value is not None:
            value = known.get(keys[0].column.table.name, {}).get(value, value)
        elif column.name == "id" or (table.name, column.name) in moments:
            continue
        if isinstance(value, bytes | memoryview):
            value = hashlib.sha256(bytes(value)).hexdigest()
        said[column.name] = value
    return hashlib.sha256(text.encode()).hexdigest() if len(text := _text(said)) > 4_000 else text


def _text(said: dict[str, Any]) -> str:
    return json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)


def differences(found: dict[str, list[str]], expected: dict[str, list[str]]) -> dict[str, list[Any]]:
    """By table, what only one of both holds; few of each."""
    told = {}
    for name in found.keys() | expected.keys():
        mine, theirs = found.get(name, []), expected.get(name, [])
        if mine != theirs:
            told[name] = [len(mine), len(theirs), *sorted(set(mine) ^ set(theirs))[:4]]
    return told

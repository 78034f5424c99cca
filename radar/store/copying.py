"""The whole store out and in: SQLite by its backup interface, PostgreSQL by COPY within one transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from radar.errors import StoreError
from radar.store import months
from radar.store.migrate import migrate
from radar.store.months import PARTED
from radar.store.tables import metadata

STEP = 2_048
"""Pages of SQLite that are copied between two reports."""
_NO_CONTENT = {"alembic_version", "lease", "meta", "run"}
_LOCK_WAIT = "30s"

Progress = Callable[[int, int], None]


def sqlite_path(engine: sa.Engine) -> Path:
    """The file of a SQLite store. Raises StoreError for one in memory."""
    if not engine.url.database or engine.url.database == ":memory:":
        raise StoreError("A store in memory cannot be backed up.", "Set RADAR_DATA_DIR to a folder.")
    return Path(engine.url.database)


def copy_sqlite(source: Path, target: Path, progress: Progress = lambda done, of: None) -> None:
    """Make a file another one's copy, as of one moment, while others read and write the source.

    What the target held is replaced in one transaction: whole, or not at all.
    """
    with closing(sqlite3.connect(source, isolation_level=None)) as old, closing(sqlite3.connect(target)) as new:
        old.execute("BEGIN")  # held until the end: a copy in steps begins anew where others write between them
        old.execute("SELECT count(*) FROM sqlite_master").fetchone()
        old.backup(new, pages=STEP, progress=lambda _, left, of: progress(of - left, of), sleep=0.05)
        old.execute("COMMIT")


def sqlite_faults(file: Path) -> str:
    """What is wrong with a SQLite file; empty where nothing is."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return str(error)
    return "" if said == "ok" else str(said)


def sqlite_revision(file: Path) -> str | None:
    """The schema revision of a SQLite file."""
    with closing(sqlite3.connect(file)) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def tables_of(connection: sa.Connection) -> list[str]:
    """All tables, those first that others name."""
    found = sa.inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in found if name is not None]


def has_content(engine: sa.Engine) -> bool:
    """Whether anything is stored that a person would miss. Raises StoreError for a database of something else."""
    with engine.connect() as connection:
        names = tables_of(connection)
        if names and "alembic_version" not in names:
            raise StoreError(
                "The database holds tables of something else.", "Name a database of radar's own: RADAR_DATABASE_URL."
            )
        tables = [metadata.tables[name] for name in names if name in metadata.tables and name not in _NO_CONTENT]
        return any(connection.execute(sa.select(sa.literal(1)).select_from(t).limit(1)).first() for t in tables)


def copied_out(connection: sa.Connection) -> Iterator[tuple[str, list[str], Iterable[bytes]]]:
    """Of each table of PostgreSQL: name, columns, and its rows as COPY writes them, a block at a time.

    Within the connection's transaction, which is to be REPEATABLE READ: all tables as of one moment.
    """
    for name in tables_of(connection):
        columns = [column["name"] for column in sa.inspect(connection).get_columns(name)]
        yield name, columns, _blocks(connection, name, columns)


def _blocks(connection: sa.Connection, name: str, columns: list[str]) -> Iterator[bytes]:
    with _cursor(connection) as cursor, cursor.copy(_copy_out(connection, name, columns)) as copy:
        for block in copy:
            yield bytes(block)


def _copy_out(connection: sa.Connection, name: str, columns: list[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    if name in PARTED:  # of months COPY takes a query alone
        return f"COPY (SELECT {', '.join(map(quote, columns))} FROM {quote(name)}) TO STDOUT"
    return f"COPY {_named(connection, name, columns)} TO STDOUT"


def replace_postgresql(
    engine: sa.Engine, revision: str, tables: Iterable[tuple[str, list[str], Iterable[bytes]]]
) -> None:
    """Put tables, as they were copied out at a schema revision, in place of what is stored, and migrate to the newest.

    One transaction: whole, or not at all.
    """
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.set_config("lock_timeout", _LOCK_WAIT, True)))
        there = sa.MetaData()
        ours = {*metadata.tables, "alembic_version"}
        there.reflect(connection, only=[name for name in tables_of(connection) if name in ours])
        there.drop_all(connection)
        migrate(connection, revision)
        _empty(connection)
        known = {name: {c["name"] for c in sa.inspect(connection).get_columns(name)} for name in tables_of(connection)}
        for name, columns, blocks in tables:
            if not columns or not set(columns) <= known.get(name, set()):
                raise StoreError(f"The file's table '{name}' is none of schema {revision}.", "Use another backup.")
            if name != "alembic_version":
                _copy_in(connection, name, columns, blocks)
        _set_sequences(connection)
        migrate(connection)
        months.spread(connection)


def _empty(connection: sa.Connection) -> None:
    """Take out what migrations have put in: the backup has its own."""
    there = sa.MetaData()
    there.reflect(connection, only=[name for name in tables_of(connection) if name != "alembic_version"])
    for table in reversed(there.sorted_tables):
        connection.execute(sa.delete(table))


def _copy_in(connection: sa.Connection, name: str, columns: list[str], blocks: Iterable[bytes]) -> None:
    with _cursor(connection) as cursor, cursor.copy(f"COPY {_named(connection, name, columns)} FROM STDIN") as copy:
        for block in blocks:
            copy.write(block)


def _set_sequences(connection: sa.Connection) -> None:
    """Let new rows be numbered from behind the newest that were copied in."""
    for table in metadata.sorted_tables:
        ids = list(table.primary_key.columns)
        if len(ids) != 1 or not sa.inspect(connection).has_table(table.name):
            continue
        sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, ids[0].name)))
        if sequence:
            newest = sa.select(sa.func.coalesce(sa.func.max(ids[0]), 0) + 1).scalar_subquery()
            connection.execute(sa.select(sa.func.setval(sequence, newest, False)))


def _cursor(connection: sa.Connection) -> Any:
    return connection.connection.cursor()


def _named(connection: sa.Connection, name: str, columns: list[str]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(name)} ({', '.join(map(quote, columns))})"

"""Months of PostgreSQL: tables that grow with time are partitioned by the month of their time; SQLite knows no such.

Which tables those are, and by what, stands beside them in `radar.store.tables`. Their partitions are tables of a schema
of their own, named like `snapshot_2026_05`: what lists the store's tables finds each once. Months to come are made
ahead (`ahead`), those of older posts before they are counted (`make`). What has no month goes into the partition
DEFAULT, so no row is ever refused, and is moved into its month at night (`settle`), a month of a table at a time.
Whoever makes a month waits half a second for its locks and else leaves it to the next night; who writes into that
table, or into one that it names, waits while rows are moved: a second for half a million.
"""

import logging
from collections.abc import Collection, Iterable
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from radar.store.tables import Instant, metadata

log = logging.getLogger("radar")

PARTED = {
    table.name: by.removeprefix("RANGE (").removesuffix(")")
    for table in metadata.tables.values()
    if (by := table.dialect_options["postgresql"]["partition_by"])
}
"""Columns that tables are partitioned by, by table."""
OF_COUNTS = ("day_count", "tracked_mention")
"""Those of them that are written with a day's counts, also for days of long ago."""
AHEAD = 3
"""Months that are there before they are needed, the running one among them."""
_FIRST, _LAST = date(2000, 1, 1), date(2100, 1, 1)
"""Months from here to there are partitions: what says it is of another time stays in DEFAULT."""
_LOCK_WAIT = "500ms"
"""Less than PostgreSQL waits before it looks for deadlocks: who makes a month gives way."""
_PASSING = {"55P03", "40P01", "42501"}
"""SQLSTATEs after which rows go into DEFAULT as before: locks not had, deadlock, and no right to make tables."""


def ahead(engine: sa.Engine, now: datetime) -> None:
    """Make the running month and those that come next, of all tables."""
    month, months = now.date().replace(day=1), []
    for _ in range(AHEAD):
        months.append(month)
        month = following(month)
    make(engine, months)


def make(engine: sa.Engine, days: Iterable[date], tables: Collection[str] = tuple(PARTED)) -> None:
    """Make the months of these days that are not there yet."""
    wanted = {day.replace(day=1) for day in days if _FIRST <= day < _LAST}
    if engine.dialect.name != "postgresql" or not wanted:
        return
    with engine.connect() as connection:
        there = {name for table in tables for name in _partitions(connection, table)}
    for table in tables:
        for month in sorted(wanted):
            if _name(table, month) not in there:
                _try(engine, table, month)


def settle(engine: sa.Engine) -> int:
    """Move what has come into DEFAULT into its months, a month at a time; rows moved."""
    if engine.dialect.name != "postgresql":
        return 0
    with engine.connect() as connection:
        waiting = [(table, month) for table in PARTED for month in _without_month(connection, table)]
    return sum(_try(engine, table, month) for table, month in waiting)


def spread(connection: sa.Connection) -> None:
    """The same at once, within a transaction that has filled the store."""
    if connection.dialect.name == "postgresql":
        for table in PARTED:
            for month in _without_month(connection, table):
                _attach(connection, table, month)


def drop(engine: sa.Engine, table: str, before: datetime) -> int:
    """Drop a table's months that ended before a moment, with all that is in them; how many rows.

    Those that others read just now stay: what deletes rows takes them.
    """
    if engine.dialect.name != "postgresql":
        return 0
    with engine.connect() as connection:
        names = _partitions(connection, table)
    gone = 0
    for name in sorted(names):
        month = date.fromisoformat(f"{name[-7:].replace('_', '-')}-01")
        if following(month) <= before.date():
            with _yielding(), engine.begin() as connection:
                _wait_shortly(connection)
                quoted = _quoted(connection, name)
                rows = connection.exec_driver_sql(f"SELECT count(*) FROM {quoted}").scalar_one()
                connection.exec_driver_sql(f"DROP TABLE {quoted}")
                gone += rows
    return gone


def analyse(engine: sa.Engine) -> None:
    """Let PostgreSQL count what the tables hold as a whole: by itself it does that for each month alone."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in PARTED:
                connection.exec_driver_sql(f"ANALYZE {table}")


def following(month: date) -> date:
    """The month after one, by their first days.

    >>> following(date(2026, 12, 1))
    datetime.date(2027, 1, 1)
    """
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _try(engine: sa.Engine, table: str, month: date) -> int:
    """Make a month, or leave it for another time; rows moved into it."""
    moved = 0
    with _yielding(), engine.begin() as connection:
        _wait_shortly(connection)
        moved = _attach(connection, table, month)
    return moved


def _attach(connection: sa.Connection, table: str, month: date) -> int:
    """Make a month of a table and move into it what DEFAULT holds of it; how many rows.

    Writers wait from before the month is there until it is: none writes into DEFAULT what belongs into the month. What
    the table's foreign keys name is locked first, as writers do, and not by ATTACH after all is moved.
    """
    run = connection.exec_driver_sql
    named = sorted({key.column.table.name for key in metadata.tables[table].foreign_keys})
    default, part = _quoted(connection, f"{table}_default"), _quoted(connection, _name(table, month))
    run(f"LOCK TABLE {', '.join([*named, table])} IN SHARE ROW EXCLUSIVE MODE")
    if not _FIRST <= month < _LAST or _name(table, month) in _partitions(connection, table):
        return 0
    run(f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE")
    low, high, column = _bound(table, month), _bound(table, following(month)), PARTED[table]
    run(f"CREATE TABLE {part} (LIKE {table} INCLUDING DEFAULTS)")
    moved = run(
        f"WITH gone AS (DELETE FROM {default} WHERE {column} >= {low} AND {column} < {high} RETURNING *) "
        f"INSERT INTO {part} SELECT * FROM gone"
    ).rowcount
    run(f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM ({low}) TO ({high})")
    return moved


def _without_month(connection: sa.Connection, table: str) -> list[date]:
    """Months of which DEFAULT holds rows."""
    column = PARTED[table]
    told = f"{column} AT TIME ZONE 'UTC'" if _is_instant(table) else column
    default = _quoted(connection, f"{table}_default")
    rows = connection.exec_driver_sql(
        f"SELECT DISTINCT date_trunc('month', {told})::date FROM {default} "
        f"WHERE {column} >= '{_FIRST}' AND {column} < '{_LAST}' ORDER BY 1"
    )
    return [month for (month,) in rows]


_PARTITIONS = sa.text(
    "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = to_regclass(:table) AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'"
)


def _partitions(connection: sa.Connection, table: str) -> set[str]:
    """A table's months."""
    return set(connection.scalars(_PARTITIONS, {"table": table}))


def _name(table: str, month: date) -> str:
    return f"{table}_{month:%Y_%m}"


def _quoted(connection: sa.Connection, name: str) -> str:
    """A partition with its schema, which is named after the one that holds the tables."""
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    quote = connection.dialect.identifier_preparer.quote
    return f"{quote(f'{schema}_months')}.{quote(name)}"


def _is_instant(table: str) -> bool:
    return isinstance(metadata.tables[table].c[PARTED[table]].type, Instant)


def _bound(table: str, month: date) -> str:
    return f"'{month} 00:00:00+00'" if _is_instant(table) else f"'{month}'"


def _wait_shortly(connection: sa.Connection) -> None:
    connection.execute(sa.select(sa.func.set_config("lock_timeout", _LOCK_WAIT, True)))


@contextmanager
def _yielding() -> Any:
    """Leave it for another time where others are in the way."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _PASSING:
            raise
        log.info("a month is left for another night: %s", str(error.orig).strip().partition("\n")[0])

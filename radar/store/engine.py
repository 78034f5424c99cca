"""Opening the store: SQLite in WAL mode or PostgreSQL, by one URL."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from msgspec.json import decode, encode
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from radar.errors import MixedWorlds, StoreError
from radar.store.tables import Instant, meta

T = TypeVar("T")

_PATIENT: dict[str, Any] = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}  # fmt: skip
"""A server whose host is gone is noticed within half a minute, and the next of several hosts is tried after 5 s."""

SQL_VARIABLES = 30_000
"""Bound variables in one statement: below SQLite's 32,766 and PostgreSQL's 65,535."""


def open_store(url: str, *, migrate: bool = True) -> sa.Engine:
    """An engine for that URL, its schema up to date.

    Raises StoreError when the URL is not understood or the database is out of reach.
    """
    try:
        engine = _connect(url)
        with engine.connect():
            pass
    except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
        shown = url.split("@")[-1]
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(f"Cannot open the store at {shown}: {reason}.", "Check RADAR_DATABASE_URL.") from error
    if migrate:
        from radar.store.migrate import upgrade

        try:
            upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def open_lazily(url: str) -> sa.Engine:
    """An engine for that URL whose database may be out of reach for now; nothing is migrated."""
    return _connect(url)


def _connect(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        # the connection that was used last goes first: its pages are at hand, and those of few are held in memory
        lifo = {"pool_use_lifo": True} if parsed.database and parsed.database != ":memory:" else {}
        engine = sa.create_engine(url, connect_args={"timeout": 30}, **lifo)
        sa.event.listen(engine, "connect", _set_pragmas)
        sa.event.listen(engine, "begin", _begin)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    given = {name: value for name, value in _PATIENT.items() if name not in parsed.query}
    if isinstance(parsed.query.get("host"), tuple):  # several servers: the one that writes, but where others are asked
        given |= {} if "target_session_attrs" in parsed.query else {"target_session_attrs": "read-write"}
    return sa.create_engine(parsed, pool_pre_ping=True, connect_args=given)


def _set_pragmas(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    # the log grows to 32 MB before it goes into the file: what batch after batch writes again is written there once
    for pragma in (
        "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "busy_timeout=30000", "cache_size=-16384",
        "temp_store=MEMORY", "wal_autocheckpoint=8000",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    """A writing session takes the write lock at once, so that two never meet half-way."""
    writes = connection.get_execution_options().get("radar_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def reading(engine: sa.Engine) -> Session:
    """A session for reads."""
    return Session(engine, expire_on_commit=False)


def writing(engine: sa.Engine) -> Session:
    """A session for one short write transaction; use `with writing(engine) as session, session.begin():`."""
    return Session(engine.execution_options(radar_writes=True), expire_on_commit=False)


def reading_still(engine: sa.Engine) -> Session:
    """A session that sees the store as it is at its first read, whatever others write meanwhile; it cannot write."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Session(engine, expire_on_commit=False)


def one_writer(session: Session, name: str) -> None:
    """Let other transactions that ask for the same name wait until this one ends; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"radar {name}"))))


def upsert(
    session: Session,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    on: Iterable[str],
    update: Iterable[str] | Mapping[str, Any] = (),
    unless_same: bool = False,
) -> int:
    """Insert rows; where `on` exists already, set the `update` columns, or leave the row when there are none.

    unless_same  write nothing where they hold that already: for what is mostly told again

    Returns how many rows were written.
    """
    if not rows:
        return 0
    dialect = session.connection().dialect
    if isinstance(update, Mapping):
        return execute_each(session, _upsert(dialect, table, tuple(on), update, unless_same), rows)
    names = tuple(rows[0])
    return _execute(session, _upsert_plan(dialect, table, tuple(on), tuple(update), unless_same, names), rows)


def upsert_columns(
    session: Session,
    table: sa.Table,
    columns: Mapping[str, list[Any]],
    *,
    on: Iterable[str],
    update: Iterable[str] = (),
) -> int:
    """The same of rows given column by column, which is less work."""
    plan = _upsert_plan(session.connection().dialect, table, tuple(on), tuple(update), False, tuple(columns))
    return _execute_columns(session, plan, columns)


def _upsert(
    dialect: sa.Dialect, table: sa.Table, on: tuple[str, ...], changes: Mapping[str, Any], unless_same: bool
) -> sa.Insert:
    insert = insert_into(dialect, table)
    statement: sa.Insert = insert.on_conflict_do_nothing(index_elements=list(on))
    if not changes:
        return statement
    differs = [table.c[name].is_distinct_from(value) for name, value in changes.items()]
    where = sa.or_(*differs) if unless_same else None
    statement = insert.on_conflict_do_update(index_elements=list(on), set_=dict(changes), where=where)
    return statement


def insert_into(dialect: sa.Dialect, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what to do about conflicts."""
    return sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)


_TOGETHER = 500
"""Rows that go into SQLite at once: meanwhile other threads run, who else would get a turn of a millisecond a row."""


class _Plan(NamedTuple):
    """A statement with its text. names: what it binds, in the order of its marks; types by name.

    together  the same text for _TOGETHER rows; None where it cannot be had
    """

    statement: sa.Insert | sa.Update
    text: str
    names: tuple[str, ...]
    types: dict[str, Any]
    is_positional: bool
    together: str | None


@lru_cache(512)
def _upsert_plan(
    dialect: sa.Dialect, table: sa.Table, on: tuple[str, ...], update: tuple[str, ...], unless_same: bool,
    names: tuple[str, ...],
) -> _Plan:  # fmt: skip
    excluded = insert_into(dialect, table).excluded
    return _plan(dialect, _upsert(dialect, table, on, {name: excluded[name] for name in update}, unless_same), names)


@lru_cache(512)
def _update_plan(dialect: sa.Dialect, table: sa.Table, id_name: str, names: tuple[str, ...]) -> _Plan:
    bound = {name: sa.bindparam("b_" + name, type_=table.c[name].type) for name in names if name != id_name}
    mine = table.c.id == sa.bindparam("b_" + id_name, type_=table.c.id.type)
    return _plan(dialect, sa.update(table).where(mine).values(bound), tuple("b_" + name for name in names))


def _plan(dialect: sa.Dialect, statement: sa.Insert | sa.Update, names: tuple[str, ...]) -> _Plan:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names))
    bound = compiled.positiontup if compiled.positional else list(compiled.binds)
    types = {name: compiled.binds[name].type for name in bound}
    together = _of_many(compiled.string, len(bound)) if dialect.name == "sqlite" else None
    return _Plan(statement, compiled.string, tuple(bound), types, compiled.positional, together)


def _of_many(text: str, width: int) -> str | None:
    """An INSERT of one row as one of _TOGETHER rows; None for what is none.

    >>> _of_many("INSERT INTO t (a, b) VALUES (?, ?)", 2).count("(?, ?)") == _TOGETHER
    True
    """
    marks = f"({', '.join('?' * width)})"
    head, found, tail = text.partition(f" VALUES {marks}")
    return (
        f"{head} VALUES {', '.join([marks] * _TOGETHER)}{tail}" if found and width * _TOGETHER < SQL_VARIABLES else None
    )


def update_by_id(session: Session, table: sa.Table, id_name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set columns of rows by id, which goes by another name in the rows; they have the same columns."""
    if rows:
        plan = _update_plan(session.connection().dialect, table, id_name, tuple(rows[0]))
        _execute(session, plan, [{"b_" + name: row[name] for name in row} for row in rows])


def execute_each(session: Session, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run a statement once for each row; the rows have the same names, which are all that the statement binds.

    As `Connection.execute(statement, rows)` with less work: each column goes through its type's own conversion
    as a column, and equal instants once. Returns how many rows were written.
    """
    return _execute(session, _plan(session.connection().dialect, statement, tuple(rows[0])), rows)


def _execute(session: Session, plan: _Plan, rows: Sequence[Mapping[str, Any]]) -> int:
    connection, names = session.connection(), plan.names
    if not set(names) <= rows[0].keys():  # the statement has values of its own
        return int(connection.execute(plan.statement, rows).rowcount)
    return _execute_columns(session, plan, {name: [row[name] for row in rows] for name in plan.types})


def _execute_columns(session: Session, plan: _Plan, given_columns: Mapping[str, list[Any]]) -> int:
    connection, names = session.connection(), plan.names
    dialect = connection.dialect
    columns = {name: _converted(kind, dialect, given_columns[name]) for name, kind in plan.types.items()}
    in_order = [columns[name] for name in names]
    if not plan.is_positional:
        rows = [dict(zip(names, values, strict=True)) for values in zip(*in_order, strict=True)]
        return int(connection.exec_driver_sql(plan.text, rows).rowcount)
    count, written = len(in_order[0]), 0
    whole = count - count % _TOGETHER if plan.together else 0
    for start in range(0, whole, _TOGETHER):
        flat: list[Any] = [None] * (_TOGETHER * len(names))
        for n, values in enumerate(in_order):
            flat[n :: len(names)] = values[start : start + _TOGETHER]
        written += int(connection.exec_driver_sql(plan.together or "", tuple(flat)).rowcount)
    if whole < count:
        rest = list(zip(*(values[whole:] for values in in_order), strict=True))
        written += int(connection.exec_driver_sql(plan.text, rest).rowcount)
    return written


def _converted(kind: Any, dialect: sa.Dialect, values: list[Any]) -> list[Any]:
    """A column's values as the driver takes them."""
    if isinstance(kind, Instant) and dialect.name == "sqlite":
        if values and all([value is values[0] for value in values]):  # noqa: C419  faster
            return _instant_texts(values[:1]) * len(values)
        return _instant_texts(values)
    if isinstance(kind, sa.LargeBinary) and dialect.name == "sqlite":
        return values  # it takes bytes as they are
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return values
    return list(map(cache(convert) if isinstance(kind, Instant | sa.Date | sa.Boolean) else convert, values))


_WHOLE_SECOND = re.compile(rb'(:..)Z"')


def _instant_texts(values: Sequence[datetime | None]) -> list[str | None]:
    """Instants as SQLite has them: what Instant makes of them, and SQLAlchemy of that. As JSON, all at once.

    >>> _instant_texts([datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC), None])
    ['2026-03-02 09:00:05.000000', None]
    """
    told = encode(
        [
            value if value is None or (type(value) is datetime and value.tzinfo is UTC) else _in_utc(value)
            for value in values
        ]
    )
    if b"." in told:
        told = _WHOLE_SECOND.sub(rb'\1.000000"', told).replace(b'Z"', b'"')
    else:
        told = told.replace(b'Z"', b'.000000"')
    texts: list[str | None] = decode(told.replace(b"T", b" "))
    return texts


def _in_utc(value: datetime) -> datetime:
    """A plain one, which a file's rows need not hold: Parquet's nanoseconds come as times of pandas."""
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: instants are aware")
    a = value.astimezone(UTC)
    return datetime(a.year, a.month, a.day, a.hour, a.minute, a.second, a.microsecond, UTC)


def columns_read(
    session: Session, statement: sa.Select[Any], bound: Mapping[str, Any] | None = None
) -> list[Sequence[Any]]:
    """What a query selects, column by column in its order: each is converted as a whole, and no row is made of it.

    As `Session.execute` gives the values, for many rows in half the time.
    """
    result = session.connection().execute(statement, bound)
    dialect, cursor = session.get_bind().dialect, result.cursor
    assert cursor is not None
    kinds = [column.type for column in statement.selected_columns]
    codes = [told[1] for told in cursor.description]
    rows = cursor.fetchall()
    result.close()
    columns: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * len(kinds)
    return [_found(kind, dialect, *some) for kind, some in zip(kinds, zip(codes, columns, strict=True), strict=True)]


def raw_columns(session: Session, statement: sa.Select[Any]) -> Iterator[list[Sequence[Any]]]:
    """The same as the driver gives them, some rows at a time: SQLite has instants as texts, and truths as 0 and 1."""
    result = session.connection().execute(statement)
    cursor = result.cursor
    assert cursor is not None
    try:
        while rows := cursor.fetchmany(_AT_A_TIME):
            yield list(zip(*rows, strict=True))
    finally:
        result.close()


_AT_A_TIME = 1_000
"""Rows that are taken apart while they are near: of many thousands at once it takes twice as long."""


def _found(kind: Any, dialect: sa.Dialect, code: Any, values: Sequence[Any]) -> Sequence[Any]:
    """A column's values as the driver gives them, converted."""
    known = kind if isinstance(kind, sa.TypeDecorator) else kind.dialect_impl(dialect)
    convert = known.result_processor(dialect, code)
    if convert is None:
        return values
    return list(map(cache(convert) if isinstance(kind, sa.Date | sa.Boolean) else convert, values))


def next_ids(session: Session, table: sa.Table, count: int) -> list[int]:
    """Ids for that many new rows of a table, by which they are known before they are there.

    SQLite has one writer, who counts on from the highest; PostgreSQL gives each number once.
    """
    if session.get_bind().dialect.name == "sqlite":
        first = int(session.scalar(_highest(table)) or 0) + 1
        return list(range(first, first + count))
    sequence = sa.func.pg_get_serial_sequence(table.name, "id")
    numbers = sa.select(sa.func.nextval(sa.cast(sequence, postgresql.REGCLASS))).select_from(
        sa.func.generate_series(1, count)
    )
    return list(session.scalars(numbers))


@cache
def _highest(table: sa.Table) -> sa.Select[Any]:
    return sa.select(sa.func.max(table.c.id))


def one_of(session: Session, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Whether a column holds one of many values, which are bound as one."""
    dialect = session.get_bind().dialect.name
    return one_of_named(dialect, column, None, as_bound(dialect, values))


def one_of_named(
    dialect: str, column: sa.ColumnElement[Any], name: str | None, value: Any = None
) -> sa.ColumnElement[bool]:
    """The same in a statement that is made once: `name` is bound to `as_bound` of the values."""
    if dialect == "sqlite":
        held = sa.func.json_each(sa.bindparam(name, value, sa.Text)).table_valued("value")
        return column.in_(sa.select(held.c.value))
    # as Text: VARCHAR(255)[] would cut what is longer, and find what it then names
    kind = sa.Text() if isinstance(column.type, sa.String) else column.type
    return column == sa.any_(sa.bindparam(name, value, postgresql.ARRAY(kind)))


def as_bound(dialect: str, values: Sequence[Any]) -> Any:
    """Many values as one that is bound."""
    return _as_json(values) if dialect == "sqlite" else list(values)


def _as_json(values: Sequence[Any]) -> str:
    """As a JSON array, by msgspec in a tenth of the time, but where half of a surrogate pair is in it."""
    try:
        return encode(values).decode()
    except UnicodeEncodeError:
        return json.dumps(values)


def upsert_from(
    session: Session, table: sa.Table, columns: Sequence[str], rows: sa.Select[Any], *, on: Sequence[str]
) -> None:
    """Insert what a query selects; where `on` exists already, set the other columns. One statement for many rows."""
    insert = insert_into(session.get_bind().dialect, table)
    changes = {name: insert.excluded[name] for name in columns if name not in on}
    statement = insert.from_select(list(columns), rows).on_conflict_do_update(index_elements=list(on), set_=changes)
    session.execute(statement)


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Slices of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def claim_world(session: Session, world: str) -> None:
    """Say once whether this store holds "simulated" or "real" posts. Raises MixedWorlds if it holds the other."""
    held = world_of(session)
    if held is None:
        upsert(session, meta, [{"name": "world", "value": world}], on=["name"])
        held = world_of(session)  # another process may have been first
    if held != world:
        raise MixedWorlds(
            f"This store holds {held} posts; {world} ones cannot join them.",
            "Leave the demo with another RADAR_DATA_DIR, or delete the demo's data folder.",
        )


def world_of(session: Session) -> str | None:
    """ "simulated", "real", or None for an empty store."""
    return session.scalar(sa.select(meta.c.value).where(meta.c.name == "world"))

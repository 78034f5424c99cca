"""No statement of radar.store reads a table that grows from end to end, on SQLite and on PostgreSQL.

Every statement is run once (tests.store.walking), and its plan is read. SQLite chooses without statistics, as in most
stores; PostgreSQL with those of some thousand rows a table, where reading a whole table is made as dear as in a large
one.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa

from radar.store import months, tables
from tests.store.arguments import CALLS, GIVEN
from tests.store.walking import Walked, walk

SMALL = {
    **dict.fromkeys(("meta", "lease", "member", "api_key", "author_list", "alert_rule", "alert_target"), "a few rows"),
    **dict.fromkeys(("source_state", "watched_account", "hub_subscription"), "what an operator set up"),
    **dict.fromkeys(("list_key", "list_member", "tracked_key"), "what people put there by hand"),
    **dict.fromkeys(("peer_group", "market_lead", "arrival_model"), "rows a market, whatever is stored"),
    "dirty_day": "what waits; a row a market and day at most",
    "imported_file": "a row a file, for as long as rejects are kept",
    "source_usage": "a row a day and budget of a source",
    "source_day": "a row a market, day and source, however many posts those gave",
    "language_day": "a row a market, day and language, the same",
}
"""Tables that do not grow with posts, and why."""

NOT_CALLED = {
    "operation.database_clock": "sqlite has none",
    "integrity.file_faults": "postgresql has no file",
    "work.claim": "sqlite has one writer, who asks for no list",
    "version._row": "reads a row by the driver itself",
}
"""Functions that are left out, and why; those of one database begin with the other's name."""


def test_every_statement_is_looked_at_and_none_reads_a_growing_table_whole(engine: sa.Engine) -> None:
    left_out = {name for name, why in NOT_CALLED.items() if why.split()[0] in (engine.dialect.name, "reads")}
    months.make(engine, [date(2026, month, 1) for month in (4, 5)])
    walked = walk(engine, GIVEN, CALLS, left_out)
    assert [where for where in walked.missed if where.split()[0] not in left_out] == []
    assert len(walked.statements) > 500
    whole = list(_on_sqlite(engine, walked) if engine.dialect.name == "sqlite" else _on_postgresql(engine, walked))
    assert not whole, "\n".join(f"{name}: {said}" for name, said in whole)


def _grows(table: str) -> bool:
    return table in tables.metadata.tables and table not in SMALL


def _planned(walked: Walked) -> Iterator[tuple[str, str, Any]]:
    for (name, statement), parameters in walked.statements.items():
        if re.match(r"[\s(]*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", statement):
            yield name, statement, parameters or ()


def _on_sqlite(engine: sa.Engine, walked: Walked) -> Iterator[tuple[str, str]]:
    """(function, what it reads whole and how)."""
    partial = {index.name for table in tables.metadata.tables.values() for index in table.indexes if _part(index)}
    with engine.connect() as connection:
        for name, statement, parameters in _planned(walked):
            aliases = {alias: table for table, alias in re.findall(r"(\w+) AS (\w+)", statement)}
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for step in plan:
                found = re.match(r"SCAN (\w+)(?:.* INDEX (\w+))?", step)
                if found is None or not _grows(aliases.get(found[1], found[1])) or found[2] in partial:
                    continue
                is_page = re.search(r"\bLIMIT\b", statement) and not re.search(r"\bWHERE\b", statement)
                if not is_page or any("TEMP B-TREE FOR ORDER BY" in other for other in plan):
                    yield name, f"{step}: {statement}"


def _part(index: sa.Index) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None


def _on_postgresql(engine: sa.Engine, walked: Walked) -> Iterator[tuple[str, str]]:
    """The same."""
    partial = {index.name for table in tables.metadata.tables.values() for index in table.indexes if _part(index)}
    _fill(engine)
    with engine.connect() as connection:
        wholes = dict(connection.exec_driver_sql(_WHOLES).all())
        empty = set(connection.exec_driver_sql("SELECT relname FROM pg_class WHERE reltuples <= 0").scalars())
        for way in ("seqscan", "hashjoin", "mergejoin"):  # whose gain is to read a table whole
            connection.exec_driver_sql(f"SET enable_{way} = off")
        for name, statement, parameters in _planned(walked):
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            for node in _nodes(plan[0]["Plan"], is_page=False):
                kind, index = node["Node Type"], wholes.get(node.get("Index Name"), node.get("Index Name"))
                if kind in ("Seq Scan", "Index Scan", "Index Only Scan") and "Index Cond" not in node:
                    is_page = node["is_page"] and "Filter" not in node
                    table = wholes.get(node["Relation Name"], node["Relation Name"])
                    is_empty = node["Relation Name"] in empty  # a month to come, or what waits for its month
                    if _grows(table) and index not in partial and not is_page and not is_empty:
                        yield name, f"{kind} of {node['Relation Name']} by {index}: {statement}"


_WHOLES = (
    "SELECT part.relname, whole.relname FROM pg_inherits AS i "
    "JOIN pg_class AS part ON part.oid = i.inhrelid JOIN pg_class AS whole ON whole.oid = i.inhparent"
)
"""Months of tables and of their indexes, with what they are months of."""
_PASSING = (
    "Nested Loop", "Merge Join", "Memoize", "Result", "Subquery Scan", "LockRows", "Append", "Merge Append"
)  # fmt: skip
"""What takes no more from below than is asked of it."""


def _nodes(node: dict[str, Any], *, is_page: bool) -> Iterator[dict[str, Any]]:
    """A plan's nodes; is_page: no more of it is read than a limit says."""
    kind = node["Node Type"]
    yield node | {"is_page": is_page}
    is_page = kind == "Limit" or (is_page and kind in _PASSING)
    for below in node.get("Plans", ()):
        yield from _nodes(below, is_page=is_page)


ROWS = 3_000


def _fill(engine: sa.Engine) -> None:
    """Some thousand rows in each table that grows, no two alike, none of them naming another that is there.

    In tables of months they are of a few weeks, so that there is as much in a month as a planner cares for.
    """
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no foreign keys
        for table in tables.metadata.sorted_tables:
            if _grows(table.name):
                columns = [c for c in table.columns if not c.nullable or c.name in ("text", "deleted_at", "name")]
                values = ", ".join(_made(c) for c in columns)
                names = ", ".join(f'"{c.name}"' for c in columns)
                numbers = f"generate_series(1000, {1000 + ROWS}) AS g"
                connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM {numbers}')
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _made(column: sa.Column[Any]) -> str:
    length = getattr(column.type, "length", None) or 20
    few = {"audience_market": "(ARRAY['TW', 'JP', 'KR', 'HK'])[1 + MOD(g, 4)]", "deleted_at": "NULL"}
    is_parted = column.table.name in months.PARTED
    day = "DATE '2026-05-31' - g / 100" if is_parted else "DATE '2026-05-04' - g / 4"
    kinds = {
        tables.Instant: "TIMESTAMPTZ '2026-05-04' - g * INTERVAL '1 minute'", sa.JSON: "'{}'",
        sa.Boolean: "MOD(g, 2) = 0",
        sa.Date: day, sa.LargeBinary: "''::bytea", sa.Float: "1.0 / g",
        sa.SmallInteger: "MOD(g, 4)", sa.Integer: "g", sa.String: f"LEFT('x' || g, {length})",
    }  # fmt: skip
    return few.get(column.name) or next(made for kind, made in kinds.items() if isinstance(column.type, kind))


def test_rows_that_others_name_are_found_by_an_index_when_those_go() -> None:
    """A database looks for the children of a row that is deleted."""
    for table in tables.metadata.tables.values():
        keys = [list(table.primary_key.columns), *(list(index.columns) for index in table.indexes)]
        keys += [list(c.columns) for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
        for column in table.columns:
            if column.foreign_keys and _grows(table.name):
                assert any(key[0] is column for key in keys if key), f"{table.name}.{column.name}"


def test_a_table_of_months_holds_its_time_in_its_key() -> None:
    for table, column in months.PARTED.items():
        assert tables.metadata.tables[table].c[column].primary_key, table

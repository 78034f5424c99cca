"""A walk through every function of radar.store that notes each statement it runs, with the function that ran it.

Arguments are made from the names and annotations of parameters, in a store with one row in each table, all of them of
each other. Each function is called without its optional arguments, with each of them, and with all; what it wrote is
taken back. Where in radar.store a statement is run is read from the sources, so that one the walk missed is found.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
from collections import abc
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from types import FrameType, ModuleType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import sqlalchemy as sa

import radar.store
from radar.keys import Kind
from radar.store import copying, rights, tables
from radar.store.day_blob import HOURS, QUARTERS, DayCounts
from radar.store.engine import writing
from radar.store.measures import facet
from radar.store.trends import KEPT_STATES

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = date(2026, 5, 4)
FOLDER = Path(radar.store.__file__).parent
WHOLE = {"bulk", "size", "copying", "transfer", "engine", "migrate", "tables", "day_blob", "locks", "replica", "months"}
"""Modules that fill, copy, open or change whole stores, that ask the server alone, or run no statement of their own."""
_RUNS = {
    "execute", "scalar", "scalars", "upsert", "upsert_columns", "upsert_from", "update_by_id", "execute_each",
    "exec_driver_sql", "columns_read", "raw_columns",
}  # fmt: skip


def one_row_each(engine: sa.Engine) -> None:
    """A row in every table; rows that name others name those."""
    with writing(engine) as session, session.begin():
        for table in tables.metadata.sorted_tables:
            session.execute(sa.delete(table))
            session.execute(sa.insert(table).values(row(table.name)))
        session.execute(sa.insert(tables.author_facet), [{"facet": facet("TW", Kind.PLACE, "JP"), "author_id": 1}])
        states = [row("detector_state", local_day=DAY - timedelta(days=n)) for n in range(1, KEPT_STATES + 2)]
        session.execute(sa.insert(tables.detector_state), states)
        session.execute(sa.insert(tables.person).values(id=2, name=None))
        session.execute(sa.insert(tables.author).values(row("author", id=2, native_id="2", handle="bob", person_id=2)))


_CELLS: dict[str, Any] = {
    "audience_market": "TW", "first_market": "TW", "second_market": "JP", "bucket": "1h", "platform": "test",
    "outcome": "running", "state": "pending", "places": "JP", "language": "en", "topic_id": "shop.drugstore",
    "tier": "micro", "name": "ann", "source": "test", "handle": "ann", "model_id": "m",
    "text": "ramen with @ann in Osaka", "keys": (1).to_bytes(8, "little"), "deleted_at": None, "hidden_at": None,
    "ended_at": None, "revoked_at": None, "leader_id": None, "undoes": None, "corrected": None, "kind": None,
}  # fmt: skip


_CELLS_OF: dict[tuple[str, str], Any] = {
    ("key", "kind"): 1,
    ("snapshot", "kind"): 1,
    ("tracked_key", "deleted_at"): NOW,
    ("meta", "name"): rights.ERASURE_KEY,
    ("meta", "value"): "00",
    ("source_state", "name"): "test",
    ("source_state", "kind"): "test",
    ("snapshot", "working"): {"evidence": [1]},
    ("dirty_day", "local_day"): DAY - timedelta(days=1),
    ("author_facet", "facet"): facet("TW", Kind.TOPIC, "shop.drugstore"),
    ("peer_group", "member_count"): 1_000_000,
    ("detector_state", "state"): b"1",
    ("author_measure", "profile"): {
        "topics": [],
        "places": [],
        "top_posts": [],
        "brands": [],
        "signals": {},
        "rhythm": {"by_hour": [], "by_weekday": [], "gap_hours": None, "active_days": 1},
    },
}


def _number_on(engine: sa.Engine) -> None:
    """New rows are numbered from behind those that were given numbers."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            copying._set_sequences(connection)


def _cell(table: sa.Table, column: sa.Column[Any]) -> Any:
    if column.name == "counts":
        return counts().to_bytes()
    if (table.name, column.name) in _CELLS_OF:
        return _CELLS_OF[table.name, column.name]
    if column.name in _CELLS and (_CELLS[column.name] is not None or column.nullable):
        return _CELLS[column.name]
    kinds = {
        sa.LargeBinary: _CELLS["keys"], tables.Instant: NOW, sa.JSON: {}, sa.Date: DAY, sa.Boolean: False,
        sa.Float: 0.5, sa.Integer: 1, sa.String: "1",
    }  # fmt: skip
    return next(value for kind, value in kinds.items() if isinstance(column.type, kind))


def counts() -> DayCounts:
    """A day with one key."""
    one = np.ones(1)
    return DayCounts(
        one.astype(np.int64), one.astype(np.int16), one.astype(np.uint8), one.astype(np.uint32), one.astype(np.uint32),
        one.astype(np.float32), np.zeros(QUARTERS, np.uint32), np.zeros(HOURS, np.uint32), 1,
    )  # fmt: skip


@dataclass(slots=True)
class Walked:
    """statements  (function, statement) -> its parameters;  missed  functions with a place that no call came to."""

    statements: dict[tuple[str, str], Any] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)


def modules() -> Iterator[ModuleType]:
    """The modules of radar.store that hold statements."""
    for found in pkgutil.iter_modules([str(FOLDER)]):
        if found.name not in WHOLE and not found.ispkg:
            yield importlib.import_module(f"radar.store.{found.name}")


def functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Those that others may call and that are given a session."""
    for name, found in vars(module).items():
        is_own = inspect.isfunction(found) and found.__module__ == module.__name__ and not name.startswith("_")
        if is_own and "session" in inspect.signature(found).parameters:
            yield name, found


def walk(
    engine: sa.Engine, given: dict[str, Any], calls: dict[str, list[dict[str, Any]]], but: Collection[str] = ()
) -> Walked:
    """Call everything but some functions.

    given  values by parameter's name, or by module.function.parameter
    calls  more calls of a function, by module.function: arguments besides those that are made
    """
    walked, reached = Walked(), set[tuple[str, int]]()
    now = ""

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
        walked.statements.setdefault((now, statement), parameters[0] if many else parameters)

    one_row_each(engine)
    _number_on(engine)
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        with _lines(reached):
            for module in modules():
                for name, function in functions(module):
                    now = f"{module.__name__.rpartition('.')[2]}.{name}"
                    if now in but:
                        continue
                    for arguments in [*_variants(now, function, given), *calls.get(now, ())]:
                        _call(engine, function, _made(now, function, given) | arguments)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    walked.missed = [where for module in modules() for where in _missed(module, reached)]
    return walked


def _call(engine: sa.Engine, function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    with writing(engine) as session:
        arguments = {name: value() if callable(value) else value for name, value in arguments.items()}
        found = function(session=session, **arguments)
        if inspect.isgenerator(found):
            list(found)
        session.rollback()


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return [p for p in inspect.signature(function).parameters.values() if p.name != "session"]


def _made(name: str, function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """What has to be given."""
    wanted = [p for p in _parameters(function) if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    made = {p.name: _value(name, p, given) for p in wanted}
    return made | given.get(f"{name}.**", {})


def _variants(name: str, function: Callable[..., Any], given: dict[str, Any]) -> list[dict[str, Any]]:
    """Nothing, each and all of what may be given."""
    optional = {p.name: _value(name, p, given) for p in _parameters(function) if p.default is not p.empty}
    return [{}, *({n: value} for n, value in optional.items()), *([optional] if len(optional) > 1 else [])]


def _value(name: str, parameter: inspect.Parameter, given: dict[str, Any]) -> Any:
    for key in (f"{name}.{parameter.name}", parameter.name):
        if key in given:
            return given[key]
    module, function = name.split(".")
    hints = get_type_hints(getattr(importlib.import_module(f"radar.store.{module}"), function))
    return _of(hints[parameter.name], given)


def _of(hint: Any, given: dict[str, Any]) -> Any:
    """A value of a type."""
    inner = [one for one in get_args(hint) if one is not type(None)]
    origin = get_origin(hint) or hint
    if origin in (Union, UnionType):
        return _of(inner[0], given)
    if origin is Literal:
        return inner[0]
    if origin is tuple:
        return tuple(_of(one, given) for one in inner if one is not ...)
    if origin in (dict, abc.Mapping):
        return {_of(inner[0], given): _of(inner[1], given)}
    if origin in (list, set, abc.Sequence, abc.Collection, abc.Iterable):
        return [_of(inner[0], given)]
    if hint in _BY_TYPE:
        return _BY_TYPE[hint]
    if issubclass(hint, Enum):
        return next(iter(hint))
    fields = get_type_hints(hint)  # a NamedTuple or a dataclass
    names = getattr(hint, "_fields", None) or list(fields)
    return hint(**{name: _field(hint, name, fields[name], given) for name in names})


def _field(of: Any, name: str, hint: Any, given: dict[str, Any]) -> Any:
    for key in (f"{of.__name__}.{name}", name):
        if key in given:
            return given[key]
    return _of(hint, given)


_BY_TYPE: dict[Any, Any] = {
    timedelta: timedelta(minutes=1), datetime: NOW, date: DAY, bool: True, float: 0.5, bytes: b"", int: 1, str: "1",
    DayCounts: counts(), Any: {},
}  # fmt: skip


def row(table: str, **more: Any) -> dict[str, Any]:
    """A row as those that are stored, but for what is said otherwise."""
    columns = tables.metadata.tables[table].columns
    return {c.name: _cell(c.table, c) for c in columns} | more


@contextmanager
def _lines(reached: set[tuple[str, int]]) -> Iterator[None]:
    """Note the lines of radar.store that are run."""
    folder, before = str(FOLDER), sys.gettrace()

    def local(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            reached.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    sys.settrace(lambda frame, _event, _arg: local if frame.f_code.co_filename.startswith(folder) else None)
    try:
        yield
    finally:
        sys.settrace(before)


def _missed(module: ModuleType, reached: set[tuple[str, int]]) -> Iterator[str]:
    """Functions in which a statement is run that was not."""
    file, short = str(module.__file__), module.__name__.rpartition(".")[2]
    lines = {line for name, line in reached if name == file}
    for function in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        for node in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in _RUNS and not lines & set(range(node.lineno, (node.end_lineno or 0) + 1)):
                    yield f"{short}.{function.name} line {node.lineno}"

"""A list's lines as a table: its columns are those of the shape of a line, nested ones by dotted names."""

import json
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

Row = Mapping[str, Any]
PLAIN = (str, int, float, bool, datetime, date)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its dotted name, the keys that lead to its value, and the Python type of it.

    kind  one of PLAIN; list where several values stand in one cell: ids separated by spaces, else JSON
    """

    name: str
    path: tuple[str, ...]
    kind: type


def declare_choice(schemas: dict[str, Any]) -> None:
    """Say in an OpenAPI document's schemas that a line of a list has the fields that were asked for, maybe few."""
    for page in [one for one in schemas.values() if "next" in one.get("properties", {})]:
        items = page["properties"].get("items", {}).get("items", {})
        if "$ref" in items:
            line = items["$ref"].rpartition("/")[2]
            name = f"{line}InList"
            whole = {key: value for key, value in schemas[line].items() if key not in ("required", "example")}
            schemas[name] = whole | {"title": name, "description": f"A {line}, or those of its fields asked for."}
            items["$ref"] = f"#/components/schemas/{name}"


@cache
def columns_of(shape: type[BaseModel]) -> tuple[Column, ...]:
    """The columns of a line's shape. One that holds cells (`table_of`) has a row a cell: see `rows_of`."""
    found = list(_columns(shape, (), ()))
    of = getattr(shape, "table_of", None)
    if of:
        inner = _line_of(shape.model_fields[of].annotation)
        assert inner is not None
        found = [c for c in found if c.path[0] != of] + list(_columns(inner, (of,), (shape,)))
    return tuple(found)


def _columns(shape: type[BaseModel], before: tuple[str, ...], within: tuple[type, ...]) -> Iterator[Column]:
    for name, field in shape.model_fields.items():
        path = (*before, field.serialization_alias or field.alias or name)
        kind = _kind(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in within:
                yield from _columns(kind, path, (*within, shape))
        else:
            yield Column(".".join(path), path, kind)


def _kind(annotation: Any) -> Any:
    """The type behind an annotation: a shape, one of PLAIN, or list for all that needs more than a value."""
    origin = get_origin(annotation)
    if origin is Literal:
        return type(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        kinds = {_kind(inner) for inner in get_args(annotation) if inner is not type(None)}
        return kinds.pop() if len(kinds) == 1 else list
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or annotation in PLAIN):
        return annotation
    return list


def _line_of(annotation: Any) -> type[BaseModel] | None:
    """The shape in a `list[Shape]`."""
    inner = get_args(annotation)[0] if get_origin(annotation) is list else None
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def line_of(page: Any) -> type[BaseModel] | None:
    """The shape of a list's lines; None for an answer that is no list: {"items": [...], "next": ...}."""
    if not (isinstance(page, type) and issubclass(page, BaseModel) and "next" in page.model_fields):
        return None
    items = page.model_fields.get("items")
    return _line_of(items.annotation) if items else None


@cache
def sortable(shape: type[BaseModel]) -> tuple[str, ...]:
    """Columns of one value that a whole list can be sorted by."""
    return tuple(c.name for c in columns_of(shape) if len(c.path) == 1 and c.kind is not list)


def value_of(line: Row, path: Sequence[str]) -> Any:
    """A nested value; None where something on the way is not there."""
    found: Any = line
    for name in path:
        if found is None:
            return None
        found = found.get(name)
    return found


def rows_of(shape: type[BaseModel], lines: Iterable[Row], columns: Sequence[Column]) -> Iterator[list[Any]]:
    """Lines (as JSON has them) as rows of values, instants as text still."""
    of = getattr(shape, "table_of", None)
    for line in lines:
        for cells in [{**line, of: cell} for cell in line[of]] if of and of in line else [line]:
            yield [_value(value_of(cells, column.path), column.kind) for column in columns]


def _value(value: Any, kind: type) -> Any:
    """A value of its column's type."""
    if value is None:
        return None
    if kind is list:
        return _in_one_cell(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if kind is date else kind(value)


def _in_one_cell(value: Any) -> str:
    """Ids separated by spaces where the values have some, else JSON.

    >>> _in_one_cell([{"id": "JP", "share": 0.4}, {"id": "KR", "share": 0.1}]), _in_one_cell({"nano": 7})
    ('JP KR', '{"nano":7}')
    """
    if isinstance(value, list) and value and all(isinstance(v, dict) and "id" in v and len(v) < 5 for v in value):
        return " ".join(str(v["id"]) for v in value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value or value == 0 else ""

"""Whether rows of a file are such as the store holds: by the types of their columns, and by what some columns mean."""

import json
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from radar.errors import UnreadableInput
from radar.markets import MARKETS, local_day
from radar.store.day_blob import DayCounts
from radar.transfer.shapes import names_of, type_of

_YEARS = (1900, 9999)
_MARKETS = ("audience_market", "first_market", "second_market")

Faults = dict[int, str]
"""What is wrong with rows, by their place in a batch."""


def fitted(table: sa.Table, batch: pa.RecordBatch, name: str) -> pa.RecordBatch:
    """The columns that the store has, in its types; what an older radar did not write is null.

    Raises UnreadableInput where they cannot be had, or hold what is no text.
    """
    arrays = []
    for column_name in names_of(table):
        column = table.c[column_name]
        place = batch.schema.get_field_index(column_name)
        if place < 0 and not column.nullable:
            raise UnreadableInput(f"{name} has no column '{column_name}'.", "Is it a file of radar's?")
        try:
            array = pa.nulls(len(batch), type_of(column)) if place < 0 else batch.column(place).cast(type_of(column))
            array.validate(full=True)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            said = f"{name}: column '{column_name}' is not {type_of(column)}: {error}"
            raise UnreadableInput(said[:500] + ".", "Is it a file of radar's?") from error
        arrays.append(array)
    return pa.record_batch(arrays, names=names_of(table))


def faults_of(table: sa.Table, batch: pa.RecordBatch, of: tuple[str, date] | None) -> Faults:
    """What is wrong with rows of a batch that is fitted. of: the market and day that its file is of."""
    found: Faults = {}
    for column_name in batch.schema.names:
        column, cells = table.c[column_name], batch.column(column_name)
        if not column.nullable:
            _note(found, pc.is_null(cells), f"{column_name} is missing")
        if pa.types.is_string(cells.type):
            _note(found, pc.match_substring(cells, "\0"), f"{column_name} holds a NUL")
            if length := getattr(column.type, "length", None):
                _note(found, pc.greater(pc.utf8_length(cells), length), f"{column_name} is too long")
        if pa.types.is_floating(cells.type):
            _note(found, pc.invert(pc.is_finite(cells)), f"{column_name} is no number")
        if _is_time(cells):
            _note(found, _outside(cells), f"{column_name} is out of range")
        for check, is_it in _CHECKS:
            if is_it(column):
                _each(found, cells, check, column_name)
    if table.name == "post" and of is not None:
        _of_day(found, batch, of)
    return found


def in_range(cells: pa.Array) -> pa.Array:
    """Cells as Python can hold them: times of other years are null. `faults_of` says which rows those are of."""
    return pc.if_else(_outside(cells), None, cells) if _is_time(cells) else cells


def _is_time(cells: pa.Array) -> bool:
    return bool(pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type))


def _outside(cells: pa.Array) -> pa.Array:
    year = pc.year(cells)
    return pc.or_(pc.less(year, _YEARS[0]), pc.greater(year, _YEARS[1]))


def _note(found: Faults, mask: Any, why: str) -> None:
    if pc.any(mask).as_py():
        for place in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist():
            found.setdefault(place, why)


def _each(found: Faults, cells: Any, check: Callable[[Any], object], name: str) -> None:
    """Note where a check of single cells fails."""
    for place, cell in enumerate(cells.to_pylist()):
        if cell is not None:
            try:
                check(cell)
            except Exception as error:  # of whatever kind: a blob that is none fails in many ways
                found.setdefault(place, f"{name}: {str(error)[:200] or type(error).__name__}")


def _market(code: str) -> None:
    if code and code not in MARKETS:
        raise ValueError(f"there is no market {code[:20]!r}")


def _keys(blob: bytes) -> None:
    if len(blob) % 8:
        raise ValueError("not an array of keys")


_Check = tuple[Callable[[Any], object], Callable[[sa.Column[Any]], bool]]
_CHECKS: Iterable[_Check] = (
    (json.loads, lambda c: isinstance(c.type, sa.JSON)),
    (_market, lambda c: c.name in _MARKETS),
    (_keys, lambda c: c.name == "keys" and isinstance(c.type, sa.LargeBinary)),
    (DayCounts.from_bytes, lambda c: c.table.name == "day_count" and c.name == "counts"),
)


def _of_day(found: Faults, batch: pa.RecordBatch, of: tuple[str, date]) -> None:
    """A post lies on its market's local day."""
    zone = MARKETS[of[0]].tz
    for place, at in enumerate(batch.column("published_at")):
        if place not in found and local_day(at.as_py(), zone) != of[1]:
            found[place] = f"published_at is not on {of[1]} in {of[0]}"

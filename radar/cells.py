"""Cells of tables that people open in a spreadsheet: a text is never a formula."""

from datetime import date, datetime
from typing import Any

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A cell of CSV that begins so is guarded by an apostrophe, which `plain` takes away again."""


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> guarded("@ann see you"), plain(guarded("=1+1")), plain("'quoted'")
    ("'@ann see you", '=1+1', "'quoted'")
    """
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell


def plain(cell: str) -> str:
    """A cell as it was before it was guarded."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_SIGNS) else cell


def cell_of(value: Any) -> Any:
    """A value as a cell of CSV: instants and days as ISO 8601, texts guarded, the rest as it is."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return guarded(value) if isinstance(value, str) else value

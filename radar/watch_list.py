"""The watch list from a table: a file of handles and markets, with whatever columns people name so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from radar.file_rows import Fault, Row
from radar.markets import MARKETS

_COLUMNS = {
    "handle": ("handle", "account", "username", "url", "feed", "帳號", "アカウント", "계정", "บัญชี"),
    "market": ("market", "country", "audience_market", "市場", "國家", "国", "시장", "국가", "ประเทศ"),
    "person": ("person", "kol", "name", "姓名", "名前", "이름", "ชื่อ"),
    "source": ("source", "platform", "平台", "プラットフォーム", "플랫폼", "แพลตฟอร์ม"),
    "consented": ("consented", "consent"),
}
"""What columns are named in the tables that people keep, first the names that radar uses itself."""
LONGEST = 255


@dataclass(slots=True)
class Listed:
    """Rows for the watch list, and those that cannot be taken with line and reason."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[int, str]] = field(default_factory=list)


def read_watch_list(
    lines: Iterable[tuple[int, Row | Fault]], *, kinds: dict[str, str], source: str | None, market: str | None
) -> Listed:
    """Accounts to watch from rows of a table.

    kinds           the kind of each source, by its name: a row names a source, or a kind of which there is one
    source, market  of rows that name none
    """
    found = Listed()
    for line, row in lines:
        if isinstance(row, Fault):
            found.rejected.append((line, row.reason))
            continue
        try:
            found.rows.append(_account(row, kinds, source, market))
        except ValueError as error:
            found.rejected.append((line, str(error)))
    return found


def _account(row: Row, kinds: dict[str, str], source: str | None, market: str | None) -> dict[str, Any]:
    """Raises ValueError with field and reason."""
    named = {str(name).strip().lower(): str(value).strip() for name, value in row.items() if value is not None}
    said = {f: next((named[n] for n in names if named.get(n)), "") for f, names in _COLUMNS.items()}
    code = (said["market"] or market or "").upper()
    if code not in MARKETS:
        raise ValueError(f"market: '{code[:40]}' is none of {' '.join(MARKETS)}")
    return {
        "source": _source(said["source"] or source or "", kinds), "handle": checked_handle(said["handle"]),
        "audience_market": code, "person": said["person"] or None,
        "consented": said["consented"].lower() in ("1", "true", "yes", "y"),
    }  # fmt: skip


def _source(named: str, kinds: dict[str, str]) -> str:
    if named in kinds:
        return named
    of_kind = [name for name, kind in kinds.items() if kind == named.lower()]
    if len(of_kind) == 1:
        return of_kind[0]
    raise ValueError(f"source: '{named[:40]}' is none of {', '.join(kinds) or 'the sources, of which there are none'}")


def checked_handle(handle: str) -> str:
    """A handle that can be stored and shown. Raises ValueError."""
    handle = handle.strip()
    if not 0 < len(handle) <= LONGEST or not handle.isprintable():
        raise ValueError(f"handle: expected 1 to {LONGEST} characters")
    if "://" in handle and "@" in handle.partition("://")[2].partition("/")[0]:
        raise ValueError("handle: an address must not hold a user or password, it is stored and shown")
    return handle

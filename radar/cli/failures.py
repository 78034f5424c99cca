"""What an operator is told when something fails: one sentence, and what to do; a traceback is kept aside."""

import errno
import os
import traceback
from datetime import UTC, datetime

import sqlalchemy as sa

from radar.cli import app as shared
from radar.errors import RadarError, StoreError

_STORE = {
    "locked": (
        "The store is busy: another process writes to it.",
        "Try again in a moment, or stop the other radar.",
    ),
    "readonly|read-only": (
        "The store cannot be written: its file or folder is read-only.",
        "Let this user write the data folder and the radar.db files in it, or name another: RADAR_DATA_DIR.",
    ),
    "disk is full|No space left": (
        "The disk is full.",
        "Make room and do it again: what was stored is whole.",
    ),
    "malformed|not a database|disk I/O": (
        "The store's file is damaged, or is no SQLite database.",
        "Restore it from a backup, or name another folder: RADAR_DATA_DIR.",
    ),
    "unable to open": (
        "The store's file cannot be opened.",
        "Let this user read and write the data folder, or name another: RADAR_DATA_DIR.",
    ),
    "no such|already exists|does not exist|has no column": (
        "The database holds tables of something else, or of another radar.",
        "Name a database of radar's own: RADAR_DATA_DIR or RADAR_DATABASE_URL.",
    ),
}
"""What SQLite and PostgreSQL say, and what it means here."""


def explained(error: Exception) -> RadarError:
    """The error as a user can meet it. With RADAR_DEBUG=1 the traceback is printed as well."""
    if isinstance(error, RadarError):
        return error
    if os.environ.get("RADAR_DEBUG", "") not in ("", "0"):
        traceback.print_exception(error)
    known = isinstance(error, sa.exc.DBAPIError) and not isinstance(error, sa.exc.IntegrityError | sa.exc.DataError)
    if known or isinstance(error, sa.exc.TimeoutError):
        return _of_store(error)
    if isinstance(error, OSError):
        return _of_system(error)
    return _unexpected(error)


def _of_store(error: Exception) -> StoreError:
    reason = _first_line(getattr(error, "orig", None) or error)
    for signs, (said, hint) in _STORE.items():
        if any(sign in reason for sign in signs.split("|")):
            return StoreError(f"{said.removesuffix('.')} ({reason}).", hint)
    return StoreError(f"The store failed: {reason}.", "Check that the database runs and is in reach, and try again.")


def _of_system(error: OSError) -> RadarError:
    reason = error.strerror or _first_line(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" ({error.filename})" if error.filename else ""
        return RadarError(f"The disk is full{where}.", "Make room and do it again: what was stored is whole.")
    if error.filename is None:
        return RadarError(f"The system refused: {reason}.", "Correct that and do it again.")
    hint = {
        errno.EACCES: "Let this user read and write it, or name another place (RADAR_DATA_DIR).",
        errno.EROFS: "Name a place that can be written (RADAR_DATA_DIR).",
        errno.EEXIST: "Move that file away, or name another place (RADAR_DATA_DIR).",
        errno.ENOTDIR: "A file stands where a folder is needed: move it away, or name another place (RADAR_DATA_DIR).",
        errno.EISDIR: "A folder stands where a file is needed: move it away, or name another place.",
    }.get(error.errno or 0, "Correct that and do it again.")
    return RadarError(f"Cannot use {os.fsdecode(error.filename)}: {reason}.", hint)


def _unexpected(error: Exception) -> RadarError:
    said = f"Unexpected failure: {type(error).__name__}: {_first_line(error)}".rstrip(".: ")
    kept = _keep(error)
    where = f", with {kept}, which says where it happened" if kept else "; RADAR_DEBUG=1 says where it happened"
    return RadarError(f"{said}.", f"That is radar's fault: please report it{where}.")


def _keep(error: Exception) -> str | None:
    """Put the traceback into the data folder; where, or None where that fails as well."""
    try:
        path = shared.settings().data_dir / "logs" / "failures.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n{''.join(traceback.format_exception(error))}\n")
    except (OSError, RadarError):
        return None
    return str(path)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300].rstrip(".") if lines else "no reason given"

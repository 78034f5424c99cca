"""A folder that is watched: a file dropped there is imported, and moved to done/ or failed/ beside it.

How a file is to be read says NAME.toml beside it, or else mapping.toml for the whole folder. A file that was written a
moment ago waits for the next round: it may not be whole yet.
"""

import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from radar.errors import RadarError
from radar.importing import import_file, parse_mapping

QUIET = 30.0
"""Seconds for which a file has not changed before it is taken."""


@dataclass(slots=True)
class Dropped:
    """What became of the files of a round."""

    done: int = 0
    failed: int = 0
    rows: int = 0
    new: int = 0


def import_dropped(engine: sa.Engine, folder: Path, rejects_folder: Path, *, now: datetime) -> Dropped:
    """Import what was dropped, the oldest file first. One that cannot be read stops no other.

    Killed in the middle it is simply run again: a file is moved only after it was imported, and importing is safe to
    repeat.
    """
    result = Dropped()
    for path in sorted(_waiting(folder), key=lambda p: (p.stat().st_mtime, p.name)):
        beside = path.with_name(f"{path.name}.toml")
        toml = next((t for t in (beside, folder / "mapping.toml") if t.is_file()), None)
        try:
            mapping = parse_mapping(None, toml)
            done = import_file(engine, str(path), mapping, format_name=None, rejects_folder=rejects_folder, now=now)
        except RadarError as error:
            result.failed += 1
            moved = _move(path, folder / "failed")
            moved.with_name(f"{moved.name}.reason.txt").write_text(f"{error}\n", encoding="utf-8")
        else:
            result.done, result.rows, result.new = result.done + 1, result.rows + done.rows, result.new + done.posts.new
            _move(path, folder / "done")
    return result


def _waiting(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    named = [p for p in folder.iterdir() if p.is_file() and p.suffix != ".toml" and not p.name.startswith(".")]
    return [p for p in named if time.time() - p.stat().st_mtime >= QUIET]


def _move(path: Path, to: Path) -> Path:
    """Into a folder, under another name where there is one of that name already."""
    to.mkdir(exist_ok=True)
    target, n = to / path.name, 1
    while target.exists():
        target, n = to / f"{path.stem}.{n}{path.suffix}", n + 1
    os.replace(path, target)
    return target

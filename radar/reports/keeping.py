"""Reports as files: RADAR_DATA_DIR/reports/TW-JP/2026-W47/ja.pdf. A week's folder appears whole, by one rename."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from radar.errors import RadarError, UnknownName

FORMS = ("md", "html", "pdf", "json")
MOST = 500
"""Kept reports that are listed."""
_PAIR, _WEEK = re.compile(r"([A-Z]{2})-([A-Z]{2})"), re.compile(r"[0-9]{4}-W[0-9]{2}")
_FILE = re.compile(r"([A-Za-z-]{2,12})\.(md|html|pdf|json)")


class Kept(NamedTuple):
    """A report that is kept: its pair and week, and the names of its files."""

    market: str
    place: str
    week: str
    files: list[str]


def _folder(data_dir: Path, market: str, place: str, week: str) -> Path:
    return data_dir / "reports" / f"{market}-{place}" / week


def is_kept(data_dir: Path, market: str, place: str, week: str) -> bool:
    """Whether a week's files are there."""
    return _folder(data_dir, market, place, week).is_dir()


def keep(data_dir: Path, market: str, place: str, week: str, files: Mapping[str, bytes]) -> Path:
    """Write a week's files beside, then put them in place at once; what is there already stays."""
    folder = _folder(data_dir, market, place, week)
    part = folder.with_name(f"{week}.{os.getpid()}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, content in files.items():
            with (part / name).open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
        if not folder.is_dir():
            part.rename(folder)
    except OSError as error:
        said = f"The report could not be kept in {folder.parent}: {error.strerror}."
        raise RadarError(said, "Make room there, or let the radar write there.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def kept_reports(data_dir: Path, at_most: int | None = MOST) -> list[Kept]:
    """What is kept, the newest week first."""
    found = []
    for folder in (data_dir / "reports").glob("*/*"):
        pair = _PAIR.fullmatch(folder.parent.name)
        if pair and _WEEK.fullmatch(folder.name) and folder.is_dir():
            files = sorted(file.name for file in folder.iterdir() if _FILE.fullmatch(file.name))
            found.append(Kept(pair[1], pair[2], folder.name, files))
    found.sort(key=lambda kept: (kept.week, kept.market, kept.place))
    return found[::-1][:at_most]


def kept_file(data_dir: Path, market: str, place: str, week: str, name: str) -> Path:
    """A file of a kept report. Raises UnknownName, also for a name that would lead elsewhere."""
    is_name = _PAIR.fullmatch(f"{market}-{place}") and _WEEK.fullmatch(week) and _FILE.fullmatch(name)
    file = _folder(data_dir, market, place, week) / name
    if not is_name or not file.is_file():
        raise UnknownName("file of a kept report", name[:60], [])
    return file


def drop_reports(data_dir: Path, names_them: Callable[[str], bool]) -> int:
    """Drop the kept reports of which a JSON says what must not be said any more, each whole; how many."""
    dropped = 0
    for kept in kept_reports(data_dir, at_most=None):
        folder = _folder(data_dir, kept.market, kept.place, kept.week)
        if any(names_them(file.read_text(encoding="utf-8", errors="replace")) for file in folder.glob("*.json")):
            gone = folder.with_name(f"{kept.week}.{os.getpid()}.gone")
            folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)
            dropped += 1
    return dropped

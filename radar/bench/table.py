"""The table of measurements in README, written from what `radar bench --json` printed: figures, machine and day."""

import json
import os
import platform
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from radar.errors import CallerError

BEGIN, END = "<!-- bench: made by `radar bench --table` -->", "<!-- bench: end -->"


def machine() -> dict[str, str]:
    """Where and when figures are taken, for those who read them elsewhere."""
    where = (_processor(), f"{os.cpu_count()} CPUs", _memory(), f"Python {platform.python_version()}")
    return {"measured_on": date.today().isoformat(), "machine": ", ".join(where)}


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB"
    except (ValueError, OSError, AttributeError):
        return "memory unknown"


def table(found: Mapping[str, Any]) -> str:
    """Markdown of a run, as `radar bench --json` gives it.

    >>> print(table({"measured_on": "2026-11-27", "machine": "m", "ingest": {"posts_per_second": 9000, "p": 9e-7}}))
    Measured on 2026-11-27: m.
    <BLANKLINE>
    | benchmark | figure | value |
    |---|---|--:|
    | `ingest` | posts per second | 9,000 |
    | `ingest` | p | 9.0e-07 |
    """
    lines = [f"Measured on {found['measured_on']}: {found['machine']}.", ""]
    lines += ["| benchmark | figure | value |", "|---|---|--:|"]
    for name, figures in found.items():
        if isinstance(figures, Mapping):
            lines += [f"| `{name}` | {figure.replace('_', ' ')} | {_shown(v)} |" for figure, v in figures.items()]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if value == 0 or abs(value) >= 0.001 else f"{value:.1e}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def page_of(file: Path) -> str:
    """What a page holds. Raises CallerError where it cannot be read, or has no place for the table."""
    try:
        page = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CallerError(f"{file}: {error}.", "Name a page with a place for the table: --table README.md") from error
    if END not in page.partition(BEGIN)[2]:
        raise CallerError(f"{file} has no place for the table.", f"Put these two lines there: {BEGIN} and {END}")
    return page


def merged(page: str, found: Mapping[str, Any]) -> str:
    """The page (see `page_of`) with the table between its markers."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(found)}\n{END}{rest.partition(END)[2]}"


def read_runs(files: list[Path]) -> dict[str, Any]:
    """Several runs as one, the later over the earlier. Raises CallerError for what is none."""
    whole: dict[str, Any] = {}
    for file in files:
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CallerError(f"{file}: {error}.", "Give what `radar bench --json` printed.") from error
        if not isinstance(found, dict) or not {"measured_on", "machine"} <= found.keys():
            raise CallerError(f"{file} does not say when and where.", "Give what `radar bench --json` printed.")
        whole |= found
    return whole

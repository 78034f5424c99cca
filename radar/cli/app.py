"""What every command shares: settings, the store, progress, and errors that say what to do next."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from radar.config import Settings, load_settings
from radar.errors import CallerError, RadarError
from radar.scheduling import Progress as Report
from radar.store.engine import open_store

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

_overrides: dict[str, object] = {}


def use_data_dir(data_dir: Path | None) -> None:
    """Remember the --data-dir of this call."""
    _overrides.clear()
    if data_dir is not None:
        _overrides["data_dir"] = data_dir


def settings() -> Settings:
    """Settings from the environment, the command line over them."""
    return load_settings().model_copy(update=_overrides)


def open_engine() -> tuple[Settings, sa.Engine]:
    """Settings and their store, its schema up to date. In a data folder with only a demo, says how to see it."""
    found = settings()
    if found.url.startswith("sqlite:///"):
        try:
            found.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CallerError(
                f"Cannot use the data folder {found.data_dir}: {error.strerror}.", "Set RADAR_DATA_DIR."
            ) from error
    return found, open_store(found.url)


@contextmanager
def told() -> Iterator[Report]:
    """A progress report for people on a terminal; plain lines at the end elsewhere."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        tasks: dict[str, object] = {}

        def report(what: str, done: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

        yield report


def log_to_terminal() -> None:
    """Show what a server or scheduler does."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)


def fail(error: RadarError) -> int:
    """Print an error and give the exit code."""
    errors.print(f"[bold red]Error:[/] {_plain(error.message)}")
    if error.hint:
        errors.print(_plain(error.hint))
    return error.exit_code


def _plain(text: str) -> str:
    return text.replace("[", "\\[")

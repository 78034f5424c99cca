"""What every command shares: settings, the store, progress, and errors that say what to do next."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from radar.errors import CallerError, RadarError, StoreError
from radar.logs import JsonLines, TextLines

if TYPE_CHECKING:  # what only commands with work to do need is imported by them
    import sqlalchemy as sa

    from radar.config import Settings
    from radar.scheduling import Progress as Report


class _Terminal(Console):
    """A console that leaves a reader's parting to main()."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


console = _Terminal(highlight=False)
errors = Console(stderr=True, highlight=False)

_overrides: dict[str, object] = {}
written_to: "list[sa.Engine]" = []
"""The store of this call, once something was written there."""


def use_data_dir(data_dir: Path | None) -> None:
    """Remember the --data-dir of this call."""
    _overrides.clear()
    written_to.clear()
    if data_dir is not None:
        _overrides["data_dir"] = data_dir


def settings() -> "Settings":
    """Settings from the environment, the command line over them."""
    from radar.config import load_settings

    return load_settings().model_copy(update=_overrides)


def use_folder(folder: Path) -> None:
    """Make a data folder, unless it is there. Raises CallerError where it cannot be made or written."""
    hint = "Name another folder with RADAR_DATA_DIR or --data-dir, or change who may write there."
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise CallerError(f"Cannot use the data folder {folder}: there is a file of that name.", hint) from error
    except OSError as error:
        raise CallerError(f"Cannot use the data folder {folder}: {error.strerror}.", hint) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CallerError(f"Cannot use the data folder {folder}: it is not writable.", hint)


def open_engine() -> "tuple[Settings, sa.Engine]":
    """Settings and their store, its schema up to date. Raises CallerError and StoreError."""
    import sqlalchemy as sa

    from radar.store.engine import open_store

    found = settings()
    if found.url.startswith("sqlite:///"):
        use_folder(found.data_dir)
    try:
        engine = open_store(found.url)
    except StoreError as error:
        if not found.database_url and "RADAR_DATABASE_URL" in error.hint:
            error.hint = "Is that file a store of radar's, and not damaged? Else name another folder: RADAR_DATA_DIR."
        raise
    sa.event.listen(engine, "before_cursor_execute", _note_write)
    return found, engine


def _note_write(connection: "sa.Connection", _cursor: object, statement: str, *_: object) -> None:
    if statement.startswith(("INSERT", "UPDATE", "DELETE")):
        written_to[:] = [connection.engine]


@contextmanager
def told() -> "Iterator[Report]":
    """A progress report for people on a terminal; plain lines at the end elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

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


def log_to_terminal(settings: "Settings") -> None:
    """Show what a server or scheduler does: a line a request and a job's run, as RADAR_LOG says, without secrets."""
    from sqlalchemy import make_url

    passwords = (make_url(url).password or "" for url in (settings.url, settings.replica_url) if url)
    secrets = (*passwords, settings.push_secret, settings.smtp_url)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(secrets) if settings.log == "json" else TextLines(secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("apscheduler", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def fail(error: RadarError) -> int:
    """Print an error and give the exit code."""
    errors.print(f"[bold red]Error:[/] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        errors.print(escape(error.hint), soft_wrap=True)
    return error.exit_code


def drop_output() -> None:
    """Print what waits to be printed; where nobody takes it any more, let it go without a word at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

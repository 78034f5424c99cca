"""The command `radar`: one module a command group, loaded when one of its commands is called."""

import gc
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from radar import __version__
from radar.cli import app as shared
from radar.cli import written

COMMANDS = {
    "demo": "Fill a store of the demo's own from a SIMULATED world, run every job, show trends, then serve.",
    "serve": "Serve API and pages, with the scheduler as a child process.",
    "mcp": "Serve an MCP client (an agent) over standard input and output, until it hangs up.",
    "trends": "Show what is trending in a market, with how sure that is.",
    "arrivals": "Show which trends of other markets are expected in one, and how such forecasts fared.",
    "leads": 'Show which of two markets has trends first, with the median lag; "no lead shown" where that is not sure.',
    "kol": "Who posts: search, show, compare, list, note and export KOLs; correct, hide or erase one.",
    "partners": "Rank KOLs as partners for a brief, with what speaks for each and against.",
    "report": "Write the weekly report of a market about a place: Markdown, HTML, PDF or JSON, in five languages.",
    "alerts": "Who is told what: alert rules, what they told, how it was delivered, and dead letters.",
    "lists": "Watch lists of trends' keys and of KOLs: show, add, remove; alert rules can wait for what is on one.",
    "curate": "Decide on trends: mute, hold back, rename, merge, undo, and list what was decided.",
    "track": "Keys of your own: add, list, change and remove them, and their share of voice.",
    "coverage": "Show what each market holds: posts by source, by language, and what waits.",
    "terms": "Find the terms of texts that nobody listed, with what speaks for each.",
    "run": "Run one job now, or the whole line, on this machine.",
    "jobs": "List the jobs with their schedule, next run and last outcome.",
    "schedule": "Run the scheduler alone; stands by while another process holds the lease.",
    "worker": "Read posts, count days and detect trends beside the scheduler: any number, on any host.",
    "label": "Label posts: rows worth your time out to a sheet, what you said of them back in.",
    "train": "Fit the topic model from labels, topics and recipe; does nothing where this very model is kept already.",
    "models": "List the fitted models with their figures, and which one posts are read by.",
    "drift": "Say how far the last week's posts lie from what the topic model was trained on, by market.",
    "promote": "Make another fitted model the one that posts are read by, if it passes the gate; no trend by that.",
    "backfill": "Read, count and detect whole histories anew, on this machine or on a Dask cluster.",
    "backtest": "Replay the lists of the past as they were known then, and say what came of them.",
    "db": "The store itself: check it, back it up, restore it, export it.",
    "doctor": "Look radar over and say what to do: settings, disk, clock, store, jobs, sources, model.",
    "bench": "Measure this machine: absolute figures, and ratios to a named peer measured in the same run.",
    "import": "Import posts, then classify, count and detect.",
    "sources": "Where posts come from: add, list, test, pause, resume and remove sources.",
    "watch": "Whose posts come in: add, import, list and remove the accounts of KOLs.",
    "person": "Link the accounts of one person, so that they count once.",
    "keys": "Keys by which systems ask from elsewhere: create, list and revoke them.",
    "users": "People who may log in from elsewhere: add, list and remove them, or change a password.",
    "audit": "Show who wrote what and when, the newest first.",
}
"""Every command, with the first sentence of its help."""
ELSEWHERE = {
    "run": ("jobs", "run"), "schedule": ("serve", "schedule"), "import": ("imports", "import_file"),
    "person": ("watch", "person"), "arrivals": ("diffusion", "arrivals"), "leads": ("diffusion", "leads"),
    "keys": ("access", "keys"), "users": ("access", "users"),
}  # fmt: skip
"""Module and function of the commands that are not named as both are."""
_OBJECTS = 20_000
"""Objects after which Python looks for cycles: modules hold none, and dictionaries of words are many objects."""


class ReaderLeft(Exception):
    """Whoever read what was printed (`| head`) has enough."""


class _Later(TyperGroup):
    """A command's module is imported when that command is called: help and version must not wait for scikit-learn."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        command = load(name) if name else None
        written.begin(name or "", command, rest)
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            with written.down():
                done = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderLeft from error
        return done


_PLAIN: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}

cli = typer.Typer(
    name="radar",
    cls=_Later,
    help="What key opinion leaders in one market start to say about another, with the evidence.",
    no_args_is_help=True,
    **_PLAIN,
)


def load(name: str) -> Any:
    """The command of that name, or the group of commands, its module imported."""
    module, function = ELSEWHERE.get(name, (name, name))
    found = getattr(importlib.import_module(f"radar.cli.{module}"), function)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    one = typer.Typer(**_PLAIN)
    one.command(name)(found)
    return typer.main.get_command(one)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"radar {__version__}")
        raise typer.Exit


def _folder(value: str) -> Path:
    if not value:
        raise typer.BadParameter("it is empty. Name a folder, or leave the option out.")
    return Path(value)


@cli.callback()
def main_options(
    data_dir: Annotated[
        Path | None,
        typer.Option(parser=_folder, metavar="FOLDER", help="Where data lives; else RADAR_DATA_DIR."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Options that hold for every command."""
    shared.use_data_dir(data_dir)


def _named_only() -> None:
    """Stands for a command until load()."""


for _name, _summary in COMMANDS.items():
    cli.command(_name, help=_summary)(_named_only)


def main() -> None:
    """Entry of the command: exit code 2 for the caller's mistake, 1 for a failure, never a traceback for a mistake."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small here: more threads only wait for each other
    gc.set_threshold(_OBJECTS, 20, 20)
    try:
        cli()
    except ReaderLeft:
        shared.drop_output()
        sys.exit(0)
    except Exception as error:
        from radar.cli.failures import explained

        shared.drop_output()
        sys.exit(shared.fail(explained(error)))

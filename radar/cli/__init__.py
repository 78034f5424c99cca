"""The command `radar`: one module a command group."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from radar import __version__
from radar.cli import app as shared
from radar.cli.backtest import backtest
from radar.cli.bench import bench
from radar.cli.demo import demo
from radar.cli.imports import import_file
from radar.cli.jobs import jobs, run
from radar.cli.serve import schedule, serve
from radar.cli.train import train
from radar.cli.trends import trends
from radar.errors import RadarError

cli = typer.Typer(
    name="radar",
    help="What key opinion leaders in one market start to say about another, with the evidence.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"radar {__version__}")
        raise typer.Exit


@cli.callback()
def main_options(
    data_dir: Annotated[Path | None, typer.Option(help="Where data lives; else RADAR_DATA_DIR.")] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Options that hold for every command."""
    shared.use_data_dir(data_dir)


for _command in (demo, serve, trends, run, jobs, schedule, train, backtest, bench):
    cli.command()(_command)
cli.command("import")(import_file)


def main() -> None:
    """Entry of the command: exit code 2 for the caller's mistake, 1 for a failure, never a traceback for a mistake."""
    try:
        cli()
    except RadarError as error:
        sys.exit(shared.fail(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)

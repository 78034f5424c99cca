"""radar doctor: every part of this radar, and what to do where one is not well."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from radar.cli.app import console, settings
from radar.errors import CallerError

_COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Look over settings, data folder, disk, clocks, database, schema, jobs, sources, model, libraries.

    Each line is ok, a warning or a problem, with what to do. Mends nothing. Exit code 1 when there is a problem.
    """
    from radar.doctor import PROBLEM, Line, look_over

    try:
        lines = look_over(settings(), os.environ, now=datetime.now(UTC))
    except CallerError as error:
        lines = [Line("configuration", PROBLEM, error.message, error.hint)]
    if as_json:
        print(json.dumps({"items": [asdict(line) for line in lines]}, ensure_ascii=False, indent=1))
    else:
        for line in lines:
            state = f"[{_COLOURS[line.state]}]{line.state:8}[/]"
            console.print(f"{state} {line.part:14} {escape(line.said)}", soft_wrap=True)
            if line.todo:
                console.print(f"{'':24}{escape(line.todo)}", soft_wrap=True)
    if any(line.state == PROBLEM for line in lines):
        raise typer.Exit(1)

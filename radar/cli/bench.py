"""radar bench: what it costs, measured here and now."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from radar.cli.app import console, told
from radar.errors import CallerError, UnknownName


def bench(
    name: Annotated[
        str | None,
        typer.Argument(
            help="api, arrivals, classify, detect, duplicates, feeds, ingest, kol, line, load, match, store, terms, "
            "topics, trends or workers; else all."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    into: Annotated[
        Path | None,
        typer.Option("--table", metavar="FILE", help="Put the figures into this page, between its markers."),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="JSON", help="With --table: what --json printed before, instead of measuring."),
    ] = None,
) -> None:
    """Measure this machine: absolute figures, and ratios to a named peer measured in the same run."""
    from radar.bench import BENCHES
    from radar.bench.table import machine, merged, page_of, read_runs

    if name is not None and name not in BENCHES:
        raise UnknownName("benchmark", name, list(BENCHES))
    if run and into is None:
        raise CallerError("--from goes with --table.", "Name the page: --table README.md")
    page = page_of(into) if into is not None else ""  # before minutes of measuring
    found: dict[str, Any]
    if run:
        found = read_runs(run)
    else:
        with told() as report:
            found = {n: measure(report) for n, measure in BENCHES.items() if name in (None, n)}
        found |= machine()
    if into is not None:
        into.write_text(merged(page, found), encoding="utf-8")
    elif as_json:
        print(json.dumps(found, indent=1))
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    table = Table("benchmark", "figure", "value", box=None)
    for n, figures in found.items():
        for figure, value in figures.items() if isinstance(figures, dict) else ():
            table.add_row(n, figure, f"{value:,.3f}" if isinstance(value, float) else str(value))
    console.print(table)

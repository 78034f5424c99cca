"""radar bench: what it costs, measured here and now."""

import json
from typing import Annotated

import typer
from rich.table import Table

from radar.cli.app import console, told
from radar.errors import UnknownName


def bench(
    name: Annotated[
        str | None,
        typer.Argument(
            help="One of api, arrivals, classify, detect, duplicates, feeds, ingest, kol, match, terms, trends, workers"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure this machine: absolute figures, and ratios to a named peer measured in the same run."""
    from radar.bench import BENCHES

    if name is not None and name not in BENCHES:
        raise UnknownName("benchmark", name, list(BENCHES))
    with told() as report:
        found = {n: measure(report) for n, measure in BENCHES.items() if name in (None, n)}
    if as_json:
        print(json.dumps(found, indent=1))
        return
    table = Table("benchmark", "figure", "value", box=None)
    for n, figures in found.items():
        for figure, value in figures.items():
            table.add_row(n, figure, f"{value:,.3f}" if isinstance(value, float) else str(value))
    console.print(table)

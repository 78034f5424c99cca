"""radar coverage: what each market holds, on the terminal."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.markets import MARKETS


def coverage(
    market: Annotated[str | None, typer.Option(help=f"One market only: {', '.join(MARKETS)}.")] = None,
    format: Annotated[str, typer.Option(help="table or json.")] = "table",
) -> None:
    """Show what each market holds: posts by source, by language, and what waits. JSON has the API's shape.

    Example: radar coverage --market TW
    """
    from radar.answers.holdings import coverage as held
    from radar.store.engine import reading

    if format not in ("table", "json"):
        raise typer.BadParameter(f"'{format}' is neither table nor json.", param_hint="--format")
    _, engine = open_engine()
    with reading(engine) as session:
        answer = held(session, market, now=datetime.now(UTC))
    if format == "json":
        from radar.api.coverage_shapes import Coverage

        print(Coverage.model_validate(answer).model_dump_json(indent=1))
        return
    table = Table(box=None)
    for name in ("market", "source", "KOLs a day", "posts", "rejected in 7 days"):
        table.add_column(name, justify="left" if name in ("market", "source") else "right")
    for line in answer["items"]:
        counts = (f"{line[name]:,}" for name in ("persons", "posts", "rejected"))
        table.add_row(line["market"], escape(line["source"]), *counts)
    console.print(table if answer["items"] else "No posts are stored.")
    for line in answer["markets"]:
        if line["languages"]:
            told = ", ".join(f"{name} {n:,}" for name, n in line["languages"].items())
            console.print(
                escape(f"{line['market']}: {told}. In languages that are not read: {line['other_languages']:,}.")
            )
        if line["inferred_authors"]:
            n = line["inferred_authors"]
            console.print(f"{line['market']}: of {n:,} account{'' if n == 1 else 's'} a day the market is inferred.")
        if line["unclassified"] or line["dirty_days"]:
            waits = f"{line['unclassified']:,} posts wait to be read, {line['dirty_days']:,} days to be counted"
            if line["stale_days"]:
                waits += f"; {line['stale_days']:,} of them are told as they were counted last"
            console.print(f"{line['market']}: {waits}.")

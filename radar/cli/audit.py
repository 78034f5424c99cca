"""radar audit: who wrote what, on the terminal."""

import json
from typing import Annotated, Literal

import typer

from radar.cli.app import console, open_engine


def audit(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries.")] = 50,
    format: Annotated[Literal["table", "json"], typer.Option(help="table or json (a line an entry).")] = "table",
) -> None:
    """Show who wrote what and when, the newest first (times in UTC)."""
    from rich.markup import escape
    from rich.table import Table

    from radar.answers.written import written
    from radar.store.engine import reading

    with reading(open_engine()[1]) as session:
        found = written(session, limit=limit)["items"]
    if format == "json":
        for line in found:
            print(json.dumps(line, ensure_ascii=False, default=lambda at: at.isoformat()))
        return
    if not found:
        console.print("Nothing was written yet.")
        return
    table = Table(box=None)
    for column in ("when", "who", "what", "to what", "outcome"):
        table.add_column(column, overflow="fold")
    for line in found:
        who = " ".join(filter(None, (line["by"]["kind"], line["by"]["name"])))
        cells = (f"{line['at']:%Y-%m-%d %H:%M:%S}", who, line["action"], line["target"], line["outcome"])
        table.add_row(*map(escape, cells))
    console.print(table)

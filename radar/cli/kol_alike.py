"""radar kol similar and radar kol trend: KOLs like another, and those who carry a trend, on the terminal."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.kol_rights import Who
from radar.cli.trends import Format, write_csv

_SIMILAR_COLUMNS = (
    "rank", "id", "platform", "handle", "name", "follower_count", "tier", "likeness", "audience", "topics", "style",
    "places", "sentence", "simulated",
)  # fmt: skip
_TREND_COLUMNS = (
    "rank", "id", "platform", "handle", "name", "follower_count", "tier", "first_post_at", "first_post_url", "posts",
    "sponsored", "engagement", "share", "earlier_than", "sentence", "simulated",
)  # fmt: skip
Lines = Annotated[int, typer.Option(help="KOLs.", min=1, max=50)]
Printed = Annotated[Format, typer.Option(help="How to print.")]


def similar(who: Who, limit: Lines = 10, format: Printed = Format.TABLE) -> None:
    """Show KOLs of the same market that are most like one: in topics, style, places, size and platform.

    Example: radar kol similar 311
    """
    from radar.answers import similar_authors
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = similar_authors(session, who, limit=limit)
    if not _printed(answer, format, _SIMILAR_COLUMNS):
        mine = answer["author"]
        _title(f"Like {mine['platform']}:{mine['handle'] or mine['name']}, {mine['market']['code']}", answer)
        table = _table("likeness", "why")
        for item in answer["items"]:
            table.add_row(*_who(item), f"{item['likeness']:.2f}", escape(item["sentence"]))
        console.print(table if answer["items"] else answer["message"])
        console.print(answer["commenters"])


def trend(
    id: Annotated[str, typer.Argument(help="A trend's id, as in `radar trends --format json`.")],
    order: Annotated[str, typer.Option(help="early, engagement or reach.")] = "early",
    limit: Lines = 10,
    format: Printed = Format.TABLE,
) -> None:
    """Show the KOLs who carry a trend: who came first, whose posts earned most, or who is followed most.

    Example: radar kol trend 3v8x0c2q5k1zt --order reach
    """
    from radar.answers import trend_authors
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = trend_authors(session, id, order=order, limit=limit)
    if not _printed(answer, format, _TREND_COLUMNS):
        start, end = (f"{answer['window'][name]:%Y-%m-%d %H:%M}" for name in ("start", "end"))
        _title(f"{answer['persons']:,} KOLs from {start} to {end} UTC, by {answer['order']}", answer)
        table = _table("first post", "engagement", "how")
        for item in answer["items"]:
            earned = "hidden" if item["engagement"] is None else f"{item['engagement']:,}"
            table.add_row(*_who(item), f"{item['first_post_at']:%m-%d %H:%M}", earned, escape(item["sentence"]))
        console.print(table if answer["items"] else "The posts of those days are no longer kept.")


def _printed(answer: dict[str, Any], format: Format, columns: tuple[str, ...]) -> bool:
    """Print JSON or CSV; whether that was asked for."""
    if format is Format.JSON:
        print(json.dumps(answer, indent=1, ensure_ascii=False, default=lambda value: value.isoformat()))
    elif format is Format.CSV:
        flat = [item["author"] | item.get("by", {}) | item for item in answer["items"]]
        write_csv(columns, [row | {"simulated": answer["simulated"]} for row in flat])
    return format is not Format.TABLE


def _title(words: str, answer: dict[str, Any]) -> None:
    console.print(f"[bold]{escape(words)}[/]" + ("  [yellow]Simulated data[/]" if answer["simulated"] else ""))


def _table(*names: str) -> Table:
    table = Table(box=None)
    for name in ("#", "id", "KOL", "tier", "followers", *names):
        table.add_column(name, justify="right" if name in ("#", "followers", "likeness", "engagement") else "left")
    return table


def _who(item: dict[str, Any]) -> tuple[str, ...]:
    author = item["author"]
    followers = "hidden" if author["follower_count"] is None else f"{author['follower_count']:,}"
    called = escape(f"{author['platform']}:{author['handle'] or author['name'] or 'unnamed'}")
    return str(item["rank"]), author["id"], called, author["tier"] or "unknown", followers

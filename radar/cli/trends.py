"""radar trends: what is trending in a market, on the terminal."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from radar.cells import cell_of
from radar.cli.app import console, errors, open_engine
from radar.markets import MARKETS
from radar.markets import market as market_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import sqlalchemy as sa
    from rich.table import Table


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


CSV_COLUMNS = (
    "rank", "id", "name", "kind", "gloss", "topic", "place_market", "lift", "lift_floor", "q", "score", "persons",
    "posts", "platforms", "complaint_share", "stage", "stage_since", "onset_at", "window_start", "window_end",
    "sentence", "simulated",
)  # fmt: skip
_WIDE = 130
"""Columns of a terminal that hold a line a trend."""
_KINDS = "topic, hashtag, term, place, product, tracked"
_STAGES = "emerging, rising, peaking, fading, steady, recurring, insufficient_history"
_SCOPES = "travel_shopping, all"
"""As in radar.answers, which help need not wait for."""


def trends(
    market: Annotated[str, typer.Option(help=f"Audience market: {', '.join(MARKETS)}.")],
    place: Annotated[str | None, typer.Option(help="Place market (JP), or a narrower place (JP-27, JP:namba).")] = None,
    topic: Annotated[str | None, typer.Option(help="Topic id, as shop.drugstore.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"One of: {_KINDS}.")] = None,
    stage: Annotated[str | None, typer.Option(help=f"One of: {_STAGES}.")] = None,
    window: Annotated[str, typer.Option(help="How far to look back: 24h, 3d, 7d, 30d.")] = "7d",
    bucket: Annotated[
        str | None, typer.Option(help="Found by the hour (1h) or the day (1d), or for alerts 15m.")
    ] = None,
    q: Annotated[float, typer.Option(help="Share of chance finds accepted, over many lists.")] = 0.05,
    lift: Annotated[float | None, typer.Option(help="Smallest lift to show, as 2.")] = None,
    scope: Annotated[str, typer.Option(help=f"One of: {_SCOPES}.")] = "travel_shopping",
    curated: Annotated[
        str, typer.Option(help="shown, or all: also what editors muted, held back or merged.")
    ] = "shown",
    limit: Annotated[int, typer.Option(help="Lines, at most 100.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    as_of: Annotated[str | None, typer.Option(help="Look back from: 2026-11-22T14:00:00Z, or a local day.")] = None,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Show what is trending in a market, with how sure that is. JSON has the API's shape.

    Example: radar trends --market TW --place JP
    """
    from radar.answers import list_trends, parse_as_of
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = list_trends(
            session, market=market, place=place, topic=topic, kind=kind, stage=stage, window=window, bucket=bucket,
            q=q, lift=lift, scope=scope, curated=curated, limit=limit, cursor=cursor,
            as_of=parse_as_of(as_of, market_of(market).tz),
        )  # fmt: skip
    if format is Format.JSON:
        from radar.api.trend_shapes import TrendPage

        print(TrendPage.model_validate(answer).model_dump_json(indent=1))
    elif format is Format.CSV:
        _print_csv(answer)
    else:
        print_table(answer)


def _print_csv(answer: dict[str, Any]) -> None:
    """One line a trend."""
    rows = []
    for item in answer["items"]:
        flat = item | item["key"] | {"window_start": item["window"]["start"], "window_end": item["window"]["end"]}
        flat |= {"complaint_share": item["complaints"]["share"] if item["complaints"] else None}
        flat |= {"topic": item["topic"]["id"] if item["topic"] else None, "simulated": answer["simulated"]}
        rows.append(flat)
    write_csv(CSV_COLUMNS, rows)
    if not answer["items"] or answer["simulated"]:
        errors.print(escape(answer["message"]) + (" Simulated data." if answer["simulated"] else ""))


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as CSV."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell_of(row[name]) for name in columns] for row in rows)


def show(engine: "sa.Engine", *, market: str, place: str | None = None, limit: int = 8) -> None:
    """Print a market's first trends of the last 7 days as a table."""
    from radar.answers import list_trends
    from radar.store.engine import reading

    with reading(engine) as session:
        print_table(list_trends(session, market=market, place=place, limit=limit))


def print_table(answer: dict[str, Any]) -> None:
    """The table that people see, with what it rests on."""
    about = MARKETS[answer["market"]]
    place = f" about {answer['place']}" if answer["place"] else ""
    console.print(f"[bold]{about.name}{place}[/]" + ("  [yellow]Simulated data[/]" if answer["simulated"] else ""))
    if answer["items"]:
        console.print(_table(answer["items"], about.tz, is_wide=console.width >= _WIDE))
    console.print(escape(answer["message"]))
    if answer["window"]:
        start, end = (answer["window"][name].astimezone(about.tz) for name in ("start", "end"))
        heard = answer["coverage"]
        sure = f"{answer['note']} " if answer["items"] else ""
        console.print(
            f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} {about.zone}: {heard['persons']:,} KOLs heard, "
            f"{heard['posts']:,} posts. {sure}Topics by {answer['model_id']}."
        )
    if answer["shadow"]:
        console.print(answer["shadow"]["sentence"], style="yellow" if answer["shadow"]["warning"] else None)
    if answer["next"]:
        console.print("There are more: --limit, or --cursor with `next` of --format json.")


def _table(items: list[dict[str, Any]], zone: "ZoneInfo", *, is_wide: bool) -> "Table":
    """A line a trend; where there is little room topic and sentence go below the name."""
    from rich.table import Table

    from radar.answers import at_least

    wide, narrow = ("topic", "place", "in a sentence"), ("place",)
    names = ["#", "trend", *(wide if is_wide else narrow), "lift", "KOLs", "stage", "since"]
    table = Table(box=None)
    for name in names:
        right = name in ("#", "lift", "KOLs")
        table.add_column(
            name, justify="right" if right else "left", no_wrap=right or name in ("place", "stage", "since")
        )
    for item in items:
        said = item["sentence"] + (f", {item['complaints']['sentence']}" if item["complaints"] else "")
        gloss = f" ({item['key']['gloss']})" if item["key"]["gloss"] else ""
        topic = item["topic"]["name"] if item["topic"] else "no topic"
        hint = " (narrow)" if item["narrow"] else ""
        hint += f" (found as {item['name_before']})" if item["name_before"] else ""
        hint += "".join(f" ({one['action']}: {one['reason']})" for one in item["curation"] if not one["name"])
        name = escape(item["name"] + gloss + hint)
        place = item["place_market"] or ""
        lift = f"x{item['lift']:.1f} (>= x{at_least(item['lift_floor']):.1f})"
        since = item["stage_since"].astimezone(zone)
        first = [name, topic, place, said] if is_wide else [f"{name}\n{topic}: {said}", place]
        last = [lift if is_wide else lift.replace(" ", "\n", 1), str(item["persons"]), item["stage"].replace("_", " ")]
        table.add_row(str(item["rank"]), *first, *last, f"{since:%m-%d %H:%M}" if is_wide else f"{since:%m-%d}")
    return table

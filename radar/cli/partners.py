"""radar partners: who should carry a thing from one market to another, on the terminal."""

import csv
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from radar.cells import cell_of
from radar.cli.app import console, errors, open_engine
from radar.cli.trends import Format
from radar.markets import MARKETS

if TYPE_CHECKING:
    from rich.table import Table

PARTS = ("topic", "place", "market", "authenticity", "engagement", "reach", "saturation", "early", "freshness")
CSV_COLUMNS = (
    "rank", "id", "platform", "handle", "name", "market", "follower_count", "tier", "score", *PARTS, "price_low",
    "price_high", "currency", "price_heuristic", "why", "mind", "posts", "review", "simulated",
)  # fmt: skip
_LIST = "May be given several times."


def partners(
    text: Annotated[str, typer.Argument(help="What you look for, in any of the languages.")] = "",
    origin: Annotated[str | None, typer.Option("--from", help="Market the thing is in: JP.")] = None,
    to: Annotated[str | None, typer.Option(help=f"Audience market to reach: {', '.join(MARKETS)}.")] = None,
    topic: Annotated[list[str] | None, typer.Option(help=f"Topic id, as shop.drugstore. {_LIST}")] = None,
    product: Annotated[list[str] | None, typer.Option(help=f"Product, by name. {_LIST}")] = None,
    platform: Annotated[list[str] | None, typer.Option(help=f"Platform. {_LIST}")] = None,
    tier: Annotated[list[str] | None, typer.Option(help=f"nano, micro, mid, macro or mega. {_LIST}")] = None,
    budget: Annotated[float | None, typer.Option(help="For one post, in the audience market's currency.")] = None,
    exclude_topic: Annotated[list[str] | None, typer.Option(help=f"Leave out KOLs about this. {_LIST}")] = None,
    exclude_product: Annotated[list[str] | None, typer.Option(help=f"Leave out KOLs paid for it. {_LIST}")] = None,
    exclude_author: Annotated[list[str] | None, typer.Option(help=f"Leave out the KOL of this id. {_LIST}")] = None,
    with_review: Annotated[bool, typer.Option("--with-review", help="Rank those too whom signals keep apart.")] = False,
    weight: Annotated[list[str] | None, typer.Option(help=f"Weight of a part, as topic:40. {_LIST}")] = None,
    diversity: Annotated[float | None, typer.Option(help="0: by score alone; 1: as unlike as can be.")] = None,
    limit: Annotated[int, typer.Option(help="KOLs, at most 50.")] = 10,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Rank KOLs as partners for a brief, with what speaks for each and against. JSON has the API's shape.

    Example: radar partners --from JP --to TW "日本藥妝"
    """
    from radar.answers import partners as ask
    from radar.answers.partners import Asked
    from radar.answers.scorer import active_scorer
    from radar.partners.brief import Brief
    from radar.partners.scoring import weights_said
    from radar.store.engine import reading

    settings, engine = open_engine()
    brief = Brief(
        text.strip(), _all(topic), _all(product), origin or None, to or None, _all(platform), _all(tier), budget,
        _all(exclude_topic), _all(exclude_product), _all(exclude_author), with_review,
    )  # fmt: skip
    asked = Asked(brief, weights_said(_all(weight)), diversity, limit)
    with reading(engine) as session:
        answer = ask(
            session, asked, now=datetime.now(UTC), scorer=lambda: active_scorer(session, settings), settings=settings
        )
    if format is Format.JSON:
        from radar.api.partner_shapes import Partners

        print(Partners.model_validate(answer).model_dump_json(indent=1, by_alias=True))
    elif format is Format.CSV:
        _print_csv(answer)
    else:
        print_table(answer)


def _all(given: list[str] | None) -> tuple[str, ...]:
    return tuple(part.strip() for item in given or () for part in item.split(",") if part.strip())


def _print_csv(answer: dict[str, Any]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for is_review, items in ((False, answer["items"]), (True, answer["review"])):
        for item in items:
            author, price = item["author"], item["price"] or {}
            flat = author | {part["name"]: part["value"] for part in item["parts"]}
            flat |= {"rank": item["rank"], "score": item["score"], "market": author["market"]["code"]}
            flat |= {"price_low": price.get("low"), "price_high": price.get("high"), "currency": price.get("currency")}
            flat |= {"price_heuristic": price.get("heuristic"), "why": " ".join(item["why"])}
            flat |= {"mind": " ".join(item["mind"]), "posts": " ".join(p["url"] or p["id"] for p in item["posts"])}
            flat |= {"review": is_review, "simulated": answer["simulated"]}
            writer.writerow([cell_of(flat.get(name)) for name in CSV_COLUMNS])
    errors.print(escape(answer["message"]) + (" Simulated data." if answer["simulated"] else ""))


def print_table(answer: dict[str, Any]) -> None:
    """The table that people see, with what it rests on."""
    brief = answer["brief"]
    about = ", ".join(t["name"] for t in brief["topics"]) or "anything"
    way = f"{brief['from'] or 'anywhere'} to {brief['to'] or 'anyone'}"
    console.print(f"[bold]{escape(about)}, {way}[/]" + ("  [yellow]Simulated data[/]" if answer["simulated"] else ""))
    for note in answer["notes"]:
        console.print(escape(note))
    if answer["items"]:
        console.print(_table(answer["items"]))
    console.print(escape(answer["message"]))
    if answer["items"] and answer["diversity"]:
        console.print("Ordered by score, less likeness to those above; --diversity 0 orders by score alone.")
    if answer["review"]:
        console.print(_table(answer["review"]))
    if any(item["price"] and item["price"]["heuristic"] for item in answer["items"]):
        console.print("Prices are rules of thumb: put your own into a file, RADAR_PARTNER_PRICES.")


def _table(items: list[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table(box=None)
    for name in ("#", "KOL", "score", "followers", "price", "why", "mind this"):
        table.add_column(name, justify="right" if name in ("#", "score", "followers") else "left")
    for item in items:
        author, price = item["author"], item["price"]
        who = f"{author['name'] or author['handle'] or 'unnamed'}\n{author['platform']} id {author['id']}"
        cost = f"{price['currency']} {price['low']:,.0f}\nto {price['high']:,.0f}" if price else "not known"
        followers = "not known" if author["follower_count"] is None else f"{author['follower_count']:,}"
        said = [escape("\n".join(item[name])) for name in ("why", "mind")]
        table.add_row(str(item["rank"]), escape(who), f"{item['score']:.2f}", followers, cost, *said)
    return table

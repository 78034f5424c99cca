"""radar kol: who posts, on the terminal: search, profile, comparison, lists, notes, and the rights of the listed."""

import csv
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.kol_alike import similar, trend
from radar.cli.kol_rights import Who, correct, erase, hide
from radar.cli.trends import Format
from radar.errors import CallerError
from radar.markets import MARKETS

kol = typer.Typer(
    help="Who posts: search, show, compare, list, note and export KOLs; correct, hide or erase one.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip

_WIDE = 130
"""Columns of a terminal that hold the topics too."""
Market = Annotated[str | None, typer.Option(help=f"Audience market: {', '.join(MARKETS)}.")]
Platform = Annotated[str | None, typer.Option(help="Platform; several by commas.")]
Tier = Annotated[str | None, typer.Option(help="nano, micro, mid, macro, mega, below, unknown; by commas.")]
Topic = Annotated[str | None, typer.Option(help="Topic posted about, as shop.drugstore.")]
Place = Annotated[str | None, typer.Option(help="Place market posted about, as JP.")]
Least = Annotated[float | None, typer.Option(min=0, max=1, help="Least engagement percentile among peers.")]
Highest = Annotated[float | None, typer.Option(min=0, max=1, help="Highest engagement percentile.")]
Paid = Annotated[
    bool | None, typer.Option("--sponsored/--not-sponsored", help="With paid posts in 60 days, or with none.")
]
OnList = Annotated[str | None, typer.Option("--list", help="Those on a list of that name.")]
Sort = Annotated[str | None, typer.Option(help="engagement, followers, growth, early or active; the largest first.")]


@kol.command("search")
def search(
    text: Annotated[str | None, typer.Argument(help="Beginnings of words of name or handle.")] = None,
    market: Market = None,
    platform: Platform = None,
    tier: Tier = None,
    topic: Topic = None,
    place: Place = None,
    min_engagement: Least = None,
    max_engagement: Highest = None,
    sponsored: Paid = None,
    on_list: OnList = None,
    sort: Sort = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Lines.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="The cursor that the page before ended with.")] = None,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Find KOLs by name, market, platform, tier, topic, place, engagement and paid work.

    Example: radar kol search --market TW --place JP --topic shop.drugstore --tier micro
    """
    from radar.answers.kol import AuthorFilters, list_authors
    from radar.store.engine import reading

    asked = AuthorFilters(
        text, market, platform, tier, topic, place, min_engagement, max_engagement, sponsored, on_list,
        _largest(sort), limit, cursor,
    )  # fmt: skip
    _, engine = open_engine()
    with reading(engine) as session:
        answer = list_authors(session, asked)
    _print(answer, format)


def _largest(sort: str | None) -> str | None:
    """The largest first, which is what this command lists."""
    return f"-{sort.removeprefix('-')}" if sort else None


def _print(answer: dict[str, Any], format: Format) -> None:
    if format is Format.JSON:
        _json(answer)
    elif format is Format.CSV:
        _csv(sys.stdout, answer["items"])
    else:
        if answer["simulated"]:
            console.print("[yellow]Simulated data[/]")
        console.print(_table(answer["items"]) if answer["items"] else "No KOL matches.")
        if answer["next"]:
            console.print(f"More: --cursor {answer['next']}")


def _json(answer: Any) -> None:
    print(json.dumps(answer, ensure_ascii=False, indent=1, default=lambda value: value.isoformat()))


def _csv(out: Any, lines: list[dict[str, Any]]) -> None:
    from radar.answers.kol import CSV_COLUMNS, csv_row

    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(csv_row(line) for line in lines)


def _share(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{100 * value:.{digits}f} %"


def _count(value: int | None) -> str:
    return "hidden" if value is None else f"{value:,}"


def _table(lines: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    for name in ("id", "KOL", "market", "tier"):
        table.add_column(name)
    for name in ("followers", "engagement", "among peers", "growth", "paid", "early"):
        table.add_column(name, justify="right")
    if wide := console.width >= _WIDE:
        table.add_column("topics")
    for line in lines:
        peers = f"{_share(line['engagement_percentile'], 0)} of {line['peer_count']}"
        rate = line["er_followers"] if line["er_followers"] is not None else line["er_views"]
        table.add_row(
            line["id"], escape(f"{line['platform']}:{line['handle'] or line['name']}"), line["market"], line["tier"],
            _count(line["follower_count"]), _share(rate, 2) + ("?" if line["low_confidence"] else ""),
            peers if line["engagement_percentile"] is not None else "-", _share(line["growth"]),
            _share(line["sponsored_share"], 0), "-" if line["early"] is None else f"{line['early']:.2f}",
            *([", ".join(t["name"] for t in line["topics"][:2])] if wide else []),
        )  # fmt: skip
    return table


@kol.command("show")
def show(
    who: Who,
    format: Annotated[Format, typer.Option(help="table or json.")] = Format.TABLE,
) -> None:
    """Show one KOL with every measure, its n and its place among peers.

    Example: radar kol show sim-instagram:sim_mikalo003
    """
    from radar.answers.kol import author_profile
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = author_profile(session, who)
    if format is Format.JSON:
        _json(found)
    elif format is Format.CSV:
        _csv(sys.stdout, [found])
    else:
        _profile(found)


def _profile(found: dict[str, Any]) -> None:
    simulated = "  [yellow]Simulated data[/]" if found["simulated"] else ""
    title = escape(f"{found['name'] or found['handle']} ({found['platform']}:{found['handle']})")
    console.print(f"[bold]{title}[/], {found['market']}, {found['tier']}, id {found['id']}{simulated}")
    m = found["measures"]
    if m is None:
        console.print("Not measured yet: radar run measure_authors")
        return
    table = Table("measure", box=None)
    for name in ("value", "n", "among peers", "peers' quartiles"):
        table.add_column(name, justify="right")
    for rate in m["rates"]:
        quartiles = " / ".join(f"{q:.4g}" for q in rate["quartiles"]) if rate["quartiles"] else "-"
        peers = f"{_share(rate['percentile'], 0)} of {rate['peers']}" if rate["percentile"] is not None else "-"
        value = "-" if rate["value"] is None else f"{rate['value']:.4g}"
        table.add_row(rate["name"], value, str(rate["n"]), peers, quartiles)
    console.print(table)
    if m["low_confidence"]:
        console.print(f"[yellow]Low confidence: fewer than {m['enough']} rated posts in {m['window_days']} days.[/]")
    early, paid = m["early"], m["paid"]
    if early["score"] is not None:
        console.print(
            f"Early: {early['score']:.2f} ({early['low']:.2f} to {early['high']:.2f}) over {early['trends']} trends; "
            f"by chance {early['null']:.2f}, p {early['p']:.3f}"
        )
    over = "" if paid["over_organic"] is None else f"; paid posts do x{paid['over_organic']:.2f} of the others"
    console.print(f"Paid: {paid['posts']} of {paid['of']} posts{over}")
    console.print(f"Complaints: {_share(m['complaints']['share'], 0)} of {m['complaints']['posts']} posts")
    for name in ("topics", "places"):
        said = ", ".join(f"{s['name']} {_share(s['share'], 0)} ({s['posts']})" for s in m[name][:5])
        console.print(f"{name.capitalize()}: {said or '-'}")
    for brand in m["brands"][:5]:
        when = f"{brand['first_on']} to {brand['last_on']}"
        console.print(escape(f"Paid for {brand['name']}: {brand['posts']} posts, {when}"))
    for signal in m["signals"]:
        if signal["is_odd"]:
            place = f"at {_share(signal['percentile'], 0)} of {signal['peers']} peers"
            console.print(f"[yellow]For review: {signal['name']} {signal['value']:.4g}, {place}[/]")
    for note in found["notes"]:
        console.print(escape(f"Note {note['id']}, {note['written_at']:%Y-%m-%d}: {note['text']}"))


@kol.command("compare")
def compare(
    who: Annotated[list[str], typer.Argument(help="Up to ten KOLs.")],
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Put up to ten KOLs side by side.

    Example: radar kol compare 12 40 311
    """
    from radar.answers.kol import compare as answer_of
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = answer_of(session, who)
    if format is not Format.TABLE:
        _print(answer, format)
        return
    items = answer["items"]
    table = Table("", *[escape(f"{i['platform']}:{i['handle'] or i['name']}") for i in items], box=None)
    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        "market, tier": lambda i: f"{i['market']}, {i['tier']}", "followers": lambda i: _count(i["follower_count"]),
        "engagement / followers": lambda i: _share(i["er_followers"], 2),
        "engagement / views": lambda i: _share(i["er_views"], 2),
        "among peers": lambda i: f"{_share(i['engagement_percentile'], 0)} of {i['peer_count']}",
        "rated posts": lambda i: str(i["rated_count"]), "growth": lambda i: _share(i["growth"]),
        "paid": lambda i: _share(i["sponsored_share"], 0),
        "early": lambda i: "-" if i["early"] is None else f"{i['early']:.2f} ({i['early_count']})",
        "topics": lambda i: ", ".join(t["name"] for t in i["topics"]),
        "places": lambda i: ", ".join(p["name"] for p in i["places"]),
    }  # fmt: skip
    for name, told in rows.items():
        table.add_row(name, *[told(item) for item in items])
    console.print(table)


@kol.command("list")
def lists(
    name: Annotated[str | None, typer.Argument(help="A list; all of them if left out.")] = None,
    add: Annotated[list[str] | None, typer.Option(help="Put a KOL on it; the list is made with the first.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="Take a KOL off it.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the list; its KOLs stay.")] = False,
) -> None:
    """Show the named lists, or one; put KOLs on one or take them off.

    Example: radar kol list shortlist --add 311 --add instagram:mei.travels
    """
    from radar.answers.kol import AuthorFilters, checked_name, find_author, list_authors, list_named, shown_lists
    from radar.store import authors
    from radar.store.engine import reading, writing

    _, engine = open_engine()
    if name is None:
        with reading(engine) as session:
            table = Table("list", "KOLs", box=None)
            for line in shown_lists(session)["items"]:
                table.add_row(escape(line["name"]), str(line["members"]))
        console.print(table if table.row_count else "There is no list yet: radar kol list NAME --add KOL")
        return
    with reading(engine) as session:
        on, off = ([find_author(session, who) for who in some or ()] for some in (add, remove))
        known = None if on else list_named(session, name).id
    with writing(engine) as session, session.begin():
        if on:
            authors.put_on_list(session, checked_name(name), on, datetime.now(UTC))
        if off:
            authors.take_off_list(session, known or list_named(session, name).id, off)
        if delete and known:
            authors.drop_list(session, known)
    if delete:
        console.print(escape(f"{name} is gone."))
        return
    with reading(engine) as session:
        _print(list_authors(session, AuthorFilters(list=checked_name(name), limit=1000)), Format.TABLE)


@kol.command("note")
def note(
    who: Who,
    text: Annotated[str | None, typer.Argument(help="What to write down.")] = None,
    delete: Annotated[int | None, typer.Option(help="Take the note of that number away.")] = None,
) -> None:
    """Write a note on a KOL, or take one away.

    Example: radar kol note 311 "Met at the fair in May."
    """
    from radar.answers.kol import checked_note, find_author
    from radar.store import authors
    from radar.store.engine import reading, writing

    if (text is None) == (delete is None):
        raise CallerError("Give a text, or the note to delete.", 'radar kol note 311 "Met in May."')
    _, engine = open_engine()
    with reading(engine) as session:
        author_id = find_author(session, who)
    with writing(engine) as session, session.begin():
        if text is not None:
            done = f"Note {authors.add_note(session, author_id, checked_note(text), datetime.now(UTC))}."
        else:
            gone = authors.drop_note(session, author_id, delete or 0)
            done = f"Note {delete} is gone." if gone else f"There was no note {delete}."
    console.print(done)


@kol.command("export")
def export(
    path: Annotated[Path, typer.Argument(help="A CSV file to write; - for standard output.")],
    market: Market = None,
    platform: Platform = None,
    tier: Tier = None,
    topic: Topic = None,
    place: Place = None,
    min_engagement: Least = None,
    max_engagement: Highest = None,
    sponsored: Paid = None,
    on_list: OnList = None,
    sort: Sort = None,
) -> None:
    """Write all KOLs that match to a CSV file, page by page.

    Example: radar kol export kols.csv --market TW --topic shop.drugstore
    """
    from radar.answers.kol import CSV_COLUMNS, AuthorFilters, csv_row, list_authors
    from radar.store.engine import reading

    _, engine = open_engine()
    out = sys.stdout if str(path) == "-" else _opened(path)
    n, cursor = 0, None
    try:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        while n == 0 or cursor:
            asked = AuthorFilters(
                None, market, platform, tier, topic, place, min_engagement, max_engagement, sponsored, on_list,
                _largest(sort), 1000, cursor,
            )  # fmt: skip
            with reading(engine) as session:
                answer = list_authors(session, asked)
            writer.writerows(csv_row(line) for line in answer["items"])
            n, cursor = n + len(answer["items"]), answer["next"]
            if not answer["items"]:
                break
    finally:
        if out is not sys.stdout:
            out.close()
    if out is not sys.stdout:
        console.print(f"{n:,} KOLs in {escape(str(path))}.")


def _opened(path: Path) -> Any:
    try:
        return path.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise CallerError(f"Cannot write {path}: {error.strerror}.", "Name another file.") from error


for command in (similar, trend, correct, hide, erase):
    kol.command()(command)

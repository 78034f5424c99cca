"""radar lists: watch lists of keys and KOLs, on the terminal."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.trends import Format
from radar.errors import CallerError
from radar.markets import MARKETS

lists = typer.Typer(
    help="Watch lists of trends' keys and of KOLs: show, add, remove; alert rules can wait for what is on one.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip

Name = Annotated[str, typer.Argument(help="The list's name.")]
Trends = Annotated[list[str] | None, typer.Option("--trend", help="A trend's id: its key, in its market.")]
Keys = Annotated[
    list[str] | None, typer.Option("--key", help='"#osaka", "kind:text", a topic, a place, or a word; repeatable.')
]
Kols = Annotated[list[str] | None, typer.Option("--kol", help="A KOL's id, handle or platform:handle; repeatable.")]


@lists.command("show")
def show(
    name: Annotated[str | None, typer.Argument(help="A list; all of them if left out.")] = None,
    format: Annotated[Format, typer.Option(help="table or json.")] = Format.TABLE,
) -> None:
    """Show the watch lists, or what is on one.

    Example: radar lists show watching
    """
    from radar.alerts import lists as work
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = work.list_shown(session, name) if name else work.lists_shown(session)
    if format is Format.JSON:
        print(json.dumps(answer, ensure_ascii=False, indent=1, default=lambda value: value.isoformat()))
    elif name:
        _print_list(answer)
    else:
        table = Table("list", "keys", "KOLs", box=None)
        for line in answer["items"]:
            table.add_row(escape(line["name"]), str(line["keys"]), str(line["kols"]))
        console.print(table if table.row_count else 'There is no list yet: radar lists add watching --key "#osaka"')


def _print_list(answer: dict[str, Any]) -> None:
    table = Table("what", "kind", "where", box=None)
    for line in answer["keys"]:
        place = f" about {line['place_market']}" if line["place_market"] else ""
        table.add_row(escape(line["name"]), line["key"]["kind"], (line["market"] or "everywhere") + place)
    for kol in answer["kols"]:
        who = f"{kol['platform']}:{kol['handle'] or kol['name'] or kol['id']}"
        table.add_row(escape(who), "KOL", kol["market"])
    console.print(table if table.row_count else "Nothing is on it.")


@lists.command("add")
def add(
    name: Name,
    trend: Trends = None,
    key: Keys = None,
    kol: Kols = None,
    market: Annotated[str | None, typer.Option(help=f"Where the keys are watched: {', '.join(MARKETS)}.")] = None,
    place: Annotated[str | None, typer.Option(help="What place the keys are to be about, as JP.")] = None,
) -> None:
    """Put trends, keys and KOLs on a list, which is made with the first of them.

    Example: radar lists add watching --key "#osaka" --key shop.drugstore --market TW
    """
    from radar.alerts import lists as work
    from radar.answers.kol import find_author
    from radar.store.engine import reading

    if not (trend or key or kol):
        raise CallerError("Say what to put on the list.", "--trend ID, --key TEXT or --kol WHO")
    _, engine = open_engine()
    with reading(engine) as session:
        keys = [work.key_of_trend(session, one) for one in trend or ()]
        keys += [work.key_named(one, market_code=market, place=place) for one in key or ()]
        ids = [find_author(session, who) for who in kol or ()]
    work.watch(engine, name, keys, ids, now=datetime.now(UTC))
    with reading(engine) as session:
        _print_list(work.list_shown(session, name))


@lists.command("remove")
def remove(
    name: Name,
    trend: Trends = None,
    key: Keys = None,
    kol: Kols = None,
    all: Annotated[bool, typer.Option("--all", help="Delete the list; its KOLs stay stored.")] = False,
) -> None:
    """Take keys and KOLs off a list, or delete it.

    Example: radar lists remove watching --key "#osaka"
    """
    from radar.alerts import lists as work
    from radar.answers.kol import find_author, list_named
    from radar.store import authors
    from radar.store.engine import reading, writing

    if not (trend or key or kol or all):
        raise CallerError("Say what to take off the list.", "--trend ID, --key TEXT, --kol WHO, or --all")
    _, engine = open_engine()
    with reading(engine) as session:
        list_id = list_named(session, name).id
        numbers = [work.key_of_trend(session, one).number for one in trend or ()]
        numbers += [work.key_named(one).number for one in key or ()]
        ids = [find_author(session, who) for who in kol or ()]
    gone = sum(work.unwatch(engine, name, number) for number in numbers)
    with writing(engine) as session, session.begin():
        gone += authors.take_off_list(session, list_id, ids) if ids else 0
        if all:
            authors.drop_list(session, list_id)
    console.print(escape(f"{name} is gone." if all else f"{gone} taken off {name}."))

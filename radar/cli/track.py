"""radar track: keys of one's own and their share of voice, on the terminal."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.curate import me
from radar.cli.trends import Format
from radar.errors import CallerError
from radar.markets import MARKETS

track = typer.Typer(
    help="Keys of your own: add, list, change and remove them, and their share of voice.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
_KINDS = "brand, product, competitor or place"
Forms = Annotated[
    list[str] | None,
    typer.Option("--form", metavar="LANGUAGE=TEXT", help="As written in zh-Hant, zh-Hans, ja, ko, th or en; repeat."),
]
Key = Annotated[str, typer.Argument(help="Its id or name.")]


@track.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call it; looked for too.")],
    form: Forms = None,
    kind: Annotated[str, typer.Option(help=f"One of {_KINDS}.")] = "brand",
    group: Annotated[str | None, typer.Option(help="Keys of one group are compared; else its own name.")] = None,
) -> None:
    """Track a key: in new posts at once, in stored ones with the next run of sweep_tracked.

    Example: radar track add Donki --group Drugstores --form ja=ドンキ --form zh-Hant=唐吉訶德
    """
    from radar import tracked

    _, engine = open_engine()
    one = tracked.add(engine, name=name, kind=kind, group=group, forms=_forms(form), who=me(), now=datetime.now(UTC))
    console.print(escape(f"{one.name} is tracked as {one.id}, in group {one.group_name}."))
    console.print("Stored posts follow within ten minutes, or now: radar run sweep_tracked, then radar run line.")


@track.command("change")
def change(
    key: Key,
    form: Forms = None,
    kind: Annotated[str | None, typer.Option(help=f"One of {_KINDS}.")] = None,
    group: Annotated[str | None, typer.Option(help="Another group.")] = None,
) -> None:
    """Change a tracked key; --form says all its forms anew.

    Example: radar track change Donki --group Stores
    """
    from radar import tracked

    number = _find(key)
    _, engine = open_engine()
    forms = _forms(form) if form else None
    one = tracked.change(engine, number, kind=kind, group=group, forms=forms, now=datetime.now(UTC))
    console.print(escape(f"{one.name}: {one.kind} in group {one.group_name}, {len(one.forms)} forms."))


@track.command("remove")
def remove(key: Key) -> None:
    """Track a key no more; it leaves stored posts and counts with the next runs of the jobs.

    Example: radar track remove Donki
    """
    from radar import tracked

    number = _find(key)
    _, engine = open_engine()
    one = tracked.remove(engine, number, now=datetime.now(UTC))
    console.print(escape(f"{one.name} is tracked no more."))


@track.command("list")
def list_keys(format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE) -> None:
    """List what is tracked, with how far stored posts are looked through.

    Example: radar track list
    """
    from radar.answers import tracked_keys
    from radar.cli.trends import write_csv
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = tracked_keys(session)
    if format is Format.JSON:
        _json(found)
    elif format is Format.CSV:
        rows = [row | {"forms": _told(row["forms"])} for row in found["items"]]
        write_csv(("id", "name", "kind", "group", "forms", "progress", "persons", "who"), rows)
    elif not found["items"]:
        console.print("Nothing is tracked yet: radar track add Donki --form ja=ドンキ")
    else:
        table = Table(box=None)
        for name in ("id", "name", "kind", "group", "forms", "looked through", "KOLs"):
            table.add_column(name, justify="right" if name in ("looked through", "KOLs") else "left")
        for row in found["items"]:
            cells = (row["name"], row["kind"], row["group"], _told(row["forms"]))
            table.add_row(str(row["id"]), *map(escape, cells), f"{100 * row['progress']:.0f} %", f"{row['persons']:,}")
        console.print(table)


@track.command("voice")
def voice(
    group: Annotated[str | None, typer.Argument(help="Group of tracked keys; the first if left out.")] = None,
    market: Annotated[str | None, typer.Option(help=f"Audience market: {', '.join(MARKETS)}.")] = None,
    window: Annotated[str, typer.Option(help="Whole days: 7d, 30d, 90d.")] = "30d",
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Compare the tracked keys of a group: distinct KOLs, their share with its interval, posts.

    Example: radar track voice Drugstores --market TW
    """
    from radar.answers import share_of_voice
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = share_of_voice(session, group=group, market_code=market, window=window)
    if format is Format.JSON:
        _json(found)
    elif format is Format.CSV:
        from radar.api.curation_routes import CSV_COLUMNS, voice_rows
        from radar.cli.trends import write_csv

        write_csv(CSV_COLUMNS, voice_rows(found))
    else:
        if found["simulated"]:
            console.print("[yellow]Simulated data[/]")
        console.print(escape(found["message"]))
        if found["items"]:
            console.print(_voice_table(found))


def _voice_table(found: dict[str, Any]) -> Table:
    table = Table(box=None)
    for name in ("market", "key", "KOLs", "share", "interval", "posts"):
        table.add_column(name, justify="left" if name in ("market", "key") else "right")
    for row in found["items"]:
        for line in row["keys"]:
            share = "not enough" if line["share"] is None else f"{100 * line['share']:.1f} %"
            between = "-" if line["low"] is None else f"{100 * line['low']:.0f}-{100 * line['high']:.0f} %"
            of = f"{line['persons']:,} of {row['persons']:,}"
            table.add_row(row["market"], escape(line["name"]), of, share, between, f"{line['posts']:,}")
    return table


def _find(key: str) -> int:
    from radar import tracked
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        return tracked.find(session, key).id


def _forms(said: list[str] | None) -> list[tuple[str, str]]:
    found = []
    for one in said or []:
        language, sign, text = one.partition("=")
        if not sign:
            raise CallerError(f"form: '{one[:60]}' is no LANGUAGE=TEXT.", "As --form ja=ドンキ.")
        found.append((language.strip(), text))
    return found


def _told(forms: list[dict[str, Any]]) -> str:
    return ", ".join(form["text"] for form in forms)


def _json(answer: Any) -> None:
    print(json.dumps(answer, ensure_ascii=False, indent=1, default=lambda value: value.isoformat()))

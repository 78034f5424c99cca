"""radar watch, radar person: whose posts come in, and which accounts are one person's."""

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from radar.cli.app import console, open_engine, told
from radar.errors import CallerError, UnknownName

_PLAIN: dict[str, Any] = {
    "no_args_is_help": True, "add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False,
}  # fmt: skip
watch = typer.Typer(help="Whose posts come in: add, import, discover, list and remove the accounts of KOLs.", **_PLAIN)
person = typer.Typer(help="Link the accounts of one person, so that they count once.", **_PLAIN)

Source = Annotated[str, typer.Argument(help="The source's name (see `radar sources list`).")]
Later = Annotated[bool, typer.Option("--later", help="Leave filling back to the next run of ingest_posts.")]


@watch.command()
def add(
    source: Source,
    handle: Annotated[str, typer.Argument(help="ann.example, user@server, #tag@server, or a feed's address.")],
    market: Annotated[str, typer.Option(help="Audience market of the account, as TW.")],
    person: Annotated[str | None, typer.Option(help="A name that the person's accounts share.")] = None,
    consented: Annotated[bool, typer.Option("--consented", help="Its owner agreed, whatever its flags say.")] = False,
    later: Later = False,
) -> None:
    """Watch an account, and fill back its last 90 days where the platform allows.

    Example: radar watch add bluesky ann.example --market TW
    """
    from radar.markets import market as market_of
    from radar.watch_list import checked_handle

    _, engine = open_engine()
    if source not in (known := _kinds(engine)):
        raise UnknownName("source", source, list(known))
    code = market_of(market).code
    try:
        handle = checked_handle(handle)
    except ValueError as error:
        raise CallerError(f"{error}.".replace("handle: ", "HANDLE: "), "As: ann.example") from error
    row = {"source": source, "handle": handle, "audience_market": code, "person": person, "consented": consented}
    _put(engine, [row], later=later)


@watch.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL, Parquet or XLSX with handle, market, person, source.")],
    source: Annotated[str | None, typer.Option(help="Source of rows that name none.")] = None,
    market: Annotated[str | None, typer.Option(help="Market of rows that name none.")] = None,
    later: Later = False,
) -> None:
    """Watch the accounts of a table: columns handle and market, and if you like person and source.

    Example: radar watch import kols.csv --source bluesky
    """
    from radar.file_rows import format_of, opened, rows_of
    from radar.watch_list import read_watch_list

    _, engine = open_engine()
    with opened(str(file)) as stream:
        lines = list(rows_of(stream, format_of(str(file), None), file.name))
    found = read_watch_list(lines, kinds=_kinds(engine), source=source, market=market)
    for line, reason in found.rejected[:20]:
        console.print(f"line {line}: {reason}", markup=False, soft_wrap=True)
    if len(found.rejected) > 20:
        console.print(f"and {len(found.rejected) - 20:,} more that cannot be taken")
    if not found.rows:
        raise CallerError(f"{file}: no account could be taken from it.", "It needs columns handle and market.")
    _put(engine, found.rows, later=later)


def _put(engine: Any, rows: list[dict[str, Any]], *, later: bool) -> None:
    """Put accounts on the list, and bring their posts in at once."""
    from radar.collect import collect
    from radar.sources.web import Web
    from radar.store import watching
    from radar.store.engine import writing

    settings, _ = open_engine()
    with writing(engine) as session, session.begin():
        watching.watch(session, rows)
    console.print(f"{len(rows):,} accounts watched", markup=False)
    if later:
        return
    with told() as report:
        done = collect(
            engine, now=datetime.now(UTC), web=Web(settings.contact), progress=lambda n: report("posts", n, None),
            only={(row["source"], row["handle"]) for row in rows},
        )  # fmt: skip
    console.print(f"{done.new:,} new posts, {done.changed:,} changed, {len(done.rejected):,} rejected")
    _tell_faults(engine, {(row["source"], row["handle"]) for row in rows})


def _tell_faults(engine: Any, asked: set[tuple[str, str]]) -> None:
    from radar.store import watching
    from radar.store.engine import reading

    with reading(engine) as session:
        accounts = [a for a in watching.watched_accounts(session) if (a.source, a.handle) in asked]
    for one in accounts:
        if one.last_error and (one.last_success_at is None or one.pause_reason):
            console.print(f"{one.handle}: {one.pause_reason or one.last_error}", markup=False, soft_wrap=True)


@watch.command()
def discover(
    topic: Annotated[str | None, typer.Option(help="A topic's id, as travel.dining, or a group, as travel.")] = None,
    market: Annotated[str | None, typer.Option(help="Only authors of this audience market.")] = None,
    source: Annotated[str | None, typer.Option(help="The stream to look in; else every stream.")] = None,
    ask: Annotated[str | None, typer.Option(help="The source that is asked for followers, as sky.")] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")] = 14,
    followers: Annotated[int, typer.Option(min=0, help="Only authors with at least so many.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Accounts to show at most.")] = 20,
    format: Annotated[str, typer.Option(help="table, or csv, which `radar watch import` takes.")] = "table",
) -> None:
    """Propose authors of live streams who come back to a topic, the largest reach first.

    Example: radar watch discover --topic travel.dining --market TW --ask sky --format csv > propose.csv
    """
    from radar.discovery import propose
    from radar.markets import market as market_of
    from radar.sources.catalogue import open_source
    from radar.sources.web import Web
    from radar.spending import StoredLedger
    from radar.store import runs
    from radar.store.engine import reading

    if format not in ("table", "csv"):
        raise CallerError(f"'{format}' is no format.", "Use table or csv.")
    settings, engine = open_engine()
    with reading(engine) as session:
        states = {s.name: s for s in runs.source_states(session)}
    for named in filter(None, (source, ask)):
        if named not in states:
            raise UnknownName("source", named, list(states))
    streams = [source] if source else [s.name for s in states.values() if s.kind == "jetstream"]
    if not streams:
        raise CallerError("There is no live stream to look in.", "Add one: radar sources add live --kind jetstream")
    if topic is not None:
        _check_topic(topic)
    with Web(settings.contact) as web, told() as report:
        asked = open_source(states[ask].kind, ask, states[ask].config, web, StoredLedger(engine)) if ask else None
        found = propose(
            engine, sources=streams, topic=topic, market=market_of(market).code if market else None,
            now=datetime.now(UTC), days=days, limit=limit, least_followers=followers, ask=asked,
            progress=lambda n: report("authors asked for", n, None),
        )  # fmt: skip
    _show_proposals(found, ask or "", as_csv=format == "csv")


def _check_topic(topic: str) -> None:
    from radar.answers import topics

    known = [t["id"] for t in topics()]
    groups = sorted({name.partition(".")[0] for name in known})
    if topic not in (*known, *groups):
        raise UnknownName("topic", topic, [*known, *groups])


def _show_proposals(found: list[Any], source: str, *, as_csv: bool) -> None:
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(["handle", "market", "source", "platform", "followers", "posts", "on_topic", "url"])
        for p in found:
            counts = ("" if p.follower_count is None else p.follower_count, p.posts, p.on_topic)
            writer.writerow([p.handle, p.market, source or p.platform, p.platform, *counts, p.url or ""])
        return
    from rich.markup import escape
    from rich.table import Table

    if not found:
        console.print("Nobody came back to that within these days. Look further back with --days, or at another topic.")
        return
    table = Table(box=None)
    for column in ("account", "name", "market", "followers", "posts", "on topic", "reach"):
        table.add_column(column, justify="left" if column in ("account", "name", "market") else "right")
    for p in found:
        known = "" if p.follower_count is None else f"{p.follower_count:,}"
        reach = "" if p.reach is None else f"{p.reach:,.0f}"
        table.add_row(escape(p.handle), escape(p.name or ""), p.market, known, f"{p.posts:,}", f"{p.on_topic:,}", reach)
    console.print(table)


@watch.command("list")
def list_watched(source: Annotated[str | None, typer.Option(help="Only of this source.")] = None) -> None:
    """List the watched accounts, and how far each was read."""
    from rich.markup import escape
    from rich.table import Table

    from radar.store import watching
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        accounts = watching.watched_accounts(session, source)
    if not accounts:
        console.print("Nobody is watched yet. Example: radar watch add bluesky ann.example --market TW")
        return
    table = Table(box=None)
    for column in ("source", "account", "market", "person", "read up to (UTC)", "why not further"):
        table.add_column(column)
    for one in sorted(accounts, key=lambda a: (a.source, a.handle)):
        reached = f"{one.watermark_at:%Y-%m-%d %H:%M}" if one.watermark_at else "never"
        has_failed = one.last_error_at and one.last_error_at > (one.last_success_at or datetime.min.replace(tzinfo=UTC))
        why = one.pause_reason or (one.last_error if has_failed else "") or ""
        table.add_row(*map(escape, (one.source, one.handle, one.audience_market, one.person or "", reached, why)))
    console.print(table)


@watch.command()
def remove(source: Source, handle: Annotated[str, typer.Argument(help="The account, as it is listed.")]) -> None:
    """Watch an account no more. Its posts stay."""
    from radar.store import watching
    from radar.store.engine import reading, writing

    _, engine = open_engine()
    with reading(engine) as session:
        known = [a.handle for a in watching.watched_accounts(session, source)]
    if handle not in known:
        raise UnknownName("watched account", handle, known)
    with writing(engine) as session, session.begin():
        watching.unwatch(session, source, handle)
    console.print(f"{handle} is watched no more; its posts stay.", markup=False)


@person.callback()
def _persons() -> None:
    """Link the accounts of one person, so that they count once."""


@person.command()
def link(
    name: Annotated[str, typer.Argument(help="The person's name, as you like to call them.")],
    accounts: Annotated[list[str], typer.Argument(help="platform:handle or platform:id, one or more.")],
) -> None:
    """Make accounts those of one person: they count once from now on, also in the past.

    Example: radar person link "Ann Lee" bluesky:ann.example youtube:UC0123456789012345678901
    """
    from radar.store import watching
    from radar.store.engine import writing

    _, engine = open_engine()
    with writing(engine) as session, session.begin():
        for account in accounts:
            platform, colon, handle = account.partition(":")
            if not colon or not handle:
                raise CallerError(f"'{account}' is not platform:handle.", "As: bluesky:ann.example")
            if not watching.link_person(session, name, platform, handle):
                raise CallerError(
                    f"There is no account '{handle}' of {platform}.",
                    "See `radar watch list`, or import its posts first.",
                )
    console.print(
        f"{len(accounts)} accounts are {name}'s. Counts follow with the next run of count_mentions.", markup=False
    )


def _kinds(engine: Any) -> dict[str, str]:
    """The kinds of the sources that accounts can be watched at, by name."""
    from radar.store import runs
    from radar.store.engine import reading

    with reading(engine) as session:
        return {state.name: state.kind for state in runs.source_states(session) if not state.is_simulated}

"""radar sources: where posts come from."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from radar.cli.app import console, errors, open_engine
from radar.errors import CallerError, UnknownName
from radar.sources.catalogue import COSTLY, PLATFORMS

sources = typer.Typer(
    help="Where posts come from: add, list, test, pause, resume and remove sources.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip

Name = Annotated[str, typer.Argument(help="The source's name (see `radar sources list`).")]


@sources.command()
def add(
    name: Annotated[str, typer.Argument(help="A name of your choice, as blogs.")],
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(PLATFORMS)}.")],
    url: Annotated[str | None, typer.Option(help="The server to ask, where it is not the platform's own.")] = None,
    platform: Annotated[str | None, typer.Option(help="For feeds: the platform of their posts, else web.")] = None,
    token_env: Annotated[str | None, typer.Option(help="Variable of the environment that holds the token.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File (mode 600) that holds the token.")] = None,
    account_id: Annotated[
        str | None, typer.Option(help="For Instagram: the id of your own professional account.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Of a quota: units a day; of what costs money: USD a month.")
    ] = None,
    every: Annotated[float | None, typer.Option(min=0, help="Minutes between two askings of one account.")] = None,
    amendment: Annotated[
        bool, typer.Option("--amendment", help="You accepted the platform's amendment: topics and counts may be made.")
    ] = False,
) -> None:
    """Add a source. A token stays where it is: only the name of its variable or file is stored.

    Example: radar sources add bluesky --kind bluesky
    """
    from radar.sources.catalogue import open_source
    from radar.sources.facts import derives
    from radar.sources.secrets import reference
    from radar.sources.web import Web
    from radar.store import runs
    from radar.store.engine import claim_world, writing

    if kind not in PLATFORMS:
        raise UnknownName("kind of source", kind, list(PLATFORMS))
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise CallerError("A source's name has 1 to 64 characters.", "As: radar sources add blogs --kind feed")
    config: dict[str, Any] = {"url": url and checked_address(url), "platform": platform, "account": account_id}
    config["token"] = reference(token_env, token_file)
    config |= _limits(kind, budget, every, amendment)
    config = {key: value for key, value in config.items() if value not in (None, "", False)}
    settings, engine = open_engine()
    with Web() as web:
        open_source(kind, name, config, web)  # a token that cannot be read is told now
    with writing(engine) as session, session.begin():
        claim_world(session, "real")
        if any(state.name == name for state in runs.source_states(session)):
            raise CallerError(f"There is a source '{name}' already.", "Choose another name, or remove it first.")
        runs.add_source(session, name, kind, config, is_simulated=False)
    after = f"radar sources follow {name}" if kind == "jetstream" else f"radar watch add {name} HANDLE --market TW"
    console.print(f"Added {name} ({kind}). Now: {after}", markup=False)
    if not derives(kind, config):
        errors.print(f"Its posts are stored and not read: {_terms(kind)} To go on: radar sources accept {name}")
    if not settings.contact:
        errors.print("Set RADAR_CONTACT to an address of yours: servers are told whom to ask about our requests.")


@sources.command()
def follow(name: Name) -> None:
    """Take what a stream (kind jetstream) gives as it happens, until stopped; classifying is left to the jobs."""
    from radar.cli.app import told
    from radar.collect import follow as follow_stream
    from radar.sources.web import Web

    settings, engine = open_engine()
    _state(engine, name)
    with Web(settings.contact) as web, told() as report:
        follow_stream(engine, name, web=web, progress=lambda n: report("posts", n, None))


@sources.command("list")
def list_sources() -> None:
    """List the sources with how each fares."""
    from rich.markup import escape
    from rich.table import Table

    from radar.answers import coverage
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = coverage(session, now=datetime.now(UTC))["sources"]
    if not found:
        console.print("There is no source yet. Example: radar sources add bluesky --kind bluesky")
        return
    table = Table(box=None)
    for column in ("source", "kind", "state", "watched", "failing", "paused", "set aside in 7 days"):
        table.add_column(column, justify="left" if column in ("source", "kind", "state") else "right", no_wrap=True)
    table.add_column("why")
    for line in found:
        figures = (line["watched"], line["failing_accounts"], len(line["paused_accounts"]), line["rejected"])
        why = line["reason"] or "; ".join(f"{a['handle']}: {a['reason']}" for a in line["paused_accounts"][:3])
        why = "; ".join(
            [*filter(None, [why]), *map(_used, line["budgets"]), *([] if line["derives"] else ["not read"])]
        )
        named = (escape(line["source"]), line["kind"], line["state"])
        table.add_row(*named, *(f"{n:,}" for n in figures), escape(why))
    console.print(table)


def _used(budget: dict[str, Any]) -> str:
    used = f"{budget['used']:,.2f}" if budget["what"] == "USD" else f"{budget['used']:,.0f}"
    return f"{used} of {budget['limit']:,.0f} {budget['what']} used in {budget['period']}"


@sources.command("test")
def try_out(
    name: Name,
    account: Annotated[str | None, typer.Option(help="The account to ask for; else the first one watched.")] = None,
    market: Annotated[str, typer.Option(help="Its market, where it is not watched.")] = "TW",
) -> None:
    """Ask a source for one page and show what comes; nothing is stored."""
    from radar.sources.base import Account, Batch
    from radar.sources.catalogue import open_source
    from radar.sources.problems import problem
    from radar.sources.web import Web
    from radar.spending import StoredLedger
    from radar.store.engine import reading
    from radar.store.watching import watched_accounts

    settings, engine = open_engine()
    state = _state(engine, name)
    with reading(engine) as session:
        watched = watched_accounts(session, name)
    known = {one.handle: Account(one.handle, one.audience_market, None, one.consented) for one in watched}
    asked = Account(account, market) if account and account not in known else known.get(account or "")
    asked = asked or next(iter(known.values()), None)
    now = datetime.now(UTC)
    with Web(settings.contact) as web:
        source = open_source(state.kind, name, state.config, web, StoredLedger(engine))
        if source.capabilities.watches and asked is None:
            raise CallerError(f"{name} watches no account yet.", "Name one: --account HANDLE")
        told = source.profile(asked, now) if asked else None
        if told is not None:
            followers = told[1].follower_count
            console.print(f"{told[1].name or told[1].handle}: {followers} followers", markup=False)
        batch = next(source.discover(None, now, asked), Batch([], {}, None))
    posts = batch.posts
    refused = [reason for post in posts if (reason := problem(post, now))] + [f.reason for f in batch.faults]
    console.print(f"{len(posts)} posts on the first page, {len(refused)} that cannot be taken")
    for post in sorted(posts, key=lambda p: p.published_at, reverse=True)[:3]:
        console.print(f"  {post.published_at:%Y-%m-%d %H:%M} {' '.join(post.text.split())[:100]}", markup=False)
    for reason in refused[:3]:
        console.print(f"  not taken: {reason}", markup=False)


@sources.command()
def pause(name: Name) -> None:
    """Ask a source no more until it is resumed."""
    from radar.store import watching
    from radar.store.engine import writing

    _, engine = open_engine()
    _state(engine, name)
    with writing(engine) as session, session.begin():
        watching.pause(session, name, "paused by an operator")
    console.print(f"{name} is paused. To go on: radar sources resume {name}", markup=False)


@sources.command()
def resume(name: Name) -> None:
    """Ask a source and all of its accounts again, whatever paused them."""
    from radar.store import watching
    from radar.store.engine import writing

    _, engine = open_engine()
    _state(engine, name)
    with writing(engine) as session, session.begin():
        watching.resume(session, name)
    console.print(f"{name} is asked again from the next run of ingest_posts.", markup=False)


@sources.command()
def accept(name: Name) -> None:
    """Say that you accepted the platform's amendment on derived data: its posts are read and counted from now on."""
    from radar.sources.facts import derives
    from radar.store import posts, runs
    from radar.store.engine import writing

    _, engine = open_engine()
    state = _state(engine, name)
    if derives(state.kind, state.config):
        raise CallerError(f"The posts of {name} are read already.", "See `radar sources facts`.")
    with writing(engine) as session, session.begin():
        runs.configure_source(session, name, state.config | {"amendment": True})
        n = posts.read_passed_over(session, name)
    console.print(f"{n:,} posts of {name} are read with the next run of classify_posts.", markup=False)


@sources.command()
def facts() -> None:
    """Show what platforms allow, cost and ask for, and when somebody last looked."""
    from radar.sources.facts import FILE, all_facts

    for platform, said in all_facts().items():
        console.print(f"{platform} (checked {said['checked']}: {said['origin']})", markup=False, soft_wrap=True)
        told = {k: v for k, v in said.items() if k not in ("checked", "origin", "terms", "budget")}
        console.print(f"  {said['terms']}", markup=False, soft_wrap=True)
        for one in said.get("budget", []):
            limit = f"{one['limit']:,}" if "limit" in one else "as you set it, in"
            console.print(f"  budget: {limit} {one['unit']} a {one['per']} ({one['zone']})", markup=False)
        console.print("  " + ", ".join(f"{k} = {v}" for k, v in told.items()), markup=False, soft_wrap=True)
    console.print(f"To correct them: {FILE}", markup=False, soft_wrap=True)


@sources.command()
def remove(name: Name) -> None:
    """Forget a source and its watch list. Posts that came from it stay."""
    from radar.store import watching
    from radar.store.engine import writing

    _, engine = open_engine()
    _state(engine, name)
    with writing(engine) as session, session.begin():
        watching.remove_source(session, name)
    console.print(f"{name} is removed; its posts stay.", markup=False)


def _state(engine: Any, name: str) -> Any:
    """The source of that name. Raises UnknownName."""
    from radar.store import runs
    from radar.store.engine import reading

    with reading(engine) as session:
        states = {state.name: state for state in runs.source_states(session)}
    if name not in states:
        raise UnknownName("source", name, list(states))
    return states[name]


def _limits(kind: str, budget: float | None, every: float | None, amendment: bool) -> dict[str, Any]:
    """What an operator says of quota, pace and terms. Raises CallerError where a kind needs or takes none of it."""
    from radar.sources.facts import facts_of

    said = facts_of(kind)
    if budget is not None and not said.get("budget"):
        raise CallerError(f"A source of the kind {kind} has no budget.", "Leave --budget out.")
    if kind in COSTLY and not budget:
        raise CallerError(f"Asking {kind} costs money: it needs a budget.", "Say how much a month, in USD: --budget 50")
    if amendment and said.get("derived") != "amendment":
        raise CallerError(f"A source of the kind {kind} needs no amendment.", "Leave --amendment out.")
    in_usd = any(one["unit"] == "micro-usd" for one in said.get("budget", []))
    return {
        "budget": None if budget is None else int(budget * (1_000_000 if in_usd else 1)), "every_minutes": every,
        "amendment": amendment or None,
    }  # fmt: skip


def _terms(kind: str) -> str:
    from radar.sources.facts import facts_of

    return str(facts_of(kind)["terms"])


def checked_address(url: str) -> str:
    """A web address that holds no password: what is stored and shown must not. Raises CallerError."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise CallerError("That is no web address.", "As: https://blog.example/feed")
    if parts.username or parts.password:
        raise CallerError("An address must not hold a user or password: it is stored and shown.", "Use --token-env.")
    return url

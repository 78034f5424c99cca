"""radar db: is the store sound, a copy of it in a file, and back."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from radar.cli.app import console, settings, told
from radar.cli.transfer import export, import_store
from radar.errors import CallerError, StoreError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from radar.backups import Backup
    from radar.config import Settings

db = typer.Typer(name="db", help="The store itself: check it, back it up, restore it, export it.", no_args_is_help=True)
db.command("export")(export)
db.command("import")(import_store)


@db.command()
def check(
    days: Annotated[int | None, typer.Option(min=1, help="Newest days of each market to look at; else 30.")] = None,
    all: Annotated[
        bool, typer.Option("--all", help="Look at everything that is stored, and at SQLite's file.")
    ] = False,
) -> None:
    """Check that the store is what it should be; writes nothing, and may run beside anything.

    Counts equal a recount, rows name rows that are there, posts lie on their market's local day, trends agree with
    their stages and snapshots, pruned days are sealed. Says what to do; exit code 1 when something is wrong.
    """
    from radar.integrity import DAYS, HINTS, check_store

    if all and days:
        raise CallerError("--all looks at every day.", "Leave --days or --all out.")
    _, engine = _as_it_is()
    with told() as report:
        found = check_store(engine, days=None if all else days or DAYS, progress=report)
    looked = ", ".join(f"{n:,} {what}" for what, n in found.looked.items())
    left = ", ".join(f"{n:,} {why}" for why, n in found.passed.items())
    for kind, n in found.counts.items():
        console.print(f"[bold red]{kind}[/]: {n:,} wrong", soft_wrap=True)
        for said in found.found[kind]:
            console.print(f"  {escape(said)}", soft_wrap=True)
        if n > len(found.found[kind]):
            console.print(f"  and {n - len(found.found[kind]):,} more")
        console.print(f"  {escape(HINTS[kind])}", soft_wrap=True)
    console.print(f"Looked at {looked or 'an empty store'}.", soft_wrap=True)
    if left:
        console.print(f"Days left alone: {left}.", soft_wrap=True)
    if not found.is_well:
        raise typer.Exit(1)
    console.print("Nothing is wrong." if all else "Nothing is wrong there; --all looks at everything.")


@db.command()
def recount(
    market: Annotated[str, typer.Argument(help="A market's code.")],
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="A local day of the market.")],
) -> None:
    """Have a day counted anew by the next count_mentions, and its trends detected anew. A sealed day stays."""
    from radar.cli.app import open_engine
    from radar.markets import market as market_of
    from radar.store import counts, posts
    from radar.store.engine import writing

    found, wanted = market_of(market), date(day.year, day.month, day.day)
    _, engine = open_engine()
    with writing(engine) as session, session.begin():
        if counts.sealed_days(session, found.code, [wanted]):
            raise CallerError(f"{found.code} {wanted} is sealed: texts of its posts are pruned.", "Its counts stay.")
        posts.mark_dirty(session, [(found.code, wanted)])
    console.print(f"{found.code} {wanted} waits for a recount: radar run line does it now.")


@db.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, as radar.zip.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a file of that name.")] = False,
) -> None:
    """Write store, fitted models, labels and tiers to one file, as of one moment, while radar works.

    The file comes to its name when it is whole, for your eyes only: it holds all that is stored of people, and the
    secrets that webhooks are signed with. Not in it: settings, tokens of sources, and the folder of rejects.
    """
    from radar.backups import back_up

    found, engine = _as_it_is(any_schema=True)
    with told() as report:
        made = back_up(engine, found, file, now=datetime.now(UTC), replace=replace, progress=report)
    console.print(f"Wrote {escape(str(file))}: {_said(made)}.", soft_wrap=True)
    console.print("Not in it: settings, tokens of sources, rejects, and files you import from.", soft_wrap=True)


@db.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `radar db backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in place of what is stored.")] = False,
) -> None:
    """Put a backup into the store, and bring it up to this radar's schema: whole, or not at all.

    The file is checked first. Refused: a damaged file, one of a newer radar, a store that holds something (unless
    --replace), one whose scheduler is at work.
    """
    from radar.backups import restore as put_back

    found = settings()
    with told() as report:
        put = put_back(found, file, now=datetime.now(UTC), replace=replace, progress=report)
    console.print(f"Restored {_said(put)}, made {put.made_at:%Y-%m-%d %H:%M} UTC.", soft_wrap=True)
    console.print("Whom you erased since then is back: erase them again (radar kol erase).", soft_wrap=True)


def _said(made: "Backup") -> str:
    return (
        f"{made.database}, schema {made.schema}, {made.files:,} files of models and labels, {made.size / 1e6:,.1f} MB"
    )


def _as_it_is(*, any_schema: bool = False) -> "tuple[Settings, sa.Engine]":
    """Settings and their store, nothing made or migrated. Raises CallerError and StoreError."""
    from radar.store.engine import open_store
    from radar.store.migrate import HEAD, current

    found = settings()
    path = found.url.removeprefix("sqlite:///")
    if found.url.startswith("sqlite:///") and not Path(path).is_file():
        raise CallerError(f"There is no store at {path}.", "Name its folder: RADAR_DATA_DIR or --data-dir.")
    engine = open_store(found.url, migrate=False)
    schema = current(engine)
    if not any_schema and schema != HEAD:
        hint = (
            "Upgrade radar." if schema and schema > HEAD else "Back it up, then migrate it by any command: radar jobs."
        )
        raise StoreError(f"The store's schema is {schema}, this radar's {HEAD}.", hint)
    return found, engine

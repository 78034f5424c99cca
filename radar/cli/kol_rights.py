"""Rights of the listed on the terminal: radar kol correct, hide and erase."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from radar.cli.app import console, open_engine
from radar.errors import CallerError

_FIELDS = "handle, name, url, bio, languages, follower_count, audience_market"
Who = Annotated[str, typer.Argument(help="A KOL's id, handle, or platform:handle.")]


def correct(
    who: Who,
    values: Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...", help=f"Of {_FIELDS}.")],
) -> None:
    """Correct what is stored of a KOL; no source changes it afterwards. An empty value takes it away.

    Example: radar kol correct 311 name="Mei Lin" audience_market=HK
    """
    from radar import rights

    given: dict[str, Any] = {}
    for said in values:
        name, sign, value = said.partition("=")
        if not sign:
            raise CallerError(f"'{said[:60]}' is no FIELD=VALUE.", 'As name="Mei Lin".')
        given[name] = value or None
    count = given.get("follower_count")
    if count is not None and count.isdecimal():
        given["follower_count"] = int(count)
    engine, author_id = _listed(who)
    rights.correct(engine, author_id, given, now=datetime.now(UTC))
    console.print(f"Corrected: {', '.join(sorted(given))}.")


def hide(
    who: Who,
    show_again: Annotated[bool, typer.Option("--show", help="Show the KOL again.")] = False,
) -> None:
    """Hide a KOL from every answer; its posts are still counted.

    Example: radar kol hide instagram:mei.travels
    """
    from radar import rights

    engine, author_id = _listed(who)
    rights.hide(engine, author_id, now=datetime.now(UTC), hidden=not show_again)
    console.print("Shown again, once measured." if show_again else "Hidden.")


def erase(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a KOL with all its posts and every trace; later posts of the account are refused. It cannot be undone.

    Example: radar kol erase instagram:mei.travels --yes
    """
    from radar import rights

    engine, author_id = _listed(who)
    if not yes:
        typer.confirm(f"Erase {who} and everything of it for ever?", abort=True)
    gone = rights.erase(engine, open_engine()[0].data_dir, author_id, now=datetime.now(UTC))
    console.print(
        f"Erased, with {gone.posts:,} posts, {gone.mentions:,} mentions and {gone.lines:,} lines of files. "
        "Its days wait for a recount."
    )


def _listed(who: str) -> tuple[Any, int]:
    """The store and an author, hidden or not."""
    from radar.answers.kol import find_author
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        return engine, find_author(session, who, hidden=True)

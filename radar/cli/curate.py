"""radar curate: what editors decide of trends, on the terminal."""

import getpass
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.trends import Format
from radar.markets import MARKETS

curate = typer.Typer(
    help="Decide on trends: mute, hold back, rename, merge, undo, and list what was decided.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
)  # fmt: skip
Trend = Annotated[str, typer.Argument(help="A trend's id, as lists show it.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why: it is kept with the decision.")]


@curate.command("mute")
def mute(
    trend: Trend,
    reason: Reason,
    key: Annotated[bool, typer.Option("--key", help="Also whenever its key comes again in that market.")] = False,
) -> None:
    """Leave a trend out of lists and alerts.

    Example: radar curate mute 3v8x0c2q5k1zt --reason "a bot repeats it"
    """
    _decide(trend, "mute", reason, scope="key" if key else "trend")


@curate.command("hold")
def hold(trend: Trend, reason: Reason) -> None:
    """Hold a trend back from lists and alerts until somebody has looked at it.

    Example: radar curate hold 3v8x0c2q5k1zt --reason "ask the brand first"
    """
    _decide(trend, "hold", reason)


@curate.command("rename")
def rename(trend: Trend, name: Annotated[str, typer.Argument(help="Its new name.")], reason: Reason) -> None:
    """Show a trend under another name; the one it was found by stands beside it.

    Example: radar curate rename 3v8x0c2q5k1zt "Alinamin EX Plus" --reason "the name people know"
    """
    _decide(trend, "rename", reason, name=name)


@curate.command("merge")
def merge(
    trend: Trend, into: Annotated[str, typer.Argument(help="Id of the trend that it becomes a variant of.")],
    reason: Reason,
) -> None:  # fmt: skip
    """List a trend as a variant of another one of its market.

    Example: radar curate merge 1m0c5r8n2w7yd 3v8x0c2q5k1zt --reason "the same thing"
    """
    _decide(trend, "merge", reason, into=into)


@curate.command("undo")
def undo(
    what: Annotated[str, typer.Argument(help="A trend's id: all that holds for it; or a decision's number.")],
    reason: Reason = "",
) -> None:
    """Undo a decision, or all that holds for a trend; the log keeps both.

    Example: radar curate undo 7
    """
    from radar import curating

    _, engine = open_engine()
    is_number = what.isascii() and what.isdecimal() and len(what) < 13
    done = curating.undo(
        engine, who=me(), now=datetime.now(UTC), number=int(what) if is_number else None,
        trend=None if is_number else what, reason=reason,
    )  # fmt: skip
    for one in done:
        console.print(escape(f"Undone: decision {one.id}, {one.action} ({one.reason})."))


@curate.command("list")
def list_decisions(
    market: Annotated[str | None, typer.Option(help=f"Audience market: {', '.join(MARKETS)}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Rows.")] = 30,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """List decisions and undoings, newest first.

    Example: radar curate list --market TW
    """
    from radar.answers import curation_log
    from radar.cli.trends import write_csv
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        found = curation_log(session, market_code=market, limit=limit, cursor=cursor)
    if format is Format.JSON:
        print(json.dumps(found, ensure_ascii=False, indent=1, default=lambda value: value.isoformat()))
    elif format is Format.CSV:
        names = ("id", "decided_at", "who", "action", "scope", "market", "trend", "called", "name", "into", "reason",
                 "undoes", "stands")  # fmt: skip
        write_csv(names, found["items"])
    else:
        console.print(_table(found["items"]) if found["items"] else "Nothing was decided yet.")
        if found["next"]:
            console.print(f"More: --cursor {found['next']}")


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    for name in ("#", "when (UTC)", "decision", "market", "trend", "reason", "by"):
        table.add_column(name)
    for row in rows:
        done = row["action"] + (f" #{row['undoes']}" if row["undoes"] else "")
        done += f" to {row['name']}" if row["name"] else f" into {row['into']}" if row["into"] else ""
        done += " (key)" if row["scope"] == "key" and row["action"] == "mute" else ""
        done += " (undone)" if row["undone_at"] else ""
        trend = f"{row['called']} {row['trend'] or ''}"
        cells = [f"{row['decided_at']:%m-%d %H:%M}", done, row["market"], trend, row["reason"], row["who"]]
        table.add_row(str(row["id"]), *map(escape, cells))
    return table


def _decide(trend: str, action: str, reason: str, **more: Any) -> None:
    from radar import curating

    _, engine = open_engine()
    done = curating.decide(engine, trend, action, reason=reason, who=me(), now=datetime.now(UTC), **more)
    for one in done:
        what = "its key in " + one.audience_market if one.episode_id is None else "the trend"
        console.print(escape(f"Decision {one.id}: {action} {what}. Undo: radar curate undo {one.id}"))


def me() -> str:
    """Who is at the terminal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "terminal"

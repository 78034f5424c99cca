"""radar keys, radar users: who may ask from elsewhere."""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from radar.actors import ROLES, SCOPES
from radar.cli.app import console, errors, open_engine
from radar.cli.written import terminal
from radar.errors import CallerError

_PLAIN: dict[str, Any] = {"no_args_is_help": True, "add_completion": False, "rich_markup_mode": None}
keys = typer.Typer(help="Keys by which systems ask from elsewhere: create, list and revoke them.", **_PLAIN)
users = typer.Typer(
    help="People who may log in from elsewhere: add, list and remove them, or change a password.", **_PLAIN
)

User = Annotated[str, typer.Argument(help="The user's name.")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input, unasked.")]


@keys.command("create")
def create(
    scope: Annotated[str, typer.Option(help=f"What it may do: {', '.join(SCOPES)}; each holds the one before.")],
    expires: Annotated[str, typer.Option(help="How long it holds: 90d, 12h, 2w, 1y, or never.")] = "90d",
    name: Annotated[str | None, typer.Option(help="What you know it by; else as read-1.")] = None,
) -> None:
    """Make a key and print its token, once: only a hash of it is kept.

    Example: radar keys create --scope read --expires 90d --name shop
    """
    from radar.access.keys import create_key

    named, token = create_key(open_engine()[1], terminal(), scope, expires, name)
    holds = "until it is revoked" if expires == "never" else f"for {expires}"
    errors.print(f"The key '{named}' may {scope}, {holds}. Its token is shown this once:", markup=False)
    print(token)
    errors.print("Send it as: Authorization: Bearer TOKEN", markup=False)


@keys.command("list")
def list_keys() -> None:
    """List the keys, the newest first, with when each was last used."""
    from radar.access.keys import state_of
    from radar.store import api_keys
    from radar.store.engine import reading

    now = datetime.now(UTC)
    with reading(open_engine()[1]) as session:
        found = api_keys.all_keys(session)
    if not found:
        console.print("There is no key yet. Example: radar keys create --scope read")
        return
    lines = [
        (key.id, key.name, key.scope, state_of(key, now), _day(key.created_at), _at(key.used_at), _day(key.expires_at))
        for key in found
    ]
    _table(("id", "name", "scope", "state", "created", "last used", "expires"), lines)


@keys.command("revoke")
def revoke(which: Annotated[str, typer.Argument(help="The key's name or id (see `radar keys list`).")]) -> None:
    """End a key at once.

    Example: radar keys revoke shop
    """
    from radar.access.keys import revoke_key

    named = revoke_key(open_engine()[1], terminal(), which)
    console.print(f"The key '{named}' holds no longer.", markup=False)


@users.command("add")
def add(
    name: User,
    role: Annotated[str, typer.Option(help="viewer reads, editor curates and writes too, admin may do everything.")],
    password_stdin: Stdin = False,
) -> None:
    """Let somebody log in. The password is asked for, and kept as argon2.

    Example: radar users add ann --role viewer
    """
    from radar.access.people import add_person

    engine = open_engine()[1]
    named = add_person(engine, terminal(), name, role, _password(password_stdin))
    console.print(f"{named} may log in as {role}: {role} is scope {ROLES[role]}.", markup=False)


@users.command("list")
def list_users() -> None:
    """List who may log in."""
    from radar.store import members
    from radar.store.engine import reading

    with reading(open_engine()[1]) as session:
        found = members.all_members(session)
    if not found:
        console.print("There is no user yet. Example: radar users add ann --role viewer")
        return
    lines = [(one.name, one.role, _day(one.created_at), _at(one.seen_at)) for one in found]
    _table(("name", "role", "added", "last log-in"), lines)


@users.command("remove")
def remove(name: User) -> None:
    """Remove somebody; their sessions end at once.

    Example: radar users remove ann
    """
    from radar.access.people import remove_person

    named = remove_person(open_engine()[1], terminal(), name)
    console.print(f"{named} may log in no longer.", markup=False)


@users.command("password")
def password(name: User, password_stdin: Stdin = False) -> None:
    """Give somebody another password; their sessions end, and a lockout with them.

    Example: radar users password ann
    """
    from radar.access.people import change_password, person
    from radar.store.engine import reading

    engine = open_engine()[1]
    with reading(engine) as session:
        person(session, name)
    named = change_password(engine, terminal(), name, _password(password_stdin))
    console.print(f"{named} has another password.", markup=False)


def _password(from_stdin: bool) -> str:
    """A password, asked for twice on a terminal. Raises CallerError where there is nobody to ask."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CallerError("There is nobody to ask for a password.", "Send it: ... --password-stdin < FILE")
    found: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return found


def _table(columns: tuple[str, ...], lines: list[tuple[Any, ...]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None)
    for column in columns:
        table.add_column(column)
    for line in lines:
        table.add_row(*(escape(str(cell)) for cell in line))
    console.print(table)


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at else "never"

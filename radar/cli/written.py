"""A command that wrote something is written down itself, whichever it is: by its name, its words may name people."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from radar.cli import app as shared

if TYPE_CHECKING:
    from radar.actors import Actor

APART = {"demo", "keys", "mcp", "schedule", "serve", "users"}
"""Commands that say themselves what they wrote (keys, users), or whose work the list of runs holds."""
NAMED = {"promote", "run", "sources"}
"""Commands whose next word is a name of the radar's own, and no person's."""
_called: list[str] = []


def begin(name: str, command: Any, rest: list[str]) -> None:
    """Note which command is called: its name, and in a group the name of the one in it."""
    words = [word for word in rest[:2] if not word.startswith("-")]
    inner = words.pop(0) if words and words[0] in getattr(command, "commands", {}) else ""
    _called[:] = [name, inner, words[0] if name in NAMED and words else ""]


@contextmanager
def down() -> Iterator[None]:
    """Write down that the command of this call was done, or failed, if it wrote anything."""
    outcome = "failed"
    try:
        yield
        outcome = "done"
    except SystemExit as ended:
        outcome = "failed" if ended.code else "done"
        raise
    finally:
        _keep(outcome)


def _keep(outcome: str) -> None:
    name, inner, target = _called if len(_called) == 3 else ("", "", "")
    if not name or name in APART or not shared.written_to:
        return
    import sqlalchemy as sa

    from radar.store.audit import record
    from radar.store.engine import writing

    with suppress(sa.exc.SQLAlchemyError), writing(shared.written_to[0]) as session, session.begin():
        record(session, terminal(), f"radar {name} {inner}".strip(), target, outcome=outcome)


def terminal() -> "Actor":
    """Whoever sits at the terminal, by the name the machine knows."""
    import getpass

    from radar.actors import Actor

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = ""
    return Actor("terminal", name, "admin", datetime.now(UTC))

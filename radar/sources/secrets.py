"""Secrets of sources: named in a configuration, read from environment or a private file when needed, never stored."""

import os
import stat
from pathlib import Path
from typing import Any

from radar.errors import CallerError


def reference(env: str | None, file: Path | None) -> dict[str, str] | None:
    """How a configuration names a secret: a variable of the environment, or a file. Raises CallerError for both."""
    if env and file:
        raise CallerError("A secret is in a variable or in a file, not in both.", "Leave one of them out.")
    if env:
        return {"env": env}
    return {"file": str(file.absolute())} if file else None


def read_secret(named: dict[str, Any] | None) -> str | None:
    """The secret that a configuration names; None where it names none.

    Raises CallerError where it is not there, or is in a file that others can read. No message ever holds a secret.
    """
    if not named:
        return None
    if "env" in named:
        found = os.environ.get(named["env"], "").strip()
        if not found:
            raise CallerError(f"The variable {named['env']} is empty.", "Set it where radar runs.")
        return found
    path = Path(named["file"])
    try:
        mode = path.stat().st_mode
        found = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CallerError(f"Cannot read the secret in {path}: {why}.", "Name another file.") from None
    if stat.S_IMODE(mode) & 0o077:
        raise CallerError(f"Others can read the secret in {path}.", f"chmod 600 {path}")
    if not found:
        raise CallerError(f"There is no secret in {path}: it is empty.", "Write it there.")
    return found

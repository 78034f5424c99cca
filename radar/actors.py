"""Who asks, and what that one may do: a key of a system, a person who logged in, or somebody at this machine.

A scope holds what is below it: `admin` may write, `write` may read. A person's role is a scope by another name.
"""

from dataclasses import dataclass, field
from datetime import datetime

SCOPES = ("read", "write", "admin")
ROLES = {"viewer": "read", "editor": "write", "admin": "admin"}
"""The scope of each role."""


def covers(held: str | None, needed: str | None) -> bool:
    """Whether a scope holds another; None needs nothing, and holds nothing.

    >>> covers("admin", "write"), covers("read", "write"), covers(None, "read"), covers(None, None)
    (True, False, False, True)
    """
    if needed is None:
        return True
    return held is not None and SCOPES.index(held) >= SCOPES.index(needed)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks.

    kind        key, user, loopback (at this machine, unasked), terminal, signed (a signed push), or nobody
    name        the key's or the person's name; of the machine's account for a terminal
    scope       what it may do; None for nobody
    at          when it asked
    id          of the key or the person, as the store numbers them
    session     hash of the session's cookie, for a person
    request_id  of the request, empty on a terminal
    noted       what was written into the audit log on its behalf so far
    """

    kind: str
    name: str
    scope: str | None
    at: datetime
    id: int | None = None
    session: str = ""
    request_id: str = ""
    noted: list[str] = field(default_factory=list, compare=False, repr=False)

    def may(self, needed: str | None) -> bool:
        """Whether its scope holds the one needed."""
        return covers(self.scope, needed)

"""What can go wrong for a user: facts as attributes, an HTTP status, and what to do next."""

from difflib import get_close_matches


class RadarError(Exception):
    """Base of everything a user can meet; never shown as a traceback.

    message  what is wrong, in one sentence
    hint     what to do next
    """

    status = 500
    exit_code = 1
    slug = "failure"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class CallerError(RadarError):
    """The caller's mistake: exit code 2, HTTP 4xx."""

    status = 400
    exit_code = 2
    slug = "bad-request"


class UnknownName(CallerError):
    """A market, topic, job or episode that does not exist; names the near ones."""

    status = 404
    slug = "unknown-name"

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        close = get_close_matches(name, known, n=3, cutoff=0.5)
        self.kind, self.name, self.near = kind, name, close or known[:8]
        some = ", ".join([*known[:8], "…"] if len(known) > 8 else known)
        hint = f"Did you mean: {', '.join(close)}?" if close else f"There are: {some}."
        super().__init__(f"There is no {kind} '{name}'.", hint if known else "")


class Gone(CallerError):
    """A moment of the past of which no list is kept any more; says what there is."""

    status = 410
    slug = "gone"


class UnreadableInput(CallerError):
    """A file or a payload that cannot be read at all."""

    slug = "unreadable-input"


class StoreError(RadarError):
    """The database is out of reach, or holds something else than expected."""

    slug = "store"


class MixedWorlds(CallerError):
    """Simulated and real posts never share a store."""

    status = 409
    slug = "mixed-worlds"


class NotEnoughHistory(RadarError):
    """Too little data to say anything."""

    status = 200
    slug = "not-enough-history"

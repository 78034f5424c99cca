"""What can go wrong with a source, sorted by what is to be done about it."""

from datetime import datetime

from radar.errors import RadarError


class Trouble(RadarError):
    """A source did not give what it was asked for; its cursor stays and it is asked again at the next run."""

    status = 502
    slug = "source-trouble"
    detail = ""
    """What the server said of it, cut short."""


class Unreachable(Trouble):
    """No answer, a broken one, or the server's own failure: asked again at once, a few times."""


class Busy(Trouble):
    """The platform says that we ask too much, and when to come back.

    resume_at  not to be asked before; None where the platform did not say
    """

    def __init__(self, message: str, resume_at: datetime | None = None) -> None:
        super().__init__(message)
        self.resume_at = resume_at


class Refused(Trouble):
    """401, 403: not asked again until an operator has seen to it."""


class OptedOut(Refused):
    """An account asks not to be read, which says nothing of any other account."""


class NotFound(Trouble):
    """The account, post or feed is not there; that may be a passing state."""


class Malformed(Trouble):
    """An answer that is not what was asked for. payload is kept, bounded, for whoever looks into it."""

    def __init__(self, message: str, payload: bytes | str = "") -> None:
        super().__init__(message)
        text = payload if isinstance(payload, str) else payload[:8_000].decode("utf-8", "backslashreplace")
        self.payload = text[:8_000]


class Unsafe(Trouble):
    """An answer that must not be followed or read: a redirect into a private network, a body without end."""

"""How log lines look: text for people or one JSON object a line, secrets left out of both."""

import json
import logging
import re
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request at hand; empty outside of one."""

_HIDDEN = "***"
_SECRETS = (
    (("://",), re.compile(r"(://[^\s:/@]*:)[^\s@]+(?=@)"), rf"\1{_HIDDEN}"),
    (("=",), re.compile(r"(?i)\b((?:[a-z]+_)?(?:token|secret|password|key|signature)=)[^&\s'\"]+"), rf"\1{_HIDDEN}"),
    (("bearer", "basic"), re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{6,}"), rf"\1{_HIDDEN}"),
    (("radar_",), re.compile(r"\b(radar_)[\w-]{43}(?![\w-])"), rf"\1{_HIDDEN}"),
    (("whsec_",), re.compile(r"\b(whsec_)[\w+/=-]+"), rf"\1{_HIDDEN}"),
)
"""What must stand in a text, in small letters, for a pattern to be looked for: most lines hold none of it."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """A text in which passwords of URLs, tokens, keys and the secrets given are hidden.

    >>> without_secrets("GET https://api.example/v3?part=id&key=AIza99 at postgresql://ann:pw@db/radar")
    'GET https://api.example/v3?part=id&key=*** at postgresql://ann:***@db/radar'
    """
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    small = text.lower()
    for signs, pattern, shown in _SECRETS:
        if any(sign in small for sign in signs):
            text = pattern.sub(shown, text)
    return text


def one_line(text: str) -> str:
    r"""A text whose line breaks and other control characters are written out: nobody forges a line.

    >>> one_line("/a\nERROR all is lost")
    '/a\\nERROR all is lost'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Formatter(logging.Formatter):
    """What both forms share. Facts of a line come as `extra={"facts": {...}}`."""

    default_time_format = "%Y-%m-%d %H:%M:%S"

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = [secret for secret in secrets if len(secret) > 3]


class TextLines(_Formatter):
    """Lines for people; a failure's traceback follows its line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record), self._secrets)


class JsonLines(_Formatter):
    """One JSON object a line: time, level, logger, message, request_id, what the line knows, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            said["request_id"] = request_id.get()
        said |= getattr(record, "facts", {})
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        hidden = {
            name: without_secrets(value, self._secrets) if isinstance(value, str) else value
            for name, value in said.items()
        }
        return json.dumps(hidden, ensure_ascii=False, default=str)

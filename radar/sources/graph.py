"""What Meta's Graph interface means by its errors, which come under one status and tell themselves apart by a code."""

import json
import re
from datetime import datetime, timedelta

from radar.sources.trouble import Busy, NotFound, Refused, Trouble, Unreachable

_TOO_MUCH = frozenset({4, 17, 32, 613, *range(80_000, 80_015)})
_NO_ACCESS = frozenset({3, 10, 102, 190, 463, 467, *range(200, 300)})
_NOT_THERE = frozenset({24, 110, 803})
_PASSING = frozenset({1, 2})
_CODE = re.compile(r'"(code|error_subcode)"\s*:\s*(\d{1,9})')
_ABSENT = frozenset({2207013, 2207024})
"""Subcodes: there is no such account, or it is none that can be read (a personal one, or one for adults)."""


def meant(error: Trouble, now: datetime) -> Trouble:
    """The error with what is to be done about it."""
    said = {name: int(number) for name, number in reversed(_CODE.findall(error.detail))}
    code, subcode = said.get("code"), said.get("error_subcode")
    if code is None:
        return error
    told = f"{error.message.rstrip('.')}: {_message(error.detail)} (code {code})."
    if code in _TOO_MUCH:
        return Busy(told, getattr(error, "resume_at", None) or now + timedelta(minutes=30))
    if code in _NOT_THERE or subcode in _ABSENT:
        return NotFound(told)
    if code in _NO_ACCESS or "permission" in error.detail:
        return Refused(told)
    if code in _PASSING:
        return Unreachable(told)
    changed = type(error)(told)
    changed.detail = error.detail
    return changed


def _message(detail: str) -> str:
    try:
        return str(json.loads(detail)["error"]["message"])[:300]
    except (ValueError, KeyError, TypeError, RecursionError):
        return " ".join(detail.split())[:200]

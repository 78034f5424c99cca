"""What each address needs of whoever asks: one table, so that a route added later is covered without a word of its own.

Reading needs `read` and everything else `write`, but for what is listed here; the first line that fits counts.
"""

import re
from functools import lru_cache
from typing import NamedTuple

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


class Rule(NamedTuple):
    """Methods (none for all) and paths that need something else. scope: None needs nothing."""

    methods: tuple[str, ...]
    path: re.Pattern[str]
    scope: str | None


def _rule(methods: str, path: str, scope: str | None) -> Rule:
    return Rule(tuple(methods.split()), re.compile(path, re.DOTALL), scope)


RULES = (
    _rule("", r"(/v1)?/health(/.*)?", None),
    _rule("", r"/v1/hubs/[^/]+", None),  # a hub proves itself by its signature
    _rule("GET HEAD", r"/feeds/alerts/[^/]+\.atom", None),  # its address holds a token
    _rule("", r"/(static|assets|problems)(/.*)?", None),
    _rule("", r"/(log-in|log-out|language)", None),
    _rule("", r"(/v1)?/(keys|users|audit|settings)([./].*)?", "admin"),
    _rule("PATCH DELETE", r"/v1/authors/[^/]+", "admin"),  # rights of the listed
    _rule("POST", r"/v1/partners|/mcp", "read"),  # questions too long for an address
    _rule("POST", r"/account(/.*)?", "read"),  # one's own sessions and password
)
UNCOUNTED = re.compile(r"(/v1)?/health(/.*)?|/v1/hubs/[^/]+|/(static|assets)/.*", re.DOTALL)
"""What may be asked as often as one likes."""


@lru_cache(4096)
def is_counted(path: str) -> bool:
    """Whether asking for that counts against a limit."""
    return not UNCOUNTED.fullmatch(path)


@lru_cache(4096)
def scope_needed(method: str, path: str) -> str | None:
    """The scope that a request needs; None where anybody may ask.

    >>> scope_needed("GET", "/v1/topics"), scope_needed("POST", "/v1/posts"), scope_needed("POST", "/v1/partners")
    ('read', 'write', 'read')
    >>> scope_needed("GET", "/v1/audit"), scope_needed("DELETE", "/v1/authors/7"), scope_needed("GET", "/health/live")
    ('admin', 'admin', None)
    """
    for rule in RULES:
        if (not rule.methods or method in rule.methods) and rule.path.fullmatch(path):
            return rule.scope
    return "read" if method in SAFE else "write"

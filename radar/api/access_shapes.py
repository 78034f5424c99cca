"""Shapes of the audit log, and an example of it."""

from datetime import datetime
from typing import Any

from pydantic import Field

from radar.api.shapes import Shape


class By(Shape):
    kind: str = Field(description="key, user, loopback, terminal, signed (a signed push) or nobody.")
    name: str = Field(description="The key's or the user's name; empty for loopback.")


class AuditEntry(Shape):
    id: str
    at: datetime
    by: By
    action: str = Field(description="Method and route, command, or what was done.")
    target: str = Field(description="To what; authors by their number.")
    outcome: str = Field(description="done, refused or failed.")
    detail: dict[str, Any] = Field(description="What else is known of it.")
    request_id: str | None = Field(description="The request's `X-Request-Id`.")


class AuditPage(Shape):
    items: list[AuditEntry]
    next: str | None = Field(description="Cursor of the page after.")


class SettingLine(Shape):
    variable: str = Field(description="The environment variable it is read from at start.")
    value: str | None = Field(description="As text; null for none, and for every secret.")
    is_given: bool = Field(description="Whether somebody set it, or it is the default.")
    is_secret: bool
    description: str


class SettingList(Shape):
    items: list[SettingLine]
    next: None


_ENTRY: dict[str, Any] = {
    "id": "121", "at": "2026-11-22T14:00:00Z", "by": {"kind": "key", "name": "shop"}, "action": "POST /v1/posts",
    "target": "/v1/posts", "outcome": "done", "detail": {"status": 200},
    "request_id": "0c7b9a64b2f94b6f9c1d8e0a7f3a42de",
}  # fmt: skip
_SETTING: dict[str, Any] = {
    "variable": "RADAR_PORT", "value": "8321", "is_given": False, "is_secret": False, "description": "port to serve at",
}  # fmt: skip
ANSWERS: dict[str, dict[str, Any]] = {"AuditPage": {"items": [_ENTRY], "next": "WzEyMV0"}, "AuditEntry": _ENTRY} | {
    "SettingList": {"items": [_SETTING], "next": None}, "SettingLine": _SETTING,
}  # fmt: skip

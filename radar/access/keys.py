"""Keys of systems: made, listed, revoked, and looked up at each request."""

import re
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.access import SEEN_EVERY, digest_of, new_token
from radar.actors import SCOPES, Actor
from radar.errors import CallerError, UnknownName
from radar.store import api_keys
from radar.store.audit import record
from radar.store.engine import writing

PREFIX = "radar_"
"""Every token begins so, so that one that lies around is known for what it is."""
_SPAN = re.compile(r"([1-9][0-9]{0,4})([hdwy])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}


class KeyNotValid(CallerError):
    """A token that is none of ours, or no longer."""

    status = 401
    slug = "key-not-valid"


def expiry(said: str, now: datetime) -> datetime | None:
    """When a key ends that holds for so long: `90d`, `12h`, `2w`, `1y`; None for `never`. Raises CallerError.

    >>> from datetime import UTC
    >>> str(expiry("2w", datetime(2026, 11, 1, tzinfo=UTC)))[:10]
    '2026-11-15'
    """
    if said == "never":
        return None
    found = _SPAN.fullmatch(said)
    if not found or (span := int(found[1]) * _UNITS[found[2]]) > timedelta(days=36_500):
        raise CallerError(f"'{said[:40]}' is no span of time.", "As 90d, 12h, 2w or 1y; or never.")
    return now + span


def create_key(engine: sa.Engine, by: Actor, scope: str, expires: str, name: str | None = None) -> tuple[str, str]:
    """Make a key; its name, and its token, which is told this once. Raises CallerError for what makes none."""
    if scope not in SCOPES:
        raise UnknownName("scope", scope, list(SCOPES))
    expires_at, token = expiry(expires, by.at), new_token(PREFIX)
    if name is not None and (not 0 < len(name) <= 64 or not name.isprintable() or name != name.strip()):
        raise CallerError("A key's name has 1 to 64 characters.", "As: --name shop")
    with writing(engine) as session, session.begin():
        live = {key.name for key in api_keys.all_keys(session) if state_of(key, by.at) == "holds"}
        if name in live:
            raise CallerError(f"There is a key '{name}' already.", f"Choose another name, or: radar keys revoke {name}")
        named = name or next(new for n in range(1, len(live) + 2) if (new := f"{scope}-{n}") not in live)
        api_keys.add_key(session, named, digest_of(token), scope, now=by.at, expires_at=expires_at)
        record(session, by, "create key", named, {"scope": scope, "expires": expires})
    return named, token


def revoke_key(engine: sa.Engine, by: Actor, which: str) -> str:
    """End a key at once, by its name or number; its name. Raises UnknownName."""
    with writing(engine) as session, session.begin():
        keys = [key for key in api_keys.all_keys(session) if state_of(key, by.at) != "revoked"]
        found = next((key for key in keys if which in (key.name, str(key.id))), None)
        if found is None:
            raise UnknownName("key", which[:64], [key.name for key in keys])
        api_keys.revoke(session, found.id, by.at)
        record(session, by, "revoke key", found.name)
    return str(found.name)


def state_of(key: Any, now: datetime) -> str:
    """How a key stands: holds, expired or revoked."""
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "holds"


def actor_by_token(session: Session, token: str, now: datetime, request_id: str) -> tuple[Actor, bool]:
    """Who asks with that token, and whether its use is to be written. Raises KeyNotValid, which never repeats it."""
    key = api_keys.key_of_digest(session, digest_of(token))
    if key is None:
        raise KeyNotValid("This key is not known here.", "Copy it whole, or make one: radar keys create --scope read")
    state = state_of(key, now)
    if state != "holds":
        hint = f"Make another one: radar keys create --scope {key.scope}"
        raise KeyNotValid(f"This key is {state}.", hint)
    is_stale = key.used_at is None or key.used_at <= now - SEEN_EVERY
    return Actor("key", key.name, key.scope, now, key.id, request_id=request_id), is_stale

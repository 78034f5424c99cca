"""People who log in: added, listed and removed on the terminal; let in by their password, or kept waiting.

**Lockout.** Each attempt counts before its password is looked at, so that many at once gain nothing: under the name and
under the address it came from. Past the free attempts each failure locks for twice as long as the one before; a success
begins anew. What is locked is a hash: a name that nobody has is locked like any other, and is not kept in clear.
"""

import threading
import unicodedata
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from radar.access import SEEN_EVERY, digest_of, new_token
from radar.actors import ROLES, Actor
from radar.errors import CallerError, UnknownName
from radar.store import members
from radar.store.audit import record
from radar.store.engine import one_writer, reading, writing

SHORTEST, LONGEST = 10, 256
FREE = {"name": 5, "address": 20}
"""Failures before the first lock."""
FIRST_LOCK, LONGEST_LOCK = timedelta(seconds=30), timedelta(hours=2)
FORGOTTEN = timedelta(days=1)
"""After so long without another, failures are forgotten."""
_hasher = PasswordHasher()
_few, PATIENCE = threading.BoundedSemaphore(2), 3.0
"""A password takes 64 MB and a core to try: strangers shall not fill the machine with them, nor with those who wait."""


class NotLetIn(CallerError):
    """A name and a password that do not belong together."""

    status = 401
    slug = "log-in-failed"


class BadPassword(CallerError):
    """A password that is not to be had."""


class LockedOut(CallerError):
    """Too many log-ins failed. until: when another one is heard."""

    status = 429
    slug = "locked-out"

    def __init__(self, until: datetime, now: datetime) -> None:
        self.until, self.seconds = until, max(1, round((until - now).total_seconds()))
        super().__init__("Too many log-ins failed under this name or from this address.", "Wait, then try again.")


def canonical(name: str) -> str:
    """A person's name as it is kept: how it is written makes no difference.

    >>> canonical(" Ann ") == canonical("ann")
    True
    """
    return unicodedata.normalize("NFKC", name).strip().casefold()


def add_person(engine: sa.Engine, by: Actor, name: str, role: str, password: str) -> str:
    """Add somebody who may log in; the name as kept. Raises CallerError for a name, role or password that is none."""
    named = canonical(name)
    if not 0 < len(named) <= 64 or not named.isprintable():
        raise CallerError("A user's name has 1 to 64 characters.", "As: radar users add ann --role viewer")
    if role not in ROLES:
        raise UnknownName("role", role, list(ROLES))
    kept = hashed(password, named)
    with writing(engine) as session, session.begin():
        if members.member_named(session, named) is not None:
            hint = f"Another password: radar users password {named}. Another role: remove the user, and add it again."
            raise CallerError(f"There is a user '{named}' already.", hint)
        members.add_member(session, named, role, kept, by.at)
        record(session, by, "add user", named, {"role": role})
    return named


def remove_person(engine: sa.Engine, by: Actor, name: str) -> str:
    """Remove somebody; their sessions end at once. Raises UnknownName."""
    with writing(engine) as session, session.begin():
        found = person(session, name)
        members.remove_member(session, found.id)
        record(session, by, "remove user", found.name)
    return str(found.name)


def change_password(engine: sa.Engine, by: Actor, name: str, password: str) -> str:
    """Give somebody another password: their sessions end (but the one that asks), and they are no longer locked out."""
    kept = hashed(password, canonical(name))
    with writing(engine) as session, session.begin():
        found = person(session, name)
        members.set_password(session, found.id, kept)
        members.end_sessions(session, found.id, but=by.session)
        members.forget_failures(session, [_digest("name", found.name)])
        record(session, by, "change password", found.name)
    return str(found.name)


def person(session: Session, name: str) -> "sa.Row[Any]":
    """Somebody by name. Raises UnknownName."""
    found = members.member_named(session, canonical(name))
    if found is None:
        raise UnknownName("user", name[:64], [one.name for one in members.all_members(session)])
    return found


def hashed(password: str, name: str) -> str:
    """What is kept of a password. Raises BadPassword for one that is too short, too long, or the name itself."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadPassword(
            f"A password has {SHORTEST} to {LONGEST} characters.", "Several words are easy to keep in mind."
        )
    if canonical(password) == name:
        raise BadPassword("A password is not the name.", "Choose another one.")
    return _hasher.hash(password)


def verified(
    engine: sa.Engine, name: str, password: str, *, now: datetime, address: str, request_id: str = ""
) -> "sa.Row[Any]":
    """Whose name and password these are. Raises NotLetIn, LockedOut."""
    named = canonical(name)[:200]
    if not _few.acquire(timeout=PATIENCE):
        raise LockedOut(now + FIRST_LOCK, now)
    try:
        _count_attempt(engine, named, address, now)
        with reading(engine) as session:
            found = members.member_named(session, named)
        is_right = _matches(found.password if found else _nobodys(), password[: LONGEST + 1])
    finally:
        _few.release()
    if found is None or not is_right:
        _tell_failure(engine, found, now, address, request_id)
        raise NotLetIn("Name and password do not belong together.", "Mind capitals in the password, then try again.")
    with writing(engine) as session, session.begin():
        _uncount(session, named, address)
    return found


def log_in(
    engine: sa.Engine, name: str, password: str, *, now: datetime, lasts: timedelta, address: str, browser: str,
    request_id: str = "",
) -> str:  # fmt: skip
    """Let somebody in: the token of a new session. Raises NotLetIn, LockedOut."""
    found = verified(engine, name, password, now=now, address=address, request_id=request_id)
    token, anew = new_token(), _hasher.hash(password) if _hasher.check_needs_rehash(found.password) else None
    who = Actor("user", found.name, ROLES[found.role], now, found.id, request_id=request_id)
    with writing(engine) as session, session.begin():
        if anew:
            members.set_password(session, found.id, anew)
        members.add_session(
            session, digest_of(token), found.id, now=now, expires_at=now + lasts, address=address, browser=browser
        )
        record(session, who, "log in", found.name, {"address": address})
    return token


def log_out(engine: sa.Engine, by: Actor, digests: list[str] | None) -> int:
    """End sessions of whoever asks: those named, or all but the one that asks; how many."""
    if by.id is None:
        return 0
    with writing(engine) as session, session.begin():
        n = members.end_sessions(session, by.id, digests, but="" if digests else by.session)
        record(session, by, "log out", by.name, {"sessions": n})
    return n


def actor_by_session(session: Session, token: str, now: datetime, request_id: str) -> tuple[Actor, bool] | None:
    """Who asks with that cookie, and whether its use is to be written; None where the session is over."""
    digest = digest_of(token)
    found = members.session_of(session, digest, now)
    if found is None:
        return None
    actor = Actor("user", found.name, ROLES[found.role], now, found.member_id, digest, request_id)
    return actor, found.seen_at <= now - SEEN_EVERY


# ---- failures ----


def network(address: str) -> str:
    """What counts as one address: an IPv6 client has 2**64 of them to itself.

    >>> network("2001:db8:1:2:3:4:5:6"), network("192.0.2.7"), network("::ffff:192.0.2.7")
    ('2001:db8:1:2::', '192.0.2.7', '192.0.2.7')
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _digest(kind: str, what: str) -> str:
    return digest_of(f"{kind}:{what}")


def _count_attempt(engine: sa.Engine, name: str, address: str, now: datetime) -> None:
    """Count an attempt as a failure until it is none. Raises LockedOut."""
    with writing(engine) as session, session.begin():
        one_writer(session, "log in")
        for kind, what in (("name", name), ("address", network(address))):
            found = members.failures(session, _digest(kind, what))
            if found and found.locked_until and found.locked_until > now:
                raise LockedOut(found.locked_until, now)
        for kind, what in (("name", name), ("address", network(address))):
            found = members.failures(session, _digest(kind, what))
            n = 1 + (found.failed_count if found and found.failed_at > now - FORGOTTEN else 0)
            members.set_failures(session, _digest(kind, what), members.Failures(n, now, _locked_until(kind, n, now)))


def _uncount(session: Session, name: str, address: str) -> None:
    """An attempt that was none: the name begins anew, of the address's failures only this one goes."""
    members.forget_failures(session, [_digest("name", name)])
    one_writer(session, "log in")
    found = members.failures(session, _digest("address", network(address)))
    if found is not None:
        left = found._replace(failed_count=found.failed_count - 1, locked_until=None)
        members.set_failures(session, _digest("address", network(address)), left)


def _locked_until(kind: str, failed: int, now: datetime) -> datetime | None:
    """Until when nothing is heard after so many failures."""
    beyond = failed - FREE[kind]
    if beyond < 0:
        return None
    lock: timedelta = FIRST_LOCK * 2 ** min(beyond, 20)
    return now + min(LONGEST_LOCK, lock)


def _tell_failure(engine: sa.Engine, found: "sa.Row[Any] | None", now: datetime, address: str, request: str) -> None:
    """Into the audit log, where it was somebody's name: strangers shall not fill it with names of their own."""
    if found is not None:
        nobody = Actor("nobody", "", None, now, request_id=request)
        with writing(engine) as session, session.begin():
            record(session, nobody, "log in", str(found.name), {"address": address}, outcome="refused")


def _matches(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """A hash to hold the password of nobody against, so that an answer takes as long as for somebody."""
    return _hasher.hash(new_token())

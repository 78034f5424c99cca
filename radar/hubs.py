"""WebSub: feeds whose hubs tell of a new entry within seconds, where hubs can reach this radar.

A watched feed that names a hub is subscribed to; the hub asks back at an address with an unguessable id, and from then
on posts the feed there, signed with a secret of that subscription. A lease is renewed well before it ends. What is not
signed rightly is answered like the rest and passed over, as the specification wishes. Feeds are asked as ever beside
it: a hub that falls silent costs time and no post. Source: W3C WebSub, sections 5 and 7.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from radar.collect import take_pushed
from radar.errors import RadarError
from radar.ingest import Ingested
from radar.sources.base import Account, Fault, RawPost
from radar.sources.feed import FeedSource, hub_of
from radar.sources.web import Web
from radar.store import hubs, runs, watching
from radar.store.engine import reading, writing
from radar.store.hubs import Subscription

LEASE = timedelta(days=10)
"""What is asked for; the hub decides."""
RENEW = timedelta(days=2)
"""A lease is renewed when it has less than this to go, or less than half."""
ANSWERS_WITHIN = timedelta(minutes=30)
"""A hub that has not asked back by then is asked again."""
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=90)
_METHODS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


def hub_key(data_dir: Path) -> bytes:
    """What the secrets of subscriptions are made from: a private file in the data folder, written once."""
    path = data_dir / "hub.key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text().encode()


def secret_of(key: bytes, id: str) -> str:
    """The secret that a hub signs a subscription's posts with; it is stored nowhere."""
    return hmac.new(key, id.encode(), hashlib.sha256).hexdigest()


def subscribe(engine: sa.Engine, *, public_url: str, key: bytes, now: datetime, web: Web) -> tuple[int, int]:
    """Ask hubs for what is watched and not subscribed to, or not for long any more; how many, and how many refused."""
    with reading(engine) as session:
        kinds = {state.name: state for state in runs.source_states(session) if state.kind == "feed"}
        watched = [a for a in watching.watched_accounts(session) if a.source in kinds and not a.pause_reason]
        held = {(s.source, s.handle): s for s in hubs.subscriptions(session)}
    wanted = {(a.source, a.handle): found for a in watched if (found := hub_of(a.handle, a.cursor or {}))}
    with writing(engine) as session, session.begin():
        hubs.drop_subscriptions(session, [s.id for name, s in held.items() if name not in wanted])
    asked = failed = 0
    for (source, handle), (hub, topic) in wanted.items():
        before = held.get((source, handle))
        if before is not None and (before.hub, before.topic) == (hub, topic) and not _is_due(before, now):
            continue
        renewed = before is not None and (before.hub, before.topic) == (hub, topic)
        id = before.id if before is not None and renewed else secrets.token_urlsafe(24)
        with writing(engine) as session, session.begin():
            if renewed:
                hubs.note_subscription(session, id, asked_at=now, last_error=None)
            else:
                row = {"id": id, "source": source, "handle": handle, "topic": topic, "hub": hub, "asked_at": now}
                hubs.put_subscription(session, row)
        asked += 1
        form = {
            "hub.mode": "subscribe", "hub.topic": topic, "hub.callback": f"{public_url.rstrip('/')}/v1/hubs/{id}",
            "hub.secret": secret_of(key, id), "hub.lease_seconds": str(int(LEASE.total_seconds())),
        }  # fmt: skip
        try:
            web.post(hub, form=form, home=handle)
        except RadarError as error:
            failed += 1
            with writing(engine) as session, session.begin():
                hubs.note_subscription(session, id, last_error=error.message[:2_000])
    return asked, failed


def _is_due(one: Subscription, now: datetime) -> bool:
    if one.asked_at is not None and now - one.asked_at < ANSWERS_WITHIN:
        return False
    if one.expires_at is None or one.confirmed_at is None:
        return True
    return one.expires_at - now < min(RENEW, (one.expires_at - one.confirmed_at) / 2)


def confirm(engine: sa.Engine, id: str, said: Mapping[str, str], now: datetime) -> str | None:
    """The challenge to answer a hub with that asks back; None where we want nothing of the kind."""
    with writing(engine) as session, session.begin():
        one = hubs.subscription(session, id)
        if said.get("hub.mode") == "denied" and one is not None:
            reason = said.get("hub.reason", "no reason given").replace("\x00", "")[:500]
            hubs.note_subscription(session, id, last_error=f"denied by the hub: {reason}", expires_at=None)
            return ""
        challenge, topic = said.get("hub.challenge"), said.get("hub.topic")
        if said.get("hub.mode") == "unsubscribe":  # we never ask for that: right where we know nothing of it
            return challenge if one is None else None
        if said.get("hub.mode") != "subscribe" or one is None or topic != one.topic or not challenge:
            return None
        seconds = said.get("hub.lease_seconds", "")
        is_number = seconds.isascii() and seconds.isdigit() and len(seconds) < 10
        lease = timedelta(seconds=int(seconds)) if is_number else LEASE
        until = now + min(max(lease, SHORTEST), LONGEST)
        hubs.note_subscription(session, id, confirmed_at=now, expires_at=until, last_error=None)
        return challenge


def receive(
    engine: sa.Engine, id: str, body: bytes, *, content_type: str, signature: str, key: bytes, now: datetime
) -> Ingested | None:
    """Take what a hub posts. None where there is no such subscription; nothing is taken of what is signed wrongly."""
    with reading(engine) as session:
        one = hubs.subscription(session, id)
        if one is None:
            return None
        states = {s.name: s for s in runs.source_states(session)}
        accounts = [a for a in watching.watched_accounts(session, one.source) if a.handle == one.handle]
    if one.source not in states or not accounts:
        return None
    if not is_signed(body, signature, secret_of(key, id)):
        with writing(engine) as session, session.begin():
            hubs.note_subscription(session, id, last_error="a post that was not signed rightly, passed over")
        return Ingested()
    about, state = accounts[0], states[one.source]
    with Web() as web:
        source = FeedSource(state.name, state.config, web)
        account = Account(about.handle, about.audience_market, about.person, about.consented)

        def read() -> tuple[list[RawPost], list[Fault]]:
            return source.pushed(body, content_type, account)

        return take_pushed(engine, source, account, read, now)


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether X-Hub-Signature is that of a body.

    >>> is_signed(b"x", "sha256=" + hmac.new(b"s", b"x", "sha256").hexdigest(), "s"), is_signed(b"x", "sha256=00", "s")
    (True, False)
    """
    method, _, given = signature.partition("=")
    if method not in _METHODS or not given.isascii():
        return False
    return hmac.compare_digest(hmac.new(secret.encode(), body, _METHODS[method]).hexdigest(), given.strip().lower())

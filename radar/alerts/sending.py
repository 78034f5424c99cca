"""Sending: each due delivery is claimed, tried and settled, so that a kill at any instruction loses none.

A claim is a promise with an end. Who is killed after the claim leaves it to whoever comes after that end, under the
same id: a receiver that was reached in the last instant knows the message again by it. Targets are tried side by side,
the messages of one in their order; one that fails is left in peace until the next run.
"""

import logging
import random
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from radar.alerts import mail, webhook
from radar.alerts.messages import Message, example
from radar.alerts.outcomes import Outcome, next_turn
from radar.config import Settings
from radar.errors import CallerError
from radar.store import alert_rules, alerts
from radar.store.alert_rules import Rule, Target
from radar.store.alerts import Delivery, Event
from radar.store.engine import reading, writing

log = logging.getLogger("radar")

CLAIM = timedelta(minutes=2)
"""A claimed delivery may be taken over after this."""
AT_ONCE = 8
"""Targets that are tried side by side."""
BUDGET = 60.0
"""Seconds after which a run begins no attempt more: other jobs wait for it."""
MOST = 500
"""Deliveries of a run."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words: for mail whole, for a webhook subject, text and link."""

    mail: mail.Written
    url: str


class Writer(Protocol):
    """Puts a message into words: faces know languages, and where pages are."""

    def __call__(self, message: Message, language: str, rule: str, *, is_test: bool) -> Letter: ...


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Sender:
    """Delivers messages, as settings say, in the words of a writer."""

    def __init__(self, settings: Settings, write: Writer, clock: Callable[[], datetime] = utc_now) -> None:
        self._settings, self._write, self.clock = settings, write, clock

    def send(
        self, kind: str, address: str, secret: str, id: str, message: Message, language: str, rule: str,
        *, is_test: bool = False,
    ) -> Outcome:  # fmt: skip
        """Deliver one message to one target, once."""
        letter, now = self._write(message, language, rule, is_test=is_test), self.clock()
        if kind == "email":
            try:
                sender = mail.checked_sender(self._settings.mail_from)
            except CallerError as error:
                return Outcome(False, str(error))
            return mail.send(mail.message_of(letter.mail, sender, address, id, now), self._settings.smtp_url)
        data = data_of(message, letter, rule, is_test=is_test)
        at = datetime.fromisoformat(message["since"])
        body = webhook.body_of("alert.test" if is_test else "trend.stage_changed", at, data)
        allow = self._settings.allow_private_targets
        return webhook.post(address, secret, id, body, now=now, allow_private=allow)


def data_of(message: Message, letter: Letter, rule: str, *, is_test: bool) -> dict[str, Any]:
    """What systems are told: the figures, and the words that a person gets."""
    said = {"subject": letter.mail.subject, "text": letter.mail.text, "language": letter.mail.language}
    return {"rule": rule, "test": is_test, "url": letter.url, **said, "trend": message}


# ---- what is due ----


def send_due(engine: sa.Engine, sender: Sender, *, seed: int | None = None) -> dict[str, int]:
    """Try what is due; how many were sent, failed (and are tried again), and given up."""
    with reading(engine) as session:
        due = alerts.due(session, sender.clock(), limit=MOST)
        events = {i: alerts.event(session, i) for i in sorted({one.event_id for one in due})}
        secrets_ = {t.id: t.secret or "" for some in alert_rules.targets(session).values() for t in some}
    by_target: dict[int, list[Delivery]] = {}
    for one in due:
        by_target.setdefault(one.target_id, []).append(one)
    until, done = time.monotonic() + BUDGET, {"sent": 0, "pending": 0, "dead": 0}

    def serve(some: Sequence[Delivery]) -> list[str]:
        ended: list[str] = []
        for one in some:
            about = events[one.event_id]
            if time.monotonic() > until or about is None or "pending" in ended or "dead" in ended:
                break
            state = _try(engine, sender, one, about, secrets_.get(one.target_id, ""), random.Random(seed))
            ended += [state] if state else []
        return ended

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alerts") as pool:
        for ended in pool.map(serve, by_target.values()):
            for state in ended:
                done[state] += 1
    return done


def _try(
    engine: sa.Engine, sender: Sender, one: Delivery, about: Event, secret: str, chance: random.Random
) -> str | None:
    """Claim, try and settle one delivery: its new state; None where somebody else has it."""
    now = sender.clock()
    with writing(engine) as session, session.begin():
        if not alerts.claim(session, one, now, now + CLAIM):
            return None
    try:
        outcome = sender.send(one.kind, one.address or "", secret, one.id, about.message, about.language, about.rule)
    except Exception as error:  # what nobody foresaw is a failed attempt too: else it would be claimed for ever
        log.exception("alert %s", one.id)
        outcome = Outcome(False, f"It could not be sent: {type(error).__name__}.")
    ended = sender.clock()
    if outcome.ok:
        state, turn_at = "sent", ended
    else:
        again = next_turn(outcome, one.attempts + 1, one.first_at or now, ended, chance)
        state, turn_at = ("dead", ended) if again is None else ("pending", again)
    why = None if outcome.ok else outcome.said
    with writing(engine) as session, session.begin():
        alerts.settle(session, one.id, state=state, turn_at=turn_at, status=outcome.status, error=why)
    return state


# ---- trying a rule ----


def send_test(engine: sa.Engine, sender: Sender, rule: Rule) -> list[tuple[Target, Outcome]]:
    """Send a marked message to each target of a rule now, and say what came back; nothing of it is kept."""
    with reading(engine) as session:
        targets = alert_rules.targets_of(session, rule.id)
        newest = alerts.events(session, rule_id=rule.id, limit=1)
    message = newest[0].message if newest else example(sender.clock(), rule.filters.get("market") or "TW")
    came = []
    for target in targets:
        if target.kind == "feed":
            came.append((target, Outcome(True, "a feed is read, nothing is sent to it")))
            continue
        id = f"test_{secrets.token_hex(12)}"
        outcome = sender.send(
            target.kind, target.address or "", target.secret or "", id, message, rule.language, rule.name, is_test=True
        )
        came.append((target, outcome))
    return came


def tidy(engine: sa.Engine, days: int, *, now: datetime) -> int:
    """Forget what was told so many days ago, a part at a time; how many messages."""
    with writing(engine) as session, session.begin():
        return alerts.prune(session, now - timedelta(days=days), limit=MOST)

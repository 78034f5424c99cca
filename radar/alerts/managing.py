"""Making, changing and removing rules and their targets."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.alerts.addresses import checked_mail, checked_url
from radar.alerts.mail import Server, checked_sender
from radar.alerts.rules import Wanted, checked, checked_language, checked_name
from radar.config import Settings
from radar.errors import CallerError, UnknownName
from radar.signatures import new_secret
from radar.store import alert_rules, authors
from radar.store.alert_rules import MOST_RULES, MOST_TARGETS, Rule
from radar.store.engine import writing

KINDS = ("webhook", "email", "feed")
_DAY = timedelta(days=1)


class NameTaken(CallerError):
    """A rule of that name is there already."""

    status = 409
    slug = "name-taken"


@dataclass(frozen=True, slots=True)
class NewTarget:
    """Where messages are to go. address: a URL, a mail address, or empty for a feed."""

    kind: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A rule as it was made or changed; secrets of its new targets by id, which are shown this once."""

    rule: Rule
    secrets: dict[int, str]


def find_rule(session: Session, named: str) -> Rule:
    """The rule of a name or id. Raises UnknownName that names the near ones."""
    found = alert_rules.rule(session, named.strip())
    if found is None:
        raise UnknownName("alert rule", named[:60], [rule.name for rule in alert_rules.rules(session)])
    return found


def make_rule(
    engine: sa.Engine, settings: Settings, name: str, wanted: Wanted, *, now: datetime, language: str = "en",
    targets: Sequence[NewTarget] = (), active: bool = True,
) -> Made:  # fmt: skip
    """Store a rule: it tells of what changes its stage from now on. Raises CallerError."""
    row = {
        "name": checked_name(name), "filters": checked(wanted).stored(), "language": checked_language(language),
        "is_active": active, "created_at": now,
    }  # fmt: skip
    ready = [checked_target(settings, target) for target in targets]
    with writing(engine) as session, session.begin():
        _check_list(session, wanted)
        if len(alert_rules.rules(session)) >= MOST_RULES:
            raise CallerError(f"There are {MOST_RULES} rules already.", "Remove one that nobody needs.")
        _check_free(session, str(row["name"]))
        begins = _begins(session, now)
        rule_id = alert_rules.add_rule(session, row | {"begins_at": begins, "read_upto": begins})
        told = dict(_add(session, rule_id, target, now) for target in _at_most(ready))
        return Made(find_rule(session, str(row["name"])), {i: secret for i, secret in told.items() if secret})


def change_rule(
    engine: sa.Engine, rule: Rule, *, now: datetime, name: str | None = None, wanted: Wanted | None = None,
    language: str | None = None, active: bool | None = None,
) -> Rule:  # fmt: skip
    """Change what is given; with other filters, or when it is switched on again, a rule tells nothing of the past.

    Raises CallerError.
    """
    values: dict[str, Any] = {}
    if name is not None and checked_name(name) != rule.name:
        values["name"] = checked_name(name)
    if language is not None:
        values["language"] = checked_language(language)
    if wanted is not None and checked(wanted).stored() != Wanted.of(rule.filters).stored():
        values["filters"] = checked(wanted).stored()
    if active is not None and active != rule.is_active:
        values["is_active"] = active
    with writing(engine) as session, session.begin():
        if "name" in values:
            _check_free(session, values["name"])
        if "filters" in values and wanted is not None:
            _check_list(session, wanted)
        if "filters" in values or values.get("is_active"):
            values["begins_at"] = values["read_upto"] = _begins(session, now)
        if values:
            alert_rules.change_rule(session, rule.id, **values)
        return find_rule(session, str(values.get("name", rule.name)))


def add_target(engine: sa.Engine, settings: Settings, rule: Rule, target: NewTarget, *, now: datetime) -> Made:
    """Add a target to a rule. Raises CallerError."""
    ready = checked_target(settings, target)
    with writing(engine) as session, session.begin():
        if len(alert_rules.targets_of(session, rule.id)) >= MOST_TARGETS:
            raise CallerError(f"A rule has at most {MOST_TARGETS} targets.", "Remove one first.")
        target_id, secret = _add(session, rule.id, ready, now)
        return Made(rule, {target_id: secret} if secret else {})


def drop_target(engine: sa.Engine, rule: Rule, target_id: int) -> None:
    """Remove a target with its deliveries. Raises UnknownName."""
    with writing(engine) as session, session.begin():
        known = [str(t.id) for t in alert_rules.targets_of(session, rule.id)]
        if not alert_rules.drop_target(session, rule.id, target_id):
            raise UnknownName("target", str(target_id), known)


def drop_rule(engine: sa.Engine, rule: Rule) -> None:
    """Remove a rule with its targets and what it told."""
    with writing(engine) as session, session.begin():
        alert_rules.drop_rule(session, rule.id)


def checked_target(settings: Settings, target: NewTarget) -> NewTarget:
    """A target whose address can be sent to. Raises CallerError."""
    if target.kind == "webhook":
        allow = settings.allow_private_targets
        return NewTarget("webhook", checked_url(target.address, allow_private=allow))
    if target.kind == "email":
        if not settings.smtp_url or not settings.mail_from:
            raise CallerError(
                "No mail server is set up here.", "Set RADAR_SMTP_URL and RADAR_MAIL_FROM where radar serves."
            )
        Server.of(settings.smtp_url)
        checked_sender(settings.mail_from)
        return NewTarget("email", checked_mail(target.address))
    if target.kind == "feed":
        return NewTarget("feed")
    raise UnknownName("kind of target", target.kind[:60], list(KINDS))


def _at_most(targets: Sequence[NewTarget]) -> Sequence[NewTarget]:
    if len(targets) > MOST_TARGETS:
        raise CallerError(f"A rule has at most {MOST_TARGETS} targets.", "Make a second rule.")
    return list(dict.fromkeys(targets))


def _add(session: Session, rule_id: int, target: NewTarget, now: datetime) -> tuple[int, str | None]:
    """The target's id, and the secret to show once."""
    secret = {"webhook": new_secret, "feed": lambda: secrets.token_urlsafe(32)}.get(target.kind, lambda: None)()
    row = {
        "rule_id": rule_id, "kind": target.kind, "address": target.address or None, "secret": secret,
        "created_at": now,
    }  # fmt: skip
    return alert_rules.add_target(session, row), secret if target.kind == "webhook" else None


def _begins(session: Session, now: datetime) -> datetime:
    """The newest change there is: it is past. Where detection is far behind, a day ago."""
    newest = alert_rules.newest_change(session)
    return max(newest, now - _DAY) if newest is not None else now


def _check_free(session: Session, name: str) -> None:
    if any(rule.name == name for rule in alert_rules.rules(session)):
        raise NameTaken(f"There is a rule '{name}' already.", "Give another name, or change that one.")


def _check_list(session: Session, wanted: Wanted) -> None:
    name = (wanted.watch_list or "").strip()
    known = [one.name for one in authors.lists(session)] if name else []
    if name and name not in known:
        raise UnknownName("watch list", name[:60], known)

"""Firing: read stored changes of stage, and write once what each rule tells of them.

Detection goes through the last days again whenever something late comes in, and then stores the same changes under the
same names; where a late post moved a beginning, or another model reads the posts, under new ones. So a rule looks again
some days back from where it has read to, and passes over what it has told: by name, and by what it is about. Two
episodes are one talk where a key of one is among the other's variants and they are less than two days apart; so a trend
that is found by the quarter hour, the hour and the day is told of once.

Message, deliveries and reading position are one transaction: a kill before it has read nothing, one after it has
written everything.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.alerts.carriers import ListHits, Watched
from radar.alerts.messages import Message, messages_of
from radar.alerts.rules import Series, Wanted, fits, members_of, own_series
from radar.store import alert_rules, alerts
from radar.store.alert_rules import Rule, Target
from radar.store.alerts import Change
from radar.store.engine import reading, writing

LOOK_BACK = timedelta(days=3)
"""How far behind its reading position a rule looks again."""
NEAR = timedelta(days=2)
"""Episodes of one key that are closer than this are one talk."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A stage that a rule told of, from the trend's onset to the change."""

    stage: str
    onset_at: datetime
    changed_at: datetime
    own: set[Series]
    members: set[Series]

    def is_same(self, other: "Talk") -> bool:
        """Whether both are the same stage of the same talk."""
        if self.stage != other.stage or not (self.own & other.members or self.members & other.own):
            return False
        return self.onset_at - NEAR <= other.changed_at and other.onset_at - NEAR <= self.changed_at


@dataclass(slots=True)
class _Reader:
    """A rule with what it has told lately."""

    rule: Rule
    wanted: Wanted
    since: datetime
    talks: list[Talk] = field(default_factory=list)


def fire(engine: sa.Engine, model_id: str, *, now: datetime) -> int:
    """Write down what active rules have to tell; how many messages that is. Safe to run twice, and to be killed."""
    with reading(engine) as session:
        readers = [_reader(rule) for rule in alert_rules.rules(session) if rule.is_active]
        if not readers:
            return 0
        watched = Watched(session, [r.wanted.watch_list for r in readers])
        fired = 0
        for page in alerts.changes(session, model_id, min(r.since for r in readers)):
            found = _choose(session, readers, page, watched)
            told = messages_of(session, found)
            targets = alert_rules.targets(session)
            fired += _write(engine, readers, told, targets, page[-1].changed_at, now)
    return fired


def _reader(rule: Rule) -> _Reader:
    return _Reader(rule, Wanted.of(rule.filters), max(rule.begins_at, rule.read_upto - LOOK_BACK))


def _choose(
    session: Session, readers: Sequence[_Reader], page: Sequence[Change], watched: Watched
) -> list[tuple[Rule, Change, ListHits | None]]:
    """What each rule has to tell of a page of changes."""
    ids = [r.rule.id for r in readers]
    names = alerts.told_names(session, ids, sorted({change.seen.episode_id for change in page}))
    _remember(session, readers, min(change.seen.onset_at for change in page) - NEAR)
    chosen = []
    for reader in readers:
        for change in page:
            seen = change.seen
            if change.changed_at <= reader.since or (reader.rule.id, seen.episode_id, change.stage) in names:
                continue
            if not fits(reader.wanted, seen, change.stage):
                continue
            talk = Talk(change.stage, seen.onset_at, change.changed_at, own_series(seen), members_of(seen))
            if any(talk.is_same(other) for other in reader.talks):
                continue
            hits = watched.hits(session, reader.wanted.watch_list, seen) if reader.wanted.watch_list else None
            if reader.wanted.watch_list and not hits:
                continue
            reader.talks.append(talk)
            chosen.append((reader.rule, change, hits))
    return chosen


def _remember(session: Session, readers: Sequence[_Reader], since: datetime) -> None:
    """Read what was told of talks that may go on."""
    by_rule: dict[int, list[Talk]] = {reader.rule.id: [] for reader in readers}
    for told in alerts.told(session, list(by_rule), since):
        members = {(key, place) for key, place in told.members}
        own = {(key, place) for key, place in told.members[:2]}
        by_rule[told.rule_id].append(Talk(told.stage, told.onset_at, told.changed_at, own, members))
    for reader in readers:
        new = [talk for talk in reader.talks if talk not in by_rule[reader.rule.id]]
        reader.talks = by_rule[reader.rule.id] + new


def _write(
    engine: sa.Engine,
    readers: Sequence[_Reader],
    told: Sequence[tuple[Rule, Change, Message]],
    targets: Mapping[int, Sequence[Target]],
    upto: datetime,
    now: datetime,
) -> int:
    """Put messages, deliveries and reading positions down at once; a rule that was changed meanwhile is left alone."""
    fired = 0
    with writing(engine) as session, session.begin():
        for reader in readers:
            if not alert_rules.read_to(session, reader.rule, upto):
                continue
            for rule, change, message in told:
                if rule.id == reader.rule.id:
                    fired += _tell(session, rule, change, message, targets.get(rule.id, ()), now)
    return fired


def _tell(
    session: Session, rule: Rule, change: Change, message: Message, targets: Sequence[Target], now: datetime
) -> bool:
    seen = change.seen
    own = sorted({(seen.key_hash, seen.own_place), (seen.key_hash, seen.place)})
    members = [*(own * 2)[:2], *sorted(members_of(seen) - set(own))]
    event_id = alerts.add_event(
        session,
        {
            "rule_id": rule.id, "episode_id": seen.episode_id, "stage": change.stage, "changed_at": change.changed_at,
            "onset_at": seen.onset_at, "members": [list(member) for member in members], "message": message,
            "fired_at": now,
        },
    )  # fmt: skip
    if event_id is None:
        return False
    rows = [
        {
            "id": message_id(target, seen.episode_id, change.stage), "event_id": event_id, "target_id": target.id,
            "state": "sent" if target.kind == "feed" else "pending", "turn_at": now,
        }
        for target in targets
    ]  # fmt: skip
    alerts.add_deliveries(session, rows)
    return True


def message_id(target: Target, episode_id: int, stage: str) -> str:
    """The id of a message at a target: the same whenever it is made, so that a receiver knows it again."""
    name = f"{target.id}|{target.created_at.isoformat()}|{episode_id}|{stage}"
    return f"msg_{hashlib.sha256(name.encode()).hexdigest()[:32]}"

"""What a message holds: names and figures of a trend, in no language yet and of no person."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.alerts.carriers import ListHits
from radar.answers.items import Ranked, describe
from radar.answers.shadows import shadow_seen
from radar.markets import MARKETS, local_day
from radar.store.alert_rules import Rule
from radar.store.alerts import Change
from radar.store.engine import world_of
from radar.windows import Bucket

Message = dict[str, Any]
_TAKEN = (
    "id", "name", "key", "topic", "market", "place_market", "stage", "onset_at", "seen_at", "observed", "expected",
    "lift", "lift_floor", "p", "q", "tests", "window", "persons", "heard", "posts", "platforms", "sponsored_share",
    "complaints", "narrow", "variants", "sentence",
)  # fmt: skip
_INSTANTS = ("onset_at", "seen_at", "since")
Chosen = tuple[Rule, Change, ListHits | None]


def messages_of(session: Session, chosen: Sequence[Chosen]) -> list[tuple[Rule, Change, Message]]:
    """A message for each change that a rule tells of."""
    simulated = world_of(session) == "simulated"
    return [(rule, change, message_of(session, rule, change, hits, simulated)) for rule, change, hits in chosen]


def message_of(session: Session, rule: Rule, change: Change, hits: ListHits | None, simulated: bool) -> Message:
    """The message of one change."""
    seen = change.seen
    line = Ranked(seen, 0, 0, [(change.changed_at, change.stage)])
    item = describe(session, [line], seen.as_of, days={})[0]
    q = float(rule.filters.get("q", 0.05))
    last = local_day(seen.as_of - timedelta(microseconds=1), MARKETS[seen.audience_market].tz)
    shadow = shadow_seen(session, seen.model_id, seen.audience_market, last, q, [Bucket(seen.bucket)])
    told = {name: item[name] for name in _TAKEN} | {
        "since": change.changed_at, "model_id": seen.model_id, "simulated": simulated, "q_asked": q,
        "shadow_warning": bool(shadow and shadow["warning"]), "watch_list": rule.filters.get("watch_list"),
        "listed_kols": hits.kols if hits else None,
    }  # fmt: skip
    message: Message = _stored(told)
    return message


def _stored(value: Any) -> Any:
    """The same as JSON holds it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _stored(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_stored(one) for one in value]
    return value


def read_back(message: Mapping[str, Any]) -> Message:
    """A stored message with its instants as such again."""
    window = {name: datetime.fromisoformat(message["window"][name]) for name in ("start", "end")}
    instants = {name: datetime.fromisoformat(message[name]) for name in _INSTANTS}
    return {**message, **instants, "window": {**message["window"], **window}}


def example(now: datetime, market: str = "TW") -> Message:
    """An invented message, for trying a rule that has told nothing yet."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=6)
    message: Message = _stored(
        {
            "id": "", "name": "#example", "key": {"text": "example", "kind": "hashtag", "gloss": None},
            "topic": {"id": "shop.drugstore", "name": "Drugstore"}, "market": market,
            "place_market": "JP" if market != "JP" else "KR", "stage": "rising", "onset_at": start, "seen_at": now,
            "observed": 17.0, "expected": 3.4, "lift": 4.1, "lift_floor": 2.71, "p": 2.1e-8, "q": 0.0003,
            "tests": 14210, "window": {"start": start, "end": now, "buckets": 6, "bucket": "1h"}, "persons": 17,
            "heard": 143, "posts": 23, "platforms": 4, "sponsored_share": 0.0, "complaints": None, "narrow": [],
            "variants": [], "sentence": "at least 2.7x the usual, 17 KOLs, 4 platforms", "since": now,
            "model_id": "example", "simulated": True, "q_asked": 0.05, "shadow_warning": False, "watch_list": None,
            "listed_kols": None,
        }
    )  # fmt: skip
    return message

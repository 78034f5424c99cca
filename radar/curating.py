"""Deciding on trends: mute, hold back, rename, merge, and undo; `radar.answers.curation` says what that does."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.answers import episode_number, trend_id
from radar.answers.curation import ACTIONS, curated
from radar.answers.working import best_moment
from radar.errors import CallerError, UnknownName
from radar.store import curation as store
from radar.store.answers import Seen
from radar.store.curation import Decision
from radar.store.engine import one_writer, reading, writing

SCOPES = ("trend", "key")
REASON_LENGTH, NAME_LENGTH = 500, 120


def decide(
    engine: sa.Engine,
    trend: str,
    action: str,
    *,
    reason: str,
    who: str,
    now: datetime,
    name: str | None = None,
    into: str | None = None,
    scope: str | None = None,
) -> list[Decision]:
    """Decide on a trend, or for mute with scope "key" on its key in its market from now on too.

    trend  its id; a variant's stands for its leader
    name   of a rename;    into  of a merge: the trend, of the same market, that it becomes a variant of

    Raises UnknownName, and CallerError for a decision that cannot be.
    """
    if action not in ACTIONS:
        raise CallerError(f"action: '{action[:40]}' is none.", f"One of: {', '.join(ACTIONS)}.")
    if (scope or SCOPES[0]) not in SCOPES or (scope == "key" and action != "mute"):
        raise CallerError(f"scope: '{scope}' does not fit {action}.", "Only mute takes scope=key.")
    if (name is not None and action != "rename") or (into is not None and action != "merge"):
        raise CallerError(f"{action} takes no {'name' if name is not None else 'into'}.", "rename: name; merge: into.")
    said = _text("reason", reason, REASON_LENGTH)
    called = _text("name", name or "", NAME_LENGTH) if action == "rename" else None
    with reading(engine) as session:
        seen = _trend(session, trend)
        over = _leader(session, seen, into or "") if action == "merge" else None
    row = {
        "decided_at": now, "who": who[:120], "action": action, "audience_market": seen.audience_market,
        "key_hash": seen.key_hash, "episode_id": seen.episode_id, "onset_at": seen.onset_at, "reason": said,
        "name": called, "into_id": over.episode_id if over else None, "into_key": over.key_hash if over else None,
    }  # fmt: skip
    rows = [row] + ([row | {"episode_id": None, "onset_at": None}] if scope == "key" else [])
    with writing(engine) as session, session.begin():
        return [_added(session, one) for one in rows]


def undo(
    engine: sa.Engine, *, who: str, now: datetime, trend: str | None = None, action: str | None = None,
    number: int | None = None, reason: str = "",
) -> list[Decision]:  # fmt: skip
    """Undo one decision by its number, or all that hold for a trend (of an action, if one is named).

    Returns what was undone. Raises UnknownName and CallerError.
    """
    if action is not None and action not in ACTIONS:
        raise CallerError(f"action: '{action[:40]}' is none.", f"One of: {', '.join(ACTIONS)}.")
    said = _text("reason", reason, REASON_LENGTH) if reason.strip() else "undone"
    with writing(engine) as session, session.begin():
        one_writer(session, "curation")
        if number is not None:
            found = _standing(session, number)
        else:
            seen = _trend(session, trend or "")
            held = curated(session, [seen]).of(seen.episode_id)
            found = [one for one in held if action in (None, one.action)]
            if not found:
                what = f"{action} holds" if action else "decision holds"
                raise CallerError(f"No {what} for that trend.", "`radar curate list` shows what was decided.")
        for one in found:
            copied = {name: getattr(one, name) for name in ("audience_market", "key_hash", "episode_id", "onset_at")}
            row = {"decided_at": now, "who": who[:120], "action": "undo", "reason": said, "undoes": one.id}
            store.add(session, copied | row)
        return found


def _added(session: Session, row: dict[str, Any]) -> Decision:
    found = store.decision(session, store.add(session, row))
    assert found is not None
    return found


def _standing(session: Session, number: int) -> list[Decision]:
    found = store.decision(session, number) if 0 < number < 2**63 else None
    if found is None or found.action == "undo":
        raise UnknownName("decision", str(number)[:20], [])
    if store.undone_by(session, [number]):
        raise CallerError(f"Decision {number} is undone already.", "Decide again where it should hold again.")
    return [found]


def _trend(session: Session, trend: str) -> Seen:
    return best_moment(session, episode_number(trend), None, None, asked=trend).best


def _leader(session: Session, seen: Seen, into: str) -> Seen:
    """The trend that another is to be merged into."""
    over = _trend(session, into)
    if over.audience_market != seen.audience_market:
        raise CallerError("into: it is a trend of another market.", "Merge trends of one market.")
    if over.key_hash == seen.key_hash:
        raise CallerError("into: it is the same trend.", "Name the trend that this one is a variant of.")
    met, at = {seen.key_hash}, over
    while True:
        if at.key_hash in met:
            raise CallerError("into: that trend is a variant of this one.", "Undo that first, or merge the other way.")
        met.add(at.key_hash)
        merge = curated(session, [at]).into(at.episode_id)
        if merge is None or merge.into_id is None:
            return over
        try:
            at = _trend(session, trend_id(merge.into_id))
        except UnknownName:  # detection went back over it since
            return over


def _text(what: str, text: str, most: int) -> str:
    told = " ".join(text.split())
    if not 1 <= len(told) <= most or not told.isprintable():
        raise CallerError(f"{what}: it needs 1 to {most} printable characters.", 'As "a bot repeats it".')
    return told

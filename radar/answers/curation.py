"""What editors decided, applied to what is answered: detection's facts stay as they are.

A decision on a trend holds for what came on with its key in its market around the same time: the same talk is found by
the hour and by the day, and its id changes when detection goes back. What comes on a day after the decision is another
trend. A muted key holds from its decision on, for whatever comes. Undone decisions hold nothing. A list is curated as
of now, also when it looks back.

The last rename and the last merge hold. A trend merged into one that is listed is a variant of it there; where the
other one is not, it stays a line of its own that says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.ids import trend_id
from radar.answers.names import key_shown
from radar.errors import CallerError
from radar.markets import MARKETS, market
from radar.store import curation as store
from radar.store.answers import Seen
from radar.store.counts import key_names
from radar.store.curation import Decision

ACTIONS = ("mute", "hold", "rename", "merge")
HIDING = ("mute", "hold")
NEAR = timedelta(days=1)
MAX_LIMIT = 100
Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Curated:
    """Decisions that hold for the trends of a list, by episode."""

    decisions: Mapping[int, Sequence[Decision]]

    def of(self, episode_id: int) -> Sequence[Decision]:
        return self.decisions.get(episode_id, ())

    def hides(self, episode_id: int) -> bool:
        """Whether lists and alerts leave a trend out."""
        return any(one.action in HIDING for one in self.of(episode_id))

    def into(self, episode_id: int) -> Decision | None:
        """The decision that makes a trend a variant of another one."""
        merges = [one for one in self.of(episode_id) if one.action == "merge"]
        return merges[-1] if merges else None

    def name(self, episode_id: int) -> str | None:
        """What a trend is called instead."""
        names = [one.name for one in self.of(episode_id) if one.action == "rename"]
        return names[-1] if names else None


def curated(session: Session, found: Sequence[Seen]) -> Curated:
    """What holds for these trends."""
    by_market: dict[str, list[Seen]] = {}
    for seen in found:
        by_market.setdefault(seen.audience_market, []).append(seen)
    held: dict[int, list[Decision]] = {}
    for code, some in by_market.items():
        decisions = store.standing(session, code, {seen.key_hash for seen in some})
        by_key: dict[int, list[Decision]] = {}
        for one in decisions:
            by_key.setdefault(one.key_hash, []).append(one)
        for seen in some:
            mine = [one for one in by_key.get(seen.key_hash, ()) if holds(one, seen)]
            if mine:
                held[seen.episode_id] = mine
    return Curated(held)


def holds(one: Decision, seen: Seen) -> bool:
    """Whether a decision on the key of a trend is one on this trend."""
    if one.episode_id is None:
        return seen.ended_at is None or seen.ended_at >= one.decided_at
    return one.episode_id == seen.episode_id or _was_on(one, seen)


def leads(one: Decision, seen: Seen) -> bool:
    """Whether a trend is the one that another was merged into."""
    return one.into_key == seen.key_hash and (one.into_id == seen.episode_id or _was_on(one, seen))


def _was_on(one: Decision, seen: Seen) -> bool:
    """Whether a trend was on around the time of the one that was decided about."""
    assert one.onset_at is not None
    began_by_then = seen.onset_at <= one.decided_at + NEAR
    return began_by_then and (seen.ended_at is None or seen.ended_at >= one.onset_at - NEAR)


def kept(session: Session, lines: Sequence[Seen]) -> tuple[list[Seen], int]:
    """The lines of a list without what editors took out or made a variant of another line, and how many they are."""
    found = curated(session, lines)
    under: dict[int, int] = {}
    for seen in lines:
        merge = found.into(seen.episode_id)
        if merge:
            over = next((other for other in lines if other is not seen and leads(merge, other)), None)
            if over:
                under[seen.episode_id] = over.episode_id
    stays = [seen for seen in lines if not _goes(seen.episode_id, under, found)]
    hidden = sum(found.hides(_top(seen.episode_id, under)) for seen in lines)
    return stays, hidden


def _goes(episode_id: int, under: Mapping[int, int], found: Curated) -> bool:
    top = _top(episode_id, under)
    return top != episode_id or found.hides(episode_id)


def _top(episode_id: int, under: Mapping[int, int]) -> int:
    """What a trend is listed under; itself where merges go in a circle."""
    at, seen = episode_id, {episode_id}
    while at in under:
        at = under[at]
        if at in seen:
            return episode_id
        seen.add(at)
    return at


def muted_keys(session: Session, market_code: str, hashes: Sequence[int]) -> set[int]:
    """Those keys that are muted in a market from now on."""
    decisions = store.standing(session, market_code, set(hashes))
    return {one.key_hash for one in decisions if one.episode_id is None and one.action in HIDING}


def shown(one: Decision) -> Item:
    """A decision as answers show it."""
    return {
        "id": one.id,
        "action": one.action,
        "scope": "key" if one.episode_id is None else "trend",
        "reason": one.reason,
        "who": one.who,
        "decided_at": one.decided_at,
        "name": one.name,
        "into": trend_id(one.into_id) if one.into_id is not None else None,
    }


def curation_log(
    session: Session, *, market_code: str | None = None, limit: int = 50, cursor: str | None = None
) -> Item:
    """Every decision and undoing, newest first, with the trend or key it is about. Raises CallerError."""
    code = market(market_code).code if market_code else None
    if not 1 <= limit <= MAX_LIMIT:
        raise CallerError(f"limit: {limit} is not from 1 to {MAX_LIMIT}.", "Take pages by `next`.")
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise CallerError("cursor: this is no cursor.", "Take `next` of the page before as it is.")
    rows = store.log(session, code, int(cursor) if cursor else None, limit + 1)
    page = rows[:limit]
    undone = store.undone_by(session, [one.id for one in page])
    names = key_names(session, sorted({one.key_hash for one in page}))
    items = []
    for one in page:
        key = key_shown(names.get(one.key_hash), MARKETS[one.audience_market].languages[0])
        by = undone.get(one.id)
        items.append(
            shown(one)
            | {
                "market": one.audience_market,
                "trend": trend_id(one.episode_id) if one.episode_id is not None else None,
                "key": {part: key[part] for part in ("text", "kind", "gloss")},
                "called": key["name"],
                "undoes": one.undoes,
                "undone_at": by.decided_at if by else None,
                "undone_by": by.who if by else None,
                "stands": one.action != "undo" and by is None,
            }
        )
    return {"items": items, "next": str(page[-1].id) if len(rows) > limit else None}


def variants_into(session: Session, found: Sequence[Seen]) -> dict[int, list[Decision]]:
    """What editors made variants of trends, by the trend's episode."""
    held: dict[int, list[Decision]] = {}
    for code in {seen.audience_market for seen in found}:
        here = [seen for seen in found if seen.audience_market == code]
        for one in store.merged_into(session, code, {seen.key_hash for seen in here}):
            for seen in here:
                if leads(one, seen):
                    held.setdefault(seen.episode_id, []).append(one)
    return held

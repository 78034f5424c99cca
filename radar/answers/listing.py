"""Ranked trends of a market: the best moment of each episode in a window, one line for what the same people said."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.curation import kept
from radar.answers.items import Ranked, describe, stages_of
from radar.answers.question import MAX_LIMIT, RANK, Cursor, Order, Question, ask, window_words
from radar.answers.shadows import shadow_seen
from radar.answers.standing import Standing, standing
from radar.errors import CallerError
from radar.keys import Kind
from radar.markets import local_day
from radar.store import answers as store
from radar.store.answers import Seen

_NEAR = timedelta(days=1)
"""Windows this close to each other can be about the same talk."""


def list_trends(
    session: Session,
    *,
    market: str,
    place: str | None = None,
    topic: str | None = None,
    kind: str | None = None,
    stage: str | None = None,
    window: str | None = None,
    q: float = 0.05,
    lift: float | None = None,
    as_of: datetime | None = None,
    scope: str | None = None,
    bucket: str | None = None,
    sort: str | None = None,
    curated: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
) -> dict[str, Any]:
    """What is trending in a market: a page of lines with the envelope that says how much to trust them.

    place   a country, or a narrower place (JP-27, JP:namba): then trends of that very place
    window  "7d": episodes seen on in (as_of - 7 days, as_of], each by its best moment with q <= q
    bucket  1h or 1d; both if left out;  15m is what alerts look at, kept for two to four weeks
    q       share of chance finds accepted over many lists;    lift  the smallest lift to show
    scope   travel_shopping: trends with a topic, about another market first; all: everything, by score
    sort    one of SORTS, `-` before it for descending; by rank if left out
    curated shown: without what editors muted or hold back, merged trends under their leader; all: every line
    cursor  `next` of the page before; it holds on to that page's as_of

    Raises UnknownName and CallerError.
    """
    question = ask(
        market_code=market, place=place, topic=topic, kind=kind, stage=stage, window=window, q=q, lift=lift,
        scope=scope, bucket=bucket, sort=sort, curated=curated,
    )  # fmt: skip
    if not 1 <= limit <= MAX_LIMIT:
        raise CallerError(f"limit: {limit} is not from 1 to {MAX_LIMIT}.", "Take pages by `next`.")
    after = Cursor.from_text(cursor, question) if cursor else None
    stand = standing(session, question.market, after.as_of if after else as_of)
    lines, left_out = _ranked(session, question, stand) if stand.status == "ok" else ([], 0)
    lines = _sorted(lines, question.sort)
    rest = [line for line in lines if after is None or _position(line, question.sort) > after.position]
    page = rest[:limit]
    following = None
    if len(rest) > limit and stand.as_of:
        end = page[-1]
        following = Cursor(stand.as_of, question.mark, *_position(end, question.sort)).to_text()
    items = describe(session, page, stand.as_of) if stand.as_of else []
    told = envelope(session, question, stand, len(lines))
    return {"items": items, "next": following, "left_out": left_out} | told


def _position(line: Ranked, sort: Order) -> tuple[int, float, int]:
    """Where a line stands: in ascending order of these."""
    column, descending = sort
    if column == RANK and not descending:
        return line.group, -line.seen.score, line.seen.episode_id
    value = _OF_LINE[column](line) if column in _OF_LINE else line.seen.working[column]
    number = value.timestamp() if isinstance(value, datetime) else float(value)
    return 0, -number if descending else number, line.seen.episode_id


_OF_LINE: dict[str, Callable[[Ranked], Any]] = {
    RANK: lambda line: line.rank,
    "score": lambda line: line.seen.score,
    "q": lambda line: line.seen.q,
    "onset_at": lambda line: line.seen.onset_at,
    "seen_at": lambda line: line.seen.as_of,
}


def _sorted(lines: Sequence[Ranked], sort: Order) -> list[Ranked]:
    return sorted(lines, key=lambda line: _position(line, sort))


def ranked(session: Session, question: Question, stand: Standing) -> list[Ranked]:
    """All lines of a question in their order."""
    return _ranked(session, question, stand)[0]


def _ranked(session: Session, question: Question, stand: Standing) -> tuple[list[Ranked], int]:
    """All lines in their order, and how many editors left out."""
    assert stand.as_of is not None
    found = store.best_snapshots(
        session, stand.model_id, question.market.code, stand.as_of - question.length, stand.as_of,
        q=question.q, lift=question.lift, buckets=question.buckets,
    )  # fmt: skip
    found = [seen for seen in found if _fits(seen, question)]
    stages = stages_of(session, [seen.episode_id for seen in found], stand.as_of)
    if question.stage:
        found = [s for s in found if _stage(s, stages) == question.stage]
    distinct, left_out = _distinct(found), 0
    if question.curated != "all":
        distinct, left_out = kept(session, distinct)
    lines = [(_group(seen, question), seen) for seen in distinct]
    lines.sort(key=lambda line: (line[0], -line[1].score, line[1].episode_id))
    numbered = enumerate(lines, start=1)
    return [Ranked(seen, i, group, stages.get(seen.episode_id, [])) for i, (group, seen) in numbered], left_out


def _stage(seen: Seen, stages: dict[int, list[tuple[datetime, str]]]) -> str:
    history = stages.get(seen.episode_id)
    return history[-1][1] if history else seen.stage


def _fits(seen: Seen, question: Question) -> bool:
    if question.place and seen.place != question.place:
        return False
    if question.place_key is not None and question.place_key not in _keys(seen):
        return False
    if question.topic and seen.topic_id != question.topic:
        return False
    if question.kind is not None and Kind(seen.kind) is not question.kind:
        return False
    return question.scope == "all" or seen.topic_id is not None


def _keys(seen: Seen) -> set[int]:
    return {seen.key_hash} | {variant["key"] for variant in seen.working["variants"]}


def _group(seen: Seen, question: Question) -> int:
    """0 for what is first in the list: about another market than the audience's, in the default scope."""
    abroad = seen.place != 0 and seen.place != question.market.number
    return 0 if question.scope == "all" or abroad else 1


def _distinct(found: Sequence[Seen]) -> list[Seen]:
    """One line for each key and place, and for what is another's variant at about the same time; the best stays.

    An hour's and a day's episode of one key are such a pair, and so are two spellings that took turns in leading.
    """
    best: list[Seen] = []
    lines: set[tuple[int, int]] = set()
    held: dict[tuple[int, int], list[int]] = {}  # series a line leads or holds as a variant -> those lines
    for seen in found:  # best first
        own = _own(seen)
        members = own | {(v["key"], v["place"]) for v in seen.working["variants"]}
        near = {i for series in members for i in held.get(series, ())}
        same = any((own & _members(best[i]) or members & _own(best[i])) and _near(seen, best[i]) for i in near)
        if same or (seen.key_hash, seen.place) in lines:
            continue
        for series in members:
            held.setdefault(series, []).append(len(best))
        lines.add((seen.key_hash, seen.place))
        best.append(seen)
    return best


def _own(seen: Seen) -> set[tuple[int, int]]:
    return {(seen.key_hash, seen.own_place), (seen.key_hash, seen.place)}


def _members(seen: Seen) -> set[tuple[int, int]]:
    return _own(seen) | {(v["key"], v["place"]) for v in seen.working["variants"]}


def _near(one: Seen, other: Seen) -> bool:
    """Whether two windows overlap, or nearly do."""
    start, end = _span(one)
    start_2, end_2 = _span(other)
    return start - _NEAR < end_2 and start_2 - _NEAR < end


def _span(seen: Seen) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(seen.working["window_start"]), datetime.fromisoformat(seen.working["at"])


def envelope(session: Session, question: Question, stand: Standing, total: int) -> dict[str, Any]:
    """What holds for the whole list: where it looks, how sure it is, and what it rests on."""
    about, as_of = question.market, stand.as_of
    window, shadow = None, None
    coverage = {"persons": 0, "posts": 0, "sources": 0, "platforms": 0, "days": stand.days}
    if as_of is not None:
        window = {"start": as_of - question.length, "end": as_of}
        days = [local_day(at, about.tz) for at in (window["start"], as_of - timedelta(microseconds=1))]
        coverage |= store.heard(session, about.code, window["start"], as_of, *days)._asdict()
        shadow = shadow_seen(session, stand.model_id, about.code, days[1], question.q, question.buckets)
    return {
        "total": total,
        "market": about.code,
        "place": question.place_code,
        "scope": question.scope,
        "window": window,
        "as_of": as_of,
        "model_id": stand.model_id,
        "simulated": stand.simulated,
        "status": stand.status,
        "message": stand.reason or _message(session, question, stand, total),
        "coverage": coverage,
        "shadow": shadow,
        "q": question.q,
        "note": f"At most {100 * question.q:g} in 100 of these are chance, taken over many lists.",
    }


def _message(session: Session, question: Question, stand: Standing, total: int) -> str:
    span = window_words(question.window)
    if total:
        return f"{total:,} trend{'' if total == 1 else 's'} in {span}."
    wider = ask(market_code=question.market.code, window=question.window, q=question.q, scope="all")
    others = len(ranked(session, wider, stand))
    if others:
        said = f"{others:,} trend{'' if others == 1 else 's'}"
        return f"No trend fits these filters in {span}. Without filters and with scope=all there would be {said}."
    return f"Nothing rose beyond chance in {span}. Look at a longer window, or wait for the next hour."

"""Asking for posts again as they age: counts, edits, and whether they are still there.

A post's turns come at the ages in AGES; one of which only the title is known is asked for at once. One that is not
there is looked for again an hour later, and only then taken for gone, unless the platform says so itself. What the
counts were seen to be is appended each time.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.errors import RadarError
from radar.ingest import ingest_posts
from radar.lanes import run_lanes
from radar.sources.base import Fault, PostRef, RawAuthor, RawPost, Reread, Source
from radar.sources.catalogue import open_source
from radar.sources.trouble import Busy, Malformed, Refused, Trouble
from radar.sources.web import Web
from radar.spending import StoredLedger
from radar.store import posts as store
from radar.store import runs, watching
from radar.store.engine import chunks, reading, writing
from radar.store.posts import COUNTS
from radar.store.watching import Due

AGES = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(days=4), timedelta(days=7))
SECOND_LOOK = timedelta(hours=1)
LONGEST = timedelta(minutes=6)
MOST = 5_000
"""Posts of a source that one run asks for again."""
_KEPT = 4_000
"""Characters that are kept of what could not be read."""


KEEP_FOR = timedelta(days=365)
"""Age up to which posts that may not be kept unasked are asked for; afterwards they are let go."""


def next_turn(published_at: datetime, now: datetime, keep: timedelta | None = None) -> datetime | None:
    """When a post is to be asked for again; None once it is too old to change much.

    keep  it has to be asked for within this time, as long as it is stored

    >>> from datetime import UTC
    >>> next_turn(datetime(2026, 5, 4, 12, tzinfo=UTC), datetime(2026, 5, 4, 15, tzinfo=UTC)).hour
    18
    """
    at = next((published_at + age for age in AGES if published_at + age > now), None)
    if keep is None or now - published_at > KEEP_FOR:
        return at
    return min(at or now + keep, now + keep * 5 / 6)  # with days to spare for quotas and outages


def plan(session: Session, posts: Sequence[RawPost], source: str, now: datetime, keep: timedelta | None = None) -> None:
    """Give posts that were just stored their next turn, in the same transaction. keep: see next_turn()."""
    by_platform: dict[str, dict[str, RawPost]] = {}
    for item in posts:
        if not item.deleted and (keep or next_turn(item.published_at, now) is not None):
            by_platform.setdefault(item.platform, {})[item.native_id] = item
    for platform, items in by_platform.items():
        known = store.known_posts(session, platform, list(items))
        at_once = {n for n, item in items.items() if item.is_start}
        watching.plan_refreshes(
            session,
            [
                {
                    "post_id": k.id, "source": source, "ref": (items[n].ref or n)[:512],
                    "due_at": now if n in at_once else next_turn(items[n].published_at, now, keep) or now + KEEP_FOR,
                    "expires_at": now + keep if keep else None,
                }
                for n, k in sorted(known.items())
                if k.deleted_at is None
            ],
        )  # fmt: skip


@dataclass(slots=True)
class Refreshed:
    """What became of the posts that were asked for again."""

    asked: int = 0
    changed: int = 0
    missing: int = 0
    gone: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)


def refresh(
    engine: sa.Engine,
    *,
    now: datetime,
    web: Web | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Refreshed:
    """Ask for every post whose turn it is. A source that fails keeps its posts' turns and never stops the others."""
    result, stop = Refreshed(), threading.Event()
    with web or Web() as client, reading(engine) as session:
        pieces = []
        for state in runs.source_states(session):
            if state.pause_reason or (state.resume_at and state.resume_at > now):
                continue
            due = watching.due_posts(session, state.name, now, MOST)
            if not due:
                continue
            try:
                source = open_source(state.kind, state.name, state.config, client, StoredLedger(engine))
            except RadarError:  # `collect` tells of a configuration at fault
                continue
            lanes: dict[str, list[Due]] = {}
            for one in due:
                lanes.setdefault(source.lane(_ref(one)), []).append(one)
            pieces += [
                (lane, partial(_ask, engine, source, some, now, result, stop, progress))
                for lane, waiting in lanes.items()
                for some in chunks(waiting, max(1, source.capabilities.refreshes))
            ]
        session.close()  # no snapshot is held while servers are waited for
        begun = client.clock.now()
        run_lanes(pieces, stop=stop, is_late=lambda: client.clock.now() - begun > LONGEST)
    return result


def _ref(due: Due) -> PostRef:
    return PostRef(due.platform, due.native_id, due.ref, due.author_id, due.audience_market, due.published_at)


def _ask(
    engine: sa.Engine, source: Source, due: Sequence[Due], now: datetime, result: Refreshed, stop: threading.Event,
    progress: Callable[[int], None],
) -> None:  # fmt: skip
    by_ref = {d.ref: d for d in due}
    refs = [_ref(d) for d in due]
    seen: list[Reread] = []
    if stop.is_set():
        return
    try:
        for one in source.refresh(refs, now):
            seen.append(one)
    except Exception as error:
        said = storable(error.message if isinstance(error, Trouble) else f"{type(error).__name__}: {error}")
        with writing(engine) as session, session.begin():
            runs.note_source_error(session, source.name, now, said)
            if isinstance(error, Malformed) and source.capabilities.refreshes > 1:
                set_aside(session, source.name, [Fault(error.message, error.payload)], now)
            elif isinstance(error, Malformed):  # a page of its own: it has its next turn like an item of others
                fault = Fault(error.message, error.payload, refs[0].native_id)
                seen.append(Reread(refs[0], None, fault=fault))
            if isinstance(error, Busy) and error.resume_at is not None:
                watching.wait_until(session, source.name, error.resume_at)
            if isinstance(error, Refused) and source.capabilities.shares_access:
                watching.pause(session, source.name, said)
    with result._lock, writing(engine) as session, session.begin():
        _write(session, source, by_ref, seen, now, result)
    progress(result.asked)


def _write(
    session: Session, source: Source, by_ref: dict[str, Due], seen: Sequence[Reread], now: datetime, result: Refreshed
) -> None:
    """Counts, edits and tombstones, and each post's next turn, in one transaction."""
    given: list[RawPost] = []
    turns: list[dict[str, Any]] = []
    keep = source.capabilities.keep
    for one in seen:
        due = by_ref[one.asked.ref]
        is_gone = (
            one.post is None
            and one.fault is None
            and (one.is_final or (due.missing_since is not None and now - due.missing_since >= SECOND_LOOK))
        )
        if one.post is not None:
            given.append(one.post)
            at, until = next_turn(due.published_at, now, keep), now + keep if keep else None
            if until and not at:  # too old to be asked for again: let go when its time is over
                at = until + KEEP_FOR
            turns.append({"post_id": due.post_id, "due_at": at, "missing_since": None, "expires_at": until})
        elif one.fault is not None:  # its counts stay as they are until its next turn
            at = next_turn(due.published_at, now, keep)
            if due.expires_at and not at:  # as above: it is let go all the same
                at = due.expires_at + KEEP_FOR
            turns.append({"post_id": due.post_id, "due_at": at, "missing_since": None, "expires_at": due.expires_at})
        elif is_gone:
            given.append(_tombstone(one.asked))
            turns.append({"post_id": due.post_id, "due_at": None, "missing_since": None, "expires_at": None})
        else:
            since = due.missing_since or now
            at = since + SECOND_LOOK
            turns.append({"post_id": due.post_id, "due_at": at, "missing_since": since, "expires_at": due.expires_at})
            result.missing += 1
    done = ingest_posts(session, given, source=source.name, now=now)
    _observe(session, [p for p in given if not p.deleted], now)
    set_aside(session, source.name, [one.fault for one in seen if one.fault is not None], now)
    watching.replan(session, turns)
    result.asked += len(seen)
    result.changed += done.changed
    result.gone += done.deleted


def set_aside(session: Session, source: str, faults: Sequence[Fault], now: datetime) -> None:
    """Keep what could not be taken, bounded and in a form that every database holds, with the reason."""
    rows = [
        {
            "source": source, "seen_at": now, "native_id": storable(fault.native_id or "")[:255] or None,
            "reason": storable(fault.reason)[:2000], "payload": storable(fault.payload)[:_KEPT],
        }
        for fault in faults
    ]  # fmt: skip
    runs.keep_rejected(session, rows)


def storable(text: str) -> str:
    """Without NUL and halves of surrogate pairs."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _tombstone(asked: PostRef) -> RawPost:
    author = RawAuthor(asked.author_id, asked.market, market_source="inferred")  # nothing is declared by that
    return RawPost(asked.platform, asked.native_id, author, "", asked.published_at, deleted=True)


def _observe(session: Session, posts: Sequence[RawPost], now: datetime) -> None:
    """Append what the counts were seen to be, also where they are what they were."""
    by_platform: dict[str, list[str]] = {}
    for item in posts:
        by_platform.setdefault(item.platform, []).append(item.native_id)
    for platform, ids in by_platform.items():
        known = store.known_posts(session, platform, ids)
        seen = [(k.id, *[getattr(k, name) for name in COUNTS]) for k in known.values()]
        store.add_engagement(session, [one for one in seen if any(n is not None for n in one[1:])], now)

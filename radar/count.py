"""Counting is recounting a day: a dirty (market, local day) is read whole and its counts are replaced whole.

How a day is counted, says `radar.day_arithmetic`. It is counted by a model when that model has read all its posts: the
readings of two models in one day would be a rise of the one that sees more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.day_arithmetic import count_day, mentions_of, originals
from radar.keys import Kind, key_number
from radar.markets import MARKETS, day_start
from radar.sharing import do_all, is_shared
from radar.spread import spread, workers
from radar.store import counts as store
from radar.store import months, posts, promotion, source_days, work
from radar.store.counts import DirtyDay
from radar.store.day_blob import DayCounts
from radar.store.day_columns import DayColumns, living_columns, micros
from radar.store.engine import open_store, reading
from radar.store.lasting import lasting
from radar.store.tracked import put_mentions, tracked_keys
from radar.text.reading import key_texts

CHUNK_DAYS, CHUNK_POSTS = 31, 50_000
MANY_DAYS = 200
"""Days from which processes of their own count."""
NAMED_FROM = 2
"""A key that this many persons used on one day is given its name and becomes a counted series."""


def count_mentions(
    engine: sa.Engine,
    model_id: str,
    topic_ids: Sequence[str],
    *,
    now: datetime,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[int, int]:
    """Recount every dirty day; returns (recounted, left as they are because they are sealed).

    Safe to kill: a chunk of days is replaced whole or not at all. A day that another model has read in part waits until
    its posts are read again.
    """
    with reading(engine) as session:
        waiting = store.dirty_days(session)
    months.make(engine, {day.local_day for day in waiting}, months.OF_COUNTS)
    if is_shared(engine):
        return _count_shared(engine, model_id, tuple(topic_ids), waiting, now, progress)
    recounted = sealed = done = 0
    for chunk, found in _found(engine, model_id, tuple(topic_ids), waiting):
        if _write(engine, model_id, chunk, found, now):
            recounted, sealed = recounted + len(found.days), sealed + len(found.sealed)
        done += len(chunk)
        progress(done, len(waiting))
    return recounted, sealed


def _found(
    engine: sa.Engine, model_id: str, topic_ids: Sequence[str], waiting: Sequence[DirtyDay]
) -> Iterator[tuple[list[DirtyDay], "Counted"]]:
    """What each run of days counts: in this process, or in others if it is much."""
    if len(waiting) >= MANY_DAYS and workers() > 1:
        count = partial(_count_apart, engine.url.render_as_string(hide_password=False), model_id, topic_ids)
        for chunk, counted in spread(count, _chunks(engine, waiting), at_once=workers()):
            if counted is not None:
                yield chunk, counted
        return
    topic_names, named = named_topics(topic_ids), set[int]()
    for chunk in _chunks(engine, waiting):
        yield chunk, _count_chunk(engine, model_id, chunk, topic_names, named)


_engine: sa.Engine | None = None
_named: set[int] = set()
"""What a process has that only counts: the store, and keys that it knows to have names."""


def _count_apart(url: str, model_id: str, topic_ids: Sequence[str], chunk: list[DirtyDay]) -> Iterator["Counted"]:
    global _engine
    _engine = _engine or open_store(url, migrate=False)
    yield _count_chunk(_engine, model_id, chunk, named_topics(topic_ids), _named)


# ---- shared with other processes ----

WORK = "count"
"""The kind of its pieces of work: runs of neighbouring days of a market."""


def _count_shared(
    engine: sa.Engine,
    model_id: str,
    topic_ids: Sequence[str],
    waiting: Sequence[DirtyDay],
    now: datetime,
    progress: Callable[[int, int], None],
) -> tuple[int, int]:
    """Lay the days out, count some of them here, wait for the others; returns what was done here."""
    pieces = {}
    for chunk in _chunks(engine, waiting):
        market, first, last = chunk[0].audience_market, chunk[0].local_day, chunk[-1].local_day
        more = {"market": market, "first": first.isoformat(), "last": last.isoformat()}
        pieces[f"{market} {first} {last}"] = more
    lasting(engine, lambda session: work.put_out(session, WORK, pieces, now))
    recounted = sealed = 0
    for counted, left in _done(engine, model_id, topic_ids, len(waiting) >= MANY_DAYS):
        recounted, sealed = recounted + counted, sealed + left
        progress(min(recounted + sealed, len(waiting)), len(waiting))
    return recounted, sealed


def _done(engine: sa.Engine, model_id: str, topic_ids: Sequence[str], is_much: bool) -> Iterator[tuple[int, int]]:
    if not is_much or workers() == 1:
        yield from do_all(engine, WORK, lambda piece: count_piece(engine, model_id, topic_ids, piece))
        return
    count = partial(_share_apart, engine.url.render_as_string(hide_password=False), model_id, topic_ids)
    for _, done in spread(count, range(workers()), at_once=workers()):
        if done is not None:
            yield done


def _share_apart(url: str, model_id: str, topic_ids: Sequence[str], _number: int) -> Iterator[tuple[int, int]]:
    engine = open_store(url, migrate=False)
    yield from do_all(engine, WORK, lambda piece: count_piece(engine, model_id, topic_ids, piece))
    engine.dispose()


def count_piece(engine: sa.Engine, model_id: str, topic_ids: Sequence[str], piece: work.Piece) -> tuple[int, int]:
    """Recount the days of a piece that still wait; returns (recounted, sealed)."""
    market, first, last = (piece.argument[name] for name in ("market", "first", "last"))
    with reading(engine) as session:
        chunk = store.dirty_days(session, market, date.fromisoformat(first), date.fromisoformat(last))
    if not chunk:
        return 0, 0
    found = _count_chunk(engine, model_id, chunk, named_topics(topic_ids), set())
    is_mine = _write(engine, model_id, chunk, found, datetime.now(UTC))
    return (len(found.days), len(found.sealed)) if is_mine else (0, 0)


def named_topics(topic_ids: Sequence[str]) -> dict[int, str]:
    """Topic ids by their key."""
    return {key_number(Kind.TOPIC, topic_id): topic_id for topic_id in topic_ids}


def _chunks(engine: sa.Engine, waiting: Sequence[DirtyDay]) -> Iterator[list[DirtyDay]]:
    """Days of one market that are counted together."""
    for market, group in groupby(waiting, key=lambda d: d.audience_market):
        of = {day.local_day: day for day in group}
        for days in runs_of_days(engine, market, list(of)):
            yield [of[day] for day in days]


def runs_of_days(engine: sa.Engine, market: str, days: Sequence[date]) -> Iterator[list[date]]:
    """Neighbouring days of a market, a month at most, with so few posts that memory holds them; or a single day."""
    with reading(engine) as session:
        sizes = posts.posts_of_days(session, market, days)
    chunk, size = list[date](), 0
    for day in days:
        if chunk and ((day - chunk[0]).days >= CHUNK_DAYS or size + sizes.get(day, 0) > CHUNK_POSTS):
            yield chunk
            chunk, size = [], 0
        chunk.append(day)
        size += sizes.get(day, 0)
    if chunk:
        yield chunk


@dataclass(frozen=True, slots=True)
class Counted:
    """Days as counted, those that another model has read in part, and names for keys that had none.

    days      (day, counts, posts of the day)
    mentions  by day, who mentioned a tracked key: rows of the store
    given     by day, which sources gave its posts, and in which languages
    sealed    those that stay as they are
    """

    days: list[tuple[date, DayCounts, int]]
    mixed: set[date]
    names: list[dict[str, Any]]
    mentions: dict[date, list[dict[str, Any]]]
    given: dict[date, source_days.Given]
    sealed: set[date] = field(default_factory=set)


def counted_aside(
    engine: sa.Engine, model_id: str, market: str, days: Sequence[date], topic_names: dict[int, str]
) -> Counted:
    """Neighbouring days of a market as a model counts them; nothing is written."""
    with reading(engine) as session:
        return _counted(session, model_id, market, days, topic_names, set())


def _counted(
    session: Session,
    model_id: str,
    market: str,
    days: Sequence[date],
    topic_names: dict[int, str],
    named: set[int],
) -> Counted:
    living = _by_day(session, model_id, market, days) if days else {}
    by_day = {day: items.where(items.is_read) for day, items in living.items()}
    mixed = {day for day, items in by_day.items() if not items.is_own.all()}
    tracked = {one.key_hash for one in tracked_keys(session) if one.deleted_at is None}
    counted, mentions = [], {}
    for day in days:
        if day not in mixed:
            kept = originals(by_day[day])
            counted.append((day, count_day(by_day[day], day, MARKETS[market].tz, kept), len(by_day[day])))
            mentions[day] = mentions_of(kept, market, day, tracked)
    names = names_of(session, counted, by_day, topic_names, named)
    given = {day: source_days.given_of(day, items) for day, items in living.items()}
    return Counted(counted, mixed, names, mentions, given)


def _by_day(session: Session, model_id: str, market: str, days: Sequence[date]) -> dict[date, DayColumns]:
    """The living posts of each of these days, in order of days."""
    found, zone = living_columns(session, model_id, market, days), MARKETS[market].tz
    starts = [micros(day_start(on, zone)) for day in days for on in (day, day + timedelta(days=1))]
    at = iter(np.searchsorted(found.at, starts).tolist())
    return {day: found.between(next(at), next(at)) for day in days}


def _count_chunk(
    engine: sa.Engine, model_id: str, chunk: list[DirtyDay], topic_names: dict[int, str], named: set[int]
) -> Counted:
    market, days = chunk[0].audience_market, [d.local_day for d in chunk]
    with reading(engine) as session:
        sealed = store.sealed_days(session, market, days)
        left = [day for day in days if day not in sealed]
        found = _counted(session, model_id, market, left, topic_names, named)
        given = {day: source_days.given(session, market, day) for day in sorted(sealed)}
    named |= {row["hash"] for row in found.names}
    return replace(found, sealed=sealed, given=found.given | given)


def _write(engine: sa.Engine, model_id: str, chunk: list[DirtyDay], found: Counted, now: datetime) -> bool:
    """Put counts in place of what stood there, but for days that have changed since; whether it was still to do."""
    market, waiting = chunk[0].audience_market, {d.local_day: d for d in chunk}

    def put(session: Session) -> bool:
        if promotion.is_passive(session, model_id):  # another one was promoted meanwhile: the days are its own to count
            return False
        promotion.read_again(session, market, sorted(found.mixed), model_id)
        store.add_keys(session, found.names)
        counted = [(waiting[day], counts, n) for day, counts, n in found.days]
        written = store.replace_days(session, model_id, counted, now)
        put_mentions(session, market, {day: rows for day, rows in found.mentions.items() if day in written})
        written |= {day for day in sorted(found.sealed) if store.take_off(session, waiting[day])}
        source_days.put(session, market, {day: found.given[day] for day in written})
        return True

    return lasting(engine, put)


def names_of(
    session: Session,
    counted: Sequence[tuple[date, DayCounts, int]],
    by_day: Mapping[date, DayColumns],
    topic_names: dict[int, str],
    named: set[int],
) -> list[dict[str, Any]]:
    """Names for keys that have none yet and that enough persons used on a day, read back from the posts' texts."""
    wanted: set[int] = set()
    sources: set[int] = set()
    for day, counts, _ in counted:
        everywhere = counts.places == 0
        keys, inverse = np.unique(counts.keys[everywhere], return_inverse=True)
        persons = np.bincount(inverse, counts.persons[everywhere], len(keys))
        new = set(keys[persons >= NAMED_FROM].tolist()) - named - wanted
        if not new:
            continue
        known = store.known_keys(session, sorted(new))
        named |= known
        new -= known
        wanted |= new
        sources |= _first_posts(by_day[day], new - topic_names.keys())
    found: dict[int, tuple[Kind, str]] = {n: (Kind.TOPIC, topic_names[n]) for n in wanted & topic_names.keys()}
    if sources:
        found |= key_texts(list(posts.texts(session, sorted(sources)).values()), wanted)
    return [{"hash": n, "kind": int(kind), "text": text, "gloss": None} for n, (kind, text) in sorted(found.items())]


def _first_posts(items: DayColumns, keys: set[int]) -> set[int]:
    """Ids of the posts that are the first to hold one of the keys."""
    if not keys:
        return set()
    hit = np.flatnonzero(np.isin(items.keys, np.array(sorted(keys), np.int64)))
    _, first = np.unique(items.keys[hit], return_index=True)
    return set(np.repeat(items.id, items.lengths)[hit[first]].tolist())

"""Detection: read day counts, advance each market's watch over them, write what turned on.

A watch is kept as it was at local midnights. A run starts at the last midnight before the first day that changed, takes
back what was concluded since, and goes forward; so late posts, recounts and kills all end in the same store.

Hours and days are watched from the first counted day on. Quarters are watched from a day that moves on by two weeks at
a time and is two to four weeks back: then the watch begins anew there, and what was concluded of quarters before it is
forgotten. So their cost and their room do not grow with history, and what is kept depends on the counts alone.

Hours of long ago are settled (`radar.compacting`): a change before that does not change what was concluded by the hour.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.crowds import Crowds
from radar.keys import Kind, key_number
from radar.markets import MARKETS, day_start, local_day
from radar.moments import Listing
from radar.past import TICK, Day, Past, Rows, tick_of
from radar.recurrence import Recurrence
from radar.sharing import do_all, is_shared
from radar.spread import spread, workers
from radar.store import counts, posts, work
from radar.store import trends as store
from radar.store.counts import MarketSpan
from radar.store.day_blob import DayCounts
from radar.store.engine import open_store, reading
from radar.store.lasting import lasting
from radar.support import PostsOfDay
from radar.trends import distinct
from radar.watch import Moment, Watch, Written
from radar.windows import Bucket

CHUNK_DAYS = 24
MANY_DAYS = 400
"""Days to go through, over markets and bucket lengths, from which processes pay for their start."""

FRESH_DAYS = 7
"""Snapshots are hourly for this long; before that one a day, by the day's best moment."""

QUARTERS_FRESH_DAYS = 1
"""Those of quarters, for this long: when a stage changes and at full hours."""
QUARTERS_BACK, QUARTERS_STEP = 14, 14
"""Least days of quarters that are watched, and how far their beginning moves on at a time."""

Recent = dict[date, PostsOfDay]
Progress = Callable[[str, int, int], None]


@dataclass(slots=True)
class DetectionTask:
    """One market at one bucket length, from a day to a day; `closed` is when the last closed bucket ended."""

    engine: sa.Engine
    model_id: str
    listing: Listing
    closed: datetime
    fresh_from: datetime

    @property
    def market(self) -> str:
        return self.listing.market

    @property
    def bucket(self) -> Bucket:
        return self.listing.bucket

    def writes(self, end: datetime, *, is_news: bool) -> bool:
        """Whether the moment at which a bucket within a day ended is written down; is_news: a stage changed in it."""
        if self.bucket is Bucket.QUARTER:
            fresh = self.fresh_from + timedelta(days=FRESH_DAYS - QUARTERS_FRESH_DAYS)
            return end > fresh and (is_news or end.minute == 0)
        return self.bucket is Bucket.HOUR and end > self.fresh_from


class Errand(NamedTuple):
    """One market's trends at every bucket length, to be brought up to date.

    waiting  its days that detection has not taken in, with the moment they were counted at
    settled  hours are watched from this day on at most; None: from the first
    size     bytes of the counts from the first of those days on, by which it is guessed how long it takes
    """

    model_id: str
    span: MarketSpan
    waiting: Mapping[date, datetime]
    topic_ids: Sequence[str]
    closed_at: datetime
    settled: date | None
    size: int

    @property
    def days(self) -> int:
        """Days to go through at all bucket lengths, at most."""
        last = self.span.last
        return sum((last - max(min(self.waiting), self.begins(bucket, last))).days + 1 for bucket in Bucket)

    def begins(self, bucket: Bucket, last: date) -> date:
        """The day from which the market is watched up to a day."""
        first = self.span.first
        if bucket is Bucket.HOUR and self.settled is not None:
            return max(first, self.settled)
        if bucket is not Bucket.QUARTER:
            return first
        back = last.toordinal() - QUARTERS_BACK
        return max(first, date.fromordinal(max(back - back % QUARTERS_STEP, 1)))


class Found(NamedTuple):
    """What a run of days at one bucket length adds, in the place of what stood there.

    opened  episodes open before it; None where everything that was ever concluded is to be forgotten
    is_on   the days before it were of the same errand: what stood here was taken back with theirs
    state   the watch at the midnight after it; None while its last day is not over
    """

    bucket: Bucket
    days: Sequence[date]
    opened: Sequence[int] | None
    is_on: bool
    out: Written
    state: bytes | None


def detect_trends(
    engine: sa.Engine,
    model_id: str,
    topic_ids: Sequence[str],
    *,
    closed_at: datetime,
    progress: Progress = lambda market, done, of: None,
) -> tuple[int, int]:
    """Bring every market's trends up to date; returns (days read, snapshots written).

    closed_at  buckets that end by then are closed: every healthy source has been asked for what was published before
    """
    errands = _errands(engine, model_id, topic_ids, closed_at)
    if is_shared(engine):
        return _detect_shared(engine, errands, progress)
    days = written = 0
    done = dict.fromkeys((errand.span.audience_market for errand in errands), 0)
    for errand, found in _found(engine, errands):
        market = errand.span.audience_market
        if found is None:
            _finish(engine, errand)
        else:
            _write(engine, errand, found)
            days, written = days + _days(found), written + sum(len(some.out.snapshots) for some in found)
            done[market] += _days(found)
            progress(market, min(done[market], errand.days), errand.days)
    return days, written


def _errands(
    engine: sa.Engine, model_id: str, topic_ids: Sequence[str], closed_at: datetime, only: str | None = None
) -> list[Errand]:
    """Markets (or one) with days that detection has not taken in, those that take longest first."""
    errands = []
    with reading(engine) as session:
        for span in counts.spans(session, model_id):
            if span.undetected is not None and only in (None, span.audience_market):
                waiting = store.counted_at(session, model_id, span.audience_market, span.undetected)
                settled = _settled(session, model_id, span.audience_market)
                size = counts.size_since(session, model_id, span.audience_market, span.undetected)
                errands.append(Errand(model_id, span, waiting, topic_ids, closed_at, settled, size))
    return sorted(errands, key=lambda errand: -errand.size)


def _settled(session: Session, model_id: str, market: str) -> date | None:
    """From where hours are watched; a model that begins goes through whatever hours there are."""
    known, states = counts.settled(session, market), store.hourly_states(session, model_id, market)
    return known.since if known and states and states[0] >= known.since else None


# ---- shared with other processes ----

WORK = "detect"
"""The kind of its pieces of work: a market each."""


class Detected(NamedTuple):
    """What one piece came to."""

    market: str
    days: int
    snapshots: int


def _detect_shared(engine: sa.Engine, errands: Sequence[Errand], progress: Progress) -> tuple[int, int]:
    """Lay the markets out, do some of them here, wait for the others; returns what was done here."""
    if not errands:
        return 0, 0
    first = errands[0]
    topic_ids, closed_at = first.topic_ids, first.closed_at
    pieces = {e.span.audience_market: {"closed_at": closed_at.isoformat()} for e in errands}
    lasting(engine, lambda session: work.put_out(session, WORK, pieces, closed_at))
    of = {errand.span.audience_market: errand.days for errand in errands}
    done: Iterator[Detected]
    if len(errands) > 1 and workers() > 1 and sum(of.values()) >= MANY_DAYS:
        url = engine.url.render_as_string(hide_password=False)
        apart = partial(_share_apart, url, first.model_id, topic_ids)
        crew = range(min(workers(), len(errands)))
        done = (piece for _, piece in spread(apart, crew, at_once=len(crew)) if piece is not None)
    else:
        done = do_all(engine, WORK, lambda piece: detect_piece(engine, first.model_id, topic_ids, piece))
    days = written = 0
    for piece in done:
        days, written = days + piece.days, written + piece.snapshots
        progress(piece.market, of.get(piece.market, 0), of.get(piece.market, 0))
    return days, written


def _share_apart(url: str, model_id: str, topic_ids: Sequence[str], _number: int) -> Iterator[Detected]:
    engine = open_store(url, migrate=False)
    yield from do_all(engine, WORK, lambda piece: detect_piece(engine, model_id, topic_ids, piece))
    engine.dispose()


def detect_piece(engine: sa.Engine, model_id: str, topic_ids: Sequence[str], piece: work.Piece) -> Detected:
    """Bring one market's trends up to date, as far as it still waits."""
    market, closed_at = piece.subject, datetime.fromisoformat(piece.argument["closed_at"])
    days = written = 0
    for errand in _errands(engine, model_id, topic_ids, closed_at, market):
        for found in _run_errand(engine, errand):
            _write(engine, errand, found)
            days, written = days + _days(found), written + sum(len(some.out.snapshots) for some in found)
        _finish(engine, errand)
    return Detected(market, days, written)


def _found(engine: sa.Engine, errands: Sequence[Errand]) -> Iterator[tuple[Errand, list[Found] | None]]:
    """All that is found, and (errand, None) when an errand is done: in this process, or in others if it is much."""
    if len(errands) > 1 and workers() > 1 and sum(errand.days for errand in errands) >= MANY_DAYS:
        url = engine.url.render_as_string(hide_password=False)
        yield from spread(partial(_run_apart, url), errands, at_once=min(workers(), len(errands)), ahead=1)
        return
    for errand in errands:
        for found in _run_errand(engine, errand):
            yield errand, found
        yield errand, None


def _run_apart(url: str, errand: Errand) -> Iterator[list[Found]]:
    engine = open_store(url, migrate=False)
    yield from _run_errand(engine, errand)
    engine.dispose()


def _run_errand(engine: sa.Engine, errand: Errand) -> Iterator[list[Found]]:
    """What a run of days adds at each bucket length; they read the same counts and posts, so they go day by day."""
    market, span = errand.span.audience_market, errand.span
    zone = MARKETS[market].tz
    topics = {key_number(Kind.TOPIC, topic_id): topic_id for topic_id in errand.topic_ids}
    fresh = min(errand.closed_at, day_start(span.last + timedelta(days=1), zone)) - timedelta(days=FRESH_DAYS)
    recurrence = Recurrence(engine, errand.model_id, market, span.first)
    last = min(span.last, local_day(errand.closed_at, zone))
    runs, read = [], dict[date, DayCounts]()
    for bucket in Bucket:
        listing = Listing(market, bucket, topics, recurrence)
        task = DetectionTask(engine, errand.model_id, listing, errand.closed_at, fresh)
        if run := _begin(task, errand, last, read):
            runs.append(run)
    if not runs:
        return
    del read
    recent: Recent = {}
    for chunk in _chunks(min(run.first for run in runs), last, local_day(fresh, zone)):
        with reading(engine) as session:
            counted = counts.counted_days(session, errand.model_id, market, chunk[0], chunk[-1])
        passing = [(run, run.opened(chunk), Written()) for run in runs if run.first <= chunk[-1]]
        whole = [True] * len(passing)
        for day in (day for day in chunk if day in counted):
            rows = Rows.of(counted[day])
            for n, (run, _, out) in enumerate(passing):
                if day >= run.first:
                    whole[n] = advance_day(run.task, run.watch, run.past, recent, day, counted[day], rows, out)
        yield [
            Found(run.task.bucket, [day for day in chunk if day >= run.first], opened, run.first < chunk[0], out,
                  run.watch.to_bytes() if is_whole else None)
            for (run, opened, out), is_whole in zip(passing, whole, strict=True)
        ]  # fmt: skip


def _write(engine: sa.Engine, errand: Errand, found: Sequence[Found]) -> None:
    """Put a run of days in place of what stood there, whole or not at all."""
    model_id, market = errand.model_id, errand.span.audience_market

    def put(session: Session) -> None:
        for bucket, days, opened, is_on, out, state in found:
            if opened is None:
                store.forget(session, model_id, market, bucket.value)
            elif not is_on:
                since = day_start(days[0], MARKETS[market].tz)
                store.rewind(session, model_id, market, bucket.value, since, opened)
            store.write_episodes(session, list(out.episodes.values()))
            store.write_changes(session, out.changes)
            store.write_snapshots(session, list(out.snapshots.values()))
            if state is not None:
                store.save_state(session, model_id, market, bucket.value, days[-1] + timedelta(days=1), state)

    lasting(engine, put)


def _days(found: Sequence[Found]) -> int:
    return sum(len(some.days) for some in found)


def _finish(engine: sa.Engine, errand: Errand) -> None:
    """Take the days that are over off the list of those that wait."""
    market = errand.span.audience_market
    ends = {day: day_start(day + timedelta(days=1), MARKETS[market].tz) for day in errand.waiting}
    finished = {day: when for day, when in errand.waiting.items() if ends[day] <= errand.closed_at}
    lasting(engine, lambda session: store.mark_detected(session, errand.model_id, market, finished))


@dataclass(slots=True)
class Run:
    """A watch on its way from its last good midnight. is_new: it began with nothing, so nothing of before stands."""

    task: DetectionTask
    watch: Watch
    past: Past
    first: date
    is_new: bool

    def opened(self, chunk: Sequence[date]) -> list[int] | None:
        """Episodes open before a run of days; None where everything is to be forgotten."""
        return None if self.is_new and chunk[0] <= self.first else [o.id for o in self.watch.open.values()]


def _begin(task: DetectionTask, errand: Errand, last: date, read: dict[date, DayCounts]) -> Run | None:
    """A watch at its last good midnight before the first undetected day; None where it need not go through any."""
    begins = errand.begins(task.bucket, last)
    changed = min((day for day in errand.waiting if day >= begins), default=None)
    if changed is None:
        return None
    is_settled = task.bucket is Bucket.HOUR and errand.settled is not None
    kept = _kept(task, changed, begins, is_settled=is_settled)
    first, watch = kept or (begins, Watch(task.model_id, task.market, task.bucket))
    if task.bucket is Bucket.DAY and day_start(first + timedelta(days=1), MARKETS[task.market].tz) > task.closed:
        return None  # it is not over: nothing is known of it, and nothing was said
    watch.begun = begins
    past = Past()
    if kept:
        _remember(task, watch, past, first, read)
    return Run(task, watch, past, first, kept is None)


def _kept(task: DetectionTask, changed: date, begins: date, *, is_settled: bool) -> tuple[date, Watch] | None:
    """The newest midnight at or before the first changed day, of a watch that began when this one should.

    is_settled  it goes on from that midnight, whenever it began
    """
    with reading(task.engine) as session:
        kept = store.load_state(session, task.model_id, task.market, task.bucket.value, changed)
    if kept is None:
        return None
    watch = Watch.from_bytes(kept[1], task.model_id, task.market, task.bucket)
    if is_settled:
        return (kept[0], watch) if kept[0] >= begins else None
    return (kept[0], watch) if watch.begun == begins or watch.begun is None else None


def _forget(recent: Recent, day: date) -> None:
    """Drop the posts that a day and later ones do not look at."""
    for old in [old for old in recent if old <= day - timedelta(days=MOST_DAYS_OF_WINDOWS)]:
        del recent[old]


def _days_of_windows(bucket: Bucket) -> int:
    return -(-int(bucket.windows[-1] * bucket.length / timedelta(days=1)) // 1) + 1


MOST_DAYS_OF_WINDOWS = max(map(_days_of_windows, Bucket))
"""Days of posts that are kept for the days that follow."""


def _chunks(first: date, last: date, single_from: date) -> Iterator[list[date]]:
    """Runs of days; single days near the end and ends at anchors, so that midnights to come back to are kept there."""
    chunk: list[date] = []
    day = first
    while day <= last:
        chunk.append(day)
        following = day + timedelta(days=1)
        if len(chunk) == CHUNK_DAYS or following >= single_from or day == last or store.is_anchor(following):
            yield chunk
            chunk = []
        day += timedelta(days=1)


def _ticks(starts: Sequence[datetime]) -> list[int]:
    return [tick_of(start) for start in starts]


def _exposure(found: DayCounts, bucket: Bucket) -> Sequence[int]:
    """Persons heard in each bucket of a day."""
    if bucket is Bucket.DAY:
        return [found.day_persons]
    heard = found.by_hour if bucket is Bucket.HOUR else found.by_quarter
    return [int(n) for n in heard]


def _remember(task: DetectionTask, watch: Watch, past: Past, before: date, read: dict[date, DayCounts]) -> None:
    """Read the days before a checkpoint, for counting new series backwards: as far as the watch reaches back.

    read  days that another bucket length has read; those that are read here are added
    """
    since = watch.reaches_back
    if since is None:
        return
    zone = MARKETS[task.market].tz
    oldest = local_day(datetime.fromtimestamp(since * TICK, UTC), zone)
    days = [oldest + timedelta(days=n) for n in range((before - oldest).days)]
    missing = [day for day in days if day not in read]
    if missing:
        with reading(task.engine) as session:
            read |= counts.counted_days(session, task.model_id, task.market, missing[0], missing[-1])
    for day in days:
        if day in read:
            past.append(Day.of(Rows.of(read[day]), _ticks(task.bucket.starts(day, zone)), task.bucket), since)


def advance_day(
    task: DetectionTask,
    watch: Watch,
    past: Past,
    recent: Recent,
    day: date,
    found: DayCounts,
    rows: Rows,
    out: Written,
) -> bool:
    """Advance over one day's closed buckets; whether all of them were closed. rows: of what was `found`."""
    _forget(recent, day)
    zone = MARKETS[task.market].tz
    starts = task.bucket.starts(day, zone)
    ends = [*starts[1:], day_start(day + timedelta(days=1), zone)]
    exposure = _exposure(found, task.bucket)
    if task.bucket is not Bucket.DAY and not any(exposure) and not watch.open:
        return ends[-1] <= task.closed  # only days are known here
    counted = Day.of(rows, _ticks(starts), task.bucket)
    tests = watch.tests()
    best: dict[int, Moment] = {}
    crowds: Crowds | None = None
    closed = [end for end in ends if end <= task.closed]
    passed = watch.pass_buckets(
        counted, _ticks(starts[: len(closed)]), past, exposures=exposure[: len(closed)],
        slots=[task.bucket.slot(start, zone) for start in starts[: len(closed)]],
    )  # fmt: skip
    task.listing.recurrence.learn_names(watch.keys[watch.likely(passed.steps, tests)].tolist())
    for end, shown in zip(closed, watch.shown(passed, tests), strict=True):
        complete = day if end == ends[-1] else day - timedelta(days=1)
        changes, tests = len(out.changes), shown.tests
        moments = watch.learn(shown, end, out, recurs=partial(task.listing.recurs, complete))
        for series, moment in moments.items():
            if series not in best or moment.score > best[series].score:
                best[series] = moment
        if moments and end != ends[-1] and task.writes(end, is_news=len(out.changes) > changes):
            crowds = crowds or _crowds(task, recent, day)
            task.listing.write(watch, crowds, past, moments, end, tests, is_daily=False, out=out)
    if len(closed) < len(ends):
        return False
    best = {series: moment for series, moment in best.items() if series in watch.open or moment.q <= 0.05}
    if best:
        crowds = crowds or _crowds(task, recent, day)
        task.listing.write(watch, crowds, past, best, ends[-1], tests, is_daily=True, out=out)
    distinct.add(watch.registers, counted.mixed)
    past.append(counted, watch.reaches_back or 0)
    return True


def _crowds(task: DetectionTask, recent: Recent, day: date) -> Crowds:
    """Posts of the days that the longest window reaches back to; days that were read for the day before are kept."""
    wanted = [day - timedelta(days=back) for back in range(_days_of_windows(task.bucket) - 1, -1, -1)]
    missing = [d for d in wanted if d not in recent]
    if missing:
        zone = MARKETS[task.market].tz
        with reading(task.engine) as session:
            found = posts.heard_posts(session, task.model_id, task.market, missing[0], missing[-1])
        for d in missing:
            since, until = (bisect_left(found.published_at, day_start(one, zone)) for one in (d, d + timedelta(days=1)))
            recent[d] = PostsOfDay(found.some(since, until))
    return Crowds([recent[d] for d in wanted], task.listing.topics)

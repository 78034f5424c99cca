"""Detection: read day counts, advance each market's watch over them, write what turned on.

A watch is kept as it was at local midnights. A run starts at the last midnight before the first day that changed, takes
back what was concluded since, and goes forward; so late posts, recounts and kills all end in the same store.

Hours and days are watched from the first counted day on. Quarters are watched from a day that moves on by two weeks at
a time and is two to four weeks back: then the watch begins anew there, and what was concluded of quarters before it is
forgotten. So their cost and their room do not grow with history, and what is kept depends on the counts alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from radar.keys import Kind, key_number
from radar.markets import MARKETS, day_start, local_day
from radar.moments import Listing
from radar.recurrence import Recurrence
from radar.store import counts, posts
from radar.store import trends as store
from radar.store.counts import MarketSpan
from radar.store.day_blob import DayCounts
from radar.store.engine import reading, writing
from radar.store.posts import DayPost
from radar.support import PostsOfDay, WindowPosts
from radar.trends import distinct
from radar.watch import TICK, Day, Moment, Past, Watch, Written, tick_of
from radar.windows import Bucket

CHUNK_DAYS = 24
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
    progress: Callable[[int], None]

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
    topics = {key_number(Kind.TOPIC, topic_id): topic_id for topic_id in topic_ids}
    with reading(engine) as session:
        spans = counts.spans(session, model_id)
    days = written = 0
    for span in spans:
        if span.undetected is None:
            continue
        with reading(engine) as session:
            seen = store.counted_at(session, model_id, span.audience_market, span.undetected)
        zone = MARKETS[span.audience_market].tz
        fresh = min(closed_at, day_start(span.last + timedelta(days=1), zone)) - timedelta(days=FRESH_DAYS)
        total = sum(((span.last - max(span.undetected, _begins(b, span.first, span.last))).days + 1) for b in Bucket)
        at = 0

        def tick(n: int, market: str = span.audience_market, total: int = total) -> None:
            nonlocal at
            at += n
            progress(market, min(at, total), total)

        for bucket in Bucket:
            recurrence = Recurrence(engine, model_id, span.audience_market, span.first)
            listing = Listing(span.audience_market, bucket, topics, recurrence)
            task = DetectionTask(engine, model_id, listing, closed_at, fresh, tick)
            d, w = _run(task, span, sorted(seen))
            days, written = days + d, written + w
        with writing(engine) as session, session.begin():
            finished = {
                day: when for day, when in seen.items() if day_start(day + timedelta(days=1), zone) <= closed_at
            }
            store.mark_detected(session, model_id, span.audience_market, finished)
    return days, written


def _begins(bucket: Bucket, first: date, last: date) -> date:
    """The day from which a market is watched that has counts of first..last."""
    if bucket is not Bucket.QUARTER:
        return first
    back = last.toordinal() - QUARTERS_BACK
    return max(first, date.fromordinal(max(back - back % QUARTERS_STEP, 1)))


def _run(task: DetectionTask, span: MarketSpan, waiting: Sequence[date]) -> tuple[int, int]:
    """Advance one watch from its last good midnight to the end of what is closed; waiting are the undetected days."""
    zone = MARKETS[task.market].tz
    last = min(span.last, local_day(task.closed, zone))
    begins = _begins(task.bucket, span.first, last)
    changed = next((day for day in waiting if day >= begins), None)
    if changed is None:
        return 0, 0
    found = _kept(task, changed, begins)
    first, watch = found or (begins, Watch(task.model_id, task.market, task.bucket))
    watch.begun = begins
    past = Past()
    recent: Recent = {}
    if found:
        _remember(task, watch, past, first)
    days = written = 0
    for chunk in _chunks(first, last, local_day(task.fresh_from, zone)):
        out = Written()
        opened = [o.id for o in watch.open.values()]
        with reading(task.engine) as session:
            counted = counts.counted_days(session, task.model_id, task.market, chunk[0], chunk[-1])
        whole = True
        for day in chunk:
            if day in counted:
                whole = advance_day(task, watch, past, recent, day, counted[day], out)
            task.progress(1)
        with writing(task.engine) as session, session.begin():
            if found or days:
                since = day_start(chunk[0], zone)
                store.rewind(session, task.model_id, task.market, task.bucket.value, since, opened)
            else:
                store.forget(session, task.model_id, task.market, task.bucket.value)
            store.write_episodes(session, list(out.episodes.values()))
            store.write_changes(session, out.changes)
            store.write_snapshots(session, list(out.snapshots.values()))
            if whole:
                after = chunk[-1] + timedelta(days=1)
                store.save_state(session, task.model_id, task.market, task.bucket.value, after, watch.to_bytes())
        days, written = days + len(chunk), written + len(out.snapshots)
    return days, written


def _kept(task: DetectionTask, changed: date, begins: date) -> tuple[date, Watch] | None:
    """The newest midnight at or before the first changed day, of a watch that began when this one should."""
    with reading(task.engine) as session:
        kept = store.load_state(session, task.model_id, task.market, task.bucket.value, changed)
    if kept is None:
        return None
    watch = Watch.from_bytes(kept[1], task.model_id, task.market, task.bucket)
    return (kept[0], watch) if watch.begun == begins or watch.begun is None else None


def _days_of_windows(bucket: Bucket) -> int:
    return -(-int(bucket.windows[-1] * bucket.length / timedelta(days=1)) // 1) + 1


def _chunks(first: date, last: date, single_from: date) -> Iterator[list[date]]:
    """Runs of days; single days near the end, so that midnights to come back to are kept there."""
    chunk: list[date] = []
    day = first
    while day <= last:
        chunk.append(day)
        if len(chunk) == CHUNK_DAYS or day + timedelta(days=1) >= single_from or day == last:
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


def _remember(task: DetectionTask, watch: Watch, past: Past, before: date) -> None:
    """Read the days before a checkpoint, for counting new series backwards: as far as the watch reaches back."""
    since = watch.reaches_back
    if since is None:
        return
    zone = MARKETS[task.market].tz
    oldest = local_day(datetime.fromtimestamp(since * TICK, UTC), zone)
    with reading(task.engine) as session:
        found = counts.counted_days(session, task.model_id, task.market, oldest, before - timedelta(days=1))
    for day, counted in found.items():
        past.append(Day.of(counted, _ticks(task.bucket.starts(day, zone)), task.bucket), since)


def advance_day(
    task: DetectionTask,
    watch: Watch,
    past: Past,
    recent: Recent,
    day: date,
    found: DayCounts,
    out: Written,
) -> bool:
    """Advance over one day's closed buckets; whether all of them were closed."""
    zone = MARKETS[task.market].tz
    starts = task.bucket.starts(day, zone)
    ends = [*starts[1:], day_start(day + timedelta(days=1), zone)]
    exposure = _exposure(found, task.bucket)
    if task.bucket is not Bucket.DAY and not any(exposure) and not watch.open:
        return ends[-1] <= task.closed  # only days are known here
    rows = Day.of(found, _ticks(starts), task.bucket)
    births = rows.births()
    tests = watch.tests()
    best: dict[int, Moment] = {}
    window_posts: WindowPosts | None = None
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end > task.closed:
            return False
        slot = task.bucket.slot(start, zone)
        step = watch.advance(rows, births, tick_of(start), past, exposure=float(exposure[i]), slot=slot)
        complete = day if end == ends[-1] else day - timedelta(days=1)
        changes = len(out.changes)
        moments = watch.learn(step, end, tests, out, recurs=partial(task.listing.recurs, complete))
        for series, moment in moments.items():
            if series not in best or moment.score > best[series].score:
                best[series] = moment
        if moments and end != ends[-1] and task.writes(end, is_news=len(out.changes) > changes):
            window_posts = window_posts or _posts(task, recent, day)
            task.listing.write(watch, window_posts, past, moments, end, tests, is_daily=False, out=out)
    best = {series: moment for series, moment in best.items() if series in watch.open or moment.q <= 0.05}
    if best:
        window_posts = window_posts or _posts(task, recent, day)
        task.listing.write(watch, window_posts, past, best, ends[-1], tests, is_daily=True, out=out)
    distinct.add(watch.registers, rows.mixed)
    past.append(rows, watch.reaches_back or 0)
    return True


def _posts(task: DetectionTask, recent: Recent, day: date) -> WindowPosts:
    """Posts of the days that the longest window reaches back to; days that were read for the day before are kept."""
    wanted = [day - timedelta(days=back) for back in range(_days_of_windows(task.bucket) - 1, -1, -1)]
    for old in recent.keys() - set(wanted):
        del recent[old]
    missing = [d for d in wanted if d not in recent]
    if missing:
        zone = MARKETS[task.market].tz
        with reading(task.engine) as session:
            found = posts.day_posts(session, task.model_id, task.market, missing[0], missing[-1])
        by_day: dict[date, list[DayPost]] = {d: [] for d in missing}
        for item in found:
            items = by_day.get(local_day(item.published_at, zone))
            if items is not None:
                items.append(item)
        recent |= {d: PostsOfDay(items) for d, items in by_day.items()}
    return WindowPosts([recent[d] for d in wanted])

"""The shadow run: how many trends the same code finds where there can be none, beside those it finds as things are.

Over the last eight weeks each person's days are dealt out anew among days of the same weekday, whole, each person's by
a turn of its own. What a person says, when in the day, and how much a Tuesday brings stay as they were; that several
persons begin to say the same thing at the same time does not. Whatever is found then is chance (a permutation test;
Westfall and Young, Resampling-Based Multiple Testing, 1993), so found in the shadow over found in truth is the share of
false trends to expect in the list.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter

import sqlalchemy as sa
import xxhash

from radar.day_arithmetic import count_day
from radar.detect import DetectionTask, advance_day
from radar.keys import Kind, key_number
from radar.markets import MARKETS, day_start, local_day
from radar.moments import Listing
from radar.past import Past, Rows
from radar.recurrence import Recurrence
from radar.store import counts, posts, shadow
from radar.store.day_columns import columns_of
from radar.store.engine import reading, writing
from radar.store.posts import DayPost
from radar.store.shadow import ShadowRow
from radar.support import PostsOfDay
from radar.trends.stages import Q_ON
from radar.watch import Watch, Written
from radar.windows import Bucket

WEEKS = 8
FEWEST_WEEKS = 6
"""Four weeks warm the day's baseline up, two can show something."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole weeks of one market, dealt out by a seed; seed None leaves them as they are."""

    engine: sa.Engine
    model_id: str
    market: str
    first: date
    weeks: int
    seed: int | None

    def days(self) -> Iterator[date]:
        """All local days of the stretch."""
        return (self.first + timedelta(days=n) for n in range(7 * self.weeks))

    def posts(self, day: date) -> list[DayPost]:
        """The posts that fall on a day, in time order."""
        zone = MARKETS[self.market].tz
        if self.seed is None:
            return self._read(day)
        start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
        week, weekday = divmod((day - self.first).days, 7)
        dealt = []
        for turn in range(self.weeks):
            source = self.first + timedelta(days=7 * ((week + turn) % self.weeks) + weekday)
            before = day_start(source, zone)
            for item in self._read(source):
                if self._turn(item.person_id, weekday) == turn:
                    at = min(start + (item.published_at - before), end - timedelta(seconds=1))
                    dealt.append(item._replace(published_at=at))
        return sorted(dealt, key=attrgetter("published_at", "id"))

    def _turn(self, person: int, weekday: int) -> int:
        return xxhash.xxh3_64_intdigest(f"{self.seed}|{person}|{weekday}".encode()) % self.weeks

    def _read(self, day: date) -> list[DayPost]:
        with reading(self.engine) as session:
            return posts.day_posts(session, self.model_id, self.market, day, day)


def run_shadow(
    engine: sa.Engine,
    model_id: str,
    topic_ids: Sequence[str],
    market: str,
    *,
    now: datetime,
    shadows: int = 1,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[ShadowRow]:
    """One market's shadow run, stored; a row for each bucket length, none where six whole weeks are not counted yet."""
    with reading(engine) as session:
        span = next((s for s in counts.spans(session, model_id) if s.audience_market == market), None)
    if span is None:
        return []
    last = min(span.last, local_day(now, MARKETS[market].tz) - timedelta(days=1))
    weeks = min(WEEKS, ((last - span.first).days + 1) // 7)
    if weeks < FEWEST_WEEKS:
        return []
    first = last - timedelta(days=7 * weeks - 1)
    rows, done, total = [], 0, len(Bucket) * (1 + shadows)
    for bucket in Bucket:
        found = []
        for seed in (None, *range(shadows)):
            found.append(_trends(Stretch(engine, model_id, market, first, weeks, seed), topic_ids, bucket))
            done += 1
            progress(done, total)
        days = 7 * weeks - int(bucket.warm_up * bucket.length / timedelta(days=1))
        mean = sum(found[1:]) / shadows
        rows.append(ShadowRow(model_id, market, bucket.value, last, days, found[0], mean, shadows, now))
    with writing(engine) as session, session.begin():
        for row in rows:
            shadow.write_shadow(session, row)
    return rows


def next_market(engine: sa.Engine, model_id: str) -> str | None:
    """The market whose turn it is: never looked at, or longest ago."""
    with reading(engine) as session:
        markets = [span.audience_market for span in counts.spans(session, model_id)]
        seen = shadow.last_shadows(session, model_id)
    return min(markets, key=lambda m: (m in seen, seen.get(m), m), default=None)


def _trends(stretch: Stretch, topic_ids: Sequence[str], bucket: Bucket) -> int:
    """How many trends detection finds in a stretch, from an empty state; variants count with their leader."""
    zone = MARKETS[stretch.market].tz
    topics = {key_number(Kind.TOPIC, topic_id): topic_id for topic_id in topic_ids}
    listing = Listing(
        stretch.market, bucket, topics, Recurrence(stretch.engine, stretch.model_id, stretch.market, stretch.first)
    )
    never = day_start(stretch.first + timedelta(days=7 * stretch.weeks + 1), zone)
    task = DetectionTask(stretch.engine, stretch.model_id, listing, closed=never, fresh_from=never)
    watch = Watch(stretch.model_id, stretch.market, bucket)
    past = Past()
    recent = {stretch.first - timedelta(days=back): PostsOfDay.of([]) for back in range(1, 9)}
    leaders: set[int] = set()
    for day in stretch.days():
        items = stretch.posts(day)
        recent[day] = PostsOfDay.of(items)
        out = Written()
        counted = count_day(columns_of(items), day, zone)
        advance_day(task, watch, past, recent, day, counted, Rows.of(counted), out)
        leaders |= {row["episode_id"] for row in out.snapshots.values() if row["q"] <= Q_ON}
    return len(leaders)

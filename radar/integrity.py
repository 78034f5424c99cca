"""Whether the store is what it should be: checked a day, a page of rows, a page of episodes at a time; never written.

Each batch is read as of one moment, so that radars at work beside it are never taken for faults. What waits for a
recount is left alone: it is made anew anyway.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.day_arithmetic import count_day
from radar.markets import MARKETS, Market, local_day
from radar.store import integrity as store
from radar.store import posts, promotion, source_days
from radar.store.day_blob import DayCounts
from radar.store.day_columns import columns_of
from radar.store.engine import reading, reading_still

DAYS = 30
LISTED = 20
"""Findings of a kind that are told one by one."""
PAGES = 20
"""Pages of a table's newest rows that are looked at unless all are."""

Progress = Callable[[str, int, int | None], None]

HINTS = {
    "file": "The file is damaged: stop radar, copy the folder aside, and restore a backup (radar db restore).",
    "counts": "Have those days counted anew: radar db recount MARKET DAY, then radar run count_mentions.",
    "sources": "Have those days counted anew: radar db recount MARKET DAY, then radar run count_mentions.",
    "uncounted": "Have those days counted: radar db recount MARKET DAY, then radar run count_mentions.",
    "unsealed": "Its posts have lost their texts: keep the counts, and restore a backup if they look wrong.",
    "posts": "Something else than radar wrote there: import those posts again, or restore a backup.",
    "orphans": "Something else than radar wrote there, or the disk lost rows: restore a backup (radar db restore).",
    "episodes": "Have the market detected anew from that day: radar db recount MARKET DAY, then radar run line.",
    "promotion": "Make a model that has counted the active one: radar promote --back, or radar promote MODEL.",
}
"""What to do, by kind of finding."""


@dataclass(slots=True)
class Report:
    """What was found and how much was looked at.

    found    by kind, the first so many findings in words;  counts  all of them, by kind
    looked   days, posts, rows, trends;                   passed  days left alone: waiting, sealed or read in part
    """

    found: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    looked: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)

    @property
    def is_well(self) -> bool:
        return not self.counts

    def tell(self, kind: str, said: str, n: int = 1) -> None:
        self.counts[kind] += n
        kept = self.found.setdefault(kind, [])
        if len(kept) < LISTED:
            kept.append(said)


def check_store(
    engine: sa.Engine, *, days: int | None = DAYS, progress: Progress = lambda what, done, of: None
) -> Report:
    """Look the store over: its newest days of each market and newest rows of each table, or all (days=None)."""
    report = Report()
    if days is None:
        progress("the file", 0, None)
        with reading(engine) as session:
            for line in store.file_faults(session, LISTED):
                report.tell("file", line)
    with reading(engine) as session:
        active = promotion.active_model(session)
        _check_promotion(session, active, report)
    oldest: list[date] = []
    for market in MARKETS.values():
        oldest += _check_days(engine, active or "", market, days, report, progress)
    _check_links(engine, None if days is None else PAGES, report, progress)
    if days is None:
        _check_episodes(engine, None, report, progress)
    elif oldest:
        _check_episodes(engine, datetime.combine(min(oldest), time(), UTC), report, progress)
    return report


def _check_promotion(session: Session, active: str | None, report: Report) -> None:
    named = promotion.named_model(session)
    if named and store.has_counts(session) and not store.has_counts(session, named):
        report.tell("promotion", f"The active model {named} has counted nothing, another one has.")
    if active and promotion.previous_model(session) == active:
        report.tell("promotion", f"{active} is both the active model and the one before it.")


def _check_days(
    engine: sa.Engine, model_id: str, market: Market, days: int | None, report: Report, progress: Progress
) -> list[date]:
    """The newest days of a market, one at a time; the oldest that was looked at."""
    day: date | None = None
    done = 0
    while days is None or done < days:
        with reading_still(engine) as session:
            before = store.day_before(session, model_id, market.code, day)
            if before is None:
                break
            day, done = before, done + 1
            _check_day(session, model_id, market, day, report)
        progress(f"days of {market.code}", done, days)
    return [day] if day else []


def _check_day(session: Session, model_id: str, market: Market, day: date, report: Report) -> None:
    where = f"{market.code} {day}"
    report.looked["days"] += 1
    _check_placed(session, market, day, report)
    if store.waits(session, market.code, day):
        report.passed["waiting"] += 1
        return
    _check_given(session, market, day, report)
    stored = store.stored_day(session, model_id, market.code, day)
    read = posts.day_posts(session, model_id, market.code, day, day)
    read = [item for item in read if local_day(item.published_at, market.tz) == day]
    if stored is None:
        if read and not store.counted_by_any(session, market.code, day):
            report.tell("uncounted", f"{where}: {len(read):,} posts were read, nobody has counted them.")
        return
    if stored.is_sealed:
        report.passed["sealed"] += 1
        _blob_of(stored, where, report)
    elif not all(item.is_own for item in read):
        report.passed["read by another model"] += 1
    else:
        if store.has_pruned(session, market.code, day):
            report.tell("unsealed", f"{where} is not sealed.")
        if (kept := _blob_of(stored, where, report)) is not None:
            fresh = count_day(columns_of(read), day, market.tz)
            if differing := _differing(kept, fresh, stored.post_count, len(read)):
                report.tell("counts", f"{where}: {differing} differ from a recount.")


def _check_given(session: Session, market: Market, day: date, report: Report) -> None:
    """Whether what is kept of a day's sources and languages is what its posts say; of days that were counted."""
    if not store.counted_by_any(session, market.code, day):
        return
    kept, fresh = source_days.kept(session, market.code, day), source_days.given(session, market.code, day)
    for name in source_days.Given._fields:
        if getattr(kept, name) != getattr(fresh, name):
            report.tell("sources", f"{market.code} {day}: what is kept of its {name} differs from its posts.")


def _blob_of(stored: store.StoredDay, where: str, report: Report) -> DayCounts | None:
    """A day's counts; what cannot be read, or says other than its row, is told."""
    try:
        kept = DayCounts.from_bytes(stored.counts)
    except Exception:  # zlib, struct and NumPy each have their own
        report.tell("counts", f"{where}: its counts cannot be read.")
        return None
    if kept.day_persons != stored.person_count:
        report.tell(
            "counts", f"{where}: {stored.person_count:,} persons in its row, {kept.day_persons:,} in its counts."
        )
    return kept


def _differing(kept: DayCounts, fresh: DayCounts, kept_posts: int, read: int) -> str:
    """What of a day's counts is not as counted now, in words; empty where all is."""
    faults = [] if kept_posts == read else [f"posts ({kept_posts:,} and {read:,})"]
    if kept.day_persons != fresh.day_persons:
        faults.append(f"persons ({kept.day_persons:,} and {fresh.day_persons:,})")
    old, new = fresh.to_bytes(), kept.to_bytes()
    if not faults and old != new and not any(map(partial(_same, kept), (fresh.by_the_hour(), fresh.by_the_day()))):
        same = [np.array_equal(getattr(kept, name), getattr(fresh, name)) for name in DayCounts.__slots__[:6]]
        faults.append("keys, places and hours" if not all(same) else "persons by the hour")
    return " and ".join(faults)


def _same(kept: DayCounts, coarser: DayCounts) -> bool:
    """Whether counts are what a recount comes to in a coarser form; sums of floats but for the order of adding."""
    names = [name for name in DayCounts.__slots__ if name not in ("engagement", "day_persons")]
    same = all(np.array_equal(getattr(kept, name), getattr(coarser, name)) for name in names)
    return same and np.allclose(kept.engagement, coarser.engagement, rtol=1e-4)


def _check_placed(session: Session, market: Market, day: date, report: Report) -> None:
    """Whether a day's posts are of that day in the market's zone, and of their author's market."""
    for post_id, published_at, of in store.placed_posts(session, market.code, day):
        report.looked["posts"] += 1
        if (is_on := local_day(published_at, market.tz)) != day:
            report.tell("posts", f"Post {post_id} is kept under {market.code} {day}, and was published on {is_on}.")
        elif of is not None and of != market.code:
            report.tell("posts", f"Post {post_id} is kept under {market.code}, its author under {of}.")


def _check_links(engine: sa.Engine, pages: int | None, report: Report, progress: Progress) -> None:
    links = store.links()
    for n, link in enumerate(links):
        progress("rows that name others", n, len(links))
        last, done = None, 0
        while pages is None or done < pages:
            with reading_still(engine) as session:
                page = store.orphan_page(session, link, last)
            if page is None:
                break
            last, done = page.last, done + 1
            report.looked["rows"] += page.rows
            for name in page.lost:
                report.tell("orphans", f"{link.child} {name}: its {link.column} names no {link.parent}.")


def _check_episodes(engine: sa.Engine, since: datetime | None, report: Report, progress: Progress) -> None:
    last: store.Told | None = None
    while True:
        with reading_still(engine) as session:
            page = store.episode_page(session, since, last)
        if not page:
            return
        last = page[-1]
        report.looked["trends"] += len(page)
        progress("trends", report.looked["trends"], None)
        for told in page:
            if fault := _episode_fault(told):
                report.tell("episodes", f"Trend {told.id} ({told.audience_market} {told.onset_at:%Y-%m-%d}): {fault}.")


def _episode_fault(told: store.Told) -> str:
    if told.last_change is None or told.first_change is None:
        return "it has no stage"
    if (told.last_stage, told.last_change) != (told.stage, told.stage_since):
        return f"it is said to be {told.stage}, its last change says {told.last_stage}"
    if told.first_change < told.onset_at or (told.ended_at is not None and told.ended_at < told.onset_at):
        return "it changed or ended before it began"
    return f"{told.strays} snapshots are not of it" if told.strays else ""

"""However posts come, the counts are the same; and clocks that change lose no post and shift none."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from radar.classify import classify_posts
from radar.count import count_mentions
from radar.keys import Kind, key_number
from radar.markets import MARKETS, day_hours
from radar.registry import TopicScorer, model_id
from radar.sources.base import RawPost
from radar.store import counts
from radar.store.engine import reading
from radar.store.tables import day_count
from tests.api.small_store import KeywordScorer
from tests.builders import NOON, a_post, fresh_store, put

LATER = datetime(2026, 12, 1, tzinfo=UTC)
TEXTS = ["藥妝 #sweet 大阪", "機票 日本 #sweet", "ramen #noodles in Tokyo", "寫 #cafe", "nothing at all"]


def _count(engine: sa.Engine, now: datetime = NOON) -> None:
    scorer = cast(TopicScorer, KeywordScorer())
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=now)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=now)


def _counted(engine: sa.Engine) -> dict[Any, Any]:
    c = day_count.c
    with engine.connect() as connection:
        rows = connection.execute(sa.select(c.audience_market, c.local_day, c.counts, c.person_count, c.post_count))
        return {(market, day): tuple(rest) for market, day, *rest in rows}


def _after(batches: list[list[RawPost]], *, count_each: bool) -> dict[Any, Any]:
    with TemporaryDirectory() as folder:
        engine = fresh_store(Path(folder) / "radar.db")
        for batch in batches:
            put(engine, *batch)
            if count_each:
                _count(engine)
        _count(engine)
        found = _counted(engine)
        engine.dispose()
    return found


@st.composite
def _posts(draw: st.DrawFn) -> list[RawPost]:
    """Up to twelve posts of five accounts of four persons in three markets, some copies of each other."""
    markets = {"ann": "TW", "ann2": "TW", "bob": "TW", "eve": "US", "joe": "JP"}
    found = []
    for n in range(draw(st.integers(1, 12))):
        author = draw(st.sampled_from(sorted(markets)))
        found.append(
            a_post(
                f"p{n}",
                draw(st.sampled_from(TEXTS)),
                author=author,
                person="ann" if author.startswith("ann") else None,
                market=markets[author],
                published_at=NOON - timedelta(hours=draw(st.integers(0, 40))),
                day_only=draw(st.booleans()),
                like_count=draw(st.none() | st.integers(0, 9)),
            )
        )
    return found


@st.composite
def _arrivals(draw: st.DrawFn) -> tuple[list[RawPost], list[list[RawPost]]]:
    """Posts, and the same posts as they arrive: some twice, in any order, in batches."""
    posts = draw(_posts())
    coming = draw(st.permutations(posts + draw(st.lists(st.sampled_from(posts), max_size=5))))
    cuts = sorted(draw(st.sets(st.integers(1, len(coming)), max_size=3)))
    return posts, [coming[start:end] for start, end in zip([0, *cuts], [*cuts, len(coming)], strict=True)]


@settings(max_examples=25, deadline=None)
@given(arrivals=_arrivals(), count_each=st.booleans())
def test_however_posts_arrive_the_counts_are_the_same(
    arrivals: tuple[list[RawPost], list[list[RawPost]]], count_each: bool
) -> None:
    posts, batches = arrivals
    expected = _after([posts], count_each=False)
    assert expected
    assert _after(batches, count_each=count_each) == expected


NEW_YORK = MARKETS["US"].tz
SHORT, LONG = date(2026, 3, 8), date(2026, 11, 1)  # clocks go forward, and back


@pytest.mark.parametrize(("day", "hours"), [(SHORT, 23), (LONG, 25), (LONG - timedelta(days=1), 24)])
def test_a_day_has_the_hours_its_clocks_show(day: date, hours: int) -> None:
    starts = day_hours(day, NEW_YORK)
    assert len(starts) == hours
    assert {at.astimezone(NEW_YORK).date() for at in starts} == {day}
    assert (starts[-1] + timedelta(hours=1)).astimezone(NEW_YORK).date() == day + timedelta(days=1)
    assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(hours=1)}


@pytest.mark.parametrize("zone", [market.zone for market in MARKETS.values()])
def test_days_follow_each_other_without_gap_or_overlap(zone: str) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    starts = [at for day in days for at in day_hours(day, ZoneInfo(zone))]
    assert Counter(later - earlier for earlier, later in pairwise(starts)) == {timedelta(hours=1): 365 * 24 - 1}


@pytest.mark.parametrize(("day", "hours"), [(SHORT, 23), (LONG, 25), (date(2024, 2, 29), 24)])
def test_every_hour_around_a_switch_is_counted_on_its_local_day(engine: sa.Engine, day: date, hours: int) -> None:
    before = datetime.combine(day - timedelta(days=1), datetime.min.time(), NEW_YORK).astimezone(UTC)
    times = [before + timedelta(hours=h, minutes=59) for h in range(24 + hours + 24)]
    put(
        engine,
        *[a_post(str(n), f"#sweet {n}", author=f"a{n}", market="US", published_at=at) for n, at in enumerate(times)],
        now=LATER,
    )
    _count(engine, LATER)
    with reading(engine) as session:
        found = counts.counted_days(session, model_id(), "US", day - timedelta(days=2), day + timedelta(days=2))
    lengths = {day - timedelta(days=1): 24, day: hours, day + timedelta(days=1): 24}
    assert {on: int(counted.day_persons) for on, counted in found.items()} == lengths
    for on, length in lengths.items():
        rows = (found[on].keys == key_number(Kind.HASHTAG, "sweet")) & (found[on].places == 0)
        assert found[on].buckets[rows].tolist() == [4 * hour + 3 for hour in range(length)]
        assert found[on].by_quarter.tolist() == ([0, 0, 0, 1] * length + [0] * 100)[:100]
        assert found[on].persons[rows].tolist() == [1] * length
        assert found[on].by_hour.tolist() == [1] * length + [0] * (25 - length)


@settings(max_examples=300, deadline=None)
@given(at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 30), timezones=st.just(UTC)))
def test_every_instant_is_in_one_hour_of_one_day(at: datetime) -> None:
    on = at.astimezone(NEW_YORK).date()
    holding = [
        day
        for day in (on - timedelta(days=1), on, on + timedelta(days=1))
        for start in day_hours(day, NEW_YORK)
        if start <= at < start + timedelta(hours=1)
    ]
    assert holding == [on]

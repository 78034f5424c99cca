"""Taking posts in: the same again changes nothing, what changed is read anew, the bad never stop the good."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from radar.ingest import ingest_posts, ingest_profiles
from radar.sources.base import RawAuthor
from radar.store.engine import writing
from radar.store.tables import (
    author,
    author_due,
    dirty_day,
    engagement_observation,
    follower_observation,
    post,
    post_signal,
)
from tests.builders import NOON, a_post, put


def _all(engine: sa.Engine, *columns: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns))]


def test_the_same_posts_twice_change_nothing(engine: sa.Engine) -> None:
    posts = [a_post("1", like_count=3), a_post("2")]
    assert put(engine, *posts).new == 2
    with engine.begin() as connection:
        connection.execute(sa.delete(dirty_day))
    again = put(engine, *posts, now=NOON + timedelta(hours=1))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)
    assert _all(engine, dirty_day.c.local_day) == []
    assert len(_all(engine, engagement_observation.c.post_id)) == 1


def test_an_edit_waits_for_reading_again_and_marks_both_days(engine: sa.Engine) -> None:
    put(engine, a_post("1"))
    with engine.begin() as connection:
        connection.execute(sa.update(post).values(classified_at=NOON))
        connection.execute(sa.delete(dirty_day))
    moved = put(engine, a_post("1", "sushi in Osaka", published_at=NOON + timedelta(days=1)))
    assert moved.changed == 1
    assert _all(engine, post.c.text, post.c.classified_at) == [("sushi in Osaka", None)]
    assert sorted(_all(engine, dirty_day.c.local_day)) == [(date(2026, 5, 4),), (date(2026, 5, 5),)]


def test_hidden_counts_stay_null(engine: sa.Engine) -> None:
    put(engine, a_post("1", like_count=None, comment_count=0))
    assert _all(engine, post.c.like_count, post.c.comment_count) == [(None, 0)]


def test_a_deletion_takes_the_reading_away(engine: sa.Engine) -> None:
    put(engine, a_post("1"))
    assert put(engine, a_post("1", deleted=True)).deleted == 1
    assert _all(engine, post.c.deleted_at) == [(NOON,)]
    assert _all(engine, post_signal.c.post_id) == []
    assert put(engine, a_post("1", deleted=True)).unchanged == 1


def test_nobody_ends_the_post_of_another(engine: sa.Engine) -> None:
    put(engine, a_post("1"), a_post("2", author="stranger"))
    assert put(engine, a_post("1", author="stranger", deleted=True)).deleted == 0
    assert _post_row(engine).deleted_at is None


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (a_post("x", text="  "), "text"),
        (a_post("x", market="XX"), "market"),
        (a_post("", text="hello"), "native_id"),
        (a_post("x", author=""), "author"),
        (a_post("x", published_at=datetime(2030, 1, 1, tzinfo=UTC)), "published_at"),
        (a_post("x", published_at=datetime(2026, 1, 1)), "published_at"),
        (a_post("x", like_count=-1), "like_count"),
    ],
)
def test_a_bad_post_is_named_and_the_good_ones_go_in(engine: sa.Engine, bad: Any, field: str) -> None:
    result = put(engine, a_post("1"), bad, a_post("2"))
    assert result.new == 2
    assert [(position, reason.split(":")[0]) for position, reason in result.rejected] == [(1, field)]


def test_accounts_of_one_person_are_one(engine: sa.Engine) -> None:
    put(engine, a_post("1", author="a", person="p"), a_post("2", author="b", person="p"), a_post("3", author="c"))
    put(engine, a_post("4", author="d", person="p"))
    persons = dict(_all(engine, author.c.native_id, author.c.person_id))
    assert persons["a"] == persons["b"] == persons["d"] != persons["c"]


def test_what_a_database_cannot_hold_is_taken_out(engine: sa.Engine) -> None:
    put(engine, a_post("1", "ra\x00men \ud83d in Osaka"))
    assert _all(engine, post.c.text) == [("ramen ? in Osaka",)]


@pytest.mark.parametrize(
    ("market", "at", "day"),
    [
        ("TW", datetime(2026, 5, 4, 16, 30, tzinfo=UTC), date(2026, 5, 5)),
        ("US", datetime(2026, 3, 8, 4, 30, tzinfo=UTC), date(2026, 3, 7)),
        ("US", datetime(2026, 11, 2, 4, 30, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
def test_the_day_is_the_markets_own(engine: sa.Engine, market: str, at: datetime, day: date) -> None:
    put(engine, a_post("1", market=market, published_at=at), now=datetime(2026, 12, 1, tzinfo=UTC))
    assert _all(engine, post.c.local_day) == [(day,)]


def _post_row(engine: sa.Engine, native_id: str = "1") -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.select(post).where(post.c.native_id == native_id)).one()


def test_what_a_source_does_not_tell_stays_and_what_it_hides_goes(engine: sa.Engine) -> None:
    put(engine, a_post("1", like_count=9, sponsored=True, url="https://example.com/1"))
    assert put(engine, a_post("1", given=frozenset({"comment_count"}), comment_count=2)).changed == 1
    row = _post_row(engine)
    assert (row.like_count, row.comment_count, row.platform_sponsored, row.url) == (9, 2, True, "https://example.com/1")
    put(engine, a_post("1"))  # tells everything: likes are hidden now
    assert _post_row(engine).like_count is None


def test_an_hour_that_becomes_known_counts_by_the_hour(engine: sa.Engine) -> None:
    put(engine, a_post("1", day_only=True))
    assert put(engine, a_post("1")).changed == 1
    assert _post_row(engine).day_only is False


def test_a_deleted_post_keeps_no_text_and_comes_back_with_one(engine: sa.Engine) -> None:
    put(engine, a_post("1", url="https://example.com/1"))
    put(engine, a_post("1", deleted=True))
    assert (_post_row(engine).text, _post_row(engine).url) == (None, None)
    put(engine, a_post("1", url="https://example.com/1"))
    assert (_post_row(engine).text, _post_row(engine).deleted_at) == ("ramen in Osaka", None)


def test_accounts_that_a_later_file_links_are_one_person_on_all_their_days(engine: sa.Engine) -> None:
    put(engine, a_post("1", author="ann"), a_post("2", author="ann2", published_at=NOON - timedelta(days=3)))
    with writing(engine) as session, session.begin():
        session.execute(sa.delete(dirty_day))
    put(engine, a_post("1", author="ann", person="Ann"), a_post("3", author="ann2", person="Ann"))
    with engine.connect() as connection:
        assert len(set(connection.scalars(sa.select(author.c.person_id)))) == 1
        days = set(connection.scalars(sa.select(dirty_day.c.local_day)))
    assert days == {NOON.date(), (NOON - timedelta(days=3)).date()}


def test_a_post_for_another_market_than_its_authors_is_told(engine: sa.Engine) -> None:
    put(engine, a_post("1", market="JP"))
    done = put(engine, a_post("2", market="KR"))
    assert (done.new, done.elsewhere) == (1, 1)
    assert _post_row(engine, "2").audience_market == "JP"


@pytest.mark.parametrize(
    "wrong",
    [
        {"language": "x" * 17},
        {"repost_of": "x" * 256},
        {"url": "https://example.com/\x00"},
        {"native_id": "a\x00b"},
        {"like_count": 10**23},
    ],
)
def test_what_a_database_cannot_hold_is_rejected_and_the_rest_taken(engine: sa.Engine, wrong: dict[str, Any]) -> None:
    bad = replace(a_post("bad"), **wrong)
    done = put(engine, a_post("1"), bad, a_post("2"))
    assert done.new == 2
    assert [position for position, _ in done.rejected] == [1]


def test_a_day_on_which_followers_stood_still_is_history_too(engine: sa.Engine) -> None:
    who = RawAuthor("ann", "TW", follower_count=1_000)
    for days in range(3):
        item = replace(a_post(str(days), published_at=NOON + timedelta(days=days)), author=who)
        for hours in (0, 1):  # asked every hour, a day is one row
            put(engine, item, now=NOON + timedelta(days=days, hours=hours))
    seen = _all(engine, follower_observation.c.observed_on, follower_observation.c.follower_count)
    assert seen == [(date(2026, 5, 4 + n), 1_000) for n in range(3)]
    with engine.begin() as connection:
        connection.execute(sa.delete(author_due))
    with writing(engine) as session, session.begin():
        ingest_profiles(session, "test", [who], source="test", now=NOON + timedelta(days=3))
    assert len(_all(engine, follower_observation.c.observed_on)) == 4
    assert _all(engine, author_due.c.author_id) == []  # nothing to measure anew
    with writing(engine) as session, session.begin():
        item = replace(a_post("0"), author=who, line=1)
        ingest_posts(session, [item], source="file:x.csv", now=NOON + timedelta(days=9), file=7)
    assert len(_all(engine, follower_observation.c.observed_on)) == 4  # read again from a file: not seen again

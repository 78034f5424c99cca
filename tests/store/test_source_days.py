"""What the store holds by source and language is what its posts say, before and after their days are counted."""

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from radar.answers.holdings import coverage
from radar.classify import classify_posts
from radar.config import Settings
from radar.count import Counted, _count_chunk, _write, count_mentions
from radar.ingest import ingest_posts
from radar.integrity import check_store
from radar.prune import prune
from radar.registry import TopicScorer
from radar.rights import correct, erase
from radar.sources.base import RawAuthor, RawPost
from radar.store import counts, promotion, source_days, transfer, watching
from radar.store.engine import reading, writing
from radar.store.migrate import upgrade
from radar.store.source_days import DAYS, Held, held, languages
from radar.store.tables import author, dirty_day, language_day, post, post_signal, source_day
from tests.builders import NOON, a_post
from tests.store.test_migrations import _migrate

DAY = timedelta(days=1)
Told = tuple[list[Held], dict[str, dict[str, int]]]


def _put(engine: sa.Engine, source: str, *posts: RawPost) -> None:
    with writing(engine) as session, session.begin():
        ingest_posts(session, posts, source=source, now=NOON + 2 * DAY)


def _count(engine: sa.Engine, scorer: TopicScorer) -> None:
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON)


def _told(engine: sa.Engine, market: str | None = None) -> Told:
    with reading(engine) as session:
        return held(session, market), languages(session, market)


def _expected(engine: sa.Engine) -> Told:
    """The same from all posts, one at a time."""
    p, a = post.c, author.c
    statement = (
        sa.select(p.audience_market, p.source, p.local_day, p.published_at, p.fetched_at, post_signal.c.language)
        .add_columns(p.author_id, a.person_id, a.market_source)
        .select_from(post.join(author, a.id == p.author_id).outerjoin(post_signal, post_signal.c.post_id == p.id))
        .where(p.deleted_at.is_(None))
    )
    times, spoken = defaultdict[tuple[str, str], list[datetime]](list), defaultdict[str, dict[str, int]](dict)
    fetched = defaultdict[tuple[str, str], list[datetime]](list)
    who = defaultdict[tuple[str, str], dict[date, tuple[set[int], ...]]](dict)
    with engine.connect() as connection:
        for row in connection.execute(statement):
            for key in ((row.audience_market, row.source), (row.audience_market, "")):
                times[key].append(row.published_at)
                fetched[key].append(row.fetched_at)
                authors, persons, inferred = who[key].setdefault(row.local_day, (set(), set(), set()))
                authors.add(row.author_id)
                persons.add(row.person_id)
                if row.market_source == "inferred":
                    inferred.add(row.author_id)
            if row.language is not None:
                mine = spoken[row.audience_market]
                mine[row.language] = mine.get(row.language, 0) + 1
    lines = []
    for key in sorted(times):
        days = [who[key][day] for day in sorted(who[key])[-DAYS:]]
        means = [-(-sum(len(day[n]) for day in days) // len(days)) for n in range(3)]
        lines.append(Held(*key, len(times[key]), *means, min(times[key]), max(times[key]), max(fetched[key])))
    return lines, dict(spoken)


def _posts(engine: sa.Engine, _folder: Path) -> None:
    """Of 31 days, of two sources, in two languages; a person with two accounts, and one of inferred market.

    On the oldest day, of which no mean tells, there are many.
    """
    old = [a_post(f"a{n}", published_at=NOON - n * DAY, person="Ann") for n in range(31)]
    old += [a_post(f"c{n}", "so many", f"c{n}", published_at=NOON - 30 * DAY) for n in range(99)]
    two = [a_post("b0", "京都のラーメン", "bob"), a_post("b1", "ramen", "bob", published_at=NOON - DAY)]
    _put(engine, "first", *old, *two)
    hers = [a_post(f"h{n}", "so good", "ann2", person="Ann", published_at=NOON - n * DAY) for n in range(2)]
    yuki = RawAuthor("yuki", "JP", market_source="inferred", market_confidence=0.9)
    _put(
        engine, "second", *hers, RawPost("test", "y", yuki, "京都の紅葉", NOON), a_post("k", "라면", "kim", market="KR")
    )


def _late(engine: sa.Engine, _folder: Path) -> None:
    _put(engine, "second", a_post("late", "late", "cid", published_at=NOON - 5 * DAY))


def _edited(engine: sa.Engine, _folder: Path) -> None:
    _put(engine, "first", a_post("b0", "noodles of the day", "bob", published_at=NOON - 2 * DAY))


def _gone(engine: sa.Engine, _folder: Path) -> None:
    _put(
        engine,
        "first",
        a_post("a3", "", published_at=NOON - 3 * DAY, deleted=True),
        a_post("b1", "", "bob", deleted=True),
    )


def _id(engine: sa.Engine, name: str) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.select(author.c.id).where(author.c.native_id == name)).scalar_one()


def _moved(engine: sa.Engine, _folder: Path) -> None:
    correct(engine, _id(engine, "yuki"), {"audience_market": "TW"}, now=NOON)


def _linked(engine: sa.Engine, _folder: Path) -> None:
    with writing(engine) as session, session.begin():
        assert watching.link_person(session, "Ann", "test", "bob") == 1


def _erased(engine: sa.Engine, folder: Path) -> None:
    assert erase(engine, folder, _id(engine, "ann2"), now=NOON).posts == 2


def _pruned(engine: sa.Engine, _folder: Path) -> None:
    """All days are sealed, and another post comes for one of them."""
    assert prune(engine, Settings(retention_days=30), now=NOON + 40 * DAY)["texts"] > 0
    _put(engine, "third", a_post("old", "old", "dan", published_at=NOON - 25 * DAY))


@pytest.mark.parametrize(
    "then", [None, _late, _edited, _gone, _moved, _linked, _erased, _pruned],
    ids=lambda then: then.__name__.strip("_") if then else "as it came",
)  # fmt: skip
def test_it_is_what_the_posts_say_waiting_or_counted(
    engine: sa.Engine, tmp_path: Path, scorer: TopicScorer, then: Callable[[sa.Engine, Path], None] | None
) -> None:
    _posts(engine, tmp_path)
    assert _told(engine) == _expected(engine)
    with writing(engine) as session, session.begin():
        promotion.name_active(session, scorer.model_id)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    assert _told(engine) == _expected(engine)
    _count(engine, scorer)
    before = _told(engine)
    assert before == _expected(engine)
    if then is not None:
        then(engine, tmp_path)
        assert _told(engine) == _expected(engine)
        assert _told(engine) != before
        classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
        _count(engine, scorer)
        assert _told(engine) == _expected(engine)
    with engine.connect() as connection:
        assert connection.execute(sa.select(dirty_day)).all() == []
    assert check_store(engine, days=None).found == {}
    lines, spoken = _told(engine, "TW")
    assert lines == [line for line in _told(engine)[0] if line.audience_market == "TW"]
    assert spoken == {"TW": _told(engine)[1]["TW"]}


def test_days_of_too_many_posts_are_told_as_they_were_counted_last(
    engine: sa.Engine, tmp_path: Path, scorer: TopicScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which nothing was counted, so many posts are told of all the same."""
    monkeypatch.setattr(source_days, "LOOKED_AT", 20)
    first = [a_post(f"n{n}", f"so much {n}", f"n{n % 7}") for n in range(30)]
    _put(engine, "first", *first)
    assert [(line.source, line.posts) for line in _told(engine)[0]] == [("", 20), ("first", 20)]
    assert _stale(engine) == {"TW": 1}
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    _count(engine, scorer)
    counted = _told(engine)
    assert counted == _expected(engine)
    _put(engine, "second", a_post("new", "so new", "n", published_at=NOON))
    assert _told(engine) == counted  # that day alone is too much
    assert _stale(engine) == {"TW": 1}
    _put(
        engine, "second", *(a_post(f"m{n}", f"later {n}", "m", published_at=NOON + n // 9 * DAY) for n in range(9, 27))
    )
    _put(engine, "second", a_post("k", "라면", "kim", market="KR"))
    said = {(line.audience_market, line.source): line.posts for line in _told(engine)[0]}
    assert said == {("TW", ""): 48, ("TW", "first"): 30, ("TW", "second"): 18, ("KR", ""): 1, ("KR", "second"): 1}
    assert _stale(engine) == {"TW": 1}
    with reading(engine) as session:
        assert {one["market"]: one["stale_days"] for one in coverage(session, now=NOON)["markets"]}["TW"] == 1
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    _count(engine, scorer)
    assert _told(engine) == _expected(engine)
    assert _stale(engine) == {}
    assert check_store(engine, days=None).found == {}


def _stale(engine: sa.Engine) -> dict[str, int]:
    with reading(engine) as session:
        return source_days.stale_days(session)


def _rows(engine: sa.Engine) -> list[list[sa.Row[tuple[object, ...]]]]:
    with engine.connect() as connection:
        tables = (source_day, language_day)
        return [list(connection.execute(sa.select(t).order_by(*t.primary_key.columns))) for t in tables]


@pytest.mark.parametrize("way", ["migration", "import"])
def test_a_store_from_before_it_gets_it(engine: sa.Engine, tmp_path: Path, scorer: TopicScorer, way: str) -> None:
    _posts(engine, tmp_path)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    _count(engine, scorer)
    kept = _rows(engine)
    assert all(kept)
    if way == "migration":
        _migrate(engine, command.downgrade, "0155")
        upgrade(engine)
    else:
        with writing(engine) as session, session.begin():
            for table in (source_day, language_day):
                session.execute(sa.delete(table))
            transfer.finish(session)
    assert _rows(engine) == kept


def test_a_promoted_model_that_reads_another_language_is_told_so(
    engine: sa.Engine, tmp_path: Path, scorer: TopicScorer
) -> None:
    _posts(engine, tmp_path)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    _count(engine, scorer)
    with writing(engine) as session, session.begin():
        row = session.execute(sa.select(post_signal).join(post).where(post.c.native_id == "k")).one()
        read = {name: value for name, value in row._mapping.items() if name not in ("post_id", "language", "model_id")}
        aside = read | {"post_id": row.post_id, "model_id": "next", "language": "en", "revision": 1, "topics": []}
        promotion.write_aside(session, [aside])
        promotion.activate(session, "next")
        assert promotion.settle(session, "next", 10) == 1
    assert _told(engine)[1]["KR"] == {"en": 1}


def test_a_line_tells_when_it_last_brought_a_post_also_without_texts(engine: sa.Engine, scorer: TopicScorer) -> None:
    for now, item in (
        (NOON - 40 * DAY, a_post("k", "k", "kim", market="KR", published_at=NOON - 41 * DAY)),
        (NOON, a_post("t")),
    ):
        with writing(engine) as session, session.begin():
            ingest_posts(session, [item], source="push", now=now)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    _count(engine, scorer)
    assert prune(engine, Settings(retention_days=30), now=NOON + 90 * DAY)["texts"] == 2
    with reading(engine) as session:
        said = {line["market"]: line["last_success_at"] for line in coverage(session, now=NOON + 90 * DAY)["items"]}
    assert said == {"KR": NOON - 40 * DAY, "TW": NOON}


Waited = tuple[list[counts.DirtyDay], Counted]


def _counted_twice(engine: sa.Engine, scorer: TopicScorer) -> tuple[Waited, Waited]:
    """Two counts of one day, none of them written: of its first post, and of both."""
    counted: list[Waited] = []
    for name in ("a", "b"):
        _put(engine, "first", a_post(name, name, name))
        classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
        with reading(engine) as session:
            waiting = counts.dirty_days(session)
        counted.append((waiting, _count_chunk(engine, scorer.model_id, waiting, {}, set())))
    return counted[0], counted[1]


def test_a_late_count_leaves_what_was_kept_since(engine: sa.Engine, scorer: TopicScorer) -> None:
    for waiting, found in reversed(_counted_twice(engine, scorer)):
        _write(engine, scorer.model_id, waiting, found, NOON)
    assert _told(engine) == _expected(engine)


def test_a_late_count_gives_way_to_one_that_is_being_written(engine: sa.Engine, scorer: TopicScorer) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("sqlite has one writer")
    (late, of_late), (last, of_last) = _counted_twice(engine, scorer)
    writes = threading.Thread(target=_write, args=(engine, scorer.model_id, late, of_late, NOON))
    with writing(engine) as session, session.begin():
        ((_, day_counts, posts),) = of_last.days
        counts.replace_days(session, scorer.model_id, [(last[0], day_counts, posts)], NOON)
        source_days.put(session, last[0].audience_market, of_last.given)
        writes.start()
        writes.join(1)
    writes.join()
    assert _told(engine) == _expected(engine)
    assert check_store(engine, days=None).found == {}

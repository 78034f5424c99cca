"""Months of PostgreSQL: every row finds its place, reads of a time look into its months, and old months go whole."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from radar.classify import classify_posts
from radar.config import Settings
from radar.count import count_mentions
from radar.errors import StoreError
from radar.prune import prune
from radar.registry import TopicScorer
from radar.store import copying, counts, months, size, tracked, transfer, trends
from radar.store.engine import open_store, reading, upsert, writing
from radar.store.migrate import FOLDER, HEAD, current, migrate
from radar.store.tables import day_count, episode, follower_observation, metadata, snapshot
from tests.builders import NOON, a_post, put
from tests.store.walking import one_row_each, row

pytestmark = pytest.mark.parametrize("url", ["postgresql"], indirect=True)
DAYS = [date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30), date(1870, 1, 1)]


def _months(engine: sa.Engine, table: str) -> set[str]:
    with engine.connect() as connection:
        return {name.removeprefix(f"{table}_") for name in months._partitions(connection, table)}


def _places(engine: sa.Engine, table: sa.Table, column: str) -> dict[Any, str]:
    """In which partition each row is."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT {column}, tableoid::regclass::text FROM {table.name}")
        return {at: name.rpartition(".")[2].removeprefix(f"{table.name}_") for at, name in rows}


def _count_days(engine: sa.Engine, days: Sequence[date]) -> None:
    with writing(engine) as session, session.begin():
        upsert(
            session, day_count, [row("day_count", local_day=day) for day in days],
            on=["model_id", "audience_market", "local_day"], update=["counts"],
        )  # fmt: skip


def _whole(engine: sa.Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {name: sorted(map(repr, connection.execute(sa.select(metadata.tables[name])))) for name in months.PARTED}


def test_rows_of_no_month_are_taken_in_and_moved_into_theirs(engine: sa.Engine) -> None:
    _count_days(engine, DAYS)
    _count_days(engine, DAYS)
    before = _whole(engine)
    assert set(_places(engine, day_count, "local_day").values()) == {"default"}
    assert months.settle(engine) == 3
    assert _places(engine, day_count, "local_day") == {
        DAYS[0]: "2026_03", DAYS[1]: "2026_04", DAYS[2]: "2026_04", DAYS[3]: "default",
    }  # fmt: skip
    assert months.settle(engine) == 0
    assert _whole(engine) == before
    _count_days(engine, DAYS)  # rows are found where they are now
    assert _whole(engine) == before


def test_instants_are_of_the_month_they_have_in_utc(engine: sa.Engine) -> None:
    ends = datetime(2026, 4, 1, tzinfo=UTC)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET timezone = 'Asia/Tokyo'")
    engine.dispose()
    with engine.begin() as connection:
        connection.execute(sa.insert(episode).values(row("episode")))
        for at in (ends - timedelta(seconds=1), ends):
            connection.execute(sa.insert(snapshot).values(row("snapshot", as_of=at)))
    assert months.settle(engine) == 2
    assert sorted(_places(engine, snapshot, "as_of").items()) == [
        (ends - timedelta(seconds=1), "2026_03"), (ends, "2026_04")
    ]  # fmt: skip


def test_counting_makes_the_months_of_old_posts_first(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, a_post("old", "ramen", published_at=NOON - timedelta(days=800)), a_post("new", "ramen"))
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON)
    found = _places(engine, day_count, "local_day")
    assert len(found) == 2
    assert all(where == f"{day:%Y_%m}" for day, where in found.items())
    assert count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON) == (0, 0)


def test_months_to_come_are_made_ahead(engine: sa.Engine) -> None:
    december = datetime(2030, 12, 31, 23, 59, tzinfo=UTC)
    prune(engine, Settings(), now=december)
    for table in months.PARTED:
        assert {"2030_12", "2031_01", "2031_02"} <= _months(engine, table)


def test_months_past_their_time_go_whole(engine: sa.Engine) -> None:
    now = datetime(2026, 8, 15, tzinfo=UTC)
    kept = now - timedelta(days=Settings().snapshot_days)
    times = [now - timedelta(days=n) for n in range(0, 200, 3)]
    with engine.begin() as connection:
        connection.execute(sa.insert(episode).values(row("episode")))
        rows = [row("snapshot", as_of=at, is_daily=True) for at in times]
        connection.execute(sa.insert(snapshot), rows)
    assert months.settle(engine) == len(times)
    assert {"2026_02", "2026_05"} <= _months(engine, "snapshot")
    gone = prune(engine, Settings(), now=now)["snapshots"]
    with engine.connect() as connection:
        left = set(connection.scalars(sa.select(snapshot.c.as_of)))
    assert left == {at for at in times if at >= kept}
    assert gone == len(times) - len(left)
    assert min(_months(engine, "snapshot")) == "2026_05"


def test_who_is_in_the_way_keeps_nobody_waiting(engine: sa.Engine) -> None:
    _count_days(engine, DAYS[:1])
    with engine.begin() as holds:
        holds.execute(sa.select(day_count)).all()
        began = time.monotonic()
        assert months.settle(engine) == 0
        months.make(engine, [date(2026, 1, 1)])
        assert time.monotonic() - began < 10
        _count_days(engine, [date(2026, 1, 5)])
    assert months.settle(engine) == 2
    assert set(_places(engine, day_count, "local_day").values()) == {"2026_01", "2026_03"}


def test_writers_at_work_while_months_are_made_lose_nothing(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(metadata.tables["person"]).values(row("person")))
        connection.execute(sa.insert(metadata.tables["author"]).values(row("author")))
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(120)]
    failed: list[BaseException] = []

    def write() -> None:
        try:
            for day in days:
                with writing(engine) as session, session.begin():
                    rows = [{"author_id": 1, "observed_on": day, "follower_count": 7}]
                    upsert(session, follower_observation, rows, on=["author_id", "observed_on"])
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        months.settle(engine)
    writer.join()
    months.settle(engine)
    assert failed == []
    assert _places(engine, follower_observation, "observed_on") == {day: f"{day:%Y_%m}" for day in days}


def test_a_writer_that_comes_while_a_month_is_moved_waits_and_is_not_thrown_out(engine: sa.Engine) -> None:
    """It changes its author first, which the month's foreign key names; the move lasts longer than it waits."""
    with engine.begin() as connection:
        connection.execute(sa.insert(metadata.tables["person"]).values(row("person")))
        connection.execute(sa.insert(metadata.tables["author"]).values(row("author")))
        connection.exec_driver_sql(
            "INSERT INTO author SELECT (jsonb_populate_record(NULL::author, to_jsonb(a) || jsonb_build_object("
            "'id', n + 10, 'native_id', 'x' || n, 'handle', 'h' || n))).* FROM author a, generate_series(1, 15000) n"
        )
        connection.exec_driver_sql(
            "INSERT INTO follower_observation SELECT n + 10, DATE '2025-01-01' + d, 5 "
            "FROM generate_series(1, 15000) n, generate_series(0, 27) d"
        )
    failed: list[BaseException] = []
    ended = threading.Event()

    def write() -> None:
        for day in range(1, 100_000):
            if ended.is_set() or failed:
                return
            try:
                with engine.begin() as connection:
                    connection.exec_driver_sql(f"UPDATE author SET follower_count = {day} WHERE id = 11")
                    connection.exec_driver_sql(
                        f"INSERT INTO follower_observation VALUES (11, DATE '2030-01-01' + {day}, 1)"
                    )
            except BaseException as error:
                failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    moved = 0
    for _ in range(10):
        moved = moved or months._try(engine, "follower_observation", date(2025, 1, 1))
    ended.set()
    writer.join()
    assert (moved, failed) == (420_000, [])


def test_what_is_restored_comes_into_its_months(engine: sa.Engine) -> None:
    one_row_each(engine)
    _count_days(engine, DAYS)
    before = _whole(engine)
    with engine.connect() as connection:
        tables = [(name, columns, list(blocks)) for name, columns, blocks in copying.copied_out(connection)]
    copying.replace_postgresql(engine, HEAD, tables)
    assert _whole(engine) == before
    found = _places(engine, day_count, "local_day")
    assert {day for day, where in found.items() if where == "default"} == {DAYS[-1]}
    with engine.begin() as connection:
        connection.execute(sa.delete(day_count))
    with writing(engine) as session, session.begin():
        session.execute(sa.insert(day_count).values(row("day_count", local_day=date(2025, 1, 1))))
        transfer.finish(session)
    assert set(_places(engine, day_count, "local_day").values()) == {"2025_01"}


READS: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "a month's counts": (
        lambda s: counts.counted_days(s, "m", "TW", date(2026, 5, 4), date(2026, 5, 9)), {"day_count_2026_05"}
    ),
    "counts over the end of a month": (
        lambda s: counts.counted_days(s, "m", "TW", date(2026, 4, 29), date(2026, 5, 2)),
        {"day_count_2026_04", "day_count_2026_05"},
    ),
    "who mentioned a key": (
        lambda s: tracked.mentioned(s, [1], {"TW": (date(2026, 5, 4), date(2026, 5, 9))}),
        {"tracked_mention_2026_05"},
    ),
    "a market's list of a week": (
        lambda s: trends.listings(
            s, "m", "TW", datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 4, 9, tzinfo=UTC), q=1.0, buckets=["1h"]
        ),
        {"snapshot_2026_04"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("read", READS)
def test_reads_of_a_time_look_into_its_months_alone(engine: sa.Engine, read: str) -> None:
    months.make(engine, [date(2026, month, 1) for month in range(1, 8)])
    call, wanted = READS[read]
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    with reading(engine) as session:
        call(session)
    sa.event.remove(engine, "before_cursor_execute", note)
    looked: set[str] = set()
    with engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            looked |= _relations(plan[0]["Plan"])
    assert looked - {"episode"} == wanted


def _relations(node: dict[str, Any]) -> set[str]:
    found = {node["Relation Name"]} if "Relation Name" in node else set()
    return found.union(*(_relations(below) for below in node.get("Plans", ())))


def test_sizes_are_of_a_table_with_its_months(engine: sa.Engine) -> None:
    before = size.bytes_by_table(engine)["day_count"]
    _count_days(engine, [date(2026, 1, 1) + timedelta(days=n) for n in range(400)])
    months.settle(engine)
    found = size.bytes_by_table(engine)
    assert found["day_count"] > before + 400 * 100
    assert all(found[name] >= 8192 for name in metadata.tables)  # of those without months, too


def test_a_role_that_may_make_no_schema_is_told_so_and_keeps_the_old_one(url: str) -> None:
    at = sa.make_url(url)
    role = f"r{at.database}"
    owner = sa.create_engine(url)
    with owner.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN PASSWORD 'secret'")
        connection.exec_driver_sql(f"GRANT ALL ON SCHEMA public TO {role}")
    mine = at.set(username=role, password="secret").render_as_string(hide_password=False)
    with pytest.raises(StoreError, match="may not make the schema public_months"):
        open_store(mine)
    assert current(owner) is None
    with owner.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA public_months AUTHORIZATION {role}")
    engine = open_store(mine)
    assert "2026_01" not in _months(engine, "day_count")
    months.make(engine, [date(2026, 1, 1)])
    assert "2026_01" in _months(engine, "day_count")
    engine.dispose()
    with owner.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {role} CASCADE")
        connection.exec_driver_sql(f"DROP ROLE {role}")
    owner.dispose()


def test_a_store_full_of_rows_comes_into_months_and_back(engine: sa.Engine) -> None:
    one_row_each(engine)
    _count_days(engine, DAYS)
    before, config = _whole(engine), Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0154")
    assert _whole(engine) == before
    with engine.begin() as connection:
        kinds = connection.exec_driver_sql("SELECT relkind FROM pg_class WHERE relname = 'day_count'").scalars().all()
        assert kinds == ["r"]
        migrate(connection)
    assert _whole(engine) == before
    assert _places(engine, day_count, "local_day")[DAYS[0]] == "2026_03"
    _count_days(engine, DAYS)
    assert _whole(engine) == before

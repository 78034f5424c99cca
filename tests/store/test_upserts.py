"""Rows that go into the store many at a time are stored as those that go one by one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar.store.engine import open_store, reading, upsert, writing
from radar.store.tables import author_list

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)


def rows(count: int, hour: int = 0) -> list[dict[str, Any]]:
    return [{"name": f"list {n:04}", "created_at": AT + timedelta(hours=hour, microseconds=n)} for n in range(count)]


@pytest.mark.parametrize("count", [1, 499, 500, 501, 1_250])
def test_as_many_rows_as_there_are_go_in_once_and_are_changed_once(tmp_path: Path, count: int) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}")

    def put(given: list[dict[str, Any]], *update: str) -> int:
        with writing(engine) as session, session.begin():
            return upsert(session, author_list, given, on=["name"], update=update)

    def held() -> list[dict[str, Any]]:
        with reading(engine) as session:
            columns = author_list.c.name, author_list.c.created_at
            return [dict(row._mapping) for row in session.execute(sa.select(*columns).order_by(author_list.c.name))]

    assert put(rows(count)) == count
    assert held() == rows(count)
    assert put(rows(count + 1, hour=1)) == 1  # what is there stays
    assert held() == rows(count) + rows(count + 1, hour=1)[count:]
    assert put(rows(count + 1, hour=2), "created_at") == count + 1
    assert held() == rows(count + 1, hour=2)
    engine.dispose()

"""Counted days as they are asked for without their counts."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.answers import counted_model, counted_span
from radar.store.counts import first_undetected, last_counted, spans
from radar.store.engine import reading, writing
from radar.store.promotion import active_model, name_active
from radar.store.tables import day_count
from tests.builders import NOON
from tests.store.walking import DAY, counts


def _counted(engine: sa.Engine, model_id: str, market: str, day: date, at: datetime, persons: int = 1) -> None:
    with writing(engine) as session, session.begin():
        session.execute(sa.insert(day_count).values(
            model_id=model_id, audience_market=market, local_day=day, counts=counts().to_bytes(), person_count=persons,
            post_count=persons, is_sealed=False, detected=True, counted_at=at,
        ))  # fmt: skip


def test_where_no_model_was_named_the_one_that_counted_last_is_shown(engine: sa.Engine) -> None:
    with reading(engine) as session:
        assert active_model(session) is None
    _counted(engine, "b", "TW", DAY, NOON)
    _counted(engine, "c", "JP", DAY, NOON + timedelta(hours=2))
    _counted(engine, "a", "TW", DAY - timedelta(days=1), NOON + timedelta(hours=1))
    with writing(engine) as session, session.begin():
        assert active_model(session) == "c"
        assert [last_counted(session, market) for market in ("TW", "JP", "KR")] == ["a", "c", None]
        assert counted_model(session, "TW", "c") == "a"
        assert counted_model(session, None, "d") == "c"
        name_active(session, "b")
        assert active_model(session) == "b"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_is_asked_of_days_alone_is_read_without_their_counts(engine: sa.Engine) -> None:
    for n, persons in enumerate([0, 2, 3, 0]):
        _counted(engine, "m", "TW", DAY + timedelta(days=n), NOON, persons)
    asked: list[tuple[str, Any]] = []
    with engine.connect() as connection, Session(connection) as session:

        @sa.event.listens_for(connection, "before_cursor_execute")
        def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            asked.append((statement, parameters))

        assert counted_span(session, "m", "TW") == (2, DAY + timedelta(days=1), DAY + timedelta(days=2))
        assert counted_span(session, "m", "TW", DAY + timedelta(days=1)).days == 1
        assert spans(session, "m") == [("TW", DAY, DAY + timedelta(days=3), None)]
        assert first_undetected(session, "m", "TW") is None
        for statement, parameters in list(asked):
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert all("COVERING INDEX" in step for *_, step in plan), (statement, plan)

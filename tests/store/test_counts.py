"""Counted days as they are asked for without their counts."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from radar.store.answers import counted_model
from radar.store.counts import last_counted
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

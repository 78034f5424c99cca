"""The newest post that is stored: of all markets, and never one that was deleted."""

from datetime import timedelta

import sqlalchemy as sa

from radar.store import tables
from radar.store.engine import reading, writing
from radar.store.posts import latest_time
from tests.store.walking import DAY, NOW, one_row_each, row


def test_the_newest_living_post_counts_whatever_its_market(engine: sa.Engine) -> None:
    one_row_each(engine)
    days = [timedelta(days=1), timedelta(days=2)]
    more = [row("post", id=n, native_id=str(n), published_at=NOW + d, local_day=DAY + d) for n, d in enumerate(days, 2)]
    more[0]["audience_market"] = "JP"
    more[1]["deleted_at"] = NOW
    with writing(engine) as session, session.begin():
        session.execute(sa.insert(tables.post), more)
    with reading(engine) as session:
        assert latest_time(session) == NOW + days[0]

"""The simulated world gives plausible measures: followers that grow day by day, rates, peers, hidden likes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from radar.ingest import ingest_posts
from radar.kol import Tiers
from radar.measure import measure_authors
from radar.sources.world import SimulatedWorld
from radar.store.author_facts import histories
from radar.store.engine import reading, writing
from radar.store.measures import measures_page
from tests.builders import fresh_store

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = BEGINS + timedelta(days=24)


def test_a_world_of_24_days_has_growth_rates_and_peers(tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    for batch in SimulatedWorld(starts_at=BEGINS, days=24).discover(None, UNTIL):
        posts = [post for post in batch.posts if post.author.audience_market == "TW"]
        with writing(engine) as session, session.begin():
            ingest_posts(session, posts, source="world", now=UNTIL)
    measure_authors(engine, "none", [], Tiers(), now=UNTIL)
    with reading(engine) as session:
        found = measures_page(session, market="TW")
        seen = histories(session, [m.author_id for m in found])
    engine.dispose()
    assert len(found) > 140
    assert np.median([len(days) for days in seen.values()]) > 5
    growth = [m.growth for m in found if m.growth is not None]
    assert len(growth) > 0.8 * len(found)
    assert -0.05 < np.quantile(growth, 0.05) < np.quantile(growth, 0.95) < 0.12
    rates = [m.er_followers for m in found if m.er_followers is not None]
    assert 0.005 < np.median(rates) < 0.1
    hidden = [m for m in found if m.er_followers is None and m.post_count > 8]
    assert hidden
    assert all(m.engagement is None for m in hidden)
    ranked = [m for m in found if m.engagement_percentile is not None]
    assert len(ranked) > 100
    assert {m.tier for m in found} >= {"nano", "micro", "mid"}

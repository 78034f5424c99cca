"""The simulated world: seeded, sliceable, alive, and honest about what was injected."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from radar.markets import MARKETS, local_day
from radar.sources.base import RawPost
from radar.sources.problems import problem
from radar.sources.world import SimulatedWorld

BEGINS = datetime(2026, 3, 1, 5, tzinfo=UTC)
NOW = BEGINS + timedelta(days=75)


@pytest.fixture(scope="module")
def world() -> SimulatedWorld:
    return SimulatedWorld(starts_at=BEGINS)


@pytest.fixture(scope="module")
def posts(world: SimulatedWorld) -> list[RawPost]:
    return [post for batch in world.discover(None, NOW) for post in batch.posts]


def test_some_sixty_thousand_posts_all_of_them_acceptable(posts: list[RawPost]) -> None:
    new = {(p.platform, p.native_id) for p in posts}
    assert 50_000 < len(new) < 70_000
    assert {problem(p, NOW) for p in posts} == {None}
    assert all(p.platform.startswith("sim-") for p in posts)


def test_however_time_is_sliced_the_same_posts_come(world: SimulatedWorld, posts: list[RawPost]) -> None:
    until = BEGINS + timedelta(days=16)
    cursor, sliced = None, []
    moments = [BEGINS + timedelta(hours=h) for h in (1, 7, 7.5, 30, 100, 101, 250, 16 * 24)]
    again = SimulatedWorld(starts_at=BEGINS)
    for moment in moments:
        for batch in again.discover(cursor, moment):
            sliced += batch.posts
            cursor = batch.cursor
    whole = [p for batch in world.discover(None, until) for p in batch.posts]
    assert Counter(sliced) == Counter(whole)


def test_counts_of_a_day_spread_more_than_by_chance(posts: list[RawPost]) -> None:
    ordinary = [p for p in posts if p.native_id[0] not in "ES" or p.native_id[:2] in MARKETS]
    by_day: Counter[tuple[str, object]] = Counter()
    for post in {(p.platform, p.native_id): p for p in ordinary if not p.deleted}.values():
        market = post.author.audience_market
        by_day[market, local_day(post.published_at, MARKETS[market].tz)] += 1
    for weekday in range(5):
        counts = [n for (m, day), n in by_day.items() if day.weekday() == weekday and n > 30]  # type: ignore[attr-defined]
        assert 1.1 < np.var(counts) / np.mean(counts) < 4.0


def test_there_are_edits_deletions_late_posts_and_linked_accounts(posts: list[RawPost]) -> None:
    assert sum(p.deleted for p in posts) > 50
    assert sum(p.edited_at is not None for p in posts) > 50
    linked = {p.author.person for p in posts if p.author.person}
    assert len(linked) >= 35
    assert len({p.author.native_id for p in posts if p.author.person}) > len(linked)


def test_the_truth_names_posts_that_came(world: SimulatedWorld, posts: list[RawPost]) -> None:
    truth = world.truth(NOW)
    came = {(p.platform, p.native_id): p.author.person or p.author.native_id for p in posts}
    assert truth["simulated"] is True
    assert (len(truth["injections"]), len(truth["spam"])) == (300, 100)
    assert {i["size"] for i in truth["injections"]} == {4, 8, 16, 32, 64}
    missing = 0
    for injection in truth["injections"]:
        found = [tuple(p) for p in injection["post_ids"]]
        missing += sum(p not in came for p in found)
        assert len({came[p] for p in found if p in came}) <= injection["size"]
    assert missing < 250  # late ones have not arrived yet


def test_the_world_goes_on_living(world: SimulatedWorld) -> None:
    later = [p for b in world.discover({"until": NOW.isoformat()}, NOW + timedelta(days=20)) for p in b.posts]
    assert len(later) > 10_000
    assert any(p.native_id.startswith("E") for p in later)

"""The watch list and posts that are asked for again, on both databases."""

from datetime import timedelta

import sqlalchemy as sa

from radar.collect import collect
from radar.refresh import refresh
from radar.sources.web import Web
from radar.store import tables, watching
from radar.store.engine import reading, writing
from tests.sources.stages import NOW, FakeClock, Reply, on_stage


def test_from_a_watch_list_to_posts_that_age_and_go(engine: sa.Engine) -> None:
    with on_stage("mastodon") as stage:
        for n in range(7):
            stage.publish(f"p{n}", f"bowl {n}", NOW - timedelta(minutes=90 - n))
        stage.broken = [{"id": "a\x00b", "created_at": "x"}, {"id": "\ud800", "content": "\ud800\x00"}]
        stage.configure(engine)
        for _ in range(2):
            collect(engine, now=NOW, web=Web(clock=FakeClock()))
        later = NOW + timedelta(hours=5)
        stage.posts["p1"].likes = 9
        del stage.posts["p2"]
        assert refresh(engine, now=later, web=Web(clock=FakeClock(later))).missing == 1
        later += timedelta(hours=2)
        assert refresh(engine, now=later, web=Web(clock=FakeClock(later))).gone == 1
    with engine.connect() as connection:
        p, seen = tables.post.c, tables.engagement_observation.c
        assert connection.scalar(sa.select(sa.func.count()).where(p.deleted_at.is_(None))) == 6
        of_p1 = sa.select(seen.like_count).join(tables.post).where(p.native_id == stage.native_id("p1"))
        assert connection.scalars(of_p1.order_by(seen.observed_at)).all() == [3, 9]
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.refresh_due)) == 6
        assert (connection.scalar(sa.select(sa.func.count()).select_from(tables.rejected_post)) or 0) >= 2


def test_what_a_server_says_of_its_failure_can_be_stored_whatever_it_is(engine: sa.Engine) -> None:
    with on_stage("bluesky") as stage:
        stage.configure(engine)
        stage.replies = [Reply(b'{"error": "InvalidRequest", "message": "Profile not found \x00\xff"}', 400)]
        collect(engine, now=NOW, web=Web(clock=FakeClock()))
    with reading(engine) as session:
        (account,) = watching.watched_accounts(session)
    assert "Profile not found" in (account.last_error or "")


def test_a_person_and_a_source_are_linked_and_removed(engine: sa.Engine) -> None:
    with on_stage("mastodon") as stage:
        stage.publish("p1")
        stage.configure(engine)
        collect(engine, now=NOW, web=Web(clock=FakeClock()))
    with writing(engine) as session, session.begin():
        assert watching.link_person(session, "Ann", "mastodon", f"{stage.url}/users/ann") == 1
        assert watching.link_person(session, "Ann", "stage", "ann") == 1
        assert watching.link_person(session, "Ann", "mastodon", "nobody") == 0
    with engine.connect() as connection:
        assert connection.scalars(sa.select(tables.person.c.name).join(tables.author)).all() == ["Ann"]
        assert connection.scalars(sa.select(tables.dirty_day.c.audience_market)).all() == ["TW"]
    with writing(engine) as session, session.begin():
        watching.remove_source(session, "stage")
    with engine.connect() as connection:
        left = [connection.execute(sa.select(t)).all() for t in (tables.watched_account, tables.refresh_due)]
        assert left == [[], []]
        assert len(connection.execute(sa.select(tables.post.c.id)).all()) == 1

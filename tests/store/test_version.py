"""The numbers that say whether an answer still holds, on SQLite and on PostgreSQL."""

import gc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store import posts, pruning, rights, tables
from radar.store.engine import writing
from radar.store.version import StoreVersions, Versions, answers_changed
from tests.builders import NOON, a_post, put


def _read(versions: StoreVersions) -> Versions:
    found = versions.read()
    assert found is not None
    return found


def test_every_write_is_seen_once_it_is_committed_and_nothing_else(engine: sa.Engine) -> None:
    versions = StoreVersions(engine)
    first = _read(versions)
    assert _read(versions) == first
    with writing(engine) as session, session.begin():
        session.execute(sa.insert(tables.person).values(name="somebody"))
        session.flush()
        during = _read(versions)
    after = _read(versions)
    assert after.store not in (first.store, during.store)
    assert after[:2] == during[:2] == first[:2]
    assert _read(versions) == after


def test_whoever_forgets_it_leaves_no_connection_open(engine: sa.Engine) -> None:
    """Whichever of a ring that nobody names any more is let go of first: a driver warns of what it finds open."""
    opened: list[Any] = []
    sa.event.listen(engine, "detach", lambda connection, _record: opened.append(connection))
    ring: list[Any] = [StoreVersions(engine)]
    ring.append(ring)
    _read(ring[0])
    del ring
    gc.collect()
    with pytest.raises(Exception, match="closed"):
        opened[0].execute("SELECT 1")


def test_a_change_of_trends_takes_nothing_away(engine: sa.Engine) -> None:
    versions = StoreVersions(engine)
    before = _read(versions)
    with writing(engine) as session, session.begin():
        answers_changed(session)
    after = _read(versions)
    assert (after.trends > before.trends, after.removals) == (True, before.removals)


def _post(session: Session) -> tuple[int, int]:
    row = session.execute(sa.select(tables.post.c.id, tables.post.c.author_id).order_by(tables.post.c.id)).first()
    assert row is not None
    return row.id, row.author_id


def _erase(session: Session) -> None:
    assert rights.erase_posts(session, _post(session)[1])


def _hide(session: Session) -> None:
    rights.hide(session, _post(session)[1], NOON)


def _correct(session: Session) -> None:
    rights.correct(session, _post(session)[1], {"name": None}, NOON)


def _unname(session: Session) -> None:
    who = rights.identity(session, _post(session)[1])
    assert who is not None
    text = "thanks @ann"
    found = rights.Naming(tables.post, "text", _post(session)[0], text)
    session.execute(sa.update(tables.post).where(tables.post.c.id == found.id).values(text=text))
    assert rights.forget_mentions(session, who, [found]) == 1


def _prune(session: Session) -> None:
    session.execute(sa.update(tables.post).values(classified_at=NOON))
    session.execute(sa.delete(tables.dirty_day))
    later = NOON + timedelta(days=1)
    assert pruning.forget_texts(session, later.date(), later)


def _forget(session: Session) -> None:
    posts.forget_signals(session, [_post(session)[0]])


@pytest.mark.parametrize("take_away", [_erase, _hide, _correct, _unname, _prune, _forget])
def test_whatever_takes_something_away_says_so(engine: sa.Engine, take_away: Callable[[Session], None]) -> None:
    put(engine, a_post("1"))
    versions = StoreVersions(engine)
    before = _read(versions)
    with writing(engine) as session, session.begin():
        take_away(session)
    assert _read(versions).removals > before.removals


def test_a_deleted_post_is_taken_away_and_a_changed_one_is_not(engine: sa.Engine) -> None:
    put(engine, a_post("1"), a_post("2"))
    versions = StoreVersions(engine)
    before = _read(versions)
    put(engine, a_post("1", "another text"), a_post("3"))
    changed = _read(versions)
    assert (changed.trends > before.trends, changed.removals) == (True, before.removals)
    put(engine, a_post("2", deleted=True))
    assert _read(versions).removals > changed.removals


def test_a_store_that_does_not_answer_has_no_numbers_and_is_asked_again(engine: sa.Engine) -> None:
    versions = StoreVersions(engine)
    before = _read(versions)
    versions._connection.dbapi_connection.close()
    assert versions.read() is None
    assert _read(versions).store != before.store

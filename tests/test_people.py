"""Log-ins: who is let in, who is kept waiting, and that a crowd of guesses gains nothing. On both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from radar.access import people
from radar.access.buckets import Buckets
from radar.actors import Actor
from radar.config import Settings
from radar.errors import CallerError
from radar.prune import prune
from radar.store import members
from radar.store.engine import reading
from radar.store.tables import audit, login_failure, login_session, member
from tests.builders import quick_passwords

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
PASSWORD = "correct horse battery"
BY = Actor("terminal", "root", "admin", NOW)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)


def enter(engine: sa.Engine, password: str, now: datetime, name: str = "ann", address: str = "192.0.2.1") -> str:
    lasts = timedelta(days=14)
    return people.log_in(engine, name, password, now=now, lasts=lasts, address=address, browser="x" * 999)


def test_a_password_is_kept_as_argon2_and_lets_its_owner_in(engine: sa.Engine) -> None:
    assert people.add_person(engine, BY, " Ann ", "viewer", PASSWORD) == "ann"
    token = enter(engine, PASSWORD, NOW, "ANN")
    with engine.connect() as connection:
        [kept] = connection.execute(sa.select(member.c.password)).scalars()
        [session] = connection.execute(sa.select(login_session))
    assert kept.startswith("$argon2id$")
    assert token not in str(tuple(session))
    with reading(engine) as session:
        actor, _ = people.actor_by_session(session, token, NOW, "") or pytest.fail("not let in")
        assert (actor.kind, actor.name, actor.scope) == ("user", "ann", "read")
        assert people.actor_by_session(session, token, NOW + timedelta(days=14), "") is None
    for name, role, password in (("ann", "viewer", PASSWORD), ("bob", "boss", PASSWORD), ("", "viewer", PASSWORD)):
        with pytest.raises(CallerError):
            people.add_person(engine, BY, name, role, password)
    for password in ("short", "x" * 300, "bob the builder"):
        with pytest.raises(people.BadPassword):
            people.add_person(engine, BY, "Bob the Builder", "viewer", password)
    people.remove_person(engine, BY, "ann")
    with reading(engine) as session:
        assert people.actor_by_session(session, token, NOW, "") is None


def test_locks_grow_and_a_success_begins_anew(engine: sa.Engine) -> None:
    people.add_person(engine, BY, "ann", "viewer", PASSWORD)
    now, waits = NOW, list[int]()
    for _ in range(people.FREE["name"] + 3):
        with pytest.raises(people.NotLetIn):
            enter(engine, "wrong", now)
        with reading(engine) as session:
            until = (members.failures(session, people._digest("name", "ann")) or pytest.fail("kept")).locked_until
        waits.append((until - now).seconds if until else 0)
        if until:
            with pytest.raises(people.LockedOut) as locked:  # the right password too: nothing is looked at
                enter(engine, PASSWORD, now)
            assert locked.value.seconds == waits[-1]
            now = until
    assert waits == [0, 0, 0, 0, 30, 60, 120, 240]
    enter(engine, PASSWORD, now)
    with pytest.raises(people.NotLetIn):
        enter(engine, "wrong", now)
    assert enter(engine, PASSWORD, now)


def test_an_address_that_tries_many_names_is_locked_and_others_are_not(engine: sa.Engine) -> None:
    people.add_person(engine, BY, "ann", "viewer", PASSWORD)
    for n in range(people.FREE["address"]):
        with pytest.raises(people.NotLetIn):
            enter(engine, "wrong", NOW, f"name{n}", f"2001:db8:1:2::{n}")
        if n == 10:  # a success in between undoes nothing of that
            enter(engine, PASSWORD, NOW, "ann", "2001:db8:1:2::ffff")
    with pytest.raises(people.LockedOut):
        enter(engine, PASSWORD, NOW, "ann", "2001:db8:1:2::9999")
    assert enter(engine, PASSWORD, NOW, "ann", "2001:db8:1:3::1")
    with engine.connect() as connection:
        kept = [str(tuple(row)) for table in (login_failure, audit) for row in connection.execute(sa.select(table))]
    assert not [line for line in kept if "name1" in line], "names that strangers made up are kept nowhere"


def test_many_guesses_at_once_are_no_more_than_one_after_another(engine: sa.Engine) -> None:
    people.add_person(engine, BY, "ann", "viewer", PASSWORD)

    def guess(n: int) -> str:
        try:
            return enter(engine, f"wrong {n}", NOW, address=f"192.0.2.{n}")
        except CallerError as error:
            return error.slug

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(24)))
    assert said.count("log-in-failed") == people.FREE["name"]
    assert said.count("locked-out") == 24 - people.FREE["name"]


def test_another_password_ends_sessions_and_lockout(engine: sa.Engine) -> None:
    people.add_person(engine, BY, "ann", "viewer", PASSWORD)
    token = enter(engine, PASSWORD, NOW)
    for _ in range(people.FREE["name"]):
        with pytest.raises(people.NotLetIn):
            enter(engine, "wrong", NOW)
    people.change_password(engine, BY, "Ann", "another horse")
    with reading(engine) as session:
        assert people.actor_by_session(session, token, NOW, "") is None
    assert enter(engine, "another horse", NOW)


def test_sessions_are_few_and_pruned(engine: sa.Engine) -> None:
    people.add_person(engine, BY, "ann", "viewer", PASSWORD)
    first = enter(engine, PASSWORD, NOW)
    for n in range(members.SESSIONS_KEPT):
        enter(engine, PASSWORD, NOW + timedelta(minutes=n + 1))
    with reading(engine) as session:
        found = members.member_named(session, "ann") or pytest.fail("kept")
        assert len(members.sessions_of(session, found.id, NOW)) == members.SESSIONS_KEPT
        assert people.actor_by_session(session, first, NOW, "") is None
    done = prune(engine, Settings(audit_days=10), now=NOW + timedelta(days=20))
    assert (done["sessions"], done["audit"]) == (members.SESSIONS_KEPT, members.SESSIONS_KEPT + 2)
    with engine.connect() as connection:
        assert connection.execute(sa.select(login_failure)).all() == []


def test_buckets_are_bounded_and_refill() -> None:
    buckets = Buckets(most=100)
    for n in range(1000):
        buckets.take("address", str(n), 10, n)
    assert len(buckets._held) == 100
    taken = [buckets.take("key", "a", 60, 1000.0).is_allowed for _ in range(61)]
    assert taken == [True] * 60 + [False]
    later = buckets.take("key", "a", 60, 1010.0)
    assert (later.is_allowed, later.left, later.retry_after) == (True, 9, 0)

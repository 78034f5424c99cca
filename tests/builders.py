"""Small posts for tests."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from radar.access import people
from radar.ingest import Ingested, ingest_posts
from radar.sources.base import RawAuthor, RawPost
from radar.store.engine import writing

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def a_post(native_id: str, text: str = "ramen in Osaka", author: str = "ann", **more: Any) -> RawPost:
    """A post of a Taiwanese author at noon UTC, but for what is said otherwise."""
    market, person = more.pop("market", "TW"), more.pop("person", None)
    published_at = more.pop("published_at", NOON)
    return RawPost("test", native_id, RawAuthor(author, market, person=person), text, published_at, **more)


def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same argon2, with less to do: for tests that try many passwords."""
    monkeypatch.setattr(people, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    people._nobodys.cache_clear()


def put(engine: sa.Engine, *posts: RawPost, now: datetime = NOON) -> Ingested:
    """Ingest posts in one transaction."""
    with writing(engine) as session, session.begin():
        return ingest_posts(session, posts, source="test", now=now)

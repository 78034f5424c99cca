"""Small posts for tests, and empty stores to put them into."""

import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from radar.access import people
from radar.ingest import Ingested, ingest_posts
from radar.registry import load_labels, load_taxonomy
from radar.sources.base import RawAuthor, RawPost
from radar.store.engine import open_store, writing
from radar.topics.calibration import Labels

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


def few_labels(every: int = 12) -> Labels:
    """One in so many of the shipped labels: a model of these is fitted in a moment, and knows little."""
    shipped = load_labels(load_taxonomy())
    return Labels(shipped.texts[::every], shipped.languages[::every], shipped.topics[::every])


def put(engine: sa.Engine, *posts: RawPost, now: datetime = NOON) -> Ingested:
    """Ingest posts in one transaction."""
    with writing(engine) as session, session.begin():
        return ingest_posts(session, posts, source="test", now=now)


@cache
def _migrated() -> bytes:
    """The file of an empty SQLite store with the newest schema: migrated once, then copied."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "radar.db"
        open_store(f"sqlite:///{file}").dispose()
        return file.read_bytes()


def empty_store(file: Path) -> Path:
    """Put an empty store with the newest schema at a path, as opening it anew would make it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_migrated())
    return file


def fresh_store(file: Path) -> sa.Engine:
    """An empty store at a path, opened: as `open_store`, without migrating again."""
    return open_store(f"sqlite:///{empty_store(file)}")

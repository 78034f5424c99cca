"""Profiles of KOLs: for whom something was measured anew, what the latest posts are about."""

from datetime import datetime
from functools import cache

import numpy as np
import sqlalchemy as sa

from radar.keys import Kind, key_number
from radar.partners.profile import LATEST, ReadPost, packed, profiles_of, vector_bytes
from radar.store import partners as store
from radar.store.engine import reading, writing
from radar.text import gazetteer

BATCH = 100
"""Accounts at a time."""


def make_profiles(engine: sa.Engine, *, now: datetime) -> int:
    """Make the profiles of accounts measured since theirs was made; returns how many.

    Safe to kill and to run twice: a batch is written whole, and an account's profile is replaced.
    """
    done = 0
    while True:
        with reading(engine) as session:
            due = store.due_profiles(session, BATCH)
            latest = store.latest_posts(session, [a.author_id for a in due], LATEST)
        if not due:
            return done
        found = profiles_of([[_read(post) for post in latest.get(a.author_id, [])] for a in due])
        rows = [
            {
                "author_id": a.author_id, "audience_market": a.audience_market, "facts": packed(profile),
                "vector": vector_bytes(profile), "measured_at": a.measured_at, "made_at": now,
            }
            for a, profile in zip(due, found, strict=True)
        ]  # fmt: skip
        with writing(engine) as session, session.begin():
            store.write_profiles(session, rows)
        done += len(rows)


def _read(post: store.LatestPost) -> ReadPost:
    keys, named = np.frombuffer(post.keys, "<i8").tolist(), _products()
    return ReadPost(
        post.text, post.local_day, tuple(post.topics), tuple(post.places.split()),
        tuple(named[k] for k in keys if k in named), post.language, post.sponsored,
    )  # fmt: skip


@cache
def _products() -> dict[int, str]:
    """Product ids by the number of their key."""
    return {key_number(Kind.PRODUCT, product): product for product in gazetteer.products()}

"""A store with as many posts as one likes (synthetic), a year of days and a list of trends, filled by the million."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.keys import Kind, key_number
from radar.markets import MARKETS
from radar.registry import model_id
from radar.scheduling import Progress
from radar.store import bulk, counts, promotion, transfer, trends
from radar.store import tables as t
from radar.store.day_blob import HOURS, QUARTERS, DayCounts
from radar.store.engine import claim_world, writing

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAYS, AUTHORS, TRENDS, KEYS = 75, 20_000, 60, 3_000
_CHUNK = 200_000
_PLATFORMS = ("instagram", "youtube", "tiktok", "x", "threads")


def fill(
    engine: sa.Engine, posts: int, progress: Progress, *, world: str = "simulated", authors: int = AUTHORS
) -> None:
    """Fill an empty store that takes in posts of one world, "simulated" or "real", by so many authors."""
    rng = np.random.default_rng(1)
    markets = list(MARKETS)
    seen = _stored(NOW)
    ids = list(range(1, authors + 1))
    bulk.fill(engine, t.person, {"id": ids})
    bulk.fill(
        engine, t.author,
        {
            "id": ids, "platform": [_PLATFORMS[i % 5] for i in ids], "native_id": list(map(str, ids)), "person_id": ids,
            "handle": [f"kol{i}" for i in ids], "name": [f"KOL {i}" for i in ids],
            "audience_market": [markets[i % len(markets)] for i in ids], "market_source": ["declared"] * authors,
            "market_confidence": [1.0] * authors, "first_seen_at": [seen] * authors,
        },
    )  # fmt: skip
    with bulk.without_indexes(engine, t.post):
        for start in range(0, posts, _CHUNK):
            _posts(engine, rng, np.arange(start, min(start + _CHUNK, posts)) + 1, authors, markets, seen)
            progress("posts", min(start + _CHUNK, posts), posts)
    shown = list(range(1, min(posts, 5 * TRENDS * len(markets)) + 1))
    bulk.fill(
        engine, t.post_signal,
        {
            "post_id": shown, "model_id": [model_id()] * len(shown), "keys": [b""] * len(shown),
            "places": ["JP"] * len(shown), "language": ["zh-Hant"] * len(shown), "sponsored": [False] * len(shown),
            "text_hash": shown, "tone": [0] * len(shown),
        },
    )  # fmt: skip
    bulk.analyse(engine)
    with writing(engine) as session, session.begin():
        claim_world(session, world)
        promotion.name_active(session, model_id())
        names = [{"hash": key, "kind": int(Kind.HASHTAG), "text": f"tag{n}", "gloss": None} for n, key in _keys()]
        counts.add_keys(session, names)
        last = NOW.date()
        days = [last - timedelta(days=back) for back in range(DAYS)]
        counts.put_days(session, model_id(), "TW", [(day, _day(rng), 400) for day in days], NOW)
        transfer.fill_source_days(session)
        _trends(session, [i for i in shown if i % len(markets) == markets.index("TW")])


def _posts(engine: sa.Engine, rng: Any, ids: Any, authors: int, markets: list[str], seen: str) -> None:
    n, numbers = len(ids), ids.tolist()
    whose = (rng.integers(0, authors // len(markets), n) * len(markets) + ids % len(markets)).tolist()
    at = np.datetime64(NOW.replace(tzinfo=None), "us") - rng.integers(0, DAYS * 86_400, n).astype("timedelta64[s]")
    days, moments = at.astype("datetime64[D]").astype(str), np.char.replace(at.astype(str), "T", " ")
    columns: dict[str, Any] = {
        "id": numbers, "platform": [_PLATFORMS[i % 5] for i in numbers], "native_id": [f"n{i}" for i in numbers],
        "source": ["bench"] * n, "author_id": [max(a, 1) for a in whose],
        "audience_market": [markets[i % len(markets)] for i in numbers], "local_day": days.tolist(),
        "published_at": moments.tolist(), "day_only": [False] * n, "text": ["藥妝必買 大阪 #tag1"] * n,
        "like_count": [i % 997 for i in numbers], "fetched_at": [seen] * n, "revision": [1] * n,
        "classified_at": [seen] * n,
    }  # fmt: skip
    bulk.fill(engine, t.post, columns)


def _stored(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "microseconds")


def _keys() -> list[tuple[int, int]]:
    return sorted(((n, key_number(Kind.HASHTAG, f"tag{n}")) for n in range(KEYS)), key=lambda pair: pair[1])


def _day(rng: Any) -> DayCounts:
    persons = rng.integers(2, 30, KEYS).astype(np.uint32)
    heard = np.full(HOURS, 200, np.uint32)
    return DayCounts(
        np.array([key for _, key in _keys()]), np.zeros(KEYS, np.int16), rng.integers(0, 96, KEYS).astype(np.uint8),
        persons, persons, persons.astype(np.float32), np.full(QUARTERS, 50, np.uint32), heard, 2_000,
    )  # fmt: skip


def _trends(session: Any, evidence: list[int]) -> None:
    """Trends that were on in the last days, each with five posts and three variants."""
    numbers = dict(_keys())
    for n in range(TRENDS):
        at = NOW - timedelta(hours=2 + n)
        working = {
            "at": at.isoformat(), "window_start": (at - timedelta(hours=24)).isoformat(), "window_buckets": 24,
            "observed": 19.0, "expected": 2.1, "p": 1e-6, "lift": 4.2, "lift_floor": 2.19, "tests": KEYS,
            "engagement_factor": 1.0, "persons": 19, "posts": 21, "platforms": 4, "sponsored_share": 0.0,
            "complaints": {"negative": 5, "posts": 40}, "evidence": evidence[5 * n : 5 * n + 5], "heard": 1200,
            "tiers": {"mega": 1, "nano": 18}, "novelty": {"days_used": 2, "days": 20}, "season": None, "narrow": [],
            "variants": [
                {"episode_id": 10_000 + 3 * n + v, "key": numbers[1_000 + 3 * n + v], "place": 392} for v in range(3)
            ],
        }  # fmt: skip
        row = {
            "id": n + 1, "model_id": model_id(), "audience_market": "TW", "place": 392, "key_hash": numbers[n],
            "bucket": "1h", "onset_at": at - timedelta(hours=5), "ended_at": None, "stage": "rising",
            "stage_since": at, "leader_id": None,
        }  # fmt: skip
        shown = {
            "episode_id": n + 1, "as_of": at, "audience_market": "TW", "bucket": "1h", "place": 392,
            "kind": int(Kind.HASHTAG), "topic_id": "shop.drugstore", "stage": "rising", "is_on": True,
            "is_daily": False, "q": 0.001, "score": 8.0 + n, "working": working,
        }  # fmt: skip
        trends.write_episodes(session, [row])
        trends.write_changes(session, [{"episode_id": n + 1, "changed_at": at, "stage": "rising"}])
        trends.write_snapshots(session, [shown])

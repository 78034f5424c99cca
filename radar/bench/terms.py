"""Posts a second on one core through the terms stage, given ICU's segments, and with reading of the text before it;
beside it NLTK's `everygrams` of one to four words over the same segments.

That is a text at a time, as names of keys are read back; posts are read many at a time by `radar.text.term_keys`, whose
part is in `radar bench classify`."""

import time
from datetime import UTC, datetime, timedelta

from nltk.util import everygrams

from radar.scheduling import Progress
from radar.sources.world import SimulatedWorld
from radar.text.normalise import normalise, split_hashtags
from radar.text.segment import segments, words
from radar.text.terms import terms

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
POSTS = 20_000
ROUNDS = 3


def measure(progress: Progress) -> dict[str, object]:
    """posts_per_second of the stage (best of three), with_segmentation_per_second, terms_per_post, ratio_to_nltk."""
    world = SimulatedWorld(starts_at=BEGINS, days=20)
    found = [p.text for batch in world.discover(None, BEGINS + timedelta(days=8)) for p in batch.posts][:POSTS]
    began = time.perf_counter()
    pieces = segments([split_hashtags(normalise(text))[0] for text in found])
    before = time.perf_counter() - began
    ours = float("inf")
    emitted = 0
    for done in range(ROUNDS):
        began = time.perf_counter()
        emitted = sum(len(terms(post)) for post in pieces)
        ours = min(ours, time.perf_counter() - began)
        progress("runs", done + 1, ROUNDS + 1)
    began = time.perf_counter()
    for post in pieces:
        {gram for run in words(post) for gram in everygrams(run, max_len=4)}
    peer = time.perf_counter() - began
    progress("runs", ROUNDS + 1, ROUNDS + 1)
    return {
        "posts": len(found),
        "characters_per_post": round(sum(map(len, found)) / len(found), 1),
        "posts_per_second": round(len(found) / ours),
        "microseconds_per_post": round(1e6 * ours / len(found), 2),
        "with_segmentation_per_second": round(len(found) / (before + ours)),
        "terms_per_post": round(emitted / len(found), 1),
        "peer": "NLTK everygrams(max_len=4) over the same words",
        "ratio_to_nltk": round(peer / ours, 3),
    }

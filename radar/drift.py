"""Drift: whether posts are still what the topic model was trained on, by market, over the last seven local days.

Against the training labels in the market's languages: the distribution of topics (`topic_divergence`), the share of
posts without any, and that of the highest probability of a post, by tenths, where training's were given by classifiers
that had not seen the post (`score_divergence`). Against the frozen posts: the share of words that the model has never
seen. Labels are balanced among topics and posts are not, so the topics' divergence is no alarm by itself: a change from
one night to another is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.errors import RadarError
from radar.markets import MARKETS, local_day
from radar.registry import TopicScorer, load_frozen, load_taxonomy
from radar.store import drift as store
from radar.store.drift import DriftRow
from radar.store.engine import reading, writing
from radar.topics.divergence import by_chance, divergence
from radar.topics.made_of import TENTHS, tenths
from radar.topics.vocabulary import unknown_share

DAYS = 7
FEWEST = 200
"""Posts below which nothing is said."""
SAMPLE = 2_000
"""Posts whose texts are scored and split into words; topics are counted over all."""
MOVED = 5
"""Topics whose share moved most that are told."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a market's posts are compared with: labels and frozen posts in its languages.

    topics, off_topic   labels by topic, and those of none      scores  by tenths of the highest probability
    unknown             share of the frozen posts' words that the model has never seen
    """

    posts: int
    topics: list[int]
    off_topic: int
    scores: list[int]
    unknown: float


def references(scorer: TopicScorer, manifest: Mapping[str, Any]) -> dict[str, Reference]:
    """By market. Raises RadarError for a model that does not say what it was trained on."""
    by_language: Mapping[str, Any] = manifest.get("languages") or {}
    if not all("scores" in said for said in by_language.values()) or not by_language:
        raise RadarError(
            f"{manifest.get('id')} does not say what it was trained on: an older radar fitted it.",
            "Train and promote a model of this radar.",
        )
    frozen = load_frozen(load_taxonomy())
    found = {}
    for market in MARKETS.values():
        spoken = [name for name in market.languages if name in by_language] or list(by_language)
        said = [by_language[name] for name in spoken]
        texts = [text for text, name in zip(frozen.texts, frozen.languages, strict=True) if name in spoken]
        unknown, words = unknown_share(texts, scorer.knows)
        found[market.code] = Reference(
            sum(one["posts"] for one in said),
            np.sum([one["topics"] for one in said], axis=0).tolist(),
            sum(one["off_topic"] for one in said),
            np.sum([one["scores"] for one in said], axis=0).tolist(),
            unknown / max(words, 1),
        )
    return found


def measure_drift(engine: sa.Engine, model_folder: Path, scorer: TopicScorer, *, now: datetime) -> list[DriftRow]:
    """Measure and store every market's drift from the active model's training. Safe to run twice: a day's is replaced.

    The window ends with the last whole local day.
    """
    manifest = json.loads((model_folder / "manifest.json").read_text())
    known = references(scorer, manifest)
    rows = []
    for market in MARKETS.values():
        last = local_day(now, market.tz) - timedelta(days=1)
        row = _measure(engine, scorer, market.code, last, known[market.code], now)
        with writing(engine) as session, session.begin():
            store.write_drift(session, row)
        rows.append(row)
    return rows


def _measure(
    engine: sa.Engine, scorer: TopicScorer, market: str, last: date, known: Reference, now: datetime
) -> DriftRow:
    first = last - timedelta(days=DAYS - 1)
    with reading(engine) as session:
        read, with_topic, by_topic = store.topic_counts(session, scorer.model_id, market, first, last)
        texts = store.some_texts(session, scorer.model_id, market, first, last, SAMPLE) if read >= FEWEST else []
    if len(texts) < FEWEST:
        return DriftRow(scorer.model_id, market, last, read, None, None, None, None, {"fewest": FEWEST}, now)
    counts = [by_topic.get(topic_id, 0) for topic_id in scorer.topic_ids]
    scores = tenths(scorer.score(list(texts)))
    unknown, words = unknown_share(texts, scorer.knows)
    working = {
        "fewest": FEWEST, "days": DAYS, "sample": len(texts), "words": words, "labels": known.posts,
        "score_divergence_by_chance": by_chance(scores, known.scores),
        "topic_divergence_by_chance": by_chance(counts, known.topics) if any(counts) else None,
        "no_topic_share_trained": known.off_topic / known.posts, "unknown_share_frozen": known.unknown,
        "scores": [
            {"from": n / TENTHS, "share": now_, "trained": then}
            for n, (now_, then) in enumerate(zip(_shares(scores), _shares(known.scores), strict=True))
        ],
        "moved": _moved(scorer.topic_ids, counts, known.topics),
    }  # fmt: skip
    return DriftRow(
        scorer.model_id, market, last, read, divergence(scores, known.scores),
        divergence(counts, known.topics) if any(counts) else None, 1 - with_topic / read,
        unknown / words if words else None, working, now,
    )  # fmt: skip


def _moved(topic_ids: Sequence[str], counts: Sequence[int], trained: Sequence[int]) -> list[dict[str, Any]]:
    """Topics whose share of all given topics moved most."""
    if not any(counts):
        return []
    shares = list(zip(topic_ids, _shares(counts), _shares(trained), strict=True))
    shares.sort(key=lambda one: -abs(one[1] - one[2]))
    return [{"topic": topic_id, "share": now, "trained": then} for topic_id, now, then in shares[:MOVED]]


def _shares(counts: Sequence[int]) -> list[float]:
    total = max(sum(counts), 1)
    return [round(n / total, 4) for n in counts]

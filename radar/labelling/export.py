"""Rows worth a person's time, from the posts stored: radar.topics.selection says which."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from scipy.special import logit

from radar.labels import post_id
from radar.registry import TopicScorer
from radar.store import labelling as store
from radar.store.engine import reading
from radar.store.labelling import LabelPost
from radar.topics import selection
from radar.topics.calibration import Floats
from radar.topics.evaluation import Decisions, keyword_decisions
from radar.topics.vocabulary import unknown_of, words_in

COLUMNS = (
    "platform", "native_id", "market", "language", "published_at", "text", "reason", "detail", "suggested", "topics",
    "by", "url",
)  # fmt: skip
POOL = 4_000
"""Newest posts of a language that are looked at."""
FEWEST_PERSONS = 3
"""By whom a word must be used to be a new term: one account's spelling is none."""
SUGGESTED = 3


def worth_labelling(
    engine: sa.Engine,
    scorer: TopicScorer,
    seeds: Mapping[str, Sequence[str]],
    *,
    rows: int,
    since: datetime,
    labelled: Collection[str] = (),
    languages: Sequence[str] | None = None,
    quotas: Mapping[str, int] | None = None,
    market: str | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Rows of COLUMNS for a person to fill; fewer than asked for where there are no more posts.

    seeds      terms by topic, in the order of the scorer's topics
    labelled   `post_id`s that are left out
    languages  only these; all if left out         quotas  rows of a language; the others share what is left
    """
    pool = _pool(engine, since, languages, market, labelled)
    if not pool:
        return []
    texts = [item.text for item in pool]
    p, by_seeds, words = scorer.score(texts), keyword_decisions(seeds, texts), words_in(texts)
    terms = _new_terms(scorer, pool, words)
    by_reason = selection.orders(p, scorer.thresholds, by_seeds, list(terms), seed)
    spoken = [item.language for item in pool]
    same = [tuple(said) or item.text_hash for said, item in zip(words, pool, strict=True)]
    held = Counter(language for language, _ in set(zip(spoken, same, strict=True)))
    order = {name: held[name] for name in dict.fromkeys(spoken)}
    picked = selection.pick(by_reason, spoken, same, selection.shares(rows, order, quotas or {}))
    why = _Why(scorer, p, by_seeds, terms)
    return [_row(pool[i], reason, why.detail(i, reason), why.suggested(i)) for i, reason in picked]


def _pool(
    engine: sa.Engine,
    since: datetime,
    languages: Sequence[str] | None,
    market: str | None,
    labelled: Collection[str],
) -> list[LabelPost]:
    with reading(engine) as session:
        names = languages if languages is not None else store.languages(session, since)
        found = [item for name in names for item in store.posts_to_label(session, since, name, POOL, market)]
    known = set(labelled)
    return [item for item in found if post_id(item.platform, item.native_id, item.text) not in known]


def _new_terms(scorer: TopicScorer, pool: Sequence[LabelPost], words: Sequence[Sequence[str]]) -> dict[int, str]:
    """Row -> a word unknown to the model that it holds, those of most persons first; a row a word."""
    persons: dict[str, set[int]] = defaultdict(set)
    holders: dict[str, list[int]] = defaultdict(list)
    new = unknown_of({word for said in words for word in said}, scorer.knows)
    for row, said in enumerate(words):
        for word in new.intersection(said):
            persons[word].add(pool[row].person_id)
            holders[word].append(row)
    ranked = sorted((w for w in persons if len(persons[w]) >= FEWEST_PERSONS), key=lambda w: (-len(persons[w]), w))
    found: dict[int, str] = {}
    for word in ranked:
        holder = next((row for row in holders[word] if row not in found), None)
        if holder is not None:
            found[holder] = word
    return found


class _Why:
    """What is said of a row: why it was picked, and what the model thinks."""

    def __init__(self, scorer: TopicScorer, p: Floats, by_seeds: Decisions, terms: Mapping[int, str]) -> None:
        self._ids, self._thresholds = scorer.topic_ids, scorer.thresholds
        self._p, self._by_seeds, self._terms = p, by_seeds, terms

    def detail(self, row: int, reason: str) -> str:
        p = self._p[row]
        if reason == "disagree":
            named = np.flatnonzero(self._by_seeds[row] & (p < self._thresholds))
            return "seeds say " + ", ".join(f"{self._ids[k]} (model {p[k]:.2f})" for k in named[:SUGGESTED])
        if reason == "threshold":
            tight = np.clip(p, 1e-6, 1 - 1e-6)
            k = int(np.abs(logit(tight) - logit(self._thresholds)).argmin())
            return f"{self._ids[k]} {p[k]:.2f}, given from {self._thresholds[k]:.2f}"
        return f"unknown word: {self._terms[row]}" if reason == "new_term" else ""

    def suggested(self, row: int) -> str:
        p = self._p[row]
        best = p.argsort()[::-1][:SUGGESTED]
        return " ".join(f"{self._ids[k]}={p[k]:.2f}" for k in best if p[k] >= 0.1)


def _row(item: LabelPost, reason: str, detail: str, suggested: str) -> dict[str, Any]:
    return {
        "platform": item.platform, "native_id": item.native_id, "market": item.audience_market,
        "language": item.language, "published_at": f"{item.published_at:%Y-%m-%dT%H:%M:%SZ}", "text": item.text,
        "reason": reason, "detail": detail, "suggested": suggested, "topics": "", "by": "", "url": item.url or "",
    }  # fmt: skip

"""Weak labels: what seeds say clearly of the user's own posts; they train only where they are asked for.

A post has the topics of which it holds two different seed terms, neither inside the other, if it holds no single one
of another topic. It is off-topic if it names nothing that we know of (seed, brand, product, kind of place) and the
model gives every topic less than 5 %. Of each topic and language the newest posts are taken, up to a number; off-topic
ones as many as have a topic.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
import sqlalchemy as sa

from radar.labels import WEAK, Label, post_id
from radar.registry import TopicScorer
from radar.store import labelling as store
from radar.store.engine import reading
from radar.store.labelling import LabelPost
from radar.topics.features import ConceptCounts
from radar.topics.form import feature_texts

BY = "seeds"
POOL = 8_000
"""Newest posts of a language that are looked at."""
FEWEST_TERMS = 2
OFF_TOPIC_BELOW = 0.05
SHORTEST = 20
"""Characters of an off-topic post: shorter ones say nothing at all."""


def weak_labels(
    engine: sa.Engine,
    scorer: TopicScorer,
    seeds: Mapping[str, Sequence[str]],
    concepts: Mapping[str, Sequence[str]],
    *,
    since: datetime,
    now: datetime,
    per_topic: int = 30,
    labelled: Collection[str] = (),
) -> list[Label]:
    """What seeds find in the posts since a moment, each with the terms it rests on.

    seeds     terms by topic, in the order of the scorer's topics       concepts  all that a text may name
    labelled  `post_id`s that people labelled: they are left out
    """
    found: list[Label] = []
    with reading(engine) as session:
        languages = store.languages(session, since)
    for language in languages:
        with reading(engine) as session:
            pool = store.posts_to_label(session, since, language, POOL)
        pool = _distinct(item for item in pool if post_id(item.platform, item.native_id, item.text) not in labelled)
        if pool:
            on_topic = _on_topic(pool, seeds, per_topic, now)
            off_topic = _off_topic(pool, scorer, concepts, max(len(on_topic), per_topic), now)
            found += on_topic + off_topic
    return found


def _distinct(items: Iterable[LabelPost]) -> list[LabelPost]:
    return list({item.text_hash: item for item in items}.values())


def _on_topic(
    pool: Sequence[LabelPost], seeds: Mapping[str, Sequence[str]], per_topic: int, now: datetime
) -> list[Label]:
    counts, topic_ids = ConceptCounts(seeds), list(seeds)
    found_terms = [_terms(counts, text) for text in feature_texts([item.text for item in pool])]
    terms = np.zeros((len(pool), len(topic_ids)), int)
    topics_of = counts.terms()
    for row, said in enumerate(found_terms):
        for term in said:
            terms[row, list(topics_of[term])] += 1
    clear = ((terms == 0) | (terms >= FEWEST_TERMS)).all(1) & terms.any(1)
    taken: Counter[int] = Counter()
    found = []
    for row in np.flatnonzero(clear).tolist():
        topics = np.flatnonzero(terms[row]).tolist()
        if any(taken[k] < per_topic for k in topics):
            taken.update(topics)
            named = tuple(sorted(topic_ids[k] for k in topics))
            found.append(_label(pool[row], named, now, ", ".join(found_terms[row])))
    return found


def _terms(counts: ConceptCounts, text: str) -> list[str]:
    """The distinct seed terms of a feature text; one inside a longer one says nothing more."""
    spans = counts.matches(text)
    outer = (term for a, b, term in spans if not any(x <= a and b <= y and (x, y) != (a, b) for x, y, _ in spans))
    return list(dict.fromkeys(outer))


def _off_topic(
    pool: Sequence[LabelPost], scorer: TopicScorer, concepts: Mapping[str, Sequence[str]], most: int, now: datetime
) -> list[Label]:
    long = [item for item in pool if len(item.text) >= SHORTEST]
    texts = [item.text for item in long]
    silent = np.asarray(ConceptCounts(concepts).transform(feature_texts(texts)).sum(1)).ravel() == 0
    unlikely = (scorer.score(texts) < OFF_TOPIC_BELOW).all(1)
    rows = np.flatnonzero(silent & unlikely)[:most].tolist()
    return [_label(long[row], (), now, "names nothing known; every topic below 5 %") for row in rows]


def _label(item: LabelPost, topics: tuple[str, ...], now: datetime, note: str) -> Label:
    post = post_id(item.platform, item.native_id, item.text)
    return Label(post, item.text, item.language, topics, BY, now, "seeds.toml", provenance=WEAK, note=note)

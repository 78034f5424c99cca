"""Why a post was given a topic: the words, hashtags and emoji that carried its score, where they stand in the post.

The classifier is linear, so a score is a sum: each n-gram's, word's and concept's part falls to the signs it covers,
a word vector's to its word. Parts are added up by word; what speaks against a topic has a negative weight.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import numpy as np

from radar.text.codes import Joined
from radar.text.vectors import split_words_of, word_table, words_of
from radar.topics.form import feature_texts, word_spans
from radar.topics.pipeline import TopicPipeline


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of a post, [start, end) in its own characters, and what it adds to a topic's margin."""

    start: int
    end: int
    text: str
    weight: float


def explain(pipeline: TopicPipeline, text: str, topic: int, most: int = 5) -> list[Evidence]:
    """The stretches of a post that speak most for a topic (its column), the strongest first."""
    seen = feature_texts([text])[0]
    if not seen:
        return []
    weights = np.zeros(len(seen))
    for start, end, weight in _parts(pipeline, seen, topic):
        weights[start:end] += weight / (end - start)
    place = _places(text, seen)
    found = []
    for start, end, _ in split_words_of(seen):
        at = [p for p in place[start:end] if p >= 0]
        if at:
            first, last = min(at), max(at) + 1
            found.append(Evidence(first, last, text[first:last], float(weights[start:end].sum())))
    found.sort(key=lambda e: (-e.weight, e.start))
    return [e for e in found[:most] if e.weight > 0]


def _parts(pipeline: TopicPipeline, seen: str, topic: int) -> Iterator[tuple[int, int, float]]:
    """(start, end, weight) of every feature in a feature text."""
    union = pipeline.named_steps["features"]
    coefficients = pipeline.named_steps["topics"].estimators_[topic].coef_[0]
    at = 0
    for name, block in union.transformer_list:
        row = block.transform([seen])
        mine = coefficients[at : at + row.shape[1]] * (union.transformer_weights or {}).get(name, 1.0)
        at += row.shape[1]
        if name == "char":
            least, longest = block.ngram_range
            spans = [(i, i + n, seen[i : i + n]) for n in range(least, longest + 1) for i in range(len(seen) - n + 1)]
            yield from _shared(block.vocabulary_, row, mine, spans)
        elif name == "word":
            yield from _shared(block.vocabulary_, row, mine, word_spans(seen))
        elif name == "concepts":
            names = block.terms()
            for start, end, term in block.matches(seen):
                for concept in names[term]:
                    shares = sum(concept in names[other] for _, _, other in block.matches(seen))
                    yield start, end, float(row[0, concept] * mine[concept]) / shares
        else:
            yield from _word_parts(seen, mine * block.weight)


def _shared(
    vocabulary: dict[str, int], row: Any, mine: Any, spans: list[tuple[int, int, str]]
) -> Iterator[tuple[int, int, float]]:
    """A feature's part, divided among the places where it occurs."""
    known = [(start, end, vocabulary[gram]) for start, end, gram in spans if gram in vocabulary]
    times = np.bincount([column for _, _, column in known], minlength=1)
    for start, end, column in known:
        yield start, end, float(row[0, column] * mine[column]) / int(times[column])


def _word_parts(seen: str, mine: Any) -> Iterator[tuple[int, int, float]]:
    table, words = word_table(), words_of(Joined.of([seen]))
    known = words.rows >= 0
    rows = words.rows[known]
    vectors = table.vectors[rows] * table.scale[rows, None]
    length = float(np.linalg.norm(vectors.sum(0))) or 1.0
    for start, end, weight in zip(words.start[known], words.end[known], vectors @ mine / length, strict=True):
        yield int(start), int(end), float(weight)


def _places(text: str, seen: str) -> list[int]:
    """Where each sign of the feature text stands in the post, -1 where it is in none of its signs."""
    signs = [(s, i) for i, c in enumerate(text) for s in unicodedata.normalize("NFKC", c).lower()]
    simple = feature_texts(["".join(s for s, _ in signs).replace(" ", "\u3000")])[0] if signs else ""
    plain = "".join(s for s, _ in signs)
    place = [-1] * len(seen)
    for against in {plain, simple if len(simple) == len(plain) else plain}:
        for a, b, n in SequenceMatcher(None, against, seen, autojunk=False).get_matching_blocks():
            for k in range(n):
                if place[b + k] < 0:
                    place[b + k] = signs[a + k][1]
    for i, j in pairwise(range(len(place))):
        if place[j] < 0 <= place[i] and seen[j] != " ":
            place[j] = place[i]
    return place

"""How far people who labelled the same posts agree, and where they do not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from radar.labels import Label, standing
from radar.topics.agreement import Agreement, agreement

COLUMNS = ("platform", "native_id", "language", "text", "first", "said", "second", "said_too", "topics", "by")
"""Of a sheet of disagreements; `topics` and `by` are left for who decides."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people, their agreement, and their labels of the posts that they labelled differently."""

    first: str
    second: str
    agreement: Agreement
    disagreed: tuple[tuple[Label, Label], ...]


def pairs(labels: Iterable[Label], topic_ids: Sequence[str]) -> list[Pair]:
    """Every two people with a post in common, by name."""
    by_person: dict[str, dict[str, Label]] = {}
    for (post, by), label in standing(labels).items():
        by_person.setdefault(by, {})[post] = label
    found = []
    for first, second in combinations(sorted(by_person), 2):
        shared = sorted(by_person[first].keys() & by_person[second].keys())
        if shared:
            a, b = ([by_person[who][post] for post in shared] for who in (first, second))
            said = agreement(_given(a, topic_ids), _given(b, topic_ids), topic_ids)
            found.append(Pair(first, second, said, tuple((a[i], b[i]) for i in said.disagreed)))
    return found


def disagreed_rows(pair: Pair) -> list[dict[str, Any]]:
    """Rows of COLUMNS, which a third person can fill and import."""
    rows = []
    for a, b in pair.disagreed:
        platform, _, native_id = a.post.partition(":")
        is_post = platform != "text"
        rows.append(
            {
                "platform": platform if is_post else "", "native_id": native_id if is_post else "",
                "language": a.language, "text": a.text, "first": pair.first, "said": " ".join(a.topics) or "none",
                "second": pair.second, "said_too": " ".join(b.topics) or "none", "topics": "", "by": "",
            }
        )  # fmt: skip
    return rows


def _given(labels: Sequence[Label], topic_ids: Sequence[str]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([[topic in label.topics for topic in topic_ids] for label in labels], bool)

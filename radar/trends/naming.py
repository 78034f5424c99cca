"""Which of several keys that the same people use gives a trend its name."""

from collections.abc import Sequence
from dataclasses import dataclass

from radar.keys import Kind

NEAR = 0.8
"""A name must be used by this share of the most used one's persons."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key of a trend: how it is written, and how many persons used it in the window."""

    kind: Kind
    text: str
    persons: int
    score: float


def best_known(candidates: Sequence[Candidate]) -> int:
    """Index of the name that leads: of those nearly as many use as the most used one, the one that says most.

    What a user tracks before a known product, that before a name that other keys are parts of, that before a hashtag,
    a plain word, a place and a topic; then the most used, the longest, the best score.

    >>> used = {"桂放映": 62, "落桂放映室": 60, "聽說": 30}
    >>> best_known([Candidate(Kind.TERM, text, persons, 5.0) for text, persons in used.items()])
    1
    """
    most = max(c.persons for c in candidates)
    near = [i for i, c in enumerate(candidates) if c.persons >= NEAR * most]

    def says(i: int) -> tuple[int, int, int, float]:
        c = candidates[i]
        text = c.text.lstrip("#")
        whole = c.kind is Kind.TERM and any(
            j != i and candidates[j].kind is Kind.TERM and candidates[j].text in text for j in near
        )
        by_kind = {Kind.TRACKED: 6, Kind.PRODUCT: 5, Kind.HASHTAG: 3, Kind.PLACE: 1, Kind.TOPIC: 0}
        rank = by_kind.get(c.kind, 4 if whole else 2)
        # of a name and its parts the longest stands, however few persons more a part has
        return (rank, len(text) if whole else 0, c.persons, c.score)

    return max(near, key=says)

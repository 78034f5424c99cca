"""A shortlist that is not ten times the same: maximal marginal relevance.

Carbonell & Goldstein (1998): take next whoever has the highest (1 - d) * score / best - d * (likeness to the likest of
those taken). Likeness of two KOLs is the mean of three: audience (the share of commenters in common where it is known,
else same platform and same tier, a half each), topics (cosine of their posts by topic) and style (cosine of their
vectors from the mean of all KOLs). A person is taken once, with the account that scores best.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from radar.partners.kol import Kol, Vector
from radar.partners.parts import nearness
from radar.partners.scoring import Scored


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two KOLs are, in [0, 1], by part; style None where a vector is missing."""

    audience: float
    topics: float
    style: float | None

    @property
    def mean(self) -> float:
        known = [v for v in (self.audience, self.topics, self.style) if v is not None]
        return sum(known) / len(known)


def likeness(a: Kol, b: Kol, centre: Vector | None) -> Likeness:
    """How alike two KOLs are."""
    audience = 0.5 * (a.platform == b.platform) + 0.5 * (a.tier == b.tier)
    return Likeness(
        1.0 if a.person_id == b.person_id else audience,
        cosine(a.profile.topics, b.profile.topics),
        nearness(a.profile.vector, b.profile.vector, centre),
    )


def cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Cosine of two sparse vectors of counts.

    >>> cosine({"x": 1}, {"x": 2}), cosine({"x": 1}, {"y": 1}), cosine({}, {})
    (1.0, 0.0, 0.0)
    """
    size = sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
    return min(sum(v * b.get(name, 0) for name, v in a.items()) / size, 1.0) if size else 0.0


def shortlist(found: Sequence[Scored], k: int, diversity: float, centre: Vector | None) -> list[Scored]:
    """The k to show, in order; found is best first."""
    left = list({scored.kol.person_id: scored for scored in reversed(found)}.values())[::-1]
    left.sort(key=lambda scored: -scored.score)
    if not left:
        return []
    best = left[0].score
    chosen = [left.pop(0)]
    nearest = [0.0] * len(left)
    while left and len(chosen) < k:
        for i, scored in enumerate(left):
            nearest[i] = max(nearest[i], likeness(scored.kol, chosen[-1].kol, centre).mean)
        marginal = [(1 - diversity) * s.score / best - diversity * near for s, near in zip(left, nearest, strict=True)]
        at = max(range(len(left)), key=lambda i: (marginal[i], -i))
        chosen.append(left.pop(at))
        nearest.pop(at)
    return chosen

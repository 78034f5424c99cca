"""Words of praise and blame as features: plain, and turned round ("not good", "不好吃", "좋지 않")."""

import tomllib
from collections.abc import Mapping, Sequence

from radar.topics.features import ConceptCounts


def negated(words: str, before: str, after: str) -> list[str]:
    """Each of the words with each of what turns it round put before or after it; all comma-separated.

    >>> negated("good, nice", "not ", ""), negated("美味し", "", "くない")
    (['not good', 'not nice'], ['美味しくない'])
    """
    stems = _listed(words)
    return [sign + stem for sign in _listed(before, keep=True) for stem in stems] + [
        stem + sign for sign in _listed(after) for stem in stems
    ]


def _listed(words: str, *, keep: bool = False) -> list[str]:
    """Words between commas; keep: with the space that ends them."""
    return [word.lstrip() if keep else word.strip() for word in words.split(",") if word.strip()]


class ToneWords(ConceptCounts):
    """How many words of praise and blame a text holds, plain and turned round, all languages together.

    text  of tone_words.toml: for each language positive, negative, before, after
    """

    def __init__(self, text: str, weight: float = 1.0) -> None:
        self.text = text
        self.weight = weight

    @property
    def concepts(self) -> Mapping[str, Sequence[str]]:  # type: ignore[override]
        """praise, blame, no praise, no blame -> terms."""
        parts = tomllib.loads(self.text).values()
        found: dict[str, list[str]] = {}
        for name, tone in (("praise", "positive"), ("blame", "negative")):
            found[name] = [word for part in parts for word in _listed(part[tone])]
            found[f"no {name}"] = [w for part in parts for w in negated(part[tone], part["before"], part["after"])]
        return found

"""Parts into one score: a weighted geometric mean, whose factors can be multiplied again."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from math import isfinite

from radar.errors import CallerError
from radar.partners.kol import Kol
from radar.partners.parts import PARTS, Part, Scene

UNKNOWN = 0.35
"""Where a part enters that is not known: below the middle, so that silence is no merit and no ruin."""
FLOOR = 0.02
"""Where a part of 0 enters: one zero must not hide all else that is known."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each part counts, and how diverse a list is wanted."""

    of: Mapping[str, float]
    diversity: float

    def changed(self, given: Mapping[str, float], diversity: float | None = None) -> "Weights":
        """With a request's own numbers over these. Raises CallerError."""
        return Weights(checked({**self.of, **given}), _share(self.diversity if diversity is None else diversity))


def shipped_weights() -> str:
    """weights.toml as it ships."""
    return (files("radar.partners") / "weights.toml").read_text(encoding="utf-8")


def parse_weights(text: str) -> Weights:
    """Read weights as TOML; parts left out keep the shipped weight. Raises CallerError."""
    default, data = tomllib.loads(shipped_weights()), _toml(text)
    given = default["weights"] | data.get("weights", {})
    return Weights(checked(given), _share({**default["shortlist"], **data.get("shortlist", {})}["diversity"]))


def _toml(text: str) -> dict[str, dict[str, float]]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CallerError(
            f"The weights are not TOML: {error}.", "See radar/partners/weights.toml for the form."
        ) from error


def checked(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights by part. Raises CallerError for a part that is none, a negative number, or all of them 0."""
    for name, value in weights.items():
        if name not in PARTS:
            raise CallerError(f"There is no part '{name[:40]}' to weigh.", f"Parts: {', '.join(PARTS)}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
            raise CallerError(f"The weight of {name} is no number from 0: {str(value)[:40]}.", "Give 0 or more.")
    if not any(weights.values()):
        raise CallerError("All weights are 0.", "Give at least one part a weight above 0.")
    return {name: float(value) for name, value in weights.items()}


def weights_said(parts: Iterable[str]) -> dict[str, float]:
    """Weights as people write them. Raises CallerError.

    >>> weights_said(["topic:40", "reach: 0"])
    {'topic': 40.0, 'reach': 0.0}
    """
    found = {}
    for part in parts:
        name, _, value = part.partition(":")
        try:
            found[name.strip()] = float(value)
        except ValueError as error:
            raise CallerError(f"weights: '{part[:40]}' is not as topic:40.", "Name a part and a number.") from error
    return found


def _share(value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise CallerError(f"The diversity is not within 0 and 1: {str(value)[:40]}.", "Give a number from 0 to 1.")
    return float(value)


@dataclass(frozen=True, slots=True)
class Scored:
    """A KOL with its parts. factors  of the parts with a weight; their product is the score, in (0, 1]."""

    kol: Kol
    parts: tuple[Part, ...]
    factors: Mapping[str, float]
    score: float

    @property
    def why(self) -> list[str]:
        return [part.why for part in self.parts if part.why]

    @property
    def mind(self) -> list[str]:
        return [part.mind for part in self.parts if part.mind]


def score(kol: Kol, scene: Scene, weights: Mapping[str, float]) -> Scored:
    """A KOL's score for a brief."""
    parts = tuple(part for make in PARTS.values() if (part := make(kol, scene)) is not None)
    total = sum(weights[part.name] for part in parts) or 1.0
    factors: dict[str, float] = {}
    product = 1.0
    for part in parts:
        value = UNKNOWN if part.value is None else max(part.value, FLOOR)
        factors[part.name] = value ** (weights[part.name] / total)
        product *= factors[part.name]
    return Scored(kol, parts, factors, product)

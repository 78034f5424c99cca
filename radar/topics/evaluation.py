"""How good a topic model is, on posts that never trained it: by topic and by language, beside plain rules.

F1 of a topic is the harmonic mean of precision and recall at its threshold; macro-F1 is their mean over topics that
the posts hold. The calibration error is the expected one in ten equal bins (Naeini et al., AAAI 2015). "Masked" takes
the topic's own seed terms out of the text first: what is left is not keyword search.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from radar.topics.calibration import Floats, Indicators, Labels, f1
from radar.topics.form import feature_texts

Decisions = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures over some posts.

    macro_f1, precision, recall   over topics that occur; over decisions; over labels
    off_topic_given               share of off-topic posts that get any topic
    calibration_error             mean distance of probability from frequency, None for rules that give none
    """

    posts: int
    macro_f1: float
    precision: float
    recall: float
    off_topic_given: float
    calibration_error: float | None


def measure(on: Decisions, topics: Indicators, p: Floats | None = None) -> Measured:
    """Figures of decisions (posts, topics) against labels; p: probabilities, if there are any."""
    right, occurs, off_topic = (on & (topics == 1)).sum(), topics.any(0), topics.sum(1) == 0
    return Measured(
        len(on),
        round(float(np.mean([f1(on[:, k], topics[:, k]) for k in np.flatnonzero(occurs)])), 3),
        round(float(right / max(on.sum(), 1)), 3),
        round(float(right / max(topics.sum(), 1)), 3),
        round(float(on[off_topic].any(1).mean()), 3) if off_topic.any() else 0.0,
        None if p is None else round(calibration_error(p.ravel(), topics.ravel()), 4),
    )


def calibration_error(p: Floats, truth: Indicators, bins: int = 10) -> float:
    """Mean distance between what was foretold and what was so, over equal bins of p.

    >>> calibration_error(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 0, 1, 1], np.int8)).__round__(2)
    0.1
    """
    which = np.minimum((p * bins).astype(int), bins - 1)
    size, said, so = (np.bincount(which, w, bins) for w in (np.ones_like(p), p, truth.astype(float)))
    held = size > 0
    return float(np.abs(said[held] - so[held]).sum() / len(p))


def keyword_decisions(seeds: Mapping[str, Sequence[str]], texts: Sequence[str]) -> Decisions:
    """The plain rule: a post has each topic one of whose seed terms it holds, (posts, topics)."""
    from radar.topics.features import ConceptCounts  # and with it scikit-learn: two seconds

    return np.asarray((ConceptCounts(seeds).transform(feature_texts(texts)) > 0).toarray())


def masked(seeds: Mapping[str, Sequence[str]], texts: Sequence[str]) -> list[str]:
    """Feature texts without any topic's seed terms."""
    from radar.topics.features import ConceptCounts

    counts, out = ConceptCounts(seeds), []
    for text in feature_texts(texts):
        signs = list(text)
        for start, end, _ in counts.matches(text):
            signs[start:end] = " " * (end - start)
        out.append("".join(signs))
    return out


@dataclass(frozen=True, slots=True)
class Report:
    """A model's figures on held-out posts.

    by_language, by_topic    `Measured`; rows of figures
    masked, masked_by_language   with every topic's seed terms taken out of the texts
    keywords, majority       by language: of seed terms alone, and of the commonest topic given to every post
    """

    overall: Measured
    masked: Measured
    by_language: dict[str, Measured]
    masked_by_language: dict[str, Measured]
    by_topic: list[dict[str, object]]
    keywords: dict[str, Measured]
    majority: dict[str, Measured]

    def plain(self) -> dict[str, object]:
        """As JSON holds it."""
        return asdict(self)


def report(
    score: Callable[[list[str]], Floats],
    thresholds: Floats,
    topic_ids: Sequence[str],
    held_out: Labels,
    seeds: Mapping[str, Sequence[str]],
) -> Report:
    """Figures of a scorer on held-out posts, with the keyword rule and the commonest topic beside it."""
    texts, topics, languages = held_out.texts, held_out.topics, np.array(held_out.languages)
    p = score(texts)
    on, by_keyword = p >= thresholds, keyword_decisions(seeds, texts)
    hidden_p = score(masked(seeds, texts))
    hidden = hidden_p >= thresholds
    commonest = np.zeros_like(on)
    commonest[:, topics.sum(0).argmax()] = True
    of = {language: languages == language for language in dict.fromkeys(held_out.languages)}
    return Report(
        measure(on, topics, p),
        measure(hidden, topics, hidden_p),
        {language: measure(on[rows], topics[rows], p[rows]) for language, rows in of.items()},
        {language: measure(hidden[rows], topics[rows], hidden_p[rows]) for language, rows in of.items()},
        [
            {"topic": topic_id}
            | _of_topic(on[:, k], topics[:, k], p[:, k], topics.sum(1) == 0)
            | {
                "masked_f1": round(f1(hidden[:, k], topics[:, k]), 3),
                "keyword_f1": round(f1(by_keyword[:, k], topics[:, k]), 3),
                "always_f1": round(f1(np.ones(len(on), np.bool_), topics[:, k]), 3),
                "threshold": float(thresholds[k]),
            }
            for k, topic_id in enumerate(topic_ids)
        ],
        {language: measure(by_keyword[rows], topics[rows]) for language, rows in of.items()},
        {language: measure(commonest[rows], topics[rows]) for language, rows in of.items()},
    )


def _of_topic(on: Decisions, truth: Indicators, p: Floats, off_topic: Decisions) -> dict[str, object]:
    """A topic's own figures; each argument (posts,)."""
    return {
        "posts": int(truth.sum()),
        "f1": round(f1(on, truth), 3),
        "precision": round(float((truth[on] == 1).mean()), 3) if on.any() else None,
        "recall": round(float(on[truth == 1].mean()), 3) if truth.any() else None,
        "calibration_error": round(calibration_error(p, truth), 4),
        "off_topic_given": round(float(on[off_topic].mean()), 4) if off_topic.any() else 0.0,
    }

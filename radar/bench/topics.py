"""What the topic model finds in the frozen posts, which are synthetic; beside it what is plainer, fitted alike.

Macro-F1 by language and the mean of them, of the present model and of its peers: n-grams of signs (TF-IDF and a linear
classifier of the same labels), seed terms alone, and the commonest topic given to every post.
"""

from collections.abc import Mapping

import numpy as np

from radar.config import load_settings
from radar.model_cards import fitted_signs_alone
from radar.registry import evaluate, load_scorer
from radar.scheduling import Progress
from radar.topics.evaluation import Measured


def measure(progress: Progress) -> dict[str, object]:
    """macro_f1 of the model and of its peers, and with seed terms masked; off-topic posts that are given a topic."""
    scorer = load_scorer(load_settings())
    found = evaluate(scorer)
    progress("runs", 1, 2)
    signs = fitted_signs_alone()
    progress("runs", 2, 2)
    return {
        "model": scorer.model_id,
        "posts": "the frozen test, synthetic",
        "macro_f1": _mean(found.by_language),
        **{f"macro_f1_{language}": figures.macro_f1 for language, figures in found.by_language.items()},
        "macro_f1_masked": _mean(found.masked_by_language),
        "off_topic_given": found.overall.off_topic_given,
        "calibration_error": found.overall.calibration_error,
        "peer_signs_macro_f1": _mean(signs.by_language),
        "peer_keywords_macro_f1": _mean(found.keywords),
        "peer_majority_macro_f1": _mean(found.majority),
    }


def _mean(by_language: Mapping[str, Measured]) -> float:
    return round(float(np.mean([figures.macro_f1 for figures in by_language.values()])), 3)

"""What n-grams of signs alone would do, without words, concepts, vectors or calibration: a peer for the card."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from radar.topics.calibration import Labels, f1
from radar.topics.descent import Posts
from radar.topics.evaluation import Measured, measure
from radar.topics.features import Grams
from radar.topics.form import feature_texts


@dataclass(frozen=True, slots=True)
class SignsAlone:
    """Figures by language, and F1 by topic."""

    by_language: dict[str, Measured]
    by_topic: dict[str, float]


def signs_alone(labels: Labels, held_out: Labels, topic_ids: Sequence[str], c: float, seed: int) -> SignsAlone:
    """Figures on held-out posts, of linear classifiers of TF-IDF that decide at their planes.

    c  inverse strength of the penalty
    """
    grams = Grams(analyzer="char", ngram_range=(1, 3), lowercase=False, sublinear_tf=True, min_df=2)
    posts = Posts(grams.fit_transform(feature_texts(labels.texts)), labels.topics, c, seed)
    posts.fit()
    weights, bias = posts.planes()
    on = grams.transform(feature_texts(held_out.texts)) @ weights.T + bias > 0
    languages = np.array(held_out.languages)
    of = {language: languages == language for language in dict.fromkeys(held_out.languages)}
    return SignsAlone(
        {language: measure(on[rows], held_out.topics[rows]) for language, rows in of.items()},
        {topic_id: round(f1(on[:, k], held_out.topics[:, k]), 3) for k, topic_id in enumerate(topic_ids)},
    )

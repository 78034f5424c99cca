"""Terms counted by compiled code are scikit-learn's own, to the last column."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from radar.registry import load_concepts, load_frozen, load_taxonomy
from radar.topics.features import ConceptCounts, Grams
from radar.topics.form import feature_texts, word_features


@pytest.mark.parametrize(
    "wanted",
    [
        {"analyzer": "char", "ngram_range": (1, 3)},
        {"analyzer": "char", "ngram_range": (2, 2)},
        {"analyzer": word_features},
    ],
)
def test_fitting_gives_the_vocabulary_and_weights_of_scikit_learn(wanted: dict[str, object]) -> None:
    texts = feature_texts([*load_frozen(load_taxonomy()).texts[::5], "", "a", "a # b #", "𠮷野家 \x00 \ud800"])
    settings = {"lowercase": False, "sublinear_tf": True, "min_df": 2} | wanted
    ours, theirs = Grams(**settings), TfidfVectorizer(**settings)
    found, expected = ours.fit_transform(texts), theirs.fit_transform(texts)
    assert ours.vocabulary_ == theirs.vocabulary_
    assert np.allclose(ours.idf_, theirs.idf_)
    assert abs(found - expected).max() < 1e-12
    assert abs(ours.transform(texts) - expected).max() < 1e-12


def test_no_term_in_enough_texts_is_said() -> None:
    with pytest.raises(ValueError, match="No term is in 2 of 2 texts"):
        Grams(analyzer="char", min_df=2).fit(["a", "b"])


def test_concepts_are_counted_as_their_matches_say() -> None:
    taxonomy = load_taxonomy()
    concepts = ConceptCounts(load_concepts(taxonomy), weight=0.5)
    texts = feature_texts([*load_frozen(taxonomy).texts[::3], "", "esim e-sim simulation"])
    told, found = concepts.terms(), concepts.fit_transform(texts).toarray()
    for text, row in zip(texts, found, strict=True):
        terms = {term for _, _, term in concepts.matches(text)}
        named = np.bincount([c for term in terms for c in told[term]], minlength=len(concepts.concepts))
        assert np.allclose(row, 0.5 * np.log1p(named))
    assert (found > 0).any(1).mean() > 0.5

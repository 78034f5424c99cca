"""The card of a fitted model, as Markdown: figures on the frozen posts, and on real texts that are kept elsewhere."""

import importlib
import json
from datetime import date
from pathlib import Path

from radar.real_texts import load_real_texts
from radar.registry import CONTENT, evaluate, load_frozen, load_labels, load_taxonomy, open_scorer
from radar.topics.baseline import SignsAlone, signs_alone
from radar.topics.card import card
from radar.topics.real import RealFigures


def model_card(folder: Path, *, with_peers: bool = False, real: Path | None = None, today: date | None = None) -> str:
    """The card of the model in a folder. Raises RadarError when it, or the real posts, cannot be read.

    with_peers  fit the shipped labels by n-grams of signs alone too, to stand beside it (some ten seconds)
    real        folder of real texts (`radar.real_texts`)
    today       when they are measured
    """
    scorer = open_scorer(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    figures, real_from = [], ""
    if real is not None:
        read = load_real_texts(real, scorer.topic_ids)
        figures = [RealFigures.of(f, scorer.score, scorer.thresholds, scorer.topic_ids) for f in read.sets]
        real_from = f"Measured on {today} on texts that are not part of the project (SHA-256 {read.digest[:16]})."
    return card(manifest, evaluate(scorer), fitted_signs_alone() if with_peers else None, figures, real_from)


def fitted_signs_alone() -> SignsAlone:
    """What n-grams of signs alone do on the frozen posts, fitted now on the shipped labels (some ten seconds)."""
    recipe, taxonomy = importlib.import_module(f"{CONTENT}.recipe"), load_taxonomy()
    return signs_alone(load_labels(taxonomy), load_frozen(taxonomy), taxonomy.ids, recipe.C, recipe.SEED)

"""Fitted models: fit from a recipe, save with a manifest, load a scorer.

A model is a folder RADAR_DATA_DIR/models/topics/<id>: pipeline.skops, manifest.json. Its id is a hash of labels,
taxonomy, recipe, feature code and library versions, so equal inputs name an equal model on any machine.
"""

import csv
import hashlib
import importlib
import inspect
import io
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from scipy.special import expit
from sklearn.model_selection import StratifiedKFold

from radar.config import Settings, load_settings
from radar.errors import RadarError, UnreadableInput
from radar.text import normalise as normalise_module
from radar.text import segment as segment_module
from radar.topics import SeedCounts, Taxonomy, build_pipeline, parse_seeds, parse_taxonomy, word_features

Floats = npt.NDArray[np.float64]

_TRUSTED = [
    f"{function.__module__}.{function.__name__}" for function in (word_features, normalise_module.normalise, SeedCounts)
]
_CONTENT = "radar._content.models.topics"


def load_taxonomy() -> Taxonomy:
    """The taxonomy that ships with radar."""
    return parse_taxonomy((files(_CONTENT) / "topics.toml").read_text(encoding="utf-8"))


def load_seeds(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Seed terms by topic, in the taxonomy's order."""
    seeds = parse_seeds((files(_CONTENT) / "seeds.toml").read_text(encoding="utf-8"))
    return {topic_id: seeds.get(topic_id, []) for topic_id in taxonomy.ids}


@dataclass(frozen=True, slots=True)
class Labels:
    """Labelled posts: texts and their topics, (posts, topics) of 0 and 1."""

    texts: list[str]
    languages: list[str]
    topics: npt.NDArray[np.int8]


def load_labels(taxonomy: Taxonomy) -> Labels:
    """models/topics/labels.csv. Raises UnreadableInput that names the line at fault."""
    source = files(_CONTENT) / "labels.csv"
    column = {topic_id: i for i, topic_id in enumerate(taxonomy.ids)}
    texts, languages, rows = [], [], []
    with io.StringIO(source.read_text(encoding="utf-8"), newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            named = row["topics"].split()
            unknown = [topic_id for topic_id in named if topic_id not in column]
            if unknown or not row["text"].strip():
                fault = f"unknown topic {unknown[0]}" if unknown else "empty text"
                raise UnreadableInput(f"labels.csv line {line}: {fault}.", "Correct the row.")
            texts.append(row["text"])
            languages.append(row["language"])
            rows.append([int(topic_id in named) for topic_id in taxonomy.ids])
    return Labels(texts, languages, np.array(rows, dtype=np.int8))


class TopicScorer:
    """A fitted pipeline with calibrated probabilities.

    topic_ids   the topics, in the order of score's columns
    thresholds  (topics,) probability from which a post is given the topic
    """

    def __init__(self, pipeline: Any, manifest: dict[str, Any]) -> None:
        self.model_id: str = manifest["id"]
        self.topic_ids: list[str] = manifest["topic_ids"]
        self.thresholds: Floats = np.array(manifest["thresholds"])
        self._features = pipeline.named_steps["features"]
        estimators = pipeline.named_steps["topics"].estimators_
        self._coefficients = np.stack([e.coef_[0] for e in estimators], axis=1)
        self._intercepts = np.array([e.intercept_[0] for e in estimators])
        self._slope, self._offset = np.array(manifest["slope"]), np.array(manifest["offset"])

    def score(self, texts: list[str]) -> Floats:
        """Calibrated probability of each topic, (texts, topics)."""
        if not texts:
            return np.zeros((0, len(self.topic_ids)))
        margins = self._features.transform(texts) @ self._coefficients + self._intercepts
        return self.calibrated(margins)

    def calibrated(self, margins: Floats) -> Floats:
        """Probabilities from the classifiers' margins, (texts, topics): Platt's sigmoid of each topic."""
        return np.asarray(expit(self._slope * margins + self._offset))


def model_id() -> str:
    """Id of the model that the shipped labels, taxonomy and recipe give with this code and these libraries."""
    digest = hashlib.sha256()
    for name in ("labels.csv", "topics.toml", "seeds.toml", "recipe.py"):
        digest.update((files(_CONTENT) / name).read_bytes())
    for module in (normalise_module, segment_module, inspect.getmodule(build_pipeline)):
        digest.update(inspect.getsource(module).encode())  # type: ignore[arg-type]
    digest.update(f"{sklearn.__version__} {np.__version__}".encode())
    return f"topics-{digest.hexdigest()[:10]}"


def load_scorer(settings: Settings | None = None) -> TopicScorer:
    """The topic scorer of the present model."""
    return open_scorer(fitted_folder(settings or load_settings()))


def fitted_folder(settings: Settings) -> Path:
    """Where the present model is kept, fitted first (some 10 s) where it is missing."""
    folder = model_folder(settings)
    if not (folder / "manifest.json").exists():
        fit(folder)
    return folder


def open_scorer(folder: Path) -> TopicScorer:
    """Load a fitted model. Raises RadarError when it is damaged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        scorer = TopicScorer(open_pipeline(folder), manifest)
        columns = {
            scorer._coefficients.shape[1],
            *(len(manifest[n]) for n in ("topic_ids", "thresholds", "slope", "offset")),
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _damaged(folder, error) from error
    if len(columns) != 1:
        raise _damaged(folder, ValueError("its topics do not fit its classifiers"))
    return scorer


def open_pipeline(folder: Path) -> Any:
    """The fitted scikit-learn pipeline. Types other than scikit-learn's, NumPy's and our own three are refused."""
    import skops.io

    try:
        return skops.io.load(folder / "pipeline.skops", trusted=_TRUSTED)
    except Exception as error:  # skops raises many kinds; none of them may end in a traceback
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> RadarError:
    return RadarError(f"Cannot load the model in {folder}: {error}.", "Delete the folder; it is fitted anew.")


def fit(folder: Path) -> dict[str, Any]:
    """Fit from the shipped labels into a folder, whole or not at all; returns the manifest."""
    import skops.io

    recipe = importlib.import_module(f"{_CONTENT}.recipe")
    taxonomy = load_taxonomy()
    labels = load_labels(taxonomy)
    seeds = load_seeds(taxonomy)
    pipeline = build_pipeline(c=recipe.C, seed=recipe.SEED, seeds=seeds, seed_weight=recipe.SEED_WEIGHT)
    margins = _out_of_fold(pipeline, labels, recipe.FOLDS, recipe.SEED)
    calibrated = [_platt(margins[:, k], labels.topics[:, k]) for k in range(len(taxonomy.topics))]
    slope, offset = np.array([c[0] for c in calibrated]), np.array([c[1] for c in calibrated])
    probabilities = expit(slope * margins + offset)
    thresholds = [
        _threshold(probabilities[:, k], labels.topics[:, k], recipe.LEAST_PRECISION, recipe.LEAST_THRESHOLD)
        for k in range(len(taxonomy.topics))
    ]
    on = probabilities >= np.array(thresholds)
    off_topic = labels.topics.sum(1) == 0
    pipeline.fit(labels.texts, labels.topics)
    manifest = {
        "id": folder.name,
        "topic_ids": taxonomy.ids,
        "thresholds": thresholds,
        "slope": slope.round(6).tolist(),
        "offset": offset.round(6).tolist(),
        "taxonomy_version": taxonomy.version,
        "posts": len(labels.texts),
        "metrics": {
            "macro_f1_out_of_fold": round(
                float(np.mean([_f1(on[:, k], labels.topics[:, k]) for k in range(on.shape[1])])), 3
            ),
            "off_topic_given_a_topic": round(float(on[off_topic].any(1).mean()), 3),
        },
        "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
        "seed": recipe.SEED,
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".fitting-", dir=folder.parent))
    skops.io.dump(pipeline, made / "pipeline.skops")
    (made / "manifest.json").write_text(json.dumps(manifest, indent=1))
    if folder.exists() and not (folder / "manifest.json").exists():  # half of a model, not by us: we write it whole
        shutil.rmtree(folder)
    try:
        os.replace(made, folder)
    except OSError:  # another process was first: its model is the same
        shutil.rmtree(made)
    return manifest


def _out_of_fold(pipeline: Any, labels: Labels, folds: int, seed: int) -> Floats:
    """Margins of posts scored by models that have not seen them, (posts, topics)."""
    features = pipeline.named_steps["features"].fit_transform(labels.texts)
    first = np.where(labels.topics.any(1), labels.topics.argmax(1), -1)
    strata = np.array([f"{f} {lang}" for f, lang in zip(first, labels.languages, strict=True)])
    rare = np.unique(strata, return_counts=True)
    strata = np.where(np.isin(strata, rare[0][rare[1] < folds]), "rare", strata)
    margins = np.zeros(labels.topics.shape)
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, test in splits.split(features, strata):
        model = sklearn.base.clone(pipeline.named_steps["topics"]).fit(features[train], labels.topics[train])
        margins[test] = np.stack([e.decision_function(features[test]) for e in model.estimators_], axis=1)
    return margins


def _platt(margins: Floats, truth: npt.NDArray[np.int8]) -> tuple[float, float]:
    """Slope and offset of Platt's sigmoid on out-of-fold margins."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e3).fit(margins[:, None], truth)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _f1(on: npt.NDArray[np.bool_], truth: npt.NDArray[np.int8]) -> float:
    return float(2 * (on & (truth == 1)).sum() / max(on.sum() + truth.sum(), 1))


def _threshold(p: Floats, truth: npt.NDArray[np.int8], least_precision: float, least: float) -> float:
    """Where F1 is best among thresholds that keep the precision; rounded, so that machines agree."""
    best, best_f1 = 0.5, -1.0
    for threshold in np.arange(least, 0.91, 0.02):
        on = p >= threshold
        precision = (truth[on] == 1).mean() if on.any() else 1.0
        score = _f1(on, truth)
        if precision >= least_precision and score > best_f1:
            best, best_f1 = float(threshold), score
    return round(best, 2)


def model_folder(settings: Settings) -> Path:
    """Where the present model is kept."""
    return settings.models_dir / "topics" / model_id()

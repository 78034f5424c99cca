"""Fitted models: fit from a recipe, save with a manifest, load a scorer.

A model is a folder RADAR_DATA_DIR/models/topics/<id>: pipeline.skops is the whole fitted pipeline, to be inspected and
checked; scorer.npz the arrays that posts are scored by, which open in a moment and without scikit-learn; manifest.json
says what they are, with their digests. tone.skops and tone.npz are the same of the tone head. Its id is a hash of
labels, taxonomy, recipe, feature code and library versions, so equal inputs name an equal model on any machine. The
present model is that of the labels that ship with radar; `radar.training` adds the user's own.
"""

import csv
import hashlib
import importlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xxhash

from radar.config import Settings, load_settings
from radar.errors import RadarError, UnreadableInput
from radar.memory import give_back, return_large
from radar.spread import meanwhile
from radar.text import gazetteer, vectors
from radar.text.normalise import Normal
from radar.text.tones import TONES
from radar.topics import Taxonomy, parse_seeds, parse_taxonomy
from radar.topics.calibration import OPEN, Calibration, Floats, Gate, Labels, f1
from radar.topics.compiled import CHUNK, CompiledScorer, Shown
from radar.topics.made_of import by_language
from radar.topics.tone import ToneHead, TonePosts

if TYPE_CHECKING:
    from radar.topics.evaluation import Report

_FEATURE_CODE = (
    "radar._eight", "radar.text.normalise", "radar.text.codes", "radar.text.vectors", "radar.topics.form",
    "radar.topics.counting", "radar.topics.compiled", "radar.topics.features", "radar.topics.calibration",
    "radar.topics.descent", "radar.topics.training", "radar.topics.pipeline", "radar.topics.tone_words",
    "radar.topics.tone_fit",
)  # fmt: skip
CONTENT = "radar._content.models.topics"
"""Where what a person wrote about the model is found."""


def load_taxonomy() -> Taxonomy:
    """The taxonomy that ships with radar."""
    return parse_taxonomy((files(CONTENT) / "topics.toml").read_text(encoding="utf-8"))


def load_seeds(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Seed terms by topic, in the taxonomy's order."""
    seeds = parse_seeds((files(CONTENT) / "seeds.toml").read_text(encoding="utf-8"))
    return {topic_id: seeds.get(topic_id, []) for topic_id in taxonomy.ids}


def load_concepts(taxonomy: Taxonomy) -> dict[str, list[str]]:
    """What a text may name: each topic's seed terms, its brands and products, and kinds of places."""
    seeds, brands, places = load_seeds(taxonomy), gazetteer.product_forms(), gazetteer.place_forms()
    return (
        {f"seed {topic_id}": seeds[topic_id] for topic_id in taxonomy.ids}
        | {f"brand {topic_id}": brands.get(topic_id, []) for topic_id in taxonomy.ids}
        | {f"place {kind}": forms for kind, forms in places.items()}
    )


def load_labels(taxonomy: Taxonomy) -> Labels:
    """models/topics/labels.csv. Raises UnreadableInput that names the line at fault."""
    return _labelled("labels.csv", taxonomy)


FROZEN_SHA256 = "48ead8055594060f924dca81cd733f633c422434d4d5aacce140a539b05769fa"


def load_frozen(taxonomy: Taxonomy) -> Labels:
    """models/topics/frozen_test.csv: posts written apart from the labels; no weight or threshold is set by them.

    Raises UnreadableInput when it is not the file that was frozen.
    """
    found = hashlib.sha256((files(CONTENT) / "frozen_test.csv").read_bytes()).hexdigest()
    if found != FROZEN_SHA256:
        raise UnreadableInput(f"frozen_test.csv was changed: its SHA-256 is {found}.", "Restore the frozen file.")
    return _labelled("frozen_test.csv", taxonomy)


def _labelled(name: str, taxonomy: Taxonomy) -> Labels:
    source = files(CONTENT) / name
    column = {topic_id: i for i, topic_id in enumerate(taxonomy.ids)}
    texts, languages, rows = [], [], []
    with io.StringIO(source.read_text(encoding="utf-8"), newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            named = row["topics"].split()
            unknown = [topic_id for topic_id in named if topic_id not in column]
            if unknown or not row["text"].strip():
                fault = f"unknown topic {unknown[0]}" if unknown else "empty text"
                raise UnreadableInput(f"{name} line {line}: {fault}.", "Correct the row.")
            texts.append(row["text"])
            languages.append(row["language"])
            rows.append([column[topic_id] for topic_id in named])
    topics = np.zeros((len(rows), len(column)), np.int8)
    for i, named in enumerate(rows):
        topics[i, named] = 1
    return Labels(texts, languages, topics)


def load_tone_posts() -> TonePosts:
    """models/topics/tone.csv. Raises UnreadableInput that names the line at fault."""
    source = (files(CONTENT) / "tone.csv").read_text(encoding="utf-8")
    texts, languages, tones = [], [], []
    for line, row in enumerate(csv.DictReader(io.StringIO(source, newline="")), start=2):
        if row["tone"] not in TONES or not row["text"].strip():
            raise UnreadableInput(
                f"tone.csv line {line}: no text, or no tone of {', '.join(TONES)}.", "Correct the row."
            )
        texts.append(row["text"])
        languages.append(row["language"])
        tones.append(TONES.index(row["tone"]))
    return TonePosts(texts, languages, np.array(tones, np.int8))


def load_tone_words() -> str:
    """models/topics/tone_words.toml, as it is."""
    return (files(CONTENT) / "tone_words.toml").read_text(encoding="utf-8")


class TopicScorer:
    """Fitted pipelines with calibrated probabilities: of the topics, and of the tone.

    topic_ids   the topics, in the order of score's columns
    thresholds  (topics,) probability from which a post is given the topic
    """

    _tone: ToneHead | None = None

    def __init__(self, compiled: CompiledScorer, manifest: dict[str, Any], tone: ToneHead | None = None) -> None:
        self._tone = tone
        self.model_id: str = manifest["id"]
        self.topic_ids: list[str] = manifest["topic_ids"]
        weights, offset, thresholds = (np.array(manifest[name]) for name in ("weights", "offset", "thresholds"))
        self.calibration = Calibration(weights, offset, thresholds, _gate(manifest))
        self.thresholds: Floats = self.calibration.thresholds
        self._compiled = compiled
        widths = {self._compiled.intercepts.size - 1, len(self.topic_ids), *map(len, _arrays(self.calibration))}
        if len(widths) != 1:
            raise ValueError("its topics do not fit its classifiers")

    def score(self, texts: list[str]) -> Floats:
        """Calibrated probability of each topic, (texts, topics)."""
        return self.calibration.probabilities(self._compiled.margins(texts))

    def knows(self, words: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Whether each word (`radar.topics.vocabulary`) is in the vocabulary that was fitted."""
        return self._compiled.knows(words)

    def tones(self, texts: list[str]) -> Floats | None:
        """Calibrated probability of each of `radar.text.tones.TONES`, (texts, 3); None by a model without a tone."""
        return None if self._tone is None else self._tone.probabilities(texts)

    def judge(self, texts: Sequence[str], normal: Normal) -> tuple[Floats, Floats | None]:
        """`score` and `tones` at once, each text looked at once; normal: the same texts in one form."""
        head = self._tone
        margins = np.empty((len(texts), len(self._compiled.intercepts)))
        heard = None if head is None else np.empty((len(texts), len(TONES)))
        for at in range(0, len(texts), CHUNK):
            some = slice(at, at + CHUNK)
            shown = Shown.of(texts[some], normal.cut(some))
            margins[some] = self._compiled.margins_of(shown)
            if head is not None and heard is not None:
                heard[some] = head.compiled.margins_of(shown)
        tones = None if head is None or heard is None else head.calibrated(heard)
        return self.calibration.probabilities(margins), tones


def _gate(manifest: dict[str, Any]) -> Gate:
    """The gate before all topics; wide open for a model that was fitted before there was one."""
    if "gate" not in manifest:
        return OPEN
    weights = np.array(manifest["gate"]["weights"])
    if weights.shape != (3,):
        raise ValueError("its gate does not fit")
    return Gate(weights, float(manifest["gate"]["offset"]), float(manifest["gate"]["shut"]))


def _arrays(calibration: Calibration) -> tuple[Floats, Floats, Floats]:
    return calibration.weights, calibration.offset, calibration.thresholds


def evaluate(scorer: TopicScorer) -> "Report":
    """A scorer's figures on the frozen posts."""
    from radar.topics.evaluation import report

    taxonomy = load_taxonomy()
    return report(scorer.score, scorer.thresholds, scorer.topic_ids, load_frozen(taxonomy), load_seeds(taxonomy))


def model_id(*more: bytes) -> str:
    """Id of the model that the shipped labels, taxonomy and recipe give with this code and these libraries.

    more  what stands for labels beside the shipped ones; without any it is the shipped model
    """
    digest = _shipped().copy()
    digest.update(b"".join(more))
    return f"topics-{digest.hexdigest()[:10]}"


@cache
def _shipped() -> "hashlib._Hash":
    """Everything but labels beside the shipped ones, read once: jobs and pages ask for the id all the time."""
    digest = hashlib.sha256()
    for name in ("labels.csv", "topics.toml", "seeds.toml", "recipe.py", "tone.csv", "tone_words.toml"):
        digest.update((files(CONTENT) / name).read_bytes())
    for module in _FEATURE_CODE:
        package, _, name = module.rpartition(".")
        digest.update((files(package) / f"{name}.py").read_bytes())
    for data in (vectors.PATH, gazetteer.DATA / "places.csv", gazetteer.DATA / "products.csv"):
        digest.update(data.read_bytes())
    digest.update(" ".join(_versions().values()).encode())
    return digest


def _versions() -> dict[str, str]:
    """Of the libraries that make features or fit."""
    return {name: version(name) for name in ("scikit-learn", "numpy", "numba", "opencc")}


def load_scorer(settings: Settings | None = None) -> TopicScorer:
    """The topic scorer of the present model."""
    return open_scorer(fitted_folder(settings or load_settings()))


def fitted_folder(settings: Settings, *, apart: bool = False) -> Path:
    """Where the present model is kept, fitted first (up to a minute) where it is missing.

    apart  fit in a process of its own, so that what fitting takes is gone with it
    """
    folder = model_folder(settings)
    if not apart and not is_fitted(folder):
        fit(folder)
    with fitting(folder):
        return folder


def is_fitted(folder: Path) -> bool:
    """Whether a fitted model is there, whole."""
    return (folder / "manifest.json").exists()


@contextmanager
def fitting(folder: Path) -> Iterator[None]:
    """Fit in another process while this one is at work, where there is no model yet; waits for it at the end."""
    if is_fitted(folder):
        yield
        return
    with meanwhile(_fit_apart, folder):
        yield


def _fit_apart(folder: Path) -> Iterator[Path]:
    yield folder
    fit(folder)


def open_scorer(folder: Path) -> TopicScorer:
    """Load a fitted model's scorer. Raises RadarError when one of its files is damaged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        for name, digest in manifest["digests"].items():
            if _digest(folder / name) != digest:
                raise ValueError(f"{name} is not the file that was fitted")
        return TopicScorer(CompiledScorer.open(folder / "scorer.npz"), manifest, _open_tone(folder, manifest))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _damaged(folder, error) from error


def _open_tone(folder: Path, manifest: dict[str, Any]) -> ToneHead | None:
    """The tone head; None for a model that was fitted before there was one."""
    if "tone" not in manifest:
        return None
    scale, offset = (np.array(manifest["tone"][name]) for name in ("scale", "offset"))
    if scale.shape != (len(TONES), len(TONES)) or offset.shape != (len(TONES),):
        raise ValueError("its tone is not calibrated")
    return ToneHead(CompiledScorer.open(folder / "tone.npz"), scale, offset)


def _digest(file: Path) -> str:
    return xxhash.xxh3_128_hexdigest(file.read_bytes())


def open_pipeline(folder: Path, name: str = "pipeline.skops") -> Any:
    """A fitted scikit-learn pipeline. Types other than scikit-learn's, NumPy's and our own few are refused."""
    import skops.io

    from radar.topics import features, form, pipeline, tone_words

    ours = (
        pipeline.TopicPipeline, features.Grams, features.ConceptCounts, features.TextVectors, form.feature_texts,
        form.word_features, tone_words.ToneWords,
    )  # fmt: skip
    try:
        trusted = [f"{thing.__module__}.{thing.__qualname__}" for thing in ours]
        return skops.io.load(folder / name, trusted=trusted)
    except Exception as error:  # skops raises many kinds; none of them may end in a traceback
        raise _damaged(folder, error) from error


def _damaged(folder: Path, error: Exception) -> RadarError:
    return RadarError(f"Cannot load the model in {folder}: {error}.", "Delete the folder; it is fitted anew.")


def fitted(folder: Path, labels: Labels, made_of: dict[str, int]) -> Path:
    """The folder, the model of these labels fitted into it first (up to a minute) where it is not there yet."""
    if not is_fitted(folder):
        fit(folder, labels, made_of)
    return folder


def fit(folder: Path, labels: Labels | None = None, made_of: dict[str, int] | None = None) -> dict[str, Any]:
    """Fit from the shipped labels, or those given, into a folder, whole or not at all; returns the manifest.

    made_of  how many of the labels given came from where
    """
    from radar.topics import build_pipeline
    from radar.topics.training import Cautions, calibrate, fit_out_of_fold

    recipe = importlib.import_module(f"{CONTENT}.recipe")
    return_large()
    taxonomy = load_taxonomy()
    labels = labels or load_labels(taxonomy)
    pipeline = build_pipeline(
        c=recipe.C, seed=recipe.SEED, concepts=load_concepts(taxonomy), weights=recipe.WEIGHTS, class_weight=None,
        least_texts=recipe.LEAST_POSTS,
    )  # fmt: skip
    with _written_whole(folder) as made:
        with ThreadPoolExecutor(1) as beside:  # the descent leaves the interpreter to others most of the time
            tone_fit = beside.submit(_fit_tone, recipe, made)
            margins = fit_out_of_fold(pipeline, labels, recipe.FOLDS, recipe.SEED)
            cautions = Cautions(recipe.LEAST_PRECISION, recipe.LEAST_THRESHOLD, recipe.MOST_OFF_TOPIC)
            calibration = calibrate(margins, labels.topics, cautions)
            tone = tone_fit.result()
        give_back()
        manifest = _manifest(folder.name, labels, margins, calibration) | {
            "made_of": made_of or {"shipped": len(labels.texts), "own": 0, "weak": 0},
            "tone": tone,
        }
        import skops.io  # loaded by now, beside the descent

        skops.io.dump(pipeline, made / "pipeline.skops")
        pipeline.compiled.save(made / "scorer.npz")
        manifest["digests"] = {file.name: _digest(file) for file in sorted(made.iterdir())}
        (made / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return manifest


@contextmanager
def _written_whole(folder: Path) -> Iterator[Path]:
    """A folder to write a model into, which takes the other's place when all of it is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".fitting-", dir=folder.parent))
    try:
        yield made
    except BaseException:
        shutil.rmtree(made)
        raise
    if folder.exists() and not is_fitted(folder):  # half of a model, not by us: we write it whole
        shutil.rmtree(folder)
    try:
        os.replace(made, folder)
    except OSError:  # another process was first: its model is the same
        shutil.rmtree(made)


def _manifest(name: str, labels: Labels, margins: Floats, calibration: Calibration) -> dict[str, Any]:
    """What a fitted model says of itself, but for its tone and its files."""
    recipe, taxonomy = importlib.import_module(f"{CONTENT}.recipe"), load_taxonomy()
    p = calibration.probabilities(margins)
    on = p >= calibration.thresholds
    off_topic = labels.topics.sum(1) == 0
    return {
        "id": name,
        "topic_ids": taxonomy.ids,
        "thresholds": calibration.thresholds.tolist(),
        "weights": calibration.weights.tolist(),
        "offset": calibration.offset.tolist(),
        "gate": {
            "weights": calibration.gate.weights.tolist(),
            "offset": calibration.gate.offset,
            "shut": calibration.gate.shut,
        },
        "taxonomy_version": taxonomy.version,
        "posts": len(labels.texts),
        "languages": by_language(labels, p),
        "metrics": {
            "macro_f1_out_of_fold": round(
                float(np.mean([f1(on[:, k], labels.topics[:, k]) for k in range(on.shape[1])])), 3
            ),
            "off_topic_given_a_topic": round(float(on[off_topic].any(1).mean()), 3),
        },
        "versions": _versions(),
        "seed": recipe.SEED,
    }


def _fit_tone(recipe: ModuleType, made: Path) -> dict[str, Any]:
    """The tone head, written and gone; what the manifest says of it.

    What models are kept by, which takes seconds to load, is loaded on the way.
    """
    import skops.io

    from radar.topics.tone_fit import fit_tone

    tone = fit_tone(
        load_tone_posts(), load_tone_words(), c=recipe.TONE_C, weights=recipe.TONE_WEIGHTS, folds=recipe.FOLDS,
        seed=recipe.SEED,
    )  # fmt: skip
    skops.io.dump(tone.pipeline, made / "tone.skops")
    tone.head.compiled.save(made / "tone.npz")
    told = {"scale": tone.head.scale.tolist(), "offset": tone.head.offset.tolist(), "metrics": tone.figures}
    del tone
    give_back()
    return told


def model_folder(settings: Settings) -> Path:
    """Where the present model is kept."""
    return settings.models_dir / "topics" / model_id()

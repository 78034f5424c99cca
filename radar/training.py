"""What a topic model is fitted on: the labels that ship with radar and those the user's people gave.

Labels found by seeds (`radar label weak`) join only where they are asked for. The model's id is made of all of it, so
the same labels name the same model, whoever gave them and when.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from radar import labels as own
from radar.config import Settings
from radar.labels import Label
from radar.registry import fitted, load_labels, load_taxonomy, model_id
from radar.spread import spread
from radar.text.normalise import normalise
from radar.topics.calibration import Labels

WEAK_FILE = "weak.jsonl"


@dataclass(frozen=True, slots=True)
class Training:
    """Labels to fit on, and the id of the model they give.

    own    posts labelled by the user's people      weak  posts labelled by seeds
    """

    id: str
    labels: Labels
    own: int
    weak: int

    @property
    def made_of(self) -> dict[str, int]:
        """How many labelled posts came from where."""
        return {"shipped": len(self.labels.texts) - self.own - self.weak, "own": self.own, "weak": self.weak}


def training(settings: Settings, *, weak: bool = False) -> Training:
    """Shipped labels and the user's own, and with `weak` those found by seeds; a person's word goes over both."""
    people = own.decided(own.history(settings.labels_dir))
    found = _weak(settings.labels_dir / WEAK_FILE, people) if weak else []
    taxonomy = load_taxonomy()
    labels = own.joined(load_labels(taxonomy), [*people, *found], taxonomy.ids)
    return Training(model_id(_told(people), _told(found)), labels, len(people), len(found))


def fit_training(settings: Settings, asked: Training, *, apart: bool = False) -> Path:
    """Where the model of these labels is kept, fitted first where it is missing.

    apart  fit in a process of its own, so that what fitting takes is gone with it
    """
    folder = settings.models_dir / "topics" / asked.id
    if not apart:
        return fitted(folder, asked.labels, asked.made_of)
    for _ in spread(_fit_apart, [(folder, asked.labels, asked.made_of)], at_once=1):
        pass
    return folder


def _fit_apart(job: tuple[Path, Labels, dict[str, int]]) -> Iterator[Path]:
    yield fitted(*job)


def _weak(path: Path, people: Sequence[Label]) -> list[Label]:
    said = {normalise(label.text) for label in people}
    found = own.decided(own.read_labels(path)) if path.is_file() else []
    return [label for label in found if normalise(label.text) not in said]


def _told(labels: Sequence[Label]) -> bytes:
    """What labels say, to tell one set from another; nothing for none."""
    digest = hashlib.sha256()
    for label in labels:
        digest.update(repr((label.text, label.language, label.topics, label.provenance)).encode())
    return digest.digest() if labels else b""

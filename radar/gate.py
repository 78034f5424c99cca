"""The gate before promotion: whether a model is no worse than the active one on posts that never trained either."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from radar.config import Settings
from radar.errors import RadarError
from radar.registry import FROZEN_SHA256, evaluate, open_scorer
from radar.topics.evaluation import Measured

SLACK = 0.005
"""By how much the figures on the frozen posts may be worse and the gate still passes: their own noise."""
_KEPT = "frozen.json"


@dataclass(frozen=True, slots=True)
class Gate:
    """Two models' figures on the frozen posts."""

    active: str
    candidate: str
    old: Measured
    new: Measured

    @property
    def passes(self) -> bool:
        """Whether macro F1 and the share of off-topic posts given a topic are no worse."""
        return is_no_worse(self.new, self.old)

    @property
    def said(self) -> str:
        """The figures, as part of a sentence."""
        return (
            f"macro F1 {self.new.macro_f1} (active {self.old.macro_f1}), off-topic posts given a topic "
            f"{self.new.off_topic_given} (active {self.old.off_topic_given})"
        )


def is_no_worse(new: Measured, old: Measured) -> bool:
    """The rule of the gate."""
    return new.macro_f1 >= old.macro_f1 - SLACK and new.off_topic_given <= old.off_topic_given + SLACK


def compare(active: Path, candidate: Path) -> Gate:
    """Measure two fitted models on the frozen posts. Raises RadarError where one is damaged."""
    return Gate(active.name, candidate.name, _measured(active), _measured(candidate))


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A fitted model in the data folder.

    frozen  its figures on the frozen posts, None where it is damaged        passes  the gate against the active one
    """

    id: str
    is_active: bool
    fitted_at: datetime
    manifest: dict[str, Any]
    frozen: Measured | None
    passes: bool | None


def kept_models(settings: Settings, active: str | None) -> list[KeptModel]:
    """The fitted models, newest first."""
    found = sorted(settings.models_dir.glob("topics/topics-*/manifest.json"), key=lambda path: -path.stat().st_mtime)
    figures = {path.parent.name: _figures(path.parent) for path in found}
    standard = figures.get(active or "")
    kept = []
    for path in found:
        own = figures[path.parent.name]
        kept.append(
            KeptModel(
                path.parent.name,
                path.parent.name == active,
                datetime.fromtimestamp(path.stat().st_mtime, UTC),
                _manifest(path),
                own,
                is_no_worse(own, standard) if own and standard else None,
            )
        )
    return kept


def _manifest(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _figures(folder: Path) -> Measured | None:
    """Figures as they were measured last; measured where they never were, or other posts are frozen now."""
    try:
        kept = json.loads((folder / _KEPT).read_text())
        if kept["of"] == _what(folder):
            return Measured(**kept["overall"])
    except (OSError, ValueError, LookupError, TypeError):
        pass
    try:
        return _measured(folder)
    except RadarError:
        return None


def _measured(folder: Path) -> Measured:
    found = evaluate(open_scorer(folder)).overall
    (folder / _KEPT).write_text(json.dumps({"of": _what(folder), "overall": asdict(found)}))
    return found


def _what(folder: Path) -> str:
    """What figures are of: these frozen posts, and this model."""
    return hashlib.sha256(FROZEN_SHA256.encode() + (folder / "manifest.json").read_bytes()).hexdigest()

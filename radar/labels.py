"""Labels that the user's own people gave: an append-only history in the data folder, and what follows from it.

Each import that brings something new writes one file RADAR_DATA_DIR/labels/<time>-<hash>.jsonl, whole or not at all,
and no file is changed afterwards. Of one person's labels of a post the latest stands. Where several people labelled a
post, it has a topic that most of them gave; where they stand even, the one who labelled last decides.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from radar.errors import RadarError
from radar.text.normalise import normalise, text_hash
from radar.topics.calibration import Labels

PERSON, WEAK = "person", "weak"


@dataclass(frozen=True, slots=True)
class Label:
    """The topics one person, or a rule, gave one post; none of them: off-topic.

    post        platform and native id, else "text:" and a hash of the text
    by          who labelled it
    at          when
    source      the file it came by, `content` a hash of that file and `line` the line in it
    provenance  "person", or "weak" for a rule
    note        of a rule: what it found
    """

    post: str
    text: str
    language: str
    topics: tuple[str, ...]
    by: str
    at: datetime
    source: str
    content: str = ""
    line: int = 0
    provenance: str = PERSON
    note: str = ""


def post_id(platform: str, native_id: str, text: str) -> str:
    """By what labels of the same post are known.

    >>> post_id("instagram", "C9x1", "..."), post_id("", "", "Ramen!")[:9]
    ('instagram:C9x1', 'text:fbee')
    """
    return f"{platform}:{native_id}" if platform and native_id else f"text:{text_hash(normalise(text)) % 2**64:016x}"


def read_labels(path: Path) -> list[Label]:
    """The labels of one file of the history. Raises RadarError where it is damaged."""
    found = []
    rows = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")  # a text may hold other breaks of lines
    for line, row in enumerate(rows if rows != [""] else [], start=1):
        try:
            values: dict[str, Any] = json.loads(row)
            label = Label(**values)
            found.append(replace(label, topics=tuple(label.topics), at=datetime.fromisoformat(values["at"])))
        except (ValueError, TypeError) as error:
            raise RadarError(
                f"{path} line {line} is damaged: {error}.", "Restore the file, or move it out of the folder."
            ) from error
    return found


def history(folder: Path) -> list[Label]:
    """Every label that people gave, the oldest first."""
    found = [label for path in sorted(folder.glob("*Z-*.jsonl")) for label in read_labels(path)]
    return sorted(found, key=lambda label: label.at)


def write_labels(path: Path, labels: Iterable[Label]) -> None:
    """Write a file of labels, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        for label in labels:
            row = asdict(label) | {"at": label.at.isoformat()}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.replace(made, path)


def append(folder: Path, labels: Sequence[Label], now: datetime) -> Path | None:
    """Add labels to the history; the file they went to, None where there are none."""
    if not labels:
        return None
    told = hashlib.sha256(repr(labels).encode()).hexdigest()[:10]
    path = folder / f"{now:%Y%m%dT%H%M%S%fZ}-{told}.jsonl"
    write_labels(path, labels)
    return path


def standing(labels: Iterable[Label]) -> dict[tuple[str, str], Label]:
    """Of each (post, person) the latest label; labels are in the history's order."""
    return {(label.post, label.by): label for label in labels}


def decided(labels: Iterable[Label]) -> list[Label]:
    """One label a post, by the rule above: the latest one, with the topics that most gave; by text."""
    by_post: dict[str, list[Label]] = {}
    for label in standing(labels).values():
        by_post.setdefault(label.post, []).append(label)
    found: dict[str, Label] = {}
    for given in by_post.values():
        given.sort(key=lambda label: label.at)
        latest, half = given[-1], len(given) / 2
        votes = {topic: sum(topic in label.topics for label in given) for label in given for topic in label.topics}
        topics = {topic for topic, n in votes.items() if n > half or (n == half and topic in latest.topics)}
        said = normalise(latest.text)
        if said not in found or latest.at >= found[said].at:
            found[said] = replace(latest, topics=tuple(sorted(topics)))
    return [found[said] for said in sorted(found)]


def joined(base: Labels, more: Sequence[Label], topic_ids: Sequence[str]) -> Labels:
    """Labels with others after them; one of a text that is there already takes its place.

    Topics that the taxonomy does not know (any more) are left out.
    """
    said = {normalise(label.text) for label in more}
    kept = np.array([normalise(text) not in said for text in base.texts], bool)
    rows = np.array([[topic in label.topics for topic in topic_ids] for label in more], np.int8)
    return Labels(
        [text for text, keep in zip(base.texts, kept, strict=True) if keep] + [label.text for label in more],
        [name for name, keep in zip(base.languages, kept, strict=True) if keep] + [label.language for label in more],
        np.concatenate([base.topics[kept], rows.reshape(-1, len(topic_ids))]),
    )

"""Real texts kept outside the project, to measure a model by: read where they are, never copied, never trained on.

`models/topics/real_texts.toml` says which files of which layout a folder may hold; a folder with a `real_texts.toml` of
its own says it for itself. Files that are missing are left out.
"""

import csv
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from radar.errors import UnreadableInput
from radar.registry import CONTENT
from radar.topics.real import RealSet

NAME = "real_texts.toml"


@dataclass(frozen=True, slots=True)
class RealTexts:
    """The sets that were found, and the SHA-256 of all that was read."""

    sets: list[RealSet]
    digest: str


def load_real_texts(folder: Path, topic_ids: Sequence[str]) -> RealTexts:
    """Every described set of which a file is there. Raises UnreadableInput that names the file at fault."""
    own = folder / NAME
    described = own.read_text(encoding="utf-8") if own.is_file() else (files(CONTENT) / NAME).read_text("utf-8")
    digest, sets = hashlib.sha256(), []
    try:
        for entry in tomllib.loads(described)["set"]:
            unknown = set(entry.get("wanted", [])) - set(topic_ids)
            if unknown:
                raise UnreadableInput(
                    f"{NAME}: '{entry['name']}' wants the unknown topic {min(unknown)}.", "Correct it."
                )
            texts: dict[str, None] = {}
            for path in sorted(folder.glob(entry["files"])):
                digest.update(path.read_bytes())
                texts |= dict.fromkeys(_texts(path, entry))
            if texts:
                mixed = bool(entry.get("mixed", False))
                sets.append(RealSet(entry["name"], list(texts), tuple(entry.get("wanted", [])), mixed))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UnreadableInput(f"Cannot read the real texts of {folder}: {error}.", f"Correct {NAME} there.") from error
    if not sets:
        raise UnreadableInput(f"{folder} holds none of the files that {NAME} names.", f"Put a {NAME} into it.")
    return RealTexts(sets, digest.hexdigest())


def _texts(path: Path, entry: Mapping[str, Any]) -> Iterable[str]:
    """The texts of a table (.tsv, .csv), a list of objects (.json) or lines (.txt), those that `only` asks for."""
    if path.suffix == ".txt":
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if path.suffix == ".json":
        rows = json.loads(path.read_text(encoding="utf-8"))
    else:
        with path.open(encoding="utf-8", newline="") as file:
            if path.suffix == ".tsv":
                rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
            else:
                rows = list(csv.DictReader(file))
    only = entry.get("only", {})
    return [row[entry["text"]] for row in rows if all(row[name] in kept for name, kept in only.items())]

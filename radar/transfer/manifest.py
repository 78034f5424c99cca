"""What an export says of itself."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from radar.errors import CallerError, StoreError, UnreadableInput
from radar.store.migrate import HEAD, revisions
from radar.store.tables import metadata
from radar.store.transfer import PASSING
from radar.transfer.places import Place
from radar.transfer.shapes import file_of

FORM = "radar export 1"
NAME = "manifest.json"
_MOST_BYTES = 1 << 30


class Part(NamedTuple):
    """One file: its name, rows and SHA-256."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A whole export. id: of its content; counts: rows by table; left_out: kinds of secrets that are not in it."""

    id: str
    schema: str
    made_at: datetime
    parts: tuple[Part, ...]
    counts: dict[str, int]
    left_out: tuple[str, ...]
    kept: int = 0
    """Files that were there already, unchanged."""


def manifest_of(schema: str, made_at: datetime, parts: list[Part], left_out: list[str]) -> bytes:
    """What is written as manifest.json."""
    counts: dict[str, int] = {}
    for part in parts:
        table = part.name.partition("/")[0]
        counts[table] = counts.get(table, 0) + part.rows
    said = {
        "form": FORM, "schema": schema, "made_at": made_at.isoformat(), "left_out": left_out, "counts": counts,
        "files": [part._asdict() for part in parts],
    }  # fmt: skip
    return json.dumps(said, indent=1).encode()


def read_manifest(place: Place) -> Exported:
    """The export in a place. Raises UnreadableInput, CallerError and StoreError."""
    if not place.has(NAME):
        raise CallerError(
            f"There is no finished export in {place.shown}: it has no {NAME}.", "Finish it: radar db export."
        )
    with place.reading(NAME) as file:
        raw = file.read(_MOST_BYTES)
    try:
        said = json.loads(raw)
        return _checked(said, hashlib.sha256(raw).hexdigest()[:16])
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableInput(
            f"{place.shown} is no export that this radar can read: {error}.", "Export anew."
        ) from error


def _checked(said: dict[str, Any], identity: str) -> Exported:
    if said["form"] != FORM:
        raise ValueError(f"its form is {said['form']!r}")
    if said["schema"] not in revisions():
        raise StoreError(f"The export's schema is {said['schema']}, unknown to this radar ({HEAD}).", "Upgrade radar.")
    parts = tuple(Part(str(f["name"]), int(f["rows"]), str(f["sha256"])) for f in said["files"])
    for part in parts:
        found = file_of(part.name)
        if found is None or found.table not in metadata.tables or found.table in PASSING:
            raise ValueError(f"it would read {part.name[:200]!r}")
    if len({part.name for part in parts}) < len(parts):
        raise ValueError("it names a file twice")
    counts = {str(name): int(n) for name, n in said["counts"].items()}
    made_at = datetime.fromisoformat(said["made_at"])
    return Exported(identity, said["schema"], made_at, parts, counts, tuple(map(str, said["left_out"])))

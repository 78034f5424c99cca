"""Kinds of sources by name."""

from datetime import datetime
from typing import Any

from radar.errors import UnknownName
from radar.sources.base import Source

KINDS = ("world",)


def open_source(kind: str, name: str, config: dict[str, Any]) -> Source:
    """The source of that kind with its configuration. Raises UnknownName."""
    if kind == "world":
        from radar.sources.world import SimulatedWorld

        return SimulatedWorld(
            seed=int(config["seed"]), starts_at=datetime.fromisoformat(config["starts_at"]), days=int(config["days"])
        )
    raise UnknownName("kind of source", kind, list(KINDS))

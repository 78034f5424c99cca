"""What `radar bench` measures, one module a figure: absolute, and as a ratio to a named peer in the same run."""

from collections.abc import Callable
from importlib import import_module

from radar.scheduling import Progress

Measure = Callable[[Progress], dict[str, object]]


def _of(name: str) -> Measure:
    """What the module of that name measures; it is imported then, for each has peers of its own to load."""

    def measure(progress: Progress) -> dict[str, object]:
        found: dict[str, object] = import_module(f"radar.bench.{name}").measure(progress)
        return found

    return measure


BENCHES: dict[str, Measure] = {
    name: _of(name)
    for name in (
        "api", "arrivals", "ingest", "classify", "detect", "duplicates", "feeds", "kol", "line", "load", "match",
        "store", "terms", "topics", "trends", "workers",
    )
}  # fmt: skip

"""What `radar bench` measures, one module a figure: absolute, and as a ratio to a named peer in the same run."""

from collections.abc import Callable

from radar.bench import (
    api,
    arrivals,
    classify,
    detect,
    duplicates,
    feeds,
    ingest,
    kol,
    line,
    load,
    match,
    store,
    terms,
    topics,
    trends,
    workers,
)
from radar.scheduling import Progress

BENCHES: dict[str, Callable[[Progress], dict[str, object]]] = {
    "api": api.measure,
    "arrivals": arrivals.measure,
    "ingest": ingest.measure,
    "classify": classify.measure,
    "detect": detect.measure,
    "duplicates": duplicates.measure,
    "feeds": feeds.measure,
    "kol": kol.measure,
    "line": line.measure,
    "load": load.measure,
    "match": match.measure,
    "store": store.measure,
    "terms": terms.measure,
    "topics": topics.measure,
    "trends": trends.measure,
    "workers": workers.measure,
}

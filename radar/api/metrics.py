"""/metrics for Prometheus: requests as this process answered them, and the store as it stands when it is scraped."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.responses import Response

from radar import __version__
from radar.markets import MARKETS
from radar.scheduling import job_names
from radar.store import operation
from radar.store.engine import reading
from radar.web.requests import only_known_parameters

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters)])
disable_created_metrics()  # type: ignore[no-untyped-call]  # a third series for each, which nobody asks for
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Requests:
    """Requests by route template, method and status, with how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        names = ["route", "method"]
        self._count = Counter("radar_http_requests", "Requests answered.", [*names, "status"], registry=registry)
        self._seconds = Histogram(
            "radar_http_request_seconds", "Seconds until an answer was sent whole.", names, registry=registry,
            buckets=_BOUNDS,
        )  # fmt: skip
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # as few as there are series

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Add one."""
        found = self._known.get((route, method, status))
        if found is None:
            found = self._count.labels(route, method, str(status)), self._seconds.labels(route, method)
            self._known[route, method, status] = found
        found[0].inc()
        found[1].observe(seconds)


class StoreState(Collector):
    """What the store says of jobs, waiting work and freshness; a store out of reach is said, and nothing else."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine, self._clock = engine, clock

    def describe(self) -> list[Metric]:
        """Nothing is read before a scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The metrics, read now."""
        yield InfoMetricFamily("radar_build", "The radar that answers.", {"version": __version__})
        now = self._clock()
        try:
            with reading(self._engine) as session:
                state = operation.state(session, job_names(), list(MARKETS), now)
        except sa.exc.SQLAlchemyError:
            state = None
        yield GaugeMetricFamily("radar_database_up", "1 when the store answers.", float(state is not None))
        if state is not None:
            yield from _of_store(state, now)


def _of_store(state: operation.State, now: datetime) -> Iterator[Metric]:
    model = state.model_id or "none"
    yield InfoMetricFamily("radar_active_model", "The topic model that posts are read by.", {"model": model})
    held = float(state.scheduler_until is not None and state.scheduler_until > now)
    yield GaugeMetricFamily("radar_scheduler_up", "1 while a scheduler holds the lease.", held)
    runs = GaugeMetricFamily("radar_job_runs_day", "Runs begun in the last 24 hours.", labels=["job", "outcome"])
    for (job, outcome), n in sorted(state.runs.items()):
        runs.add_metric([job, outcome], n)
    yield runs
    yield _ages("radar_job_success_age_seconds", "Seconds since a job last ended well.", "job", state.succeeded_at, now)
    yield _counts("radar_posts_waiting", "Posts to be classified; counted up to 100,000 in all.", state.waiting_posts)
    yield _counts("radar_dirty_days", "Days to be counted anew.", state.dirty_days)
    messages = GaugeMetricFamily(
        "radar_alert_messages", "Alerts that wait, are dead, or were sent in the last 24 hours.", labels=["state"]
    )
    for told, n in state.alerts.items():
        messages.add_metric([told], n)
    yield messages
    help_ = "Seconds since the newest post was published."
    yield _ages("radar_newest_post_age_seconds", help_, "market", state.newest_posts, now)


def _ages(name: str, said: str, label: str, moments: dict[str, datetime], now: datetime) -> Metric:
    family = GaugeMetricFamily(name, said, labels=[label])
    for what, at in moments.items():
        family.add_metric([what], (now - at).total_seconds())
    return family


def _counts(name: str, said: str, counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=["market"])
    for market in MARKETS:
        family.add_metric([market], counts.get(market, 0))
    return family


def registry_of(engine: sa.Engine) -> CollectorRegistry:
    """The metrics of one application: its own, so that two in a process do not meet."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreState(engine))
    ProcessCollector(registry=registry)
    return registry


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """All metrics, as text or as OpenMetrics where that is asked for."""
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    registry: Any = request.app.state.metrics
    return Response(encode(registry), media_type=None, headers={"Content-Type": media_type})

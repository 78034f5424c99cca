"""Shapes of what lies behind the trends: keys, series, runs, models, and one topic."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from radar.api.coverage_shapes import TopicLine
from radar.api.shapes import EvidencePost, Key, Shape, Span
from radar.api.trend_shapes import MatrixCell

_NEXT = "Cursor of the next page; null on the last."


class KeyLine(Shape):
    name: str = Field(description="As the market writes it.")
    key: Key
    market: str
    place_market: str | None = Field(description="Where `place` was asked for.")
    persons: int = Field(description="Person-days: KOLs who used it, each once a local day.")
    posts: int
    engagement: int = Field(description="Of posts whose counts are shown.")
    days: int = Field(description="Local days on which it was used.")
    share: float | None = Field(description="persons over all person-days heard in the window.")


class KeyPage(Shape):
    items: list[KeyLine]
    next: str | None = Field(None, description=_NEXT)
    total: int = Field(description="Keys that fit, with those of which no name is kept and which are not listed.")
    market: str
    place: str | None
    days: int = Field(description="Local days of the window that are counted.")
    last_day: date | None
    heard: int = Field(description="Person-days heard in the window.")
    model_id: str
    simulated: bool


class SeriesPoint(Shape):
    start: datetime
    persons: int = Field(description="KOLs whose first mention of the local day falls in the bucket.")
    posts: int
    engagement: int
    heard: int = Field(description="KOLs of the market who posted in the bucket.")
    expected: float | None = Field(description="By the key's own past, one bucket ahead; null: too little of it.")
    low: int | None = Field(description="From here to `high` 95 in 100 buckets lie, had nothing changed.")
    high: int | None


class Series(Shape):
    """One key's counts through time with its baseline."""

    items: list[SeriesPoint]
    next: str | None = Field(None, description=_NEXT)
    name: str
    key: Key
    market: str
    place: str | None
    bucket: Literal["15m", "1h", "1d"]
    days_left_out: int = Field(description="Days of the window that are known by longer buckets only: ask for those.")
    window: Span | None = Field(description="Null where nothing is counted.")
    as_of: datetime | None
    model_id: str
    simulated: bool


class RunLine(Shape):
    id: str
    job: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Literal["running", "ok", "failed", "abandoned"]
    rows_in: int | None
    rows_out: int | None
    detail: str | None
    error: str | None


class PostPage(Shape):
    items: list[EvidencePost]
    next: str | None = Field(None, description=_NEXT)
    market: str
    simulated: bool


class RunPage(Shape):
    items: list[RunLine]
    next: str | None = Field(None, description=_NEXT)
    jobs: list[str] = Field(description="Jobs that have run.")


class FrozenFigures(Shape):
    """On the frozen posts, which never train."""

    posts: int
    macro_f1: float
    precision: float
    recall: float
    off_topic_given: float = Field(description="Share of off-topic posts that get a topic.")
    calibration_error: float | None


class ModelLine(Shape):
    id: str
    active: bool = Field(description="Whether posts are read by it.")
    previous: bool = Field(description="Whether it was active before the present one.")
    fitted_at: datetime
    labels: int | None = Field(description="Posts it was fitted on.")
    own_labels: int | None = Field(description="Of those, labels of yours.")
    weak_labels: int | None = Field(description="Of those, labelled by seed terms alone.")
    macro_f1_out_of_fold: float | None
    frozen: FrozenFigures | None = Field(description="Null: the model is damaged.")
    passes_gate: bool | None = Field(description="Whether it is no worse than the active one.")


class ModelPage(Shape):
    items: list[ModelLine]
    next: str | None = Field(None, description=_NEXT)
    active: str | None = Field(description="Id of the active model; it may have been fitted elsewhere.")


class ModelCard(ModelLine):
    topic_ids: list[str]
    thresholds: list[float] = Field(description="Probability from which a post is given each topic.")


class TopicTerms(TopicLine):
    terms: list[str] = Field(description="Seed terms, in all languages.")
    markets: list[MatrixCell] = Field(description="Which audience speaks of it: the last 7 days.")
    simulated: bool

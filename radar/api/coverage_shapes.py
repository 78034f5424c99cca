"""Shapes of what the radar knows of: markets, topics, sources, drift, its own health."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from radar.api.shapes import Shape
from radar.api.trend_shapes import ShadowSeen


class MarketLine(Shape):
    code: str
    name: str
    languages: list[str]
    zone: str
    posts: int = Field(description="Posts stored; of stale days (/v1/coverage) as they were counted last.")
    persons: int = Field(description="KOLs on a day: the mean of the last 28 days with posts, rounded up.")
    days: int = Field(description="Local days counted.")
    trends: int = Field(description="Lines of the default list: 7 days, travel and shopping.")
    as_of: datetime | None
    status: Literal["ok", "not_enough_history", "no_data"]
    message: str


class Markets(Shape):
    items: list[MarketLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    simulated: bool


class TopicLine(Shape):
    id: str
    group: str
    name: str
    definition: str
    names: dict[str, str]


class Topics(Shape):
    items: list[TopicLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")


class CoverageLine(Shape):
    market: str
    source: str
    kind: str
    authors: int = Field(description="Accounts it gave posts of on a day: the mean of its last 28 such, rounded up.")
    persons: int = Field(description="The same of KOLs: accounts of one person are one.")
    posts: int = Field(description="Posts stored; of stale days (see markets) as they were counted last.")
    first_post_at: datetime
    last_post_at: datetime
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    lag_seconds: int = Field(description="Since the moment up to which the source was read, else since its last post.")
    rejected: int = Field(description="Items of the source that were set aside in the last 7 days, over all markets.")


class MarketWaiting(Shape):
    market: str
    unclassified: int = Field(description="Posts that wait for classification; counted up to 100,000 in all markets.")
    dirty_days: int = Field(description="Days that wait for a recount.")
    stale_days: int = Field(
        description="Of these, the days beyond the newest that hold 2,000 posts together: what is told of them is as "
        "they were counted last. 0: all figures are of all posts stored."
    )
    languages: dict[str, int] = Field(description="Posts by the language read in them (BCP 47), most first.")
    persons: int = Field(description="KOLs on a day: the mean of the last 28 days with posts, rounded up.")
    inferred_authors: int = Field(description="The same of accounts of inferred market: nobody declared theirs.")
    other_languages: int = Field(description="Posts in languages that are not read: counted, without topics or tone.")
    shadow: ShadowSeen | None = Field(description="The newest shadow run, against q = 0.05; null before the first.")


class PausedAccount(Shape):
    handle: str
    reason: str


class BudgetLine(Shape):
    what: str = Field(description="`units` or `requests` of the platform's quota, or USD.")
    period: str = Field(description="The day or month.")
    used: float
    limit: float
    ends_at: datetime


class SourceLine(Shape):
    source: str
    kind: str
    state: Literal["ok", "paused", "waiting", "failing"]
    reason: str | None = Field(description="Why it is not ok.")
    watched: int = Field(description="Accounts on its watch list.")
    failing_accounts: int = Field(description="Of those, accounts whose last asking failed.")
    paused_accounts: list[PausedAccount]
    rejected: int = Field(description="Items and answers of it that were set aside in the last 7 days.")
    budgets: list[BudgetLine] = Field(description="What may be used of it in a period, and what was.")
    derives: bool = Field(description="Whether its posts may be read and counted; else they are only stored.")


class SilentSource(Shape):
    source: str
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    rejected: int


class JobRun(Shape):
    job: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    rows_in: int | None
    rows_out: int | None
    detail: str | None
    error: str | None


class Coverage(Shape):
    items: list[CoverageLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    markets: list[MarketWaiting]
    sources: list[SourceLine] = Field(description="Configured sources and how each fares.")
    silent_sources: list[SilentSource] = Field(description="Sources that gave no post that is kept.")
    runs: list[JobRun] = Field(description="The newest run of each job.")
    simulated: bool
    now: datetime


class ScoreTenth(Shape):
    from_: float = Field(alias="from", description="Lowest probability of the tenth.")
    share: float = Field(description="Share of the posts whose highest probability lies in it.")
    trained: float = Field(description="The same of the training labels, by classifiers that had not seen the post.")


class MovedTopic(Shape):
    topic: str
    share: float = Field(description="Of all topics given.")
    trained: float = Field(description="Of all topics in the training labels.")


class DriftLine(Shape):
    """One market's posts of seven local days against what the model was trained on; null where it is not known."""

    market: str
    status: Literal["ok", "not_enough_posts", "not_measured"]
    message: str
    last_day: date | None = Field(description="The last local day that was looked at.")
    days: int | None
    posts: int | None = Field(description="Read in these days by the model.")
    sample: int | None = Field(description="Posts whose scores and words were looked at.")
    labels: int | None = Field(description="Training labels in the market's languages.")
    score_divergence: float | None = Field(description="Of the highest probability, by tenths, in bits.")
    score_divergence_by_chance: float | None = Field(description="What as many posts of one kind would show.")
    topic_divergence: float | None = Field(description="Of the topics given, in bits.")
    topic_divergence_by_chance: float | None
    no_topic_share: float | None = Field(description="Posts that were given no topic.")
    no_topic_share_trained: float | None = Field(description="Off-topic labels.")
    unknown_share: float | None = Field(description="Words that the model has never seen.")
    unknown_share_frozen: float | None = Field(description="The same on the frozen test posts of these languages.")
    scores: list[ScoreTenth]
    moved: list[MovedTopic] = Field(description="Topics whose share moved most.")
    measured_at: datetime | None


class Drift(Shape):
    items: list[DriftLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    model_id: str
    simulated: bool


class SchedulerState(Shape):
    active: bool
    until: datetime | None


class Health(Shape):
    status: Literal["ok", "degraded"]
    problems: list[str]
    store: str
    world: str | None = Field(description="simulated, real, or null for an empty store.")
    scheduler: SchedulerState
    unclassified: int = Field(description="Posts that wait for classification; counted up to 100,000.")
    dirty_days: int
    runs: list[JobRun]
    now: datetime


class Alive(Shape):
    status: Literal["ok"] = "ok"


class Ready(Alive):
    reads: str | None = Field(
        None, description="Where a replica is configured: whether it answers reads, else why the primary does."
    )

"""Shapes of a list of trends, of one trend with its working, and of where else it is seen."""

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import Field

from radar.api.arrival_shapes import Arrival, ArrivalModel
from radar.api.shapes import Complaints, EvidencePost, Key, Shape, Span, TopicName


class TrendWindow(Shape):
    start: datetime
    end: datetime
    buckets: int = Field(description="Length in buckets.")
    bucket: str = Field(description="15m, 1h or 1d.")


class Variant(Shape):
    id: str = Field(description="Answers at /v1/trends/{id} with its leader, unless it led at some time itself.")
    name: str
    kind: str
    place_market: str | None
    merged: bool = Field(False, description="An editor made it a variant; else the same people used it.")


class Decision(Shape):
    """What an editor decided of a trend; detection's facts stay as they are."""

    id: int
    action: Literal["mute", "hold", "rename", "merge", "undo"]
    scope: Literal["trend", "key"] = Field(description="key: this trend's key in its market, from then on.")
    reason: str
    who: str
    decided_at: datetime
    name: str | None = Field(description="Of a rename.")
    into: str | None = Field(description="The trend that it was merged into.")


class Novelty(Shape):
    days_used: int = Field(description="Local days before the window on which anybody used the key.")
    days: int = Field(description="Days that were looked at.")


class SeasonSeen(Shape):
    source: Literal["last_year", "calendar"]
    name: str | None = Field(description="The season's name, where the calendar knows it.")
    around: str | None = Field(None, description="The day of last year it is compared with.")
    expected: float | None = Field(None, description="Person-days in seven days, had it been as last year.")
    ratio: float | None = Field(description="This year's week over last year's, shrunken; null: last year is unknown.")
    ratio_floor: float | None = Field(None, description="At least this, with 95 % confidence.")


class NarrowSign(Shape):
    reason: Literal["same_words", "same_taste", "same_minutes", "new_accounts"]
    share: float = Field(description="Share of the persons who show the sign.")
    sentence: str


class Trend(Shape):
    """One line of a list: what rose, by how much, how sure, who said it."""

    id: str
    rank: int | None = Field(description="1 is first; null outside a list.")
    name: str = Field(description="The key as the market writes it, or what an editor calls it.")
    name_before: str | None = Field(None, description="The key as the market writes it, where an editor renamed it.")
    key: Key
    topic: TopicName | None = Field(description="Plurality of its posts' topics; null when most have none.")
    market: str = Field(description="Audience market.")
    place_market: str | None = Field(description="Where the thing is; null when the posts do not agree on a place.")
    stage: str
    stage_since: datetime
    onset_at: datetime = Field(description="End of the first bucket in which it was on.")
    ended_at: datetime | None
    seen_at: datetime = Field(description="The moment whose figures are shown: its best in the list's window.")
    observed: float = Field(description="Persons in the window, each once a local day.")
    expected: float = Field(description="Persons foretold by the baseline for the KOLs then heard.")
    lift: float = Field(description="Likely ratio of observed and expected, shrunken.")
    lift_floor: float = Field(description="5 % quantile of the ratio: at least this.")
    p: float = Field(description="Chance of this or more in any window, had nothing changed.")
    q: float = Field(description="p after all tests at once (Benjamini-Hochberg).")
    score: float = Field(description="-log10 p x log2 lift x engagement_factor; orders the list.")
    engagement_factor: float
    tests: int = Field(description="Hypotheses tested at that moment.")
    window: TrendWindow
    persons: int = Field(description="Distinct persons over the window.")
    heard: int = Field(description="Distinct persons of the market who posted anything in the window.")
    posts: int
    platforms: int
    tiers: dict[str, int] = Field(
        description="Persons by size of account: mega, macro, mid, micro, nano, below, unknown."
    )
    sponsored_share: float | None
    complaints: Complaints | None = Field(description="Posts of the window that blame; null where no tone was read.")
    novelty: Novelty
    season: SeasonSeen | None = Field(description="What last year or the calendar says; null where it says nothing.")
    narrow: list[NarrowSign] = Field(
        description="Why the crowd may be one hand; ranked at half its score. Empty: no sign."
    )
    variants: list[Variant] = Field(description="Other keys the same persons used.")
    evidence: list[EvidencePost] = Field(description="Up to five posts by different persons, living ones.")
    sparkline: list[int | None] = Field(description="Persons a day, 28 days to as_of; null where nothing is counted.")
    sentence: str
    curation: list[Decision] = Field(
        default_factory=list, description="What editors decided of it and why; one that is muted or held shows with "
        "`curated=all` only."
    )  # fmt: skip


class ListCoverage(Shape):
    persons: int = Field(description="Distinct persons of the market heard in the window.")
    posts: int
    sources: int
    platforms: int
    days: int = Field(description="Local days counted up to as_of.")


class ShadowSeen(Shape):
    """What the same code found where there can be no trend: whole person-days dealt out among days of one weekday."""

    last_day: date
    days: int = Field(description="Days on which something could be found.")
    trends: int = Field(description="Found as things are, at the bucket lengths of the list.")
    shadow_trends: float = Field(description="Found in the shadow.")
    trends_a_day: float
    shadow_trends_a_day: float
    share: float | None = Field(description="False over found, a day; null where nothing was found.")
    warning: bool = Field(description="Whether the share is above twice q.")
    sentence: str


class TrendPage(Shape):
    """A page of trends and what holds for the whole list."""

    items: list[Trend]
    next: str | None = Field(description="Cursor of the next page; null on the last.")
    total: int = Field(description="Lines of the whole list.")
    left_out: int = Field(0, description="Lines that editors muted or hold back; `curated=all` has them.")
    market: str
    place: str | None
    scope: str
    window: Span | None
    as_of: datetime | None = Field(description="The moment looked back from; null where nothing is counted.")
    model_id: str
    simulated: bool
    status: Literal["ok", "not_enough_history", "no_data"]
    message: str
    coverage: ListCoverage
    shadow: ShadowSeen | None = Field(description="The market's newest shadow run; null where there was none yet.")
    q: float
    note: str


class CurvePoint(Shape):
    start: datetime
    persons: int
    heard: int = Field(description="Persons of the market who posted in the bucket.")
    expected: float | None = Field(description="rate x heard.")
    low: int | None = Field(description="From here to `high` 95 in 100 buckets lie, had nothing changed.")
    high: int | None


class Curve(Shape):
    bucket: str
    rate: float | None = Field(description="Persons expected of each KOL heard in a bucket: median over the moments.")
    dispersion: float | None = Field(description="Variance over mean of the counts, as the test took it: 1 is Poisson.")
    points: list[CurvePoint]


class StageChange(Shape):
    stage: str
    since: datetime


class Moment(Shape):
    as_of: datetime
    at: datetime
    is_daily: bool = Field(description="Sums up a local day by its best moment.")
    stage: str
    buckets: int
    observed: float
    expected: float
    lift: float
    lift_floor: float
    q: float
    score: float
    persons: int


class TrendWorking(Trend):
    """One trend with everything it was found by."""

    asked: str = Field(description="The id asked for; `id` is the leader's where a variant was asked for.")
    as_of: datetime
    model_id: str
    simulated: bool
    coverage: ListCoverage = Field(description="What was heard of the market in the trend's window, as it is now.")
    curve: Curve
    stages: list[StageChange]
    history: list[Moment]


class TrendPosts(Shape):
    """A page of the posts behind a trend, oldest first."""

    items: list[EvidencePost]
    next: str | None = Field(description="Cursor of the next page; null on the last.")
    total: int = Field(description="Posts of the window that hold the trend's key.")
    persons: int = Field(description="Distinct persons who wrote them.")
    trend: str = Field(description="The trend's id; its leader's where a variant was asked for.")
    window: Span
    simulated: bool


class PathStop(Shape):
    market: str
    name: str
    trend: str = Field(description="Its trend there.")
    onset_at: datetime
    ended_at: datetime | None
    stage: str
    hours_after_first: float
    found_by: Literal["hour", "day"]


class TrendPath(Shape):
    id: str
    market: str
    keys: list[str]
    items: list[PathStop]
    expected: list[Arrival]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    model_id: str
    model: ArrivalModel | None
    simulated: bool


class MarketBeside(Shape):
    market: str
    is_own: bool = Field(description="The market the trend was asked of.")
    trend: str | None = Field(description="The newest trend of the same key there.")
    onsets: list[datetime] = Field(description="When it came on there, in these days.")
    first_day: date | None = Field(description="The first of these days on which anybody used the key.")
    persons: list[int | None] = Field(description="KOLs who used the key, by local day; null where none is counted.")
    heard: list[int | None]


class MarketsBeside(Shape):
    items: list[MarketBeside] = Field(
        description="Markets in which the key was used, the first to see it come on first."
    )
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    days: list[date] = Field(description="The local days that the lists of numbers run over.")
    as_of: datetime
    simulated: bool


class MatrixCell(Shape):
    market: str
    persons_a_day: float
    share: float | None = Field(
        description="Of the KOLs heard on a day, those who mention it; null where none was heard."
    )
    usual_share: float | None = Field(description="The same in the 28 days before.")
    change: float | None = Field(description="share over usual_share; null where there are fewer than 10 mentions.")
    trends: int


class MatrixRow(Shape):
    table_of: ClassVar[str] = "cells"
    """A table has a row for each of them."""

    id: str
    name: str
    cells: list[MatrixCell]


class Matrix(Shape):
    items: list[MatrixRow] = Field(
        description="Places, countries or those inside one; or topics. Most mentioned first."
    )
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    by: Literal["place", "topic"]
    place: str | None
    window: str
    heard: dict[str, float] = Field(description="KOLs heard a day, by market.")
    simulated: bool

"""Shapes of what is expected in a market, and of which market leads which."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from radar.api.shapes import Key, Shape, Span


class ArrivalError(Shape):
    """Forecasts of a horizon against what came later, on onsets after those that they were learnt from."""

    days: float
    n: int = Field(description="Live trends by markets they had not reached, by moments.")
    hits: int = Field(description="Of those, reached in time.")
    base_rate: float
    average_precision: float | None
    auc: float | None
    calibration_error: float = Field(description="Mean distance of the probability from the share that came.")
    skill: float = Field(description="1 - log score over that of each market's own rate; 0 knows no better.")
    skill_floor: float = Field(description="Its 1 % bootstrap quantile.")


class ArrivalModel(Shape):
    name: str
    fitted_at: datetime
    window: Span = Field(description="Onsets it was learnt from.")
    trends: int
    arrivals: int = Field(description="Of their onsets, those in a further market.")
    coverage: float | None = Field(description="Share of later onsets inside the 80 % interval.")
    errors: list[ArrivalError]


class ArrivalChance(Shape):
    days: float
    probability: float


class SeenIn(Shape):
    market: str
    trend: str
    onset_at: datetime
    days_ago: float


class UsualLag(Shape):
    """80 % of the lags from the market that has led there most often."""

    from_: str = Field(alias="from")
    n: int
    low_days: float
    high_days: float


class Arrival(Shape):
    name: str
    key: Key
    market: str
    group: str | None = Field(description="travel or shop; null where its topic is not known.")
    probabilities: list[ArrivalChance]
    expected_at: datetime = Field(description="Median of the onset, if it comes within 14 days.")
    low_at: datetime = Field(description="The 80 % interval begins.")
    high_at: datetime
    seen: list[SeenIn]
    usual: UsualLag | None
    error: ArrivalError | None = Field(description="Of forecasts within 7 days.")
    sentence: str


class Arrivals(Shape):
    items: list[Arrival]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    total: int
    market: str
    model_id: str
    simulated: bool
    as_of: datetime | None
    status: Literal["ok", "no_forecast", "not_fitted"]
    message: str
    model: ArrivalModel | None


class LeadLine(Shape):
    """Two markets by the order of onsets of the trends they share; null where there are too few."""

    first: str
    second: str
    group: str
    shared: int
    ties: int
    share_first: float | None = Field(description="Of the trends that are no ties, those the first market had first.")
    p: float | None = Field(description="Two-sided sign test.")
    q: float | None = Field(description="p after all pairs.")
    null_share: float | None = Field(description="The share first that the hours of the day alone would make.")
    null_p: float | None
    null_q: float | None
    median_lag_hours: float | None
    low_hours: float | None = Field(description="95 % interval of the median.")
    high_hours: float | None
    step_hours: float
    lead: bool
    answer: str
    window: Span


class Leads(Shape):
    items: list[LeadLine]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    group: str
    model_id: str
    message: str
    fitted_at: datetime | None
    simulated: bool

"""Shapes of alert rules, what they told, and watch lists."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from radar.alerts.rules import STAGES_TOLD
from radar.api.shapes import Complaints, Key, Shape, TopicName
from radar.api.trend_shapes import NarrowSign, TrendWindow, Variant


class AlertTarget(Shape):
    id: str
    kind: str = Field(description="webhook, email or feed.")
    address: str | None = Field(description="A web address without its query, a mail address; null for a feed.")
    feed: str | None = Field(description="Path of the feed with its token, for whoever may read it.")
    secret: str | None = Field(description="What a webhook's messages are signed with: told once, when it is made.")


class AlertRule(Shape):
    id: str
    name: str
    active: bool
    language: str = Field(description="Of its messages: en, zh-Hant, ja, ko, th.")
    market: str | None
    place: str | None
    topic: str | None
    key: str | None
    kinds: list[str] = Field(description="Of keys; empty: all.")
    stages: list[str] = Field(description="That a trend has just come to.")
    q: float = Field(description="At most.")
    lift_floor: float = Field(description="At least.")
    watch_list: str | None
    scope: str
    early: bool = Field(description="Also what is found by the quarter hour.")
    begins_at: datetime = Field(description="What changed its stage by then is not told.")
    read_upto: datetime = Field(description="The newest change that was looked at.")
    created_at: datetime
    targets: list[AlertTarget]


class AlertRulePage(Shape):
    items: list[AlertRule]
    next: str | None


class AlertTrend(Shape):
    """A trend as it stood when it was told of."""

    id: str
    name: str
    key: Key
    topic: TopicName | None
    market: str
    place_market: str | None
    stage: str
    since: datetime = Field(description="When it came to this stage.")
    onset_at: datetime
    seen_at: datetime = Field(description="The moment whose figures are told.")
    observed: float
    expected: float
    lift: float
    lift_floor: float
    p: float
    q: float
    q_asked: float = Field(description="The rule's: over many messages, this share of them is chance.")
    tests: int
    window: TrendWindow
    persons: int
    heard: int
    posts: int
    platforms: int
    sponsored_share: float | None
    complaints: Complaints | None
    narrow: list[NarrowSign]
    variants: list[Variant]
    sentence: str
    model_id: str
    simulated: bool
    shadow_warning: bool = Field(description="The last shadow run found more than twice the nominal share of chance.")
    watch_list: str | None
    listed_kols: int | None = Field(description="KOLs of the watch list who carry it.")


class AlertDelivery(Shape):
    id: str = Field(description="Its webhook-id, the same at each attempt.")
    target: str
    kind: str
    address: str | None
    state: str = Field(description="pending, delivering, sent or dead.")
    attempts: int
    status: int | None = Field(description="What the last attempt was answered with.")
    error: str | None = Field(description="Why the last attempt failed.")
    next_at: datetime | None
    ended_at: datetime | None


class Alert(Shape):
    id: str
    rule: str
    rule_id: str
    stage: str
    changed_at: datetime
    told_at: datetime
    trend: AlertTrend
    deliveries: list[AlertDelivery]


class AlertPage(Shape):
    items: list[Alert]
    next: str | None
    simulated: bool


class AlertTried(Shape):
    target: str
    kind: str
    address: str | None
    ok: bool
    status: int | None
    said: str = Field(description="What came back.")


class AlertTest(Shape):
    items: list[AlertTried]
    next: str | None


class WatchListLine(Shape):
    name: str
    keys: int
    kols: int
    created_at: datetime


class WatchListPage(Shape):
    items: list[WatchListLine]
    next: str | None


class WatchedKeyLine(Shape):
    name: str
    key: Key
    market: str | None = Field(description="Null: in whichever market.")
    place_market: str | None
    added_at: datetime


class WatchedKol(Shape):
    id: str
    platform: str
    handle: str | None
    name: str | None
    market: str


class WatchList(Shape):
    name: str
    keys: list[WatchedKeyLine]
    kols: list[WatchedKol] = Field(description="Up to 100; all of them: /v1/authors?list=NAME.")
    created_at: datetime
    simulated: bool


# ---- what is asked ----

_TARGETS: list[Any] = [{"kind": "webhook", "address": "https://example.com/hook"}]
_RULE: dict[str, Any] = {
    "name": "Japan, drugstore",
    "market": "TW",
    "place": "JP",
    "topic": "shop.drugstore",
    "targets": _TARGETS,
}


class TargetAsked(Shape):
    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": _TARGETS[0]})

    kind: Literal["webhook", "email", "feed"]
    address: str = Field("", max_length=2000, description="A web address or a mail address; none for a feed.")


class WantedAsked(Shape):
    """What a rule waits for; what is left out lets everything through."""

    model_config = ConfigDict(extra="forbid", strict=True)

    market: str | None = Field(None, description="Audience market.")
    place: str | None = Field(None, description="Country, or a place inside one.")
    topic: str | None = None
    key: str | None = Field(None, max_length=200, description="A word, or a #hashtag.")
    kinds: list[str] = Field([], max_length=5)
    stages: list[str] = Field(list(STAGES_TOLD), max_length=7)
    q: float = Field(0.05, gt=0, le=1)
    lift_floor: float = Field(0.0, ge=0, le=1000)
    watch_list: str | None = Field(None, max_length=120, description="A list of keys and KOLs.")
    scope: str = "travel_shopping"
    early: bool = True


class RuleAsked(WantedAsked):
    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": _RULE})

    name: str
    language: str = "en"
    active: bool = True
    targets: list[TargetAsked] = Field([], max_length=10)


class RuleChanged(Shape):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"active": False}})

    name: str | None = None
    language: str | None = None
    active: bool | None = None
    wanted: WantedAsked | None = Field(None, description="All filters anew.")


class WatchAsked(Shape):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": {"keys": ["#osaka"], "market": "TW"}}
    )

    trends: list[str] = Field([], max_length=100, description="Ids: each one's key is watched, in its market.")
    keys: list[str] = Field([], max_length=100, description='"#osaka", "kind:text", a topic, a place, a word.')
    authors: list[str] = Field([], max_length=100, description="Ids, handles or platform:handle.")
    market: str | None = Field(None, description="Where the keys are watched; null: everywhere.")
    place: str | None = Field(None, description="What place the keys are to be about; null: any.")

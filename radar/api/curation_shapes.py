"""Shapes of decisions, tracked keys and shares of voice."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from radar.api.shapes import Key, Shape
from radar.api.trend_shapes import Decision

_DECISION: dict[str, Any] = {
    "id": 7, "action": "rename", "scope": "trend", "reason": "the name people know", "who": "ann",
    "decided_at": "2026-11-22T14:10:00Z", "name": "Alinamin EX Plus", "into": None,
}  # fmt: skip
_KEY = {"text": "合利他命ex", "kind": "term", "gloss": "Alinamin EX"}
_TRACKED: dict[str, Any] = {
    "id": 3, "name": "Donki", "kind": "brand", "group": "Drugstores",
    "forms": [{"language": None, "text": "Donki"}, {"language": "ja", "text": "ドンキ"}], "who": "loopback",
    "created_at": "2026-11-22T14:10:00Z", "changed_at": "2026-11-22T14:10:00Z", "progress": 1.0, "persons": 212,
}  # fmt: skip
_LINE = {
    "id": 3, "name": "Donki", "kind": "brand", "persons": 41, "posts": 58, "share": 0.5775, "low": 0.4616,
    "high": 0.6856, "mention_share": 0.5631,
}  # fmt: skip
_TREND = {"id": "3v8x0c2q5k1zt", "stage": "rising", "onset_at": "2026-11-20T09:00:00Z", "is_over": False}
EXAMPLES: dict[str, dict[str, Any]] = {
    "Decision": _DECISION,
    "Decisions": {"items": [_DECISION], "next": None},
    "LoggedDecision": _DECISION | {
        "market": "TW", "trend": "3v8x0c2q5k1zt", "key": _KEY, "called": "合利他命ex", "undoes": None,
        "undone_at": None, "undone_by": None, "stands": True,
    },
    "TrackedKey": _TRACKED,
    "TrackedKeys": {"items": [_TRACKED], "next": None, "groups": ["Drugstores"], "simulated": False},
    "ShareOfVoice": {
        "items": [
            {
                "market": "TW", "first_day": "2026-10-24", "last_day": "2026-11-22", "persons": 71, "mentions": 103,
                "status": "ok", "keys": [_LINE | {"trend": _TREND}],
            }
        ],
        "everywhere": {"persons": 71, "mentions": 103, "status": "ok", "keys": [_LINE | {"markets": 1}]},
        "next": None, "group": "Drugstores", "groups": ["Drugstores"], "market": None, "window": "30d", "fewest": 10,
        "message": "Drugstores: 1 keys in 1 markets over 30 days.", "simulated": False, "is_whole": True,
    },
}  # fmt: skip
EXAMPLES["CurationLog"] = {"items": [EXAMPLES["LoggedDecision"]], "next": None}


class Decisions(Shape):
    items: list[Decision]
    next: str | None


class LoggedDecision(Decision):
    market: str
    trend: str | None = Field(description="Null where the decision is about a key in its market.")
    key: Key
    called: str = Field(description="The key as the market writes it.")
    undoes: int | None = Field(description="Of an undoing: which decision.")
    undone_at: datetime | None
    undone_by: str | None
    stands: bool


class CurationLog(Shape):
    """A page of decisions, newest first; rows are only ever added."""

    items: list[LoggedDecision]
    next: str | None


class DecisionWanted(BaseModel):
    """What to decide of a trend."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"action": "mute", "reason": "a bot repeats it"}}
    )

    action: Literal["mute", "hold", "rename", "merge"]
    reason: str = Field(max_length=500)
    scope: Literal["trend", "key"] | None = Field(
        None, description="Of a mute: key mutes the key in this market from now on too."
    )
    name: str | None = Field(None, max_length=120, description="Of a rename.")
    into: str | None = Field(None, max_length=60, description="Of a merge: the trend that it becomes a variant of.")


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    language: Literal["zh-Hant", "zh-Hans", "ja", "ko", "th", "en"] | None = Field(None, description="Null: in any.")
    text: str = Field(max_length=120)


class TrackedKey(Shape):
    id: int
    name: str
    kind: Literal["brand", "product", "competitor", "place"]
    group: str = Field(description="Keys of one group are compared with each other.")
    forms: list[Form] = Field(description="What is looked for, the name first.")
    who: str
    created_at: datetime
    changed_at: datetime
    progress: float = Field(description="Share of the posts stored before that are looked through: 1 is all.")
    persons: int = Field(description="Distinct persons who mentioned it in 90 days, over all markets.")


class TrackedKeys(Shape):
    items: list[TrackedKey]
    next: str | None
    groups: list[str]
    simulated: bool


class TrackedWanted(BaseModel):
    """A key to track."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "Donki", "kind": "brand", "group": "Drugstores",
                "forms": [{"language": "ja", "text": "ドンキ"}, {"language": "zh-Hant", "text": "唐吉訶德"}],
            }
        },
    )  # fmt: skip

    name: str = Field(max_length=120)
    kind: Literal["brand", "product", "competitor", "place"] = "brand"
    group: str | None = Field(None, max_length=120, description="Its own name if left out.")
    forms: list[Form] = Field(default_factory=list, max_length=40)


class TrackedChange(BaseModel):
    """What to change of a tracked key; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"group": "Drugstores"}})

    kind: Literal["brand", "product", "competitor", "place"] | None = None
    group: str | None = Field(None, max_length=120)
    forms: list[Form] | None = Field(None, max_length=40)


class VoiceLine(Shape):
    id: int
    name: str
    kind: str
    persons: int
    posts: int
    share: float | None = Field(description="Of the persons who mention any key of the group; null: not enough.")
    low: float | None = Field(description="Wilson's interval at 95 %.")
    high: float | None
    mention_share: float | None = Field(description="Of all mentions by posts.")


class VoiceTrend(Shape):
    id: str
    stage: str
    onset_at: datetime = Field(description="When it came on there: the order of markets is that of these.")
    is_over: bool


class VoiceMarketLine(VoiceLine):
    trend: VoiceTrend | None = Field(description="Its trend in that market and window, if it came on.")


class VoiceEverywhereLine(VoiceLine):
    markets: int = Field(description="In how many it was mentioned.")


class VoiceEverywhere(Shape):
    persons: int
    mentions: int
    status: Literal["ok", "not_enough"]
    keys: list[VoiceEverywhereLine]


class VoiceMarket(Shape):
    market: str
    first_day: date
    last_day: date
    persons: int = Field(description="Who mention any key of the group.")
    mentions: int = Field(description="Posts, one for each key that it mentions.")
    status: Literal["ok", "not_enough"]
    keys: list[VoiceMarketLine]


class ShareOfVoice(Shape):
    items: list[VoiceMarket]
    next: str | None
    group: str | None
    groups: list[str]
    market: str | None
    window: str
    fewest: int = Field(description="Persons below which no share is told.")
    message: str
    simulated: bool
    everywhere: VoiceEverywhere | None = Field(description="All markets added up; null where one was asked for.")
    is_whole: bool = Field(description="Whether all stored posts are looked through for these keys.")

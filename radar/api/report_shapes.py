"""Shapes of weekly reports, with their examples."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from radar.api import examples
from radar.api.arrival_shapes import Arrival, ArrivalModel, LeadLine
from radar.api.partner_shapes import CarriedOn
from radar.api.shapes import Shape, Span
from radar.api.trend_shapes import ListCoverage, ShadowSeen, Trend


class Carrier(Shape):
    person_id: str
    name: str | None
    handle: str | None
    platform: str
    url: str | None = Field(description="Their first post of it.")
    follower_count: int | None
    first_at: datetime
    posts: int
    engagement: int | None = Field(description="Likes, comments and shares of these posts; null when all are hidden.")
    share: float | None = Field(description="Of the engagement that all posts of these KOLs earned.")
    sponsored: int = Field(description="Posts of them that are sponsored.")


class ReportPair(Shape):
    market: str
    place: str


class KeptReport(ReportPair):
    week: str
    files: list[str] = Field(description="As ja.pdf: language and form.")


class ReportList(Shape):
    items: list[KeptReport] = Field(description="Kept reports, the newest week first; at most 500.")
    next: None
    scheduled: list[ReportPair] = Field(description="Pairs of RADAR_REPORTS.")
    simulated: bool


class PlatformWeek(Shape):
    name: str
    persons: int = Field(description="KOLs there; who posts on two platforms counts on both.")
    posts: int = Field(description="Living posts, copies included.")
    place_persons: int = Field(description="KOLs who name the place.")
    place_posts: int
    unread: int = Field(description="Posts that no model has read yet.")
    last_post_at: datetime


class SourceWeek(Shape):
    source: str
    persons: int
    posts: int
    last_post_at: datetime
    lag_seconds: int = Field(description="From its last post to the week's end.")


class ShareWeek(Shape):
    id: str
    persons_a_day: float
    share: float | None = Field(description="Of the KOLs heard on a day, those who mention it.")
    usual_share: float | None = Field(description="In the four weeks before; null without so much history.")
    change: float | None = Field(description="share over usual_share; null under 10 mentions or without history.")


class PlaceDay(Shape):
    day: date
    persons: int
    heard: int


class HadBefore(Shape):
    market: str
    onset_at: datetime


class ReportTrend(Trend):
    on_platforms: list[CarriedOn] = Field(description="Who carried it since it came on, by platform.")
    carriers: list[Carrier] | None = Field(description="The first three KOLs; null after the fifth trend.")
    carriers_total: int
    before: list[HadBefore] | None = Field(description="Markets in which its key came on before.")


class ExpectedNext(Shape):
    status: Literal["ok", "no_forecast", "not_fitted", "not_kept"] = Field(
        description="not_kept: no forecast of the week's end is kept; `since` says from when on they are."
    )
    message: str
    as_of: datetime | None = Field(description="When it was forecast.")
    since: datetime | None = Field(description="The oldest forecast that is kept, the last of its day.")
    kept_days: int = Field(description="How long they are kept.")
    items: list[Arrival] = Field(description="Those seen in the place market.")
    total: int
    from_elsewhere: int
    model: ArrivalModel | None


class Gap(Shape):
    what: str = Field(
        description="history, end, snapshots, hours, unread, one_platform, silent, paused, shadow or forecast."
    )
    n: int | None
    names: list[str]


class Report(Shape):
    market: str
    place: str
    week: str
    first_day: date
    last_day: date
    zone: str
    window: Span
    as_of: datetime = Field(description="The week's end.")
    model_id: str
    simulated: bool
    status: Literal["ok", "not_enough_history", "no_data"]
    message: str
    coverage: ListCoverage
    shadow: ShadowSeen | None
    q: float
    usual_days: int
    days_counted: int = Field(description="Of the week's seven.")
    about_place: ShareWeek | None
    by_day: list[PlaceDay] = Field(description="Who mentions the place, the week and the four before.")
    platforms: list[PlatformWeek]
    sources: list[SourceWeek]
    trends: list[ReportTrend] = Field(description="The first ten, as /v1/markets/{market}/trends lists them.")
    total: int
    places: list[ShareWeek]
    places_total: int
    product_trends: list[Trend]
    products: list[ShareWeek] = Field(description="Products in posts about the place.")
    topic_trends: list[Trend]
    topics: list[ShareWeek] = Field(description="Topics of posts about the place above their usual share.")
    expected: ExpectedNext
    lead: LeadLine | None = Field(description="As of now, over all topics.")
    missing: list[Gap]


_KEPT = {"market": "TW", "place": "JP", "week": "2026-W47", "files": ["ja.html", "ja.json", "ja.md", "ja.pdf"]}
_LAST = "2026-11-22T15:49:00Z"
_SHARE = {"id": "JP-27", "persons_a_day": 4.1, "share": 0.056, "usual_share": 0.031, "change": 1.806}
_REPORT: dict[str, Any] = {
    "market": "TW", "place": "JP", "week": "2026-W47", "first_day": "2026-11-16", "last_day": "2026-11-22",
    "zone": "Asia/Taipei", "window": {"start": "2026-11-15T16:00:00Z", "end": "2026-11-22T16:00:00Z"},
    "as_of": "2026-11-22T16:00:00Z", "model_id": "topics-3f1c2a9b7d", "simulated": True, "status": "ok",
    "message": "1 trend in 7 days.",
    "coverage": {"persons": 152, "posts": 784, "sources": 1, "platforms": 2, "days": 70}, "shadow": None, "q": 0.05,
    "usual_days": 28, "days_counted": 7,
    "about_place": {"id": "JP", "persons_a_day": 11.4, "share": 0.15, "usual_share": 0.12, "change": 1.25},
    "by_day": [{"day": "2026-11-22", "persons": 12, "heard": 74}],
    "platforms": [
        {"name": "instagram", "persons": 58, "posts": 314, "place_persons": 14, "place_posts": 33, "unread": 0,
         "last_post_at": _LAST},
    ],
    "sources": [
        {"source": "sky", "persons": 152, "posts": 784, "last_post_at": _LAST, "lag_seconds": 660},
    ],
    "trends": [
        examples.TREND | {
            "on_platforms": [
                {"platform": "instagram", "persons": 12, "posts": 14},
                {"platform": "youtube", "persons": 6, "posts": 7},
            ],
            "carriers": [
                {"person_id": "41", "name": "Ann Lee", "handle": "ann", "platform": "instagram",
                 "url": "https://example.com/p/1", "follower_count": 8554, "first_at": "2026-11-21T08:20:00Z",
                 "posts": 2, "engagement": 326, "share": 0.14, "sponsored": 0},
            ],
            "carriers_total": 17, "before": [{"market": "JP", "onset_at": "2026-11-16T13:00:00Z"}],
        },
    ],
    "total": 1, "places": [_SHARE], "places_total": 1, "product_trends": [],
    "products": [_SHARE | {"id": "matsukiyo"}], "topic_trends": [], "topics": [_SHARE | {"id": "shop.drugstore"}],
    "expected": {
        "status": "no_forecast", "message": "No trend was seen in Taiwan yet, so nothing is known of its ways.",
        "as_of": None, "items": [], "total": 0, "from_elsewhere": 0, "model": None, "since": None,
        "kept_days": 90,
    },
    "lead": examples.LEADS["items"][0], "missing": [{"what": "shadow", "n": None, "names": []}],
}  # fmt: skip
ANSWERS: dict[str, dict[str, Any]] = {
    "Report": _REPORT,
    "ReportList": {
        "items": [_KEPT], "next": None, "scheduled": [{"market": "TW", "place": "JP"}], "simulated": False
    },
}  # fmt: skip

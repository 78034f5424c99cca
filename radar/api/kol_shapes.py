"""Shapes of the answers about KOLs."""

from datetime import date, datetime

from pydantic import ConfigDict, Field

from radar.api.shapes import AuthorMarket, EvidencePost, Name, Shape


class NamedShare(Shape):
    id: str
    name: str
    posts: int = Field(description="Of the window, about it.")
    share: float = Field(description="Of the posts, shrunken to the market's share.")


class AuthorLine(Shape):
    id: str = Field(description="Answers at /v1/authors/{id}.")
    platform: str
    handle: str | None
    name: str | None
    url: str | None
    market: str = Field(description="Audience market.")
    person_id: str
    measured: bool = Field(description="False until the next run of measure_authors.")
    tier: str = Field(description="nano to mega by followers; below; unknown where they are hidden.")
    follower_count: int | None
    last_post_at: datetime | None
    post_count: int | None = Field(description="In the window of 60 days.")
    rated_count: int | None = Field(description="Of these, settled ones with shown likes and followers.")
    low_confidence: bool | None = Field(description="Fewer than 8 rated posts.")
    er_followers: float | None = Field(description="Median engagement / followers at post time: 0.034 is 3.4 %.")
    er_views: float | None = Field(description="Median engagement / views.")
    engagement_percentile: float | None = Field(description="Among peers, in [0, 1]; null below 5 peers.")
    peer_count: int | None = Field(description="Rated KOLs of the same market, platform and tier.")
    growth: float | None = Field(description="Of followers over 30 days.")
    sponsored_share: float | None
    early: float | None = Field(description="Early-adopter score in [0, 1]; null below 5 trends.")
    early_count: int | None
    topics: list[NamedShare]
    places: list[NamedShare]


class AuthorPage(Shape):
    items: list[AuthorLine]
    next: str | None
    sort: str
    simulated: bool


class Account(Shape):
    id: str
    platform: str
    handle: str | None
    name: str | None


class FollowersOn(Shape):
    day: date
    count: int


class Note(Shape):
    id: str
    text: str
    written_at: datetime


class Peers(Shape):
    market: str
    platform: str
    tier: str
    rated: int


class PeerRate(Shape):
    name: str
    value: float | None
    n: int = Field(description="Posts, days of history or trends the value rests on.")
    percentile: float | None
    peers: int
    quartiles: list[float] | None = Field(description="Of the peers: 25, 50 and 75 %.")


class Paid(Shape):
    share: float | None
    posts: int
    of: int
    over_organic: float | None = Field(description="Median engagement of paid posts / of the others, from 3 of each.")


class ToneShare(Shape):
    share: float | None = Field(description="Of the posts whose tone was read, those that blame.")
    posts: int


class EarlyScore(Shape):
    score: float | None
    low: float | None = Field(description="5 % of its 90 % interval.")
    high: float | None
    null: float | None = Field(description="Mean score of permutations among those active in the same hours.")
    p: float | None = Field(description="Share of permutations at least as early.")
    trends: int


class PostingRhythm(Shape):
    by_hour: list[int] = Field(description="Posts by hour of the market's day.")
    by_weekday: list[int] = Field(description="From Monday on.")
    gap_hours: float | None
    active_days: int
    zone: str


class StrongPost(Shape):
    ratio: float = Field(description="Engagement / the KOL's own median.")
    engagement: int
    post: EvidencePost


class Brand(Shape):
    id: str
    name: str
    posts: int = Field(description="Posts that disclose payment and name it.")
    first_on: date
    last_on: date


class ReviewSignal(Shape):
    name: str
    value: float | None
    n: int
    percentile: float | None
    peers: int
    is_odd: bool = Field(description="At the outer percent of 20 or more peers: worth a person's look, no verdict.")
    odd_end: str = Field(description="high, low or both.")


class Measures(Shape):
    measured_at: datetime
    window_days: int
    low_confidence: bool
    enough: int = Field(description="Rated posts from which a rate is of confidence.")
    peers: Peers
    rates: list[PeerRate]
    posts_per_week: float
    paid: Paid
    complaints: ToneShare
    early: EarlyScore
    topics: list[NamedShare]
    places: list[NamedShare]
    rhythm: PostingRhythm
    growth_days: int
    top_posts: list[StrongPost]
    brands: list[Brand]
    signals: list[ReviewSignal]


class AuthorProfile(AuthorLine):
    bio: str | None
    languages: list[str]
    market_known: AuthorMarket
    corrected: list[str] = Field(description="What was corrected here; no source changes it.")
    first_seen_at: datetime
    first_post_at: datetime | None
    accounts: list[Account] = Field(description="Other accounts of the same person.")
    followers: list[FollowersOn] = Field(description="As observed, by day; up to 400.")
    posts: list[EvidencePost] = Field(description="The newest.")
    notes: list[Note]
    lists: list[str]
    simulated: bool
    measures: Measures | None = Field(description="Null until the next run of measure_authors.")


class AuthorComparison(Shape):
    items: list[AuthorProfile]
    next: str | None
    simulated: bool


class ListLine(Shape):
    name: str
    members: int
    created_at: datetime


class ListPage(Shape):
    items: list[ListLine]
    next: str | None


class Done(Shape):
    done: str = Field(description="What was done.")


class ListMembers(Shape):
    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"authors": ["311"]}})

    authors: list[Name] = Field(min_length=1, max_length=1000, description="Ids, handles or platform:handle.")


class NoteText(Shape):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": {"text": "Met at the fair in May."}}
    )

    text: Name


class Correction(Shape):
    """What is stored of a KOL; what is left out stays, null takes it away."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"name": "Mei Lin"}})

    handle: Name | None = None
    name: Name | None = None
    url: Name | None = None
    bio: Name | None = None
    languages: Name | None = None
    follower_count: int | None = Field(None, ge=0, lt=2**53)
    audience_market: Name | None = None
    hidden: bool | None = Field(None, description="True hides the KOL from every answer, false shows it again.")

"""Shapes of partners: the brief as it is sent, and what is answered."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from radar.api.shapes import AuthorMarket, EvidencePost, Name, Shape, TopicName

Words = Annotated[Name, Field(max_length=200)]
Names = Annotated[list[Words], Field(max_length=50)]
Tier = Literal["nano", "micro", "mid", "macro", "mega"]


class Exclusions(BaseModel):
    """Whom to leave out."""

    model_config = ConfigDict(extra="forbid", strict=True)
    topics: Names = Field([], description="KOLs of whose posts more than a fifth are on one of these.")
    products: Names = Field([], description="KOLs who were paid to name one of these (ids of `/v1/partners`).")
    authors: Names = Field([], description="Ids or handles of KOLs.")


class PartnerBrief(BaseModel):
    """What is looked for. At least a topic, a product, a text that names one, or both markets."""

    model_config = ConfigDict(extra="forbid", strict=True)
    text: Name = Field("", max_length=5_000, description="In any of the languages; read by the topic model.")
    topics: Names = Field([], description="Topic ids; go over what the text is about.")
    products: Names = Field([], description="Names or ids; unknown ones are read as text.")
    from_market: str | None = Field(None, alias="from", max_length=8, description="Market the thing is in.")
    to_market: str | None = Field(None, alias="to", max_length=8, description="Audience market to reach.")
    platforms: Names = []
    tiers: Names = Field([], description="nano, micro, mid, macro, mega.")
    budget: float | None = Field(None, description="For one post, in the currency of the audience's market.")
    exclude: Exclusions = Field(default_factory=lambda: Exclusions.model_validate({}))
    with_review: bool = Field(False, description="Rank those as well whom signals keep apart in `review`.")
    weights: dict[Words, float] = Field({}, description="Weight by part, over the configured ones.")
    diversity: float | None = Field(None, description="0: by score alone; 1: as unlike each other as can be.")
    limit: int = Field(10, ge=1, le=50)


class Part(Shape):
    name: str = Field(
        description="topic, place, market, authenticity, engagement, reach, saturation, early or freshness."
    )
    value: float | None = Field(description="In [0, 1]; null: not known, and entered at 0.35.")
    weight: float
    factor: float = Field(description="value to the power of its share of the weights; the score is their product.")
    numbers: dict[str, Any] = Field(description="What it was computed from.")
    why: str | None
    mind: str | None
    post_ids: list[str] = Field(description="Of `posts`, those that prove it.")


class Price(Shape):
    low: float
    high: float
    currency: str
    heuristic: bool = Field(description="Rules of thumb, until the file of prices says otherwise.")
    as_of: date
    inputs: dict[str, Any]
    sentence: str


class ShownAuthor(Shape):
    id: str
    person_id: str
    platform: str
    handle: str | None
    name: str | None
    url: str | None
    follower_count: int | None
    tier: str | None
    market: AuthorMarket


class Partner(Shape):
    rank: int
    author: ShownAuthor
    score: float
    parts: list[Part]
    why: list[str]
    mind: list[str]
    price: Price | None = Field(description="Null: neither followers nor views are known.")
    posts: list[EvidencePost]


class ReadTopic(TopicName):
    weight: float


class NamedProduct(Shape):
    id: str
    name: str


class NamedPlace(Shape):
    code: str
    name: str


class Understood(Shape):
    """The brief as it was understood."""

    text: str
    topics: list[ReadTopic]
    products: list[NamedProduct]
    from_market: str | None = Field(alias="from")
    to_market: str | None = Field(alias="to")
    places: list[NamedPlace]
    platforms: list[str]
    tiers: list[str]
    budget: float | None
    exclude: Exclusions


class Partners(Shape):
    items: list[Partner]
    review: list[Partner] = Field(
        description="Who would be among them, but stands out in two or more authenticity signals: look first."
    )
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    brief: Understood
    weights: dict[str, float]
    diversity: float
    looked_at: int = Field(description="KOLs that were compared.")
    left_out: dict[str, int] = Field(description="KOLs by the filter that left them out.")
    message: str
    notes: list[str] = Field(description="What was read in the text, and what was not.")
    commenters: str = Field(description="What is known of commenters in common.")
    as_of: datetime
    model_id: str
    simulated: bool


class LikenessBy(Shape):
    audience: float
    topics: float
    style: float | None
    places: float


class SimilarAuthor(Shape):
    rank: int
    author: ShownAuthor
    likeness: float
    by: LikenessBy
    commenter_overlap: float | None = Field(description="Null: not known.")
    sentence: str


class SimilarAuthors(Shape):
    items: list[SimilarAuthor]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    author: ShownAuthor
    message: str
    commenters: str
    simulated: bool


class TrendAuthor(Shape):
    rank: int
    author: ShownAuthor
    first_post_at: datetime
    first_post_url: str | None
    posts: int
    sponsored: int = Field(description="Of these posts, those marked as paid.")
    engagement: int | None = Field(description="Of these posts; null where it is hidden.")
    share: float | None = Field(description="Of all engagement that the trend earned.")
    engagement_rank: int | None = Field(description="1 earned most; null where it is hidden.")
    earlier_than: float | None = Field(description="Share of the trend's other people who came later; null: alone.")
    sentence: str


class CarriedOn(Shape):
    platform: str
    persons: int = Field(description="KOLs there; who carried it on two platforms counts on both.")
    posts: int


class TrendAuthors(Shape):
    items: list[TrendAuthor]
    next: str | None = Field(None, description="Cursor of the next page; null on the last.")
    trend: str
    order: Literal["early", "engagement", "reach"]
    persons: int = Field(description="Who used its key in the window, from its first one to its best moment.")
    platforms: list[CarriedOn] = Field(description="The same KOLs and their posts on each platform.")
    window: dict[str, datetime]
    simulated: bool

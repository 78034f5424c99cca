"""Shapes that many answers share, for OpenAPI and for JSON on any face."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """An answer's shape: nothing beyond what is declared."""

    model_config = ConfigDict(extra="forbid")


class Key(Shape):
    text: str = Field(
        description="As counted: a topic id, hashtag, term, place code, product id, or the name of a tracked key."
    )
    kind: str = Field(description="topic, hashtag, term, place, product or tracked.")
    gloss: str | None = Field(
        description="For those who do not read it: the English name of a place, topic or product, else how it "
        "sounds in Latin letters; null where `name` says it."
    )


class TopicName(Shape):
    id: str
    name: str


class Complaints(Shape):
    share: float = Field(description="Of the posts, those that blame.")
    posts: int = Field(description="Posts whose tone was read.")
    sentence: str


class AuthorMarket(Shape):
    code: str
    source: str = Field(description="declared, import, source, or inferred from the author's posts.")
    confidence: float
    reasons: str | None = Field(description="What speaks for an inferred market; null for others.")


class EvidenceAuthor(Shape):
    id: str = Field(description="Answers at /v1/authors/{id}.")
    handle: str | None
    name: str | None
    follower_count: int | None
    person_id: str = Field(description="The same for all accounts of one person.")
    market: AuthorMarket = Field(description="How the author's audience market is known.")
    complaints: Complaints | None = Field(
        description="Among all stored posts of the person; only in a trend's working."
    )


class EvidencePost(Shape):
    id: str
    platform: str
    native_id: str = Field(description="The post's id at its platform.")
    text: str | None = Field(description="Null once pruned.")
    language: str | None
    url: str | None
    published_at: datetime
    author: EvidenceAuthor
    like_count: int | None = Field(description="Counts are null when hidden, never 0.")
    comment_count: int | None
    share_count: int | None
    view_count: int | None
    sponsored: bool
    tone: Literal["negative", "neutral", "positive"] | None = Field(description="Null: read before there was one.")


class Span(Shape):
    start: datetime
    end: datetime


class Problem(Shape):
    """What every error answers with (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="What is wrong, in one sentence.")
    hint: str = Field(description="What to do next.")
    near: list[str] = Field(description="Names that may have been meant.")
    instance: str = Field(description="The path asked for.")
    request_id: str = Field(description="The answer's `X-Request-Id`: a failure stands under it in the log.")


def _clean(text: str) -> str:
    if "\x00" in text or not (text.isascii() or _is_whole(text)):
        raise ValueError("a NUL character or half a surrogate pair")
    return text


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Name = Annotated[str, AfterValidator(_clean)]

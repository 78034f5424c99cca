"""What API and pages share of a request for KOLs: the filters of a list."""

from typing import Annotated

from fastapi import Depends, Query

from radar.answers.kol import SORT_NAMES, AuthorFilters
from radar.kol import TIER_NAMES

_TIERS = ", ".join(TIER_NAMES)


async def author_filters(
    text: Annotated[
        str | None, Query(description="Beginnings of words of name or handle.", max_length=200, examples=["mei"])
    ] = None,
    market: Annotated[str | None, Query(description="Audience market.", examples=["TW"])] = None,
    platform: Annotated[str | None, Query(description="One or several, by commas.", examples=["instagram"])] = None,
    tier: Annotated[str | None, Query(description=f"Of {_TIERS}; by commas.", examples=["micro"])] = None,
    topic: Annotated[str | None, Query(description="Topic id; see /v1/topics.", examples=["shop.snacks"])] = None,
    place: Annotated[str | None, Query(description="Place market posted about.", examples=["JP"])] = None,
    min_engagement: Annotated[
        float | None, Query(ge=0, le=1, description="Least engagement percentile among peers.", examples=[0.5])
    ] = None,
    max_engagement: Annotated[
        float | None, Query(ge=0, le=1, description="Highest engagement percentile.", examples=[1])
    ] = None,
    sponsored: Annotated[
        bool | None, Query(description="true: with paid posts in 60 days; false: with none.", examples=[False])
    ] = None,
    list: Annotated[str | None, Query(description="Those on a list of that name.", examples=["shortlist"])] = None,
    sort: Annotated[
        str | None,
        Query(
            description=f"One of {', '.join(SORT_NAMES)}, `-` before it for the largest first: percentile, followers, "
            "growth of 30 days, early-adopter score, last post. What is not known comes last. `-engagement` if left "
            "out.",
            examples=["-engagement"],
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Lines a page.", examples=[20])] = 20,
    cursor: Annotated[
        str | None, Query(description="`next` of the page before.", examples=["WzAuOTgsIDMxMSwgImFiYyJd"])
    ] = None,
) -> AuthorFilters:
    """The filters of a list of KOLs; an empty one is as none."""
    return AuthorFilters(
        text or None, market or None, platform or None, tier or None, topic or None, place or None, min_engagement,
        max_engagement, sponsored, list or None, sort or None, limit, cursor or None,
    )  # fmt: skip


AuthorFilterDep = Annotated[AuthorFilters, Depends(author_filters)]

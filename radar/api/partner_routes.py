"""The routes of partners: a brief's shortlist, KOLs like another, KOLs of a trend."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request

from radar import answers
from radar.answers.partners import Asked
from radar.api import examples, partner_examples, partner_shapes
from radar.api.lists import ListRoute, pages_of
from radar.api.routes import problems_of
from radar.partners.brief import Brief
from radar.web.briefs import BriefDep, scorer_of
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(
    prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)], tags=["partners"]
)


def _asked(sent: partner_shapes.PartnerBrief) -> Asked:
    exclude = sent.exclude
    brief = Brief(
        sent.text, tuple(sent.topics), tuple(sent.products), sent.from_market or None, sent.to_market or None,
        tuple(sent.platforms), tuple(sent.tiers), sent.budget, tuple(exclude.topics), tuple(exclude.products),
        tuple(exclude.authors), sent.with_review,
    )  # fmt: skip
    return Asked(brief, sent.weights, sent.diversity, sent.limit)


@router.post(
    "/partners",
    response_model=partner_shapes.Partners,
    responses=problems_of(400, 404, 422),
    openapi_extra={"requestBody": {"content": {"application/json": {"example": partner_examples.BRIEF}}}},
)
def find_partners(sent: partner_shapes.PartnerBrief, request: Request, session: SessionDep) -> Any:
    """KOLs ranked as partners for a brief, each with every part of the score, the posts that prove it and a price.

    The score is a weighted geometric mean of the parts; the list is diversified by maximal marginal relevance. A brief
    too vague to rank is 422 and named what to add; filters that leave nobody are said in `message`.
    """
    return _partners(_asked(sent), request, session)


@router.get("/partners", response_model=partner_shapes.Partners, responses=problems_of(400, 404, 422))
def list_partners(asked: BriefDep, request: Request, session: SessionDep) -> Any:
    """The same for a brief in the address; lists are separated by commas, weights are as `topic:40,reach:0`."""
    return _partners(asked, request, session)


def _partners(asked: Asked, request: Request, session: SessionDep) -> Any:
    settings = request.app.state.settings
    return answers.partners(
        session, asked, now=datetime.now(UTC), scorer=lambda: scorer_of(request.app, session), settings=settings
    )


@router.get("/authors/{id}/similar", response_model=partner_shapes.SimilarAuthors, responses=problems_of(400, 404))
def list_similar_authors(
    id: Annotated[str, Path(description="A KOL's id, handle, or platform:handle.", examples=["1"])],
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=50, description="How many.", examples=[10])] = 10,
) -> Any:
    """KOLs of the same market that are most like one: in topics, style, places, size and platform."""
    return answers.similar_authors(session, id, limit=limit)


@router.get("/trends/{id}/authors", response_model=partner_shapes.TrendAuthors, responses=problems_of(400, 404, 410))
@pages_of(10)
def list_trend_authors(
    id: Annotated[str, Path(description="A trend's id.", examples=[examples.TREND["id"]])],
    session: SessionDep,
    order: Annotated[
        Literal["early", "engagement", "reach"],
        Query(description="Who came first, whose posts earned most, or who is followed most.", examples=["early"]),
    ] = "early",
    as_of: Annotated[
        str | None, Query(description="Moment to look back from, or a UTC day.", examples=["2026-11-22T14:00:00Z"])
    ] = None,
    window: Annotated[str | None, Query(description="Window of the list it was found in.", examples=["7d"])] = None,
) -> Any:
    """KOLs who carry a trend, since it came on: a line a person, by their account that posted first."""
    moment = answers.parse_as_of(as_of, ZoneInfo("UTC"))
    return answers.trend_authors(session, id, moment, window, order=order, limit=None)

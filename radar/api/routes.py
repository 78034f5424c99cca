"""The routes under /v1: parse, ask, answer."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from msgspec.json import encode

from radar import answers
from radar.api import arrival_shapes, coverage_shapes, examples, pushed_shapes, signing, trend_shapes
from radar.api import push as pushing
from radar.api.lists import ListRoute, pages_of, read_by
from radar.markets import MARKETS
from radar.store.engine import world_of
from radar.web.actors import Writer
from radar.web.requests import FilterDep, SessionDep, only_known_parameters

router = APIRouter(prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)])
probes = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters)])
"""Short addresses for those who probe from outside."""

MarketPath = Annotated[
    str, Path(description=f"Audience market: {', '.join(MARKETS)}.", openapi_examples={"TW": {"value": "TW"}})
]

TrendPath = Annotated[
    str, Path(description="A trend's id; a variant's answers with its leader.", examples=[examples.TREND["id"]])
]
AsOfQuery = Annotated[
    str | None, Query(description="Moment to look back from, or a UTC day.", examples=["2026-11-22T14:00:00Z"])
]
WindowQuery = Annotated[
    str | None, Query(description="Window of the list it was found in: its best moment there.", examples=["7d"])
]


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Responses that every route declares: the problem shape, by status."""
    said = {400: "A bad request", 404: "Unknown name", 409: "A simulated store", 413: "Too large"}
    said |= {406: "None of the forms of a list is accepted", 410: "No list of that moment is kept any more"}
    said |= {
        401: "Not signed",
        403: "Asked for by another site, or by a key of another scope",
        422: "It cannot be answered as it stands",
    }
    said |= {500: "A failure", 503: "The store does not answer"}
    shape = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": said[status], "content": shape} for status in (*statuses, 500, 503)}


@router.get("/markets", response_model=coverage_shapes.Markets, responses=problems_of(400), tags=["trends"])
def list_markets(session: SessionDep) -> Any:
    """Audience markets, how much is stored of each, and whether that is enough."""
    return {"items": answers.markets(session), "next": None, "simulated": world_of(session) == "simulated"}


@router.get("/topics", response_model=coverage_shapes.Topics, responses=problems_of(400), tags=["trends"])
def list_topics(
    group: Annotated[Literal["travel", "shop"] | None, Query(description="One group only.", examples=["shop"])] = None,
) -> Any:
    """The 40 travel and shopping topics in their stable order."""
    return {"items": [topic for topic in answers.topics() if group in (None, topic["group"])], "next": None}


@router.get(
    "/markets/{market}/trends",
    response_model=trend_shapes.TrendPage,
    responses=problems_of(400, 404, 410),
    tags=["trends"],
)
def list_trends(market: MarketPath, session: SessionDep, asked: FilterDep) -> Any:
    """What is trending in a market, with the error rate, the evidence and a sentence to repeat.

    Trends seen on in the window, each by its best moment; one line for what the same people said in other words.
    `status` says when there is too little history to say anything, and `message` when there will be enough.
    """
    return answers.list_trends(session, **asked.for_answer(market))


@router.get(
    "/trends/{id}", response_model=trend_shapes.TrendWorking, responses=problems_of(400, 404, 410), tags=["trends"]
)
def get_trend(
    id: TrendPath,
    session: SessionDep,
    as_of: AsOfQuery = None,
    window: WindowQuery = None,
) -> Any:
    """One trend with its whole working: curve and baseline, stages, every moment tested, variants, posts."""
    return answers.trend_working(session, id, answers.parse_as_of(as_of, _UTC), window)


@router.get(
    "/trends/{id}/posts",
    response_model=trend_shapes.TrendPosts,
    responses=problems_of(400, 404, 410),
    tags=["trends"],
)
def get_trend_posts(
    id: TrendPath,
    session: SessionDep,
    as_of: AsOfQuery = None,
    window: WindowQuery = None,
    sort: Annotated[
        str | None, Query(description="`published_at`, or `-published_at`: newest first.", examples=["-published_at"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Posts a page.", examples=[50])] = 50,
    cursor: Annotated[
        str | None, Query(description="`next` of the page before.", examples=["WzUwLCAiNzY2NzgxIl0"])
    ] = None,
) -> Any:
    """Every post in the window of a trend's best moment that holds its key, oldest first."""
    moment = answers.parse_as_of(as_of, _UTC)
    return answers.trend_posts(session, id, moment, window, limit=limit, sort=sort, cursor=cursor)


@router.get(
    "/trends/{id}/path", response_model=trend_shapes.TrendPath, responses=problems_of(400, 404), tags=["trends"]
)
def get_trend_path(id: TrendPath, session: SessionDep) -> Any:
    """One trend over all markets: where it began when, by its hashtags and products, and where it is expected next."""
    return answers.path(session, id)


@router.get(
    "/markets/{market}/arrivals",
    response_model=arrival_shapes.Arrivals,
    responses=problems_of(400, 404, 410),
    tags=["trends"],
)
@pages_of(20)
def list_arrivals(
    market: MarketPath,
    session: SessionDep,
    as_of: AsOfQuery = None,
) -> Any:
    """Trends of other markets that are expected in one, the likeliest within a week first.

    Refitted weekly, forecast after every detection; `model.errors` says how forecasts of the past fared on later data.
    `status` is `no_forecast` where they were no better than the rate at which each market is reached anyway.
    """
    return answers.arrivals(session, market, limit=None, as_of=answers.parse_as_of(as_of, _UTC))


@router.get("/leads", response_model=arrival_shapes.Leads, responses=problems_of(400, 404), tags=["trends"])
def list_leads(
    session: SessionDep,
    market: Annotated[str | None, Query(description="Pairs with this market only.", examples=["TW"])] = None,
    group: Annotated[
        str | None, Query(description=f"Topics: {', '.join(answers.GROUPS)}; all if left out.", examples=["all"])
    ] = None,
) -> Any:
    """Which market has trends first, pair by pair, with the median lag and its interval.

    Under 10 shared trends, or where chance or the hours of the day alone explain it, the answer is "no lead shown".
    """
    return answers.leads(session, market_code=market or None, group=group or None)


@router.get(
    "/trends/{id}/markets",
    response_model=trend_shapes.MarketsBeside,
    responses=problems_of(400, 404, 410),
    tags=["trends"],
)
def get_trend_markets(id: TrendPath, session: SessionDep, as_of: AsOfQuery = None, window: WindowQuery = None) -> Any:
    """A trend's key in every market over 56 days, with the moments at which it came on there."""
    return answers.trend_markets(session, id, answers.parse_as_of(as_of, _UTC), window)


@router.get("/matrix", response_model=trend_shapes.Matrix, responses=problems_of(400), tags=["trends"])
def get_matrix(
    session: SessionDep,
    by: Annotated[Literal["place", "topic"], Query(description="What the rows are.", examples=["place"])] = "place",
    place: Annotated[str | None, Query(description="A country: the places inside it.", examples=["JP"])] = None,
    window: Annotated[
        str | None, Query(description="Whole days, up to `35d`; `7d` if left out.", examples=["7d"])
    ] = None,
) -> Any:
    """Which audience talks about which place or topic: its share of the KOLs heard, against the 28 days before."""
    return answers.matrix(session, by=by, place=place or None, window=window)


@router.get("/coverage", response_model=coverage_shapes.Coverage, responses=problems_of(400, 404), tags=["operation"])
def get_coverage(
    session: SessionDep,
    market: Annotated[str | None, Query(description="One audience market only.", examples=["TW"])] = None,
) -> Any:
    """What each source gave each market, how fresh it is, what was set aside and what still waits."""
    return answers.coverage(session, market or None, now=datetime.now(UTC))


@router.get("/models/drift", response_model=coverage_shapes.Drift, responses=problems_of(400, 404), tags=["operation"])
def get_drift(
    session: SessionDep,
    market: Annotated[str | None, Query(description="One audience market only.", examples=["TW"])] = None,
) -> Any:
    """How far each market's last seven days lie from what the active topic model was trained on, measured nightly.

    Divergences are Jensen-Shannon's, in bits (0 the same, 1 nothing in common), beside what chance alone would give.
    Fewer than 200 posts answer `not_enough_posts`.
    """
    return answers.drift(session, market or None)


@router.get("/health", response_model=coverage_shapes.Health, responses=problems_of(400), tags=["operation"])
def get_health(session: SessionDep) -> Any:
    """How store, scheduler and jobs fare; `degraded` names the problems."""
    return answers.health(session, now=datetime.now(UTC))


@probes.get("/health/live")
@router.get("/health/live", response_model=coverage_shapes.Alive, responses=problems_of(400), tags=["operation"])
def get_liveness() -> Any:
    """Whether this process answers."""
    return {"status": "ok"}


@probes.get("/health/ready", response_model=coverage_shapes.Ready, response_model_exclude_none=True)
@router.get(
    "/health/ready", response_model=coverage_shapes.Ready, response_model_exclude_none=True, responses=problems_of(400),
    tags=["operation"],
)  # fmt: skip
def get_readiness(request: Request, session: SessionDep) -> Any:
    """Whether the store answers too; 503 as a problem where it does not. Where a replica is configured: who reads."""
    answers.health(session, now=datetime.now(UTC))
    return {"status": "ok", "reads": request.app.state.reads.told}


@router.post(
    "/posts",
    response_model=pushed_shapes.PushResult,
    responses=problems_of(400, 401, 409, 413, 422),
    tags=["operation"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/PushedPosts"},
                    "example": examples.PUSH,
                }
            },
        }
    },
)
@read_by(pushing.read_body)
def push_posts(
    request: Request,
    body: Annotated[Any, Body()],
    raw: Annotated[bytes, Depends(signing.raw_body)],
    writer: Writer,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Of your choice: the same batch under it again is answered as before.",
            examples=["2026-11-22T14-batch-7"],
        ),
    ] = None,
) -> Any:
    """Push up to 5,000 posts, as {"posts": [...]} or a bare list, of at most 10 MB.

    An upsert by (platform, native_id): the same batch again changes nothing, a changed text or count is changed here,
    `deleted: true` ends a post. Each item is answered for; a rejected one names its field and never stops the others.
    Under an `Idempotency-Key` the same body is answered as before for seven days, another one is refused (422). Where
    the operator set a secret, a push is signed as Standard Webhooks says (401 where it is not).
    Posts show in trends once the jobs have run. A simulated store takes no real posts (409).
    """
    now, secret = datetime.now(UTC), request.app.state.settings.push_secret
    if secret:
        signing.check_signature(signing.secrets_of(secret), request.headers, raw, now)
    key = signing.key_of(request.headers)
    content = "" if key is None else hashlib.sha256(raw).hexdigest()
    answer = pushing.push(request.app.state.engine, pushing.items_of(body), now, key=key, content=content, actor=writer)
    return Response(encode(answer), media_type="application/json")  # it has the shape, a thousand times


_UTC = ZoneInfo("UTC")

"""The routes of what lies behind the trends: keys, series, runs, models, and one topic."""

import re
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from radar import answers
from radar.api import resource_shapes as shapes
from radar.api.lists import ListRoute, pages_of
from radar.api.routes import AsOfQuery, MarketPath, problems_of
from radar.errors import UnknownName
from radar.gate import KeptModel, kept_models
from radar.markets import market as market_of
from radar.store.promotion import active_model, previous_model
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)])

KindQuery = Annotated[str | None, Query(description=f"One of {', '.join(answers.KINDS)}.", examples=["hashtag"])]
PlaceQuery = Annotated[str | None, Query(description="Only mentions about a place market.", examples=["JP"])]
Limit = Annotated[int, Query(ge=1, le=1000, description="Lines a page.", examples=[100])]


def _as_written(given: str) -> str:
    """A day as the description has it: a bare number would be read as seconds since 1970, a moment as its day."""
    if not _DAY.fullmatch(given):
        raise PydanticCustomError("date_parsing", "Input should be a valid date in the format YYYY-MM-DD")
    return given


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[date, BeforeValidator(_as_written)]
CursorQuery = Annotated[
    str | None, Query(description="`next` of the page before, with the same filters.", examples=["WyJhYjEyIiwgNDgxMl0"])
]


@router.get(
    "/markets/{market}/keys", response_model=shapes.KeyPage, responses=problems_of(400, 404, 410), tags=["trends"]
)
def list_keys(
    market: MarketPath,
    session: SessionDep,
    kind: KindQuery = None,
    key: Annotated[str | None, Query(description="One text only, of whatever kind.", examples=["大阪必買"])] = None,
    place: PlaceQuery = None,
    persons: Annotated[int, Query(ge=1, description="Person-days from which a key is listed.", examples=[3])] = 1,
    window: Annotated[
        str | None, Query(description="Whole days, up to `60d`; `7d` if left out.", examples=["7d"])
    ] = None,
    as_of: AsOfQuery = None,
    sort: Annotated[
        str | None,
        Query(
            description="One of persons, posts, engagement, days; `-` before it: descending. `-persons` if left out.",
            examples=["-posts"],
        ),
    ] = None,
    limit: Limit = 100,
    cursor: CursorQuery = None,
) -> Any:
    """Topics, hashtags, terms, places and products that a market's KOLs used in a window, whether they rose or not."""
    return answers.keys(
        session, market_code=market, kind=kind or None, key=key or None, place=place or None, persons=persons,
        window=window, as_of=answers.parse_as_of(as_of, market_of(market).tz), sort=sort, limit=limit, cursor=cursor,
    )  # fmt: skip


@router.get(
    "/markets/{market}/series", response_model=shapes.Series, responses=problems_of(400, 404, 410), tags=["trends"]
)
@pages_of(1000)
def get_series(
    market: MarketPath,
    session: SessionDep,
    kind: Annotated[str, Query(description=f"One of {', '.join(answers.KINDS)}.", examples=["topic"])],
    key: Annotated[
        str, Query(min_length=1, max_length=200, description="The text as counted.", examples=["shop.drugstore"])
    ],
    place: PlaceQuery = None,
    bucket: Annotated[
        str | None, Query(description=f"One of {', '.join(answers.BUCKETS)}; `1d` if left out.", examples=["1d"])
    ] = None,
    window: Annotated[
        str | None,
        Query(
            description="How far back from `as_of`: `56d` of days (up to 400d), `7d` of hours (31d), `2d` of quarters "
            "(7d).",
            examples=["28d"],
        ),
    ] = None,
    as_of: AsOfQuery = None,
) -> Any:
    """Counts of any key by bucket, with what its own past made us expect, and the usual range."""
    return answers.series(
        session, market_code=market, kind=kind, key=key, place=place or None, bucket=bucket or None,
        window=window or None, as_of=answers.parse_as_of(as_of, market_of(market).tz),
    )  # fmt: skip


@router.get("/topics/{id}", response_model=shapes.TopicTerms, responses=problems_of(400, 404), tags=["trends"])
def get_topic(
    id: Annotated[str, Path(description="A topic's id.", examples=["shop.drugstore"])], session: SessionDep
) -> Any:
    """One topic with its seed terms, and which audience speaks of it."""
    return answers.topic_terms(session, id)


@router.get("/markets/{market}/posts", response_model=shapes.PostPage, responses=problems_of(400, 404), tags=["trends"])
def list_posts(
    market: MarketPath,
    session: SessionDep,
    first: Annotated[
        Day | None, Query(description="Local days of the market from this one on.", examples=["2026-11-16"])
    ] = None,
    last: Annotated[Day | None, Query(description="Up to this one.", examples=["2026-11-22"])] = None,
    platform: Annotated[str | None, Query(description="One platform.", examples=["instagram"])] = None,
    source: Annotated[str | None, Query(description="One source, by its name.", examples=["sky"])] = None,
    language: Annotated[str | None, Query(description="As told of the post.", examples=["zh-Hant"])] = None,
    topic: Annotated[str | None, Query(description="A topic's id.", examples=["shop.drugstore"])] = None,
    sort: Annotated[
        str | None, Query(description="`-day` (if left out), or `day`: oldest first.", examples=["-day"])
    ] = None,
    limit: Limit = 100,
    cursor: CursorQuery = None,
) -> Any:
    """Every post of a market that was read and is still there, by local day."""
    return answers.posts(
        session, market, first=first, last=last, platform=platform or None, source=source or None,
        language=language or None, topic=topic or None, sort=sort, limit=limit, cursor=cursor,
    )  # fmt: skip


@router.get("/runs", response_model=shapes.RunPage, responses=problems_of(400), tags=["operation"])
def list_runs(
    session: SessionDep,
    job: Annotated[str | None, Query(description="One job only.", examples=["detect_trends"])] = None,
    outcome: Annotated[
        str | None, Query(description=f"One of {', '.join(answers.OUTCOMES)}.", examples=["failed"])
    ] = None,
    since: Annotated[
        str | None, Query(description="Runs that began then or later.", examples=["2026-11-22T00:00:00Z"])
    ] = None,
    sort: Annotated[
        str | None, Query(description="`-started_at` (if left out), or `started_at`.", examples=["-started_at"])
    ] = None,
    limit: Limit = 100,
    cursor: CursorQuery = None,
) -> Any:
    """What the jobs did: runs of the last 30 days."""
    return answers.runs(
        session, job=job or None, outcome=outcome or None, since=answers.parse_as_of(since, _UTC, name="since"),
        sort=sort, limit=limit, cursor=cursor,
    )  # fmt: skip


@router.get("/models", response_model=shapes.ModelPage, responses=problems_of(400), tags=["operation"])
def list_models(request: Request, session: SessionDep) -> Any:
    """The fitted topic models, the newest first, with their figures on the frozen posts and the gate's word."""
    active, before = active_model(session), previous_model(session)
    kept = kept_models(request.app.state.settings, active)
    return {"items": [_model(model, before) for model in kept], "next": None, "active": active}


@router.get("/models/{id}", response_model=shapes.ModelCard, responses=problems_of(400, 404), tags=["operation"])
def get_model(
    id: Annotated[str, Path(description="A model's id.", examples=["topics-b36f98f85e"])],
    request: Request,
    session: SessionDep,
) -> Any:
    """One model with its topics and their thresholds."""
    kept = kept_models(request.app.state.settings, active_model(session))
    found = next((model for model in kept if model.id == id), None)
    if found is None:
        raise UnknownName("model", id[:60], [model.id for model in kept])
    told = {name: found.manifest.get(name, []) for name in ("topic_ids", "thresholds")}
    return _model(found, previous_model(session)) | told


def _model(model: KeptModel, before: str | None) -> dict[str, Any]:
    made_of = model.manifest.get("made_of") or {}
    return {
        "id": model.id,
        "active": model.is_active,
        "previous": model.id == before,
        "fitted_at": model.fitted_at,
        "labels": model.manifest.get("posts"),
        "own_labels": made_of.get("own"),
        "weak_labels": made_of.get("weak"),
        "macro_f1_out_of_fold": model.manifest.get("metrics", {}).get("macro_f1_out_of_fold"),
        "frozen": asdict(model.frozen) if model.frozen else None,
        "passes_gate": model.passes,
    }


_UTC = ZoneInfo("UTC")

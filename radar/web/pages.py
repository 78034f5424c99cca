"""The pages: one a market, one a trend, one for what the radar rests on. The URL is the state."""

from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from radar import answers
from radar.alerts import lists
from radar.lead_lag import FEWEST
from radar.markets import MARKETS, market
from radar.web import (
    account_pages,
    alert_pages,
    chart_pages,
    curation_pages,
    kol_pages,
    options,
    overview_pages,
    partners_page,
    report_pages,
    words,
)
from radar.web.charts import draw_curve, draw_lanes
from radar.web.languages import COOKIE, LANGUAGES, Languages, say
from radar.web.path_drawing import draw_path
from radar.web.radar_drawing import draw_radar, sector_of
from radar.web.requests import FilterDep, SessionDep, only_known_parameters
from radar.web.view import HERE, address_here, note_address, page, static, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])


def mount_pages(app: FastAPI) -> None:
    """Add the pages and what they are drawn with."""
    for pages in (
        account_pages,
        alert_pages,
        chart_pages,
        curation_pages,
        overview_pages,
        kol_pages,
        partners_page,
        report_pages,
    ):
        app.include_router(pages.router)
    app.include_router(router)
    app.mount("/static", _Files(directory=HERE / "static"), name="static")
    app.add_middleware(Languages)


class _Files(StaticFiles):
    """Static files; one that is asked for by the print of its present content may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200 and scope["query_string"].decode("latin-1") == static(path).partition("?")[2]:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@router.get("/language")
def choose_language(to: str, back: Annotated[str, Query(max_length=2000)] = "/") -> Response:
    """Keep a reader's choice of language in a cookie, and go back to where they were: only to this host."""
    response = RedirectResponse(address_here(back), 303)
    if to in LANGUAGES:
        response.set_cookie(COOKIE, to, max_age=365 * 86_400, samesite="lax", httponly=True)
    return response


@router.get("/")
def home(session: SessionDep) -> Response:
    """The first market that has trends; a list of markets where none has."""
    found = answers.markets(session)
    first = next((line for line in found if line["trends"]), None)
    return RedirectResponse(f"/markets/{first['code']}", 302) if first else _markets(session, found)


@router.get("/markets")
def markets_page(session: SessionDep) -> Response:
    """Every market with what is known of it."""
    return _markets(session, answers.markets(session))


def _markets(session: Any, found: list[dict[str, Any]]) -> Response:
    world = answers.health(session, now=datetime.now(UTC))["world"]
    return page(
        "markets.html", lines=found, simulated=world == "simulated", here="markets", twin="/v1/markets",
        is_empty=not any(line["posts"] for line in found),
    )  # fmt: skip


@router.get("/markets.json")
def markets_twin() -> Response:
    return RedirectResponse("/v1/markets", 307)


@router.get("/markets/{code}.json")
def market_twin(code: str, request: Request, asked: FilterDep) -> Response:
    return RedirectResponse(url(f"/v1/markets/{code}/trends", **request.query_params), 307)


@router.get("/markets/{code}")
def market_page(code: str, session: SessionDep, asked: FilterDep) -> Response:
    """What one market starts to say: the radar, and the same as a list."""
    about = market(code)
    answer = answers.list_trends(session, **asked.for_answer(code))
    chosen = {
        "place": asked.place, "window": asked.window, "topic": asked.topic, "kind": asked.kind, "stage": asked.stage,
        "scope": asked.scope, "bucket": asked.bucket, "curated": asked.curated,
        "q": None if asked.q == 0.05 else asked.q, "lift": asked.lift,
        "as_of": asked.as_of, "limit": None if asked.limit == 20 else asked.limit,
    }  # fmt: skip
    trends = answer["items"]
    at = answer["as_of"].isoformat() if answer["as_of"] else None
    return page(
        "market.html",
        about=about,
        answer=answer,
        chosen=chosen,
        asked=asked,
        path=f"/markets/{about.code}",
        options=_options(asked.window, asked.place),
        window_words=words.window_words(asked.window or "7d"),
        drawing=draw_radar(trends),
        ahead=answers.ahead(session, [t["id"] for t in trends]),
        links={t["id"]: url(f"/trends/{t['id']}", as_of=at, window=asked.window) for t in trends},
        sectors={t["id"]: sector_of(t["topic"]["id"] if t["topic"] else None) for t in trends},
        simulated=answer["simulated"],
        here="trends",
        twin=url(f"/v1/markets/{about.code}/trends", **chosen, cursor=asked.cursor),
    )


def _options(window: str | None, place: str | None) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer, as (value, words)."""
    windows = {name: say(told) for name, told in words.WINDOWS.items()}
    if window:
        windows.setdefault(window, words.window_words(window))
    return {
        "place": options.places(place),
        "window": list(windows.items()),
        "topic": options.topics(),
        "kind": options.named(answers.KINDS),
        "stage": options.named(answers.STAGES),
        "scope": [(name, say(told)) for name, told in words.SCOPES.items()],
        "bucket": [(name, say(told)) for name, told in words.BUCKETS.items()],
    }


@router.get("/trends/{id}.json")
def trend_twin(id: str, as_of: str | None = None, window: str | None = None) -> Response:
    return RedirectResponse(url(f"/v1/trends/{id}", as_of=as_of, window=window), 307)


@router.get("/trends/{id}")
def trend_page(id: str, session: SessionDep, as_of: str | None = None, window: str | None = None) -> Response:
    """One trend with its working."""
    at = answers.parse_as_of(as_of, ZoneInfo("UTC"))
    found = answers.trend_working(session, id, at, window)
    beside = answers.trend_markets(session, id, at, window)
    path = answers.path(session, found["id"])
    chosen = {"as_of": as_of, "window": window}
    return page(
        "trend.html",
        trend=found,
        about=MARKETS[found["market"]],
        drawing=draw_curve(found["curve"], found["window"]),
        beside=beside,
        lanes=draw_lanes(beside),
        path=path,
        way=draw_path(path["items"], path["expected"], found["as_of"]),
        carriers=_carriers(session, id, at, window),
        chosen=chosen,
        watched=lists.lists_of_trend(session, found),
        watch_default=lists.DEFAULT,
        simulated=found["simulated"],
        here="trends",
        twin=url(f"/v1/trends/{id}", **chosen),
    )


def _carriers(session: Session, trend: str, as_of: datetime | None, window: str | None) -> dict[str, Any]:
    """Those who came first, and the three who earned most, by their first post."""
    found = answers.trend_authors(session, trend, as_of, window, limit=12)
    there = {line["author"]["id"] for line in found["items"]}
    if len(there) < found["persons"]:
        most = answers.trend_authors(session, trend, as_of, window, order="engagement", limit=3)["items"]
        more = [line for line in most if line["engagement_rank"] and line["author"]["id"] not in there]
        found["items"] += sorted(more, key=lambda line: line["first_post_at"])
    return found


@router.get("/arrivals")
def arrivals_home(session: SessionDep) -> Response:
    """Arrivals of the first market that has trends."""
    found = answers.markets(session)
    first = next((line["code"] for line in found if line["trends"]), next(iter(MARKETS)))
    return RedirectResponse(f"/markets/{first}/arrivals", 302)


@router.get("/markets/{code}/arrivals.json")
def arrivals_twin(code: str) -> Response:
    return RedirectResponse(url(f"/v1/markets/{code}/arrivals"), 307)


@router.get("/markets/{code}/arrivals")
def arrivals_page(code: str, session: SessionDep, group: str | None = None) -> Response:
    """What is expected in a market, and which markets have trends before which."""
    about = market(code)
    answer = answers.arrivals(session, code, limit=50)
    return page(
        "arrivals.html", about=about, answer=answer, table=answers.leads(session, group=group), groups=answers.GROUPS,
        fewest_shared=FEWEST, simulated=answer["simulated"], here="arrivals",
        twin=url(f"/v1/markets/{about.code}/arrivals"),
    )  # fmt: skip


@router.get("/coverage")
def coverage_page(session: SessionDep, market: str | None = None) -> Response:
    """What the radar rests on: sources, freshness, what waits, how the jobs fare."""
    found = answers.coverage(session, market or None, now=datetime.now(UTC))
    return page(
        "coverage.html", answer=found, simulated=found["simulated"], here="coverage",
        twin=url("/v1/coverage", market=market),
    )  # fmt: skip


@router.get("/coverage.json")
def coverage_twin(market: str | None = None) -> Response:
    return RedirectResponse(url("/v1/coverage", market=market), 307)

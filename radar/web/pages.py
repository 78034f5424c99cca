"""The pages: one a market, one a trend, one for what the radar rests on. The URL is the state."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import jinja2
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response

from radar import answers
from radar.answers.names import place_name
from radar.markets import MARKETS, PLACE_NUMBERS, market
from radar.web.charts import HEIGHT, WIDTH, draw_curve, draw_lanes, spark_lines
from radar.web.requests import FilterDep, SessionDep, only_known_parameters

_HERE = Path(__file__).parent
_WINDOWS = {"24h": "24 hours", "3d": "3 days", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
_BUCKETS = {"1h": "hour", "1d": "day", "15m": "quarter hour (for alerts)"}
_SCOPES = {"travel_shopping": "travel and shopping", "all": "everything"}

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters)])


def mount_pages(app: FastAPI) -> None:
    """Add the pages and what they are drawn with."""
    from radar.web import kol_pages  # they are drawn with what is here

    app.include_router(router)
    app.include_router(kol_pages.router)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")


# ---- words ----


def _local(at: datetime | None, zone: str = "UTC", with_year: bool = False) -> str:
    """An instant as a market's people read it."""
    if at is None:
        return "—"
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y, %H:%M}" if with_year else f"{local.day} {local:%b, %H:%M}"


def _in_a_sentence(name: str) -> str:
    """A country's name as a sentence takes it.

    >>> _in_a_sentence("United States"), _in_a_sentence("Japan")
    ('the United States', 'Japan')
    """
    return f"the {name}" if name.startswith("United ") or name == "Philippines" else name


def _day(at: datetime, zone: str) -> str:
    """The local day of an instant."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b}"


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _span(seconds: int) -> str:
    """A length of time in its largest unit.

    >>> _span(59), _span(7300), _span(200_000)
    ('59 s', '2 h', '2 d')
    """
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:,} {unit}"
    return f"{seconds} s"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.0f} %"


def _small(value: float) -> str:
    """A probability short enough for a table.

    >>> _small(0.0312), _small(0.00000021)
    ('0.031', '2.1e-07')
    """
    return f"{value:.2g}" if value >= 1e-3 or value == 0 else f"{value:.1e}"


def _percent(value: float | None) -> str:
    """A rate with its decimals.

    >>> _percent(0.0342), _percent(None)
    ('3.42 %', '—')
    """
    return "—" if value is None else f"{100 * value:.3g} %"


def _measured(value: float | None, name: str) -> str:
    """A measure of a KOL as people read it: a rate as a percentage, others as numbers."""
    return ("—" if value is None else f"{value:.2f}") if name in ("posts_per_week", "early") else _percent(value)


def _count(value: float | None) -> str:
    return "hidden" if value is None else f"{value:,.0f}"


def _web_address(url: str | None) -> str | None:
    """A link a browser may follow: never javascript: or data:."""
    return url if url and url.lower().startswith(("https://", "http://")) else None


def url(path: str, **query: Any) -> str:
    """An address with what is set of a query."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return quote(path, safe="/:") + (f"?{urlencode(given)}" if given else "")


_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)  # fmt: skip
_templates.filters |= {
    "local": _local, "city": _city, "span": _span, "share": _share, "small": _small, "count": _count,
    "web_address": _web_address, "spark_lines": spark_lines,
    "at_least": answers.at_least, "day": _day, "in_a_sentence": _in_a_sentence,
    "place_name": place_name, "iso": datetime.isoformat, "percent": _percent, "measured": _measured,
}  # fmt: skip
_templates.globals |= {"url": url, "curve_size": (WIDTH, HEIGHT), "markets": MARKETS}


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(name).render(values), status)


def error_page(request: Request, problem: dict[str, Any]) -> Response:
    """A problem for people."""
    return page("error.html", problem["status"], problem=problem, simulated=False, here="", twin=None)


# ---- pages ----


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
    """What one market starts to say."""
    about = market(code)
    answer = answers.list_trends(session, **asked.for_answer(code))
    chosen = {
        "place": asked.place, "window": asked.window, "topic": asked.topic, "kind": asked.kind, "stage": asked.stage,
        "scope": asked.scope, "bucket": asked.bucket, "q": None if asked.q == 0.05 else asked.q, "lift": asked.lift,
        "as_of": asked.as_of, "limit": None if asked.limit == 20 else asked.limit,
    }  # fmt: skip
    return page(
        "market.html",
        about=about,
        answer=answer,
        chosen=chosen,
        asked=asked,
        path=f"/markets/{about.code}",
        options=_options(asked.window),
        window_words=_WINDOWS.get(asked.window or "7d", asked.window),
        simulated=answer["simulated"],
        here="trends",
        twin=url(f"/v1/markets/{about.code}/trends", **chosen, cursor=asked.cursor),
    )


def _options(window: str | None) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer, as (value, words)."""
    windows = _WINDOWS if window in (None, "", *_WINDOWS) else _WINDOWS | {str(window): str(window)}
    return {
        "place": sorted(((code, place_name(code)) for code in PLACE_NUMBERS), key=lambda option: option[1]),
        "window": list(windows.items()),
        "topic": [(t["id"], f"{t['group']}: {t['name']}") for t in answers.topics()],
        "kind": [(name, f"{name}s") for name in answers.KINDS],
        "stage": [(name, name.replace("_", " ")) for name in answers.STAGES],
        "scope": list(_SCOPES.items()),
        "bucket": list(_BUCKETS.items()),
    }


@router.get("/trends/{id}.json")
def trend_twin(id: str, as_of: str | None = None, window: str | None = None) -> Response:
    return RedirectResponse(url(f"/v1/trends/{id}", as_of=as_of, window=window), 307)


@router.get("/trends/{id}")
def trend_page(id: str, session: SessionDep, as_of: str | None = None, window: str | None = None) -> Response:
    """One trend with its working."""
    found = answers.trend_working(session, id, answers.parse_as_of(as_of, ZoneInfo("UTC")), window)
    chosen = {"as_of": as_of, "window": window}
    return page(
        "trend.html",
        trend=found,
        about=MARKETS[found["market"]],
        drawing=draw_curve(found["curve"], found["window"]),
        path=(path := answers.path(session, found["id"])),
        lanes=draw_lanes(path["items"], path["expected"], found["as_of"]),
        chosen=chosen,
        simulated=found["simulated"],
        here="trends",
        twin=url(f"/v1/trends/{id}", **chosen),
    )


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
        simulated=answer["simulated"], here="arrivals", twin=url(f"/v1/markets/{about.code}/arrivals"),
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

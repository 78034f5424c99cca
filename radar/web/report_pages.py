"""The pages of weekly reports: which there are, one of them, and its files."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, RedirectResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from radar.markets import MARKETS, market, market_pairs
from radar.reports import FORMS, kept_reports, last_weeks, pair_report
from radar.reports.keeping import kept_file
from radar.store.engine import world_of
from radar.web import options
from radar.web.languages import LANGUAGES, language
from radar.web.report_files import MEDIA
from radar.web.report_words import report_title, write_report
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import note_address, page, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])
WEEKS = 13
"""Weeks that the form offers."""
_FIRST = ("TW", "JP")


def _form(chosen: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What the form offers, and what is chosen in it."""
    weeks = [week.name for week in last_weeks(MARKETS[chosen["market"]], now, WEEKS)]
    if chosen["week"] and chosen["week"] not in weeks:
        weeks.append(chosen["week"])
    return {
        "chosen": chosen, "options": {
            "market": options.markets(), "place": options.places(), "week": [(name, name) for name in weeks],
        },
    }  # fmt: skip


@router.get("/reports")
def reports_page(
    request: Request, session: SessionDep, market: str | None = None, place: str | None = None,
    week: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:  # fmt: skip
    """Which reports are kept, the pairs that are made by schedule, and a form for any other."""
    if market and place:
        return RedirectResponse(url(f"/reports/{market}/{place}" + (f"/{week}" if week else "")), 303)
    settings, now = request.app.state.settings, datetime.now(UTC)
    kept = [
        {
            "title": report_title(one.market, one.place, one.week),
            "path": f"/reports/{one.market}/{one.place}/{one.week}",
            "files": f"/reports/files/{one.market}/{one.place}/{one.week}", "names": _by_language(one.files),
        }
        for one in kept_reports(settings.data_dir)
    ]  # fmt: skip
    pairs = market_pairs(settings.reports)
    made = [
        {
            "title": report_title(code, about, last_weeks(MARKETS[code], now, 1)[0].name),
            "path": f"/reports/{code}/{about}",
        }
        for code, about in pairs
    ]  # fmt: skip
    first = pairs[0] if pairs else _FIRST
    return page(
        "reports.html", kept=kept, made=made, **_form({"market": first[0], "place": first[1], "week": None}, now),
        simulated=world_of(session) == "simulated", here="reports", twin="/v1/reports",
    )  # fmt: skip


def _by_language(files: list[str]) -> list[tuple[str, str, list[str]]]:
    """(code, name, files) of each language."""
    found = [(code, about.name, [f"{code}.{form}" for form in FORMS]) for code, about in LANGUAGES.items()]
    return [(code, name, [f for f in names if f in files]) for code, name, names in found if f"{code}.md" in files]


@router.get("/reports.json")
def reports_twin() -> Response:
    return RedirectResponse("/v1/reports", 307)


@router.get("/reports/files/{code}/{place}/{week}/{name}")
def kept_download(code: str, place: str, week: str, name: str, request: Request) -> Response:
    """A file of a kept report."""
    file = kept_file(request.app.state.settings.data_dir, code, place, week, name)
    media = MEDIA[file.suffix.removeprefix(".")]
    return FileResponse(file, media_type=media, filename=f"radar-{code}-{place}-{week}.{name}")


@router.get("/reports/{code}/{place}")
def newest_report(code: str, place: str, request: Request, session: SessionDep) -> Response:
    """The report of the last complete week."""
    return _report(request, session, code, place, None)


@router.get("/reports/{code}/{place}/{week}")
def report_page(code: str, place: str, week: str, request: Request, session: SessionDep) -> Response:
    """A week's report."""
    return _report(request, session, code, place, week)


def _report(request: Request, session: Session, code: str, place: str, week: str | None) -> Response:
    settings, now = request.app.state.settings, datetime.now(UTC)
    about = market(code)
    report = pair_report(session, code, place, week, now=now, kept_days=settings.snapshot_days)
    path = f"/reports/{about.code}/{report['place']}/{report['week']}"
    chosen = {name: report[name] for name in ("market", "place", "week")}
    files = [(form, url(f"/v1{path}", format=form, language=language())) for form in FORMS]
    return page(
        "report.html", document=write_report(report), files=files, **_form(chosen, now),
        simulated=report["simulated"], here="reports", twin=url(f"/v1{path}", format="json"),
    )  # fmt: skip

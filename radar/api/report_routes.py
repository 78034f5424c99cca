"""The routes of weekly reports: which are kept, and one of any pair and week in four forms and five languages."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.responses import Response

from radar.api import report_shapes
from radar.api.lists import ListRoute
from radar.api.routes import MarketPath, problems_of
from radar.markets import market_pairs
from radar.reports import kept_reports, pair_report
from radar.store.engine import world_of
from radar.web.languages import language as spoken
from radar.web.letters import public_base
from radar.web.report_files import MEDIA, content_policy, write_file
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)], tags=["reports"])
_FORMS = {media.partition(";")[0]: form for form, media in MEDIA.items()}
_FILES: dict[str, Any] = {name: {"schema": {"type": "string"}} for name in _FORMS if name != "application/json"}

_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"description": "The report", "content": _FILES}}
_ANSWERS |= problems_of(400, 404)


def form_of(accepted: str) -> str:
    """The form that an Accept header asks for first; JSON where it asks for none of them.

    >>> form_of("text/html;q=0.5, application/pdf"), form_of("*/*"), form_of("text/markdown")
    ('pdf', 'json', 'md')
    """
    asked = []
    for n, part in enumerate(accepted.split(",")):
        name, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=") or 1) if rest.strip().startswith("q=") else 1.0
        except ValueError:
            continue
        if name.strip().lower() in _FORMS and weight > 0:
            asked.append((-weight, n, _FORMS[name.strip().lower()]))
    return min(asked)[2] if asked else "json"


@router.get("/reports", response_model=report_shapes.ReportList, responses=problems_of(400))
def list_reports(request: Request, session: SessionDep) -> Any:
    """The reports that are kept as files, and the pairs that are made every Monday; any other is made when asked for.

    Files are at `/reports/files/{market}/{place}/{week}/{name}`.
    """
    settings = request.app.state.settings
    return {
        "items": [kept._asdict() for kept in kept_reports(settings.data_dir)], "next": None,
        "scheduled": [{"market": code, "place": place} for code, place in market_pairs(settings.reports)],
        "simulated": world_of(session) == "simulated",
    }  # fmt: skip


@router.get(
    "/reports/{market}/{place}/{week}",
    response_model=report_shapes.Report,
    responses=_ANSWERS,
)
def get_report(
    market: MarketPath,
    place: Annotated[str, Path(description="Country that it is about.", examples=["JP"])],
    week: Annotated[str, Path(description="ISO week, or `latest`: the last complete one.", examples=["2026-W47"])],
    request: Request,
    session: SessionDep,
    accept: Annotated[
        str, Header(description="JSON, text/markdown, text/html or application/pdf.", examples=["application/pdf"])
    ] = "*/*",
    format: Annotated[
        Literal["json", "md", "html", "pdf"] | None, Query(description="Goes before `Accept`.", examples=["pdf"])
    ] = None,
    language: Annotated[
        Literal["en", "zh-Hant", "ja", "ko", "th"] | None,
        Query(
            description="Of words; else as `Accept-Language` says. JSON has no words but the API's.", examples=["ja"]
        ),
    ] = None,
) -> Any:
    """One market about one place in an ISO week, as of its end: platforms, trends, places, products, topics, who led,
    what is expected next, methods and what is missing.

    A week that is not over, or of which nothing is stored, is 404. HTML and PDF need nothing else; a PDF whose script
    has no font here is 503 with what to install.
    """
    settings = request.app.state.settings
    asked = None if week == "latest" else week
    now = datetime.now(UTC)
    report = pair_report(session, market, place, asked, now=now, kept_days=settings.snapshot_days)
    form = format or form_of(accept)
    if form == "json":
        return report
    content = write_file(report, language or spoken(), form, public_base(settings))
    name = f"radar-{report['market']}-{report['place']}-{report['week']}.{form}"
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Vary": "Accept, Accept-Language"}
    if form == "html":
        headers["Content-Security-Policy"] = content_policy()
    return Response(content, media_type=MEDIA[form], headers=headers)

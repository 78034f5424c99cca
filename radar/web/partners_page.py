"""The page of partners: a brief as a GET form, and who fits it."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from radar import answers
from radar.answers.partners import stored
from radar.errors import CallerError
from radar.markets import MARKETS
from radar.partners.brief import TIERS
from radar.web import options
from radar.web.briefs import BriefQuery, BriefQueryDep, scorer_of
from radar.web.languages import say
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import note_address, page, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])
_ON_FORM = ("text", "from", "to", "topics", "products", "platforms", "tiers", "budget")


@router.get("/partners.json")
def partners_twin(request: Request, query: BriefQueryDep) -> Response:
    return RedirectResponse(url("/v1/partners", **request.query_params), 307)


@router.get("/partners")
def partners_page(request: Request, session: SessionDep, query: BriefQueryDep) -> Response:
    """Who fits a brief; a brief that cannot be ranked stays in the form, with what to change."""
    chosen = query.given()
    answer, problem, status = None, None, 200
    if chosen:
        try:
            answer = answers.partners(
                session, query.asked(), now=datetime.now(UTC), scorer=lambda: scorer_of(request.app, session),
                settings=request.app.state.settings,
            )  # fmt: skip
        except CallerError as error:
            status = error.status
            title = say("Say a little more") if status == 422 else say("That cannot be ranked")
            problem = {"title": title, "detail": error.message, "hint": error.hint}
    known = stored(session)
    about = MARKETS.get((query.to or "").upper())
    return page(
        "partners.html",
        status,
        answer=answer,
        problem=problem,
        chosen=dict.fromkeys(_ON_FORM) | chosen,
        kept={name: value for name, value in chosen.items() if name not in _ON_FORM},
        options=_options(query, known["platforms"]),
        zone=about.zone if about else "UTC",
        simulated=known["simulated"],
        here="partners",
        twin=url("/v1/partners", **chosen) if chosen else None,
    )


def _options(query: BriefQuery, platforms: list[str]) -> dict[str, list[tuple[str, str]]]:
    """What the form offers, as (value, words); a list of several that an address gave stays one of the choices."""
    offered: dict[str, list[tuple[str, str]]] = {
        "place": options.places(),
        "market": options.markets(),
        "topic": options.topics(),
        "platform": [(name, name) for name in platforms],
        "tier": options.named(TIERS),
    }
    for name, given in (("topic", query.topics), ("platform", query.platforms), ("tier", query.tiers)):
        if given and given not in dict(offered[name]):
            offered[name].append((given, given))
    return offered

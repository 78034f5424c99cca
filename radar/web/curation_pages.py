"""The pages of editors and of tracked keys; their forms write and lead back to what they changed."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from radar import answers, charts, curating, tracked
from radar.errors import CallerError, UnknownName
from radar.web import options, words
from radar.web.actors import who_asks
from radar.web.chart_pages import drawn
from radar.web.forms import fields
from radar.web.languages import LANGUAGES, say
from radar.web.navigation import N_
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import note_address, page, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])

FieldsDep = Annotated[dict[str, str], Depends(fields)]
WhoDep = Annotated[str, Depends(who_asks)]
KIND_WORDS = {
    "brand": N_("brand"), "product": N_("product"), "competitor": N_("competitor"), "place": N_("place"),
}  # fmt: skip
_FORM_LANGUAGES = [code for code in LANGUAGES if code != "en"] + ["en"]


@router.post("/trends/{id}/curation")
def decide(id: str, request: Request, form: FieldsDep, who: WhoDep) -> Response:
    """Decide on a trend, and go back to its page."""
    scope = "key" if form.get("scope") == "key" and form.get("action") == "mute" else None
    action = form.get("action", "")
    curating.decide(
        request.app.state.engine, id, action, reason=form.get("reason", ""), who=who, now=datetime.now(UTC),
        name=form.get("name") if action == "rename" else None, scope=scope,
        into=_id(form.get("into", "")) if action == "merge" else None,
    )  # fmt: skip
    return RedirectResponse(f"{url(f'/trends/{id}')}#curation", 303)


def _id(text: str) -> str:
    """The id in a trend's address, or the id itself."""
    return text.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]


@router.post("/curation/{number}/undo")
def undo(number: int, request: Request, form: FieldsDep, who: WhoDep) -> Response:
    """Undo a decision, and go back to the trend or the log."""
    done = curating.undo(
        request.app.state.engine, who=who, now=datetime.now(UTC), number=number, reason=form.get("reason", "")
    )
    trend = done[0].episode_id
    return RedirectResponse(f"/trends/{answers.trend_id(trend)}#curation" if trend else "/curation", 303)


@router.get("/curation")
def curation_page(session: SessionDep, market: str | None = None, cursor: str | None = None) -> Response:
    """What editors decided, and why."""
    found = answers.curation_log(session, market_code=market or None, cursor=cursor or None)
    return page(
        "curation.html", answer=found, chosen=market, options=options.markets(),
        simulated=answers.health(session, now=datetime.now(UTC))["world"] == "simulated", here="tracked",
        twin=url("/v1/curation", market=market, cursor=cursor),
    )  # fmt: skip


@router.get("/curation.json")
def curation_twin(market: str | None = None, cursor: str | None = None) -> Response:
    return RedirectResponse(url("/v1/curation", market=market, cursor=cursor), 307)


# ---- tracked keys ----


@router.get("/tracked")
def tracked_page(
    session: SessionDep, group: str | None = None, market: str | None = None, window: str | None = None
) -> Response:
    """Keys of one's own, and the share of voice of a group."""
    voice = answers.share_of_voice(session, group=group or None, market_code=market or None, window=window or None)
    chosen = {"group": voice["group"], "market": market, "window": window}
    return page(
        "tracked.html", answer=answers.tracked_keys(session), voice=voice, chosen=chosen, languages_of=_FORM_LANGUAGES,
        kinds=[(name, say(told)) for name, told in KIND_WORDS.items()], kind_words=KIND_WORDS,
        options={
            "group": [(name, name) for name in voice["groups"]], "market": options.markets(),
            "window": [(name, words.window_words(name)) for name in ("7d", "30d", "90d")],
        },
        simulated=voice["simulated"], here="tracked", twin=url("/v1/share-of-voice", **chosen),
    )  # fmt: skip


@router.get("/tracked.json")
def tracked_twin(group: str | None = None, market: str | None = None, window: str | None = None) -> Response:
    return RedirectResponse(url("/v1/share-of-voice", group=group, market=market, window=window), 307)


@router.get("/tracked/voice.{form}")
def voice_chart(
    form: Literal["json", "svg", "png"],
    session: SessionDep,
    group: str | None = None,
    market: str | None = None,
    window: str | None = None,
) -> Response:
    """The share of voice as Vega-Lite or a picture."""
    voice = answers.share_of_voice(session, group=group or None, market_code=market or None, window=window or None)
    try:
        chart = charts.voice_chart(voice, say=say, called=words.country, width="container" if form == "json" else 560)
    except ValueError:
        raise UnknownName("chart", (group or "")[:60], []) from None
    return drawn(chart, "share-of-voice", form)


@router.post("/tracked")
def add(request: Request, form: FieldsDep, who: WhoDep) -> Response:
    """Track another key, and go back to the page."""
    one = tracked.add(
        request.app.state.engine, name=form.get("name", ""), kind=form.get("kind", "brand"),
        group=form.get("group") or None, forms=_forms(form), who=who, now=datetime.now(UTC),
    )  # fmt: skip
    return RedirectResponse(url("/tracked", group=one.group_name), 303)


@router.post("/tracked/{number}")
def change(number: int, request: Request, form: FieldsDep) -> Response:
    """Change a tracked key, or track it no more; and go back to the page."""
    engine, now = request.app.state.engine, datetime.now(UTC)
    if form.get("do") == "remove":
        tracked.remove(engine, number, now=now)
        return RedirectResponse("/tracked", 303)
    if form.get("do") != "change":
        raise CallerError("do: it is neither change nor remove.", "Use the buttons of the page.")
    one = tracked.change(
        engine, number, kind=form.get("kind") or None, group=form.get("group") or None, forms=_forms(form), now=now
    )
    return RedirectResponse(url("/tracked", group=one.group_name), 303)


def _forms(form: dict[str, str]) -> list[tuple[str, str]]:
    """Forms by language, several by commas."""
    found: list[tuple[str, str]] = []
    for code in ("", *tracked.LANGUAGES):
        text = form.get(f"form-{code}", "").replace("、", ",").replace("，", ",")
        found += [(code, one.strip()) for one in text.split(",") if one.strip()]
    return found

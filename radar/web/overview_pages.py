"""Pages over all markets: which audience talks about which place, the topics, and the models behind them."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from radar import answers
from radar.gate import kept_models
from radar.markets import MARKETS, PLACE_NUMBERS
from radar.store.engine import world_of
from radar.store.promotion import active_model, previous_model
from radar.web import words
from radar.web.languages import say
from radar.web.radar_drawing import SECTORS, sector_of
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import note_address, page, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])
_WINDOWS = ("1d", "3d", "7d", "28d")


@router.get("/matrix")
def matrix_page(session: SessionDep, place: str | None = None, window: str | None = None) -> Response:
    """Which audience talks about which place: countries, or the places inside one."""
    found = answers.matrix(session, place=place or None, window=window or None)
    silent = [row["id"] for row in found["items"] if not any(c["share"] or c["trends"] for c in row["cells"])]
    options = sorted(((code, words.place(code)) for code in PLACE_NUMBERS), key=lambda option: option[1])
    return page(
        "matrix.html", answer=found, silent=silent, codes=list(MARKETS),
        options={"place": options, "window": _windows(window)},
        chosen={"place": found["place"], "window": window}, warmth=_warmth(found), simulated=found["simulated"],
        here="matrix", twin=url("/v1/matrix", place=place, window=window),
    )  # fmt: skip


@router.get("/matrix.json")
def matrix_twin(request: Request, place: str | None = None, window: str | None = None) -> Response:
    return RedirectResponse(url("/v1/matrix", **request.query_params), 307)


@router.get("/topics")
def topics_page(session: SessionDep, window: str | None = None) -> Response:
    """The topics, and how much each market talks of them."""
    found = answers.matrix(session, by="topic", window=window or None)
    order = [*SECTORS]
    groups = [(s, [row for row in found["items"] if sector_of(row["id"]) is s]) for s in order]
    definitions = {t["id"]: t["definition"] for t in answers.topics()}
    return page(
        "topics.html", answer=found, codes=list(MARKETS), groups=groups, definitions=definitions,
        options={"window": _windows(window)}, chosen={"window": window}, warmth=_warmth(found),
        simulated=found["simulated"], here="topics", twin=url("/v1/matrix", by="topic", window=window),
    )  # fmt: skip


@router.get("/topics.json")
def topics_twin() -> Response:
    return RedirectResponse("/v1/topics", 307)


def _windows(window: str | None) -> list[tuple[str, str]]:
    known = [*_WINDOWS, *([window] if window and window not in _WINDOWS else [])]
    return [(name, words.window_words(name)) for name in known]


def _warmth(found: dict[str, Any]) -> dict[tuple[str, str], int]:
    """How strongly each cell is shaded, 0 to 4, by its share within its market: the number stands in it too."""
    most = dict.fromkeys(MARKETS, 0.0)
    for row in found["items"]:
        for cell in row["cells"]:
            if not row["id"].startswith(cell["market"]):  # a market's own country would outshine all others
                most[cell["market"]] = max(most[cell["market"]], cell["share"] or 0.0)
    steps = (0.05, 0.2, 0.45, 0.75)
    return {
        (row["id"], cell["market"]): sum((cell["share"] or 0.0) >= step * most[cell["market"]] > 0 for step in steps)
        for row in found["items"]
        for cell in row["cells"]
        if not row["id"].startswith(cell["market"])
    }


@router.get("/models")
def models_page(request: Request, session: SessionDep, market: str | None = None) -> Response:
    """The fitted models, which one reads posts, and how far posts have drifted from it."""
    drift = answers.drift(session, market or None)
    active = active_model(session)
    return page(
        "models.html", models=kept_models(request.app.state.settings, active), active=active,
        previous=previous_model(session), drift=drift, made_of=say("%(own)s own, %(weak)s by seeds"),
        simulated=world_of(session) == "simulated", here="models", twin=url("/v1/models/drift", market=market),
    )  # fmt: skip


@router.get("/models.json")
def models_twin(market: str | None = None) -> Response:
    return RedirectResponse(url("/v1/models/drift", market=market), 307)

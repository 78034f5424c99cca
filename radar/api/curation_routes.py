"""The routes of editors and of those who track keys of their own."""

import csv
import io
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from radar import answers, curating, tracked
from radar.answers.curation import shown
from radar.answers.voice import tracked_shown
from radar.api import curation_shapes as shapes
from radar.api.lists import ListRoute
from radar.api.routes import TrendPath, problems_of
from radar.web.actors import who_asks
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(
    prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)], tags=["curation"]
)

WhoDep = Annotated[str, Depends(who_asks)]
NumberPath = Annotated[int, Path(ge=1, lt=2**63, examples=[7])]
MarketQuery = Annotated[str | None, Query(description="One audience market only.", examples=["TW"])]
GroupQuery = Annotated[
    str | None, Query(description="Group of tracked keys; the first if left out.", examples=["Drugstores"])
]
DaysQuery = Annotated[
    str | None, Query(description="Whole local days up to 400d; `30d` if left out.", examples=["30d"])
]
CSV_COLUMNS = (
    "group", "market", "first_day", "last_day", "name", "kind", "persons", "of_persons", "posts", "share", "low",
    "high", "mention_share", "status", "simulated",
)  # fmt: skip


@router.post("/trends/{id}/curation", response_model=shapes.Decisions, responses=problems_of(400, 403, 404))
def curate_trend(id: TrendPath, request: Request, who: WhoDep, body: shapes.DecisionWanted) -> Any:
    """Mute, hold back, rename or merge a trend, with a reason; its figures stay, and it can be undone."""
    done = curating.decide(
        request.app.state.engine, id, body.action, reason=body.reason, who=who, now=datetime.now(UTC), name=body.name,
        into=body.into, scope=body.scope,
    )  # fmt: skip
    return {"items": [shown(one) for one in done], "next": None}


@router.delete("/trends/{id}/curation", response_model=shapes.Decisions, responses=problems_of(400, 403, 404))
def uncurate_trend(
    id: TrendPath,
    request: Request,
    who: WhoDep,
    action: Annotated[
        Literal["mute", "hold", "rename", "merge"] | None, Query(description="Only of this kind.", examples=["mute"])
    ] = None,
) -> Any:
    """Undo what holds for a trend, and answer with that; the log keeps both."""
    done = curating.undo(request.app.state.engine, who=who, now=datetime.now(UTC), trend=id, action=action)
    return {"items": [shown(one) for one in done], "next": None}


@router.get("/curation", response_model=shapes.CurationLog, responses=problems_of(400, 404))
def list_curation(
    session: SessionDep,
    market: MarketQuery = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Rows a page.", examples=[50])] = 50,
    cursor: Annotated[str | None, Query(description="`next` of the page before.", examples=["120"])] = None,
) -> Any:
    """Every decision and undoing, newest first: who, when, why."""
    return answers.curation_log(session, market_code=market or None, limit=limit, cursor=cursor)


@router.delete("/curation/{number}", response_model=shapes.Decisions, responses=problems_of(400, 403, 404))
def undo_decision(number: NumberPath, request: Request, who: WhoDep) -> Any:
    """Undo one decision, also of a key whose trend is long gone."""
    done = curating.undo(request.app.state.engine, who=who, now=datetime.now(UTC), number=number)
    return {"items": [shown(one) for one in done], "next": None}


@router.get("/tracked-keys", response_model=shapes.TrackedKeys, responses=problems_of(400))
def list_tracked_keys(session: SessionDep) -> Any:
    """Keys of one's own, by group."""
    return answers.tracked_keys(session)


@router.post("/tracked-keys", response_model=shapes.TrackedKey, responses=problems_of(400, 403))
def add_tracked_key(request: Request, who: WhoDep, body: shapes.TrackedWanted) -> Any:
    """Track a brand, product, competitor or place, as written in several languages.

    New posts are read with it at once; stored ones are looked through by `sweep_tracked`, and the days then counted and
    detected anew.
    """
    forms = [(form.language or "", form.text) for form in body.forms]
    one = tracked.add(
        request.app.state.engine, name=body.name, kind=body.kind, group=body.group, forms=forms, who=who,
        now=datetime.now(UTC),
    )  # fmt: skip
    return tracked_shown(one)


@router.patch(
    "/tracked-keys/{number}", response_model=shapes.TrackedKey, responses=problems_of(400, 403, 404)
)  # fmt: skip
def change_tracked_key(number: NumberPath, request: Request, body: shapes.TrackedChange) -> Any:
    """Change kind, group or forms; other forms are looked for in stored posts too."""
    forms = None if body.forms is None else [(form.language or "", form.text) for form in body.forms]
    engine = request.app.state.engine
    one = tracked.change(engine, number, kind=body.kind, group=body.group, forms=forms, now=datetime.now(UTC))
    return tracked_shown(one)


@router.delete(
    "/tracked-keys/{number}", response_model=shapes.TrackedKey, responses=problems_of(400, 403, 404)
)  # fmt: skip
def remove_tracked_key(number: NumberPath, request: Request) -> Any:
    """Track a key no more; it leaves stored posts and counts with the next runs of the jobs."""
    return tracked_shown(tracked.remove(request.app.state.engine, number, now=datetime.now(UTC)))


@router.get("/share-of-voice", response_model=shapes.ShareOfVoice, responses=problems_of(400, 404))
def get_share_of_voice(
    session: SessionDep, group: GroupQuery = None, market: MarketQuery = None, window: DaysQuery = None
) -> Any:
    """Tracked keys of a group against each other, by market: distinct persons, share with its interval, posts.

    A share is of the persons who mention any of them. Under `fewest` such persons, no share is told. As CSV:
    `/v1/share-of-voice.csv`.
    """
    return answers.share_of_voice(session, group=group or None, market_code=market or None, window=window or None)


@router.get("/share-of-voice.csv", include_in_schema=False)
def export_share_of_voice(
    session: SessionDep, group: GroupQuery = None, market: MarketQuery = None, window: DaysQuery = None
) -> Response:
    """The same as CSV, in UTF-8 with a mark that spreadsheets know."""
    found = answers.share_of_voice(session, group=group or None, market_code=market or None, window=window or None)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([_cell(row[name]) for name in CSV_COLUMNS] for row in voice_rows(found))
    headers = {"Content-Disposition": 'attachment; filename="share-of-voice.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def voice_rows(found: "dict[str, Any]") -> "list[dict[str, Any]]":
    """A line a key and market."""
    return [
        line
        | {name: row[name] for name in ("market", "first_day", "last_day", "status")}
        | {"group": found["group"], "of_persons": row["persons"], "simulated": found["simulated"]}
        for row in found["items"]
        for line in row["keys"]
    ]


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value

"""The routes about KOLs: search, profile, comparison, lists, notes, and the rights of the listed."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.exceptions import HTTPException

from radar import rights
from radar.answers import kol as answers
from radar.api import examples, kol_shapes
from radar.api.lists import ListRoute
from radar.api.routes import problems_of
from radar.store import authors as store
from radar.store.engine import writing
from radar.web.kol_requests import AuthorFilterDep
from radar.web.requests import SessionDep, only_known_parameters

router = APIRouter(prefix="/v1", route_class=ListRoute, dependencies=[Depends(only_known_parameters)], tags=["KOLs"])

AuthorPath = Annotated[
    str, Path(description="A KOL's id, handle, or platform:handle.", examples=[examples.AUTHOR_LINE["id"]])
]
ListPath = Annotated[str, Path(description="A list's name.", examples=["shortlist"])]


@router.get("/authors", response_model=kol_shapes.AuthorPage, responses=problems_of(400, 404))
def list_authors(session: SessionDep, asked: AuthorFilterDep) -> Any:
    """KOLs by name, market, platform, tier, topic, place, engagement percentile and paid work; unknown values last."""
    return answers.list_authors(session, asked)


@router.get("/authors/compare", response_model=kol_shapes.AuthorComparison, responses=problems_of(400, 404))
def compare_authors(
    session: SessionDep,
    ids: Annotated[str, Query(description="Up to ten KOLs, separated by commas.", examples=["311,312"])],
) -> Any:
    """Up to ten KOLs side by side, each as its profile."""
    return answers.compare(session, [part for part in ids.split(",") if part.strip()])


@router.api_route("/authors/compare", methods=["PATCH", "DELETE"], include_in_schema=False)
def refuse_comparison() -> None:
    """No KOL has that name."""
    raise HTTPException(405, headers={"Allow": "GET"})


@router.get("/authors/{id}", response_model=kol_shapes.AuthorProfile, responses=problems_of(400, 404))
def get_author(id: AuthorPath, session: SessionDep) -> Any:
    """One KOL with every measure, its n and place among peers, and the posts and numbers that prove it."""
    return answers.author_profile(session, id)


def _target(request: Request, author_id: int) -> int:
    """Tell the audit log the author by its number: a handle would outlive an erasure."""
    request.state.target = f"author {author_id}"
    return author_id


@router.patch("/authors/{id}", response_model=kol_shapes.Done, responses=problems_of(400, 404))
def correct_author(id: AuthorPath, request: Request, session: SessionDep, body: kol_shapes.Correction) -> Any:
    """Correct what is stored of a KOL, hide it or show it again. Sources leave alone what was corrected."""
    author_id = _target(request, answers.find_author(session, id, hidden=True))
    session.rollback()
    given = body.model_dump(exclude_unset=True)
    hidden = given.pop("hidden", None)
    now, engine = datetime.now(UTC), request.app.state.engine
    done = []
    if given:
        rights.correct(engine, author_id, given, now=now)
        done.append("corrected " + ", ".join(sorted(given)))
    if hidden is not None:
        rights.hide(engine, author_id, now=now, hidden=hidden)
        done.append("hidden" if hidden else "shown again")
    return {"done": "; ".join(done) or "nothing was asked"}


@router.delete("/authors/{id}", response_model=kol_shapes.Done, responses=problems_of(400, 404))
def erase_author(id: AuthorPath, request: Request, session: SessionDep) -> Any:
    """Erase a KOL: posts, measures, evidence, notes, labels and what was set aside; refused from now on."""
    author_id = _target(request, answers.find_author(session, id, hidden=True))
    session.rollback()
    state = request.app.state
    gone = rights.erase(state.engine, state.settings.data_dir, author_id, now=datetime.now(UTC))
    return {"done": f"erased, with {gone.posts} posts, {gone.mentions} mentions and {gone.lines} lines of files"}


@router.post("/authors/{id}/notes", response_model=kol_shapes.Done, responses=problems_of(400, 404))
def add_note(id: AuthorPath, request: Request, session: SessionDep, body: kol_shapes.NoteText) -> Any:
    """Write a note on a KOL."""
    author_id = _target(request, answers.find_author(session, id))
    text = answers.checked_note(body.text)
    session.rollback()
    with writing(request.app.state.engine) as to, to.begin():
        note_id = store.add_note(to, author_id, text, datetime.now(UTC))
    return {"done": f"note {note_id}"}


@router.delete("/authors/{id}/notes/{note}", response_model=kol_shapes.Done, responses=problems_of(400, 404))
def drop_note(
    id: AuthorPath,
    note: Annotated[int, Path(ge=1, lt=2**63, description="A note's id.", examples=[7])],
    request: Request,
    session: SessionDep,
) -> Any:
    """Take a note away."""
    author_id = _target(request, answers.find_author(session, id))
    session.rollback()
    with writing(request.app.state.engine) as to, to.begin():
        was_there = store.drop_note(to, author_id, note)
    return {"done": f"note {note} is gone" if was_there else f"there was no note {note}"}


@router.get("/lists", response_model=kol_shapes.ListPage, responses=problems_of(400))
def list_lists(session: SessionDep) -> Any:
    """The named lists of KOLs; what is on one: /v1/authors?list=NAME."""
    return answers.shown_lists(session)


@router.post("/lists/{name}", response_model=kol_shapes.Done, responses=problems_of(400, 404))
def put_on_list(name: ListPath, request: Request, session: SessionDep, body: kol_shapes.ListMembers) -> Any:
    """Put KOLs on a list, which is made with the first of them."""
    ids = [answers.find_author(session, text) for text in body.authors]
    session.rollback()
    with writing(request.app.state.engine) as to, to.begin():
        store.put_on_list(to, answers.checked_name(name), ids, datetime.now(UTC))
    return {"done": f"{len(ids)} on {answers.checked_name(name)}"}


@router.delete("/lists/{name}", response_model=kol_shapes.Done, responses=problems_of(400, 404))
def take_off_list(
    name: ListPath,
    request: Request,
    session: SessionDep,
    author: Annotated[str | None, Query(description="One KOL only; else the whole list.", examples=["311"])] = None,
) -> Any:
    """Take a KOL off a list, or delete the list."""
    found = answers.list_named(session, name)
    author_id = answers.find_author(session, author) if author else None
    session.rollback()
    with writing(request.app.state.engine) as to, to.begin():
        if author_id is None:
            store.drop_list(to, found.id)
        else:
            store.take_off_list(to, found.id, [author_id])
    return {"done": f"{author} is off {name}" if author else f"{name} is gone"}

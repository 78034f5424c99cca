"""What API and pages share of a request: a session, the filters, and the names a query may hold."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar
from weakref import WeakKeyDictionary

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from radar.answers import CURATED, KINDS, SCOPES, STAGES, parse_as_of
from radar.answers.question import MAX_LIMIT, SORTS
from radar.errors import CallerError
from radar.markets import market
from radar.store.replica import Reads


class UnknownParameter(CallerError):
    """A query parameter that the address does not know, or one given twice."""

    slug = "unknown-parameter"

    def __init__(self, message: str, hint: str, near: list[str]) -> None:
        super().__init__(message, hint)
        self.near = near


_BY_REPLICA = re.compile(
    r"(/v1)?/(markets|topics|trends|matrix|leads|authors|kols|partners|share-of-voice|reports)([/.].*)?"
)
"""Addresses that a standby may answer: what jobs found. What people keep, and who they are, the primary knows."""


def session_for(request: Request, *, of_primary: bool = False) -> Session:
    """A session for the reads of a request, of the standby where that may answer it."""
    reads: Reads = request.app.state.reads
    return reads.session(of_primary=of_primary or _BY_REPLICA.fullmatch(request.scope["path"]) is None)


SEATS = 12
"""Requests that may have a session at a time: fewer than the store's engine has connections, and than there are threads
(`radar.api.app.THREADS`). Else those who wait for a connection hold every thread, and those who have one need a thread
to end."""
_seats: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def seat() -> AsyncIterator[None]:
    """Wait, in no thread, until few enough requests have a session."""
    async with _seats.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(SEATS)):
        yield


def open_session(request: Request, _seat: Annotated[None, Depends(seat)]) -> Iterator[Session]:
    """A session for reads, for one request."""
    with session_for(request) as session:
        yield session


SessionDep = Annotated[Session, Depends(open_session)]


async def only_known_parameters(request: Request) -> None:
    """Refuse query parameters that nobody reads: a misspelt filter must not answer as if there were none."""
    given = request.query_params.multi_items()
    if not given:
        return
    known = _known_names(request.scope["route"])
    for name, _ in given:
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.5)
            hint = f"Did you mean: {', '.join(near)}?" if near else _known_hint(known)
            raise UnknownParameter(f"There is no query parameter '{name[:60]}' here.", hint, near or known)
    nul = next((name for name, value in given if "\x00" in value), None)
    if nul:
        raise CallerError(f"{nul}: it holds a NUL character.", "Send text.")
    names = [name for name, _ in given]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UnknownParameter(f"The query parameter '{twice}' is given twice.", "Give it once.", [twice])


def _known_names(route: APIRoute) -> list[str]:
    """Worked out once a route."""
    known: list[str] = route.__dict__.setdefault("_radar_known", [])
    if not known:
        known += sorted(_query_names(route.dependant))
    return known


def _known_hint(known: list[str]) -> str:
    return f"Known: {', '.join(known)}." if known else "This address takes none."


def _query_names(dependant: Dependant) -> set[str]:
    names = {field.alias for field in dependant.query_params}
    for inner in dependant.dependencies:
        names |= _query_names(inner)
    return names


@dataclass(frozen=True, slots=True)
class Filters:
    """The query of a list of trends, as it came."""

    MOST: ClassVar[int] = MAX_LIMIT
    """Lines of a page."""

    place: str | None
    topic: str | None
    kind: str | None
    stage: str | None
    window: str | None
    scope: str | None
    bucket: str | None
    q: float
    lift: float | None
    sort: str | None
    as_of: str | None
    limit: int
    cursor: str | None
    curated: str | None = None

    def for_answer(self, market_code: str) -> dict[str, Any]:
        """Arguments of `list_trends`. Raises CallerError for a moment that is none, UnknownName for a market."""
        return asdict(self) | {"market": market_code, "as_of": parse_as_of(self.as_of, market(market_code).tz)}


def _one_of(names: tuple[str, ...]) -> str:
    return f"One of: {', '.join(names)}."


async def filters(
    place: Annotated[
        str | None,
        Query(
            description="Place market (`JP`), or a narrower place: a subdivision (`JP-27`) or a point (`JP:namba`), "
            "for trends of that very place.",
            examples=["JP"],
        ),
    ] = None,
    topic: Annotated[str | None, Query(description="Topic id; see `/v1/topics`.", examples=["shop.drugstore"])] = None,
    kind: Annotated[str | None, Query(description=f"Kind of key. {_one_of(KINDS)}", examples=["hashtag"])] = None,
    stage: Annotated[
        str | None, Query(description=f"Stage as of `as_of`. {_one_of(STAGES)}", examples=["rising"])
    ] = None,
    window: Annotated[
        str | None,
        Query(description="How far to look back: `24h`, `3d`, `7d`, `30d`; `7d` if left out.", examples=["7d"]),
    ] = None,
    scope: Annotated[
        str | None,
        Query(
            description=f"{_one_of(SCOPES)} `travel_shopping` shows trends that have a topic, those about another "
            "market first; `all` shows everything by score.",
            examples=["travel_shopping"],
        ),
    ] = None,
    bucket: Annotated[
        str | None,
        Query(
            description="Only trends found by the hour (`1h`) or by the day (`1d`), both if left out; or by "
            "the quarter hour (`15m`): for alerts, of the last two to four weeks, never in the same list.",
            examples=["1h"],
        ),
    ] = None,
    q: Annotated[
        float, Query(gt=0, le=1, description="Share of chance finds accepted, over many lists.", examples=[0.05])
    ] = 0.05,
    lift: Annotated[float | None, Query(ge=0, description="Smallest `lift` to show.", examples=[2.0])] = None,
    sort: Annotated[
        str | None,
        Query(
            description=f"One of {', '.join(SORTS)}; `-` before it for descending. `rank` if left out.",
            examples=["-persons"],
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        Query(
            description="Moment to look back from: ISO 8601 with its zone, or a local day, whose end is meant. If left "
            "out: the newest that the market's trends or counts know, not the wall clock.",
            examples=["2026-11-22T14:00:00Z"],
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="Lines a page.", examples=[20])] = 20,
    cursor: Annotated[
        str | None,
        Query(
            description="`next` of the page before, with the same filters; it keeps that page's `as_of`.",
            examples=["WzE3OTU3MDg4MDAuMCwxXQ"],
        ),
    ] = None,
    curated: Annotated[
        str | None,
        Query(
            description=f"{_one_of(CURATED)} `shown` leaves out what editors muted or hold back and lists merged "
            "trends as variants; `all` shows every line, with what was decided.",
            examples=["shown"],
        ),
    ] = None,
) -> Filters:
    """The filters of a list of trends."""
    return Filters(
        place, topic, kind, stage, window, scope, bucket, q, lift, sort, as_of, limit, cursor, curated
    )  # fmt: skip


FilterDep = Annotated[Filters, Depends(filters)]

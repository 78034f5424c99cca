"""What every list of the API can do, in one place: five forms, pages, a choice of fields, an order.

A route of a router with `route_class=ListRoute` whose answer is `{"items": [...], "next": ...}` gets the query
parameters `format` and `fields`, and is streamed as a table page by page. A list that pages itself (its endpoint takes
`cursor`) is asked for page after page, each in a session of its own; one that is made whole is sorted and cut here, by
`sort`, `limit` and `cursor`. An endpoint's session is opened here, in the thread that needs it.
"""

import inspect
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Annotated, Any, TypeVar, get_args, get_origin

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from radar.api import paging, tables
from radar.api.answered import FLEETING, is_by_trends
from radar.api.columns import Column, columns_of, line_of, rows_of
from radar.api.forms import MEDIA, Form
from radar.api.shown import MOST, Shown, shown_by
from radar.web.requests import session_for

F = TypeVar("F", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_LENGTH, _READER = "_radar_page", "_radar_reader"
AT_ONCE = 1_000
"""Lines a page where the whole list is wanted and its endpoint allows as many."""


def pages_of(length: int) -> Callable[[F], F]:
    """Say how long a page of a list that is made whole is where nobody says."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _LENGTH, length)
        return endpoint

    return mark


def read_by(read: Callable[[bytes], Any]) -> Callable[[F], F]:
    """Say what reads the JSON of a body that takes its time: in a thread, while the others are answered."""

    def mark(endpoint: F) -> F:
        setattr(endpoint, _READER, read)
        return endpoint

    return mark


class ListRoute(APIRoute):
    """A route that, where it answers with a list, does with it what every list can do."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        shape = line_of(more.get("response_model"))
        if shape is not None and more.get("methods") in ({"GET"}, ["GET"]):
            listing = Listing(endpoint, more["response_model"], shape)
            endpoint = listing.as_endpoint()
            more["responses"] = listing.responses() | (more.get("responses") or {})
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> Handler:
        plain = super().get_route_handler()
        read: Callable[[bytes], Any] | None = getattr(self.endpoint, _READER, None)
        return plain if read is None else _reading(plain, read)


def _reading(plain: Handler, read: Callable[[bytes], Any]) -> Handler:
    class Read(Request):
        async def json(self) -> Any:
            return await run_in_threadpool(read, await self.body())

    async def handle(request: Request) -> Response:
        return await plain(Read(request.scope, request.receive))

    return handle


@dataclass(frozen=True)
class Listing:
    """A list: what gives it, the shape of its answer and of its lines."""

    endpoint: Callable[..., Any]
    page: type[BaseModel]
    line: type[BaseModel]

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.endpoint, eval_str=True).parameters

    @cached_property
    def session(self) -> str | None:
        """The parameter that takes the session."""
        return next((name for name, p in self.parameters.items() if _type(p) is Session), None)

    @cached_property
    def asked(self) -> str | None:
        """The parameter that holds limit and cursor of a list that pages itself, if they are not its own."""
        return next(
            (n for n, p in self.parameters.items() if is_dataclass(_type(p)) and _has(_type(p), "cursor")), None
        )

    @property
    def pages_itself(self) -> bool:
        return "cursor" in self.parameters or self.asked is not None

    @property
    def is_cut(self) -> bool:
        """Whether it is a ranking with a number of places, which is no page of anything."""
        return "limit" in self.parameters and not self.pages_itself

    def as_endpoint(self) -> Callable[..., Any]:
        """The endpoint with the parameters of all lists."""
        whole = not self.pages_itself and not self.is_cut
        by = shown_by(self.line, whole=whole, length=getattr(self.endpoint, _LENGTH, MOST))
        added = inspect.Parameter("shown_", inspect.Parameter.KEYWORD_ONLY, annotation=by)
        kept = [p for name, p in self.parameters.items() if name != self.session]
        kept = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in kept]

        async def answer(*, shown_: Shown, **given: Any) -> Response:
            return await self.answer(shown_, given)

        answer.__name__, answer.__doc__ = self.endpoint.__name__, self.endpoint.__doc__
        answer.__signature__ = inspect.Signature([*kept, added])  # type: ignore[attr-defined]
        return answer

    def responses(self) -> dict[int | str, dict[str, Any]]:
        """What a list's route declares beside its own answers."""
        text, binary = {"type": "string"}, {"type": "string", "format": "binary"}
        kinds = {Form.CSV: text, Form.NDJSON: text, Form.XLSX: binary, Form.PARQUET: binary}
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        return {
            200: {"content": {MEDIA[form]: {"schema": schema} for form, schema in kinds.items()}},
            406: {"description": "None of the forms of a list is accepted", "content": problem},
        }

    # ---- answering ----

    async def answer(self, shown: Shown, given: dict[str, Any]) -> Response:
        """The list in the form that is asked for."""
        if shown.form is not Form.JSON:
            return await run_in_threadpool(self.table, shown, given)
        return _json(await run_in_threadpool(self.whole, shown, given))

    def whole(self, shown: Shown, given: dict[str, Any]) -> bytes:
        """A page as JSON."""
        answer = self.one_page(shown, given)
        setattr(shown.request.state, FLEETING, answer.get("status", "ok") != "ok")  # too little data, so far
        found = self.adapter.validate_python(answer)
        include = dict.fromkeys(self.page.model_fields, True) | {"items": {"__all__": set(shown.names)}}
        return self.adapter.dump_json(found, by_alias=True, include=include if shown.names else None)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.page)

    def one_page(self, shown: Shown, given: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
        """One page of it; after a cursor where one is given, else as the request says."""
        if self.pages_itself:
            return self.ask(shown, self.turned(shown, given, cursor))
        answer = self.ask(shown, given)
        return answer if self.is_cut else paging.cut(answer, shown, self.line, cursor)

    def ask(self, shown: Shown, given: dict[str, Any]) -> dict[str, Any]:
        """The endpoint's answer, in a session of its own."""
        if self.session is None:
            return self.endpoint(**given)  # type: ignore[no-any-return]
        # an answer that is kept goes by the primary's number for it, so it is the primary's answer
        with session_for(shown.request, of_primary=is_by_trends(shown.request.scope["path"])) as session:
            return self.endpoint(**given, **{self.session: session})  # type: ignore[no-any-return]

    def turned(self, shown: Shown, given: dict[str, Any], cursor: str | None) -> dict[str, Any]:
        """Arguments for the page after a cursor; as many lines as are allowed where the whole is wanted."""
        change: dict[str, Any] = {"cursor": cursor} if cursor else {}
        if shown.is_whole:
            change["limit"] = self.most
        if self.asked:
            return given | {self.asked: replace(given[self.asked], **change)}
        return given | change

    @cached_property
    def most(self) -> int:
        """Most lines of a page."""
        holder = self.parameters[self.asked] if self.asked else None
        found = _most(self.parameters.get("limit")) or getattr(_type(holder) if holder else None, "MOST", None)
        return int(found or AT_ONCE)

    def table(self, shown: Shown, given: dict[str, Any]) -> Response:
        """The list as a table: the rest of it from the cursor on, or one page where `limit` says how long that is."""
        first = self.one_page(shown, given)
        columns = [c for c in columns_of(self.line) if not shown.names or c.path[0] in shown.aliases]
        headers = {"Content-Disposition": f'attachment; filename="{self.endpoint.__name__}.{shown.form}"'}
        headers |= {"Radar-Answer": _about(first), "Vary": "Accept"}
        if not shown.is_whole and first["next"]:
            onward = shown.request.url.include_query_params(cursor=first["next"])
            headers["Link"] = f'<{onward.path}?{onward.query}>; rel="next"'
        pages = self.lines(shown, given, first)
        if shown.form is Form.NDJSON:
            pieces = tables.ndjson_pieces(pages)
        elif shown.form is Form.CSV:
            pieces = tables.csv_pieces(columns, self.rows(pages, columns))
        else:
            made = tables.Made(tables.WRITERS[shown.form], columns, self.rows(pages, columns))
            headers |= {"ETag": f'"{made.tag}"', "Content-Length": str(made.size)}
            return StreamingResponse(made.pieces(), media_type=MEDIA[shown.form], headers=headers)
        charset = "; charset=utf-8" if shown.form is Form.CSV else ""
        media = MEDIA[shown.form] + charset
        if not shown.is_whole or not first["next"]:
            return Response(b"".join(pieces), media_type=media, headers=headers)
        return StreamingResponse(pieces, media_type=media, headers=headers)

    def rows(self, pages: Iterator[list[Any]], columns: list[Column]) -> Iterator[list[list[Any]]]:
        for lines in pages:
            yield list(rows_of(self.line, lines, columns))

    def lines(self, shown: Shown, given: dict[str, Any], first: dict[str, Any]) -> Iterator[list[Any]]:
        """Lines as JSON has them, a page at a time."""
        dump = TypeAdapter(list[self.line])  # type: ignore[name-defined]
        include = {"__all__": set(shown.names)} if shown.names else None
        page = first
        while True:
            items = dump.validate_python(page["items"])
            yield dump.dump_python(items, mode="json", by_alias=True, include=include)
            if not shown.is_whole or not page["next"]:
                return
            page = self.one_page(shown, given, page["next"])


def _json(body: bytes) -> Response:
    return Response(body, media_type=MEDIA[Form.JSON], headers={"Vary": "Accept"})


def _about(answer: Mapping[str, Any]) -> str:
    """What holds for the whole list, as far as a header can hold it: a table has no place for it."""
    told = {n: v for n, v in answer.items() if n not in ("items", "next") and not isinstance(v, dict | list)}
    return json.dumps(told, default=lambda value: value.isoformat(), separators=(",", ":"))


def _type(parameter: inspect.Parameter) -> Any:
    annotation = parameter.annotation
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _has(kind: Any, name: str) -> bool:
    return any(field.name == name for field in fields(kind))


def _most(parameter: inspect.Parameter | None) -> int | None:
    """The `le` of a Query."""
    if parameter is None or get_origin(parameter.annotation) is not Annotated:
        return None
    queries = [a for a in get_args(parameter.annotation)[1:] if hasattr(a, "metadata")]
    return next((m.le for q in queries for m in q.metadata if hasattr(m, "le")), None)

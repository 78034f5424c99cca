"""How a list is to be shown, as its query says: form, fields, order and page."""

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from radar.answers.ordering import UnknownField, order_of
from radar.api.columns import sortable
from radar.api.forms import Form, form_of

MOST = 1_000
"""Lines of a page of a list that is made whole."""


@dataclass(frozen=True, slots=True)
class Shown:
    """names  fields to show, () for all, as the shape has them;  aliases  the same as answers have them
    is_whole  not a page but the rest of the list: tables without a `limit`
    order     columns to sort by, True: descending"""

    request: Request
    form: Form
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    limit: int = MOST
    cursor: str | None = None
    is_whole: bool = field(default=False)


@cache
def _aliases(line: type[BaseModel]) -> dict[str, str]:
    """Fields as answers have them -> as the shape has them."""
    return {f.serialization_alias or f.alias or name: name for name, f in line.model_fields.items()}


def _chosen(line: type[BaseModel], text: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known = _aliases(line)
    wanted = tuple(part.strip() for part in (text or "").split(",") if part.strip())
    for name in wanted:
        if name not in known:
            raise UnknownField("fields", name, list(known))
    return tuple(known[name] for name in wanted), wanted


def shown_by(line: type[BaseModel], *, whole: bool, length: int = MOST) -> Any:
    """The dependency that reads how a list of such lines is to be shown.

    whole   it is sorted and cut by us, and takes `sort`, `limit` and `cursor` as well
    length  lines a page where none is asked for
    """
    known = list(_aliases(line))

    def common(request: Request, format: str | None, names: str | None) -> Shown:
        form = _form(format) if format else form_of(request.headers.get("accept", ""))
        is_whole = form is not Form.JSON and "limit" not in request.query_params
        return Shown(request, form, *_chosen(line, names), is_whole=is_whole)

    format_ = Query(description=f"Instead of Accept: {', '.join(Form)}.", examples=["csv"])
    fields_ = Query(description=f"Fields of a line to show, by commas, of: {', '.join(known)}.", examples=[known[0]])

    async def plain(
        request: Request,
        format: Annotated[str | None, format_] = None,
        fields: Annotated[str | None, fields_] = None,
    ) -> Shown:
        return common(request, format, fields)

    if not whole:
        return Annotated[Shown, Depends(plain)]
    columns = sortable(line)
    sort_ = Query(
        description=f"Columns to sort by, by commas, `-` before one for descending, of: {', '.join(columns)}. What is "
        "not known comes last.",
        examples=[f"-{columns[-1]}"],
    )

    async def cut(
        request: Request,
        format: Annotated[str | None, format_] = None,
        fields: Annotated[str | None, fields_] = None,
        sort: Annotated[str | None, sort_] = None,
        limit: Annotated[int, Query(ge=1, le=MOST, description="Lines a page.", examples=[100])] = length,
        cursor: Annotated[
            str | None,
            Query(description="`next` of the page before, with the same filters.", examples=["WzEwMCwiYSJd"]),
        ] = None,
    ) -> Shown:
        found = common(request, format, fields)
        return Shown(
            request, found.form, found.names, found.aliases, order_of(sort, columns), limit, cursor or None,
            found.is_whole,
        )  # fmt: skip

    return Annotated[Shown, Depends(cut)]


def _form(text: str) -> Form:
    try:
        return Form(text.strip().lower())
    except ValueError:
        raise UnknownField("format", text, list(Form)) from None

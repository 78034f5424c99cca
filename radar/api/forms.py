"""In which form a list is answered: `format=` or the Accept header; what a client is told that takes none of them."""

from enum import StrEnum
from functools import lru_cache

from radar.errors import CallerError


class Form(StrEnum):
    """What a list can be answered as."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    XLSX = "xlsx"
    PARQUET = "parquet"


MEDIA = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv",
    Form.NDJSON: "application/x-ndjson",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.PARQUET: "application/vnd.apache.parquet",
}
_NAMES = {form: (media,) for form, media in MEDIA.items()} | {Form.NDJSON: (MEDIA[Form.NDJSON], "application/jsonl")}


class NotAcceptable(CallerError):
    """A client that takes none of the forms."""

    status = 406
    slug = "not-acceptable"

    def __init__(self, accepted: str) -> None:
        self.near = list(MEDIA.values())
        super().__init__(
            f"A list is not answered as '{accepted[:80]}'.",
            f"Send Accept with one of these, or format= with one of: {', '.join(Form)}.",
        )


@lru_cache(256)
def form_of(accepted: str) -> Form:
    """The form that an Accept header prefers; of several that it likes as well, the first here. Raises NotAcceptable.

    >>> form_of("text/html, */*;q=0.1").value, form_of("text/csv, application/json;q=0.5").value, form_of("").value
    ('json', 'csv', 'json')
    """
    if not accepted.strip():
        return Form.JSON
    weights = dict(filter(None, map(_part, accepted.lower().split(","))))
    liked = {form: max(_weight(media, weights) for media in _NAMES[form]) for form in Form}
    best = max(Form, key=lambda form: liked[form])  # the first of the highest
    if liked[best] > 0:
        return best
    if weights.get("text/html", 0.0) > 0:  # a browser, which shows JSON too
        return Form.JSON
    raise NotAcceptable(accepted)


def _part(text: str) -> tuple[str, float] | None:
    name, *parameters = (part.strip() for part in text.split(";"))
    weight = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
    try:
        return (name, float(weight)) if name else None
    except ValueError:
        return None


def _weight(media: str, weights: dict[str, float]) -> float:
    """The most specific range that holds decides (RFC 9110, 12.5.1)."""
    kind = media.partition("/")[0]
    return next((weights[name] for name in (media, f"{kind}/*", "*/*") if name in weights), 0.0)

"""In which order a list comes: columns by name, `-` before one for descending; what is not there is refused by name."""

from collections.abc import Sequence
from difflib import get_close_matches

from radar.errors import CallerError


class UnknownField(CallerError):
    """A field, an order or a form that a list does not have; says which there are."""

    slug = "unknown-field"

    def __init__(self, parameter: str, name: str, known: Sequence[str]) -> None:
        self.near = get_close_matches(name, known, n=3, cutoff=0.5) or list(known)
        super().__init__(f"{parameter}: there is no '{name[:60]}' here.", f"There are: {', '.join(known)}.")


def order_of(text: str | None, known: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Columns of a `sort=`, True: descending. Raises UnknownField.

    >>> order_of("-posts,name", ("name", "posts"))
    (('posts', True), ('name', False))
    """
    found = []
    for part in (text or "").split(","):
        name = part.strip()
        if name:
            column = name.removeprefix("-")
            if column not in known:
                raise UnknownField("sort", column, known)
            found.append((column, name.startswith("-")))
    return tuple(found)


def one_order(text: str | None, known: Sequence[str], default: str) -> tuple[str, bool]:
    """The one column that a list which is walked is sorted by. Raises UnknownField and CallerError.

    >>> one_order(None, ("score", "rank"), "-score")
    ('score', True)
    """
    found = order_of(text or default, known)
    if len(found) != 1:
        raise CallerError(f"sort: '{(text or '')[:60]}' is not one column.", f"Name one of: {', '.join(known)}.")
    return found[0]

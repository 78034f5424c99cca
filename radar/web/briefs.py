"""A brief in an address: the same for the API and the page; and the model that reads its text."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from sqlalchemy.orm import Session

from radar.answers.partners import Asked
from radar.answers.scorer import active_scorer
from radar.errors import CallerError
from radar.partners.brief import Brief
from radar.partners.scoring import weights_said
from radar.registry import TopicScorer

_LIST = "Separated by commas."


@dataclass(frozen=True, slots=True)
class BriefQuery:
    """The query of a brief, as it came."""

    text: str | None
    topics: str | None
    products: str | None
    origin: str | None
    to: str | None
    platforms: str | None
    tiers: str | None
    budget: str | None
    exclude_topics: str | None
    exclude_products: str | None
    exclude_authors: str | None
    with_review: bool
    weights: str | None
    diversity: str | None
    limit: int

    def asked(self) -> Asked:
        """As answers take it. Raises CallerError for a number that is none."""
        brief = Brief(
            (self.text or "").strip(), listed(self.topics), listed(self.products), self.origin or None, self.to or None,
            listed(self.platforms), listed(self.tiers), number("budget", self.budget), listed(self.exclude_topics),
            listed(self.exclude_products), listed(self.exclude_authors), self.with_review,
        )  # fmt: skip
        return Asked(brief, weights_said(listed(self.weights)), number("diversity", self.diversity), self.limit)

    def given(self) -> dict[str, Any]:
        """What is set of it, by the names of the address."""
        all_of = {name: getattr(self, name) for name in self.__slots__}
        all_of = {("from" if name == "origin" else name): value for name, value in all_of.items()}
        return {name: v for name, v in all_of.items() if v not in (None, "", False) and (name, v) != ("limit", 10)}


def listed(text: str | None) -> tuple[str, ...]:
    """The parts of a list separated by commas.

    >>> listed("a, b,"), listed(None)
    (('a', 'b'), ())
    """
    return tuple(part.strip() for part in (text or "").replace("，", ",").replace("、", ",").split(",") if part.strip())


def number(name: str, text: str | None) -> float | None:
    """A number of an address. Raises CallerError that names what it is of."""
    if text is None or not text.strip():
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError as error:
        raise CallerError(f"{name}: '{text[:40]}' is no number.", "Write it in digits, as 20000.") from error


def brief_query(
    text: Annotated[
        str | None,
        Query(max_length=5_000, description="What you look for, in any of the languages.", examples=["日本藥妝"]),
    ] = None,
    topics: Annotated[str | None, Query(description=f"Topic ids. {_LIST}", examples=["shop.drugstore"])] = None,
    products: Annotated[str | None, Query(description=f"Names or ids. {_LIST}", examples=["SK-II"])] = None,
    origin: Annotated[str | None, Query(alias="from", description="Market the thing is in.", examples=["JP"])] = None,
    to: Annotated[str | None, Query(description="Audience market to reach.", examples=["TW"])] = None,
    platforms: Annotated[str | None, Query(description=_LIST, examples=["sim-instagram"])] = None,
    tiers: Annotated[str | None, Query(description=f"nano, micro, mid, macro, mega. {_LIST}", examples=["mid"])] = None,
    budget: Annotated[
        str | None, Query(description="For one post, in the audience market's currency.", examples=["50000"])
    ] = None,
    exclude_topics: Annotated[str | None, Query(description=_LIST, examples=["travel.nightlife"])] = None,
    exclude_products: Annotated[str | None, Query(description=f"Product ids. {_LIST}", examples=["sk-ii"])] = None,
    exclude_authors: Annotated[str | None, Query(description=f"KOLs' ids. {_LIST}", examples=["12"])] = None,
    with_review: Annotated[
        bool, Query(description="Rank those as well whom signals keep apart.", examples=[False])
    ] = False,
    weights: Annotated[str | None, Query(description="As topic:40,reach:0.", examples=["topic:40,reach:0"])] = None,
    diversity: Annotated[str | None, Query(description="From 0 to 1.", examples=["0.2"])] = None,
    limit: Annotated[int, Query(ge=1, le=50, description="How many.", examples=[10])] = 10,
) -> BriefQuery:
    """A brief in an address."""
    return BriefQuery(
        text, topics, products, origin, to, platforms, tiers, budget, exclude_topics, exclude_products,
        exclude_authors, with_review, weights, diversity, limit,
    )  # fmt: skip


BriefQueryDep = Annotated[BriefQuery, Depends(brief_query)]


def _asked(query: BriefQueryDep) -> Asked:
    return query.asked()


BriefDep = Annotated[Asked, Depends(_asked)]


def scorer_of(app: FastAPI, session: Session) -> TopicScorer:
    """The active topic model, opened once. Raises NoModel where it is not fitted here."""
    app.state.scorer = active_scorer(session, app.state.settings, getattr(app.state, "scorer", None))
    return app.state.scorer  # type: ignore[no-any-return]

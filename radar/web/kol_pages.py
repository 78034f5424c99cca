"""The pages about KOLs: search, and one with everything that is measured."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from radar import answers
from radar.answers.kol import BY_ENGAGEMENT, SORT_NAMES, author_profile, list_authors, shown_lists
from radar.kol import TIER_NAMES
from radar.markets import MARKETS
from radar.store import peers
from radar.web import options
from radar.web.kol_requests import AuthorFilterDep
from radar.web.languages import say
from radar.web.navigation import N_
from radar.web.partner_words import SIGNALS
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import note_address, page, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])

_SORT_WORDS = {
    "engagement": N_("engagement among peers"), "followers": N_("number of followers"),
    "growth": N_("growth of followers"), "early": N_("earliness on trends"), "active": N_("last post"),
}  # fmt: skip
_RATES = {
    "er_followers": N_("Engagement per follower"), "er_views": N_("Engagement per view"),
    "growth": N_("Growth, 30 days"), "posts_per_week": N_("Posts a week"),
    "sponsored_share": N_("Share that is paid"), "early": N_("Early on trends"),
}  # fmt: skip


@router.get("/kols")
def kols_page(session: SessionDep, asked: AuthorFilterDep) -> Response:
    """Search among KOLs."""
    by = (asked.sort or BY_ENGAGEMENT).removeprefix("-")
    asked = replace(asked, sort=asked.sort and f"-{by}")  # the page shows the largest first
    answer = list_authors(session, asked)
    chosen = {
        name: getattr(asked, name)
        for name in ("text", "market", "platform", "tier", "topic", "place", "min_engagement", "max_engagement",
                     "sponsored", "list", "sort")
    } | {"limit": None if asked.limit == 20 else asked.limit}  # fmt: skip
    return page(
        "kols.html", answer=answer, asked=asked, chosen=chosen, options=_options(session),
        sort_words=say(_SORT_WORDS[by]), simulated=answer["simulated"], here="kols",
        twin=url("/v1/authors", **chosen, cursor=asked.cursor),
    )  # fmt: skip


def _options(session: Any) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer, as (value, words)."""
    platforms = sorted({group.platform for group in peers.groups(session).values()})
    return {
        "market": options.markets(),
        "place": options.places(),
        "topic": options.topics(),
        "tier": options.named(TIER_NAMES),
        "platform": [(name, name) for name in platforms],
        "list": [(line["name"], line["name"]) for line in shown_lists(session)["items"]],
        "sort": [(f"-{name}", say(_SORT_WORDS[name])) for name in SORT_NAMES],
    }


@router.get("/kols.json")
def kols_twin(request: Request, asked: AuthorFilterDep) -> Response:
    return RedirectResponse(url("/v1/authors", **request.query_params), 307)


@router.get("/kols/{id}.json")
def kol_twin(id: str) -> Response:
    return RedirectResponse(url(f"/v1/authors/{id}"), 307)


@router.get("/kols/{id}/similar.json")
def similar_twin(id: str) -> Response:
    return RedirectResponse(url(f"/v1/authors/{id}/similar"), 307)


@router.get("/kols/{id}/similar")
def similar_page(id: str, session: SessionDep) -> Response:
    """Who is like a KOL, in its market."""
    found = answers.similar_authors(session, id, limit=20)
    return page(
        "similar.html", answer=found, mine=found["author"], simulated=found["simulated"], here="kols",
        twin=url(f"/v1/authors/{found['author']['id']}/similar"),
    )  # fmt: skip


@router.get("/kols/{id}")
def kol_page(id: str, session: SessionDep) -> Response:
    """One KOL with its numbers."""
    found = author_profile(session, id)
    return page(
        "kol.html", kol=found, about=MARKETS[found["market"]], followers=_above_lowest(found["followers"]),
        rate_words=_RATES, signal_words=SIGNALS, simulated=found["simulated"], here="kols",
        twin=url(f"/v1/authors/{found['id']}"),
    )  # fmt: skip


def _above_lowest(seen: list[dict[str, Any]]) -> list[int]:
    """Followers above the fewest seen: few gain so much that a line from 0 would show it."""
    counts = [day["count"] for day in seen]
    return [n - min(counts) for n in counts]

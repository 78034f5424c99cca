"""The pages about KOLs: search, and one with everything that is measured."""

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from radar import answers
from radar.answers.kol import SORT_NAMES, author_profile, list_authors, shown_lists
from radar.answers.names import place_name
from radar.kol import TIER_NAMES
from radar.markets import MARKETS, PLACE_NUMBERS
from radar.store import peers
from radar.web.kol_requests import AuthorFilterDep
from radar.web.requests import SessionDep, only_known_parameters
from radar.web.view import note_address, page, url

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters), Depends(note_address)])

_SORT_WORDS = {
    "engagement": "engagement among peers", "followers": "number of followers", "growth": "growth of followers",
    "early": "earliness on trends", "active": "last post",
}  # fmt: skip
_RATES = {
    "er_followers": "Engagement per follower", "er_views": "Engagement per view", "growth": "Growth, 30 days",
    "posts_per_week": "Posts a week", "sponsored_share": "Share that is paid", "early": "Early on trends",
}  # fmt: skip
_SIGNALS = {
    "follower_step": "Largest unexplained gain of followers, in deviations",
    "engagement_level": "Engagement per follower", "comment_ratio": "Comments per like",
    "engagement_spread": "Spread of engagement (variation / mean)", "view_ratio": "Views per follower",
    "repeated_share": "Share of repeated texts", "posting_burst": "Most posts on a day / the median",
}  # fmt: skip


@router.get("/kols")
def kols_page(session: SessionDep, asked: AuthorFilterDep) -> Response:
    """Search among KOLs."""
    answer = list_authors(session, asked)
    chosen = {
        name: getattr(asked, name)
        for name in ("text", "market", "platform", "tier", "topic", "place", "min_engagement", "max_engagement",
                     "sponsored", "list", "sort")
    } | {"limit": None if asked.limit == 20 else asked.limit}  # fmt: skip
    return page(
        "kols.html", answer=answer, asked=asked, chosen=chosen, options=_options(session),
        sort_words=_SORT_WORDS[answer["sort"]], simulated=answer["simulated"], here="kols",
        twin=url("/v1/authors", **chosen, cursor=asked.cursor),
    )  # fmt: skip


def _options(session: Any) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer, as (value, words)."""
    platforms = sorted({group.platform for group in peers.groups(session).values()})
    return {
        "market": [(code, about.name) for code, about in MARKETS.items()],
        "place": sorted(((code, place_name(code)) for code in PLACE_NUMBERS), key=lambda option: option[1]),
        "topic": [(t["id"], f"{t['group']}: {t['name']}") for t in answers.topics()],
        "tier": [(name, name) for name in TIER_NAMES],
        "platform": [(name, name) for name in platforms],
        "list": [(line["name"], line["name"]) for line in shown_lists(session)["items"]],
        "sort": [(name, _SORT_WORDS[name]) for name in SORT_NAMES],
    }


@router.get("/kols.json")
def kols_twin(request: Request, asked: AuthorFilterDep) -> Response:
    return RedirectResponse(url("/v1/authors", **request.query_params), 307)


@router.get("/kols/{id}.json")
def kol_twin(id: str) -> Response:
    return RedirectResponse(url(f"/v1/authors/{id}"), 307)


@router.get("/kols/{id}")
def kol_page(id: str, session: SessionDep) -> Response:
    """One KOL with its numbers."""
    found = author_profile(session, id)
    return page(
        "kol.html", kol=found, about=MARKETS[found["market"]], followers=[seen["count"] for seen in found["followers"]],
        rate_words=_RATES, signal_words=_SIGNALS, simulated=found["simulated"], here="kols",
        twin=url(f"/v1/authors/{found['id']}"),
    )  # fmt: skip

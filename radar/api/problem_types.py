"""The types of problems: what `type` of a problem leads to, at /problems/{name}. A name once given stays."""

from typing import Any, NamedTuple

from fastapi import APIRouter, Depends

from radar.errors import UnknownName
from radar.web.requests import only_known_parameters

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_known_parameters)])


class ProblemType(NamedTuple):
    """What a type says, and what to do about it."""

    status: int
    means: str
    do: str


TYPES: dict[str, ProblemType] = {
    "bad-request": ProblemType(400, "A value of the request is none that is taken.", "`detail` names it; correct it."),
    "unknown-parameter": ProblemType(400, "A query parameter that the address does not know, or one given twice.",
                                     "Take one of `near`, or of /v1/openapi.json."),
    "unknown-value": ProblemType(400, "A filter's value that does not exist.", "Take one of `near`."),
    "unknown-field": ProblemType(400, "A name in `fields`, `sort` or `format` that the list does not have.",
                                 "`hint` has all it has."),
    "unreadable-input": ProblemType(400, "A body or file that cannot be read.", "Send JSON as UTF-8."),
    "conflicting-filters": ProblemType(422, "Filters of a brief that leave nobody.", "Take one of them away."),
    "not-signed": ProblemType(401, "A push without the signature that the operator asks for.",
                              "Sign it as Standard Webhooks does."),
    "unknown-host": ProblemType(421, "A request to /mcp under a name that is not this radar's.",
                                "An operator adds it to RADAR_MCP_HOSTS."),
    "unknown-name": ProblemType(404, "A market, trend, KOL, list or model that does not exist.", "Take one of `near`."),
    "no-such-address": ProblemType(404, "An address that there is not.", "See /v1/openapi.json."),
    "not-measured": ProblemType(404, "A KOL that was not measured yet.", "Wait for the next run of measure_authors."),
    "method-not-allowed": ProblemType(405, "A method that the address does not take.", "`hint` has those it takes."),
    "not-acceptable": ProblemType(406, "An Accept header with none of the forms a list has.",
                                  "Accept one of `near`, or say format=."),
    "mixed-worlds": ProblemType(409, "Real posts for a simulated store, or the other way.",
                                "Use another RADAR_DATA_DIR."),
    "gone": ProblemType(410, "A moment of which no list is kept any more.", "`hint` says which are kept."),
    "too-large": ProblemType(413, "A body over 10 MB, or a batch of more than 5,000 posts.", "Send smaller batches."),
    "too-vague": ProblemType(422, "A brief that nobody can be ranked by.", "Add what `near` names."),
    "idempotency-key-used": ProblemType(422, "An Idempotency-Key that came with another body before.",
                                        "Send another key."),
    "key-needed": ProblemType(401, "From another machine a key is needed.",
                              "Send Authorization: Bearer radar_..., or log in."),
    "key-not-valid": ProblemType(401, "A key that is unknown, revoked or past its end.",
                                 "An operator makes one by `radar keys create`."),
    "log-in-failed": ProblemType(401, "A name and password that do not belong together.", "Try again."),
    "scope-needed": ProblemType(403, "A key or role that may not do this.", "`detail` names the scope it takes."),
    "cross-site": ProblemType(403, "A write that another site's page asked for.", "Use a page of this radar."),
    "private-target": ProblemType(400, "A target of alerts in a private network.",
                                  "An operator allows such by RADAR_ALLOW_PRIVATE_TARGETS."),
    "name-taken": ProblemType(409, "A name that another rule or list has.", "Take another name."),
    "locked-out": ProblemType(429, "Too many log-ins failed.", "Wait as long as Retry-After says."),
    "too-many-requests": ProblemType(429, "More was asked than the limit lets through.",
                                     "Wait as long as Retry-After says."),
    "not-delivered": ProblemType(502, "A test message that a target did not take.", "`detail` has its answer."),
    "no-such-week": ProblemType(400, "A week that is none, or is not over.", "Name one as 2026-W47."),
    "week-not-there": ProblemType(404, "A week of which nothing is counted.", "`hint` says which weeks are."),
    "missing-font": ProblemType(503, "A script that no font here can write, for a PDF.",
                                "An operator installs the font that `hint` names."),
    "failure": ProblemType(500, "The radar failed to answer.", "An operator finds `request_id` in the log."),
    "no-model": ProblemType(503, "The active topic model is not fitted here.", "An operator runs the jobs once."),
    "source-trouble": ProblemType(502, "A platform or feed could not be asked.", "Try again later."),
    "store": ProblemType(503, "The database does not answer.", "Try again in a moment."),
    "not-enough-history": ProblemType(200, "Too little is counted to say anything.", "Wait; it says how long."),
}  # fmt: skip


def uri_of(slug: str) -> str:
    """The type of a problem: an address of this server."""
    return f"/problems/{slug}"


@router.get("/problems")
def list_problems() -> Any:
    """All types of problems."""
    return {"items": [_shown(slug) for slug in sorted(TYPES)], "next": None}


@router.get("/problems/{slug}")
def get_problem(slug: str) -> Any:
    """One type of problems: what it means, and what to do."""
    if slug not in TYPES:
        raise UnknownName("problem type", slug[:60], sorted(TYPES))
    return _shown(slug)


def _shown(slug: str) -> dict[str, Any]:
    found = TYPES[slug]
    return {"type": uri_of(slug), "status": found.status, "means": found.means, "do": found.do}

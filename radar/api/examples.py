"""Examples of every answer for OpenAPI, invented, and of one moment throughout."""

from collections.abc import Iterator
from typing import Any

from radar.api.columns import columns_of, line_of, rows_of
from radar.api.forms import MEDIA, Form
from radar.api.kol_examples import AUTHOR_LINE, author_answers
from radar.api.problem_types import uri_of
from radar.api.shapes import Shape
from radar.api.tables import csv_pieces, ndjson_pieces

TREND: dict[str, Any] = {
    "id": "3v8x0c2q5k1zt", "rank": 1, "name": "合利他命ex",
    "name_before": None, "key": {"text": "合利他命ex", "kind": "term", "gloss": None},
    "topic": {"id": "shop.drugstore", "name": "Drugstore"}, "market": "TW", "place_market": "JP", "stage": "rising",
    "stage_since": "2026-11-21T05:00:00Z", "onset_at": "2026-11-20T13:00:00Z", "ended_at": None,
    "seen_at": "2026-11-22T14:00:00Z", "observed": 17.0, "expected": 3.412, "lift": 4.1, "lift_floor": 2.71,
    "p": 2.1e-8, "q": 0.00031, "score": 15.61, "engagement_factor": 1.18, "tests": 14210,
    "window": {"start": "2026-11-21T14:00:00Z", "end": "2026-11-22T14:00:00Z", "buckets": 24, "bucket": "1h"},
    "persons": 17, "heard": 143, "posts": 23, "platforms": 4, "tiers": {"micro": 9, "nano": 7, "unknown": 1},
    "sponsored_share": 0.043,
    "complaints": {"share": 0.087, "posts": 23, "sentence": "share of complaints 9 % of 23 posts"},
    "novelty": {"days_used": 3, "days": 20}, "season": None, "narrow": [],
    "variants": [{"id": "1m0c5r8n2w7yd", "name": "#合利他命", "kind": "hashtag", "place_market": "JP",
                  "merged": False}],
    "evidence": [
        {
            "id": "40211", "platform": "instagram", "native_id": "C9x1",
            "text": "藥妝必買 合利他命EX 又漲價了", "language": "zh-Hant",
            "url": "https://example.com/p/1", "published_at": "2026-11-22T09:12:00Z",
            "author": {
                "id": "311", "handle": "mei.travels", "name": "Mei", "follower_count": 48210, "person_id": "311",
                "complaints": None,
                "market": {"code": "TW", "source": "declared", "confidence": 1.0, "reasons": None},
            },
            "like_count": 1204, "comment_count": 88, "share_count": None, "view_count": None, "sponsored": False,
            "tone": "neutral",
        }
    ],
    "sparkline": [1, 0, 2, 1, 1, 0, 1, 2, 1, 0, 1, 1, 2, 0, 1, 1, 0, 2, 1, 1, 0, 1, 2, 1, 1, 4, 9, 13],
    "sentence": "at least 2.7x the usual for 24 hours, 17 KOLs, 4 platforms", "curation": [],
}  # fmt: skip

_COVERAGE = {"persons": 143, "posts": 1310, "sources": 2, "platforms": 4, "days": 75}
_WINDOW = {"start": "2026-11-21T14:00:00Z", "end": "2026-11-22T14:00:00Z"}

TRENDS: dict[str, Any] = {
    "items": [TREND], "next": "WzE3OTU3MDg4MDAuMCwxXQ", "total": 8, "left_out": 1, "market": "TW", "place": None,
    "scope": "travel_shopping", "window": {"start": "2026-11-15T14:00:00Z", "end": "2026-11-22T14:00:00Z"},
    "as_of": "2026-11-22T14:00:00Z", "model_id": "topics-b36f98f85e", "simulated": False, "status": "ok",
    "message": "8 trends in 7 days.", "coverage": _COVERAGE, "shadow": None, "q": 0.05,
    "note": "At most 5 in 100 of these are chance, taken over many lists.",
}  # fmt: skip
WORKING: dict[str, Any] = TREND | {
    "rank": None, "asked": TREND["id"], "as_of": "2026-11-22T14:00:00Z", "model_id": "topics-b36f98f85e",
    "simulated": False, "coverage": _COVERAGE,
    "curve": {
        "bucket": "1h", "rate": 0.0239, "dispersion": 1.24,
        "points": [
            {"start": "2026-11-22T13:00:00Z", "persons": 4, "heard": 31, "expected": 0.741, "low": 0, "high": 3},
        ],
    },
    "stages": [{"stage": "rising", "since": "2026-11-21T05:00:00Z"}],
    "history": [
        {
            "as_of": "2026-11-22T14:00:00Z", "at": "2026-11-22T14:00:00Z", "is_daily": False, "stage": "rising",
            "buckets": 24, "observed": 17.0, "expected": 3.412, "lift": 4.1, "lift_floor": 2.71, "q": 0.00031,
            "score": 15.61, "persons": 17,
        }
    ],
}  # fmt: skip
POSTS: dict[str, Any] = {
    "items": TREND["evidence"], "next": None, "total": 23, "persons": 17, "trend": TREND["id"], "window": _WINDOW,
    "simulated": False,
}  # fmt: skip
MARKETS: dict[str, Any] = {
    "items": [
        {
            "code": "TW", "name": "Taiwan", "languages": ["zh-Hant"], "zone": "Asia/Taipei", "posts": 8686,
            "persons": 92, "days": 75, "trends": 8, "as_of": "2026-11-22T14:00:00Z", "status": "ok",
            "message": "8 trends in 7 days.",
        }
    ],
    "next": None, "simulated": False,
}  # fmt: skip
TOPICS: dict[str, Any] = {
    "items": [
        {
            "id": "shop.drugstore", "group": "shop", "name": "Drugstore",
            "definition": "Drugstore and Donki hauls: over-the-counter medicine, patches, eye drops and toiletries.",
            "names": {
                "zh-Hant": "藥妝必買", "ja": "薬・日用品", "ko": "드럭스토어", "th": "ร้านขายยา", "en": "Drugstore",
            },
        }
    ],
    "next": None,
}  # fmt: skip
_RUN = {
    "job": "detect_trends", "started_at": "2026-11-22T14:06:00Z", "ended_at": "2026-11-22T14:06:04Z",
    "outcome": "ok", "rows_in": 21, "rows_out": 3, "detail": "3 snapshots over 21 days", "error": None,
}  # fmt: skip
COVERAGE: dict[str, Any] = {
    "items": [
        {
            "market": "TW", "source": "push", "kind": "push", "authors": 95, "persons": 92, "posts": 8686,
            "first_post_at": "2026-09-08T22:34:00Z", "last_post_at": "2026-11-22T13:58:10Z",
            "last_success_at": "2026-11-22T14:00:00Z", "last_error_at": None, "last_error": None,
            "lag_seconds": 337, "rejected": 2,
        }
    ],
    "next": None, "silent_sources": [],
    "markets": [
        {
            "market": "TW", "unclassified": 0, "dirty_days": 0, "stale_days": 0,
            "languages": {"zh-Hant": 8590, "en": 84, "vi": 12}, "other_languages": 12, "shadow": None,
            "persons": 92, "inferred_authors": 0,
        }
    ],
    "sources": [
        {
            "source": "bluesky", "kind": "bluesky", "state": "waiting", "watched": 120, "failing_accounts": 1,
            "reason": "until 2026-11-22 14:20 UTC, as the platform asks", "paused_accounts": [], "rejected": 2,
            "budgets": [], "derives": True,
        }
    ],
    "runs": [_RUN], "simulated": False, "now": "2026-11-22T14:09:00Z",
}  # fmt: skip
DRIFT: dict[str, Any] = {
    "items": [
        {
            "market": "TW", "status": "ok",
            "message": "1,310 posts in seven days; 21% of their words are unknown to the model (24% on frozen "
            "posts); 58% have no topic (25% of the labels).",
            "last_day": "2026-11-21", "days": 7, "posts": 1310, "sample": 1310, "labels": 2408,
            "score_divergence": 0.0412, "score_divergence_by_chance": 0.0019, "topic_divergence": 0.1184,
            "topic_divergence_by_chance": 0.0107, "no_topic_share": 0.5794, "no_topic_share_trained": 0.2462,
            "unknown_share": 0.2113, "unknown_share_frozen": 0.2391,
            "scores": [{"from": 0.9, "share": 0.3115, "trained": 0.4011}],
            "moved": [{"topic": "shop.drugstore", "share": 0.1462, "trained": 0.0271}],
            "measured_at": "2026-11-22T04:20:03Z",
        }
    ],
    "next": None, "model_id": "topics-b36f98f85e", "simulated": False,
}  # fmt: skip
HEALTH: dict[str, Any] = {
    "status": "ok", "problems": [], "store": "postgresql", "world": "real",
    "scheduler": {"active": True, "until": "2026-11-22T14:09:45Z"}, "unclassified": 0, "dirty_days": 0,
    "runs": [_RUN], "now": "2026-11-22T14:09:00Z",
}  # fmt: skip
ALIVE: dict[str, Any] = {"status": "ok"}
PUSH: dict[str, Any] = {
    "posts": [
        {
            "platform": "instagram", "native_id": "C9x1",
            "author": {"native_id": "mei", "audience_market": "TW", "handle": "mei.travels", "follower_count": 48210},
            "text": "藥妝必買 合利他命EX #大阪",
            "published_at": "2026-11-22T17:12:00+08:00", "like_count": 1204,
        },
        {"platform": "instagram", "native_id": "C9w7", "deleted": True},
    ]
}  # fmt: skip
PUSHED: dict[str, Any] = {
    "items": [
        {
            "index": 0, "platform": "instagram", "native_id": "C9x1", "result": "created", "field": None,
            "reason": None,
        },
        {
            "index": 1, "platform": "instagram", "native_id": "C9w7", "result": "deleted", "field": None,
            "reason": None,
        },
    ],
    "created": 1, "changed": 0, "unchanged": 0, "deleted": 1, "rejected": 0,
}  # fmt: skip


def _problem(status: int, slug: str, title: str, detail: str, hint: str, at: str, *near: str) -> dict[str, Any]:
    return {
        "type": uri_of(slug), "title": title, "status": status, "detail": detail, "hint": hint,
        "near": list(near), "instance": at, "request_id": "0f9c41d2b7a34e6e8f1b5c3a9d2e7f60",
    }  # fmt: skip


PROBLEMS: dict[int, dict[str, Any]] = {
    400: _problem(
        400, "unknown-parameter", "The request cannot be answered as it stands",
        "There is no query parameter 'plase' here.", "Did you mean: place?", "/v1/markets/TW/trends", "place",
    ),
    401: _problem(
        401, "not-signed", "It is not known who asks", "The push is not signed.",
        "Sign it as Standard Webhooks does: webhook-id, webhook-timestamp, webhook-signature.", "/v1/posts",
    ),
    403: _problem(
        403, "scope-needed", "That is not allowed", "The key 'shop' may read; this needs the scope write.",
        "Whoever runs this radar can give a key of scope write.", "/v1/posts",
    ),
    404: _problem(
        404, "unknown-name", "There is no such thing", "There is no market 'TV'.", "Did you mean: TW?",
        "/v1/markets/TV/trends", "TW",
    ),
    406: _problem(
        406, "not-acceptable", "None of the forms of a list is accepted", "A list is not answered as 'image/png'.",
        "Send Accept with one of these, or format= with one of: json, csv, ndjson, xlsx, parquet.",
        "/v1/markets/TW/trends", "application/json", "text/csv",
    ),
    410: _problem(
        410, "gone", "It is not kept any more", "No list of Taiwan is kept as of 2026-01-05 00:00 UTC.",
        "Kept: by the day from 2026-08-24 16:00 UTC on, by the hour from 2026-11-15 14:00 UTC on, until "
        "2026-11-22 14:00 UTC.", "/v1/markets/TW/trends",
    ),
    409: _problem(
        409, "mixed-worlds", "It does not fit what is stored",
        "This store holds simulated posts; real ones cannot join them.",
        "Leave the demo with another RADAR_DATA_DIR, or delete the demo's data folder.", "/v1/posts",
    ),
    413: _problem(
        413, "too-large", "Too much at once", "The batch holds 5,001 posts; at most 5,000 are taken.",
        "Send smaller batches.", "/v1/posts",
    ),
    422: _problem(
        422, "too-vague", "The request cannot be answered as it stands",
        "The brief says too little: nobody can be ranked by it.", "Add topics: what it is about, as shop.drugstore.",
        "/v1/partners", "topics",
    ),
    429: _problem(
        429, "too-many-requests", "Too much at once", "More than 600 requests a minute: wait 1 s.",
        "Retry-After says how long; RateLimit says what is left.", "/v1/topics",
    ),
    500: _problem(
        500, "failure", "Something went wrong here", "The radar failed to answer.",
        "An operator finds the cause in the log.", "/v1/coverage",
    ),
    503: _problem(
        503, "store", "The store is out of reach", "The store did not answer: connection refused.",
        "Try again in a moment; an operator finds more in the log.", "/v1/health/ready",
    ),
}  # fmt: skip
"""By status."""

_AT = "2026-11-22T14:00:00Z"
BESIDE = {
    "items": [
        {"market": "TW", "is_own": True, "trend": "5kt1trpn46cfz", "onsets": ["2026-11-21T09:00:00Z"],
         "first_day": "2026-11-21", "persons": [3, 14], "heard": [98, 104]},
    ],
    "next": None, "days": ["2026-11-21", "2026-11-22"], "as_of": _AT, "simulated": True,
}  # fmt: skip
MATRIX = {
    "items": [
        {"id": "JP", "name": "Japan", "cells": [
            {"market": "TW", "persons_a_day": 15.3, "share": 0.15, "usual_share": 0.12, "change": 1.25, "trends": 2},
        ]},
    ],
    "next": None, "by": "place", "place": None, "window": "7d", "heard": {"TW": 102.0}, "simulated": True,
}  # fmt: skip
_FITTED = {"start": "2026-02-01T03:00:00Z", "end": "2026-11-22T13:00:00Z"}
_ERROR: dict[str, Any] = {
    "days": 7.0, "n": 48210, "hits": 911, "base_rate": 0.0189, "average_precision": 0.214, "auc": 0.873,
    "calibration_error": 0.0041, "skill": 0.118, "skill_floor": 0.094,
}  # fmt: skip
_ARRIVALS_BY: dict[str, Any] = {
    "name": "discrete-time hazard", "fitted_at": "2026-11-16T05:40:00Z", "window": _FITTED, "trends": 2841,
    "arrivals": 1907, "coverage": 0.81, "errors": [_ERROR],
}  # fmt: skip
ARRIVAL: dict[str, Any] = {
    "name": "#yuzulatte", "key": {"text": "yuzulatte", "kind": "hashtag", "gloss": None}, "market": "TW",
    "group": "travel",
    "probabilities": [
        {"days": 1.0, "probability": 0.084}, {"days": 3.0, "probability": 0.221},
        {"days": 7.0, "probability": 0.412}, {"days": 14.0, "probability": 0.498},
    ],
    "expected_at": "2026-11-25T19:00:00Z", "low_at": "2026-11-23T04:00:00Z", "high_at": "2026-12-02T08:00:00Z",
    "seen": [
        {"market": "JP", "trend": "3v8x0c2q5k1zt", "onset_at": "2026-11-16T13:00:00Z", "days_ago": 6.04},
        {"market": "KR", "trend": "1m0c5r8n2w7yd", "onset_at": "2026-11-19T12:00:00Z", "days_ago": 3.08},
    ],
    "usual": {"from": "JP", "n": 37, "low_days": 4.0, "high_days": 9.0}, "error": _ERROR,
    "sentence": "expected in TW: #yuzulatte, seen in JP 6 days ago, KR 3 days ago, 41 % within a week, "
    "usual lag 4-9 days, n = 37",
}  # fmt: skip
ARRIVALS: dict[str, Any] = {
    "items": [ARRIVAL], "next": None, "total": 1, "market": "TW", "model_id": "topics-3f1c2a9b7d", "simulated": False,
    "as_of": "2026-11-22T14:00:00Z", "status": "ok", "message": "1 could arrive in Taiwan, learnt from 2,841 trends.",
    "model": _ARRIVALS_BY,
}  # fmt: skip
LEADS: dict[str, Any] = {
    "items": [
        {
            "first": "JP", "second": "TW", "group": "all", "shared": 64, "ties": 5, "share_first": 0.831, "p": 2.9e-7,
            "q": 8.1e-6, "null_share": 0.512, "null_p": 1.1e-5, "null_q": 3.1e-4, "median_lag_hours": 52.0,
            "low_hours": 38.5, "high_hours": 71.5, "step_hours": 1.0, "lead": True, "answer": "JP before TW",
            "window": _FITTED,
        }
    ],
    "next": None, "group": "all", "model_id": "topics-3f1c2a9b7d", "fitted_at": "2026-11-16T05:40:00Z",
    "message": "1 of 1 pairs show a lead; under 10 shared trends none is shown.", "simulated": False,
}  # fmt: skip
PATH: dict[str, Any] = {
    "id": "3v8x0c2q5k1zt", "market": "JP", "keys": ["#yuzulatte"],
    "items": [
        {
            "market": "JP", "name": "Japan", "trend": "3v8x0c2q5k1zt", "onset_at": "2026-11-16T13:00:00Z",
            "ended_at": "2026-11-20T09:00:00Z", "stage": "fading", "hours_after_first": 0.0, "found_by": "hour",
        },
        {
            "market": "KR", "name": "South Korea", "trend": "1m0c5r8n2w7yd", "onset_at": "2026-11-19T12:00:00Z",
            "ended_at": None, "stage": "rising", "hours_after_first": 71.0, "found_by": "hour",
        },
    ],
    "expected": [ARRIVAL], "next": None, "model_id": "topics-3f1c2a9b7d", "model": _ARRIVALS_BY, "simulated": False,
}  # fmt: skip

ANSWERS: dict[str, dict[str, Any]] = {
    "Markets": MARKETS, "Topics": TOPICS, "Trend": TREND, "TrendPage": TRENDS, "TrendWorking": WORKING,
    "TrendPosts": POSTS,
    "PostPage": {"items": TREND["evidence"], "next": None, "market": "TW", "simulated": False},
    "Coverage": COVERAGE, "Drift": DRIFT, "Health": HEALTH, "Alive": ALIVE, "PushResult": PUSHED,
    "Ready": ALIVE | {"reads": "replica"},
    "MarketsBeside": BESIDE, "Matrix": MATRIX,
    "Problem": PROBLEMS[400], "Arrivals": ARRIVALS, "Arrival": ARRIVAL, "Leads": LEADS, "TrendPath": PATH,
    **author_answers(TREND["evidence"][0]),
}  # fmt: skip
"""By the name of the shape."""


def put_in(document: dict[str, Any], more: dict[str, dict[str, Any]]) -> None:
    """Show an example with every answer and its shape: put in last, for FastAPI drops each null of an example.

    more  examples by the name of the shape, beside ANSWERS
    """
    answers = ANSWERS | more
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for body in operation.get("requestBody", {}).get("content", {}).values():
                body.setdefault("example", schemas[body["schema"]["$ref"].rpartition("/")[2]].get("example"))
            for status, response in operation["responses"].items():
                _answer(response, int(status), answers)
    for shape, example in answers.items():
        schemas[shape]["example"] = example


def _answer(response: dict[str, Any], status: int, answers: dict[str, dict[str, Any]]) -> None:
    """Give an answer its example in each form that is text; JSON comes first."""
    content = response["content"]
    made = next((c for c in content.values() if "$ref" in c.get("schema", {})), None)
    if made is None:
        return
    shape = made["schema"]["$ref"].rpartition("/")[2]
    made["example"] = PROBLEMS[status] if shape == "Problem" else answers[shape]
    response["content"] = dict(sorted(content.items(), key=lambda item: "json" not in item[0].partition("-")[0]))
    items = made["example"].get("items", [])
    if MEDIA[Form.NDJSON] in content:
        content[MEDIA[Form.NDJSON]]["example"] = b"".join(ndjson_pieces([items])).decode()
    if MEDIA[Form.CSV] in content:
        line = next(line for page in all_shapes(Shape) if page.__name__ == shape and (line := line_of(page)))
        columns = columns_of(line)
        rows = list(rows_of(line, items, columns))
        content[MEDIA[Form.CSV]]["example"] = b"".join(csv_pieces(columns, [rows])).decode()


def all_shapes(of: type[Shape]) -> Iterator[type[Shape]]:
    """Every shape that is declared."""
    for shape in of.__subclasses__():
        yield shape
        yield from all_shapes(shape)


__all__ = ["ANSWERS", "AUTHOR_LINE", "PROBLEMS", "PUSH", "put_in"]

"""Examples of keys, series, runs, models and a topic for OpenAPI, invented."""

from typing import Any

_KEY: dict[str, Any] = {"text": "大阪必買", "kind": "hashtag", "gloss": None}
KEYS: dict[str, Any] = {
    "items": [
        {
            "name": "#大阪必買", "key": _KEY, "market": "TW", "place_market": None, "persons": 41, "posts": 52,
            "engagement": 18204, "days": 6, "share": 0.05711,
        }
    ],
    "next": "WyJhYjEyIiwgNDEuMCwgMTE1M10", "total": 3120, "market": "TW", "place": None, "days": 7,
    "last_day": "2026-11-22", "heard": 718, "model_id": "topics-b36f98f85e", "simulated": False,
}  # fmt: skip
SERIES: dict[str, Any] = {
    "items": [
        {
            "start": "2026-11-21T16:00:00Z", "persons": 13, "posts": 17, "engagement": 6120, "heard": 98,
            "expected": 2.114, "low": 0, "high": 6,
        }
    ],
    "next": None, "name": "#大阪必買", "key": _KEY, "market": "TW", "place": None, "bucket": "1d",
    "days_left_out": 0,
    "window": {"start": "2026-09-27T14:00:00Z", "end": "2026-11-22T14:00:00Z"}, "as_of": "2026-11-22T14:00:00Z",
    "model_id": "topics-b36f98f85e", "simulated": False,
}  # fmt: skip
RUNS: dict[str, Any] = {
    "items": [
        {
            "id": "4812", "job": "detect_trends", "started_at": "2026-11-22T14:06:00Z",
            "ended_at": "2026-11-22T14:06:04Z", "outcome": "ok", "rows_in": 21, "rows_out": 3,
            "detail": "3 snapshots over 21 days", "error": None,
        }
    ],
    "next": "WyJhYjEyIiwgNDgxMl0", "jobs": ["classify_posts", "detect_trends", "ingest_posts"],
}  # fmt: skip
MODEL: dict[str, Any] = {
    "id": "topics-b36f98f85e", "active": True, "previous": False, "fitted_at": "2026-11-20T03:11:40Z",
    "labels": 40112, "own_labels": 0, "weak_labels": 0, "macro_f1_out_of_fold": 0.871,
    "frozen": {
        "posts": 1200, "macro_f1": 0.842, "precision": 0.861, "recall": 0.834, "off_topic_given": 0.031,
        "calibration_error": 0.021,
    },
    "passes_gate": True,
}  # fmt: skip
CARD: dict[str, Any] = MODEL | {"topic_ids": ["travel.air", "shop.drugstore"], "thresholds": [0.41, 0.37]}
TOPIC: dict[str, Any] = {
    "id": "shop.drugstore", "group": "shop", "name": "Drugstore",
    "definition": "Drugstore and Donki hauls: over-the-counter medicine, patches, eye drops and toiletries.",
    "names": {"zh-Hant": "藥妝必買", "ja": "薬・日用品", "ko": "드럭스토어", "th": "ร้านขายยา", "en": "Drugstore"},
    "terms": ["藥妝", "ドラッグストア", "드럭스토어"],
    "markets": [
        {"market": "TW", "persons_a_day": 15.3, "share": 0.15, "usual_share": 0.12, "change": 1.25, "trends": 2}
    ],
    "simulated": False,
}  # fmt: skip
ANSWERS = {
    "KeyPage": KEYS, "Series": SERIES, "RunPage": RUNS, "ModelLine": MODEL, "ModelCard": CARD, "TopicTerms": TOPIC,
    "ModelPage": {"items": [MODEL], "next": None, "active": MODEL["id"]},
}  # fmt: skip

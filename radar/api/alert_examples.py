"""Examples of the answers about alerts and watch lists, invented."""

from typing import Any

from radar.api.examples import TREND

_TAKEN = (
    "id", "name", "key", "topic", "market", "place_market", "stage", "onset_at", "seen_at", "observed", "expected",
    "lift", "lift_floor", "p", "q", "tests", "window", "persons", "heard", "posts", "platforms", "sponsored_share",
    "complaints", "narrow", "variants", "sentence",
)  # fmt: skip
_TOLD: dict[str, Any] = {name: TREND[name] for name in _TAKEN} | {
    "since": "2026-11-21T05:00:00Z", "q_asked": 0.05, "model_id": "topics-b36f98f85e", "simulated": False,
    "shadow_warning": False, "watch_list": None, "listed_kols": None,
}  # fmt: skip
RULE: dict[str, Any] = {
    "id": "3", "name": "Japan, drugstore", "active": True, "language": "zh-Hant", "market": "TW", "place": "JP",
    "topic": "shop.drugstore", "key": None, "kinds": [], "stages": ["emerging", "rising", "peaking"], "q": 0.05,
    "lift_floor": 1.5, "watch_list": None, "scope": "travel_shopping", "early": True,
    "begins_at": "2026-11-20T13:00:00Z", "read_upto": "2026-11-22T14:00:00Z", "created_at": "2026-11-20T13:20:00Z",
    "targets": [
        {"id": "5", "kind": "webhook", "address": "https://example.com/hook", "feed": None, "secret": None},
        {"id": "6", "kind": "feed", "address": None, "feed": "/feeds/alerts/3.atom?token=9Yb0", "secret": None},
    ],
}  # fmt: skip
ALERT: dict[str, Any] = {
    "id": "41", "rule": RULE["name"], "rule_id": RULE["id"], "stage": "rising", "changed_at": "2026-11-21T05:00:00Z",
    "told_at": "2026-11-21T05:08:00Z", "trend": _TOLD,
    "deliveries": [
        {
            "id": "msg_4be1", "target": "5", "kind": "webhook", "address": "https://example.com/hook",
            "state": "sent", "attempts": 1, "status": 204, "error": None, "next_at": None,
            "ended_at": "2026-11-21T05:08:01Z",
        }
    ],
}  # fmt: skip
_KEY: dict[str, Any] = {
    "name": "#大阪必買", "key": {"text": "大阪必買", "kind": "hashtag", "gloss": None}, "market": "TW",
    "place_market": None, "added_at": "2026-11-20T10:00:00Z",
}  # fmt: skip
_KOL = {"id": "311", "platform": "instagram", "handle": "mei.travels", "name": "Mei", "market": "TW"}
ANSWERS: dict[str, dict[str, Any]] = {
    "AlertRule": RULE,
    "AlertRulePage": {"items": [RULE], "next": None},
    "Alert": ALERT,
    "AlertPage": {"items": [ALERT], "next": None, "simulated": False},
    "AlertTest": {
        "items": [
            {
                "target": "5", "kind": "webhook", "address": "https://example.com/hook", "ok": True, "status": 204,
                "said": "HTTP 204 No Content",
            }
        ],
        "next": None,
    },
    "WatchListPage": {
        "items": [{"name": "watching", "keys": 1, "kols": 1, "created_at": "2026-11-20T10:00:00Z"}], "next": None
    },
    "WatchList": {
        "name": "watching", "keys": [_KEY], "kols": [_KOL], "created_at": "2026-11-20T10:00:00Z", "simulated": False
    },
}  # fmt: skip

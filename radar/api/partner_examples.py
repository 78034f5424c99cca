"""Examples of the answers about partners for OpenAPI, invented."""

from typing import Any

from radar.api.examples import TREND

_AUTHOR: dict[str, Any] = {
    "id": "118", "person_id": "311", "platform": "instagram", "handle": "mei.travels", "name": "Mei",
    "url": "https://example.com/mei.travels", "follower_count": 48210, "tier": "micro",
    "market": {"code": "TW", "source": "declared", "confidence": 1.0, "reasons": None},
}  # fmt: skip
_TOPIC: dict[str, Any] = {
    "name": "topic", "value": 0.861, "weight": 30.0, "factor": 0.9588,
    "numbers": {"posts": 62, "on_topic": 31, "by_topics": 0.8712, "by_words": 0.8421, "products": {}},
    "why": "31 of its last 62 posts are about Drugstore.", "mind": None, "post_ids": ["40211"],
}  # fmt: skip
_SATURATION: dict[str, Any] = {
    "name": "saturation", "value": 0.12, "weight": 6.0, "factor": 0.8869,
    "numbers": {"sponsored_share": 0.44, "posts": 62, "paid_lately": []}, "why": None,
    "mind": "44 % of 62 posts are marked as paid.", "post_ids": [],
}  # fmt: skip
BRIEF: dict[str, Any] = {
    "text": "想找會介紹日本藥妝的創作者", "from": "JP", "to": "TW", "tiers": ["micro", "mid"], "budget": 60000,
    "weights": {"topic": 40}, "limit": 10,
}  # fmt: skip
PARTNERS: dict[str, Any] = {
    "items": [
        {
            "rank": 1, "author": _AUTHOR, "score": 0.6934, "parts": [_TOPIC, _SATURATION],
            "why": [_TOPIC["why"]], "mind": [_SATURATION["mind"]],
            "price": {
                "low": 28000.0, "high": 57000.0, "currency": "TWD", "heuristic": True, "as_of": "2026-11-01",
                "inputs": {"usd_per_1000": 25.0, "followers": 48210},
                "sentence": "TWD 28,000 to 57,000 a post (heuristic)",
            },
            "posts": TREND["evidence"],
        }
    ],
    "review": [], "next": None,
    "brief": {
        "text": BRIEF["text"], "topics": [{"id": "shop.drugstore", "name": "Drugstore", "weight": 1.0}],
        "products": [], "from": "JP", "to": "TW", "places": [], "platforms": [], "tiers": ["micro", "mid"],
        "budget": 60000.0, "exclude": {"topics": [], "products": [], "authors": []},
    },
    "weights": {"topic": 40.0, "saturation": 6.0}, "diversity": 0.2, "looked_at": 98, "left_out": {"budget": 12},
    "message": "1 of 98 KOLs of Taiwan.", "notes": ["Read as: Drugstore."],
    "commenters": "Overlap of commenters is not known: no source here brings the names of those who comment.",
    "as_of": "2026-11-22T14:00:00Z", "model_id": "topics-b36f98f85e", "simulated": False,
}  # fmt: skip
SIMILAR: dict[str, Any] = {
    "items": [
        {
            "rank": 1, "author": _AUTHOR | {"id": "131", "person_id": "402", "handle": "lin.eats", "name": "Lin"},
            "likeness": 0.8312, "by": {"audience": 1.0, "topics": 0.8821, "style": 0.7014, "places": 0.7401},
            "commenter_overlap": None, "sentence": "Both speak of Drugstore; the same size, on the same platform.",
        }
    ],
    "next": None, "author": _AUTHOR, "message": "1 KOLs alike.", "commenters": PARTNERS["commenters"],
    "simulated": False,
}  # fmt: skip
OF_TREND: dict[str, Any] = {
    "items": [
        {
            "rank": 1, "author": _AUTHOR, "first_post_at": "2026-11-20T12:10:00Z",
            "first_post_url": "https://example.com/p/1", "posts": 2, "sponsored": 0, "engagement": 326, "share": 0.14,
            "engagement_rank": 3, "earlier_than": 1.0, "sentence": "came before 16 of 16 others, 2 posts of it",
        }
    ],
    "next": None, "trend": TREND["id"], "order": "early", "persons": 17,
    "platforms": [
        {"platform": "instagram", "persons": 12, "posts": 14}, {"platform": "youtube", "persons": 6, "posts": 7},
    ],
    "window": {"start": "2026-11-21T14:00:00Z", "end": "2026-11-22T14:00:00Z"}, "simulated": False,
}  # fmt: skip
ANSWERS = {"Partners": PARTNERS, "SimilarAuthors": SIMILAR, "TrendAuthors": OF_TREND}

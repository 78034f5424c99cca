"""Examples of the answers about KOLs, invented."""

from typing import Any

_DRUGSTORE = {"id": "shop.drugstore", "name": "Drugstore", "posts": 11, "share": 0.24}
_JAPAN = {"id": "JP", "name": "Japan", "posts": 19, "share": 0.41}

AUTHOR_LINE: dict[str, Any] = {
    "id": "311", "platform": "instagram", "handle": "mei.travels", "name": "Mei", "url": "https://example.com/mei",
    "market": "TW", "person_id": "311", "measured": True, "tier": "micro", "follower_count": 48210,
    "last_post_at": "2026-11-22T09:12:00Z", "post_count": 41, "rated_count": 37, "low_confidence": False,
    "er_followers": 0.034, "er_views": None, "engagement_percentile": 0.81, "peer_count": 214, "growth": 0.021,
    "sponsored_share": 0.049, "early": 0.68, "early_count": 9, "topics": [_DRUGSTORE], "places": [_JAPAN],
}  # fmt: skip

_MEASURES: dict[str, Any] = {
    "measured_at": "2026-11-22T13:25:00Z", "window_days": 60, "low_confidence": False, "enough": 8,
    "peers": {"market": "TW", "platform": "instagram", "tier": "micro", "rated": 214},
    "rates": [
        {
            "name": "er_followers", "value": 0.034, "n": 37, "percentile": 0.81, "peers": 214,
            "quartiles": [0.011, 0.02, 0.03],
        }
    ],
    "posts_per_week": 4.8, "paid": {"share": 0.049, "posts": 2, "of": 41, "over_organic": None},
    "complaints": {"share": 0.07, "posts": 41},
    "early": {"score": 0.68, "low": 0.47, "high": 0.86, "null": 0.49, "p": 0.031, "trends": 9},
    "topics": [_DRUGSTORE], "places": [_JAPAN],
    "rhythm": {
        "by_hour": [0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 1, 2, 4, 3, 1, 1, 2, 2, 3, 5, 6, 4, 2, 1],
        "by_weekday": [5, 5, 6, 5, 6, 7, 7], "gap_hours": 27.5, "active_days": 33, "zone": "Asia/Taipei",
    },
    "growth_days": 30, "top_posts": [],
    "brands": [{"id": "cosrx", "name": "COSRX", "posts": 1, "first_on": "2026-10-02", "last_on": "2026-10-02"}],
    "signals": [
        {
            "name": "engagement_spread", "value": 0.62, "n": 37, "percentile": 0.44, "peers": 214, "is_odd": False,
            "odd_end": "low",
        }
    ],
}  # fmt: skip


def author_answers(post: dict[str, Any]) -> dict[str, Any]:
    """By the name of the shape in radar.api.kol_shapes.  post  an example of a post."""
    profile = AUTHOR_LINE | {
        "bio": "Trips to Japan, drugstore hauls", "languages": ["zh-Hant"], "market_known": post["author"]["market"],
        "corrected": [], "first_seen_at": "2026-09-01T00:00:00Z", "first_post_at": "2026-06-01T08:00:00Z",
        "accounts": [{"id": "312", "platform": "youtube", "handle": "meitravels", "name": "Mei"}],
        "followers": [{"day": "2026-11-22", "count": 48210}], "posts": [post],
        "notes": [{"id": "7", "text": "Met at the fair in May.", "written_at": "2026-05-20T10:00:00Z"}],
        "lists": ["shortlist"], "simulated": False, "measures": _MEASURES,
    }  # fmt: skip
    return {
        "AuthorPage": {"items": [AUTHOR_LINE], "next": None, "sort": "engagement", "simulated": False},
        "AuthorProfile": profile,
        "AuthorComparison": {"items": [profile], "next": None, "simulated": False},
        "ListPage": {
            "items": [{"name": "shortlist", "members": 1, "created_at": "2026-11-20T10:00:00Z"}], "next": None
        },
        "Done": {"done": "1 on shortlist"},
    }  # fmt: skip

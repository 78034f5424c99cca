"""What the nightly measurement says of drift: how far each market's posts lie from what the model was trained on."""

from typing import Any

from sqlalchemy.orm import Session

from radar.answers.standing import shipped
from radar.markets import MARKETS, market
from radar.store.drift import DriftRow, newest_drift
from radar.store.engine import world_of
from radar.store.promotion import active_model


def drift(session: Session, market_code: str | None = None) -> dict[str, Any]:
    """The active model's newest measurement by market. Raises UnknownName."""
    only = market(market_code).code if market_code else None
    model_id = active_model(session) or shipped()
    found = newest_drift(session, model_id)
    return {
        "items": [_line(code, found.get(code)) for code in MARKETS if only in (None, code)],
        "next": None,
        "model_id": model_id,
        "simulated": world_of(session) == "simulated",
    }


def _line(code: str, row: DriftRow | None) -> dict[str, Any]:
    if row is None:
        status, message = "not_measured", "Not measured yet: `radar run measure_drift`, or wait for the night."
    elif row.score_divergence is None:
        status = "not_enough_posts"
        message = f"Not enough posts: {row.posts:,} in seven days, {row.working['fewest']} are needed."
    else:
        status, message = "ok", _sentence(row)
    working = row.working if row and status == "ok" else {}
    return {
        "market": code,
        "status": status,
        "message": message,
        "last_day": row and row.last_day,
        "days": working.get("days"),
        "posts": row.posts if row else None,
        "sample": working.get("sample"),
        "labels": working.get("labels"),
        "score_divergence": row and _rounded(row.score_divergence),
        "score_divergence_by_chance": _rounded(working.get("score_divergence_by_chance")),
        "topic_divergence": row and _rounded(row.topic_divergence),
        "topic_divergence_by_chance": _rounded(working.get("topic_divergence_by_chance")),
        "no_topic_share": row and _rounded(row.no_topic_share),
        "no_topic_share_trained": _rounded(working.get("no_topic_share_trained")),
        "unknown_share": row and _rounded(row.unknown_share),
        "unknown_share_frozen": _rounded(working.get("unknown_share_frozen")),
        "scores": working.get("scores", []),
        "moved": working.get("moved", []),
        "measured_at": row and row.measured_at,
    }


def _sentence(row: DriftRow) -> str:
    told = f"{row.posts:,} posts in seven days"
    if row.unknown_share is not None:
        expected = row.working["unknown_share_frozen"]
        told += f"; {row.unknown_share:.0%} of their words are unknown to the model ({expected:.0%} on frozen posts)"
    assert row.no_topic_share is not None
    trained = row.working["no_topic_share_trained"]
    return f"{told}; {row.no_topic_share:.0%} have no topic ({trained:.0%} of the labels)."


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

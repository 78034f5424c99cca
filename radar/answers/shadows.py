"""What the last shadow run says beside a list: false trends a day against those found, with n."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from radar.store.shadow import newest_shadow
from radar.windows import RANKED, Bucket

WARN_AT = 2.0
"""Times the nominal share of false trends from which a list carries a warning."""


def shadow_seen(
    session: Session, model_id: str, market: str, upto: date, q: float, buckets: Sequence[Bucket] = RANKED
) -> dict[str, Any] | None:
    """The newest shadow run of a market up to a day, at the bucket lengths of a list; None where there was none yet."""
    rows = [row for row in newest_shadow(session, model_id, market, upto) if row.bucket in buckets]
    if not rows:
        return None
    trends, false = sum(row.trends for row in rows), sum(row.shadow_trends for row in rows)
    by_day = sum(row.trends / row.days for row in rows)
    false_by_day = sum(row.shadow_trends / row.days for row in rows)
    share = false_by_day / by_day if by_day else None
    warning = share is not None and share > WARN_AT * q
    told = (
        f"Shadow run to {rows[0].last_day}: where there can be no trend {false:g} were found "
        f"({false_by_day:.2f} a day), beside {trends} found as things are ({by_day:.2f} a day)."
    )
    return {
        "last_day": rows[0].last_day,
        "days": max(row.days for row in rows),
        "trends": trends,
        "shadow_trends": false,
        "trends_a_day": round(by_day, 3),
        "shadow_trends_a_day": round(false_by_day, 3),
        "share": None if share is None else round(share, 4),
        "warning": warning,
        "sentence": told + (" That is more than twice the nominal share: read this list with care." if warning else ""),
    }

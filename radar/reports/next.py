"""What is expected next: of the forecasts there are, those that were made for the days after the week."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar import answers
from radar.answers.diffusion import MAX_LIMIT
from radar.markets import Market
from radar.reports.week import Week

SHOWN = 8
_NEAR = timedelta(days=1), timedelta(days=8)
"""How long before and after the week's end a forecast was made to say what comes after it."""


def expected_next(session: Session, about: Market, country: str, week: Week) -> dict[str, Any]:
    """Trends that were seen in the place market and are expected in this one.

    status  as arrivals answer, or `other_time`: forecasts are kept of the present only, and it is another week's
    """
    found = answers.arrivals(session, about.code, limit=MAX_LIMIT)
    at = found["as_of"]
    status, items = found["status"], found["items"]
    if status == "ok" and at is not None and not week.end - _NEAR[0] <= at <= week.end + _NEAR[1]:
        status, items = "other_time", []
    there = [item for item in items if any(seen["market"] == country for seen in item["seen"])]
    return {
        "status": status, "message": found["message"], "as_of": at, "items": there[:SHOWN], "total": len(there),
        "from_elsewhere": len(items) - len(there), "model": found["model"],
    }  # fmt: skip

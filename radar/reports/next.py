"""What is expected next: of the forecasts that are kept, the one that was made for the days after the week."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar import answers
from radar.markets import Market
from radar.reports.week import Week

SHOWN = 8
_NEAR = timedelta(days=1), timedelta(days=8)
"""How long before and after the week's end a forecast was made to say what comes after it."""


def expected_next(session: Session, about: Market, country: str, week: Week, kept_days: int) -> dict[str, Any]:
    """Trends that were seen in the place market and are expected in this one, as was forecast at the week's end.

    status  as arrivals answer, or `not_kept`: no forecast of then is kept, the oldest is of `since` (None: none is)
    """
    found = answers.forecast_near(session, about.code, week.end, *_NEAR)
    there = [item for item in found["items"] if any(seen["market"] == country for seen in item["seen"])]
    return {
        "status": found["status"], "message": found["message"], "as_of": found["as_of"], "since": found["since"],
        "kept_days": kept_days,
        "items": there[:SHOWN], "total": len(there), "from_elsewhere": len(found["items"]) - len(there),
        "model": found["model"],
    }  # fmt: skip

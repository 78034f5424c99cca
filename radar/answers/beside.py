"""A trend's key in every market, on one axis of days: who else speaks of it, and where it came on first."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.ids import episode_number, trend_id
from radar.answers.items import persons_of
from radar.answers.standing import shipped
from radar.answers.working import best_moment
from radar.markets import MARKETS, day_start, local_day
from radar.store import answers as store
from radar.store.counts import counted_days
from radar.store.engine import world_of
from radar.store.promotion import active_model

DAYS = 56


def trend_markets(
    session: Session, episode_id: str, as_of: datetime | None = None, window: str | None = None
) -> dict[str, Any]:
    """The markets in which a trend's key was used in the last 56 days, with their onsets.

    Parameters are those of `trend_working`.

    A topic, a place and a product are one key in every language; a word or hashtag is its own text only.

    Raises UnknownName.
    """
    chosen = best_moment(session, episode_number(episode_id), as_of, window, asked=episode_id)
    seen, at = chosen.best, chosen.as_of
    own = seen.audience_market
    last = local_day(at - timedelta(microseconds=1), MARKETS[own].tz)
    days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    preferred = active_model(session) or shipped()
    rows: list[dict[str, Any]] = []
    for about in MARKETS.values():
        model = seen.model_id if about.code == own else store.counted_model(session, about.code, preferred)
        counts = counted_days(session, model, about.code, days[0], last)
        persons = [persons_of(counts[d], seen.key_hash, seen.own_place) if d in counts else None for d in days]
        first = next((day for day, n in zip(days, persons, strict=True) if n), None)
        if first is None and about.code != own:
            continue
        since = day_start(days[0], about.tz)
        found = store.episodes_of_key(session, model, about.code, seen.key_hash, since, at)
        rows.append(
            {
                "market": about.code,
                "is_own": about.code == own,
                "trend": trend_id(found[-1].id) if found else None,
                "onsets": sorted({episode.onset_at for episode in found}),
                "first_day": first,
                "persons": persons,
                "heard": [counts[d].day_persons if d in counts else None for d in days],
            }
        )
    rows.sort(key=lambda row: (row["onsets"][0].timestamp() if row["onsets"] else float("inf"), not row["is_own"]))
    return {"items": rows, "next": None, "days": days, "as_of": at, "simulated": world_of(session) == "simulated"}

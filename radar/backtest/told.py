"""A back-test in words: the lines of a past list, and what the figures of a market rest on."""

from datetime import date, timedelta
from typing import Any

from radar.answers import trend_id
from radar.answers.items import Ranked
from radar.answers.names import place_market
from radar.backtest.replay import Replay
from radar.keys import Kind
from radar.trends.evaluation import (
    BASELINE_DAYS,
    LEAST_BASELINE_DAYS,
    LIST_DAYS,
    TOO_LITTLE,
)


def described(replay: Replay, on: date, line: Ranked, key: dict[str, Any]) -> dict[str, Any]:
    """A line of a past list with what came of it."""
    seen = line.seen
    item: dict[str, Any] = {
        "rank": line.rank, "id": trend_id(seen.episode_id), "name": key["name"], "gloss": key["gloss"],
        "kind": key["kind"], "bucket": seen.bucket, "place_market": place_market(seen.place),
        "stage": line.stages[-1][1] if line.stages else seen.stage, "onset_at": seen.onset_at,
        "lift": seen.working["lift"], "q": seen.q, "score": seen.score, "persons": seen.working["persons"],
    }  # fmt: skip
    outcome = replay.outcome(Kind(seen.kind), on)
    series = replay.history(Kind(seen.kind)).find(seen.key_hash, seen.own_place)
    if outcome is None or series < 0:
        return item | {
            "large": False,
            "already": False,
            "times_usual": 0.0,
            "usual_per_day": None,
            "gain": None,
            "peak_on": None,
        }
    peak = int(outcome.peak[series])
    return item | {
        "large": bool(outcome.large[series]),
        "already": bool(outcome.already[series]),
        "times_usual": round(float(outcome.times[series]), 2),
        "usual_per_day": round(float(outcome.usual[series]), 3),
        "gain": round(float(outcome.gain[series]), 1),
        "peak_on": replay.first + timedelta(days=peak) if peak >= 0 else None,
    }


def about_market(replay: Replay) -> dict[str, Any]:
    """What the figures of this market rest on."""
    since = replay.moments[0] - timedelta(days=BASELINE_DAYS + LIST_DAYS - 1) if replay.moments else None
    until = replay.moments[-1] + timedelta(days=replay.plan.horizon) if replay.moments else None
    used = [d for d in replay.counted if since and until and since <= d.local_day <= until]
    late = [d for d in used if d.counted_at > replay.end(d.local_day) + timedelta(days=1)]
    return {
        "market": replay.market.code,
        "name": replay.market.name,
        "zone": replay.market.zone,
        "model_id": replay.stand.model_id,
        "simulated": replay.stand.simulated,
        "status": "ok" if replay.moments else TOO_LITTLE if replay.counted else "no_data",
        "message": _message(replay),
        "lists_on": replay.moments,
        "skipped": replay.skipped,
        "days": {"first": used[0].local_day if used else None, "last": until, "counted": len(used)},
        "recounted_days": len(late),
        "kept_from": replay.kept_from,
        "series": {
            kind.name.lower(): outcome.field
            for kind in (replay.histories if replay.moments else ())
            if (outcome := replay.outcome(kind, replay.moments[-1])) is not None
        },
    }


def _message(replay: Replay) -> str:
    n = len(replay.moments)
    if n:
        return f"{n} list{'' if n == 1 else 's'}, as of the ends of {replay.moments[0]} to {replay.moments[-1]}."
    if not replay.counted:
        return replay.stand.reason or f"Nothing is counted for {replay.market.name}."
    need = LEAST_BASELINE_DAYS + LIST_DAYS + replay.plan.horizon
    days = sum(d.person_count > 0 for d in replay.counted)
    if replay.kept_from is None:
        return f"Not enough history: {days} days counted, and no trend was ever listed."
    if replay.earliest and replay.latest and replay.earliest <= replay.latest:
        return (
            f"Not enough history in the span asked for: lists of {replay.earliest} to {replay.latest} can be judged "
            f"over {replay.plan.horizon} days."
        )
    first = replay.earliest + timedelta(days=replay.plan.horizon + 1) if replay.earliest else None
    when = f" The first list can be judged on {first}, if posts keep coming." if first else ""
    return f"Not enough history: {days} days counted; a list, its baseline and its horizon need {need}.{when}"

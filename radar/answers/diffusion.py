"""How trends pass between markets: arrivals that are expected, who leads whom, and one trend's path."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.curation import muted_keys
from radar.answers.ids import episode_number, trend_id
from radar.answers.names import UnknownFilter, key_shown
from radar.answers.standing import shipped
from radar.errors import CallerError, Gone, UnknownName
from radar.lead_lag import EVERYTHING, FEWEST
from radar.markets import MARKETS, Market, market
from radar.store import answers as stored
from radar.store import diffusion as store
from radar.store.counts import KeyName, key_names
from radar.store.diffusion import Forecast, KeptForecast, KeptModel, Onset
from radar.store.engine import world_of
from radar.store.promotion import active_model
from radar.windows import Bucket

GROUPS = (EVERYTHING, "travel", "shop")
MAX_LIMIT = 100
WEEK = 7.0
_AROUND = timedelta(days=60)
_GAP = timedelta(days=28)
_WAIT = "Not fitted yet: `radar run fit_arrivals`, or wait for Monday's run."
Item = dict[str, Any]


def arrivals(session: Session, market_code: str, *, limit: int | None = 20, as_of: datetime | None = None) -> Item:
    """Trends of other markets that are expected in one, the likeliest within a week first.

    limit  None: all that are forecast;    as_of  the forecast of then: of the past, each day's last one is kept

    Raises UnknownName, Gone, and CallerError for a limit outside 1..100.
    """
    about = market(market_code)
    if limit is not None and not 1 <= limit <= MAX_LIMIT:
        raise CallerError(f"limit: {limit} is not from 1 to {MAX_LIMIT}.", "Ask for limit=20.")
    model_id = active_model(session) or shipped()
    kept = store.kept_model(session, model_id)
    rows = store.forecasts(session, model_id, about.code) if kept else []
    at = rows[0].as_of if rows else None
    if as_of is not None and kept is not None:
        last = store.kept_forecasts(session, model_id, about.code, date.min, date.max)
        newest = max((one for one in (at, last.as_of if last else None) if one), default=None)
        if newest is not None and as_of < newest:
            past = _kept_as_of(session, model_id, about, as_of, newest)
            at, rows = past.as_of, past.rows
    muted = muted_keys(session, about.code, [row.key_hash for row in rows])
    expected = [row for row in rows if row.key_hash not in muted]
    names = key_names(session, [row.key_hash for row in expected[:limit]])
    return {
        "items": [_arrival(row, names.get(row.key_hash), kept) for row in expected[:limit] if kept],
        "next": None,
        "total": len(expected),
        "market": about.code,
        "model_id": model_id,
        "simulated": world_of(session) == "simulated",
        "as_of": at,
        **_standing(kept, len(expected), about.name),
        "model": _model(kept),
    }


def _kept_as_of(session: Session, model_id: str, about: Market, as_of: datetime, newest: datetime) -> KeptForecast:
    """What was forecast at a moment of the past. Raises Gone, and says what is kept."""
    day = as_of.date()
    found = store.kept_forecasts(session, model_id, about.code, date.min, day)
    if found is not None and found.as_of > as_of:  # that day's last one is of later
        found = store.kept_forecasts(session, model_id, about.code, date.min, day - timedelta(days=1))
    if found is None:
        first = store.first_kept_forecast(session, model_id, about.code)
        since = f"each day's last since {first:%Y-%m-%d %H:%M} UTC, and " if first and first < newest else ""
        said = f"No forecast for {about.name} is kept as of {as_of:%Y-%m-%d %H:%M} UTC."
        raise Gone(said, f"Kept: {since}the newest, of {newest:%Y-%m-%d %H:%M} UTC.")
    return found


def forecast_near(session: Session, market_code: str, at: datetime, before: timedelta, after: timedelta) -> Item:
    """The forecast that was made nearest to a moment of the past, the last before it where there is one.

    status  as `arrivals`, or `not_kept` where none is; since: when the oldest that is kept was made
    """
    about, model_id = market(market_code), active_model(session) or shipped()
    first, day, last = ((at + by).date() for by in (-before, timedelta(0), after))
    found = store.kept_forecasts(session, model_id, about.code, first, day) or store.kept_forecasts(
        session, model_id, about.code, day, last, newest=False
    )
    present = arrivals(session, about.code, limit=1)
    since = store.first_kept_forecast(session, model_id, about.code)
    if found is None and present["as_of"] is not None and at - before <= present["as_of"] <= at + after:
        return arrivals(session, about.code, limit=MAX_LIMIT) | {"since": since}
    if found is None:
        status = "not_kept" if present["status"] == "ok" else present["status"]
        return present | {"status": status, "items": [], "total": 0, "as_of": None, "since": since}
    kept = store.kept_model(session, model_id)
    names = key_names(session, [row.key_hash for row in found.rows])
    muted = muted_keys(session, about.code, [row.key_hash for row in found.rows])
    items = [_arrival(row, names.get(row.key_hash), kept) for row in found.rows if kept and row.key_hash not in muted]
    standing = {**_standing(kept, len(items), about.name), "status": "ok"}
    return present | standing | {
        "items": items[:MAX_LIMIT], "total": len(items), "as_of": found.as_of, "since": since,
    }  # fmt: skip


def _standing(kept: KeptModel | None, expected: int, name: str) -> Item:
    if kept is None:
        return {"status": "not_fitted", "message": _WAIT}
    if kept.working["reason"]:
        return {"status": "no_forecast", "message": kept.working["reason"]}
    if name not in {MARKETS[code].name for code in kept.working["markets"] if code in MARKETS}:
        return {
            "status": "no_forecast",
            "message": f"No trend was seen in {name} yet, so nothing is known of its ways.",
        }
    told = f"{expected} could arrive" if expected else "Nothing live elsewhere is likely to arrive"
    return {"status": "ok", "message": f"{told} in {name}, learnt from {kept.working['trends']:,} trends."}


def _model(kept: KeptModel | None) -> Item | None:
    """What forecasts rest on, with their error on later data."""
    if kept is None:
        return None
    w = kept.working
    return {
        "name": "discrete-time hazard", "fitted_at": kept.fitted_at,
        "window": {"start": kept.since, "end": kept.until},
        "trends": w["trends"], "arrivals": w["arrivals"], "coverage": _rounded(w["coverage"]),
        "errors": [{name: _rounded(value) for name, value in error.items()} for error in w["errors"]],
    }  # fmt: skip


def _arrival(row: Forecast, name: KeyName | None, kept: KeptModel) -> Item:
    w = row.working
    key = key_shown(name, MARKETS[row.audience_market].languages[0])
    seen = [_seen(one, row.as_of) for one in w["seen"]]
    usual = _usual(row.audience_market, seen, kept.working["usual"])
    error = next((e for e in kept.working["errors"] if e["days"] == WEEK), None)
    return {
        "name": key["name"],
        "key": {part: key[part] for part in ("text", "kind", "gloss")},
        "market": row.audience_market,
        "group": w["group"],
        "probabilities": [{"days": float(days), "probability": p} for days, p in w["probabilities"].items()],
        **{name: datetime.fromisoformat(w[name]) for name in ("expected_at", "low_at", "high_at")},
        "seen": seen,
        "usual": usual,
        "error": {name: _rounded(value) for name, value in error.items()} if error else None,
        "sentence": sentence(row.audience_market, key["name"], seen, row.week, usual),
    }


def _seen(one: Mapping[str, Any], as_of: datetime) -> Item:
    at = datetime.fromisoformat(one["onset_at"])
    days = max(0.0, (as_of - at) / timedelta(days=1))
    return {"market": one["market"], "trend": trend_id(one["episode_id"]), "onset_at": at, "days_ago": round(days, 2)}


def _usual(to: str, seen: Sequence[Item], lags: Mapping[str, Sequence[float]]) -> Item | None:
    """The lag from the market that has led there most often."""
    found = [(lags[pair], one["market"]) for one in seen if (pair := f"{one['market']}>{to}") in lags]
    if not found:
        return None
    (n, low, high), source = max(found, key=lambda lag: lag[0][0])
    return {"from": source, "n": int(n), "low_days": round(low / 24, 1), "high_days": round(high / 24, 1)}


def sentence(to: str, name: str, seen: Sequence[Item], week: float, usual: Item | None) -> str:
    """What a person can repeat.

    >>> seen = [{"market": "JP", "days_ago": 6.1}, {"market": "KR", "days_ago": 3.0}]
    >>> sentence("TW", "#yuzu", seen, 0.412, {"from": "JP", "n": 37, "low_days": 4.0, "high_days": 9.0})
    'expected in TW: #yuzu, seen in JP 6 days ago, KR 3 days ago, 41 % within a week, usual lag 4-9 days, n = 37'
    """
    where = ", ".join(f"{one['market']} {_ago(one['days_ago'])}" for one in seen)
    told = f"expected in {to}: {name}, seen in {where}, {100 * week:.0f} % within a week"
    if usual is None:
        return told
    return f"{told}, usual lag {usual['low_days']:g}-{usual['high_days']:g} days, n = {usual['n']}"


def _ago(days: float) -> str:
    if days < 1:
        return f"{max(1, round(24 * days))} hours ago"
    return f"{round(days)} day{'' if round(days) == 1 else 's'} ago"


def leads(session: Session, *, market_code: str | None = None, group: str | None = None) -> Item:
    """Which market has trends first, pair by pair; those with a lead first. Raises UnknownName."""
    only = market(market_code).code if market_code else None
    wanted = (group or EVERYTHING).lower()
    if wanted not in GROUPS:
        raise UnknownFilter("group", wanted[:40], list(GROUPS))
    model_id = active_model(session) or shipped()
    kept = store.kept_model(session, model_id)
    found = [
        row
        for row in store.leads(session, model_id)
        if row.topic_group == wanted and only in (None, row.first_market, row.second_market)
    ]
    items = [
        {"first": row.first_market, "second": row.second_market, "group": row.topic_group}
        | {name: _rounded(row.figures[name]) for name in _FIGURES}
        | {"window": {"start": row.figures["since"], "end": row.figures["until"]}}
        for row in found
    ]
    items.sort(key=lambda item: (not item["lead"], item["q"] if item["q"] is not None else 2.0, -item["shared"]))
    shown = sum(item["lead"] for item in items)
    if kept is None:
        message = _WAIT
    elif not items:
        message = "No two markets share a trend yet: no lead shown."
    else:
        message = f"{shown} of {len(items)} pairs show a lead; under {FEWEST} shared trends none is shown."
    return {
        "items": items, "next": None, "group": wanted, "model_id": model_id, "message": message,
        "fitted_at": kept.fitted_at if kept else None, "simulated": world_of(session) == "simulated",
    }  # fmt: skip


_FIGURES = (
    "shared", "ties", "share_first", "p", "q", "null_share", "null_p", "null_q", "median_lag_hours", "low_hours",
    "high_hours", "step_hours", "lead", "answer",
)  # fmt: skip


def stops_of(session: Session, own: stored.Episode) -> list[Item]:
    """Where a trend came on, by market, the first one first: by its own keys and its variants' that mean the same."""
    keys = store.crossing_keys(session, own.id, own.leader_id) or [own.key_hash]
    found = store.onsets_of(session, own.model_id, keys, own.onset_at - _AROUND, own.onset_at + _AROUND)
    return _stops(found, own.onset_at)


def path(session: Session, episode_id: int | str) -> Item:
    """One trend over all markets: where it began when, and where it is expected. Raises UnknownName."""
    number = episode_number(episode_id) if isinstance(episode_id, str) else episode_id
    own = stored.episodes(session, [number]).get(number)
    if own is None:
        raise UnknownName("trend", str(episode_id)[:60], [])
    keys = store.crossing_keys(session, number, own.leader_id) or [own.key_hash]
    found = store.onsets_of(session, own.model_id, keys, own.onset_at - _AROUND, own.onset_at + _AROUND)
    stops = _stops(found, own.onset_at)
    names = key_names(session, keys)
    language = MARKETS[own.audience_market].languages[0]
    kept = store.kept_model(session, own.model_id)
    there = {stop["market"] for stop in stops}
    mine = {onset.id for onset in found}
    expected = [
        row
        for row in (store.forecasts_of(session, own.model_id, keys) if kept else [])
        if any(one["episode_id"] in mine for one in row.working["seen"])  # not of another wave of the same keys
    ]
    return {
        "id": trend_id(number),
        "market": own.audience_market,
        "keys": [key_shown(names.get(key), language)["name"] for key in keys],
        "items": stops,
        "expected": [
            _arrival(row, names.get(row.key_hash), kept)
            for row in expected
            if kept and row.audience_market not in there
        ],
        "next": None,
        "model_id": own.model_id,
        "model": _model(kept),
        "simulated": world_of(session) == "simulated",
    }


def _stops(found: Sequence[Onset], about: datetime) -> list[Item]:
    """First onset and last end by market, of the onsets that follow each other without a gap around a moment."""
    wave: list[Onset] = []
    for onset in found:
        if wave and onset.onset_at - wave[-1].onset_at > _GAP:
            if wave[-1].onset_at >= about:
                break
            wave = []
        wave.append(onset)
    by_market: dict[str, list[Onset]] = {}
    for onset in sorted(wave, key=lambda o: (Bucket(o.bucket) is Bucket.DAY, o.onset_at)):
        by_market.setdefault(onset.audience_market, []).append(onset)
    first = min((own[0].onset_at for own in by_market.values()), default=about)
    stops = []
    for code, own in by_market.items():
        ends = [onset.ended_at for onset in own]
        stops.append(
            {
                "market": code, "name": MARKETS[code].name, "trend": trend_id(own[0].id), "onset_at": own[0].onset_at,
                "ended_at": None if None in ends else max(end for end in ends if end), "stage": own[-1].stage,
                "hours_after_first": round((own[0].onset_at - first) / timedelta(hours=1), 1),
                "found_by": "day" if Bucket(own[0].bucket) is Bucket.DAY else "hour",
            }
        )  # fmt: skip
    return sorted(stops, key=lambda stop: stop["onset_at"])


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value

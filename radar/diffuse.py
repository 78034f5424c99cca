"""Diffusion: which market leads which, and what enters a market next, from the onsets of stored trends.

A trend here is a hashtag, a product or a tracked key: what means the same in every market. Its episodes about all
places or one, by the hour or the day, are one; the first onset in a market counts, one by the hour before one by the
day, whose time is taken as the noon of that day. An onset more than GAP after the last one anywhere begins another
trend. A key that was a variant of another such key in some market is that key's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from radar.arrivals import HORIZON, HORIZONS, LIVE, ArrivalModel
from radar.arrivals.keeping import from_bytes, to_bytes
from radar.arrivals.panel import script_of
from radar.lead_lag import EVERYTHING, pair_table
from radar.markets import MARKETS
from radar.store import diffusion as store
from radar.store.diffusion import Forecast, KeptModel, Onset
from radar.store.engine import reading, writing
from radar.windows import Bucket

HISTORY = timedelta(days=400)
"""Onsets that are learnt from, before the newest."""
GAP = timedelta(days=28)
LEAST = 0.01
"""Forecasts below this chance within two weeks are not kept."""
MOST = 200
"""Forecasts kept of a market."""
MOST_LATER = 60
"""Of these, how many of a day's last ones are kept for later."""
HALF_DAY = timedelta(hours=12)


class Diffusion(NamedTuple):
    """What a refit found."""

    trends: int
    onsets: int
    leads: int
    reason: str | None


def onset_frame(found: Sequence[Onset]) -> pd.DataFrame:
    """Rows of trend, market, onset_at, known_at, step, group, script, key, episode: a trend's first onset in a market.

    known_at  when the radar first knew that it was on there: of a day, its end
    """
    rows = [
        (o.key_hash, o.audience_market, _moment(o), o.onset_at, Bucket(o.bucket).length, _group(o), o.text, o.id)
        for o in found
    ]
    names = ["key", "market", "onset_at", "known_at", "step", "group", "text", "episode"]
    frame = pd.DataFrame(rows, columns=names).astype({"key": "int64", "episode": "int64"})
    frame["onset_at"] = pd.to_datetime(frame["onset_at"], utc=True)
    frame["known_at"] = pd.to_datetime(frame["known_at"], utc=True)
    frame["step"] = pd.to_timedelta(frame["step"])
    frame["key"] = frame["key"].map(_leading(found)).astype("int64")
    frame = frame.sort_values(["key", "onset_at"], kind="stable")
    later = frame.groupby("key")["onset_at"].diff() > GAP
    frame["wave"] = later.groupby(frame["key"]).cumsum()
    frame["trend"] = frame["key"].astype(str) + "." + frame["wave"].astype(str)
    frame["script"] = script_of(frame["text"].astype(str))
    frame["known_at"] = frame.groupby(["trend", "market"])["known_at"].transform("min")
    frame = frame.sort_values(["step", "onset_at"], kind="stable").drop_duplicates(["trend", "market"])
    groups = frame.groupby("trend")["group"].transform("first").astype(object)
    frame["group"] = groups.where(groups.notna(), None)  # no NaN: it is written as JSON
    return frame.sort_values("onset_at", kind="stable").reset_index(drop=True)


def _as_known(frame: pd.DataFrame) -> pd.DataFrame:
    """Onsets at the moment they were known: what is forecast, and judged, may not see the afternoon of its day."""
    return frame.assign(onset_at=frame["known_at"])


def _group(onset: Onset) -> str | None:
    return onset.topic_id.partition(".")[0] if onset.topic_id else None


def _moment(onset: Onset) -> datetime:
    return onset.onset_at - HALF_DAY if Bucket(onset.bucket) is Bucket.DAY else onset.onset_at


def _leading(found: Sequence[Onset]) -> dict[int, int]:
    """The key that stands for each key: its leader's, and that one's, where leaders are such keys too."""
    known = {o.key_hash for o in found}
    stands = {key: key for key in known}

    def root(key: int) -> int:
        while stands[key] != key:
            stands[key] = stands[stands[key]]
            key = stands[key]
        return key

    for o in found:
        if o.leader_key in known and o.leader_key is not None:
            one, other = sorted((root(o.key_hash), root(o.leader_key)))
            stands[other] = one
    return {key: root(key) for key in known}


def refit(engine: sa.Engine, model_id: str, *, now: datetime) -> Diffusion:
    """Learn leads and arrivals from the last HISTORY of onsets and store both, in the place of what was there."""
    with reading(engine) as session:
        newest = store.newest_onset(session, model_id)
        upto = min(newest, now) if newest else now
        found = store.onsets(session, model_id, upto - HISTORY, upto)
    frame = onset_frame(found)
    window = {"since": (found[0].onset_at if found else upto).isoformat(), "until": upto.isoformat()}
    table = pair_table(frame, "1h")
    model = (
        ArrivalModel().fit(_as_known(frame), until=upto)
        if len(frame)
        else ArrivalModel(reason="There are no onsets yet.")
    )
    working = {
        "trends": model.trends, "arrivals": model.arrivals, "markets": model.markets, "reason": model.reason,
        "errors": [asdict(error) for error in model.errors.values()], "coverage": model.coverage,
        "usual": usual_lags(frame),
    }  # fmt: skip
    kept = KeptModel(now, found[0].onset_at if found else upto, upto, working, to_bytes(model))
    rows = [_lead(row, window) for row in table.to_dict("records")]
    with writing(engine) as session, session.begin():
        store.write_leads(session, model_id, rows)
        store.write_model(session, model_id, kept)
    return Diffusion(
        frame["trend"].nunique(), len(frame), int(table.loc[table["group"] == EVERYTHING, "lead"].sum()), model.reason
    )


def _lead(row: Mapping[Any, Any], window: Mapping[str, str]) -> dict[str, Any]:
    figures = {
        name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in row.items()
    }
    return {
        "topic_group": figures.pop("group"), "first_market": figures.pop("first"),
        "second_market": figures.pop("second"), "figures": figures | dict(window),
    }  # fmt: skip


def usual_lags(frame: pd.DataFrame) -> dict[str, list[float]]:
    """By "JP>TW": trends that were in the first market before the second, within two weeks, and the 10 % and 90 %
    quantiles of their lags in hours. Onsets that fall together at the coarser sampling step are none.
    """
    columns = frame[["trend", "market", "onset_at", "step"]]
    both = columns.merge(columns, on="trend")
    lag = (both["onset_at_y"] - both["onset_at_x"]).dt.total_seconds() / 3600
    step = both[["step_x", "step_y"]].max(axis=1)
    x, y = ((both[at] - pd.Timestamp(0, tz="UTC")) // step for at in ("onset_at_x", "onset_at_y"))
    ahead = both[(y > x) & (lag <= 24 * HORIZON)].assign(lag=lag)
    told = {}
    for (one, other), lags in ahead.groupby(["market_x", "market_y"])["lag"]:
        low, high = lags.quantile([0.1, 0.9])
        told[f"{one}>{other}"] = [len(lags), round(float(low), 1), round(float(high), 1)]
    return told


def forecast(engine: sa.Engine, model_id: str, *, now: datetime, as_of: datetime | None = None) -> tuple[int, int]:
    """Forecast where live trends go, and store that; returns (live trends, forecasts). Safe to run twice.

    now    when it runs;  as_of  until when trends are known, the newest closed bucket: the newest onset if left out

    Reads the onsets of the last weeks, however long the history is; only where nothing was ever fitted it does that.
    """
    with reading(engine) as session:
        kept = store.kept_model(session, model_id)
    if kept is None:
        refit(engine, model_id, now=now)
    with reading(engine) as session:
        kept = store.kept_model(session, model_id)
        newest = store.newest_onset(session, model_id)
        at = min(max(newest or now, as_of or newest or now), now)
        found = store.onsets(session, model_id, at - timedelta(days=LIVE) - 4 * GAP, at)  # whole waves
    model = from_bytes(kept.parameters) if kept else None
    rows: list[Forecast] = []
    live = onset_frame(found)
    if len(live):
        newest_of = live.groupby("trend")["onset_at"].transform("max")
        live = live[newest_of > pd.Timestamp(at) - timedelta(days=LIVE)]
    if model is not None and model.reason is None and len(live):
        rows = _forecasts(model, live, at)
    with writing(engine) as session, session.begin():
        store.write_forecasts(session, model_id, rows)
        if model is not None and model.reason is None:
            told = {code: [row for row in rows if row.audience_market == code] for code in MARKETS}
            likeliest = {code: sorted(some, key=lambda row: -row.week)[:MOST_LATER] for code, some in told.items()}
            store.keep_forecasts(session, model_id, at, likeliest)
    return int(live["trend"].nunique()), len(rows)


def _forecasts(model: ArrivalModel, live: pd.DataFrame, at: datetime) -> list[Forecast]:
    told = model.predict(_as_known(live), at=at, within=HORIZONS[0]).rename(columns={"probability": "1"})
    for days in HORIZONS[1:]:
        more = model.predict(_as_known(live), at=at, within=days)[["trend", "market", "probability"]]
        told = told.merge(more.rename(columns={"probability": f"{days:g}"}), on=["trend", "market"])
    told = told[told["14"] >= LEAST].sort_values(["7", "trend"], ascending=[False, True])
    told = told.groupby("market").head(MOST)
    seen = {trend: part.to_dict("records") for trend, part in live.groupby("trend")}
    found: dict[tuple[str, int], Forecast] = {}
    for row in told.to_dict("records"):
        onsets = seen[row["trend"]]
        working = {
            "probabilities": {f"{days:g}": round(float(row[f"{days:g}"]), 4) for days in HORIZONS},
            "expected_at": row["expected_at"].isoformat(), "low_at": row["low"].isoformat(),
            "high_at": row["high"].isoformat(), "group": onsets[0]["group"],
            "seen": [
                {"market": o["market"], "onset_at": o["onset_at"].isoformat(), "episode_id": int(o["episode"])}
                for o in onsets
            ],
        }  # fmt: skip
        key = int(onsets[0]["key"])
        found.setdefault((row["market"], key), Forecast(row["market"], key, at, float(row["7"]), working))
    return list(found.values())

"""Frames of onsets: which trend began in which market when, in the one form that the arithmetic takes."""

import pandas as pd

NEEDED = ("trend", "market", "onset_at")


def tidy_onsets(onsets: pd.DataFrame, *optional: str) -> pd.DataFrame:
    """One row a trend and market, with its first onset aware in UTC, by time.

    onsets    a row an onset: trend, market, onset_at (naive times are UTC); or a row a trend with a column of times
              for each market. Rows without one of these are dropped.
    optional  other columns to keep where they are there

    Raises ValueError for other columns, and for times that are none.
    """
    frame = onsets if set(NEEDED) <= set(onsets.columns) else _long(onsets, optional)
    frame = frame[[name for name in (*NEEDED, *optional) if name in frame]].copy()
    frame["onset_at"] = utc(frame["onset_at"])
    frame = frame.dropna(subset=list(NEEDED))
    frame["market"] = frame["market"].astype(str)
    return frame.sort_values("onset_at", kind="stable").drop_duplicates(["trend", "market"]).reset_index(drop=True)


def utc(times: pd.Series) -> pd.Series:
    """Times as aware UTC; naive ones are taken as UTC. Raises ValueError for what is no time."""
    try:
        if not pd.api.types.is_datetime64_any_dtype(times):
            times = times.map(pd.Timestamp)
            times = times.map(lambda at: at if at is pd.NaT or at.tzinfo else at.tz_localize("UTC"))
        return pd.to_datetime(times, utc=True).astype("datetime64[us, UTC]")
    except (TypeError, ValueError) as error:
        raise ValueError(f"onset_at: {error}. Expected times, as 2026-11-22T14:00:00Z.") from error


def _long(wide: pd.DataFrame, optional: tuple[str, ...]) -> pd.DataFrame:
    markets = [c for c in wide.columns if pd.api.types.is_datetime64_any_dtype(wide[c])]
    if len(markets) < 2:
        raise ValueError(
            f"expected columns {', '.join(NEEDED)}, or a column of times for each market; got {list(wide.columns)}"
        )
    frame = wide[[*markets, *(name for name in optional if name in wide)]].reset_index(drop=True)
    frame = frame.rename_axis("trend").reset_index()
    kept = [name for name in frame if name not in markets]
    return frame.melt(kept, markets, "market", "onset_at")

"""Onsets as a matrix of trends by markets, in days, with what is known of each trend."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radar.onsets import tidy_onsets

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCRIPTS = {
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "kana": "\u3040-\u30ff\u31f0-\u31ff",
    "han": "\u3400-\u9fff",
    "thai": "\u0e00-\u0e7f",
    "arabic": "\u0600-\u06ff",
    "cyrillic": "\u0400-\u04ff",
    "greek": "\u0370-\u03ff",
    "hebrew": "\u0590-\u05ff",
    "devanagari": "\u0900-\u097f",
    "latin": "A-Za-z\u00c0-\u024f",
}
"""Ranges of letters, the most telling first: a name with one Hangul letter is Korean."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Panel:
    """Trends by markets.

    at       (trends, markets) days since 1970 of each onset, inf where there was none
    volume   (trends, markets) log1p of how large it was at its onset, NaN where not known
    script   (trends,) the script a trend is written in
    """

    trends: pd.Index
    markets: list[str]
    at: Floats
    volume: Floats
    script: NDArray[np.object_]

    def some(self, rows: NDArray[np.bool_]) -> "Panel":
        """The trends that `rows` marks."""
        return Panel(self.trends[rows], self.markets, self.at[rows], self.volume[rows], self.script[rows])

    def known_at(self, at: float) -> "Panel":
        """What was known at a moment: later onsets are taken out, and trends without any."""
        past = np.where(self.at <= at, self.at, np.inf)
        kept = np.asarray(np.isfinite(past).any(axis=1), np.bool_)
        return Panel(self.trends, self.markets, past, self.volume, self.script).some(kept)


def panel_of(frame: pd.DataFrame, markets: list[str] | None = None) -> Panel:
    """Lay a frame out; markets in the order given, others after them. Raises ValueError as `tidy_onsets` does."""
    tidy = tidy_onsets(frame, "volume", "script")
    found = sorted(set(tidy["market"]))
    names = found if markets is None else [*markets, *(m for m in found if m not in markets)]
    rows, trends = pd.factorize(tidy["trend"], sort=False)
    columns = pd.Categorical(tidy["market"], categories=names).codes
    shape = (len(trends), len(names))
    at, volume = np.full(shape, np.inf), np.full(shape, np.nan)
    at[rows, columns] = days(tidy["onset_at"])
    if "volume" in tidy:
        size = pd.to_numeric(tidy["volume"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        volume[rows, columns] = np.log1p(np.where(size >= 0, size, np.nan))
    index = pd.Index(trends)
    script = script_of(index.to_series().astype(str)).to_numpy(object)
    if "script" in tidy:
        given = tidy.groupby(rows)["script"].first().reindex(range(len(trends)))
        script = np.where(given.notna(), given.astype(object), script)
    return Panel(index, names, at, volume, script.astype(object))


def script_of(names: pd.Series) -> pd.Series:
    """The script of names, by their letters.

    >>> script_of(pd.Series(["#합격", "夏日祭", "まつり2026", "sale", "42"])).tolist()
    ['hangul', 'han', 'kana', 'latin', 'other']
    """
    found = pd.Series(OTHER, names.index, dtype=object)
    for name, letters in reversed(SCRIPTS.items()):
        found[names.str.contains(f"[{letters}]", regex=True).to_numpy(bool)] = name
    return found


def days(times: pd.Series) -> Floats:
    """Aware times as days since 1970."""
    return np.asarray((times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1), np.float64)


def day_of(at: datetime | pd.Timestamp | str) -> float:
    """A moment as days since 1970; a naive one is UTC."""
    moment = pd.Timestamp(at)
    moment = moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    return float((moment - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1))

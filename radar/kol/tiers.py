"""Size classes of accounts. They disagree from agency to agency, so they are configuration, by market.

Default: nano 1-10k, micro 10-50k, mid 50-500k, macro 500k-1M, mega from 1M on (Influencer Marketing Hub). An account
smaller than the smallest is "below"; one whose followers are hidden is "unknown".
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from radar.errors import CallerError
from radar.markets import MARKETS

NAMES = ("nano", "micro", "mid", "macro", "mega")
TIER_NAMES = ("unknown", "below", *NAMES)
DEFAULT: Mapping[str, int] = {"nano": 1_000, "micro": 10_000, "mid": 50_000, "macro": 500_000, "mega": 1_000_000}


@dataclass(frozen=True, slots=True)
class Tiers:
    """Least followers of each tier, and other ones by market.

    >>> Tiers().of("TW", 12_000), Tiers().of("TW", None), Tiers(by_market={"TH": {"micro": 5_000}}).of("TH", 6_000)
    ('micro', 'unknown', 'micro')
    """

    usual: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT))
    by_market: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def of(self, market: str, follower_count: int | None) -> str:
        """The tier of an account."""
        if follower_count is None:
            return "unknown"
        least = {**self.usual, **self.by_market.get(market, {})}
        return next((name for name in reversed(NAMES) if follower_count >= least[name]), "below")


def read_tiers(path: Path) -> Tiers:
    """Tiers of a TOML file: `nano = 1000` and so on, and the same in a section by market; the default without a file.

    Raises CallerError that names what is wrong.
    """
    if not path.exists():
        return Tiers()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CallerError(f"{path} is not TOML: {error}.", "Write lines like `micro = 10000`, or delete it.") from error
    by_market = {str(k): v for k, v in data.items() if isinstance(v, dict)}
    usual = {str(k): v for k, v in data.items() if not isinstance(v, dict)}
    for where, said in [("", usual), *by_market.items()]:
        if where and where not in MARKETS:
            raise CallerError(f"{path}: there is no market [{where}].", f"Markets: {', '.join(MARKETS)}.")
        least = [{**DEFAULT, **usual, **said}[name] for name in NAMES]
        wrong = [name for name in said if name not in NAMES or type(said[name]) is not int or said[name] < 0]
        if wrong or least != sorted(least):
            named = ", ".join(wrong) or "the limits do not grow"
            raise CallerError(f"{path}: {named}.", f"Give least followers for {', '.join(NAMES)}, growing.")
    return Tiers({**DEFAULT, **usual}, by_market)

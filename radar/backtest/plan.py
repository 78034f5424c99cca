"""What a back-test replays, and what its figures are of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from radar.errors import CallerError
from radar.keys import Kind
from radar.trends.evaluation import (
    TIMES,
)
from radar.windows import Bucket

HORIZON_DAYS, STEP_DAYS = 14, 7
LIST_Q = 0.05

Truth = Mapping[str, Any]
Groups = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay. first, last  local days whose end is looked back from; None: as far as can be judged.

    horizon, step  days;    times  how many times its usual a trend must reach;    scope  as of `radar trends`
    """

    first: date | None = None
    last: date | None = None
    horizon: int = HORIZON_DAYS
    step: int = STEP_DAYS
    times: float = TIMES
    scope: str = "all"

    def __post_init__(self) -> None:
        if self.first and self.last and self.first > self.last:
            raise CallerError(f"from: {self.first} is after to: {self.last}.", "Turn them round.")
        if not 1 <= self.horizon <= 90 or not 1 <= self.step <= 90:
            raise CallerError("horizon and step are 1 to 90 days.", "Ask for horizon 14d and step 7d.")
        if not 1 < self.times <= 1000:
            raise CallerError(f"large: {self.times:g} times the usual is not large.", "Ask for large=3.")


Cell = tuple[Kind | None, Bucket | None]
"""What figures are of; None: all kinds, all bucket lengths."""

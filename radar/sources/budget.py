"""Keeping a budget: what a request costs is written down before it is sent, so that a killed run cost what it cost."""

import threading
from collections import Counter
from datetime import datetime
from typing import Any, Protocol

from radar.sources.facts import budgets_of
from radar.sources.trouble import Busy


class Ledger(Protocol):
    """Where it is written down what was used."""

    def take(self, source: str, bucket: str, period: str, units: int, limit: int) -> bool:
        """Use units of a period's limit; False, and nothing is used, where that is more than is left."""
        ...

    def give_back(self, source: str, bucket: str, period: str, units: int) -> None:
        """Take back what was taken and turned out not to be used."""
        ...

    def left(self, source: str, bucket: str, period: str, limit: int) -> int:
        """Units that are left, never negative."""
        ...


class PassingLedger:
    """A ledger that lasts as long as the process: for trying a source out of any store."""

    def __init__(self) -> None:
        self._used: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def take(self, source: str, bucket: str, period: str, units: int, limit: int) -> bool:
        """See Ledger."""
        with self._lock:
            if self._used[source, bucket, period] + units > limit:
                return False
            self._used[source, bucket, period] += units
            return True

    def give_back(self, source: str, bucket: str, period: str, units: int) -> None:
        """See Ledger."""
        with self._lock:
            self._used[source, bucket, period] -= units

    def left(self, source: str, bucket: str, period: str, limit: int) -> int:
        """See Ledger."""
        return max(0, limit - self._used[source, bucket, period])


class Meter:
    """One budget of one source."""

    def __init__(self, ledger: Ledger, source: str, kind: str, config: dict[str, Any]) -> None:
        self._ledger, self._source, self._kind, self._config = ledger, source, kind, config

    def take(self, now: datetime, units: int = 1) -> None:
        """Use units. Raises Busy until the next period where they are not left."""
        (budget,) = budgets_of(self._kind, self._config, now)
        if not self._ledger.take(self._source, budget.bucket, budget.period, units, budget.limit):
            said = f"{budget.limit / 1e6:,.2f} USD" if budget.unit == "micro-usd" else f"{budget.limit:,}"
            raise Busy(f"The budget of {self._source} for {budget.period} ({said}) is used up.", budget.ends_at)

    def give_back(self, now: datetime, units: int) -> None:
        """Take back what was not used after all."""
        if units > 0:
            (budget,) = budgets_of(self._kind, self._config, now)
            self._ledger.give_back(self._source, budget.bucket, budget.period, units)

    def left(self, now: datetime) -> int:
        """Units that are left."""
        (budget,) = budgets_of(self._kind, self._config, now)
        return self._ledger.left(self._source, budget.bucket, budget.period, budget.limit)

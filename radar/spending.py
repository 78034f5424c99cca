"""The ledger of sources' budgets in the store: each taking is a transaction of its own, before anything is asked."""

import sqlalchemy as sa

from radar.store import usage
from radar.store.engine import reading, writing


class StoredLedger:
    """What was used of quotas, kept for as long as the store (`radar.sources.budget.Ledger`)."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def take(self, source: str, bucket: str, period: str, units: int, limit: int) -> bool:
        """Use units of a period's limit; False where that is more than is left."""
        with writing(self._engine) as session, session.begin():
            return usage.use(session, source, bucket, period, units, limit)

    def give_back(self, source: str, bucket: str, period: str, units: int) -> None:
        """Take back what was not used."""
        with writing(self._engine) as session, session.begin():
            usage.unuse(session, source, bucket, period, units)

    def left(self, source: str, bucket: str, period: str, limit: int) -> int:
        """Units that are left, never negative."""
        with reading(self._engine) as session:
            return max(0, limit - usage.used(session, source, bucket, period))

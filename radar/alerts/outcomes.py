"""How an attempt to deliver ended, and when the next one comes."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720, 1200, 1440))
"""Between one attempt and the next: ten attempts within three days, each wait shortened by up to a fifth."""
LONGEST = timedelta(days=3)
"""After the first attempt a message is tried no more."""
MOST = len(WAITS) + 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back.

    ok      it was taken;             final   it will never be, so trying again is of no use
    status  of an HTTP or SMTP answer
    said    in a sentence, for people; what the receiver said is quoted, and short
    not_before  what the receiver asked to wait for
    """

    ok: bool
    said: str
    status: int | None = None
    final: bool = False
    not_before: datetime | None = None


def next_turn(
    outcome: Outcome, attempts: int, first_at: datetime, now: datetime, chance: random.Random
) -> datetime | None:
    """When a failed message is tried again; None where it is not.

    attempts  so far;      first_at  the first of them

    >>> at = datetime(2026, 11, 1)
    >>> [next_turn(Outcome(False, ""), n, at, at, random.Random(1)) is None for n in (1, 9, 10)]
    [False, False, True]
    >>> next_turn(Outcome(False, "", not_before=at + timedelta(hours=2)), 1, at, at, random.Random(1)) - at
    datetime.timedelta(seconds=7200)
    """
    if outcome.final or attempts >= MOST:
        return None
    at = now + WAITS[attempts - 1] * chance.uniform(0.8, 1.0)
    at = max(at, outcome.not_before or at)
    return at if at <= first_at + LONGEST else None

"""How often anybody may ask: one token bucket a key, a person or an address, in this process.

A bucket holds `limit` requests and refills at `limit` a minute, so that whoever was quiet may ask for a minute's worth
at once, and nobody more than that in the long run. Two processes count apart.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

WINDOW = 60
"""Seconds in which an empty bucket is full again."""
MOST = 20_000
"""Buckets that are kept; the one longest unused goes first."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request.

    policy       what is counted: key, user or address
    is_allowed   whether this one is answered
    left         requests that would be answered now
    reset        seconds until the bucket is full
    retry_after  seconds until one is answered; 0 where one is
    """

    policy: str
    limit: int
    is_allowed: bool
    left: int
    reset: int
    retry_after: int

    def headers(self) -> dict[str, str]:
        """As RateLimit and RateLimit-Policy (IETF httpapi), and as the three fields of its earlier drafts."""
        told = {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={WINDOW}',
            "RateLimit": f'"{self.policy}";r={self.left};t={self.reset}',
            "RateLimit-Limit": str(self.limit), "RateLimit-Remaining": str(self.left),
            "RateLimit-Reset": str(self.reset),
        }  # fmt: skip
        return told if self.is_allowed else told | {"Retry-After": str(self.retry_after)}


class Buckets:
    """All buckets of a process. Not locked: it is used by the event loop alone."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, policy: str, who: str, limit: int, now: float) -> Allowance:
        """Take one request of somebody's. now: seconds of a clock that never goes back.

        >>> buckets = Buckets()
        >>> [buckets.take("key", "1", 2, now).is_allowed for now in (0, 0, 0, 31)]
        [True, True, False, True]
        """
        held, at = self._held.pop((policy, who), (float(limit), now))
        held = min(float(limit), held + (now - at) * limit / WINDOW)
        is_allowed = held >= 1
        held -= is_allowed
        self._held[policy, who] = held, now
        while len(self._held) > self._most:
            self._held.popitem(last=False)
        rate = limit / WINDOW
        retry_after = 0 if is_allowed else max(1, math.ceil((1 - held) / rate))
        return Allowance(policy, limit, is_allowed, int(held), math.ceil((limit - held) / rate), retry_after)

"""Which authenticity signals stand out for matching: beyond the outer EDGE of peers, and far from their middle.

Peers are the KOL's own group (market, platform, tier) where it has PEERS or more, else its whole market: the smallest
of ten is no oddity. A value stands out when its percentile is within EDGE of the end that is odd for that signal
(`radar.kol.signals`) and it lies FAR or more robust deviations from the median, both taken of logarithms: somebody is
always the outermost. Signals are for review; none is a verdict.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log

import numpy as np

from radar.kol import SIGNALS, Sketch
from radar.kol.peers import FEWEST_PEERS
from radar.partners.kol import Sign

PEERS = 50
EDGE = 0.02
FAR = 3.0
_LEAST_SPREAD = 0.1
_TINY = 1e-6

_SAID = {
    "follower_step": ("followers jumped on a day without a post that explains it", ""),
    "engagement_level": ("its engagement is far above that of its peers", "its engagement is far below its peers'"),
    "comment_ratio": ("far more comments a like than its peers", "hardly a comment for its likes"),
    "engagement_spread": ("", "its posts all get nearly the same engagement"),
    "view_ratio": ("far more views a follower than its peers", "far fewer views a follower than its peers"),
    "repeated_share": ("it repeats its own texts", ""),
    "posting_burst": ("it posts in bursts", ""),
}
"""What an odd high and an odd low value say."""


def peers_of(name: str) -> str:
    """The measure that a signal is compared by."""
    return "er_followers" if name == "engagement_level" else name


def merged(sketches: Iterable[Mapping[str, Sketch]]) -> dict[str, Sketch]:
    """One sketch a measure for several groups: each value counts for as many accounts as it stands for."""
    values: dict[str, list[tuple[float, float]]] = {}
    n: dict[str, int] = {}
    for group in sketches:
        for name, sketch in group.items():
            if sketch.values:
                n[name] = n.get(name, 0) + sketch.n
                each = sketch.n / len(sketch.values)
                values.setdefault(name, []).extend((v, each) for v in sketch.values)
    found = {}
    for name, pairs in values.items():
        pairs.sort()
        at = np.cumsum([each for _, each in pairs])
        places = (np.arange(n[name]) + 0.5) if n[name] <= 2_000 else np.linspace(0.5, at[-1] - 0.5, 2_000)
        rows = np.minimum(np.searchsorted(at, places), len(pairs) - 1)
        found[name] = Sketch(n[name], tuple(pairs[i][0] for i in rows.tolist()))
    return found


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual among n peers: sorted values, and middle and spread of their logarithms."""

    n: int
    values: tuple[float, ...]
    middle: float
    spread: float

    @classmethod
    def of(cls, sketch: Sketch) -> "Usual":
        """Of a sketch with at least one value."""
        low, middle, high = np.quantile(np.log(np.maximum(sketch.values, _TINY)), [0.16, 0.5, 0.84]).tolist()
        return cls(sketch.n, sketch.values, middle, max((high - low) / 2, _LEAST_SPREAD))

    def percentile(self, value: float) -> float | None:
        """Mid-rank of a value in [0, 1]; None for fewer than 5 peers."""
        rank = (bisect_left(self.values, value) + bisect_right(self.values, value)) / 2
        return round(rank / len(self.values), 4) if self.n >= FEWEST_PEERS else None

    def distance(self, value: float) -> float:
        """Robust deviations of a value from the middle, of logarithms."""
        return (log(max(value, _TINY)) - self.middle) / self.spread


def usual(sketches: Mapping[str, Sketch], least: int = 1) -> dict[str, Usual]:
    """What is usual by measure, where it is known of `least` peers or more."""
    return {name: Usual.of(sketch) for name, sketch in sketches.items() if sketch.values and sketch.n >= least}


def signs(
    values: Mapping[str, tuple[float | None, int]], own: Mapping[str, Usual], wide: Mapping[str, Usual]
) -> tuple[Sign, ...]:
    """The signals that are known of a KOL.

    values  name -> (value, posts or days it rests on)     own, wide  peers of its group, of its market

    >>> peers = usual({"engagement_spread": Sketch.of([0.5 + i / 500 for i in range(100)] + [0.02])})
    >>> signs({"engagement_spread": (0.02, 30)}, {}, peers)[0].stands_out
    True
    """
    return tuple(
        _sign(name, value, n, own.get(peers_of(name)), wide.get(peers_of(name)))
        for name, (value, n) in values.items()
        if value is not None and name in SIGNALS
    )


def _sign(name: str, value: float, n: int, own: Usual | None, wide: Usual | None) -> Sign:
    peers = own if own is not None and own.n >= PEERS else wide
    value = float(f"{value:.6g}")  # as sketches keep them
    percentile = peers.percentile(value) if peers else None
    if peers is None or percentile is None:
        return Sign(name, value, None, 0, False, "")
    side, distance = SIGNALS[name], peers.distance(value)
    high = side != "low" and percentile >= 1 - EDGE and distance >= FAR
    low = side != "high" and percentile <= EDGE and distance <= -FAR
    said = _SAID[name][0 if high else 1] if high or low else ""
    told = f"{said} ({value:.3g}; {peers.n} peers, {n} {'days' if name == 'follower_step' else 'posts'})"
    return Sign(name, value, percentile, peers.n, high or low, told if said else "")

"""What its past made of a series: learnt again from its counts, and from what the market's series shared then.

Formulas: docstring of `radar.trends`; arrays: `radar.trends.kernels`. A series that is replayed goes through the same
loops as one that was there, on the same numbers, so that it comes out the same.
    shared  (3, 1 + kinds, kept)  newest first, by kind: the mean of a (decayed mentions) over its series; what their
                                  dispersions are drawn to, of a bucket and of a stretch. Row 0: of a kind without
                                  series. Rounded as they are kept, before anything is made of them
    silent  (4, 1 + kinds)        levels 1 to 4 of a series that was never mentioned, before the oldest bucket that a
                                  replay begins with: what was said then is forgotten, not that time passed
"""

import numpy as np

from radar._jit import jit
from radar.trends.kernels import (
    BLOCK,
    F32,
    F64,
    I8,
    I32,
    I64,
    PHI,
    U16,
    fade,
    learn,
    learnt_from,
    move_on,
    spread,
    stretch,
)

PHI_MARKET = 100.0  # expected mentions with which a market's dispersion is drawn to PHI


@jit
def share(totals: F64, numbers: F64, out: F32) -> None:
    """What the series of a market share before a bucket (3, 1 + kinds); `numbers` counts the series of each kind."""
    out[0, 0] = (totals[0].sum() + 0.5) / max(numbers.sum(), 1.0)  # kinds above those in `numbers` have no series
    out[1, 0] = out[2, 0] = PHI
    for kind in range(out.shape[1] - 1):
        due = PHI_MARKET + totals[2, kind]
        out[0, 1 + kind] = (totals[0, kind] + 0.5) / numbers[kind] if numbers[kind] > 0.0 else out[0, 0]
        out[1, 1 + kind] = (PHI_MARKET * PHI + totals[3, kind]) / due
        out[2, 1 + kind] = (PHI_MARKET * PHI + totals[4, kind]) / due


@jit
def tell(shared: F32, exposed: float, prior: F64, usual: F64) -> None:
    """Write down what a bucket's shared numbers (3, kinds) mean for its series.

    prior  (kinds,) exposure in which half a mention is expected at the kind's mean rate;  usual  (2, kinds) dispersions
    """
    for kind in range(prior.size):
        prior[kind] = 0.5 * exposed / shared[0, kind]
        usual[0, kind] = shared[1, kind]
        usual[1, kind] = shared[2, kind]


@jit
def stay_silent(silent: F32, past: F64, shared: F32, back: int, seen: int, longest: int, decays: F64) -> None:
    """Let the series never mentioned pass the bucket `back` buckets before the present one, number `seen`."""
    number, start = seen - back, back + longest - 1
    if number < longest:  # so `learn` does not know either what to expect
        return
    none, mu = np.zeros(silent.shape[1]), np.empty(silent.shape[1])
    exposed = past[3, start] * decays[0] ** (longest - 1)
    for row in range(mu.size):
        prior = 0.5 * past[3, back] / shared[0, row, back]
        mu[row] = past[1, start] / max(exposed + prior, 1e-300) * 0.5
    fade(silent[0], decays[1], mu)
    spread(silent[1], decays[1], none, mu, mu)
    stretch(silent[2], silent[3], decays[1], none, mu, number % longest == longest - 1)


@jit
def replay(
    y: F32,  # (buckets, n) counts, oldest first
    past: F64,  # (6, buckets): exposure x profile, slot, B before; then those of the longest window's start
    shared: F32,  # (3, kinds, buckets)
    first: int,  # buckets that the market had seen before the oldest
    head: int,
    kinds: I8,
    level: F32,
    sums: F32,
    owner: I32,
    own: F32,
    rings: U16,
    windows: I64,
    decays: F64,
    totals: F64,
) -> int:
    """Learn many past buckets at once, as `learn` and `move_on` would one by one; returns the ring's head."""
    w = rings.shape[1]
    prior, usual = np.empty(totals.shape[1]), np.empty((2, totals.shape[1]))
    work, rare = np.empty((8, BLOCK)), np.empty(BLOCK, np.int64)
    for t in range(y.shape[0]):
        tell(shared[:, :, t], past[2, t], prior, usual)
        seen = first + t
        learn(
            np.int64(0), y.shape[1], y[t], kinds, level, sums, owner, own, rings, head, past[0, t], int(past[1, t]),
            past[2, t], prior, usual, decays, seen, past[3:, t].copy(), seen % w == w - 1,
            learnt_from(seen, w, decays[1]), totals, np.inf, work, rare,
        )  # fmt: skip
        move_on(y.shape[1], sums, rings, head, windows, decays[0])
        head = (head + 1) % w
    return head

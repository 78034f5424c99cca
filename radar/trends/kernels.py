"""The loops over all series of a market: compiled, one pass a bucket.

Formulas: docstring of `radar.trends`. Shapes: n series (arrays have room for more), w windows, r rows of the rings =
longest window; row `head` is the present bucket's.
    level  (10, n)    a: decayed mentions; decayed expected mentions; decayed squared residuals of a bucket, and of a
                      stretch as long as the longest window; the residual of the stretch that is under way; peaks and
                      their excess, decayed up to the last one; the excess of that one; the bucket that last was in it;
                      what the market's dispersion takes for 2
    sums   (2, w, n)  of the last window - 1 buckets: counts as they came; winsorised and decayed as in a
    rings  (2, r, n)  counts as they came; winsorised (whole persons, at most 65,535)
    own    (2, o, slots)  of the series with slot factors of their own: mentions; expected by the market's profile
    owner  (n,)       row in own, or -1
    prior  (kinds,)   the exposure in which half a mention is expected at the kind's mean rate
    usual  (kinds,)   the dispersion that a series of the kind is shrunk to
"""

import math

import numpy as np
from numpy.typing import NDArray

from radar._jit import jit
from radar.trends.tail import PRIOR, digamma, gamma_floor, log_tail

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
U16 = NDArray[np.uint16]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

PHI, PHI_WEIGHT = 1.3, 30.0  # what the dispersion is shrunk to, and with how many expected mentions
WINSOR = 6.0  # deviations that a bucket may add to its baseline: 3 lose a third of recall
WILD, WILD_FROM = (
    20.0,
    200.0,
)  # and to its dispersion, from so many expected mentions on: how wild it can be, it has shown
TREND, TREND_LEAST = 3.0, 4.0  # standard deviations that a series' stretches may add to the market's dispersion
OWN_PRIOR = 20.0  # mentions with which a series' own slot factor is drawn to the market's
BLOCK = 512  # series taken through all steps of a loop at a time: their numbers stay in the fastest cache
FEWEST = 3.0  # persons: a window with fewer is not tested
PEAK_FROM = math.log(20.0)  # -ln p from which a bucket belongs to a peak, and from which theta divides it
PEAK_MOST = 10.0  # excess that a peak is taken for at most
PEAK_WEIGHT = 20.0  # so many peaks with a mean excess of 1, as p promises, are added to those of each series: enough
# that one peak more or less moves no p by a thousandth


@jit
def unsure(surprise: float, due: float, phi: float, buckets: float) -> float:
    """-ln p when the dispersion is no known number but was learnt from `due` expected mentions in so many buckets."""
    due = max(due, 1.0)
    freedom = 2.0 * (PHI_WEIGHT + due) ** 2 / (due * (2.0 * due / buckets + 6.0 * phi - 5.0))
    return 0.5 * freedom * math.log1p(2.0 * surprise / freedom)


@jit
def tail_index(level: F32, s: int, now: int, longest: int, decay: float) -> float:
    """theta: the mean excess of the peaks that were over before bucket `now` (the present one does not judge itself).

    1 where there were none, or no higher ones than chance makes: then p is left as it is.
    """
    age = now - level[8, s]
    fade: float = decay**age
    over = 1.0 if age > longest and level[7, s] > 0.0 else 0.0
    excess = fade * (level[6, s] + over * level[7, s])
    theta: float = (PEAK_WEIGHT + excess) / (PEAK_WEIGHT + fade * (level[5, s] + over))
    return max(1.0, theta)


@jit
def keep_peak(level: F32, s: int, excess: float, now: int, longest: int, decay: float) -> None:
    """Note that bucket `now` is of a peak; a peak is over when none of `longest` buckets was."""
    age = now - level[8, s]
    if age > longest and level[7, s] > 0.0:
        level[5, s] += 1.0
        level[6, s] += level[7, s]
        level[7, s] = 0.0
    level[5, s] *= decay**age
    level[6, s] *= decay**age
    level[7, s] = max(level[7, s], excess)
    level[8, s] = now


@jit
def learnt_from(seen: int, longest: int, decay: float) -> float:
    """Decayed number of the buckets that dispersions were learnt from before bucket `seen`; 1 before the first."""
    buckets: float = (1.0 - decay ** max(seen - longest, 1)) / (1.0 - decay)
    return buckets


@jit
def test_series(
    n: int,
    y: F32,
    kinds: I8,
    level: F32,
    sums: F32,
    owner: I32,
    own: F32,
    windows: I64,
    units: F64,  # (r,) exposure x profile, the present bucket first, then backwards
    slots: I64,  # (r,)
    spans: F64,  # (w,) sum of units over the window
    reach: F64,  # (w,) 0 for one bucket to 1 for the longest window, by logarithm: how much of the stretch's dispersion
    before: F64,  # (w,) decayed exposure up to the window's start
    prior: F64,
    usual: F64,
    seen: int,  # buckets before this one
    learnt: float,  # decayed buckets that dispersions were learnt from
    decay: float,  # of the peaks
    polynomial: F64,
    which: I32,  # (2, n) out: series, window
    out: F64,  # (6, n) out: p, observed, expected, lift, lift floor, score
) -> int:
    """Test every series against the state before this bucket; answers how many are in `out`."""
    found = 0
    w = windows.size
    for s in range(n):
        now = y[s]
        if sums[0, w - 1, s] + now < FEWEST:
            continue
        phi = max(1.0, (PHI_WEIGHT * usual[0, kinds[s]] + level[2, s]) / (PHI_WEIGHT + level[1, s]))
        weight = PHI_WEIGHT * windows[w - 1]  # a stretch says as much as one bucket
        wide = max(1.0, (weight * usual[1, kinds[s]] + level[3, s]) / (weight + level[1, s]))
        best, best_k, best_e, best_phi = 0.0, -1, 0.0, 1.0
        for k in range(w):
            o = np.float64(sums[0, k, s] + now)  # one width for all who ask for a tail: it is compiled once
            if o < FEWEST:
                continue
            counted = max(level[0, s] - sums[1, k, s], 0.0) + 0.5
            span = spans[k]
            if owner[s] >= 0:
                row, span = owner[s], 0.0
                for j in range(windows[k]):
                    span += units[j] * (OWN_PRIOR + own[0, row, slots[j]]) / (OWN_PRIOR + own[1, row, slots[j]])
            e = span * counted / (before[k] + prior[kinds[s]])
            phi_k = phi + (wide - phi) * reach[k] + e / counted
            excess = o - e
            if excess <= 0.0 or (w > 1 and excess * excess < 0.5 * phi_k * e):  # p w is near 1 or over: not worth a sum
                continue
            log_p = log_tail(o, e, phi_k)
            if log_p < best:
                best, best_k, best_e, best_phi = log_p, k, e, phi_k
        if best_k < 0:
            continue
        if owner[s] >= 0:
            best = -unsure(-best, level[1, s], phi, learnt)
        best += math.log(w)
        if best >= 0.0:
            continue
        if -best > PEAK_FROM:
            longest = windows[w - 1]
            best = -PEAK_FROM + (best + PEAK_FROM) / tail_index(level, s, seen - longest, longest, decay)
        o = sums[0, best_k, s] + now
        shape, rate = PRIOR + o / best_phi, PRIOR + best_e / best_phi
        size = math.exp(digamma(shape)) / rate
        which[0, found] = s
        which[1, found] = windows[best_k]
        out[0, found] = max(math.exp(best), 5e-324)
        out[1, found] = o
        out[2, found] = best_e
        out[3, found] = size
        out[4, found] = gamma_floor(shape, polynomial) / rate
        out[5, found] = max(-best / math.log(10.0) * math.log2(size), 0.0)
        found += 1
    return found


@jit
def learn(
    first: int | np.int64,  # of the series that learn: up to n; a literal would have all of it compiled once more
    n: int,
    y: F32,
    kinds: I8,
    level: F32,
    sums: F32,
    owner: I32,
    own: F32,
    rings: U16,
    head: int,
    unit: float,  # exposure x profile of this bucket
    slot: int,
    exposed: float,  # decayed exposure before this bucket
    prior: F64,
    usual: F64,
    decays: F64,  # (3,) of the level, of the dispersion, of own factors
    seen: int,  # buckets before this one
    late: F64,  # (3,) of the oldest bucket of the longest window: exposure x profile (0: none yet), slot, B before
    stretch_ends: bool,
    learnt: float,  # decayed buckets that dispersions were learnt from
    totals: F64,  # (5, kinds) out, of those that learn: a; what was added; levels 1, 9 and 3, sparse series foremost
    own_from: float,  # decayed mentions from which a series may have slot factors of its own
    work: F64,  # (8, BLOCK) scratch
    rare: I64,  # (BLOCK,) scratch
) -> bool:
    """Take this bucket's counts into the baseline, winsorised; nothing is expected of the very first bucket.

    Answers whether a series without own slot factors has enough mentions for them now.
    """
    totals[:] = 0.0
    claimed = False
    w, longest = sums.shape[1], rings.shape[1]
    tail, known = (head + 1) % longest, late[0] > 0.0
    rate, late_rate = np.empty(prior.size), np.empty(prior.size)
    for k in range(prior.size):
        rate[k] = unit / (exposed + prior[k])
        late_rate[k] = late[0] / max(late[2] + prior[k], 1e-300)
    x, mu, out, x_late, parts = work[0], work[1], work[2], work[3], work[4:]
    for start in range(first, n, BLOCK):
        block = slice(start, min(start + BLOCK, n))
        widen(y[block], x)
        if known:
            look_back(kinds[block], late_rate, level[0][block], sums[1, w - 1][block], mu, out)
            count_back(rings[1, tail][block], x_late)
        keep(y[block], rings[0, head][block])  # of windows of one bucket the oldest is the present one
        if longest == 1:
            widen(y[block], x_late)
        for at in range(rarities(y[block], rings[0, tail][block], owner[block], rare)):
            i = rare[at]
            s = start + i
            kind = kinds[s]
            x[i] = winsorised(s, x[i], kind, level, owner[s], own, rate[kind], usual, slot, decays[2], seen)
            if longest == 1:
                x_late[i] = x[i]
            if known:
                mu[i], out[i], x_late[i] = looked_back(
                    s, mu[i], np.float64(rings[0, tail, s]), x_late[i], kind, level, sums[1, w - 1], owner[s], own,
                    usual, int(late[1]), seen - longest + 1, longest, decays[1], learnt,
                )  # fmt: skip
        keep(x[: block.stop - start], rings[1, head][block])
        fade(level[0][block], decays[0], x)
        claimed |= any_claim(owner[block], level[0][block], own_from)
        if known:
            fade(level[1][block], decays[1], mu)
            spread(level[2][block], decays[1], x_late, mu, out)
            spread(level[9][block], decays[1], x_late, out, out)
            stretch(level[3][block], level[4][block], decays[1], x_late, out, stretch_ends)
        per_kind(kinds[block], usual[1], out)
        weigh(level[1][block], level[9][block], level[3][block], out, max(learnt / longest, 1.0), parts)
        add_up(kinds[block], level[0][block], x, parts, totals)
    return claimed


# Loops over a block that touch few arrays each: only such ones are compiled to take many series at a time.


@jit
def per_kind(kinds: I8, values: F64, out: F64) -> None:
    """Each series' value by its kind; a block of one kind costs next to nothing."""
    first, alike = kinds[0], True
    for i in range(kinds.size):
        alike &= kinds[i] == first
    if alike:
        out[: kinds.size] = values[first]
    else:
        for i in range(kinds.size):
            out[i] = values[kinds[i]]


@jit
def widen(y: F32, x: F64) -> None:
    """Counts to the precision of sums."""
    for i in range(y.size):
        x[i] = y[i]


@jit
def look_back(kinds: I8, rates: F64, counted: F32, within: F32, mu: F64, out: F64) -> None:
    """What was expected of the oldest bucket of the longest window, by the rate that left that window out."""
    per_kind(kinds, rates, out)
    for i in range(kinds.size):
        mu[i] = out[i] * (max(counted[i] - within[i], np.float32(0.0)) + 0.5)
    for i in range(kinds.size):
        out[i] = mu[i]


@jit
def count_back(ring: U16, x: F64) -> None:
    """Counts kept in a ring, as numbers."""
    for i in range(ring.size):
        x[i] = ring[i]


@jit
def rarities(y: F32, came: U16, owner: I32, rare: I64) -> int:
    """Which of a block are too many now or were then, or have factors of their own; answers how many."""
    found = 0
    for i in range(y.size):
        rare[found] = i
        found += (y[i] > FEWEST) | (came[i] >= FEWEST) | (owner[i] >= 0)
    return found


@jit
def keep(x: F32 | F64, ring: U16) -> None:
    """Counts to a ring."""
    for i in range(x.size):
        ring[i] = np.uint16(x[i])


@jit
def fade(level: F32, decay: float, x: F64) -> None:
    """A decayed sum, one bucket on."""
    for i in range(level.size):
        level[i] = decay * level[i] + x[i]


@jit
def any_claim(owner: I32, mentions: F32, enough: float) -> bool:
    """Whether a series without factors of its own has mentions enough for them."""
    claimed = False
    for i in range(owner.size):
        claimed |= (owner[i] < 0) & (mentions[i] >= enough)
    return claimed


@jit
def spread(level: F32, decay: float, x: F64, mu: F64, out: F64) -> None:
    """A decayed sum of squared residuals, one bucket on."""
    for i in range(level.size):
        level[i] = decay * level[i] + max((x[i] - mu[i]) * (x[i] - out[i]), 0.0)


@jit
def stretch(level: F32, under_way: F32, decay: float, x: F64, out: F64, ends: bool) -> None:
    """The same of the residuals of whole stretches."""
    for i in range(level.size):
        level[i] = decay * level[i]
    for i in range(level.size):
        under_way[i] += x[i] - out[i]
    if ends:
        for i in range(level.size):
            level[i] += under_way[i] * under_way[i]
            under_way[i] = 0.0


@jit
def weigh(due: F32, plain: F32, wide: F32, usual: F64, stretches: float, parts: F64) -> None:
    """What the market's dispersion takes of a block (3, block), sparse series foremost.

    usual      (block,) the dispersion of stretches that their series are shrunk to: what it does not foretell is cut,
               up to the mentions from which a series has shown how wild it can be
    stretches  how many there were (decayed), by which the negative binomial's fourth moment says how far they vary
    """
    weight, a, b, c = parts[3], parts[0], parts[1], parts[2]
    for i in range(due.size):
        weight[i] = PHI_WEIGHT / (PHI_WEIGHT + due[i])
    for i in range(due.size):
        a[i] = weight[i] * due[i]
    for i in range(due.size):
        b[i] = weight[i] * plain[i]
    for i in range(due.size):
        likely = usual[i] * due[i]
        variance = likely * (2.0 * likely / stretches + 6.0 * usual[i] - 5.0)
        most = max(likely + TREND * math.sqrt(max(variance, 0.0)), TREND_LEAST)
        c[i] = weight[i] * (min(wide[i], most) if due[i] < WILD_FROM else wide[i])


@jit
def winsorised(
    s: int, x: float, kind: int, level: F32, row: int, own: F32, rate: float, usual: F64, slot: int, decay: float,
    seen: int,
) -> float:  # fmt: skip
    """What of a count x goes into the baseline, and, cut to that, into the series' own factors."""
    if seen == 0 or (row < 0 and x <= FEWEST):  # the limit is never under 4
        return x
    plain = rate * (level[0, s] + 0.5)
    mu = plain
    if row >= 0:
        mu *= (OWN_PRIOR + own[0, row, slot]) / (OWN_PRIOR + own[1, row, slot])
    if x > FEWEST:
        phi = max(1.0, (PHI_WEIGHT * usual[0, kind] + level[2, s]) / (PHI_WEIGHT + level[1, s]))
        x = min(x, math.floor(mu + WINSOR * math.sqrt(phi * max(mu, 0.25)) + 1.0))
    if row >= 0:
        own[0, row, slot] = decay * own[0, row, slot] + x
        own[1, row, slot] = decay * own[1, row, slot] + plain
    return x


@jit
def looked_back(
    s: int, mu: float, came: float, x: float, kind: int, level: F32, within: F32, row: int, own: F32, usual: F64,
    slot: int, at: int, longest: int, decay: float, learnt: float,
) -> tuple[float, float, float]:  # fmt: skip
    """What dispersion and peaks take of the oldest bucket of the longest window, number `at`: mu, mu', x."""
    left = max(level[0, s] - within[s], 0.0) + 0.5
    out = mu
    if row >= 0:
        heard, due = own[0, row, slot], own[1, row, slot]
        out *= (OWN_PRIOR + max(heard - x, 0.0)) / (OWN_PRIOR + max(due - mu, 0.0))
        mu *= (OWN_PRIOR + heard) / (OWN_PRIOR + due)
    if came < FEWEST:
        return mu, out, x
    phi = max(1.0, (PHI_WEIGHT * usual[0, kind] + level[2, s]) / (PHI_WEIGHT + level[1, s]))
    if came > x and level[1, s] >= WILD_FROM:
        cut = math.floor(mu + WILD * math.sqrt(phi * max(mu, 0.25)) + 1.0)
        x = max(x, min(came, cut))
    if came > out and (came - out) ** 2 > 0.5 * (phi + out / left) * out:
        surprise = -log_tail(came, out, phi + out / left)
        if row >= 0:
            surprise = unsure(surprise, level[1, s], phi, learnt)
        if surprise > PEAK_FROM:
            keep_peak(level, s, min(surprise - PEAK_FROM, PEAK_MOST), at, longest, decay)
    return mu, out, x


@jit
def add_up(kinds: I8, mentions: F32, took: F64, parts: F64, totals: F64) -> None:
    """Add a block to its kinds' totals, series after series: the sums are the same however the blocks are cut."""
    kind, alike = kinds[0], True
    for i in range(kinds.size):
        alike &= kinds[i] == kind
    if not alike:
        for i in range(kinds.size):
            kind = kinds[i]
            totals[0, kind] += mentions[i]
            totals[1, kind] += took[i]
            totals[2, kind] += parts[0, i]
            totals[3, kind] += parts[1, i]
            totals[4, kind] += parts[2, i]
        return
    a, b, c, d, e = totals[0, kind], totals[1, kind], totals[2, kind], totals[3, kind], totals[4, kind]
    for i in range(kinds.size):
        a += mentions[i]
        b += took[i]
        c += parts[0, i]
        d += parts[1, i]
        e += parts[2, i]
    totals[0, kind], totals[1, kind], totals[2, kind], totals[3, kind], totals[4, kind] = a, b, c, d, e


@jit
def move_on(n: int, sums: F32, rings: U16, head: int, windows: I64, decay: float) -> None:
    """Let the windows' sums take in the bucket at head and drop the one that the next bucket will push out."""
    for k in range(windows.size):
        length = windows[k]
        if length > 1:
            old = (head - length + 1) % rings.shape[1]
            take(n, sums[0, k], rings[0, head], rings[0, old])
            fading, drop = np.float32(decay), np.float32(decay ** (length - 1))
            take_decayed(n, sums[1, k], rings[1, head], rings[1, old], fading, drop)


@jit
def take(n: int, total: F32, new: U16, old: U16) -> None:
    """A window's sum, one bucket on."""
    for s in range(n):
        total[s] += np.float32(new[s]) - np.float32(old[s])


@jit
def take_decayed(n: int, total: F32, new: U16, old: U16, decay: np.float32, drop: np.float32) -> None:
    """The same of decayed counts; what rounding leaves of none is none."""
    for s in range(n):
        left = np.float64(decay * total[s]) + np.float64(new[s]) - np.float64(drop) * np.float64(old[s])
        total[s] = left if left > np.float32(1e-4) else np.float32(0.0)

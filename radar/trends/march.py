"""A market's buckets one after the other, compiled: test, learn, move on, and what all its series share.

Formulas: docstring of `radar.trends`; arrays: `radar.trends.kernels`. Here is the order of things within a bucket, so
that a live market (one bucket a call) and a replayed history (many) are the same code.
    past    (4, kept)    newest first: exposure; exposure x profile; slot; B before
    cycle   (3, season)  the market's profile: observed, expected, factors (`radar.trends.profile`)
    shared, silent       see `radar.trends.replay`
    totals  (5, kinds)   see `kernels.learn`
    found   (2, room) and (6, room)  series, window; p, observed, expected, lift, lift floor, score
    births  (2, groups)  series that wait to be added, in their order: when (buckets seen), how many
"""

import numpy as np

from radar._jit import jit, jit_unlocked
from radar.trends.kernels import BLOCK, F32, F64, I8, I32, I64, U16, learn, learnt_from, move_on, test_series
from radar.trends.replay import share, stay_silent, tell

OWN_FROM = 200.0  # mentions (decayed) from which a series gets slot factors of its own
SLOT_PRIOR = 50.0  # mentions with which a slot is drawn to its parent: hour of week to hour of day, hour of day to 1


@jit
def top_kind(numbers: F64) -> int:
    """How many kinds there are, up to the last one with a series; at least 1."""
    top = numbers.size
    while top > 1 and numbers[top - 1] == 0.0:
        top -= 1
    return top


@jit
def learn_profile(cycle: F64, day: int, decay: float, slot: int, observed: float, expected: float) -> None:
    """Take a bucket's mentions of all series into the profile: slot to parent to 1, divided by the whole.

    day       slots of a day, where the cycle is a week of them; 1 elsewhere: then a slot has no parent but 1
    expected  before any factor
    """
    season = cycle.shape[1]
    for at in range(season):  # whole rows at once would take three seconds more to compile
        cycle[0, at] *= decay
        cycle[1, at] *= decay
    cycle[0, slot] += observed
    cycle[1, slot] += expected
    if season == 1:
        return
    whole = (cycle[0].sum() + SLOT_PRIOR) / (cycle[1].sum() + SLOT_PRIOR)
    for parent in range(day):
        seen = due = 0.0
        for at in range(parent, season, day):
            seen += cycle[0, at] / whole
            due += cycle[1, at]
        factor = (SLOT_PRIOR + seen) / (SLOT_PRIOR + due)
        for at in range(parent, season, day):
            cycle[2, at] = (SLOT_PRIOR * factor + cycle[0, at] / whole) / (SLOT_PRIOR + cycle[1, at])


@jit
def add_born(kinds: I8, theirs: F64, totals: F64, numbers: F64) -> None:
    """Count series to what all share: the totals that they have by themselves, and how many of each kind they are."""
    for row in range(totals.shape[0]):
        for kind in range(totals.shape[1]):
            totals[row, kind] += theirs[row, kind]
    for i in range(kinds.size):
        numbers[kinds[i]] += 1.0


@jit_unlocked
def march(
    n: int,  # series; those of y above wait
    births: I64,
    y: F32,  # (buckets, n and more) counts, oldest first
    exposures: F64,  # (buckets,)
    slots: I64,  # (buckets,) of the cycle
    seen: int,  # buckets before the first of them
    exposed: float,  # B before it
    head: int,
    warm_up: int,
    kinds: I8,
    numbers: F64,  # (kinds,) series of each
    level: F32,
    sums: F32,
    owner: I32,
    own: F32,
    rings: U16,
    windows: I64,
    reach: F64,
    decays: F64,
    fallen: float,  # what the longest window's start is decayed to by its end, as whoever waits is told
    past: F64,
    shared: F32,
    silent: F32,
    cycle: F64,
    day: int,
    cycle_decay: float,
    totals: F64,
    polynomial: F64,
    column: I32,  # (room,) out: which bucket
    which: I32,
    out: F64,
) -> tuple[int, int, int, int, float, int, bool]:
    """Pass as many buckets as the room for what is found allows, up to one that gives a series a claim to own factors.

    Series that wait learn, as `radar.trends.replay` would have them, but are neither tested nor in what all share.
    Answers buckets passed, rows found, groups born, and the new seen, exposed and head; last whether a series has such
    a claim.
    """
    size, longest, born = y.shape[1], rings.shape[1], 0
    found, claimed, passed = 0, False, 0
    before_it = y.shape[0]  # of `long`: columns of buckets to come
    # copied item by item: of whole arrays, numba would compile what it says where one does not fit the other, seconds
    long = np.empty((4, before_it + past.shape[1]))
    kept = np.empty((3, shared.shape[1], before_it + past.shape[1]), np.float32)
    for row in range(4):
        for at in range(past.shape[1]):
            long[row, before_it + at] = past[row, at]
    for row in range(3):
        for kind in range(shared.shape[1]):
            for at in range(past.shape[1]):
                kept[row, kind, before_it + at] = shared[row, kind, at]
    every, numbers = numbers, numbers[: top_kind(numbers)]
    prior, usual = np.empty(numbers.size), np.empty((2, numbers.size))
    spans, before, late = np.empty(windows.size), np.empty(windows.size), np.zeros(3)
    theirs, enough = np.empty(totals.shape), OWN_FROM if cycle.shape[1] > 1 else np.inf
    work, rare = np.empty((8, BLOCK)), np.empty(BLOCK, np.int64)  # asked for once: new memory is slow to come by
    while passed < y.shape[0] and not claimed and (found == 0 or found + size <= column.size):
        exposure, slot = exposures[passed], slots[passed]
        if exposure == 0.0:
            passed += 1
            continue
        unit = exposure * cycle[2, slot]
        before_it -= 1
        share(totals, every, kept[:, :, before_it])
        tell(kept[:, 1:, before_it], exposed, prior, usual)
        recent = long[:, before_it:]
        recent[0, 0], recent[1, 0], recent[2, 0], recent[3, 0] = exposure, unit, slot, exposed
        learnt = learnt_from(seen, longest, decays[1])
        if seen >= warm_up:
            for k in range(windows.size):
                spans[k] = recent[1, : windows[k]].sum()
                before[k] = recent[3, windows[k] - 1] * decays[0] ** (windows[k] - 1)
            more = test_series(
                n, y[passed], kinds, level, sums, owner, own, windows, recent[1, :longest],
                recent[2, :longest].astype(np.int64), spans, reach, before, prior, usual, seen, learnt, decays[1],
                polynomial, which[:, found:], out[:, found:],
            )  # fmt: skip
            column[found : found + more] = passed
            found += more
        if (
            seen >= longest
        ):  # else no window has begun yet, or with the very first bucket, of which nothing was expected
            late[0], late[1] = recent[1, longest - 1], recent[2, longest - 1]
            late[2] = recent[3, longest - 1] * decays[0] ** (longest - 1)
        due = 0.0
        for kind in range(numbers.size):
            due += (totals[0, kind] + 0.5 * numbers[kind]) / max(exposed + prior[kind], 1e-9)
        claimed = learn(
            np.int64(0), n, y[passed], kinds, level, sums, owner, own, rings, head, unit, slot, exposed, prior, usual,
            decays, seen, late, seen % longest == longest - 1, learnt, totals, enough, work, rare,
        )  # fmt: skip
        if seen > 0:
            learn_profile(cycle, day, cycle_decay, slot, totals[1].sum(), exposure * due)
        if n < size:
            if seen >= longest:
                late[2] = recent[3, longest - 1] * fallen
            first = n
            while first < size:
                is_due = born < births.shape[1] and births[0, born] == seen + 1
                until = first + births[1, born] if is_due else size
                learn(
                    first, until, y[passed], kinds, level, sums, owner, own, rings, head, unit, slot, exposed, prior,
                    usual, decays, seen, late, seen % longest == longest - 1, learnt, theirs, np.inf, work, rare,
                )  # fmt: skip
                if is_due:
                    add_born(kinds[first:until], theirs, totals, every)
                    n, born = until, born + 1
                first = until
        move_on(size, sums, rings, head, windows, decays[0])
        head = (head + 1) % longest
        exposed = decays[0] * exposed + unit
        if seen >= past.shape[1] - longest:
            stay_silent(silent, recent, kept[:, :, before_it:], past.shape[1] - longest, seen, longest, decays)
        seen += 1
        passed += 1
    for row in range(4):
        for at in range(past.shape[1]):
            past[row, at] = long[row, before_it + at]
    for row in range(3):
        for kind in range(shared.shape[1]):
            for at in range(past.shape[1]):
                shared[row, kind, at] = kept[row, kind, before_it + at]
    return passed, found, born, seen, exposed, head, claimed


@jit_unlocked
def place(
    column: I32, which: I32, out: F64, start: int, grid: F64, rest: F64, rows: I64
) -> None:  # fmt: skip
    """Write what `march` found to where it belongs: p to `grid`, `rows` of `out` (-1: the window) to `rest`.

    Bucket by bucket: few lines of memory, that the next bucket writes to again.
    """
    for row in range(column.size):
        s, t = which[0, row], start + column[row]
        grid[s, t] = out[0, row]
        for k in range(rows.size):
            rest[s, t, k] = out[rows[k], row] if rows[k] >= 0 else which[1, row]

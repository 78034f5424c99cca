"""How many of a list's first ten are true, on a synthetic panel: sparse over-dispersed words of which some really rise,
ranked by this project and by what people use today."""

import numpy as np
import numpy.typing as npt

from radar.bench import peers
from radar.scheduling import Progress
from radar.trends import benjamini_hochberg, score_series

SERIES, DAYS, BURSTS, WARM_UP = 4_000, 260, 240, 60
SHAPE = np.array([0.3, 0.6, 0.6, 0.3, 0.2])


def panel(seed: int = 0) -> tuple[peers.Counts, peers.Floats, npt.NDArray[np.bool_]]:
    """Counts (series, days), exposure (days,) and where a burst is on; phi 1.5, a weekly cycle, sizes 4 to 32."""
    rng = np.random.default_rng(seed)
    week = 1 + 0.3 * np.sin(np.arange(DAYS) / 7 * 2 * np.pi)
    mean = (10 ** rng.uniform(-1.7, 0.8, SERIES))[:, None] * week
    counts = rng.poisson(rng.gamma(mean / 0.5, 0.5))
    truth = np.zeros(counts.shape, bool)
    which = rng.choice(SERIES, BURSTS, replace=False)
    starts = rng.integers(WARM_UP + 5, DAYS - 8, BURSTS)
    for series, start, size in zip(which, starts, rng.choice([4, 8, 16, 32], BURSTS), strict=True):
        counts[series, start : start + 5] += rng.poisson(size * SHAPE)
        truth[series, start : start + 5] = True
    return counts.astype(np.int32), 800 * week, truth


def measure(progress: Progress) -> dict[str, object]:
    """Precision at ten of each ranking, ours over theirs, and recall and false share of alerts at q = 0.05."""
    counts, heard, truth = panel()
    ours = score_series(counts, heard, windows=(1, 3), season=7, half_life=60.0, warm_up=WARM_UP)
    progress("rankings", 1, 4)
    ranked = {"signitrend": peers.signitrend(counts, 60)}
    progress("rankings", 2, 4)
    ranked["gnip"] = peers.gnip(counts, 7)
    progress("rankings", 3, 4)
    ranked["mastodon"] = peers.mastodon(counts, 3)
    progress("rankings", 4, 4)
    days = range(WARM_UP + 5, DAYS - 5)
    mine = _at_ten(ours.score, truth, days)
    theirs = {name: _at_ten(score, truth, days) for name, score in ranked.items()}
    on = np.stack([benjamini_hochberg(ours.p[:, t]) <= 0.05 for t in days], axis=1)
    still = np.stack([truth[:, max(t - 3, 0) : t + 1].any(1) for t in days], axis=1)
    found = (on & truth[:, days.start : days.stop]).any(1)
    return {
        "synthetic_bursts": BURSTS,
        "precision_at_10": round(mine, 3),
        **{f"{name}_precision_at_10": round(p, 3) for name, p in theirs.items()},
        **{f"ratio_to_{name}": round(mine / max(p, 1e-9), 2) for name, p in theirs.items()},
        "recall_at_q_05": round(float(found.sum() / BURSTS), 3),
        "false_share_at_q_05": round(float((on & ~still).sum() / max(on.sum(), 1)), 3),
    }


def _at_ten(score: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_], days: range) -> float:
    """Mean share of true ones among the first ten (fewer where fewer are true) of each day's list."""
    shares = []
    for t in days:
        most = min(10, int(truth[:, t].sum()))
        if most:
            shares.append(truth[np.argsort(-score[:, t], kind="stable")[:most], t].mean())
    return float(np.mean(shares))

"""The docstring of `radar.trends`, sections 1 to 6, written down once more in plain Python: the same numbers come out.

Nothing here is fast, kept small or shared with the engine but its constants' values: sums are taken over all that was.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammaincinv, psi
from scipy.stats import nbinom, poisson

from radar.trends import score_series

Floats = NDArray[np.float64]
LN20 = np.log(20.0)


def log_tail(observed: float, mean: float, phi: float) -> float:
    """ln P(Y >= observed), variance phi times the mean."""
    if phi < 1 + 1e-6:
        return float(poisson.logsf(observed - 1, mean))
    return float(nbinom.logsf(observed - 1, mean / (phi - 1), 1 / phi))


@dataclass
class Peaks:
    """Of one series, section 4: (bucket, excess) of single buckets."""

    longest: int
    decay: float
    of: list[tuple[int, float]] = field(default_factory=list)

    def theta(self, before: int) -> float:
        """From those that were over before a bucket."""
        runs: list[list[tuple[int, float]]] = []
        for at, excess in self.of:
            if runs and at - runs[-1][-1][0] <= self.longest:
                runs[-1].append((at, excess))
            else:
                runs.append([(at, excess)])
        over = [run for run in runs if before - run[-1][0] > self.longest]
        faded = [(self.decay ** (before - run[-1][0]), max(e for _, e in run)) for run in over]
        return max(1.0, (20 + sum(f * e for f, e in faded)) / (20 + sum(f for f, _ in faded)))


class Book:
    """One kind of series, bucket after bucket."""

    def __init__(self, n: int, windows: tuple[int, ...], season: int, half_life: float) -> None:
        self.n, self.windows, self.longest, self.season = n, windows, windows[-1], max(season, 1)
        self.d, self.d2 = 0.5 ** (1 / half_life), 0.5 ** (0.5 / half_life)
        self.profile_decay = 0.5 ** (1 / max(4 * half_life, 4 * self.season))
        self.own_decay = 0.5 ** (1 / max(4 * half_life / self.season, 4))
        self.y: list[Any] = []
        self.x: list[Any] = []
        self.u: list[Any] = []
        self.slots: list[Any] = []
        self.b: list[Any] = []
        self.o, self.e = np.zeros(self.season), np.zeros(self.season)
        self.m, self.s1, self.sq, self.sw, self.under_way = np.zeros((5, n))
        self.phi_0, self.phi_0w = 1.3, 1.3
        self.g: dict[int, Floats] = {}
        self.peaks = [Peaks(self.longest, self.d2) for _ in range(n)]

    def decayed(self, x: list[Any]) -> Any:
        """Sum of x, the last one whole."""
        return sum((self.d ** (len(x) - 1 - j) * x[j] for j in range(len(x))), np.zeros(self.n))

    def f(self, slot: int) -> float:
        if not self.y or self.season == 1:
            return 1.0
        o = self.o / ((50 + self.o.sum()) / (50 + self.e.sum()))
        day = self.season // 7 if self.season % 7 == 0 and self.season > 7 else 1
        alike = np.arange(slot % day, self.season, day)
        f_h = (50 + o[alike].sum()) / (50 + self.e[alike].sum())
        return float((50 * f_h + o[slot]) / (50 + self.e[slot]))

    def own(self, s: int, slot: int, less: tuple[float, float] = (0.0, 0.0)) -> float:
        if s not in self.g:
            return 1.0
        seen, due = self.g[s][:, slot]
        return float((20 + max(seen - less[0], 0)) / (20 + max(due - less[1], 0)))

    def unsure(self, surprise: float, s: int) -> float:
        """Student's correction, for series with a g."""
        if s not in self.g:
            return surprise
        m = max(self.m[s], 1.0)
        k = 2 * (30 + m) ** 2 / (m * (2 * m / self.behind() + 6 * self.phi(s) - 5))
        return float(k / 2 * np.log1p(2 * surprise / k))

    def behind(self) -> float:
        """Buckets that dispersions were learnt from before this one, decayed."""
        return float((1 - self.d2 ** max(len(self.y) - 1 - self.longest, 1)) / (1 - self.d2))

    def phi(self, s: int) -> float:
        return max(1.0, float((30 * self.phi_0 + self.s1[s]) / (30 + self.m[s])))

    def phi_w(self, s: int) -> float:
        weight = 30 * self.longest
        return max(1.0, float((weight * self.phi_0w + self.sw[s]) / (weight + self.m[s])))

    def pass_bucket(self, y: Floats, heard: float, slot: int, *, test: bool) -> list[tuple[float, ...]]:
        """p, lift, lift floor, score, observed, expected, window of every series; then learn."""
        self.a, self.exposed = self.decayed(self.x), float(self.decayed(self.u)[0]) if self.u else 0.0
        r0 = (self.a.sum() + 0.5) / self.n / self.exposed if self.exposed else np.inf
        self.prior, self.heard = 0.5 / r0, heard
        self.u.append(heard * self.f(slot))
        for kept, new in ((self.y, y), (self.slots, slot), (self.b, self.exposed)):
            kept.append(new)
        self.before = self.left(self.longest) if len(self.y) >= self.longest else (self.a, 0.0)
        shown = [self.tested(s) if test else (1.0, *(0.0,) * 6) for s in range(self.n)]
        self.learn(y, slot)
        return shown

    def left(self, w: int) -> tuple[Floats, float]:
        """A - C + 0.5 and B - D + 0.5 / r0 of a window that ends with this bucket."""
        faded = self.d ** (w - 1)
        before = self.x[: len(self.x) - w + 1]
        return faded * self.decayed(before) + 0.5, faded * self.b[-w] + self.prior

    def tested(self, s: int) -> tuple[float, ...]:
        best: tuple[float, ...] = (0.0,)
        for w in self.windows:
            o, (a, b) = float(sum(y[s] for y in self.y[-w:])), self.left(w)
            units = sum(u * self.own(s, k) for u, k in zip(self.u[-w:], self.slots[-w:], strict=True))
            e, reach = units * a[s] / b, np.log(w) / max(np.log(self.longest), 1e-9)
            phi = self.phi(s) + (self.phi_w(s) - self.phi(s)) * reach + e / a[s]
            if o < 3 or o <= e or (len(self.windows) > 1 and (o - e) ** 2 < 0.5 * phi * e):
                continue
            best = min(best, (log_tail(o, e, phi), o, e, phi, float(w)))
        if len(best) == 1:
            return 1.0, *(0.0,) * 6
        log_p = -self.unsure(-best[0], s) + np.log(len(self.windows))
        if log_p < -LN20:
            log_p = -LN20 + (log_p + LN20) / self.peaks[s].theta(len(self.y) - 1 - self.longest)
        if log_p >= 0:
            return 1.0, *(0.0,) * 6
        _, o, e, phi, length = best
        lift, floor = np.exp(psi(2 + o / phi)) / (2 + e / phi), gammaincinv(2 + o / phi, 0.05) / (2 + e / phi)
        return float(np.exp(log_p)), lift, floor, max(0.0, -log_p / np.log(10) * np.log2(lift)), o, e, length

    def learn(self, y: Floats, slot: int) -> None:
        plain = self.u[-1] * (self.a + 0.5) / (self.exposed + self.prior) if self.exposed else np.zeros(self.n)
        x = y.copy()
        if len(self.y) > 1:
            mu = np.array([plain[s] * self.own(s, slot) for s in range(self.n)])
            phi = np.array([self.phi(s) for s in range(self.n)])
            x = np.minimum(y, np.floor(mu + 6 * np.sqrt(phi * np.maximum(mu, 0.25)) + 1))
            self.o, self.e = self.o * self.profile_decay, self.e * self.profile_decay
            self.o[slot] += x.sum()
            self.e[slot] += self.heard * ((self.a + 0.5) / (self.exposed + self.prior)).sum()
        for s, kept in self.g.items():
            kept[:, slot] = self.own_decay * kept[:, slot] + (x[s], plain[s])
        self.x.append(x)
        self.look_back()
        for new in np.flatnonzero(self.decayed(self.x) >= 200).tolist() if self.season > 1 else ():
            self.g.setdefault(new, np.zeros((2, self.season)))

    def look_back(self) -> None:
        """Section 3, and the peaks of section 4: the oldest bucket of the longest window."""
        if len(self.y) <= self.longest:
            return
        t, at = len(self.y) - 1, len(self.y) - self.longest
        ends, n_stretches = t % self.longest == self.longest - 1, max(self.behind() / self.longest, 1.0)
        a, b = self.before
        of = [self.looked_back(s, at, self.u[at] * a[s] / b, a[s]) for s in range(self.n)]
        mu, out, x = np.array(of).T
        self.m = self.d2 * self.m + mu
        self.s1 = self.d2 * self.s1 + np.maximum((x - mu) * (x - out), 0)
        self.sq = self.d2 * self.sq + (x - out) ** 2
        self.under_way += x - out
        self.sw = self.d2 * self.sw + (self.under_way**2 if ends else 0)
        self.under_way *= not ends
        likely = self.phi_0w * self.m
        most = likely + 3 * np.sqrt(np.maximum(likely * (2 * likely / n_stretches + 6 * self.phi_0w - 5), 0))
        wide = np.where(self.m < 200, np.minimum(self.sw, np.maximum(most, 4)), self.sw)
        weight = 30 / (30 + self.m)
        self.phi_0, self.phi_0w = (
            (130 + (weight * q).sum()) / (100 + (weight * self.m).sum()) for q in (self.sq, wide)
        )

    def looked_back(self, s: int, at: int, plain: float, left: float) -> tuple[float, float, float]:
        came, x, slot = self.y[at][s], self.x[at][s], self.slots[at]
        mu, out = plain * self.own(s, slot), plain * self.own(s, slot, (x, plain))
        phi = self.phi(s)
        if self.m[s] >= 200:
            x = max(x, min(came, np.floor(mu + 20 * np.sqrt(phi * max(mu, 0.25)) + 1)))
        if came >= 3 and came > out:
            surprise = self.unsure(-log_tail(came, out, phi + out / left), s)
            if surprise > LN20:
                self.peaks[s].of.append((at, min(surprise - LN20, 10.0)))
        return mu, out, x


@pytest.mark.parametrize(
    ("windows", "season", "half_life"), [((1, 3), 7, 60.0), ((1, 3, 6), 0, 20.0), ((1, 4), 14, 30.0), ((1,), 7, 60.0)]
)
def test_the_engine_does_what_its_docstring_says(windows: tuple[int, ...], season: int, half_life: float) -> None:
    rng = np.random.default_rng(7)
    n, buckets, warm_up = 12, 150, 20
    wave = 1 + 0.6 * np.sin(np.arange(buckets) / max(season, 7) * 2 * np.pi)
    rates = np.geomspace(0.02, 40, n)[:, None] * wave
    y = rng.poisson(rng.gamma(rates / 0.5, 0.5)).astype(float)
    for s, at in ((0, 60), (1, 75), (2, 95), (3, 110), (4, 125), (6, 85)):
        y[s, at : at + 3] += 7 + 2 * s
    y[5, [40, 60, 80, 100, 120, 140]] += 25
    heard = np.round(200 * wave * rng.uniform(0.8, 1.2, buckets))
    heard[[33, 90]] = 0
    found = score_series(y, heard, windows=windows, season=season, half_life=half_life, warm_up=warm_up, working=True)
    book = Book(n, windows, season, half_life)
    for t in range(buckets):
        if heard[t] == 0:
            assert (found.p[:, t] == 1).all()
            continue
        told = np.array(book.pass_bucket(y[:, t], heard[t], t % max(season, 1), test=len(book.y) >= warm_up)).T
        np.testing.assert_allclose(np.log(found.p[:, t]), np.log(told[0]), rtol=1e-3, atol=1e-4, err_msg=f"p, {t}")
        columns = (found.lift, found.lift_floor, found.score, found.observed, found.expected, found.window)
        for name, mine, its in zip("lift floor score observed expected window".split(), told[1:], columns, strict=True):
            assert its is not None
            np.testing.assert_allclose(its[:, t], mine, rtol=1e-3, atol=1e-3, err_msg=f"{name}, {t}")
    assert (found.p < 1e-4).sum() > 5
    assert bool(book.g) is (season > 1)
    assert max(peaks.theta(buckets) for peaks in book.peaks) > 1.05

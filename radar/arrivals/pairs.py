"""How trends pass from one market to another: a hazard for each ordered pair by the days since the first one's onset.

For trends that began in i and not before it in j, N_ijb onsets in j fell into lag bin b, over R_ijb trend-days at risk
(an onset that is still to come counts as at risk until the end of what was observed: right-censoring). Few pairs have
many, so each is drawn to what the pooled trends do, step by step, as the mean of a Gamma posterior:

    h_b = N_b / R_b                                     all pairs together
    f_j = (N_j + K) / (sum_b R_jb h_b + K)              how open a market is
    r_ij = (N_ij + K) / (sum_b R_ijb f_j h_b + K)       how close a pair is
    h_ijb = r_ij f_j h_b (N_ijb + k) / (R_ijb r_ij f_j h_b + k)

This is the ridge to the pooled w of a logit with one weight a pair, in closed form.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radar.arrivals.panel import Floats, Ints, Panel

LAGS = np.array([0, 0.125, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 14, 21, 28])
"""Edges of the lag bins in days."""
PAIR_PRIOR, BIN_PRIOR = 2.0, 4.0
"""K and k: onsets that the pooled rate is worth."""
FOLDS = 4


@dataclass(frozen=True, slots=True)
class PairHazards:
    """Cumulative hazards H at the edges of LAGS.

    cumulated  (folds, markets, markets, edges): from i to j, learnt without that fold's trends; 1 fold once learnt
    openness   (markets,) f
    """

    cumulated: Floats
    openness: Floats

    def within(self, source: Ints, target: Ints, fold: Ints, age: Floats) -> Floats:
        """H at an age in days, for each (source, target)."""
        clipped = np.clip(age, 0, LAGS[-1] - 1e-9)
        low = np.searchsorted(LAGS, clipped, side="right") - 1
        share = (clipped - LAGS[low]) / (LAGS[low + 1] - LAGS[low])
        below = self.cumulated[fold, source, target, low]
        return np.asarray(below + share * (self.cumulated[fold, source, target, low + 1] - below), np.float64)


def learn(panel: Panel, until: float, folds: Ints | None = None) -> PairHazards:
    """Hazards from what was known at `until` (days).

    folds  (trends,) in 0..FOLDS-1: then one set for each fold, of the other folds' trends; else one of all
    """
    groups = [np.ones(len(panel.trends), bool)] if folds is None else [folds == f for f in range(FOLDS)]
    counted = [_counted(panel.at[rows], until) for rows in groups]
    onsets, risk = (np.sum([c[n] for c in counted], axis=0) for n in (0, 1))
    if folds is None:
        cumulated, openness = _shrunken(onsets, risk)
        return PairHazards(cumulated[None], openness)
    apart = [_shrunken(onsets - n, risk - r)[0] for n, r in counted]
    return PairHazards(np.stack(apart), _shrunken(onsets, risk)[1])


def _counted(at: Floats, until: float) -> tuple[Floats, Floats]:
    """N and R, (markets, markets, bins) each."""
    markets, bins = at.shape[1], len(LAGS) - 1
    onsets, risk = np.zeros((markets, markets, bins)), np.zeros((markets, markets, bins))
    for i in range(markets):
        begun = at[at[:, i] <= until]
        lag = begun - begun[:, i : i + 1]
        open_ = lag > 0
        end = np.where(open_, np.minimum(lag, until - begun[:, i : i + 1]), 0.0)
        came = open_ & (begun <= until)
        for b in range(bins):
            low, high = LAGS[b], LAGS[b + 1]
            onsets[i, :, b] = (came & (lag > low) & (lag <= high)).sum(axis=0)
            risk[i, :, b] = np.clip(end - low, 0, high - low).sum(axis=0)
    return onsets, risk


def _shrunken(onsets: Floats, risk: Floats) -> tuple[Floats, Floats]:
    pooled = (onsets.sum(axis=(0, 1)) + 0.01) / (risk.sum(axis=(0, 1)) + 1.0)
    expected = risk @ pooled
    openness = (onsets.sum(axis=(0, 2)) + PAIR_PRIOR) / (expected.sum(axis=0) + PAIR_PRIOR)
    closeness = (onsets.sum(axis=2) + PAIR_PRIOR) / (expected * openness + PAIR_PRIOR)
    prior = closeness[:, :, None] * openness[None, :, None] * pooled
    hazard = prior * (onsets + BIN_PRIOR) / (risk * prior + BIN_PRIOR)
    zero: NDArray[np.float64] = np.zeros((*hazard.shape[:2], 1))
    return np.concatenate([zero, np.cumsum(hazard * np.diff(LAGS), axis=2)], axis=2), openness

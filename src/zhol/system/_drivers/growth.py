"""How income grows in a pack: trend of each place, the pack's mean, and how uncertain both and every year are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.system._drivers.series import Series
from zhol.system._drivers.settings import setting


@dataclass(frozen=True)
class Growth:
    """Yearly log growth, estimated from the pack.

    Attributes
    ----------
    rate : array (P,), trend of each place, shrunk to the pack's mean
    centre : float, the pack's mean
    common, own : standard deviations of a year's growth, shared by all places and of each place (P,)
    doubt_centre, doubt_rate : standard deviations of the two trends themselves
    """

    rate: np.ndarray
    centre: float
    common: float
    own: np.ndarray
    doubt_centre: float
    doubt_rate: np.ndarray

    def spread(self, i: int, keep: np.ndarray) -> np.ndarray:
        """Standard deviation of the log income of place i, one to len(keep) years ahead."""
        ahead = np.arange(1, len(keep) + 1)
        years = ahead * (self.common**2 + self.own[i] ** 2)
        return np.sqrt(years + (ahead * self.doubt_centre) ** 2 + (np.cumsum(keep) * self.doubt_rate[i]) ** 2)


def kept(last: int, years: int) -> np.ndarray:
    """Share of a place's own trend that is left, for each of `years` years after `last`."""
    span = max(setting("converge_by") - last, 1.0)
    return np.maximum(1 - np.arange(1, years + 1) / span, 0.0)


def growth_of(ppp: Series, notes: dict[str, list[str]]) -> Growth:
    """Estimate it: the trend by shrinkage (James and Stein), the spreads from what is left of each year."""
    count = ppp.values.shape[1]
    rates = np.diff(np.log(ppp.values), axis=0)
    recent = _tails(rates, int(setting("trend_years")))
    n = (~np.isnan(recent)).sum(axis=0)
    enough = n >= 2
    if not enough.any():
        notes["too few years of income to know how it grows: held, without draws"] = ["all places"]
        return Growth(np.zeros(count), 0.0, 0.0, np.zeros(count), 0.0, np.zeros(count))
    mean = np.nanmean(recent[:, enough], axis=0)
    error = np.nanvar(recent[:, enough], axis=0, ddof=1) / n[enough]
    centre = float(mean.mean())
    between = max(0.0, float(mean.var(ddof=1)) - float(error.mean())) if len(mean) > 1 else 0.0
    weight = np.divide(between, between + error, out=np.ones_like(error), where=between + error > 0)
    rate, doubt = np.full(count, centre), np.full(count, np.sqrt(between))
    rate[enough] = centre + weight * (mean - centre)
    doubt[enough] = np.sqrt(weight * error)
    common, own = _spread(rates)
    alone = float(np.sqrt(error.mean() / len(mean)))
    return Growth(rate, centre, common, own, max(common / np.sqrt(float(n.max())), alone), doubt)


def _tails(growth: np.ndarray, years: int) -> np.ndarray:
    """The last `years` known growth rates of each place, (years, P); NaN where there are fewer."""
    tails = np.full((years, growth.shape[1]), np.nan)
    for i in range(growth.shape[1]):
        known = growth[~np.isnan(growth[:, i]), i][-years:]
        if len(known):
            tails[-len(known) :, i] = known
    return tails


def _spread(growth: np.ndarray) -> tuple[float, np.ndarray]:
    """Standard deviation of a year's growth: what all places share, and what is a place's own, half pooled."""
    window = growth[-int(setting("volatility_years")) :]
    count = (~np.isnan(window)).sum(axis=0)
    use = count >= 3
    own = np.zeros(growth.shape[1])
    if not use.any():
        return 0.0, own
    rates = window[:, use] - np.nanmean(window[:, use], axis=0)
    full = ~np.isnan(rates).all(axis=1)
    shared = np.nanmean(rates[full], axis=1) if use.sum() > 1 else np.zeros(int(full.sum()))
    left = rates[full] - shared[:, None]
    each = np.nansum(left**2, axis=0) / np.maximum(count[use] - 1, 1)
    pooled = float(each.mean())
    own[:] = np.sqrt(pooled)
    own[use] = np.sqrt((each + pooled) / 2)
    return float(np.sqrt(np.mean(shared**2) * len(shared) / max(len(shared) - 1, 1))), own

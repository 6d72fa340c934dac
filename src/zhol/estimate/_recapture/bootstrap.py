"""Bootstraps of the population: all replicates drawn and fitted together, in arrays.

Parametric: from the fitted population, the unseen included. Of a population of N̂, as many are seen as chance has it
(binomial with n/N̂), each with the covariates of an observed unit and a count drawn from the fitted distribution of
seen units. This is the same in distribution as drawing whole populations and dropping the unseen, without holding them.

Semiparametric: the number seen is binomial too, but the units themselves are resampled (Böhning & Friedl 2021).

Nonparametric: n units resampled; it takes n as given, and so understates the uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.fit import Fit, refit_many
from zhol.estimate._recapture.likelihood import log_likelihood

KINDS = ("parametric", "semiparametric", "nonparametric")
_AT_ONCE = 4_000_000  # elements of one array of replicates by cells
FRIEDL = "Böhning & Friedl (2021), Statistical Methods & Applications 30, 1197–1217, doi:10.1007/s10260-021-00556-8"
ZWANE = "Zwane & van der Heijden (2003), Statistics & Probability Letters 65(2), 121–125"
CITES = {"parametric": (ZWANE,), "semiparametric": (FRIEDL,), "nonparametric": ()}


@dataclass(frozen=True)
class Replicates:
    """Population and strata of each bootstrap replicate.

    Parameters
    ----------
    population : array (replicates,)
        Population of each replicate.
    strata : array (replicates, strata)
        The same by stratum.
    coefficients : array (replicates, p)
        Coefficients (where a replicate went to an edge or was penalised, those reached).
    edge, penalised : int
        Replicates fitted by a smaller model, and with the Jeffreys penalty.
    """

    population: np.ndarray
    strata: np.ndarray
    coefficients: np.ndarray
    edge: int
    penalised: int


def bootstrap(fit: Fit, kind: str, population: float, replicates: int, seed: int) -> Replicates:
    """Draw and fit ``replicates`` samples of one kind."""
    rng = generator(seed, "recapture", kind)
    sample, chances = _cells_to_draw(fit, kind)
    sizes = _sizes(fit, kind, population, replicates, rng)
    width = max(1, min(replicates, _AT_ONCE // max(len(chances), 1)))
    parts = []
    for begin in range(0, replicates, width):
        w = _draw(rng, sizes[begin : begin + width], chances)
        parts.append(refit_many(_trimmed(sample, w), w[:, w.any(axis=0)], fit.beta))
    return Replicates(
        np.concatenate([p.population for p in parts]),
        np.concatenate([p.parts for p in parts]),
        np.concatenate([p.beta for p in parts]),
        int(sum(p.edge.sum() for p in parts)),
        int(sum(p.penalised.sum() for p in parts)),
    )


def _trimmed(sample: Sample, w: np.ndarray) -> Sample:
    """Without the cells that no replicate drew."""
    drawn = w.any(axis=0)
    return sample if drawn.all() else sample.take(np.flatnonzero(drawn))


def _sizes(fit: Fit, kind: str, population: float, replicates: int, rng: np.random.Generator) -> np.ndarray:
    n = round(fit.sample.n)
    if n < 1:
        raise ZholError("the weights sum to less than one unit", expected="frequencies")
    if kind == "nonparametric":
        return np.full(replicates, n)
    whole = int(np.floor(population))
    members = whole + (rng.random(replicates) < population - whole)
    return np.maximum(rng.binomial(members, min(1.0, n / population)), 1)


def _cells_to_draw(fit: Fit, kind: str) -> tuple[Sample, np.ndarray]:
    """Cells and the chance that a seen unit is of each."""
    sample = fit.sample
    if kind != "parametric":
        return sample, sample.w / sample.n
    pattern, first = sample.pattern
    units = np.bincount(pattern, weights=sample.w, minlength=len(first))
    corner = sample.take(first)
    counts, chances = _fitted_counts(corner, fit.beta, sample)
    grid = np.repeat(np.arange(len(first)), len(counts))
    w = (units[:, None] * chances).ravel()
    keep = w > 1e-12 * sample.n
    cells = sample.take(first[grid[keep]], y=np.tile(counts, len(first))[keep], w=w[keep])
    return cells, w[keep] / w[keep].sum()


def _fitted_counts(corner: Sample, beta: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Counts, and the fitted chance of each for a seen unit of each pattern.

    Models that say nothing of single captures keep their observed share; Chao's and Zelterman's take the Poisson.
    """
    model = sample.model
    counts = np.arange(1.0, _largest_count(corner, beta, sample) + 1)
    eta = [e[..., None] for e in corner.eta(beta[None])]
    if model.family == "pair":
        from scipy.stats import poisson

        rate = (model.first + 1) * np.exp(eta[0][0])
        chances = poisson.pmf(counts, rate)
        shape = (len(corner.y), len(counts))
        return counts, np.broadcast_to(chances / chances.sum(axis=-1, keepdims=True), shape)
    chances = np.exp(log_likelihood(model, corner.links, eta, counts, False).v[0])
    chances = np.broadcast_to(chances, (len(corner.y), len(counts))).copy()
    if model.truncation:
        pattern, first = sample.pattern
        units = np.bincount(pattern, weights=sample.w, minlength=len(first))
        single = np.bincount(pattern, weights=sample.w * (sample.y == 1), minlength=len(first)) / units
        chances = np.where(counts == 1, single[:, None], (1 - single[:, None]) * chances)
    return counts, chances / chances.sum(axis=-1, keepdims=True)


def _largest_count(corner: Sample, beta: np.ndarray, sample: Sample) -> int:
    """A count that the fitted distribution all but never exceeds."""
    top = int(sample.y.max())
    rate = np.exp(np.clip(corner.eta(beta[None])[0], -30, 6)).max()
    return int(min(max(3 * top + 10, 30, 8 * rate), 2000))


def _draw(rng: np.random.Generator, sizes: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Multinomial counts (replicates, cells), by the cheaper of two ways."""
    cells = len(chances)
    if cells <= 4 * sizes.mean():
        return rng.multinomial(sizes, chances / chances.sum()).astype(float)
    ladder = np.cumsum(chances)
    out = np.empty((len(sizes), cells))
    for i, size in enumerate(sizes):
        hits = np.searchsorted(ladder, rng.random(size) * ladder[-1], side="right")
        out[i] = np.bincount(np.minimum(hits, cells - 1), minlength=cells)
    return out


def percentile_interval(draws: np.ndarray, level: float) -> tuple[float, float]:
    """Middle ``level`` of the draws."""
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(draws, ends, method="linear" if np.isfinite(draws).all() else "nearest")
    return float(low), float(high)

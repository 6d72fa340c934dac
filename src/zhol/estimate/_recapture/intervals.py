"""Variance of the population and its intervals."""

from __future__ import annotations

import numpy as np

from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.likelihood import weight_in_population
from zhol.estimate._recapture.score import population

VARIANCES = ("reference", "theory")


def population_variance(
    sample: Sample,
    w: np.ndarray,
    beta: np.ndarray,
    covariance: np.ndarray,
    mask: np.ndarray | None = None,
    convention: str = "theory",
) -> tuple[np.ndarray, np.ndarray]:
    """Population and its analytic variance, for each replicate.

    The variance is that of van der Heijden et al. (2003): the delta-method part from the coefficients, plus the part
    from which members of the population happened to be seen.
    """
    total, gradient, _ = population(sample, w, beta, mask)
    from_fit = np.einsum("...p,...pq,...q->...", gradient, covariance, gradient)
    part = w if mask is None else w * mask
    return total, from_fit + (part * drawing_variance(sample, beta, convention)).sum(axis=-1)


def differs_from_theory(sample: Sample) -> bool:
    """Whether the reference implementation's variance of this model is not that of the theory."""
    model = sample.model
    return model.family == "geometric" and (model.truncation == 1 or model.inflation in ("ztoi", "ztHurdle"))


def drawing_variance(sample: Sample, beta: np.ndarray, convention: str = "theory") -> np.ndarray:
    """What each unit adds to the variance because it might have been missed (..., cells).

    Horvitz–Thompson with weight c = 1/P(seen): c(c − 1). Zero-one-truncated: single captures add nothing, the others
    the same with P(seen twice or more) in the place of P(seen). Chao: (1 − P)(1 + unseen a unit)² with P the chance
    of one of the two counts used.

    Under ``reference`` three geometric models (zotgeom, ztoigeom, ztHurdlegeom) follow singleRcapture 1.1.0, where
    this part is c, c − 1 and c.
    """
    model, eta = sample.model, sample.eta(beta)
    weight = weight_in_population(model, sample.links, eta, sample.y).v
    if convention == "reference" and differs_from_theory(sample):
        used = (sample.y > 1) if model.truncation else 1.0
        return used * (weight - 1.0 if model.inflation == "ztoi" else weight)
    if model.family == "pair" and model.name != "zelterman":
        rate = float(model.first + 1) * np.exp(eta[0])
        chance = np.exp(-rate) * (rate + rate**2 / 2 if model.first == 1 else rate**2 / 2 + rate**3 / 6)
        inside = (sample.y >= model.first) & (sample.y <= (model.last or 0))
        return inside * (1.0 - chance) * weight**2
    if model.truncation:
        return (sample.y > 1) * weight**2 * (1.0 - _chance_of_two(sample, eta))
    return weight * (weight - 1.0)


def _chance_of_two(sample: Sample, eta: list[np.ndarray]) -> np.ndarray:
    from zhol.estimate._recapture.base_counts import base

    signs = tuple(-1.0 if link == "neglog" else 1.0 for link in sample.links)
    return np.exp(base(sample.model.family, eta, signs, len(eta), False).log_q)


def normal_interval(n_hat: float, variance: float, observed: float, level: float) -> tuple[float, float]:
    """Normal interval, cut off below at the number observed."""
    half = _quantile(level) * np.sqrt(variance)
    return float(max(n_hat - half, observed)), float(n_hat + half)


def log_normal_interval(n_hat: float, variance: float, observed: float, level: float) -> tuple[float, float]:
    """Interval with log(N − n) normal (Chao 1987): never below the number observed.

    Examples
    --------
    >>> [round(x) for x in log_normal_interval(7079.92814953311, 133774.099991271, 1880, 0.95)]
    [6411, 7848]
    """
    unseen = n_hat - observed
    if not unseen > 0:
        return float(observed), float(n_hat)
    factor = np.exp(_quantile(level) * np.sqrt(np.log1p(variance / unseen**2)))
    return float(observed + unseen / factor), float(observed + unseen * factor)


def _quantile(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + level / 2))

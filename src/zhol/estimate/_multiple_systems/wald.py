"""Log-normal interval for the number on no list, from the curvature of the likelihood.

The number on no list is exp(α) with α the intercept; α is taken as normal, so the interval for the population is
n + exp(α ± z s). Two conventions exist for s. The information at the maximum is the exact one. R's ``glm``, and with
it SparseMSE and Rcapture, reports the information at the last scoring step but one, where its stopping rule (change
of deviance below 1e-8) found it: the two differ by up to 1e-4 of s on sparse tables. The published intervals of
this field come from R, so theirs is the one shown; the exact one stands in the details.
"""

from __future__ import annotations

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Design, Flags

STOP = 1e-8
MOST_STEPS = 25


def scoring_variance(model: Design, counts: Array, finite: Flags, keep: Flags) -> float:
    """Variance of the intercept by Fisher scoring under R's start (counts + 0.1) and stopping rule."""
    matrix, seen = model.matrix[np.ix_(keep, finite)], counts[keep]
    mu = seen + 0.1
    before = float(deviance(seen, mu))
    for _ in range(MOST_STEPS):
        inverse = np.linalg.pinv(matrix.T @ (mu[:, None] * matrix), hermitian=True)
        working = np.log(mu) + (seen - mu) / mu
        mu = np.exp(np.minimum(matrix @ (inverse @ (matrix.T @ (mu * working))), 600.0))
        now = float(deviance(seen, mu))
        if abs(now - before) < STOP * (abs(now) + 0.1):
            return float(inverse[0, 0])
        before = now
    return float("nan")


def deviance(counts: Array, mu: Array) -> Array:
    """Poisson deviance along the last axis; cells taken out (mu = 0, count 0) add nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(counts > 0, counts * np.log(counts / mu), 0.0)
    return np.asarray(2.0 * np.sum(ratio - (counts - mu), axis=-1))


def log_likelihood(counts: Array, mu: Array) -> Array:
    """Poisson log-likelihood along the last axis, the factorials included."""
    from scipy.special import gammaln

    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(counts > 0, counts * np.log(mu), 0.0)
    return np.asarray(np.sum(logs - mu - gammaln(counts + 1.0), axis=-1))


def interval(observed: float, unseen: float, variance: float, level: float) -> tuple[float, float]:
    """Ends of the interval for the population."""
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + level / 2.0)) * np.sqrt(variance)
    with np.errstate(over="ignore"):
        return float(observed + unseen * np.exp(-reach)), float(observed + unseen * np.exp(reach))


def standard_error(unseen: float, variance: float) -> float:
    """Of the population: the error of the expected number on no list, and the Poisson spread about it."""
    return float(np.sqrt(unseen + unseen**2 * variance))

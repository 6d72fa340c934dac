"""The best fit of one model: several climbs, the highest top, and how firm it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.estimate._registers.power_law import Array, Problem, covariance, derivatives, fit

_MANY = 100_000
_STARTS = (1e-6, 1e-4, 1e-3, 5e-3, 2e-2, 0.1, 0.3)


@dataclass(frozen=True)
class Fitted:
    """One model fitted: the problem, its best parameters and their covariances."""

    problem: Problem
    params: Array
    log_likelihood: float
    converged: bool
    maxima: Array
    robust: Array
    plain: Array
    model: Array
    weak: bool


def best(problem: Problem) -> Fitted:
    """The highest of several climbs: the likelihood need not be concave in gamma."""
    pa, pb = problem.shape
    starts = _STARTS if problem.gamma is None else (1.0,)
    start = np.zeros((len(starts), problem.size))
    first_a, first_b = (0.85, -0.5) if problem.constrained else (0.7, 0.6)
    start[:, :pa] = _constant(problem.alpha) * first_a
    start[:, pa : pa + pb] = _constant(problem.beta) * first_b
    if problem.gamma is None:
        start[:, pa + pb] = np.log(starts)
    if start.shape[0] * len(problem.y) > _MANY:
        # In large data a few steps from everywhere show which two climbs are worth finishing.
        first = fit(problem, start, np.ones((len(starts), len(problem.y))), steps=6)
        start = first.params[np.argsort(-np.nan_to_num(first.log_likelihood, nan=-np.inf))[:2]]
    fits = fit(problem, start, np.ones((len(start), len(problem.y))), steps=300)
    top = int(np.nanargmax(np.where(np.isfinite(fits.log_likelihood), fits.log_likelihood, -np.inf)))
    params = fits.params[top]
    robust, plain, model = covariance(problem, params)
    maxima = fits.log_likelihood[fits.converged]
    best = float(fits.log_likelihood[top])
    return Fitted(
        problem, params, best, bool(fits.converged[top]), maxima, robust, plain, model, _weak(problem, params)
    )


def _weak(problem: Problem, params: Array) -> bool:
    """Whether some direction of alpha and beta leaves the likelihood all but flat."""
    k = sum(problem.shape)
    info = derivatives(problem, params[None, :], np.ones((1, len(problem.y))))[1][0]
    free = [
        i
        for i in range(len(info))
        if i < k or problem.bounds()[0][i] + 1e-6 < params[i] < problem.bounds()[1][i] - 1e-6
    ]
    part = info[np.ix_(free, free)]
    scale = np.sqrt(np.maximum(np.diag(part), 1e-300))
    values = np.linalg.eigvalsh(part / np.outer(scale, scale))
    return bool(not np.isfinite(values).all() or values.min() < 1e-8)


def _constant(matrix: Array) -> Array:
    """Coefficients under which a design is the same number in every row, as near as it can."""
    return np.asarray(np.linalg.lstsq(matrix, np.ones(len(matrix)), rcond=None)[0], dtype=float)

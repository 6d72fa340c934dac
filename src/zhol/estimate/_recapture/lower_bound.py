"""A lower end from the likelihood, where a list gives no upper one."""

from __future__ import annotations

import numpy as np

from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.fit import Fit, without_covariates
from zhol.estimate._recapture.links import start_of
from zhol.estimate._recapture.score import population, score

_GRID = np.linspace(-16.0, 6.0, 89)


def likelihood_lower_bound(fit: Fit, level: float) -> float:
    """Smallest population that the likelihood does not rule out, as if all units were alike (the smallest case).

    The log-likelihood is profiled over log λ. The bound is the population at the largest rate at which it is within
    half the square of the normal quantile of its supremum.
    """
    from scipy.special import ndtri

    plain = without_covariates(fit.sample)
    sign = -1.0 if plain.links[0] == "neglog" else 1.0
    drop = 0.5 * float(ndtri(0.5 + level / 2)) ** 2
    rest = np.array([start_of(k, 0.4) for k in plain.links[1:]])
    rates = _GRID[::-1]
    profile = []
    for log_rate in rates:
        value, rest = _profile(plain, sign * float(log_rate), rest)
        profile.append(value)
    floor = max(profile) - drop
    first = int(np.argmax(np.array(profile) >= floor))
    outside, inside = float(rates[max(first - 1, 0)]), float(rates[first])
    for _ in range(25):
        middle = (outside + inside) / 2
        fits = _profile(plain, sign * middle, rest)[0] >= floor
        outside, inside = (outside, middle) if fits else (middle, inside)
    rest = _profile(plain, sign * inside, rest)[1]
    beta = np.concatenate([[sign * inside], rest])[None]
    return max(float(population(plain, plain.w[None], beta)[0][0]), plain.n)


def _profile(plain: Sample, eta: float, rest: np.ndarray) -> tuple[float, np.ndarray]:
    """Log-likelihood at this rate, the other predictors (within ±12) at their best."""
    from scipy.optimize import minimize

    w = plain.w[None]

    def minus(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient, _ = score(plain, w, np.concatenate([[eta], x])[None])
        return (-float(value[0]), -gradient[0][1:]) if np.isfinite(value[0]) else (1e30, np.zeros(len(x)))

    if not len(rest):
        return -minus(rest)[0], rest
    found = minimize(minus, rest, jac=True, method="L-BFGS-B", bounds=[(-12.0, 12.0)] * len(rest))
    return -float(found.fun), np.asarray(found.x)

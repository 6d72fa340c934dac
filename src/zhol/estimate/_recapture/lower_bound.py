"""A lower end from the likelihood, where a list gives no upper one."""

from __future__ import annotations

import numpy as np

from zhol.estimate._recapture.fit import Fit, without_covariates
from zhol.estimate._recapture.score import likelihood, population


def likelihood_lower_bound(fit: Fit, otherwise: float, level: float) -> float:
    """Smallest population that the likelihood does not rule out.

    For models of one parameter, as if all units were alike (which gives the smallest): the rate at which the
    log-likelihood has fallen by half the square of the normal quantile from its supremum. For others ``otherwise``,
    the lower end of the log-normal interval of the penalised fit.
    """
    from scipy.special import ndtri

    if len(fit.sample.model.parameters) > 1:
        return otherwise
    plain = without_covariates(fit.sample)
    drop = 0.5 * float(ndtri(0.5 + level / 2)) ** 2
    w = plain.w[None]

    def value(eta: float) -> float:
        return float(likelihood(plain, w, np.array([[eta]]))[0])

    low, high = -30.0, 10.0
    top = max(value(x) for x in np.linspace(low, high, 401))
    if value(high) >= top - drop:
        return otherwise
    best = max(np.linspace(low, high, 401), key=value)
    low = float(best)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if value(middle) >= top - drop else (low, middle)
    return float(population(plain, w, np.array([[low]]))[0][0])

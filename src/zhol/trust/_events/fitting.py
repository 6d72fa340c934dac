"""Effects of an event fitted to what it changed: a normal update of their draws in a few steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zhol.core.draws import generator

Array = np.ndarray
STEPS = 3


def effective_draws(seen: Array, observed: Array, error: Array) -> float:
    """How many of the draws the figures leave, if each counted by the likelihood of the figures.

    Parameters
    ----------
    seen : (draw, figure) array
    observed, error : (figure,) arrays
        On the same scale; errors are standard deviations.

    Returns
    -------
    float
        Kish's effective size, between 1 and the number of draws.

    Examples
    --------
    >>> effective_draws(np.array([[0.0], [0.0], [9.0]]), np.array([0.0]), np.array([1.0])).__round__(6)
    2.0
    """
    log_weight = -0.5 * (((seen - observed) / error) ** 2).sum(axis=1)
    log_weight = np.where(np.isfinite(log_weight), log_weight, -np.inf)
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / (weight**2).sum())


def normal_update(
    effects: Array, seen: Array, observed: Array, error: Array, inflation: float, rng: np.random.Generator
) -> Array:
    """Draws of effects moved toward what was observed, as if effects and figures were jointly normal.

    Parameters
    ----------
    effects : (draw, effect) array
    seen : (draw, figure) array
        What the model says of the figures under these draws.
    observed, error : (figure,) arrays
    inflation : float
        The variance of the error is multiplied by it; the inverses of the inflations of all steps add up to 1.
    rng : Generator
        Of the errors by which each draw's figures are shaken.

    Returns
    -------
    (draw, effect) array
    """
    draws = len(effects)
    e, s = effects - effects.mean(axis=0), seen - seen.mean(axis=0)
    between = e.T @ s / (draws - 1)
    within = s.T @ s / (draws - 1) + inflation * np.diag(error**2)
    shaken = observed + np.sqrt(inflation) * error * rng.standard_normal(seen.shape)
    return effects + (shaken - seen) @ np.linalg.solve(within, between.T)


def fit_effects(
    effects: Array, run: Callable[[Array], Array], observed: Array, error: Array, seed: int, name: str
) -> Array:
    """Draws of effects given the figures of an event.

    An ensemble smoother with multiple data assimilation: each of three steps takes the figures with three times their
    variance, and the model runs again in between, so that it need not be linear in the effects. Draws for which the
    model says nothing finite are not moved and move no other.

    Parameters
    ----------
    effects : (draw, effect) array
        From the evidence without the event.
    run : callable
        From effects to what the model says of the figures, (draw, figure).

    References
    ----------
    Emerick, A. A., Reynolds, A. C. (2013). Ensemble smoother with multiple data assimilation. Computers & Geosciences
    55.
    """
    rng = generator(seed, "event fit", name)
    for _ in range(STEPS):
        seen = run(effects)
        fine = np.isfinite(seen).all(axis=1)
        if fine.sum() > effects.shape[1] + 1:
            moved = normal_update(effects[fine], seen[fine], observed, error, float(STEPS), rng)
            effects = effects.copy()
            effects[fine] = moved
    return effects

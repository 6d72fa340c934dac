"""Which road is taken: a logit over the roads of a corridor, and its balance with prices that rise with use."""

from __future__ import annotations

from typing import Any

import numpy as np

from zhol.core.errors import ZholError

Array = Any  # NumPy or JAX: whatever is given comes back
_STEPS, _NEAR, _FINE = 100, 1e-9, 1e-13


def road_shares(generalised_cost: Array, exists: Array, scale: Array) -> Array:
    """Share of each road of a corridor; works on NumPy and JAX arrays alike.

    Parameters
    ----------
    generalised_cost : array (..., k)
        Cost of each road, in any unit; what stands where no road is does not matter, but must be finite.
    exists : bool array (..., k)
        Whether there is such a road.
    scale : float or array that broadcasts to (..., k)
        Scale of the logit, in the unit of the cost: small, and all take the cheapest road.

    Returns
    -------
    array (..., k)
        Adds up to 1 over the last axis; all 0 where there is no road.

    Notes
    -----
    McFadden (1974): the share of road r is exp(-c_r / s) / sum over q of exp(-c_q / s).

    Examples
    --------
    >>> import numpy as np
    >>> road_shares(np.array([0.0, np.log(3.0), 9.0]), np.array([True, True, False]), 1.0).round(4)
    array([0.75, 0.25, 0.  ])
    """
    xp = generalised_cost.__array_namespace__()
    value = xp.where(exists, -generalised_cost / scale, -xp.inf)
    top = xp.max(value, axis=-1, keepdims=True)
    top = xp.where(xp.isfinite(top), top, 0.0)
    weight = xp.where(exists, xp.exp(value - top), 0.0)
    total = xp.sum(weight, axis=-1, keepdims=True)
    return weight / xp.where(total > 0, total, 1.0)


def balanced_shares(
    base: np.ndarray, volume: np.ndarray, capacity: np.ndarray, exponent: np.ndarray, exists: np.ndarray, scale: Any
) -> np.ndarray:
    """Shares of the roads at which choice and price agree: the price of each road is that of the people who take it.

    Parameters
    ----------
    base, capacity : arrays (..., k)
        Price of each road where nobody else travels, and persons a month that double it; above 0.
    volume : array that broadcasts to (..., 1)
        Persons a month of the corridor.
    exponent, scale : float or array that broadcasts to (..., 1)
        As in :func:`zhol.roads.market_price` and :func:`road_shares`.
    exists : bool array (..., k)

    Returns
    -------
    array (..., k)
        Unique, since each road's price rises with its own volume alone.

    Raises
    ------
    ZholError
        If no balance is found.

    Notes
    -----
    The stochastic user equilibrium of Daganzo and Sheffi (1977), by Newton steps on the logs of the shares.

    Examples
    --------
    >>> import numpy as np
    >>> two = np.array([True, True])
    >>> balanced_shares(np.array([100.0, 100.0]), np.array([9.0]), np.array([5.0, 5.0]), 0.3, two, 50.0)
    array([0.5, 0.5])
    """
    if exists.shape[-1] == 0:
        return np.zeros(exists.shape)
    shape = np.broadcast_shapes(base.shape, exists.shape, np.shape(volume))
    start = np.where(exists, base / scale, 0.0)
    slope = start * (np.maximum(volume, 0.0) / capacity) ** exponent  # dearness that the crowd of a whole corridor adds
    some = exists.any(axis=-1, keepdims=True)

    def felt(at: float) -> np.ndarray:
        """Where the corridor's price stands if its best road has this log share."""
        price = np.where(exists, at + start + slope * np.exp(exponent * at), np.inf)
        return np.where(some, np.min(price, axis=-1, keepdims=True), 0.0)

    low, high = felt(-np.log(exists.shape[-1])), felt(0.0)
    level, log = high, np.broadcast_to(np.minimum(high - start, 0.0), shape)
    for _ in range(_STEPS):
        log = _log_shares(level, start, slope, exponent, log)
        share = np.where(exists, np.exp(log), 0.0)
        total = np.sum(share, axis=-1, keepdims=True)
        off = np.where(some, np.log(np.where(some, total, 1.0)), 0.0)
        if float(np.max(np.abs(off) - _FINE * np.abs(level), initial=0.0)) < _NEAR:
            return share / np.where(some, total, 1.0)
        low, high = np.where(off < 0, level, low), np.where(off > 0, level, high)
        speed = np.sum(share / (1.0 + exponent * slope * np.exp(exponent * log)), axis=-1, keepdims=True)
        level = level - off * total / np.where(some, speed, 1.0)
        level = np.where((level >= low) & (level <= high), level, (low + high) / 2.0)
    raise ZholError("the roads find no balance of choice and price", found=float(np.max(np.abs(off))))


def _log_shares(level: np.ndarray, start: np.ndarray, slope: np.ndarray, exponent: Any, log: np.ndarray) -> np.ndarray:
    """Log share u of each road at which u + start + slope exp(exponent u) is the level; rising and convex in u."""
    for _ in range(_STEPS):
        crowd = slope * np.exp(exponent * log)
        step = (level - log - start - crowd) / (1.0 + exponent * crowd)
        new = np.minimum(log + step, np.minimum(level - start, 0.0))  # the answer is never above this
        moved, log = np.abs(new - log), new
        if float(np.max(moved - _FINE * np.abs(level), initial=0.0)) < _NEAR / 10:
            break
    return log

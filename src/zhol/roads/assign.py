"""Which road is taken: a logit over the roads of a corridor."""

from __future__ import annotations

from typing import Any

Array = Any  # NumPy or JAX: whatever is given comes back


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

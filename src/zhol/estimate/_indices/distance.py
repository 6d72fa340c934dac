"""How far people move: mean, median and the decay of flows with distance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from zhol.estimate._indices.margins import fit_margins

Array = NDArray[np.float64]


def distances(flows: Array, apart: Array) -> dict[str, float]:
    """Mean, median and decay for flows (n, n) and distances (n, n); the diagonal is not looked at.

    Examples
    --------
    >>> apart = np.array([[0, 10, 80, 20], [10, 0, 20, 50], [80, 20, 0, 40], [20, 50, 40, 0.0]])
    >>> flows = np.divide(1000, apart, out=np.zeros((4, 4)), where=apart > 0)
    >>> {name: round(value, 3) for name, value in distances(flows, apart).items()}
    {'mean': 23.301, 'median': 20.0, 'decay': -1.0}
    """
    off = ~np.eye(len(flows), dtype=bool)
    moved, far = flows[off], apart[off]
    return {
        "mean": float((moved * far).sum() / moved.sum()),
        "median": weighted_median(far, moved),
        "decay": decay(flows, apart),
    }


def weighted_median(values: Array, weights: Array) -> float:
    """Median of weighted values, interpolated between the middles of their cumulated weights.

    Examples
    --------
    >>> weighted_median(np.array([1.0, 2.0, 3.0]), np.ones(3))
    2.0
    """
    kept = weights > 0
    order = np.argsort(values[kept], kind="stable")
    value, weight = values[kept][order], weights[kept][order]
    return float(np.interp(weight.sum() / 2, weight.cumsum() - weight / 2, value))


def decay(flows: Array, apart: Array) -> float:
    """Elasticity of flows to distance in a Poisson model with origin and destination effects; NaN if not identified.

    For a given elasticity the effects follow from the totals, so that only one equation in one unknown is left: fitted
    flows must travel as many log kilometres as the observed ones.
    """
    free = 1.0 - np.eye(len(flows))
    moves = flows * free
    logs = np.log(np.where(free > 0, apart, 1.0))
    logs = (logs - logs[free > 0].mean()) * free
    rows, columns = moves.sum(1), moves.sum(0)
    wanted = float((moves * logs).sum())

    def missing(power: float) -> float:
        fitted = fit_margins(np.exp(power * logs) * free, rows, columns)
        return float((fitted * logs).sum()) - wanted

    return _root(missing, float(moves.sum()))


def _root(function: Callable[[float], float], total: float) -> float:
    """Widen the bracket until the sign changes; the equation is monotone."""
    low, high = -2.0, 1.0
    try:
        for _ in range(5):
            below, above = function(low), function(high)
            if abs(above - below) <= 1e-10 * total:
                return float("nan")
            if below <= 0 <= above:
                return float(brentq(function, low, high, xtol=1e-13, rtol=1e-13))
            low, high = low * 2, high * 2
    except ValueError:
        return float("nan")
    return float("nan")

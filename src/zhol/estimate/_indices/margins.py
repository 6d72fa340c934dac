"""Fit a pattern to row and column totals: what a Poisson regression with origin and destination effects fits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_ROUND = 400  # iterations after which a fit that still moves is looked at


def fit_margins(pattern: Array, rows: Array, columns: Array, tolerance: float = 1e-12) -> Array:
    """Pattern (…, n, n) scaled to the totals of rows and columns by iterative proportional fitting.

    The fixed point is the Poisson maximum-likelihood fit with log ``pattern`` as offset and an effect for each origin
    and destination, because their scores are the totals. Cells that the totals force to zero fall only as one over the
    number of iterations; they are recognised by that and set to zero.

    Raises
    ------
    ValueError
        If the totals cannot be met.

    Examples
    --------
    >>> fit_margins(np.ones((2, 2)), np.array([1.0, 3.0]), np.array([2.0, 2.0])).round(6).tolist()
    [[0.5, 0.5], [1.5, 1.5]]
    >>> empty = 1 - np.eye(3)  # row 2 can only go to column 1, so nothing goes from 2 to 3
    >>> fit_margins(empty, np.array([40.0, 10.0, 0.0]), np.array([10.0, 30.0, 10.0])).round(6).tolist()
    [[0.0, 30.0, 10.0], [10.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    live = np.array(pattern, float)
    total = np.maximum(rows.sum(-1), 1e-300)[..., None]
    across = np.ones_like(columns)
    for _ in range(25):
        before, across, gap = _iterate(live, rows, columns, across, total, tolerance)
        if gap < tolerance:
            return before
        after, across, gap = _iterate(live, rows, columns, across, total, tolerance)
        if gap < tolerance:
            return after
        live = np.where(after < 0.75 * before, 0.0, live)
    if gap > 1e-6:
        raise ValueError("totals cannot be met by this pattern")
    return after


def _iterate(
    pattern: Array, rows: Array, columns: Array, across: Array, total: Array, tolerance: float
) -> tuple[Array, Array, float]:
    """A round of scalings: the fit, its column factors and the largest gap in a row, as a share of everything."""
    for _ in range(_ROUND):
        down = _quotient(rows, (pattern @ across[..., None])[..., 0])
        across = _quotient(columns, (down[..., None, :] @ pattern)[..., 0, :])
        gap = float(np.abs((down * (pattern @ across[..., None])[..., 0] - rows) / total).max(initial=0.0))
        if gap < tolerance:
            break
    return pattern * down[..., :, None] * across[..., None, :], across, gap


def _quotient(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

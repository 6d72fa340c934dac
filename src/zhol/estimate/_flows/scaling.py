"""Fit tables to row and column totals, many tables at once.

Newton's method on the two sets of factors, because plain proportional fitting needs thousands of sweeps where nearly
everybody lives where they were born. Both have the same answer: the table nearest to the seed in relative entropy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray
TOLERANCE = 1e-13
_NEWTON_STEPS, _SWEEPS, _LAST_SWEEPS = 40, 4, 3000


class Fitted(NamedTuple):
    """Fitted tables (draw, row, column), and for each whether both totals could be met."""

    tables: Array
    met: Array


def fit_margins(seed: Array, rows: Array, columns: Array) -> Fitted:
    """Scale each table to its totals; where both cannot be met, rows are met and columns come as near as they can.

    Parameters
    ----------
    seed : array, shape (draw, row, column)
        Non-negative; a zero stays zero.
    rows, columns : array, shape (draw, row), (draw, column)
        Non-negative totals with the same sum in every draw.

    References
    ----------
    Csiszár (1975), Annals of Probability 3(1), 146–158; Brown, Chase and Pittenger (1993) for totals that contradict.

    Examples
    --------
    >>> fit = fit_margins(np.array([[[5.0, 2.0], [1.0, 7.0]]]), np.array([[18.0, 20.0]]), np.array([[16.0, 22.0]]))
    >>> fit.tables[0].round(4).tolist()
    [[13.2502, 4.7498], [2.7498, 17.2502]]
    """
    left, right = _factors(seed, rows, columns)
    tables = left[:, :, None] * seed * right[:, None, :]
    met = _column_error(tables, columns) <= 1e-10
    if not met.all():
        bad = ~met
        tables[bad] = _rows_last(seed[bad], rows[bad], columns[bad])
    return Fitted(tables, met)


def _ratio(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=bottom > 0)


def _column_error(tables: Array, columns: Array) -> Array:
    """Largest relative error of a column total in each table; infinite where it is not a number."""
    error = np.abs(tables.sum(1) - columns) / np.maximum(columns, columns.sum(1, keepdims=True) * 1e-12 + 1e-300)
    return np.where(np.isfinite(error), error, np.inf).max(1)


def _factors(seed: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
    """Row and column factors after Newton; the last half-sweep meets the rows."""
    right = np.ones_like(columns)
    left = np.ones_like(rows)
    active = np.arange(len(seed))
    for step in range(_NEWTON_STEPS):
        part, a, b = seed[active], left[active], right[active]
        for _ in range(_SWEEPS):
            a = _ratio(rows[active], np.einsum("drc,dc->dr", part, b))
            b = _ratio(columns[active], np.einsum("drc,dr->dc", part, a))
        gap = rows[active] - a * np.einsum("drc,dc->dr", part, b)
        left[active], right[active] = a, b
        error = np.abs(gap) / np.maximum(rows[active], 1e-300)
        going = np.where(np.isfinite(error), error, 0.0).max(1, initial=0.0) > TOLERANCE
        if not going.any() or step == _NEWTON_STEPS - 1:
            break
        active = active[going]
        move = _newton(part[going], a[going], b[going], gap[going])
        left[active] *= np.exp(np.clip(move, -3, 3))
        right[active] = _ratio(columns[active], np.einsum("drc,dr->dc", seed[active], left[active]))
    left = _ratio(rows, np.einsum("drc,dc->dr", seed, right))
    return left, right


def _newton(seed: Array, left: Array, right: Array, gap: Array) -> Array:
    """Step of the log row factors that closes the gap of the rows while the columns stay met."""
    table = left[:, :, None] * seed * right[:, None, :]
    rows, columns = table.sum(2), table.sum(1)
    root = np.sqrt(rows)
    scale = np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)
    across = np.divide(1.0, np.sqrt(columns), out=np.zeros_like(columns), where=columns > 0)
    half = table * scale[:, :, None] * across[:, None, :]
    system = -half @ half.transpose(0, 2, 1)
    # All factors of one connected part may move together: the direction in which nothing changes is fenced off.
    still = root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-300)
    system += still[:, :, None] * still[:, None, :]
    diagonal = np.arange(system.shape[1])
    system[:, diagonal, diagonal] += 1.0 + 1e-13
    step: Array = np.linalg.solve(system, (gap * scale)[:, :, None])[:, :, 0] * scale
    return step


def _rows_last(seed: Array, rows: Array, columns: Array) -> Array:
    """Plain sweeps that end with the rows; a row whose cells have all gone keeps the pattern of its seed."""
    left, right = np.ones_like(rows), np.ones_like(columns)
    for _ in range(_LAST_SWEEPS):
        left = _ratio(rows, np.einsum("drc,dc->dr", seed, right))
        before, right = right, _ratio(columns, np.einsum("drc,dr->dc", seed, left))
        if np.allclose(before, right, rtol=1e-12, atol=0):
            break
    left = _ratio(rows, np.einsum("drc,dc->dr", seed, right))
    tables: Array = left[:, :, None] * seed * right[:, None, :]
    lost = ~np.isclose(tables.sum(2), rows, rtol=1e-9)
    if lost.any():
        plain = seed * _ratio(rows, seed.sum(2))[:, :, None]
        tables = np.where(lost[:, :, None], plain, tables)
    return tables

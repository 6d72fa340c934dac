"""Fit tables to row and column totals, many tables at once.

Newton's method on the two sets of factors, because plain proportional fitting needs thousands of sweeps where nearly
everybody lives where they were born. Both have the same answer: the table nearest to the seed in relative entropy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray
TOLERANCE = 1e-13
_SWEEPS, _STEPS, _MORE_STEPS = 4, 15, 100
_TRACE = 1e-6  # weight of the pattern that opens empty cells where the totals need them


class Fitted(NamedTuple):
    """Fitted tables (draw, row, column), for each whether its totals are met and whether empty cells were opened."""

    tables: Array
    met: Array
    opened: Array


def fit_margins(seed: Array, rows: Array, columns: Array, *, open_cells: bool = False) -> Fitted:
    """Scale each table to its totals.

    Parameters
    ----------
    seed : array, shape (draw, row, column)
        Non-negative; a zero stays zero, but for ``open_cells``.
    rows, columns : array, shape (draw, row), (draw, column)
        Non-negative totals with the same sum in every draw.
    open_cells : bool
        Where the zeros of a seed contradict the totals, a trace of the pattern rows times columns is added to it, so
        that as few people as the totals need stand in cells that were empty.

    References
    ----------
    Csiszár (1975), Annals of Probability 3(1), 146–158.

    Examples
    --------
    >>> fit = fit_margins(np.array([[[5.0, 2.0], [1.0, 7.0]]]), np.array([[18.0, 20.0]]), np.array([[16.0, 22.0]]))
    >>> fit.tables[0].round(4).tolist()
    [[13.2502, 4.7498], [2.7498, 17.2502]]
    """
    tables, met = _newton_fit(seed, rows, columns, _STEPS)
    opened = np.zeros_like(met)
    if met.all():
        return Fitted(tables, met, opened)
    bad = np.flatnonzero(~met)
    again = seed[bad]
    if open_cells:
        size = np.maximum(rows[bad].sum(1), 1e-300)[:, None, None]
        again = again + _TRACE * rows[bad][:, :, None] * columns[bad][:, None, :] / size
    tables[bad], met[bad] = _newton_fit(again, rows[bad], columns[bad], _MORE_STEPS if open_cells else 2 * _STEPS)
    opened[bad] = open_cells
    return Fitted(tables, met, opened)


def _newton_fit(seed: Array, rows: Array, columns: Array, steps: int) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):  # totals that contradict the seed drive factors to infinity; met says so
        left, right = _factors(seed, rows, columns, steps)
        tables = left[:, :, None] * seed * right[:, None, :]
    met = (_error(tables.sum(1), columns) <= 1e-10) & (_error(tables.sum(2), rows) <= 1e-10)
    return np.nan_to_num(tables, posinf=0.0), met


def _ratio(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros_like(bottom), where=bottom > 0)


def _error(found: Array, wanted: Array) -> Array:
    """Largest relative error of a total in each table; infinite where it is not a number."""
    error = np.abs(found - wanted) / np.maximum(wanted, wanted.sum(1, keepdims=True) * 1e-12 + 1e-300)
    return np.where(np.isfinite(error), error, np.inf).max(1)


def _factors(seed: Array, rows: Array, columns: Array, steps: int) -> tuple[Array, Array]:
    """Row and column factors after Newton; the last half-sweep meets the rows."""
    right = np.ones_like(columns)
    left = np.ones_like(rows)
    active = np.arange(len(seed))
    for step in range(steps):
        part, a, b = seed[active], left[active], right[active]
        for _ in range(_SWEEPS):
            a = _ratio(rows[active], _times(part, b))
            b = _ratio(columns[active], _times(part.transpose(0, 2, 1), a))
        gap = rows[active] - a * _times(part, b)
        left[active], right[active] = a, b
        going = _error(rows[active] - gap, rows[active]) > TOLERANCE
        if not going.any() or step == steps - 1:
            break
        active = active[going]
        move = _newton(part[going], a[going], b[going], gap[going])
        left[active] *= np.exp(np.clip(move, -3, 3))
        right[active] = _ratio(columns[active], _times(part[going].transpose(0, 2, 1), left[active]))
    left = _ratio(rows, _times(seed, right))
    return left, right


def _times(tables: Array, vectors: Array) -> Array:
    product: Array = (tables @ vectors[:, :, None])[:, :, 0]
    return product


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
    system[:, diagonal, diagonal] += np.where(root > 0, 1.0 + 1e-13, 2.0)
    step: Array = np.linalg.solve(system, (gap * scale)[:, :, None])[:, :, 0] * scale
    return step

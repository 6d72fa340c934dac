"""Cells that nobody estimated: filled by a multiplicative model, with the error that the model makes on known cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zhol.estimate._flows.scaling import Array


class Filled(NamedTuple):
    """A stock without gaps, where they were, and the error of a filled cell (standard deviation of its logarithm)."""

    stock: Array
    gaps: Array
    log_sd: float


def fill(stock: Array, how: str, unstated: Array | None = None) -> Filled:
    """Fill missing cells off the diagonal.

    Parameters
    ----------
    stock : array, shape (birthplace, residence)
        NaN where nothing was estimated.
    how : str
        ``expected``: birthplace effect times residence effect, fitted by maximum likelihood (Poisson) to the cells that
        are known; ``zero``: no people, without error.
    unstated : array, shape (residence,), optional
        People of each residence whose birthplace is not stated: gaps hold no more people than these, and those who are
        left over are spread like the known ones.

    Examples
    --------
    >>> stock = np.array([[50, 2, np.nan], [1, 60, 6], [3, 4, 70.0]])
    >>> fill(stock, "expected").stock[0, 2].round(2)
    np.float64(9.0)
    """
    gaps = np.isnan(stock)
    if how == "zero" or not gaps.any():
        known_cells = np.where(gaps, 0.0, stock)
        return Filled(known_cells if unstated is None else _spread(known_cells, unstated), gaps, 0.0)
    known = ~gaps & ~np.eye(len(stock), dtype=bool)
    expected = _expected(np.where(known, stock, 0.0), known)
    both = known & (stock > 0) & (expected > 0)
    errors = np.log(stock[both] / expected[both])
    log_sd = float(np.clip(1.4826 * np.median(np.abs(errors)), 0.1, 3.0)) if len(errors) > 2 else 1.0
    if unstated is None:
        return Filled(np.where(gaps, expected, stock), gaps, log_sd)
    wanted = np.where(gaps, expected, 0.0)
    size = wanted.sum(0)
    wanted *= np.minimum(_over(unstated, size), 1.0)[None, :]
    rest = _spread(np.where(gaps, 0.0, stock), np.maximum(unstated - size, 0.0))
    return Filled(np.where(gaps, wanted, rest), gaps, log_sd)


def _spread(stock: Array, people: Array) -> Array:
    """Add people to each residence, spread like its foreign-born."""
    foreign = stock - np.diag(np.diag(stock))
    return stock + foreign * _over(people, foreign.sum(0))[None, :]


def _expected(counts: Array, known: Array) -> Array:
    """Multiplicative expectation of every cell from the known ones; an effect never seen takes the typical one."""
    weight = known.astype(float)
    rows = np.ones(len(counts))
    columns = np.ones(len(counts))
    for _ in range(500):
        before = rows
        columns = _over(counts.sum(0), weight.T @ rows)
        rows = _over(counts.sum(1), weight @ columns)
        if np.allclose(rows, before, rtol=1e-10, atol=0):
            break
    seen_row, seen_column = known.any(1), known.any(0)
    rows = np.where(seen_row, rows, np.median(rows[seen_row]) if seen_row.any() else 0.0)
    columns = np.where(seen_column, columns, np.median(columns[seen_column]) if seen_column.any() else 0.0)
    return np.outer(rows, columns)


def _over(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

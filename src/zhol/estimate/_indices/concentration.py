"""Connectivity: how many pairs are linked, how unequal and how focused the flows are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zhol.estimate._indices.margins import fit_margins

Array = NDArray[np.float64]


def absolute_differences(values: Array) -> Array:
    """Sum of |a - b| over all ordered pairs along the last axis, by sorting (n log n instead of n²).

    Examples
    --------
    >>> float(absolute_differences(np.array([1.0, 2.0, 4.0])))
    12.0
    """
    size = values.shape[-1]
    weight = 2.0 * np.arange(1, size + 1) - size - 1
    return 2.0 * (np.sort(values, axis=-1) * weight).sum(axis=-1)


def off_diagonal(flows: Array) -> Array:
    """Rows without their diagonal cell: (…, n, n) becomes (…, n, n - 1).

    Examples
    --------
    >>> off_diagonal(np.arange(9.0).reshape(3, 3)).tolist()
    [[1.0, 2.0], [3.0, 5.0], [6.0, 7.0]]
    """
    size = flows.shape[-1]
    flat = flows.reshape(*flows.shape[:-2], size * size)[..., 1:]
    grid = flat.reshape(*flows.shape[:-2], size - 1, size + 1)[..., :-1]
    return grid.reshape(*flows.shape[:-2], size, size - 1)


def divide(top: Array, bottom: Array) -> Array:
    """Quotient, NaN where nothing stands below."""
    top, bottom = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    return np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom != 0)


def connectivity(flows: Array) -> dict[str, Array]:
    """All measures of the family for flows (…, origin, destination); the diagonal is not looked at.

    Measures and papers stand in ``docs/explanation/indices.md``. Shares lie between 0 and 1.
    """
    size = flows.shape[-1]
    rows, columns = off_diagonal(flows), off_diagonal(np.swapaxes(flows, -1, -2))
    cells = rows.reshape(*flows.shape[:-2], size * (size - 1))
    total, pairs = cells.sum(-1), size * (size - 1)
    out, entering = rows.sum(-1), columns.sum(-1)
    spread = divide(absolute_differences(cells), total)
    compared = 2.0 * max(size - 2, 1)
    gini_rows = divide(absolute_differences(rows), compared * out)
    gini_columns = divide(absolute_differences(columns), compared * entering)
    share_out, share_in = divide(out, total[..., None]), divide(entering, total[..., None])
    result = {
        "connectivity": (cells > 0).sum(-1) / pairs,
        "inequality_equal": 0.5 * np.abs(divide(cells, total[..., None]) - 1.0 / pairs).sum(-1),
        "inequality_sim": _distance_to_independence(flows, total),
        "gini_total": spread / (2.0 * (pairs - 1)),
        "gini_orig_standardized": divide(absolute_differences(rows).sum(-1), absolute_differences(cells)),
        "gini_dest_standardized": divide(absolute_differences(columns).sum(-1), absolute_differences(cells)),
        "gini_out": _mean(gini_rows, share_out),
        "gini_in": _mean(gini_columns, share_in),
        # The reference program weights the Gini of what leaves by what enters, and divides a mean by n once more.
        "mwg_orig": _mean(gini_rows, share_in) / size,
        "mwg_dest": _mean(gini_columns, share_out) / size,
    }
    result["mwg_mean"] = (result["mwg_orig"] + result["mwg_dest"]) / 2
    return result | _variation(flows, cells, rows, columns, share_out, share_in)


def by_place(flows: Array) -> dict[str, Array]:
    """Gini index of what leaves and of what enters every place (Plane and Mulligan 1997; Bell et al. 2002)."""
    size = flows.shape[-1]
    rows, columns = off_diagonal(flows), off_diagonal(np.swapaxes(flows, -1, -2))
    scale = 2.0 * max(size - 2, 1)
    return {
        "gini_out": divide(absolute_differences(rows), scale * rows.sum(-1)),
        "gini_in": divide(absolute_differences(columns), scale * columns.sum(-1)),
    }


def _variation(
    flows: Array, cells: Array, rows: Array, columns: Array, share_out: Array, share_in: Array
) -> dict[str, Array]:
    """Coefficients of variation: of all cells, and of rows and columns weighted by their size (Rogers and Sweeney)."""
    size = flows.shape[-1]
    empty = flows * (1.0 - np.eye(size))
    mean = empty.mean((-1, -2))
    squares = ((empty - mean[..., None, None]) ** 2).sum((-1, -2))
    aggregate_out = _mean(divide(rows.std(-1), rows.mean(-1)), share_out)
    aggregate_in = _mean(divide(columns.std(-1), columns.mean(-1)), share_in)
    return {
        "cv": np.sqrt(divide(squares / (size**2 * (size**2 - 1)), mean)),
        "cv_cells": divide(cells.std(-1), cells.mean(-1)),
        "acv_out": aggregate_out,
        "acv_in": aggregate_in,
        "acv": aggregate_out + aggregate_in,
    }


def _mean(values: Array, weights: Array) -> Array:
    """Weighted mean along the last axis; places without movers carry no weight."""
    return np.where(weights > 0, np.nan_to_num(values) * weights, 0.0).sum(-1)


def _distance_to_independence(flows: Array, total: Array) -> Array:
    """Half the distance to the flows that origins and destinations alone would give (quasi-independence)."""
    size = flows.shape[-1]
    free = 1.0 - np.eye(size)
    moves = flows * free
    fitted = fit_margins(np.broadcast_to(free, moves.shape), moves.sum(-1), moves.sum(-2))
    return divide(0.5 * np.abs(moves - fitted).sum((-1, -2)), total)

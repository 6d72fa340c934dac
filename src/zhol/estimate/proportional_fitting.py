"""Fit a table to totals: rows and columns, three dimensions, blocks, stripes, and net migration.

Proportional fitting finds the table nearest to a prior in relative entropy; the other two distances for net migration
are squared relative error and absolute error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zhol.core.errors import ZholError
from zhol.estimate._flows.scaling import Array, fit_margins

__all__ = ["fit_parts", "fit_three_way", "fit_two_way", "net_matrix", "parts_of_blocks", "parts_of_stripes"]


def fit_two_way(rows: Any, columns: Any, seed: Any = None) -> Array:
    """Table with given row and column totals, nearest to a seed in relative entropy.

    Parameters
    ----------
    rows, columns : array, shape (n,), (m,)
        Totals, with the same sum.
    seed : array, shape (n, m), optional
        Prior table; ones if not given. A zero stays zero.

    Returns
    -------
    array, shape (n, m)

    Raises
    ------
    ZholError
        If totals are negative or have different sums, or zeros of the seed contradict them.

    References
    ----------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11(4), 427–444; Willekens (1999).

    Examples
    --------
    >>> fit_two_way([18, 20], [16, 22], [[5, 2], [1, 7]]).round(4).tolist()
    [[13.2502, 4.7498], [2.7498, 17.2502]]
    """
    n, m = _totals(rows, "rows"), _totals(columns, "columns")
    _same_sum(n, m)
    table = _prior(seed, (len(n), len(m)))
    fitted = fit_margins(table[None], n[None], (m * (n.sum() / m.sum() if m.sum() else 1.0))[None])
    if not fitted.met[0] or not np.allclose(fitted.tables[0].sum(1), n, rtol=1e-9):
        raise ZholError("zeros of the seed contradict the totals", hint="give a seed without these zeros")
    answer: Array = fitted.tables[0]
    return answer


def fit_three_way(
    origin_type: Any, destination_type: Any, seed: Any = None, origin_destination: Any = None, tolerance: float = 1e-12
) -> Array:
    """Flows by origin, destination and type with given two-way totals (three-way if all are given).

    Parameters
    ----------
    origin_type, destination_type : array, shape (n, k), (m, k)
        Totals over destinations and over origins of each type (of birthplace, of age, ...).
    seed : array, shape (n, m) or (n, m, k), optional
        Prior flows; ones if not given.
    origin_destination : array, shape (n, m), optional
        Totals over types.
    tolerance : float
        Largest error of a total, relative to the largest total.

    Returns
    -------
    array, shape (n, m, k)

    References
    ----------
    Abel (2013), Demographic Research 28(18), 505–546.

    Examples
    --------
    >>> cube = fit_three_way([[3, 1], [1, 3]], [[2, 2], [2, 2]])
    >>> cube.sum(axis=1).round(6).tolist()
    [[3.0, 1.0], [1.0, 3.0]]
    """
    first, second = _table(origin_type, "origin_type"), _table(destination_type, "destination_type")
    shape = (len(first), len(second), first.shape[1])
    if second.shape[1] != shape[2]:
        raise ZholError("origin_type and destination_type have different types", found=f"{shape[2]}, {second.shape[1]}")
    prior = _prior(seed, shape[:2] if np.ndim(seed) == 2 else shape)
    cube = np.array(np.broadcast_to(prior[:, :, None] if prior.ndim == 2 else prior, shape))
    for one, other in zip(first.T, second.T, strict=True):
        _same_sum(one, other)
    if origin_destination is None:
        fitted = fit_margins(np.ascontiguousarray(cube.transpose(2, 0, 1)), first.T, second.T)
        if not fitted.met.all():
            raise ZholError("zeros of the seed contradict the totals", hint="give a seed without these zeros")
        return np.ascontiguousarray(fitted.tables.transpose(1, 2, 0))
    targets = [(1, first), (0, second), (2, _table(origin_destination, "origin_destination"))]
    return _sweep(cube, targets, tolerance)


def _sweep(cube: Array, targets: list[tuple[int, Array]], tolerance: float) -> Array:
    """Scale to each margin in turn (a margin is named by the axis it sums over)."""
    for axis, target in targets:
        if cube.sum(axis).shape != target.shape:
            raise ZholError("totals do not fit the seed", found=str(target.shape), expected=str(cube.sum(axis).shape))
    size = max(float(t.max(initial=0.0)) for _, t in targets) or 1.0
    for _ in range(20_000):
        for axis, target in targets:
            total = cube.sum(axis)
            cube = cube * np.expand_dims(np.divide(target, total, out=np.zeros_like(total), where=total > 0), axis)
        if max(float(np.abs(cube.sum(axis) - t).max()) for axis, t in targets) <= tolerance * size:
            return cube
    raise ZholError("the totals contradict each other or the seed", hint="check that they describe the same people")


def fit_parts(
    totals: Any, parts: Any, rows: Any = None, columns: Any = None, seed: Any = None, tolerance: float = 1e-12
) -> Array:
    """Table with given sums over parts of it, beside row and column totals.

    A part is any set of cells with one label: square blocks (flows between groups of places), or stripes (a row over
    a group of columns). ``parts_of_blocks`` and ``parts_of_stripes`` write the labels.

    Parameters
    ----------
    totals : array, shape (number of parts,)
        Sum of each part; a table is read row by row.
    parts : array of int, shape (n, m)
        Part of each cell, counted from zero.
    rows, columns : array, optional
        Row and column totals.
    seed : array, shape (n, m), optional
        Prior table; ones if not given.
    tolerance : float
        Largest error of a total, relative to the largest total.

    Returns
    -------
    array, shape (n, m)

    Raises
    ------
    ZholError
        If shapes do not fit, or the totals contradict each other.

    Examples
    --------
    >>> table = fit_parts([[0, 6], [4, 0]], parts_of_blocks([1, 2]), rows=[6, 3, 1])
    >>> table.round(6).tolist()
    [[0.0, 3.0, 3.0], [3.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    label = np.asarray(parts)
    wanted = np.asarray(totals, dtype=float).ravel()
    if label.ndim != 2 or label.min() < 0 or label.max() >= len(wanted):
        raise ZholError("parts do not fit their totals", found=f"{len(wanted)} totals", expected="a total a part")
    table = _prior(seed, label.shape)
    margins = [(1, rows), (0, columns)]
    targets = [(axis, _totals(t, "totals")) for axis, t in margins if t is not None]
    size = max([float(wanted.max()), *(float(t.max()) for _, t in targets)]) or 1.0
    for _ in range(20_000):
        for axis, target in targets:
            total = table.sum(axis)
            table = table * np.expand_dims(np.divide(target, total, out=np.zeros_like(total), where=total > 0), axis)
        sums = np.bincount(label.ravel(), weights=table.ravel(), minlength=len(wanted))
        table = table * np.divide(wanted, sums, out=np.zeros_like(sums), where=sums > 0)[label]
        errors = [float(np.abs(table.sum(axis) - t).max()) for axis, t in targets]
        sums = np.bincount(label.ravel(), weights=table.ravel(), minlength=len(wanted))
        if max([float(np.abs(sums - wanted).max()), *errors]) <= tolerance * size:
            return table
    raise ZholError("the totals contradict each other or the seed", hint="check that they describe the same people")


def parts_of_blocks(sizes: Sequence[int]) -> Array:
    """Labels of the square blocks of groups of places: group of the origin times groups plus group of the destination.

    Examples
    --------
    >>> parts_of_blocks([1, 2]).tolist()
    [[0, 1, 1], [2, 3, 3], [2, 3, 3]]
    """
    group = np.repeat(np.arange(len(sizes)), sizes)
    return group[:, None] * len(sizes) + group[None, :]


def parts_of_stripes(rows: int, sizes: Sequence[int], by_row: bool = True) -> Array:
    """Labels of stripes: each row over a group of columns, or (``by_row=False``) each column over a group of rows.

    Examples
    --------
    >>> parts_of_stripes(2, [1, 2]).tolist()
    [[0, 1, 1], [2, 3, 3]]
    """
    group = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.arange(rows)[:, None] * len(sizes) + group[None, :]
    return labels if by_row else labels.T


def net_matrix(net: Any, prior: Any, distance: str = "entropy", allowed: Any = None) -> Array:
    """Flows with given net migration of every place, nearest to a prior.

    Parameters
    ----------
    net : array, shape (n,)
        Net migration (in less out) of each place; sums to zero.
    prior : array, shape (n, n)
        Prior flows (origin, destination); the diagonal is left out.
    distance : str
        ``entropy``: relative entropy (the answer of proportional fitting, prior times a ratio of place effects);
        ``quadratic``: squared error over the prior, none below zero; ``absolute``: sum of absolute errors, by linear
        programming.
    allowed : array of bool, shape (n, n), optional
        Cells that may have a flow; under ``entropy`` those with a prior above zero, otherwise all off the diagonal.

    Returns
    -------
    array, shape (n, n)

    Raises
    ------
    ZholError
        If the net migration does not sum to zero, or no flows over the allowed cells have it.

    References
    ----------
    Plane (1981), Environment and Planning A 13(6), 741–750, for entropy.

    Examples
    --------
    >>> prior = [[0, 100, 30, 70], [50, 0, 45, 5], [60, 35, 0, 40], [20, 25, 20, 0]]
    >>> net_matrix([30, 40, -15, -55], prior).round(2)[0].tolist()
    [0.0, 80.58, 26.05, 34.78]
    """
    wanted = _vector(net, "net")
    table = _prior(prior, (len(wanted), len(wanted)))
    if not abs(wanted.sum()) <= 1e-9 * max(np.abs(wanted).sum(), 1.0):
        raise ZholError("net migration does not sum to zero", found=float(wanted.sum()), expected="0")
    open_cells = ~np.eye(len(wanted), dtype=bool)
    if allowed is not None:
        open_cells &= np.asarray(allowed, dtype=bool)
    table = np.where(open_cells, table, 0.0)
    if not open_cells.any() and wanted.any():
        raise ZholError("no flows over the allowed cells have this net migration", hint="allow more cells")
    match distance:
        case "entropy":
            return _net_entropy(wanted, table)
        case "quadratic":
            return _net_quadratic(wanted, table, open_cells)
        case "absolute":
            return _net_absolute(wanted, table, open_cells)
    raise ZholError("unknown distance", found=distance, expected="entropy or quadratic or absolute")


def _net_entropy(net: Array, prior: Array) -> Array:
    """Newton on the place effects e: flow = prior * exp(e_destination - e_origin), a convex problem."""
    effect = np.zeros(len(net))

    def flow_of(e: Array) -> Array:
        return prior * np.exp(np.clip(e[None, :] - e[:, None], -500, 500))

    def value(e: Array) -> float:
        return float(flow_of(e).sum() - net @ e)

    size = max(float(np.abs(net).max(initial=0.0)), 1e-12 * float(prior.sum()), 1e-300)
    for _ in range(300):
        flow = flow_of(effect)
        gap = net - (flow.sum(0) - flow.sum(1))
        if np.abs(gap).max() <= 1e-12 * max(size, float(flow.max(initial=0.0))):
            return flow
        hessian = np.diag(flow.sum(0) + flow.sum(1)) - flow - flow.T
        step = np.linalg.lstsq(hessian, gap, rcond=1e-14)[0]
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        before = value(effect)
        while value(effect + step) > before + 1e-12 * abs(before) and np.abs(step).max() > 1e-14:
            step /= 2
        effect = effect + step
    if np.abs(gap).max() <= 1e-8 * size:
        return flow
    raise ZholError("no flows over the cells of the prior have this net migration", hint="add cells to the prior")


def _net_quadratic(net: Array, prior: Array, open_cells: Array) -> Array:
    """Active set on the dual: flow = max(prior + weight * (e_destination - e_origin), 0)."""
    weight = np.where(open_cells, np.maximum(prior, 1e-3 * max(float(prior.max(initial=0.0)), 1.0)), 0.0)
    effect = np.zeros(len(net))

    def flow_of(e: Array) -> Array:
        return np.maximum(prior + weight * (e[None, :] - e[:, None]), 0.0)

    def value(e: Array) -> float:
        return float((flow_of(e)[open_cells] ** 2 / weight[open_cells]).sum() / 2 - net @ e)

    for _ in range(500):
        flow = flow_of(effect)
        gap = net - (flow.sum(0) - flow.sum(1))
        size = max(float(np.abs(net).max(initial=0.0)), float(flow.max(initial=0.0)), 1e-300)
        if np.abs(gap).max() <= 1e-11 * size:
            return flow
        active = np.where(flow > 0, weight, 1e-9 * weight)
        hessian = np.diag(active.sum(0) + active.sum(1)) - active - active.T
        step = np.linalg.lstsq(hessian, gap, rcond=1e-15)[0]
        before, length = value(effect), 1.0
        while value(effect + length * step) > before - 1e-4 * length * float(gap @ step) and length > 1e-12:
            length /= 2
        effect = effect + length * step
    if np.abs(gap).max() <= 1e-7 * size:
        return flow
    raise ZholError("no flows over the allowed cells have this net migration", hint="allow more cells")


def _net_absolute(net: Array, prior: Array, open_cells: Array) -> Array:
    """Linear programme: flow = prior + more - less, less at most the prior, at the least sum of more and less."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, hstack

    o, d = np.nonzero(open_cells)
    cell = np.arange(len(o))
    places = np.concatenate([d, o])
    signs = np.concatenate([np.ones(len(o)), -np.ones(len(o))])
    balance = coo_array((signs, (places, np.concatenate([cell, cell]))), shape=(len(net), len(o)))
    start = balance @ prior[o, d]
    bounds: Any = [(0, None)] * len(o) + [(0, float(p)) for p in prior[o, d]]
    both: Any = hstack([balance, -balance])
    found: Any = linprog(np.ones(2 * len(o)), A_eq=both, b_eq=net - start, bounds=bounds, method="highs")
    if not found.success:
        raise ZholError("no flows over the allowed cells have this net migration", hint="allow more cells")
    flow = np.zeros_like(prior)
    flow[o, d] = np.maximum(prior[o, d] + found.x[: len(o)] - found.x[len(o) :], 0.0)
    return flow


def _vector(values: Any, name: str) -> Array:
    try:
        vector = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ZholError(f"{name} are not numbers") from error
    if vector.ndim != 1 or not len(vector) or not np.isfinite(vector).all():
        raise ZholError(f"{name} are not a row of numbers", found=str(vector.shape))
    return vector


def _totals(values: Any, name: str) -> Array:
    vector = _vector(values, name)
    if (vector < 0).any():
        raise ZholError(f"{name} have a negative total", found=float(vector.min()))
    return vector


def _table(values: Any, name: str) -> Array:
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or not np.isfinite(table).all() or (table < 0).any():
        raise ZholError(f"{name} is not a table of numbers of zero or more", found=str(table.shape))
    return table


def _prior(seed: Any, shape: tuple[int, ...]) -> Array:
    if seed is None:
        return np.ones(shape)
    table = np.asarray(seed, dtype=float)
    if table.shape != shape:
        raise ZholError("the seed does not fit the totals", found=str(table.shape), expected=str(shape))
    if not np.isfinite(table).all() or (table < 0).any():
        raise ZholError("the seed has a cell that is negative or no number", expected="numbers of zero or more")
    return table


def _same_sum(first: Array, second: Array) -> None:
    if abs(first.sum() - second.sum()) > 1e-6 * max(float(first.sum()), 1e-300):
        raise ZholError("totals of rows and columns differ", found=f"{first.sum():g} and {second.sum():g}")

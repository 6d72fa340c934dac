"""Counts of persons that nobody can be picked out of: suppression, rounding, and the audit that proves it.

A table is seen as its inner cells x (whole numbers, not below zero) and rows A x of sums over them that are published
too. An outsider who reads the published ones knows every x that would give them; a cell is safe when those leave it an
interval at least as wide as the smallest count that may be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

THRESHOLD = 10  # smallest count of persons that may be shown
DENOMINATOR = 100  # smallest denominator of a rate that may be shown
_MOST_CELLS = 5000
_TOTALS_COST = 20.0  # a lost total hurts a reader more than a lost cell


@dataclass
class Table:
    """Inner cells, the sums published beside them, and what outsiders may know.

    Parameters
    ----------
    rows : array of 0 and 1, shape (published, inner)
        The inner cells themselves come first (an identity), then the sums.
    inner : array of int, shape (inner,)
        The true counts.
    """

    rows: Ints
    inner: Ints
    witness_low: Array = field(init=False)
    witness_high: Array = field(init=False)

    def __post_init__(self) -> None:
        self.witness_low = self.values.astype(float)
        self.witness_high = self.values.astype(float)

    @property
    def values(self) -> Ints:
        """True value of every published row."""
        return np.asarray(self.rows @ self.inner)

    def learn(self, cells: Array) -> None:
        """Another table that fits what is published widens what is known to be possible."""
        at = self.rows @ np.round(cells)
        self.witness_low, self.witness_high = np.minimum(self.witness_low, at), np.maximum(self.witness_high, at)

    def width(self, row: int) -> float:
        """How wide a row is known to be open."""
        return float(self.witness_high[row] - self.witness_low[row])


def suppress(table: Table, threshold: int = THRESHOLD) -> Flags:
    """Which rows must be blank: those below ``threshold``, and as many more as keep them from being worked out.

    Parameters
    ----------
    table : Table
    threshold : int
        Smallest count that may be shown, and the least width of what an outsider may know of a smaller one.

    Returns
    -------
    array of bool, shape (published,)
    """
    small = table.values < threshold
    blank = small.copy()
    for row in _in_order(table, small):
        if table.width(row) < threshold:
            _look(table, blank, row)
        if table.width(row) < threshold:
            blank |= _cover(table, blank, row, threshold)
            _look(table, blank, row)
    if not _safe(table, blank, small, threshold):
        # No cover was found cell by cell: keep the largest sum alone, which says next to nothing.
        blank = np.ones(len(blank), dtype=bool)
        top = int(np.argmax(table.values))
        blank[top] = table.values[top] < threshold
    return _spared(table, blank, small, threshold)


def _in_order(table: Table, small: Flags) -> list[int]:
    """Rows to protect, those that are hardest first."""
    values = table.values
    return sorted(np.flatnonzero(small).tolist(), key=lambda r: (-int(table.rows[r].sum()), int(values[r])))


def intervals(rows: Ints, published: Array, wanted: Sequence[int] | None = None) -> Array:
    """What an outsider can work out of a published table: least and greatest value of every blank row.

    Parameters
    ----------
    rows : array of 0 and 1, shape (published, inner)
    published : array, shape (published,)
        Values, NaN where blank.
    wanted : sequence of int, optional
        Rows to look at; by default all blank ones.

    Returns
    -------
    array, shape (wanted, 2)
        Infinite where nothing bounds a row from above.

    Examples
    --------
    >>> rows = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    >>> intervals(rows, np.array([np.nan, np.nan, 40, 55])).tolist()
    [[0.0, 15.0], [0.0, 15.0]]
    """
    known = ~np.isnan(published)
    asked = np.flatnonzero(~known) if wanted is None else np.asarray(wanted)
    low, high = np.where(known, published, -np.inf), np.where(known, published, np.inf)
    out = np.empty((len(asked), 2))
    for i, row in enumerate(asked):
        ends = [_extreme(rows, low, high, known, row, sign) for sign in (1.0, -1.0)]
        out[i] = [np.inf if isinstance(e, float) else 0.0 if e is None else rows[row] @ e for e in ends]
    return out


def _extreme(rows: Ints, low: Array, high: Array, known: Flags, row: int, sign: float) -> Array | float | None:
    """The table in which a row is least (sign 1) or greatest (-1); infinity if nothing bounds it."""
    if sign < 0 and (rows[row].astype(bool) & ~rows[known].any(axis=0)).any():
        return float("inf")  # sums are of counts, so only a cell in no published sum can grow without end
    found = _solve(sign * rows[row].astype(float), rows, low, high)
    return None if found is None else np.round(found)


def _solve(objective: Array, rows: Ints, low: Array, high: Array) -> Array | None:
    """Whole numbers, not below zero, that minimise the objective while every row stays between its ends."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    held = np.isfinite(low) | np.isfinite(high)
    constraints = [LinearConstraint(csr_array(rows[held]), low[held], high[held])] if held.any() else []
    result = milp(
        objective,
        constraints=constraints,
        integrality=np.ones(len(objective), dtype=np.int64),
        bounds=Bounds(0, np.inf),
    )
    return None if result.x is None else np.asarray(result.x)


def _look(table: Table, blank: Flags, row: int) -> None:
    """Find the least and the greatest value that a row could have, and remember both tables."""
    values = table.values.astype(float)
    low, high = np.where(blank, -np.inf, values), np.where(blank, np.inf, values)
    for sign in (1.0, -1.0):
        found = _extreme(table.rows, low, high, ~blank, row, sign)
        if isinstance(found, float):
            table.witness_high[row] = np.inf
        elif found is not None:
            table.learn(found)


def _cover(table: Table, blank: Flags, row: int, threshold: int) -> Flags:
    """Further rows to blank so that this one is open by ``threshold``: two tables that far apart, cheaply hidden.

    The tables are u and w; every row that is still shown costs what it must move to let them differ.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, hstack, identity, vstack

    values, cells = table.values, len(table.inner)
    shown = np.flatnonzero(~blank)
    weight = np.log(2.0 + values[shown]) * np.where(shown < cells, 1.0, _TOTALS_COST)
    weight = weight * (1 + 1e-3 * np.arange(len(shown)) / max(len(shown), 1))  # ties in a fixed order
    a, eye = csr_array(table.rows[shown].astype(float)), identity(len(shown), format="csr")
    none = csr_array((len(shown), cells))
    parts, low, high = [], [], []
    for left, right in ((a, none), (none, a)):
        parts += [hstack([left, right, -eye]), hstack([left, right, eye])]
        low += [np.full(len(shown), -np.inf), values[shown].astype(float)]
        high += [values[shown].astype(float), np.full(len(shown), np.inf)]
    apart = csr_array(np.concatenate([table.rows[row], -table.rows[row], np.zeros(len(shown))])[None, :].astype(float))
    constraint = LinearConstraint(
        vstack([*parts, apart]), np.concatenate([*low, [threshold]]), np.concatenate([*high, [np.inf]])
    )
    objective = np.concatenate([np.zeros(2 * cells), weight])
    whole = np.repeat([1, 0], [2 * cells, len(shown)])
    # Any cover will do, the cheapest is not worth a long search.
    result = milp(
        objective, constraints=[constraint], integrality=whole, bounds=Bounds(0, np.inf), options={"mip_rel_gap": 0.2}
    )
    more = np.zeros(len(blank), dtype=bool)
    if result.x is not None:
        for at in (result.x[:cells], result.x[cells : 2 * cells]):
            moved = table.rows @ np.round(at) != values
            more |= moved & ~blank
    return more


def _safe(table: Table, blank: Flags, small: Flags, threshold: int) -> bool:
    """Whether every small row is open by ``threshold`` under these blanks, computed afresh."""
    fresh = Table(table.rows, table.inner)
    for row in np.flatnonzero(small).tolist():
        if fresh.width(row) < threshold:
            _look(fresh, blank, row)
        if fresh.width(row) < threshold:
            return False
    return True


def _spared(table: Table, blank: Flags, small: Flags, threshold: int) -> Flags:
    """Show again, largest first, what turns out not to be needed as cover (small tables only)."""
    extra = np.flatnonzero(blank & ~small)
    if len(blank) > 300 or len(extra) > 40:
        return blank
    for row in sorted(extra.tolist(), key=lambda r: (-(r >= len(table.inner)), -int(table.values[r]))):
        trial = blank.copy()
        trial[row] = False
        if _safe(table, trial, small, threshold):
            blank = trial
    return blank


def round_controlled(table: Table, base: int = THRESHOLD) -> Ints:
    """Multiples of ``base`` that still add up, each less than ``base`` from the truth and as near as can be.

    Two-way tables always have such a rounding (Cox 1987); where a larger table has none, cells may go one ``base``
    further. An outsider who knows the rule learns of a cell no more than that it lies less than ``base`` from what is
    shown: the rounded table itself fits every sum, and so does any table that moves one cell within those ends.

    Parameters
    ----------
    table : Table
    base : int

    Returns
    -------
    array of int, shape (published,)

    Raises
    ------
    ZholError
        If not even that is possible.
    """
    for slack in (0, 1):
        found = _rounded(table, base, slack)
        if found is not None:
            return np.asarray(table.rows @ found)
    raise ZholError("no rounding of this table adds up", found=f"base {base}", hint="use suppression instead")


def _rounded(table: Table, base: int, slack: int) -> Ints | None:
    """Smallest total distance; z counts bases, d bounds each row's distance."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, hstack, identity, vstack

    values, cells, count = table.values, len(table.inner), len(table.rows)
    reach = base * (1 + slack) - 1
    low, high = np.ceil((values - reach) / base), np.floor((values + reach) / base)
    a, eye = csr_array(table.rows.astype(float) * base), identity(count, format="csr")
    constraint = LinearConstraint(
        vstack([hstack([a, -eye]), hstack([a, eye])]),
        np.concatenate([np.full(count, -np.inf), values]),
        np.concatenate([values, np.full(count, np.inf)]),
    )
    sums = LinearConstraint(
        hstack([csr_array(table.rows.astype(float)), csr_array((count, count))]), np.maximum(low, 0), high
    )
    # A fixed, tiny preference among equals makes the answer the same on every machine.
    cost = np.concatenate([np.arange(cells) * 1e-7, np.ones(count)])
    result = milp(
        cost,
        constraints=[constraint, sums],
        integrality=np.repeat([1, 0], [cells, count]),
        bounds=Bounds(0, np.inf),
        options={"mip_rel_gap": 0.02},
    )
    return None if result.x is None else (np.round(result.x[:cells]).astype(np.int64) * base)


def protect(
    data: Any,
    by: Sequence[str],
    count: str = "n",
    *,
    threshold: int = THRESHOLD,
    method: str = "suppress",
    base: int | None = None,
    total: str = "all",
) -> pl.DataFrame:
    """A table of counts with all its margins, safe to show.

    Parameters
    ----------
    data : frame, mapping of columns, list of records, or path
        Counts of persons by categories; combinations that are not there count as none.
    by : sequence of str
        Columns of categories, one to four.
    count : str
        Column of counts.
    threshold : int
        Smallest count shown. Everything smaller is blank, none included, and so is what would give it away.
    method : str
        ``suppress`` (blanks) or ``round`` (multiples of ``base`` that add up; what would be 0 is blank).
    base : int, optional
        Of the rounding; by default the threshold.
    total : str
        Word for "all categories" in the rows of margins.

    Returns
    -------
    polars.DataFrame
        Columns ``by`` (text) and ``count`` (null where blank): first the cells, then the margins.

    Raises
    ------
    ZholError
        Missing column, negative or fractional counts, too many cells.

    Examples
    --------
    >>> table = {"sex": ["f", "m", "f", "m"], "port": ["A", "A", "B", "B"], "n": [4, 60, 70, 80]}
    >>> protect(table, ["sex", "port"]).rows()[:4]
    [('f', 'A', None), ('f', 'B', None), ('m', 'A', None), ('m', 'B', None)]
    """
    if method not in ("suppress", "round"):
        raise ZholError("unknown way to protect cells", found=method, expected="suppress, round")
    labels, table = margins(to_polars(data), list(by), count, total)
    if method == "suppress":
        blank = suppress(table, threshold)
        shown = table.values
    else:
        shown = round_controlled(table, base or threshold)
        blank = shown == 0
    values = [None if b else int(v) for b, v in zip(blank, shown, strict=True)]
    return labels.with_columns(pl.Series(count, values, dtype=pl.Int64))


def margins(
    frame: pl.DataFrame, by: list[str], count: str, total: str = "all", *, deepest: int | None = None
) -> tuple[pl.DataFrame, Table]:
    """All combinations of categories, sums over one or more of them, and the matrix that makes them.

    ``deepest`` limits the sums to those by at most so many kinds of categories (1: each category alone, and all).

    Examples
    --------
    >>> labels, table = margins(pl.DataFrame({"g": ["a", "b"], "n": [3, 20]}), ["g"], "n")
    >>> labels["g"].to_list(), table.values.tolist()
    (['a', 'b', 'all'], [3, 20, 23])
    """
    need_columns(frame, [*by, count])
    if not 1 <= len(by) <= 4:
        raise ZholError("a protected table has one to four kinds of categories", found=len(by))
    _whole(frame, count)
    grouped = frame.group_by(pl.col(c).cast(pl.String).fill_null("not stated") for c in by).agg(pl.col(count).sum())
    levels = [sorted(grouped[c].unique().to_list()) for c in by]
    size = int(np.prod([len(v) for v in levels]))
    if size > _MOST_CELLS:
        raise ZholError("too many cells to protect", found=f"{size:,}", expected=f"{_MOST_CELLS:,} at most",
                        hint="use fewer or coarser categories")  # fmt: skip
    word = total
    while any(word in v for v in levels):
        word = f"({word})"
    known = {tuple(r[:-1]): int(r[-1]) for r in grouped.select(*by, count).iter_rows()}
    keys = list(product(*levels))
    inner = np.array([known.get(k, 0) for k in keys], dtype=np.int64)
    rows, names = [np.eye(size, dtype=np.int64)], list(keys)
    axes = [np.array([k[i] for k in keys]) for i in range(len(by))]
    for kept in sorted(product((True, False), repeat=len(by)), key=lambda k: -sum(k))[1:]:
        if deepest is not None and sum(kept) > deepest:
            continue
        for label in product(*(v if k else [word] for v, k in zip(levels, kept, strict=True))):
            member = np.ones(size, dtype=bool)
            for axis, want, keep in zip(axes, label, kept, strict=True):
                member &= (axis == want) if keep else True
            rows.append(member.astype(np.int64)[None, :])
            names.append(label)
    labels = pl.DataFrame(names, schema=dict.fromkeys(by, pl.String), orient="row")
    return labels, Table(np.concatenate(rows), inner)


def _whole(frame: pl.DataFrame, count: str) -> None:
    """Counts are whole and not below zero."""
    column = frame[count]
    if not column.dtype.is_numeric():
        raise ZholError("not numbers", column=count, found=str(column.dtype), expected="whole numbers, 0 or more")
    values = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    bad = ~(np.isfinite(values) & (values >= 0) & (values == np.floor(values)))
    if bad.any():
        row = int(np.argmax(bad))
        raise ZholError(
            "not a count", row=row + 2, column=count, found=column[row], expected="a whole number, 0 or more"
        )


def rate(numerator: int, denominator: int, *, threshold: int = THRESHOLD, least: int = DENOMINATOR) -> float | None:
    """A rate, or None where its numerator or denominator is too small to be shown.

    Examples
    --------
    >>> rate(30, 200), rate(3, 200), rate(30, 90)
    (0.15, None, None)
    """
    # The complement is a count of persons too.
    if denominator < least or numerator < threshold or 0 < denominator - numerator < threshold:
        return None
    return numerator / denominator

"""Any table of capture histories in, counts by history out; what cannot be counted is refused in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from zhol.core.disclosure import refuse_personal
from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars
from zhol.estimate._multiple_systems.design import Array

MOST_LISTS = 12


@dataclass(frozen=True, eq=False)
class Histories:
    """Cases by capture history.

    Attributes
    ----------
    names : tuple of str
        Lists; list j is bit j of a history.
    counts : array (2^k − 1,)
        Cases whose history is the mask 1, 2, …
    left_out : float
        Cases that are only on lists of the table that were not asked for; they count as unseen.
    """

    names: tuple[str, ...]
    counts: Array
    left_out: float = 0.0

    @property
    def k(self) -> int:
        """Number of lists."""
        return len(self.names)

    @property
    def observed(self) -> float:
        """Number of cases."""
        return float(self.counts.sum())

    def overlap(self, i: int, j: int) -> float:
        """Cases on both of two lists."""
        both = (1 << i) | (1 << j)
        return float(self.counts[(np.arange(1, 2**self.k) & both) == both].sum())


def read_histories(table: Any, lists: Sequence[str] | None, count: str | None) -> Histories:
    """Check and count a table.

    Parameters
    ----------
    table : any frame or file
        One row a history with a count, or one row a case.
    lists : sequence of str, optional
        Columns of 0 and 1; all columns but ``count`` when not given.
    count : str, optional
        Column of counts; without it each row is one case.
    """
    frame = to_polars(table, name="table")
    names = _names(frame, lists, count)
    refuse_personal([c for c in frame.columns if c not in names and c != count])
    masks = np.zeros(frame.height, dtype=np.int64)
    for j, name in enumerate(names):
        masks |= _indicator(frame, name).astype(np.int64) << j
    numbers = np.ones(frame.height) if count is None else _counts(frame, count)
    elsewhere = (masks == 0) & _on_other_lists(frame, [*names, count])
    _refuse_unseen(masks, np.where(elsewhere, 0.0, numbers), count)
    counts = np.bincount(masks, weights=numbers, minlength=2 ** len(names))[1:].astype(float)
    histories = Histories(names, counts, float(numbers[elsewhere].sum()))
    _refuse_empty(histories)
    return histories


def _names(frame: pl.DataFrame, lists: Sequence[str] | None, count: str | None) -> tuple[str, ...]:
    if count is not None:
        need_columns(frame, [count], name="table")
    if isinstance(lists, str):
        lists = [lists]
    names = [c for c in frame.columns if c != count] if lists is None else [str(name) for name in lists]
    need_columns(frame, names, name="table")
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ZholError("list named twice", found=twice[0], expected="each list once")
    if count in names:
        raise ZholError("the column of counts is named as a list", found=count, hint="leave it out of lists=")
    if len(names) < 2:
        raise ZholError(
            "one list cannot show how many are on none",
            found=", ".join(names) or "no list",
            expected="at least two lists",
            hint="repeated captures on one list: use counts",
        )
    if len(names) > MOST_LISTS:
        raise ZholError(
            "too many lists",
            found=len(names),
            expected=f"at most {MOST_LISTS}",
            hint="join lists of like bodies into one, or name the most telling ones in lists=",
        )
    return tuple(names)


def _indicator(frame: pl.DataFrame, name: str) -> np.ndarray:
    column = frame[name]
    if column.dtype == pl.Boolean and column.null_count() == 0:
        return column.to_numpy()
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        raise ZholError("list holds text", column=name, row=2, found=column[0], expected="0 or 1")
    values = column.cast(pl.Float64).to_numpy()
    bad = np.flatnonzero(~((values == 0) | (values == 1)))
    if bad.size:
        found = column[int(bad[0])]
        raise ZholError(
            "list holds something else than 0 and 1",
            column=name,
            row=int(bad[0]) + 2,
            found="nothing" if found is None else found,
            expected="0 or 1",
            hint="name a column of counts in count=",
        )
    return values


def _counts(frame: pl.DataFrame, name: str) -> Array:
    column = frame[name]
    if not column.dtype.is_numeric():
        raise ZholError("counts are text", column=name, row=2, found=column[0], expected="whole numbers")
    values = column.cast(pl.Float64).to_numpy()
    for wrong, message in (
        (~np.isfinite(values), "count is missing"),
        (values < 0, "count is negative"),
        (values != np.floor(values), "count is no whole number"),
    ):
        bad = np.flatnonzero(wrong)
        if bad.size:
            found = column[int(bad[0])]
            raise ZholError(
                message,
                column=name,
                row=int(bad[0]) + 2,
                found="nothing" if found is None else found,
                expected="a whole number, 0 or more",
            )
    return np.asarray(values, dtype=float)


def _on_other_lists(frame: pl.DataFrame, known: list[str | None]) -> np.ndarray:
    """Rows with a 1 in some column of 0 and 1 that was not asked for."""
    on = np.zeros(frame.height, dtype=bool)
    for column in frame.iter_columns():
        if column.name not in known and (column.dtype.is_numeric() or column.dtype == pl.Boolean):
            values = column.cast(pl.Float64).to_numpy()
            if ((values == 0) | (values == 1)).all():
                on |= values == 1
    return on


def _refuse_unseen(masks: np.ndarray, numbers: Array, count: str | None) -> None:
    unseen = np.flatnonzero((masks == 0) & (numbers > 0))
    if unseen.size:
        raise ZholError(
            "a case on no list cannot have been counted",
            row=int(unseen[0]) + 2,
            found="0 on every list" + ("" if count is None else f", {count} {numbers[unseen[0]]:.0f}"),
            expected="a 1 on some list",
            hint="remove the row; it is what is to be estimated",
        )


def _refuse_empty(histories: Histories) -> None:
    names, counts = histories.names, histories.counts
    if histories.observed == 0:
        raise ZholError("no cases: every count is zero", expected="some cases")
    masks = np.arange(1, 2**histories.k)
    on = [(masks >> j & 1).astype(bool) for j in range(histories.k)]
    for j, name in enumerate(names):
        if counts[on[j]].sum() == 0:
            raise ZholError("list has no cases", column=name, hint="leave it out of lists=")
    for i in range(histories.k):
        for j in range(i):
            if counts[on[i] != on[j]].sum() == 0:
                raise ZholError(
                    f"lists {names[j]} and {names[i]} hold the same cases",
                    found=f"{counts[on[i]].sum():.0f} on both, none on one alone",
                    hint="a copy is no second source: leave one out of lists=",
                )

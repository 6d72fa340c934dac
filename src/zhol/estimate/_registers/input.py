"""What the user hands to ``registers``, checked column by column, with one-line errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number
from zhol.estimate._recapture.design import design, independent_columns
from zhol.estimate._recapture.input import numbers

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """The usable rows: counts, sizes, designs, labels of groups and clusters."""

    frame: pl.DataFrame
    observed: Array
    auxiliary: Array
    reference: Array
    alpha: Array
    beta: Array
    alpha_names: tuple[str, ...]
    beta_names: tuple[str, ...]
    alpha_columns: tuple[str, ...]
    notes: tuple[str, ...]


def read_cells(
    data: Any, observed: str, auxiliary: str, reference: str, alpha: str, beta: str, others: list[str]
) -> Cells:
    """Check the columns and build the designs.

    Raises
    ------
    ZholError
        Missing column or value, negative or fractional count, nothing observed, nobody registered, terms that
        cannot be told apart.
    """
    frame = to_polars(data)
    need_columns(frame, [observed, auxiliary, reference, *others])
    m, n, size = _columns(frame, observed, auxiliary, reference)
    keep, notes = _with_reference(m, n, size, observed, reference)
    if not keep.all():
        frame, m, n, size = frame.filter(pl.Series(keep)), m[keep], n[keep], size[keep]
    if not m.any():
        raise ZholError("nothing was observed: every count is zero", column=observed, expected="some counts above zero")
    if not n.any():
        raise ZholError(
            "every auxiliary count is zero, so detection cannot be told from size",
            column=auxiliary,
            expected="some counts above zero",
        )
    if (n > size).any():
        notes.append(
            f"{_rows(int((n > size).sum()))} an auxiliary count above the reference population: "
            f"{auxiliary} seems to cover persons whom {reference} does not"
        )
    pandas_frame = frame.to_pandas() if {alpha, beta} != {"1"} else None
    skip = {observed, auxiliary, reference}
    sides = [design(text, frame, pandas_frame, skip, name) for text, name in ((alpha, "alpha"), (beta, "beta"))]  # type: ignore[arg-type]
    left, right = (np.broadcast_to(s.matrix, (frame.height, s.matrix.shape[1])).copy() for s in sides)
    cells = Cells(frame, m, n, size, left, right, sides[0].names, sides[1].names, sides[0].variables, tuple(notes))
    _identified(cells)
    return cells


def _columns(frame: pl.DataFrame, observed: str, auxiliary: str, reference: str) -> tuple[Array, Array, Array]:
    """The three counts, none missing, none negative."""
    out = []
    for column in (observed, auxiliary, reference):
        whole = column == observed
        expected = "a whole number, 0 or more" if whole else "a number, 0 or more"
        values = numbers(frame, column, expected)
        for bad, what in ((values < 0, "negative count"), (whole & (values != np.floor(values)), "not a whole number")):
            if bad.any():
                row = int(np.argmax(bad))
                shown = int(values[row]) if values[row] == np.floor(values[row]) else float(values[row])
                raise ZholError(what, row=row + 2, column=column, found=shown, expected=expected)
        out.append(values)
    return out[0], out[1], out[2]


def _with_reference(
    m: Array, n: Array, size: Array, observed: str, reference: str
) -> tuple[NDArray[np.bool_], list[str]]:
    """Rows with somebody registered: without, the model says nothing, so the row is left out and that is said."""
    keep = size > 0
    if not keep.any():
        raise ZholError("nobody is registered in any row", column=reference, expected="some counts above zero")
    if keep.all():
        return keep, []
    out = int(m[~keep].sum())
    seen = f"; {plain_number(out)} observed there are in no estimate" if out else ""
    return keep, [f"left out: {_rows(int((~keep).sum()))} no reference population ({reference} = 0){seen}"]


def _identified(cells: Cells) -> None:
    """Refuse designs whose terms cannot be told apart whatever gamma is."""
    rate = np.log(0.005 + cells.auxiliary / cells.reference)
    matrix = np.column_stack([cells.alpha * np.log(cells.reference)[:, None], cells.beta * rate[:, None]])
    names = [*cells.alpha_names, *cells.beta_names]
    free = independent_columns(matrix)
    if not free.all():
        raise ZholError(
            "this term cannot be told apart from the others",
            found=names[int(np.argmin(free))],
            hint="drop it, or give data in which sizes and rates differ",
        )


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count:,} rows have"

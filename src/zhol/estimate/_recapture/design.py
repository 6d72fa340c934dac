"""Model matrices from formulas, coded and named as R does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Design:
    """Matrix of one linear predictor; one row where it is an intercept alone."""

    matrix: np.ndarray
    names: tuple[str, ...]
    variables: tuple[str, ...] = field(default=())

    @property
    def constant(self) -> bool:
        """Whether the predictor is the same for every unit (before offsets)."""
        return self.matrix.shape == (1, 1) and bool(self.matrix[0, 0] == 1.0)


def split_formula(formula: str) -> tuple[str, str]:
    """Response column and right-hand side.

    Examples
    --------
    >>> split_formula("capture ~ gender + age")
    ('capture', 'gender + age')
    """
    if not isinstance(formula, str) or formula.count("~") != 1:
        raise ZholError("not a formula", found=formula, expected='text such as "capture ~ gender + age"')
    left, right = (part.strip() for part in formula.split("~"))
    if not left or not right:
        raise ZholError("a side of the formula is empty", found=formula, expected='text such as "capture ~ 1"')
    return left.strip("`"), right


def design(right: str, frame: pl.DataFrame, pandas_frame: pd.DataFrame, skip: set[str], parameter: str) -> Design:
    """Matrix of one right-hand side; ``.`` stands for all columns but those in ``skip``."""
    text = _spell_out_dot(right, [c for c in frame.columns if c not in skip]).replace("^", "**")
    formula, variables = _parse(text, frame, right)
    columns = [c for c in frame.columns if c in variables]
    if not columns and text.strip() in ("1", "+1"):
        return Design(np.ones((1, 1)), (_named("(Intercept)", parameter),))
    for column in columns:
        _refuse_missing(frame, column)
    try:
        matrix = formula.get_model_matrix(pandas_frame, na_action="raise", ensure_full_rank=True)
    except Exception as error:
        raise ZholError("the formula cannot be evaluated", found=right, hint=_first_line(error)) from error
    values = np.ascontiguousarray(np.asarray(matrix, dtype=float))
    names = [_r_name(str(c)) for c in matrix.columns]
    if values.shape[1] == 0:
        raise ZholError("the formula has no term", found=right, expected='at least "1"')
    _refuse_infinite(values, names)
    return Design(values, tuple(_named(n, parameter) for n in names), tuple(columns))


def _parse(text: str, frame: pl.DataFrame, right: str) -> tuple[Any, set[str]]:
    from formulaic import Formula

    try:
        formula = Formula(text)
        variables = {str(v) for v in formula.required_variables}
    except Exception as error:
        raise ZholError("the formula cannot be read", found=right, hint=_first_line(error)) from error
    for name in sorted(variables):
        if name not in frame.columns:
            raise ZholError(f"the formula names {name!r}, which the data lacks", found=", ".join(frame.columns))
    return formula, variables


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _spell_out_dot(right: str, columns: list[str]) -> str:
    def quote(name: str) -> str:
        return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"`{name}`"

    everything = "(" + " + ".join(quote(c) for c in columns) + ")" if columns else "1"
    return re.sub(r"(?<![\w.`)])\.(?![\w.`(])", everything, right)


def _r_name(name: str) -> str:
    if name == "Intercept":
        return "(Intercept)"
    name = re.sub(r"\s*\*\*\s*", "^", name)
    return re.sub(r"\[(?:T\.)?(.*?)\](?=:|$)", r"\1", name)


def _named(name: str, parameter: str) -> str:
    return name if parameter == "lambda" else f"{name}:{parameter}"


def _refuse_missing(frame: pl.DataFrame, column: str) -> None:
    series = frame[column]
    missing = series.is_null() | series.is_nan() if series.dtype.is_float() else series.is_null()
    if missing.any():
        row = int(missing.arg_max() or 0)
        raise ZholError("missing value", row=row + 2, column=column, hint="drop the row or fill it in")


def _refuse_infinite(values: np.ndarray, names: list[str]) -> None:
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise ZholError("a term of the formula is infinite or undefined", row=row + 2, column=names[column])


def independent_columns(matrix: np.ndarray) -> np.ndarray:
    """Which columns are not linear combinations of earlier ones.

    Examples
    --------
    >>> independent_columns(np.array([[1.0, 1, 2], [1, 0, 1], [1, 1, 2]]))
    array([ True,  True, False])
    """
    size = np.sqrt((matrix**2).sum(axis=0))
    scaled = matrix / np.where(size > 0, size, 1.0)
    keep = np.zeros(matrix.shape[1], dtype=bool)
    basis: list[np.ndarray] = []
    for j in range(matrix.shape[1]):
        rest = scaled[:, j].copy()
        for _ in range(2):  # twice is enough to be exact
            for b in basis:
                rest -= (b @ rest) * b
        length = float(np.sqrt(rest @ rest))
        if size[j] > 0 and length > 1e-8:
            keep[j] = True
            basis.append(rest / length)
    return keep

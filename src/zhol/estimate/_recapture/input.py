"""What the user hands over, checked column by column, with one-line errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError

_CAPTURES = "a whole number of captures, 1 or more"


def captures(frame: pl.DataFrame, column: str) -> np.ndarray:
    """The counts, as floats that are whole and at least one.

    Examples
    --------
    >>> captures(pl.DataFrame({"n": ["1", " 2 "]}), "n")
    array([1., 2.])
    """
    values = numbers(frame, column, _CAPTURES)
    _refuse(values < 0, values, column, "negative number of captures", _CAPTURES)
    _refuse(
        values == 0,
        values,
        column,
        "a unit with no capture",
        _CAPTURES,
        "who was never captured is not in a list: drop the row",
    )
    _refuse(values != np.floor(values), values, column, "captures that are not a whole number", _CAPTURES)
    return values


def numbers(frame: pl.DataFrame, column: str, expected: str) -> np.ndarray:
    """A column as finite floats; text is accepted where every entry is a plain number."""
    series = frame[column]
    if series.dtype == pl.String or isinstance(series.dtype, pl.Categorical | pl.Enum):
        text = series.cast(pl.String).str.strip_chars()
        parsed = text.cast(pl.Float64, strict=False)
        bad = parsed.is_null() & text.is_not_null()
        if bad.any():
            row = int(bad.arg_max() or 0)
            raise ZholError("not a number", row=row + 2, column=column, found=series[row], expected=expected)
        series = parsed
    elif not series.dtype.is_numeric():
        raise ZholError("not numbers", column=column, found=str(series.dtype), expected=expected)
    values = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    _refuse(np.isnan(values), values, column, "missing value", expected, "drop the row or fill it in")
    _refuse(np.isinf(values), values, column, "infinite value", expected)
    return values


def _refuse(
    bad: np.ndarray, values: np.ndarray, column: str, message: str, expected: str, hint: str | None = None
) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        value = values[row]
        found = None if np.isnan(value) else int(value) if value == np.floor(value) and np.isfinite(value) else value
        found = float(found) if isinstance(found, np.floating) else found
        raise ZholError(message, row=row + 2, column=column, found=found, expected=expected, hint=hint)


def frequencies(frame: pl.DataFrame, weights: Any) -> np.ndarray:
    """How many units each row stands for: a column name, a sequence, or one each."""
    if weights is None:
        return np.ones(frame.height)
    values, column = _column_or_values(frame, weights, "weights")
    _refuse(values < 0, values, column, "negative weight", "how many units the row stands for, 0 or more")
    if not values.sum() > 0:
        raise ZholError("all weights are zero", column=column, expected="at least one unit")
    return values


def offsets(frame: pl.DataFrame, offset: Any, parameters: tuple[str, ...]) -> list[np.ndarray | None]:
    """Offset of each linear predictor; a bare column or sequence belongs to λ."""
    given = offset if isinstance(offset, Mapping) else {} if offset is None else {"lambda": offset}
    for name in given:
        if name not in parameters:
            raise ZholError("offset of a parameter that the model lacks", found=name, expected=" or ".join(parameters))
    return [_column_or_values(frame, given[p], f"offset of {p}")[0] if p in given else None for p in parameters]


def _column_or_values(frame: pl.DataFrame, given: Any, what: str) -> tuple[np.ndarray, str]:
    if isinstance(given, str):
        if given not in frame.columns:
            raise ZholError(f"{what}: data has no column {given!r}", found=", ".join(frame.columns))
        return numbers(frame, given, "a number"), given
    try:
        values = np.asarray(given, dtype=float).ravel()
    except (TypeError, ValueError) as error:
        raise ZholError(f"{what} are not numbers", found=given, expected="a column name or numbers") from error
    if len(values) != frame.height:
        raise ZholError(f"{what}: wrong length", found=len(values), expected=f"{frame.height}, one a row")
    _refuse(~np.isfinite(values), values, what, "missing or infinite value", "a number")
    return values, what


def strata_labels(frame: pl.DataFrame, strata: Any, default: Sequence[str]) -> dict[tuple[str, str], np.ndarray]:
    """Rows of each stratum, keyed by (stratum, level).

    ``strata`` is a formula such as ``"~ gender + age:nation"``, a column name, a list of them (``"a:b"`` crosses
    two), or a mapping of labels to true/false for each row; None takes ``default``.
    """
    if strata is None:
        terms: list[str] = list(default)
    elif isinstance(strata, Mapping):
        return {("stratum", str(k)): _mask(v, frame.height, str(k)) for k, v in strata.items()}
    elif isinstance(strata, str):
        terms = [t.strip() for t in strata.replace("~", "").split("+") if t.strip()]
    else:
        terms = [str(t).strip() for t in strata]
    rows: dict[tuple[str, str], np.ndarray] = {}
    for term in terms:
        columns = [c.strip().strip("`") for c in term.replace("*", ":").split(":")]
        for column in columns:
            if column not in frame.columns:
                raise ZholError(f"strata: data has no column {column!r}", found=", ".join(frame.columns))
        keys = frame.select(pl.concat_str([pl.col(c).cast(pl.String) for c in columns], separator=":")).to_series()
        for level in sorted(keys.drop_nulls().unique().to_list()):
            rows[term, level] = (keys == level).fill_null(False).to_numpy()
    return rows


def _mask(values: Any, height: int, label: str) -> np.ndarray:
    mask = np.asarray(values)
    if mask.dtype != bool or mask.shape != (height,):
        raise ZholError(f"stratum {label!r} is not true or false for each row", expected=f"{height} booleans")
    return mask

"""The list as cells: units alike in count, covariates, offsets and strata are one row with a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate._recapture.design import Design, design, independent_columns, split_formula
from zhol.estimate._recapture.input import captures, frequencies, offsets, strata_labels
from zhol.estimate._recapture.links import link_for
from zhol.estimate._recapture.models import Model


@dataclass(frozen=True)
class Sample:
    """Cells of one list under one model.

    Parameters
    ----------
    model : Model
        Row of the registry.
    links : tuple of str
        Link of each parameter.
    y, w : array (cells,)
        Count and number of units of each cell.
    designs : tuple of Design
        One a parameter, over the cells.
    offset : tuple
        Offset of each parameter over the cells, or None.
    strata : mapping
        (stratum, level) to true/false over the cells.
    cell_of_row : array (rows,)
        Cell of each row of the data; −1 for rows of weight zero.
    warnings : tuple of str
        What the reader must know about the data.
    """

    model: Model
    links: tuple[str, ...]
    y: np.ndarray
    w: np.ndarray
    designs: tuple[Design, ...]
    offset: tuple[np.ndarray | None, ...]
    strata: Mapping[tuple[str, str], np.ndarray]
    cell_of_row: np.ndarray
    warnings: tuple[str, ...] = ()

    @cached_property
    def n(self) -> float:
        """Units observed."""
        return float(self.w.sum())

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Coefficient names, as R writes them."""
        return tuple(name for d in self.designs for name in d.names)

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Where each parameter's coefficients stand."""
        ends = np.cumsum([len(d.names) for d in self.designs])
        return tuple(slice(int(e - len(d.names)), int(e)) for e, d in zip(ends, self.designs, strict=True))

    @cached_property
    def scale(self) -> np.ndarray:
        """Largest size of each design column: by how much a coefficient moves a predictor."""
        return np.concatenate([np.abs(d.matrix).max(axis=0) for d in self.designs])

    def eta(self, beta: np.ndarray) -> list[np.ndarray]:
        """Linear predictors (..., cells), or (..., 1) where the same for all cells."""
        out = []
        for d, block, shift in zip(self.designs, self.blocks, self.offset, strict=True):
            part = beta[..., block] @ d.matrix.T
            out.append(part if shift is None else part + shift)
        return out

    @cached_property
    def pattern(self) -> tuple[np.ndarray, np.ndarray]:
        """Pattern of each cell (alike in all predictors and strata), and one cell of each pattern."""
        parts = [d.matrix for d in self.designs if not d.constant]
        parts += [s[:, None] for s in self.offset if s is not None]
        parts += [m[:, None].astype(float) for m in self.strata.values()]
        if not parts:
            return np.zeros(len(self.y), dtype=int), np.zeros(1, dtype=int)
        code, first = group_rows(np.hstack(parts))
        return code, first

    def take(self, cells: np.ndarray, y: np.ndarray | None = None, w: np.ndarray | None = None) -> Sample:
        """The same model on other cells, given by index."""
        return replace(
            self,
            y=self.y[cells] if y is None else y,
            w=self.w[cells] if w is None else w,
            designs=tuple(d if d.constant else replace(d, matrix=d.matrix[cells]) for d in self.designs),
            offset=tuple(None if s is None else s[cells] for s in self.offset),
            strata={k: m[cells] for k, m in self.strata.items()},
        )

    def at_edge(self, parameter: str) -> Sample | None:
        """The same cells under the model without ``parameter``."""
        smaller = self.model.without(parameter)
        if smaller is None:
            return None
        keep = [self.model.parameters.index(p) for p in smaller.parameters]
        return replace(
            self,
            model=smaller,
            links=tuple(self.links[i] for i in keep),
            designs=tuple(self.designs[i] for i in keep),
            offset=tuple(self.offset[i] for i in keep),
        )


def group_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the group of equal rows that each row is in, and the first row of each group."""
    import pandas as pd

    frame = pd.DataFrame(values)
    code = frame.groupby(list(frame.columns), sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(code, return_index=True)[1]
    return code, first


def build_sample(
    formula: str,
    frame: pl.DataFrame,
    model: Model,
    *,
    formulas: Mapping[str, str] | None = None,
    links: dict[str, str] | None = None,
    weights: Any = None,
    offset: Any = None,
    strata: Any = None,
) -> Sample:
    """Read data and formulas into cells."""
    response, right = split_formula(formula)
    if response not in frame.columns:
        raise ZholError(f"the formula names {response!r}, which the data lacks", found=", ".join(frame.columns))
    sides = _sides(model, right, formulas)
    y = captures(frame, response)
    w = frequencies(frame, weights)
    shifts = offsets(frame, offset, model.parameters)
    skip = {response} | {c for c in _flat(weights, offset) if isinstance(c, str)}
    pandas_frame = _to_pandas(frame)
    designs = [design(sides[p], frame, pandas_frame, skip, p) for p in model.parameters]
    if any(response in d.variables for d in designs):
        raise ZholError("the captures cannot explain themselves", column=response, found=formula)
    rows = strata_labels(frame, strata, _categorical(frame, designs))
    return _collapse(frame, model, links, y, w, designs, shifts, rows)


def _flat(weights: Any, offset: Any) -> list[Any]:
    return [weights, *(offset.values() if isinstance(offset, Mapping) else [offset])]


def _sides(model: Model, right: str, formulas: Mapping[str, str] | None) -> dict[str, str]:
    sides = {p: right if p == "lambda" else "1" for p in model.parameters}
    for name, text in (formulas or {}).items():
        if name == "lambda" or name not in model.parameters:
            others = [p for p in model.parameters if p != "lambda"] or ["none"]
            raise ZholError(
                f"{model.name} takes no formula for {name!r}",
                expected=" or ".join(others),
                hint="the formula of lambda is the first argument" if name == "lambda" else None,
            )
        if not isinstance(text, str) or text.count("~") > 1 or (text.count("~") == 1 and text.split("~")[0].strip()):
            raise ZholError(f"not a one-sided formula for {name}", found=text, expected='text such as "~ gender"')
        sides[name] = text.split("~")[-1].strip() or "1"
    return sides


def _to_pandas(frame: pl.DataFrame) -> Any:
    """A pandas frame whose text columns have sorted levels, as R's factors; Enum keeps its own order."""
    import pandas as pd

    columns: dict[str, Any] = {}
    for name in frame.columns:
        series = frame[name]
        if isinstance(series.dtype, pl.Enum):
            levels = [c for c in series.dtype.categories.to_list() if c in set(series.cast(pl.String).unique())]
            columns[name] = pd.Categorical(series.cast(pl.String).to_list(), categories=levels)
        elif series.dtype in (pl.String, pl.Boolean) or isinstance(series.dtype, pl.Categorical):
            text = series.cast(pl.String)
            if series.dtype == pl.Boolean:
                text = text.str.to_uppercase()
            columns[name] = pd.Categorical(text.to_list(), categories=sorted(text.drop_nulls().unique().to_list()))
        elif series.dtype.is_numeric():
            columns[name] = series.cast(pl.Float64).to_numpy()
        else:
            columns[name] = pd.Series(series.to_list(), dtype=object)
    return pd.DataFrame(columns)


def _categorical(frame: pl.DataFrame, designs: list[Design]) -> list[str]:
    """Categorical covariates of the model, in order: the strata that a reader will want."""
    names = [v for d in designs for v in d.variables if not frame[v].dtype.is_numeric()]
    return list(dict.fromkeys(names))


def _collapse(
    frame: pl.DataFrame,
    model: Model,
    links: dict[str, str] | None,
    y: np.ndarray,
    w: np.ndarray,
    designs: list[Design],
    shifts: list[np.ndarray | None],
    rows: dict[tuple[str, str], np.ndarray],
) -> Sample:
    used = np.flatnonzero(w > 0)
    parts = [y[used, None]]
    parts += [d.matrix[used] for d in designs if not d.constant]
    parts += [s[used, None] for s in shifts if s is not None]
    parts += [m[used, None].astype(float) for m in rows.values()]
    code, first = group_rows(np.hstack(parts))
    cell_of_row = np.full(frame.height, -1)
    cell_of_row[used] = code
    at = used[first]
    for name in links or {}:
        if name not in model.parameters:
            raise ZholError(f"{model.name} has no parameter {name!r}", expected=" or ".join(model.parameters))
    sample = Sample(
        model,
        tuple(link_for(p, links) for p in model.parameters),
        y[at],
        np.bincount(code, weights=w[used], minlength=len(first)),
        tuple(d if d.constant else replace(d, matrix=d.matrix[at]) for d in designs),
        tuple(None if s is None else s[at] for s in shifts),
        {k: m[at] for k, m in rows.items()},
        cell_of_row,
    )
    return _drop_collinear(sample)


def _drop_collinear(sample: Sample) -> Sample:
    """Leave out design columns that the likelihood cannot tell apart, and say which."""
    model = sample.model
    designs, warnings = [], list(sample.warnings)
    for parameter, d in zip(model.parameters, sample.designs, strict=True):
        if d.constant:
            designs.append(d)
            continue
        lowest = 2 if model.inflation == "ztHurdle" and parameter != "pi" else model.first
        inside = (sample.y >= lowest) & (sample.y <= (model.last or np.inf))
        keep = independent_columns(d.matrix[inside]) if inside.any() else np.ones(len(d.names), dtype=bool)
        for name in np.array(d.names)[~keep]:
            warnings.append(f"{name} says nothing that other terms do not say: left out (collinear)")
        designs.append(Design(d.matrix[:, keep], tuple(np.array(d.names)[keep].tolist()), d.variables))
    return replace(sample, designs=tuple(designs), warnings=tuple(warnings))

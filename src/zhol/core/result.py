"""The frozen result that every estimator hands back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.core.quantity import plain_number

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd
    import xarray as xr

_MOST_PARTS = 30  # rows that a reader takes in on one chart


@dataclass(frozen=True)
class Estimate:
    """An estimated population with its interval, the table behind it and everything a reader must be told.

    Parameters
    ----------
    population : float
        Point estimate, in ``unit``.
    low, high : float
        Ends of the interval; infinite where the data give only a bound (then a warning says so).
    se : float
        Standard error; NaN where none is defined.
    table : polars.DataFrame
        The parts: strata, models, years, ... Every row with ``low`` and ``high`` where it has a value.
    warnings : tuple of str
        What the reader must know before using the number.
    title : str
        What was estimated, and by what.
    level : float
        Coverage the interval claims.
    unit : str
        Unit of the population.
    details : mapping
        Further results by name (coefficients, log-likelihood, AIC, draws, ...).
    cites : tuple of str
        Papers the method comes from.

    Examples
    --------
    >>> e = Estimate(120.0, 100.0, 150.0, 12.0, pl.DataFrame({"model": ["chao"]}), title="Chao")
    >>> e.summary().splitlines()[0]
    'Chao: 120 persons (95% interval 100 to 150)'
    """

    population: float
    low: float
    high: float
    se: float
    table: pl.DataFrame
    warnings: tuple[str, ...] = ()
    title: str = "Estimate"
    level: float = 0.95
    unit: str = "persons"
    details: Any = field(default_factory=lambda: MappingProxyType({}))
    cites: tuple[str, ...] = ()

    def summary(self) -> str:
        """The result in a few lines of plain text: number, interval, warnings, papers."""
        lines = [
            f"{self.title}: {plain_number(self.population)} {self.unit} "
            f"({self.level:.0%} interval {_end(self.low)} to {_end(self.high)})"
        ]
        lines += [f"Warning: {w}" for w in self.warnings]
        lines += [f"Method: {c}" for c in self.cites]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON (infinite and undefined numbers become None)."""
        return {
            "title": self.title,
            "population": json_ready(self.population),
            "low": json_ready(self.low),
            "high": json_ready(self.high),
            "se": json_ready(self.se),
            "level": self.level,
            "unit": self.unit,
            "warnings": list(self.warnings),
            "table": json_ready(self.table.to_dicts()),
            # Thousands of draws are for Python, not for a file that a person opens.
            "details": json_ready({k: v for k, v in dict(self.details).items() if k != "draws"}),
            "cites": list(self.cites),
        }

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame."""
        return self.table.to_pandas()

    def to_xarray(self) -> xr.Dataset:
        """The table as an xarray dataset along one dimension, ``row``."""
        import xarray as xr

        return xr.Dataset({c: ("row", self.table[c].to_numpy()) for c in self.table.columns})

    def plot(self) -> alt.Chart | alt.LayerChart:
        """Interval chart of the result and, where the table has intervals, of its parts."""
        from zhol.core import charts

        rows = self._plot_rows()
        more = self.table.height - _MOST_PARTS
        title = f"{self.title} ({_MOST_PARTS} largest of {self.table.height:,} parts)" if more > 0 else self.title
        return charts.interval(rows, unit=self.unit, title=title)

    def _plot_rows(self) -> pl.DataFrame:
        ends = {"value": self.population, "low": self.low, "high": self.high}
        rows: list[dict[str, Any]] = [{"label": "total", **{k: _finite(v) for k, v in ends.items()}}]
        # One part alone is the total once more.
        if {"population", "low", "high"} <= set(self.table.columns) and self.table.height > 1:
            text = [c for c in self.table.columns if self.table[c].dtype in (pl.String, pl.Boolean, pl.Categorical)]
            names = self.details.get("by") or text
            parts = self.table
            if parts.height > _MOST_PARTS:
                parts = parts.sort("population", descending=True).head(_MOST_PARTS)
            for record in parts.to_dicts():
                label = ", ".join(str(record[n]) for n in names) or "part"
                numbers = {
                    k: _finite(record[s]) for k, s in (("value", "population"), ("low", "low"), ("high", "high"))
                }
                rows.append({"label": label, **numbers})
        return pl.DataFrame(
            rows, schema={"label": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
        )


def json_ready(value: Any) -> Any:
    """Numbers, arrays and frames as JSON can hold them; what JSON has no word for becomes None.

    Examples
    --------
    >>> json_ready({"a": float("inf"), "b": (1, 2)})
    {'a': None, 'b': [1, 2]}
    """
    if isinstance(value, pl.DataFrame):
        return json_ready(value.to_dicts())
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(k): json_ready(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(v) for v in value]
    if hasattr(value, "tolist"):
        return json_ready(value.tolist())
    if isinstance(value, float):
        return _finite(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _end(value: float) -> str:
    return plain_number(value) if math.isfinite(value) else "no bound"

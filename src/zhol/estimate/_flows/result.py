"""The frozen result of ``zhol.estimate.flows``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.quantity import plain_number
from zhol.core.result import json_ready
from zhol.estimate._flows import accounts
from zhol.estimate._flows.closing import Matched
from zhol.estimate._flows.scaling import Array

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Flows:
    """Flows between places in one period, with intervals where draws were asked for.

    Parameters
    ----------
    places : tuple of str
        Order of rows and columns everywhere.
    table : polars.DataFrame
        origin, destination, [birthplace], persons, low, high: moves between different places, stayers left out.
    matrix : array, shape (origin, destination)
        Sum of ``by_birthplace`` over birthplaces: moves, and on the diagonal those counted at one place at both ends
        (zero under differences and rates). ``moves`` is the same with an empty diagonal.
    imbalance : polars.DataFrame
        The account of every place: start, end (residents as given), start_used, end_used (after balancing the world),
        births, deaths, entering, leaving (from and to outside, open account), net (of the flows), gap (what is left of
        end_used once all is counted; zero in a closed account whose totals could be met).
    not_estimated : polars.DataFrame or None
        birthplace, residence, start_at_most, end_at_most: pairs that neither stock has, which is not zero, and how many
        people there can be at most (empty where nothing bounds them).
    draws : array, shape (draw, origin, destination), or None
        Drawn flows, single precision.
    warnings : tuple of str
        What a reader must know before using a flow.
    """

    places: tuple[str, ...]
    table: pl.DataFrame
    matrix: Array
    imbalance: pl.DataFrame
    low: Array | None = None
    high: Array | None = None
    draws: Array | None = None
    warnings: tuple[str, ...] = ()
    title: str = "Flows"
    level: float = 0.95
    unit: str = "persons"
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    cites: tuple[str, ...] = ()
    matched: Matched | None = field(default=None, repr=False)
    plan: accounts.Plan = field(default_factory=accounts.Plan, repr=False)
    not_estimated: pl.DataFrame | None = field(default=None, repr=False)

    @cached_property
    def moves(self) -> Array:
        """Moves between different places (origin, destination), diagonal empty."""
        moves = self.matrix.copy()
        np.fill_diagonal(moves, 0.0)
        return moves

    @cached_property
    def by_birthplace(self) -> Array:
        """Flows (origin, destination, birthplace), stayers on the diagonals; made when first asked for (N³ numbers).

        Raises
        ------
        AttributeError
            Under differences and rates, which know no birthplaces.
        """
        if self.matched is None:
            raise AttributeError("differences and rates give no flows by birthplace")
        return accounts.mixed_cube(self.matched, self.plan)[0]

    @property
    def total(self) -> float:
        """All moves between different places, persons."""
        return float(self.moves.sum())

    def total_interval(self) -> tuple[float, float]:
        """Ends of the interval of all moves (mirror image of the draws in the estimate); NaN without draws."""
        if self.draws is None:
            kept: tuple[float, float] = self.details.get("total_interval", (float("nan"), float("nan")))
            return kept
        sums = self.draws.sum((1, 2), dtype=float) - np.trace(self.draws, axis1=1, axis2=2)
        ends = np.quantile(sums, [(1 - self.level) / 2, (1 + self.level) / 2])
        # Errors only add moves to a total, so that only the mirror image of the draws is an interval for it.
        low, high = 2 * self.total - ends[1], 2 * self.total - ends[0]
        return max(min(float(low), self.total), 0.0), max(float(high), self.total)

    def summary(self) -> str:
        """The result in a few lines: all moves, the largest corridors, warnings, papers."""
        low, high = self.total_interval()
        span = f" ({self.level:.0%} interval {plain_number(low)} to {plain_number(high)})" if np.isfinite(low) else ""
        lines = [f"{self.title}: {plain_number(self.total)} moves between {len(self.places)} places{span}"]
        keys = [k for k in ("origin", "destination") if k in self.table.columns]
        sums = self.table.group_by(keys, maintain_order=True).agg(pl.col("persons").sum())
        top = sums.filter(pl.col("persons") > 0).sort("persons", descending=True, maintain_order=True).head(3)
        largest = ", ".join(f"{o} to {d} {plain_number(p)}" for o, d, p in top.iter_rows())
        lines += [f"Largest: {largest}"] if largest else []
        return "\n".join(lines + [f"Warning: {w}" for w in self.warnings] + [f"Method: {c}" for c in self.cites])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        low, high = self.total_interval()
        return {
            "title": self.title,
            "places": list(self.places),
            "total": self.total,
            "total_low": json_ready(low),
            "total_high": json_ready(high),
            "level": self.level,
            "unit": self.unit,
            "warnings": list(self.warnings),
            "table": json_ready(self.table),
            "imbalance": json_ready(self.imbalance),
            "not_estimated": None if self.not_estimated is None else json_ready(self.not_estimated),
            "details": json_ready(dict(self.details)),
            "cites": list(self.cites),
        }

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame."""
        return self.table.to_pandas()

    def to_xarray(self) -> xr.Dataset:
        """Flows, their interval and stayers as a dataset over origin and destination."""
        import xarray as xr

        axes = ("origin", "destination")
        data: dict[str, Any] = {"persons": (axes, self.moves), "stayers": ("origin", np.diag(self.matrix).copy())}
        if self.low is not None and self.high is not None:
            data |= {"low": (axes, self.low), "high": (axes, self.high)}
        if self.draws is not None:
            data["draws"] = (("draw", *axes), self.draws)
        places = list(self.places)
        attributes = {"title": self.title, "unit": self.unit, "level": self.level}
        return xr.Dataset(data, coords={"origin": places, "destination": places}, attrs=attributes)

    def plot(self, largest: int = 20) -> alt.Chart | alt.LayerChart:
        """Interval chart of the largest corridors."""
        from zhol.core import charts

        order = np.argsort(-self.moves, axis=None, kind="stable")[:largest]
        pairs = [divmod(int(k), len(self.places)) for k in order if self.moves.flat[k] > 0]
        shown = [
            {
                "label": f"{self.places[o]} → {self.places[d]}",
                "value": float(self.moves[o, d]),
                "low": None if self.low is None else float(self.low[o, d]),
                "high": None if self.high is None else float(self.high[o, d]),
            }
            for o, d in pairs
        ]
        return charts.interval(shown, unit=self.unit, title=self.title)


def mirrored(estimate: Array, ends: Array) -> tuple[Array, Array]:
    """Interval that holds the percentiles of draws, their mirror image in the estimate, and the estimate.

    Examples
    --------
    >>> low, high = mirrored(np.array([10.0]), np.array([[9.0], [14.0]]))
    >>> low.tolist(), high.tolist()
    ([6.0], [14.0])
    """
    low = np.minimum(np.minimum(ends[0], estimate), np.maximum(2 * estimate - ends[1], 0.0))
    high = np.maximum(np.maximum(ends[1], estimate), 2 * estimate - ends[0])
    return low, high

"""What flows would be under other covariates, once the resistance of all places has found its new level."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.core.result import json_ready
from zhol.estimate._gravity.panel import KEYS
from zhol.estimate._gravity.poisson import group_rows
from zhol.estimate._indices.margins import fit_margins

if TYPE_CHECKING:
    import altair as alt

Array = NDArray[np.float64]
HOLDS = ("both", "origins", "destinations", "none")


@dataclass(frozen=True)
class Counterfactual:
    """Flows before and after a change.

    Parameters
    ----------
    table : polars.DataFrame
        origin, destination, period, before, after, low, high (of after), change.
    resistance : polars.DataFrame
        side, place, period, change: by how much the log effect of a place moved so that its total holds.
    hold : str
        Which totals were held.
    """

    table: pl.DataFrame
    resistance: pl.DataFrame
    hold: str
    level: float
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """All moves before and after, and the corridors that change most."""
        before, after = (float(self.table[c].sum()) for c in ("before", "after"))
        held = {"both": "origins and destinations", "none": "nothing"}.get(self.hold, self.hold)
        lines = [f"Moves {plain_number(before)} before, {plain_number(after)} after; totals held: {held}"]
        most = self.table.sort(pl.col("change").abs(), descending=True).head(5).filter(pl.col("change") != 0)
        lines += [
            f"{r['origin']} to {r['destination']}: {plain_number(r['before'])} to {plain_number(r['after'])} "
            f"({plain_number(r['low'])} to {plain_number(r['high'])})"
            for r in most.iter_rows(named=True)
        ]
        return "\n".join(lines + [f"Warning: {w}" for w in self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        fields = {"hold": self.hold, "level": self.level, "warnings": list(self.warnings)}
        return {**fields, "table": json_ready(self.table), "resistance": json_ready(self.resistance)}

    def plot(self, largest: int = 20) -> alt.Chart | alt.LayerChart:
        """Interval chart of the flows after, for the corridors that change most."""
        from zhol.core import charts

        top = self.table.sort(pl.col("change").abs(), descending=True).head(largest)
        rows = top.select(
            pl.format("{} → {}", "origin", "destination").alias("label"), pl.col("after").alias("value"), "low", "high"
        )
        return charts.interval(rows, unit="persons", title="Flows after the change")


def changed(panel: pl.DataFrame, change: Any, where: Mapping[str, Any] | None) -> pl.DataFrame:
    """The panel with other covariates: from new values, from a table of them, or from a function of the panel."""
    if callable(change):
        new = change(panel)
        if not isinstance(new, pl.DataFrame) or new.height != panel.height:
            raise ZholError("change does not give the panel back", expected="a polars frame of as many rows")
        return new
    if isinstance(change, Mapping):
        return _new_values(panel, change, where or {})
    return _new_table(panel, change)


def _new_values(panel: pl.DataFrame, change: Mapping[str, Any], where: Mapping[str, Any]) -> pl.DataFrame:
    chosen = pl.lit(True)
    for key, wanted in where.items():
        if key not in panel.columns:
            raise ZholError(f"panel has no column {key!r}", found=", ".join(panel.columns))
        several = list(wanted) if isinstance(wanted, list | tuple | set) else [wanted]
        chosen &= pl.col(key).cast(pl.String).is_in([str(v) for v in several])
    if where and not panel.select(chosen.any()).item():
        raise ZholError("no pair is meant by where", found=dict(where))
    made = []
    for column, value in change.items():
        if column not in panel.columns:
            raise ZholError(f"panel has no column {column!r}", found=", ".join(panel.columns))
        if not isinstance(value, pl.Expr | int | float):
            raise ZholError("new value is not a number", column=column, found=value)
        new = value if isinstance(value, pl.Expr) else pl.lit(float(value))
        made.append(pl.when(chosen).then(new).otherwise(pl.col(column)).alias(column))
    return panel.with_columns(made)


def _new_table(panel: pl.DataFrame, change: Any) -> pl.DataFrame:
    from zhol.estimate._gravity.panel import read_covariates

    table = read_covariates(change)
    keys = [k for k in KEYS if k in table.columns]
    columns = [c for c in table.columns if c not in keys]
    unknown = [c for c in columns if c not in panel.columns]
    if unknown:
        raise ZholError(f"panel has no column {unknown[0]!r}", found=", ".join(panel.columns))
    if table.join(panel, on=keys, how="semi").is_empty():
        raise ZholError("change shares no pair with the panel", expected="the same codes of places and periods")
    joined = panel.join(table, on=keys, how="left", suffix="_new", maintain_order="left")
    return joined.with_columns(pl.coalesce(f"{c}_new", c).alias(c) for c in columns).select(panel.columns)


def resettle(panel: pl.DataFrame, fitted: Array, shift: Array, hold: str) -> tuple[Array, list[pl.DataFrame]]:
    """Flows after log shifts (draw, row), and how the effects of places moved (first draw).

    Rows of periods in which nothing shifts come back as they are. The fitted flows are the base, so no shift gives
    exactly the fitted flows (Dekle, Eaton and Kortum's hat algebra).
    """
    if hold not in HOLDS:
        raise ZholError("hold is unknown", found=hold, expected=", ".join(HOLDS))
    after = np.repeat(fitted[None], len(shift), axis=0)
    moved: list[pl.DataFrame] = []
    for rows in group_rows(panel["period"]):
        own = rows[fitted[rows] > 0]
        if not np.any(shift[:, own]):
            continue
        new = fitted[own] * np.exp(shift[:, own])
        if hold == "none":
            after[:, own] = new
            continue
        part = panel[own]
        origins, o = np.unique(part["origin"].to_numpy(), return_inverse=True)
        destinations, d = np.unique(part["destination"].to_numpy(), return_inverse=True)
        grid = np.zeros((len(shift), len(origins), len(destinations)))
        grid[:, o, d] = new
        base = np.zeros(grid.shape[1:])
        base[o, d] = fitted[own]
        settled = _settled(grid, base, hold)
        after[:, own] = settled[:, o, d]
        moved += _resistance(part["period"][0], origins, destinations, grid[0], settled[0])
    return after, moved


def _settled(grid: Array, base: Array, hold: str) -> Array:
    rows, columns = base.sum(1), base.sum(0)
    if hold == "origins":
        return grid * (rows / grid.sum(2))[:, :, None]
    if hold == "destinations":
        return grid * (columns / grid.sum(1))[:, None, :]
    size = (len(grid), 1)
    return fit_margins(grid, np.tile(rows, size), np.tile(columns, size))


def _resistance(period: str, origins: Any, destinations: Any, before: Array, after: Array) -> list[pl.DataFrame]:
    """Log factors of rows and columns, taken apart from the ratio of two tables; origins have mean zero."""
    alive = before > 0
    ratio = np.zeros_like(before)
    ratio[alive] = np.log(np.maximum(after[alive], 1e-300) / before[alive])
    down = np.zeros(before.shape[1])
    for _ in range(5000):
        across = ((ratio - down) * alive).sum(1) / np.maximum(alive.sum(1), 1)
        new = ((ratio - across[:, None]) * alive).sum(0) / np.maximum(alive.sum(0), 1)
        done = np.abs(new - down).max() < 1e-12
        down = new
        if done:
            break
    shift = across.mean()
    sides = (("origin", origins, across - shift), ("destination", destinations, down + shift))
    return [pl.DataFrame({"side": s, "place": n, "period": period, "change": v}) for s, n, v in sides]


def coefficient_draws(beta: Array, covariance: Array, draws: int, seed: int) -> Array:
    """The estimate itself first, then draws from its normal approximation: shape (1 + draws, terms)."""
    if draws <= 0 or not len(beta):
        return beta[None]
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = generator(seed, "gravity", "coefficients").standard_normal((draws, len(beta)))
    return np.vstack([beta[None], beta + normal @ root.T])


Change = Mapping[str, Any] | Callable[[pl.DataFrame], pl.DataFrame] | Any

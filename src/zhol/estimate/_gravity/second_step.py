"""Effects of origins and destinations explained by what these places are: income, population, conflict."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.estimate._gravity.terms import PLACE_TERMS

Array = NDArray[np.float64]
SIDES = ("origin", "destination")


def effects(panel: pl.DataFrame, fitted: Array, index: Array) -> pl.DataFrame:
    """Effect of every origin and destination in every period: log fitted flow less the terms of the pair.

    Each period's origin effects have mean zero; only differences within a period and side mean anything.
    """
    alive = fitted > 0
    part = panel.filter(pl.Series(alive))
    left = np.log(fitted[alive]) - index[alive]
    found = []
    for period in part["period"].unique().sort():
        own = (part["period"] == period).to_numpy()
        origins, o = np.unique(part["origin"].to_numpy()[own], return_inverse=True)
        destinations, d = np.unique(part["destination"].to_numpy()[own], return_inverse=True)
        across, down = _split(left[own], o, d)
        for side, names, values in (("origin", origins, across), ("destination", destinations, down)):
            found.append(pl.DataFrame({"side": side, "place": names, "period": period, "effect": values}))
    return pl.concat(found)


def _split(left: Array, o: NDArray[np.intp], d: NDArray[np.intp]) -> tuple[Array, Array]:
    """An exact sum of two effects taken apart, by alternating means."""
    across, down = np.zeros(o.max() + 1), np.zeros(d.max() + 1)
    for _ in range(20_000):
        across = np.bincount(o, left - down[d]) / np.bincount(o)
        new = np.bincount(d, left - across[o]) / np.bincount(d)
        if np.abs(new - down).max() < 1e-11:
            down = new
            break
        down = new
    shift = across.mean()
    return across - shift, down + shift


def place_columns(panel: pl.DataFrame) -> list[tuple[str, str, str]]:
    """(side, column, term) of the covariates of places that the panel holds."""
    return [
        (side, f"{column}_{side}", term.replace(column, f"{column}_{side}"))
        for side in SIDES
        for column, term, _ in PLACE_TERMS
        if f"{column}_{side}" in panel.columns
    ]


def explain(panel: pl.DataFrame, table: pl.DataFrame) -> tuple[list[dict[str, object]], dict[str, Array], list[str]]:
    """Regress the effects of each side on the covariates of that side with effects of periods.

    Least squares with every place in a period counting once; errors clustered by place (CR1). Gives rows of the
    coefficient table, the covariance of each side, and notes.
    """
    rows: list[dict[str, object]] = []
    covariances: dict[str, Array] = {}
    notes: list[str] = []
    for side in SIDES:
        chosen = [(column, term) for s, column, term in place_columns(panel) if s == side]
        if not chosen:
            continue
        names = [c for c, _ in chosen]
        known = panel.rename({side: "place"}).select("place", "period", *names).drop_nulls().unique(["place", "period"])
        joined = table.filter(pl.col("side") == side).join(known, on=["place", "period"]).sort("place", "period")
        logs = [_log(joined[c].to_numpy(), term) for c, term in chosen]
        columns = np.column_stack(logs) if logs else np.empty((joined.height, 0))
        finite = np.isfinite(columns).all(1)
        joined, columns = joined.filter(pl.Series(finite)), columns[finite]
        if joined["place"].n_unique() <= columns.shape[1] + 2:
            notes.append(f"Too few places with covariates to explain the effects of each {side}.")
            continue
        beta, covariance = _clustered(joined, columns)
        covariances[side] = covariance
        for k, (_, term) in enumerate(chosen):
            rows.append({"term": term, "step": side, "value": beta[k], "se": float(np.sqrt(covariance[k, k]))})
    return rows, covariances, notes


def _log(values: Array, term: str) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log1p(values.astype(float)) if term.startswith("log1p") else np.log(values.astype(float))


def _clustered(joined: pl.DataFrame, columns: Array) -> tuple[Array, Array]:
    """Least squares within periods, with a covariance that allows any dependence within a place."""
    period = np.unique(joined["period"].to_numpy(), return_inverse=True)[1]
    place = np.unique(joined["place"].to_numpy(), return_inverse=True)[1]
    count = np.bincount(period)[:, None]

    def centred(values: Array) -> Array:
        sums = np.column_stack([np.bincount(period, values[:, k]) for k in range(values.shape[1])])
        return values - (sums / count)[period]

    x, y = centred(columns), centred(joined["effect"].to_numpy()[:, None])[:, 0]
    bread = np.linalg.pinv(x.T @ x)
    beta = bread @ (x.T @ y)
    score = x * (y - x @ beta)[:, None]
    sums = np.column_stack([np.bincount(place, score[:, k]) for k in range(x.shape[1])])
    groups, rows, used = place.max() + 1, len(y), x.shape[1] + period.max() + 1
    correction = groups / (groups - 1) * (rows - 1) / max(rows - used, 1)
    return beta, correction * bread @ (sums.T @ sums) @ bread

"""Gravity's coefficients as priors of the system's utility: V = α + β_w log(income ratio) + β_n log(1 + N/n0) − …."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.core.result import json_ready

Array = NDArray[np.float64]
NETWORK = "log1p(diaspora)"


@dataclass(frozen=True)
class Priors:
    """Joint normal prior of β_w, β_n and one α a corridor.

    Parameters
    ----------
    names : tuple of str
        ``beta_w``, ``beta_n``, then ``alpha:ORIGIN>DESTINATION``.
    mean : array, shape (names,)
    covariance : array, shape (names, names)
    corridors : polars.DataFrame
        origin, destination, mean, sd of α.
    period : str
        Period whose flows the α describe.
    warnings : tuple of str
        What a user of the prior must know.
    """

    names: tuple[str, ...]
    mean: Array
    covariance: Array
    corridors: pl.DataFrame
    period: str
    warnings: tuple[str, ...] = ()

    def beta(self, name: str) -> tuple[float, float]:
        """Mean and standard deviation of one β."""
        at = self.names.index(name)
        return float(self.mean[at]), float(np.sqrt(self.covariance[at, at]))

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        return json_ready(
            {
                "names": list(self.names),
                "mean": self.mean,
                "covariance": self.covariance,
                "corridors": self.corridors,
                "period": self.period,
                "warnings": list(self.warnings),
            }
        )


def income_effect(places: pl.DataFrame) -> tuple[float, float] | None:
    """β_w and its variance from the two sides of the second step.

    The system lets a destination's income attract as much as the origin's holds back. The data are asked for both; the
    mean of the two is taken, and half their disagreement added to the standard deviation.
    """
    found = {
        row["step"]: (row["value"] if row["step"] == "destination" else -row["value"], row["se"])
        for row in places.filter(pl.col("term").str.starts_with("log(income_")).iter_rows(named=True)
    }
    if not found:
        return None
    values = [v for v, _ in found.values()]
    mean = sum(values) / len(values)
    noise = sum(se**2 for _, se in found.values()) / len(found) ** 2
    return mean, noise + (max(values) - min(values)) ** 2 / 4


def make(
    panel: pl.DataFrame,
    fitted: Array,
    network: tuple[float, float] | None,
    income: tuple[float, float] | None,
    period: str | None,
    corridors: Any,
    most: int,
    inflate: float,
) -> Priors:
    """The prior for the corridors of one period; see ``Gravity.priors``."""
    chosen, mu, period = _choose(panel, fitted, period, corridors, most)
    known = {"beta_w": income, "beta_n": network}
    betas = {name: value for name, value in known.items() if value is not None}
    warnings = [
        f"{name} is not in the model, so the prior says nothing of it."
        for name, value in known.items()
        if value is None
    ]
    columns = {"beta_w": "income_gap", "beta_n": "diaspora"}
    x = np.zeros((chosen.height, len(betas)))
    for k, name in enumerate(betas):
        if columns[name] in chosen.columns:
            values = chosen[columns[name]].cast(pl.Float64).fill_null(np.nan).to_numpy()
            x[:, k] = np.log1p(values) if name == "beta_n" else values
    whole = np.isfinite(x).all(1)
    chosen, mu, x = chosen.filter(pl.Series(whole)), mu[whole], x[whole]
    mean_beta = np.array([v[0] for v in betas.values()])
    noise_beta = np.diag([v[1] for v in betas.values()]) * inflate**2 if betas else np.zeros((0, 0))
    exposed = chosen["population_origin"].to_numpy() if "population_origin" in chosen.columns else np.ones(len(mu))
    alpha = np.log(mu / exposed) - (x @ mean_beta if betas else 0.0)
    spread = _unexplained(panel["persons"].to_numpy(), fitted) * inflate
    covariance = _joint(noise_beta, x, spread)
    pairs = chosen.select("origin", "destination").rows()
    names = (*betas, *(f"alpha:{o}>{d}" for o, d in pairs))
    sd = np.sqrt(np.diag(covariance))[len(betas) :]
    table = chosen.select("origin", "destination").with_columns(mean=pl.Series(alpha), sd=pl.Series(sd))
    if income is not None and network is not None:
        warnings.append("β_w is beside β_n: past income has made the diaspora, which carries part of its effect.")
    warnings += [
        "Coefficients of a gravity model are those of utility divided by the tightness of the destination nest; "
        "where that is estimated, widen the prior.",
        "β_k (cost) is not identified by gravity; it needs its own prior.",
    ]
    return Priors(names, np.concatenate([mean_beta, alpha]), covariance, table, period, tuple(warnings))


def _choose(
    panel: pl.DataFrame, fitted: Array, period: str | None, corridors: Any, most: int
) -> tuple[pl.DataFrame, Array, str]:
    periods = panel["period"].unique().sort().to_list()
    period = periods[-1] if period is None else str(period)
    if period not in periods:
        raise ZholError("no such period", found=period, expected=", ".join(periods))
    alive = (panel["period"] == period).to_numpy() & (fitted > 0)
    table = panel.with_columns(fitted=pl.Series(fitted)).filter(pl.Series(alive))
    if corridors is None:
        table = table.sort("fitted", descending=True).head(most)
    else:
        wanted = pl.DataFrame([tuple(c) for c in corridors], schema=["origin", "destination"], orient="row")
        table = table.join(wanted, on=["origin", "destination"], how="semi")
        if table.is_empty():
            raise ZholError("none of the corridors has a fitted flow", found=list(corridors)[:3])
    table = table.sort("origin", "destination")
    return table, table["fitted"].to_numpy(), period


def _unexplained(persons: Array, fitted: Array) -> float:
    """Spread of log observed over fitted flows, weighted by fitted flows: what α must leave room for."""
    seen = (persons > 0) & (fitted > 0)
    gap = np.log(persons[seen] / fitted[seen])
    return float(np.sqrt((fitted[seen] * gap**2).sum() / fitted[seen].sum()))


def _joint(noise: Array, x: Array, spread: float) -> Array:
    """Given the fitted flow, a larger β means a smaller α: the two are tied."""
    across = -x @ noise
    alpha = x @ noise @ x.T + spread**2 * np.eye(len(x))
    return np.block([[noise, across.T], [across, alpha]]) if noise.size else alpha

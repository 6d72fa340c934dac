"""Intervals of registers: log-normal by rows or clusters, random weights, counts drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.estimate._registers import population as sums
from zhol.estimate._registers.best_fit import Fitted
from zhol.estimate._registers.input import Cells
from zhol.estimate._registers.power_law import (
    Array,
    Fits,
    cluster_sandwich,
    evaluate,
    fit_in_chunks,
    leave_one_out,
)

Progress = Callable[[int, int], None]
_OPEN = float(np.log(1e6))  # an interval wider than a million times either way is none


@dataclass(frozen=True)
class Context:
    """Everything that the intervals and the report need."""

    cells: Cells
    fitted: Fitted
    group: sums.Groups
    cluster: str | None
    interval: str
    replicates: int
    seed: int
    level: float
    jobs: int
    progress: Progress | None


@dataclass(frozen=True)
class Spread:
    """Ends and standard errors of every group (the last is the total), and what else was found on the way."""

    low: Array
    high: Array
    se: Array
    covariance: Array
    draws: Array | None
    influence: pl.DataFrame | None
    clusters: int | None
    percentile: tuple[float, float] | None = None


def intervals(context: Context, notes: list[str]) -> Spread:
    fitted, group, level = context.fitted, context.group, context.level
    value = sums.totals(fitted.problem, fitted.params[None, :], group)[0]
    robust, plain, refits, names = fitted.robust, fitted.plain, None, None
    if context.cluster is not None and context.interval != "parametric":
        names, code = _codes(context.cells.frame[context.cluster])
        if len(names) < 5:
            raise ZholError("too few clusters", column=context.cluster, found=len(names), expected="5 or more")
        robust, refits = leave_one_out(fitted.problem, fitted.params, code, jobs=context.jobs)
        plain = cluster_sandwich(fitted.problem, fitted.params, code)
    log_se = sums.log_errors(fitted.problem, fitted.params, robust, group)
    influence = None if refits is None or names is None else _influence(context, refits, names, value)
    count = None if names is None else len(names)
    if context.interval == "analytic":
        quantile = norm.ppf(0.5 + level / 2)
        if count is not None:
            quantile = student.ppf(0.5 + level / 2, max(count - sum(fitted.problem.shape), 1))
        low, high = ends(value, log_se, float(quantile), fitted.weak)
        return Spread(low, high, np.where(np.isinf(high), np.inf, value * log_se), robust, None, influence, count)
    draws = _replicates(context, notes)
    away = np.log(sums.totals(fitted.problem, draws, group)) - np.log(value)
    plain_ends = value[-1] * np.exp(np.quantile(away[:, -1], [0.5 - level / 2, 0.5 + level / 2]))
    if context.interval == "bootstrap":
        narrow = sums.log_errors(fitted.problem, fitted.params, plain, group)
        away = away * np.where(narrow > 0, np.maximum(log_se / np.where(narrow > 0, narrow, 1), 1), 1)
    span = value * np.exp(np.quantile(away, [0.5 - level / 2, 0.5 + level / 2], axis=0))
    return Spread(
        np.minimum(span[0], value), np.maximum(span[1], value), value * away.std(axis=0, ddof=1), robust,
        value[-1] * np.exp(away[:, -1]), influence, count, (float(plain_ends[0]), float(plain_ends[1])),
    )  # fmt: skip


def ends(centre: Array, log_se: Array, quantile: float, weak: bool) -> tuple[Array, Array]:
    """Log-normal ends; where the data hold next to nothing, no end but zero."""
    open_ = (log_se * quantile > _OPEN) | (weak & (log_se > 0))
    width = np.where(open_, 0.0, quantile * log_se)
    return np.where(open_, 0.0, centre * np.exp(-width)), np.where(open_, np.inf, centre * np.exp(width))


def _codes(series: pl.Series) -> tuple[list[str], NDArray[np.intp]]:
    """Names of the clusters and each row's number."""
    if series.null_count():
        row = int(series.is_null().arg_max() or 0)
        raise ZholError("missing value", row=row + 2, column=series.name, expected="the cluster of the row")
    names, code = np.unique(series.cast(pl.String).to_numpy(), return_inverse=True)
    return [str(n) for n in names], code.astype(np.intp)


def _influence(context: Context, refits: Array, names: list[str], value: Array) -> pl.DataFrame:
    """How far the total moves when a cluster is left out of the fit, largest first."""
    problem = context.fitted.problem
    without = sums.totals(problem, refits, context.group)[:, -1]
    table = pl.DataFrame(
        {str(context.cluster): names, "population_without": without, "change": without / value[-1] - 1}
    )
    return table.sort(pl.col("change").abs(), descending=True)


def _replicates(context: Context, notes: list[str]) -> Array:
    """Parameters of every replicate that converged."""
    fitted, count = context.fitted, context.replicates
    rows = len(fitted.problem.y)
    start = np.tile(fitted.params, (count, 1))
    if context.interval == "parametric":
        problem = replace(fitted.problem, y=_simulate(fitted, count, generator(context.seed, "registers")), products={})
        weights = np.ones((count, rows))
    else:
        problem = fitted.problem
        weights = _random_weights(context, count)
    fits = fit_in_chunks(problem, start, weights, jobs=context.jobs, report=context.progress)
    good = _usable(fits)
    if good.sum() < max(20, count // 2):
        raise ZholError(
            "most bootstrap replicates have no maximum",
            found=f"{int(good.sum())} usable of {count}",
            hint='use fewer terms, or interval="analytic"',
        )
    if not good.all():
        notes.append(f"{int((~good).sum())} of {count} bootstrap replicates had no maximum and were left out")
    return fits.params[good]


def _usable(fits: Fits) -> NDArray[np.bool_]:
    return np.asarray(fits.converged & np.isfinite(fits.log_likelihood))


def _simulate(fitted: Fitted, count: int, rng: np.random.Generator) -> Array:
    """Counts drawn from the fitted model, shape (replicates, rows)."""
    mu = np.broadcast_to(evaluate(fitted.problem, fitted.params[None, :]).mu, (count, len(fitted.problem.y)))
    if fitted.problem.negbin:
        theta = float(np.exp(fitted.params[-1]))
        mu = mu * rng.gamma(theta, 1 / theta, mu.shape)
    return rng.poisson(mu).astype(float)


def _random_weights(context: Context, count: int) -> Array:
    """Exponential weights with mean one, the same for all rows of a cluster."""
    rows = len(context.cells.observed)
    code = np.arange(rows, dtype=np.intp)
    if context.cluster is not None:
        code = _codes(context.cells.frame[context.cluster])[1]
    drawn = generator(context.seed, "registers").exponential(size=(count, int(code.max()) + 1))
    return np.asarray((drawn / drawn.mean(axis=1, keepdims=True))[:, code])

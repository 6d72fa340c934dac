"""What is handed back of registers: the table, the details, and what the reader must be told."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm

from zhol.core.quantity import plain_number
from zhol.core.result import Estimate
from zhol.estimate._registers import population as sums
from zhol.estimate._registers.best_fit import Fitted
from zhol.estimate._registers.intervals import Context, Spread, ends
from zhol.estimate._registers.power_law import THETA_BOUNDS, derivatives, evaluate

_COUNTRY = ("country", "country_code", "nationality", "citizenship", "origin", "place")
_TIME = ("year", "date", "month", "quarter", "half_year", "period", "time")
_CITES = (
    "Zhang, L.-C. (2008). Developing methods for determining the number of unauthorized foreigners in Norway. "
    "Documents 2008/11, Statistics Norway.",
    "Beręsewicz, M. and Pawlukiewicz, K. (2020). Estimation of the number of irregular foreigners in Poland using "
    "non-linear count regression models. arXiv:2008.09407.",
)


def country_column(frame: pl.DataFrame) -> str | None:
    """A column of countries in which some country stands twice."""
    for name in frame.columns:
        if name.lower() in _COUNTRY and frame[name].n_unique() < frame.height:
            return name
    return None


def worries(context: Context, spread: Spread, negbin: bool, named: bool) -> list[str]:
    """What the reader must know before using the number."""
    fitted, cells, problem = context.fitted, context.cells, context.fitted.problem
    mean = evaluate(problem, fitted.params[None, :])
    value = sums.totals(problem, fitted.params[None, :], context.group)[0]
    notes = _over_time(cells.frame)
    if not fitted.converged:
        notes.append("the likelihood has no clear maximum here; read the number as a rough magnitude at best")
    if np.isinf(spread.high[-1]):
        notes.append("the data hold next to nothing on the size of the population: the interval has no upper end")
    if fitted.maxima.size and fitted.maxima.max() - fitted.maxima.min() > 0.01:
        notes.append("the likelihood has several local maxima; the highest found is reported")
    notes += _at_bounds(fitted)
    if not problem.constrained and mean.alpha.max() > 1:
        notes.append(
            f"alpha reaches {mean.alpha.max():.2f}: more irregular than registered residents, which the model was "
            "not made for; try constrained=True or fewer covariates"
        )
    if not problem.constrained and mean.alpha.min() < 0:
        notes.append(f"alpha falls to {mean.alpha.min():.2f}: the larger a community, the fewer irregular residents")
    if mean.beta.min() < 0:
        notes.append(f"beta falls to {mean.beta.min():.2f}: the more the police meet, the fewer are found")
    below = int((value[:-1] < context.group.sums(cells.observed)[:-1]).sum())
    if below:
        notes.append(f"in {below:,} of {len(value) - 1:,} groups fewer are estimated than were observed")
    dispersion = _dispersion(context)
    if not negbin and dispersion > 2:
        notes.append(
            f"counts vary {plain_number(round(dispersion, 1))} times as much as a Poisson allows; the interval takes "
            "that in, log-likelihood and AIC do not"
        )
    repeated = country_column(cells.frame)
    if repeated and context.cluster is None and not named and context.interval != "parametric":
        notes.append(
            f"{repeated} repeats over rows that the interval takes as independent; cluster={repeated!r} does not"
        )
    if spread.clusters is not None and spread.clusters < 20:
        notes.append(f"only {spread.clusters} clusters: intervals by cluster are then too narrow")
    if spread.influence is not None and abs(spread.influence["change"][0]) > 0.5:
        first = spread.influence.row(0)
        notes.append(f"without {first[0]} the total would be {plain_number(first[1])}: one cluster decides it")
    return notes


def _over_time(frame: pl.DataFrame) -> list[str]:
    """A total over years is nobody's stock."""
    for name in frame.columns:
        count = frame[name].n_unique()
        if name.lower() in _TIME and count > 1:
            return [
                f"the total adds {count} values of {name} up, which is not how many there were at any one time; "
                f"by={name!r} says that"
            ]
    return []


def _at_bounds(fitted: Fitted) -> list[str]:
    """Parameters that ran into their bounds."""
    problem, notes = fitted.problem, []
    low, high = problem.bounds()
    if problem.gamma is None:
        g = sum(problem.shape)
        if fitted.params[g] <= low[g] + 1e-6:
            notes.append("gamma went to its lower bound: the data want no offset")
        if fitted.params[g] >= high[g] - 1e-6:
            notes.append("gamma went to its upper bound: police counts say little about detection here")
    if problem.negbin and np.exp(fitted.params[-1]) > THETA_BOUNDS[1] / 10:
        notes.append("no more spread than a Poisson: the negative binomial is the Poisson here")
    return notes


def _dispersion(context: Context) -> float:
    """Pearson's chi-square over degrees of freedom."""
    problem, params = context.fitted.problem, context.fitted.params
    mu = evaluate(problem, params[None, :]).mu[0]
    variance = mu + mu**2 / np.exp(params[-1]) if problem.negbin else mu
    free = max(len(mu) - sum(problem.shape) - (problem.gamma is None), 1)
    return float((((problem.y - mu) ** 2) / np.maximum(variance, 1e-300)).sum() / free)


def compare(context: Context, other: Fitted, notes: list[str]) -> pl.DataFrame:
    """This model and the other one, side by side, and a warning where they disagree."""
    rows: list[dict[str, Any]] = []
    for fitted in (context.fitted, other):
        total = float(sums.totals(fitted.problem, fitted.params[None, :], context.group)[0, -1])
        se = float(sums.log_errors(fitted.problem, fitted.params, fitted.robust, context.group)[-1])
        low, high = ends(np.array([total]), np.array([se]), float(norm.ppf(0.5 + context.level / 2)), fitted.weak)
        rows.append(
            {
                "model": _name(fitted.problem.negbin),
                "population": total,
                "low": float(low[0]),
                "high": float(high[0]),
                "loglik": fitted.log_likelihood,
                "aic": 2 * fitted.problem.size - 2 * fitted.log_likelihood,
            }
        )
    first, second = (float(r["population"]) for r in rows)
    if not 1 / 1.5 < second / first < 1.5:
        notes.append(
            f"the {_name(other.problem.negbin)} model says {plain_number(second)}: "
            "model choice moves the answer more than this interval shows"
        )
    return pl.DataFrame(rows)


def _name(negbin: bool) -> str:
    return "negative binomial" if negbin else "Poisson"


def result(
    context: Context,
    spread: Spread,
    labels: pl.DataFrame,
    models: pl.DataFrame,
    notes: list[str],
    columns: tuple[str, str, str],
) -> Estimate:
    fitted, cells, group = context.fitted, context.cells, context.group
    value = sums.totals(fitted.problem, fitted.params[None, :], group)[0]
    better = sums.corrected(fitted.problem, fitted.params, fitted.model, group)
    table = labels.with_columns(
        observed=pl.Series(group.sums(cells.observed)[:-1].astype(np.int64)),
        reference=pl.Series(group.sums(cells.reference)[:-1]),
        population=pl.Series(value[:-1]),
        low=pl.Series(spread.low[:-1]),
        high=pl.Series(spread.high[:-1]),
        se=pl.Series(spread.se[:-1]),
        bias_corrected=pl.Series(better[:-1]),
        share=pl.Series(value[:-1] / value[-1]),
    )
    problem, k = fitted.problem, fitted.problem.size
    size, g = len(cells.observed), sum(fitted.problem.shape)
    details = {
        "model": _name(problem.negbin),
        "interval": _interval_name(context, spread),
        "bias_corrected": float(better[-1]),
        "observed": int(cells.observed.sum()),
        "by": labels.columns,
        "coefficients": _coefficients(context, spread),
        "gamma": float(np.exp(fitted.params[g])) if problem.gamma is None else problem.gamma,
        "gamma_estimated": problem.gamma is None,
        "theta": float(np.exp(fitted.params[-1])) if problem.negbin else None,
        "loglik": fitted.log_likelihood,
        "aic": 2 * k - 2 * fitted.log_likelihood,
        "bic": k * float(np.log(size)) - 2 * fitted.log_likelihood,
        "deviance": _deviance(context),
        "dispersion": _dispersion(context),
        "rows": size,
        "largest_gradient": _gradient(fitted),
        "models": models,
        "influence": spread.influence,
        "draws": spread.draws,
        "percentile": spread.percentile,
        "columns": dict(zip(("observed", "auxiliary", "reference"), columns, strict=True)),
    }
    title = f"Irregular residents by {_name(problem.negbin)} model of registers"
    return Estimate(
        float(value[-1]), float(spread.low[-1]), float(spread.high[-1]), float(spread.se[-1]), table, tuple(notes),
        title, context.level, "persons", MappingProxyType(details), _CITES,
    )  # fmt: skip


def _interval_name(context: Context, spread: Spread) -> str:
    if context.interval == "parametric":
        return f"parametric bootstrap, {context.replicates} replicates"
    unit = f"{spread.clusters} clusters of {context.cluster}" if spread.clusters else "rows"
    if context.interval == "bootstrap":
        return f"weighted bootstrap over {unit}, {context.replicates} replicates"
    return f"log-normal, {'jackknife over ' + unit if spread.clusters else 'HC3'}"


def _coefficients(context: Context, spread: Spread) -> pl.DataFrame:
    """Terms with standard errors and Wald intervals; gamma and theta on their own scale."""
    fitted, problem = context.fitted, context.fitted.problem
    names = [*context.cells.alpha_names, *context.cells.beta_names]
    names += (["gamma"] if problem.gamma is None else []) + (["theta"] if problem.negbin else [])
    value, se = fitted.params, np.sqrt(np.maximum(np.diag(spread.covariance), 0))
    quantile = norm.ppf(0.5 + context.level / 2)
    low, high = value - quantile * se, value + quantile * se
    rows = []
    for i, name in enumerate(names):
        if name in ("gamma", "theta"):
            at = float(np.exp(value[i]))
            rows.append((name, at, at * se[i], float(np.exp(max(low[i], -300))), float(np.exp(min(high[i], 300)))))
        else:
            rows.append((name, float(value[i]), float(se[i]), float(low[i]), float(high[i])))
    return pl.DataFrame(rows, schema=["term", "estimate", "se", "low", "high"], orient="row")


def _deviance(context: Context) -> float:
    """Twice the distance to the model with one parameter a row."""
    problem, params = context.fitted.problem, context.fitted.params
    mu, y = evaluate(problem, params[None, :]).mu[0], problem.y
    ratio = np.log(np.where(y > 0, y, 1) / np.where(y > 0, mu, 1))
    if not problem.negbin:
        return float(2 * (y * ratio - (y - mu)).sum())
    theta = float(np.exp(params[-1]))
    return float(2 * (y * ratio - (y + theta) * np.log((y + theta) / (mu + theta))).sum())


def _gradient(fitted: Fitted) -> float:
    """Largest derivative of the log-likelihood that is not held by a bound; zero at a maximum."""
    low, high = fitted.problem.bounds()
    gradient = derivatives(fitted.problem, fitted.params[None, :], np.ones((1, len(fitted.problem.y))))[0][0]
    inside = (fitted.params > low + 1e-9) & (fitted.params < high - 1e-9)
    return float(np.abs(gradient[inside]).max(initial=0.0))

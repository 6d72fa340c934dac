"""How well a fitted model describes the counts: fitted frequencies, residuals, deviance, comparison, averaging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.likelihood import log_likelihood

if TYPE_CHECKING:
    from zhol.estimate.recapture import CountsEstimate


def fitted_frequencies(sample: Sample, beta: np.ndarray) -> pl.DataFrame:
    """Observed and fitted number of units by count, over the counts of the model's likelihood.

    The last row, of count null, holds all counts beyond the largest observed.
    """
    model = sample.model
    top = int(model.last or sample.y.max())
    counts = np.arange(model.first, top + 1, dtype=float)
    inside = (sample.y >= model.first) & (sample.y <= (model.last or np.inf))
    pattern, first = sample.pattern
    units = np.bincount(pattern, weights=sample.w * inside, minlength=len(first))
    corner = sample.take(first)
    eta = [e[..., None] for e in corner.eta(beta[None])]
    chances = np.exp(log_likelihood(model, corner.links, eta, counts, False).v[0])
    fitted = units @ np.broadcast_to(chances, (len(first), len(counts)))
    observed = np.array([float(sample.w[sample.y == c].sum()) for c in counts])
    rows = {"count": [*counts.astype(int).tolist(), None], "observed": [*observed, 0.0]}
    rest = max(float(units.sum() - fitted.sum()), 0.0)
    return pl.DataFrame({**rows, "fitted": [*fitted, rest]}, schema_overrides={"count": pl.Int64})


def rootogram(frequencies: pl.DataFrame) -> pl.DataFrame:
    """Square roots of both, and the gap between them (Kleiber & Zeileis 2016, The American Statistician 70)."""
    return frequencies.drop_nulls("count").with_columns(
        root_observed=pl.col("observed").sqrt(),
        root_fitted=pl.col("fitted").sqrt(),
        gap=pl.col("observed").sqrt() - pl.col("fitted").sqrt(),
    )


def goodness(frequencies: pl.DataFrame, coefficients: int) -> dict[str, float | int | None]:
    """Pearson and likelihood-ratio statistics; counts of which fewer than five are expected make one cell.

    Degrees of freedom are the cells left, less one, less the coefficients; none where that is not positive.
    """
    from scipy.stats import chi2

    observed, fitted = frequencies["observed"].to_numpy(), frequencies["fitted"].to_numpy()
    few = fitted < 5
    o, f = observed[~few], fitted[~few]
    if fitted[few].sum() > 0:
        o, f = np.append(o, observed[few].sum()), np.append(f, fitted[few].sum())
    pearson = float(((o - f) ** 2 / f).sum())
    ratio = float(2 * (o[o > 0] * np.log(o[o > 0] / f[o > 0])).sum())
    df = len(o) - 1 - coefficients
    return {
        "chi2": pearson,
        "g": ratio,
        "cells": len(o),
        "df": df if df > 0 else None,
        "chi2_p": float(chi2.sf(pearson, df)) if df > 0 else None,
        "g_p": float(chi2.sf(ratio, df)) if df > 0 else None,
    }


def deviance(sample: Sample, beta: np.ndarray) -> float | None:
    """Twice the log-likelihood that a rate for each unit would gain; only for models of one parameter."""
    model = sample.model
    if len(model.parameters) > 1:
        return None
    here = log_likelihood(model, sample.links, sample.eta(beta[None]), sample.y, False).v[0]
    best = np.array([_best_alone(sample, float(c)) for c in np.unique(sample.y)])
    top = best[np.searchsorted(np.unique(sample.y), sample.y)]
    return float(2 * (sample.w * (top - here)).sum())


def _best_alone(sample: Sample, count: float) -> float:
    """Largest log-likelihood of one unit with a rate of its own."""
    model = sample.model
    if model.family == "pair" or count <= model.first:
        return 0.0
    from scipy.optimize import minimize_scalar

    def minus(x: float) -> float:
        eta = [np.array([[x]])]
        return -float(log_likelihood(model, ("log",), eta, np.array([count]), False).v[0, 0])

    found = minimize_scalar(
        minus, bounds=(np.log(count) - 6, np.log(count) + 2), method="bounded", options={"xatol": 1e-10}
    )
    return -float(found.fun)


def residual_table(sample: Sample, beta: np.ndarray, kind: str) -> pl.DataFrame:
    """Residual of each row of the data: raw (count less its expectation when seen) or pearson."""
    if kind not in ("raw", "pearson"):
        raise ZholError("unknown kind of residual", found=kind, expected="raw or pearson")
    model = sample.model
    pattern, first = sample.pattern
    corner = sample.take(first)
    top = int(model.last or min(max(4 * sample.y.max() + 20, 60), 3000))
    counts = np.arange(model.first, top + 1, dtype=float)
    eta = [e[..., None] for e in corner.eta(beta[None])]
    chances = np.exp(log_likelihood(model, corner.links, eta, counts, False).v[0])
    chances = np.broadcast_to(chances, (len(first), len(counts)))
    mean = (chances @ counts) / chances.sum(axis=1)
    spread = (chances @ counts**2) / chances.sum(axis=1) - mean**2
    raw = sample.y - mean[pattern]
    inside = (sample.y >= model.first) & (sample.y <= (model.last or np.inf))
    value = np.where(inside, raw if kind == "raw" else raw / np.sqrt(spread[pattern]), np.nan)
    cells = sample.cell_of_row
    at = np.maximum(cells, 0)
    return pl.DataFrame(
        {
            "row": np.arange(len(cells)),
            "captures": np.where(cells >= 0, sample.y[at], np.nan),
            "fitted": np.where(cells >= 0, mean[pattern][at], np.nan),
            "residual": np.where(cells >= 0, value[at], np.nan),
        }
    ).with_columns(pl.col("captures", "fitted", "residual").fill_nan(None))


def compare(estimates: Sequence[CountsEstimate]) -> pl.DataFrame:
    """One row a model; AIC and BIC are set side by side only inside one class of likelihood.

    Raises
    ------
    ZholError
        If the estimates are of different data.
    """
    _refuse_other_data(estimates)
    rows = [_row(e) for e in estimates]
    frame = pl.DataFrame(rows)
    return (
        frame.with_columns(
            delta_aic=pl.col("aic") - pl.col("aic").min().over("likelihood"),
            delta_bic=pl.col("bic") - pl.col("bic").min().over("likelihood"),
        )
        .with_columns(akaike_weight=(-0.5 * pl.col("delta_aic")).exp())
        .with_columns(akaike_weight=pl.col("akaike_weight") / pl.col("akaike_weight").sum().over("likelihood"))
        .sort("likelihood", "aic")
    )


def _row(e: CountsEstimate) -> dict[str, Any]:
    d = e.details
    return {
        "likelihood": d["likelihood"],
        "model": d["model"],
        "coefficients": len(d["coefficients"]),
        "loglik": d["loglik"],
        "aic": d["aic"],
        "bic": d["bic"],
        "population": e.population,
        "low": e.low,
        "high": e.high,
        "se": e.se,
        "ending": d["ending"],
    }


def _refuse_other_data(estimates: Sequence[CountsEstimate]) -> None:
    if len(estimates) < 2:
        raise ZholError("a comparison needs two estimates or more", found=len(estimates))
    prints = {str(e.details["frequencies"]) for e in estimates}
    if len(prints) > 1:
        raise ZholError("these estimates are of different data", hint="compare models of one list")


def average(estimates: Sequence[CountsEstimate], criterion: str, level: float) -> dict[str, Any]:
    """Akaike- or BIC-weighted population, with model uncertainty in its standard error.

    The standard error is that of Buckland, Burnham & Augustin (1997, Biometrics 53): Σ w √(se² + (N − N̄)²).
    """
    if criterion not in ("aic", "bic"):
        raise ZholError("unknown criterion", found=criterion, expected="aic or bic")
    _refuse_other_data(estimates)
    classes = sorted({e.details["likelihood"] for e in estimates})
    if len(classes) > 1:
        raise ZholError(
            "these models have likelihoods of different counts and cannot be weighted against each other",
            found="; ".join(classes),
            hint="average models of one class",
        )
    kept = [e for e in estimates if e.details["ending"] != "penalised"] or list(estimates)
    scores = np.array([e.details[criterion] for e in kept])
    weights = np.exp(-0.5 * (scores - scores.min()))
    weights /= weights.sum()
    sizes, errors = np.array([e.population for e in kept]), np.array([e.se for e in kept])
    mean = float(weights @ sizes)
    se = float(weights @ np.sqrt(errors**2 + (sizes - mean) ** 2))
    left_out = [e.details["model"] for e in estimates if e not in kept]
    return {"population": mean, "se": se, "weights": weights, "kept": kept, "left_out": left_out, "level": level}

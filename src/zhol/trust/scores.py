"""Scores of predictions against what came true: errors, coverage, interval score, CRPS.

Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, Journal of the American
Statistical Association 102(477):359-378.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError

Array = np.ndarray
LEVELS = (0.5, 0.8)
# A draw of nobody has no logarithm: it counts as half a person.
FLOOR = 0.5


def absolute_log_error(predicted: Any, observed: Any, floor: float = FLOOR) -> Array:
    """Distance of the logs of prediction and observation: 0.1 is about 10 per cent off, whichever way.

    Parameters
    ----------
    predicted, observed : array_like, shape (figure,)
        Same unit; every observation above zero.
    floor : float
        Predictions below this count as this.

    Returns
    -------
    ndarray, shape (figure,)

    Raises
    ------
    ZholError
        If the shapes differ, a number is missing, or an observation is not above zero.

    Examples
    --------
    >>> absolute_log_error([200, 50], [100, 100]).round(4).tolist()
    [0.6931, 0.6931]
    """
    guess, truth = _same(predicted, observed)
    return np.abs(np.log(np.maximum(guess, floor)) - np.log(_positive(truth)))


def central_interval(draws: Any, level: float = 0.8) -> tuple[Array, Array]:
    """Central interval of draws: the quantiles that leave equal shares outside.

    Parameters
    ----------
    draws : array_like, shape (draw, figure)
    level : float
        Share inside, between 0 and 1.

    Returns
    -------
    low, high : ndarray, shape (figure,)

    Examples
    --------
    >>> low, high = central_interval(np.arange(101.0)[:, None], 0.8)
    >>> low.round(9).tolist(), high.round(9).tolist()
    ([10.0], [90.0])
    """
    _check_level(level)
    low, high = np.quantile(_matrix(draws), [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return low, high


def coverage(low: Any, high: Any, observed: Any) -> float:
    """Share of observations inside their interval, ends included; nan of none.

    Parameters
    ----------
    low, high, observed : array_like, shape (figure,)

    Examples
    --------
    >>> coverage([0, 0, 0, 0], [1, 1, 1, 1], [0.5, 1.0, 2.0, -1.0])
    0.5
    """
    bottom, truth = _same(low, observed)
    top, _ = _same(high, observed)
    _ordered(bottom, top)
    return float(np.mean((bottom <= truth) & (truth <= top))) if truth.size else float("nan")


def interval_score(low: Any, high: Any, observed: Any, level: float = 0.8) -> Array:
    """Width of the interval, and 2 / (1 - level) times the distance of an observation outside it; small is good.

    Parameters
    ----------
    low, high, observed : array_like, shape (figure,)
        On the scale to score: give logs to score logs.
    level : float
        What the interval claims to hold.

    Returns
    -------
    ndarray, shape (figure,)

    References
    ----------
    Gneiting & Raftery (2007), equation 43.

    Examples
    --------
    >>> interval_score([0, 0], [1, 1], [0.5, 1.5], level=0.8).round(6).tolist()
    [1.0, 6.0]
    """
    _check_level(level)
    bottom, truth = _same(low, observed)
    top, _ = _same(high, observed)
    _ordered(bottom, top)
    outside = np.maximum(bottom - truth, 0) + np.maximum(truth - top, 0)
    return top - bottom + 2 / (1 - level) * outside


def crps(draws: Any, observed: Any) -> Array:
    """Continuous ranked probability score of the distribution of the draws; small is good.

    Mean distance of draws to the observation, less half the mean distance of two draws. With one draw it is the
    absolute error.

    Parameters
    ----------
    draws : array_like, shape (draw, figure)
    observed : array_like, shape (figure,)
        On the scale to score: give logs to score logs.

    Returns
    -------
    ndarray, shape (figure,)

    References
    ----------
    Gneiting & Raftery (2007), equation 21.

    Examples
    --------
    >>> crps([[0.0], [2.0]], [1.0]).tolist()
    [0.5]
    """
    sample, truth = _matrix(draws), _vector(observed)
    _match(sample, truth)
    n = len(sample)
    ordered = np.sort(sample, axis=0)
    rank = 2 * np.arange(1, n + 1) - n - 1
    apart = (rank[:, None] * ordered).sum(axis=0) / n**2  # half the mean distance of two draws
    return np.abs(sample - truth).mean(axis=0) - apart


def scorecard(
    draws: Any, observed: Any, by: Sequence[str] | None = None, levels: Sequence[float] = LEVELS, floor: float = FLOOR
) -> pl.DataFrame:
    """All scores of a set of predictions, by group and in total, on the log scale.

    Parameters
    ----------
    draws : array_like, shape (draw, figure)
        Predictive draws in the unit of the observations, error of measurement included where the observations have it.
    observed : array_like, shape (figure,)
        Every one above zero.
    by : sequence of str, optional
        Group of each figure.
    levels : sequence of float
        Levels of the intervals whose coverage is counted.
    floor : float
        Draws below this count as this.

    Returns
    -------
    polars.DataFrame
        One row a group and one named ``all``: group, figures, median_error and mean_error (absolute log error of the
        median), bias (mean log error; above zero: too high), coverage_50 and so on, interval_score_50 and so on, crps.

    Raises
    ------
    ZholError
        If shapes differ, a number is missing, or an observation is not above zero.

    Examples
    --------
    >>> card = scorecard([[90.0, 40.0], [110.0, 60.0], [100.0, 50.0]], [100.0, 100.0], by=["a", "b"])
    >>> card.select("group", "figures", "coverage_80").rows()
    [('a', 1, 1.0), ('b', 1, 0.0), ('all', 2, 0.5)]
    """
    sample, truth = np.log(np.maximum(_matrix(draws), floor)), np.log(_positive(_vector(observed)))
    _match(sample, truth)
    groups = np.array(["all"] * truth.size if by is None else [str(g) for g in by])
    if groups.shape != truth.shape:
        raise ZholError("one group for each figure", found=len(groups), expected=str(truth.size))
    names = [] if by is None else sorted(set(groups.tolist()) - {"all"})
    rows = [_scores(name, sample[:, groups == name], truth[groups == name], levels) for name in names]
    return pl.DataFrame([*rows, _scores("all", sample, truth, levels)])


def _scores(name: str, sample: Array, truth: Array, levels: Sequence[float]) -> dict[str, Any]:
    miss = np.median(sample, axis=0) - truth
    row: dict[str, Any] = {"group": name, "figures": truth.size}
    row |= {"median_error": _of(np.median, np.abs(miss)), "mean_error": _of(np.mean, np.abs(miss))}
    row["bias"] = _of(np.mean, miss)
    for level in levels:
        low, high = central_interval(sample, level)
        row[f"coverage_{level:.0%}".rstrip("%")] = coverage(low, high, truth)
        row[f"interval_score_{level:.0%}".rstrip("%")] = _of(np.mean, interval_score(low, high, truth, level))
    return row | {"crps": _of(np.mean, crps(sample, truth))}


def _of(average: Any, values: Array) -> float:
    return float(average(values)) if values.size else float("nan")


def _vector(values: Any) -> Array:
    vector = np.atleast_1d(np.asarray(values, dtype=float))
    if vector.ndim != 1:
        raise ZholError("observations must be one row of numbers", found=f"{vector.ndim} dimensions")
    return _whole(vector)


def _matrix(draws: Any) -> Array:
    matrix = np.asarray(draws, dtype=float)
    if matrix.ndim != 2 or len(matrix) == 0:
        raise ZholError("draws must be a table, one row a draw", found=f"shape {matrix.shape}")
    return _whole(matrix)


def _whole(values: Array) -> Array:
    missing = int((~np.isfinite(values)).sum())
    if missing:
        raise ZholError("a score needs every number", found=f"{missing} missing or infinite")
    return values


def _same(first: Any, second: Any) -> tuple[Array, Array]:
    a, b = _vector(first), _vector(second)
    if a.shape != b.shape:
        raise ZholError("predictions and observations differ in number", found=a.size, expected=str(b.size))
    return a, b


def _match(sample: Array, truth: Array) -> None:
    if sample.shape[1] != truth.size:
        found = sample.shape[1]
        raise ZholError("predictions and observations differ in number", found=found, expected=str(truth.size))


def _positive(values: Array) -> Array:
    if np.any(values <= 0):
        raise ZholError("observations must be above zero", found=float(values[values <= 0][0]))
    return values


def _ordered(low: Array, high: Array) -> None:
    if np.any(low > high):
        raise ZholError("an interval's low end is above its high end", found=float(low[low > high][0]))


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ZholError("level of an interval", found=level, expected="between 0 and 1")

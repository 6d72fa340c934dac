"""Value of partial information by regression: what knowing one thing would add to the choice between options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError

_KNOTS = 4  # inner knots of a spline; a cubic with these has seven coefficients
_FOLDS = 10
_SAMPLES = 400  # draws of the regression itself, for its bias and error
_FEWEST = 50


@dataclass(frozen=True)
class Fitted:
    """A regression of what options bring on something known, by least squares.

    Attributes
    ----------
    mean : (n, options) array
    along : (n, k) array
        Orthonormal directions in which the fit may err, by as much as one residual.
    residual : (options, options) array
        Root of the covariance of residuals between options.
    """

    mean: np.ndarray
    along: np.ndarray
    residual: np.ndarray


def partial_values(
    gains: np.ndarray, known: Mapping[str, np.ndarray], *, seed: int = 1, level: float = 0.95
) -> pl.DataFrame:
    """Expected value of knowing each of several things before choosing an option.

    Parameters
    ----------
    gains : (n, options) array
        What each option brings in each draw; more is better.
    known : mapping of a name to an (n,) or (n, columns) array
        What could be known, in the same draws. One column is fitted by a cubic spline. Several are first put into one
        score an option by ridge regressions on the draws of the other folds, so that chance cannot pass for knowledge;
        the value is then one of at least so much.
    seed, level
        Seed of the draws of the regression, coverage of the intervals.

    Returns
    -------
    polars.DataFrame
        ``factor``, ``value`` (in the unit of the gains, not below 0) with ``low`` and ``high``, and ``changes``: share
        of draws in which the choice would change.

    Raises
    ------
    ZholError
        Fewer than two options, too few draws, or draws that are not finite.

    References
    ----------
    Strong, Oakley, Brennan (2014), doi 10.1177/0272989X13505910.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> a, b = rng.standard_normal((2, 4000))
    >>> table = partial_values(np.column_stack([0 * a, a + 0.5 * b]), {"a": a, "b": b})
    >>> table["value"].round(1).to_list()  # 0.40 and 0.20 exactly
    [0.4, 0.2]
    """
    gains = np.asarray(gains, dtype=float)
    if gains.ndim != 2 or gains.shape[1] < 2:
        raise ZholError("a choice needs two options or more", found=str(gains.shape))
    if len(gains) < _FEWEST:
        raise ZholError("too few draws for a regression", found=len(gains), expected=f"{_FEWEST} or more")
    if not np.isfinite(gains).all():
        raise ZholError("some draws are not finite", found=int((~np.isfinite(gains)).any(axis=1).sum()))
    gains = gains - gains[:, :1]
    chosen = int(np.argmax(gains.mean(axis=0)))
    rows = []
    for name, values in known.items():
        fitted = regression(np.asarray(values, dtype=float), gains)
        value, low, high = _value(fitted, generator(seed, "partial value", name), level)
        changes = float((fitted.mean.argmax(axis=1) != chosen).mean()) if value > 0 else 0.0
        rows.append({"factor": name, "value": value, "low": low, "high": high, "changes": changes})
    return pl.DataFrame(rows)


def perfect_value(gains: np.ndarray, *, seed: int = 1, level: float = 0.95) -> tuple[float, float, float]:
    """Expected value of knowing everything, with its interval over draws.

    Examples
    --------
    >>> perfect_value(np.array([[0.0, 1.0], [0.0, -1.0]] * 50))[0]
    0.5
    """
    gains = np.asarray(gains, dtype=float)
    pick = generator(seed, "perfect value").integers(0, len(gains), (_SAMPLES, len(gains)))
    again = [float(g.max(axis=1).mean() - g.mean(axis=0).max()) for g in (gains[rows] for rows in pick)]
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(again, [tail, 1.0 - tail])
    return float(gains.max(axis=1).mean() - gains.mean(axis=0).max()), float(low), float(high)


def regression(values: np.ndarray, gains: np.ndarray) -> Fitted:
    """Fit what options bring on one column, or on scores of several; gains are centred on the first option."""
    values = values.reshape(len(values), -1)
    scores = values if values.shape[1] == 1 else _scores(values, gains)
    parts = [_spline(column) for column in scores.T]
    design = np.concatenate([np.zeros((len(gains), 0)), *parts], axis=1)
    left, scale, _ = np.linalg.svd(design, full_matrices=False)
    left = left[:, scale > 1e-9 * max(scale.max(initial=0.0), 1e-300)]
    centre = gains.mean(axis=0)
    mean = centre + left @ (left.T @ (gains - centre))
    free = max(len(gains) - 1 - left.shape[1], 1)
    spread, vectors = np.linalg.eigh((gains - mean).T @ (gains - mean) / free)
    return Fitted(mean, left, vectors * np.sqrt(np.maximum(spread, 0.0)))


def _scores(values: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """One column an option: what a ridge on the draws of the other folds foretells of it."""
    design = _standard(np.concatenate([_standard(values), _standard(values) ** 2], axis=1))
    fold = np.arange(len(gains)) % _FOLDS
    out = np.zeros_like(gains)
    for k in range(_FOLDS):
        rest, here = fold != k, fold == k
        middle = gains[rest] - gains[rest].mean(axis=0)
        squares, vectors = np.linalg.eigh(design[rest].T @ design[rest])
        live = squares > 1e-9 * max(squares.max(initial=0.0), 1e-300)
        scale, vectors = np.sqrt(squares[live]), vectors[:, live]
        along = (vectors.T @ (design[rest].T @ middle)) / scale[:, None]
        for j in range(gains.shape[1]):
            weight = _strongest(scale, along[:, j], middle[:, j])
            out[here, j] = design[here] @ (vectors @ (scale / (scale**2 + weight) * along[:, j]))
    return out[:, np.ptp(out, axis=0) > 0]


def _strongest(scale: np.ndarray, along: np.ndarray, gains: np.ndarray) -> float:
    """Strength of the ridge that makes the gains most probable (a normal prior of the coefficients, its width free)."""
    n, size = len(gains), max(float((scale**2).mean()), 1e-300)
    outside, best, found = float(gains @ gains - along @ along), -np.inf, 1e6 * size
    for weight in np.exp(np.linspace(np.log(1e-2), np.log(1e6), 60)) * size:
        variance = scale**2 / weight + 1.0  # of the gains along each direction, over that of the residual
        noise = (outside + (along**2 / variance).sum()) / n
        if noise <= 0:
            return float(weight)
        likelihood = -0.5 * (n * np.log(noise) + np.log(variance).sum())
        if likelihood > best:
            best, found = likelihood, float(weight)
    return found


def _value(fitted: Fitted, random: np.random.Generator, level: float) -> tuple[float, float, float]:
    """Value and its interval from draws of the fit: its errors look like information, their excess is taken off."""
    plain = _gain(fitted.mean)
    again = []
    for _ in range(_SAMPLES):
        noise = random.standard_normal((fitted.along.shape[1], fitted.mean.shape[1])) @ fitted.residual.T
        again.append(_gain(fitted.mean + fitted.along @ noise))
    value = max(2.0 * plain - float(np.mean(again)), 0.0)
    best = fitted.mean[:, int(np.argmax(fitted.mean.mean(axis=0)))]
    rows = float((fitted.mean.max(axis=1) - best).std()) / np.sqrt(len(fitted.mean))
    half = NormalDist().inv_cdf(0.5 + level / 2.0) * float(np.hypot(np.std(again), rows))
    return value, max(value - half, 0.0), value + half


def _gain(mean: np.ndarray) -> float:
    return float(mean.max(axis=1).mean() - mean.mean(axis=0).max())


def _standard(columns: np.ndarray) -> np.ndarray:
    width = columns.std(axis=0)
    live = width > 0
    return (columns[:, live] - columns[:, live].mean(axis=0)) / width[live]


def _spline(x: np.ndarray) -> np.ndarray:
    """Cubic in the standardised value, with knots at its quantiles, centred."""
    if np.ptp(x) == 0:
        return np.zeros((len(x), 0))
    z = (x - x.mean()) / x.std()
    knots = np.unique(np.quantile(z, np.linspace(0, 1, _KNOTS + 2)[1:-1]))
    columns = [z, z**2, z**3, *(np.maximum(z - k, 0.0) ** 3 for k in knots)]
    return _standard(np.column_stack(columns))

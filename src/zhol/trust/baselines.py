"""Yardsticks of a backtest: what anybody could have said without a model.

All work on the logarithm of one series and say how wide they are, so that they can be scored as the model is.
Hyndman & Athanasopoulos (2021), Forecasting: principles and practice, 3rd ed., section 5.2, describe the three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhol.core.errors import ZholError

Array = np.ndarray
COMPARABLE = 1.5 / 12  # years: points of the same season lie within a month and a half of the day asked for


@dataclass(frozen=True, eq=False)
class Projection:
    """What a yardstick says at the times asked for: Student's t on the log scale.

    Parameters
    ----------
    value : ndarray, shape (time,)
        Median, in the unit of the series.
    log_sd : ndarray, shape (time,)
        Scale of the log; nan where the points are too few to tell.
    df : ndarray, shape (time,)
        Degrees of freedom of the scale; 0 where there is none.
    points : ndarray of int, shape (time,)
        How many points it rests on.
    """

    value: Array
    log_sd: Array
    df: Array
    points: Array

    def interval(self, level: float = 0.8) -> tuple[Array, Array]:
        """Central interval; nan where the width is not known.

        Examples
        --------
        >>> low, high = no_change([2000, 2001, 2002], [100, 110, 100], [2003]).interval(0.5)
        >>> bool(low[0] < 100 < high[0])
        True
        """
        from scipy.special import stdtrit

        if not 0 < level < 1:
            raise ZholError("level of an interval", found=level, expected="between 0 and 1")
        with np.errstate(invalid="ignore"):
            reach = stdtrit(np.where(self.df > 0, self.df, np.nan), 0.5 + level / 2) * self.log_sd
            return self.value * np.exp(-reach), self.value * np.exp(reach)


def no_change(times: Any, values: Any, at: Any) -> Projection:
    """The last value, for ever; the width is that of a random walk without drift.

    Parameters
    ----------
    times, values : array_like, shape (point,)
        A series, in years and any unit; every value above zero. The order does not matter.
    at : array_like, shape (time,)
        Times to answer for, in years, none before the last point.

    Returns
    -------
    Projection

    Raises
    ------
    ZholError
        If there is no point, a value is not above zero, two points share a time, or a time asked for lies in the past.

    Examples
    --------
    >>> no_change([2000, 2005], [50, 80], [2010, 2020]).value.round(6).tolist()
    [80.0, 80.0]
    """
    t, y, ahead = _series(times, values, at)
    step, gap = np.diff(y), np.diff(t)
    variance = float(np.mean(step**2 / gap)) if len(step) else np.nan
    return _projection(np.full(len(ahead), y[-1]), np.sqrt(variance * ahead), len(step), len(t))


def last_value_with_drift(times: Any, values: Any, at: Any) -> Projection:
    """The last value, moving on by the mean yearly log step between the first and the last point.

    The width is that of a random walk with drift, the drift itself uncertain. With one point it is no change.

    Parameters
    ----------
    times, values, at : array_like
        As in `no_change`.

    Returns
    -------
    Projection

    Raises
    ------
    ZholError
        As in `no_change`.

    Examples
    --------
    >>> last_value_with_drift([2000, 2001, 2002], [100, 100, 400], [2003]).value.round(6).tolist()
    [800.0]
    """
    t, y, ahead = _series(times, values, at)
    if len(t) == 1:
        return no_change(times, values, at)
    step, gap, span = np.diff(y), np.diff(t), t[-1] - t[0]
    drift, df = (y[-1] - y[0]) / span, len(step) - 1
    variance = float(np.sum((step - drift * gap) ** 2 / gap)) / df if df else np.nan
    return _projection(y[-1] + drift * ahead, np.sqrt(variance * (ahead + ahead**2 / span)), df, len(t))


def linear_trend(times: Any, values: Any, at: Any, comparable: float = COMPARABLE) -> Projection:
    """A straight line through the logs, least squares, of the points of the same season as the time asked for.

    A count of March and one of October differ by the season; a line through both would take that for a trend. Each
    time asked for therefore has its own points. Where fewer than two are left, the answer is no change: from the last
    point of the season if there is one, else from the last point.

    Parameters
    ----------
    times, values, at : array_like
        As in `no_change`.
    comparable : float
        How far apart within the year, in years, two points of the same season may lie; 0.5 or more takes all points.

    Returns
    -------
    Projection

    Raises
    ------
    ZholError
        As in `no_change`.

    Examples
    --------
    >>> linear_trend([2010, 2011, 2011.5, 2012], [100, 200, 7, 400], [2013]).value.round(6).tolist()
    [800.0]
    """
    t, y, ahead = _series(times, values, at)
    answers = [_line_at(t, y, t[-1] + h, comparable) for h in ahead]
    mean, sd, df, points = (np.array(column) for column in zip(*answers, strict=True))
    return Projection(np.exp(mean), sd, df, points.astype(int))


BASELINES: dict[str, Callable[[Any, Any, Any], Projection]] = {
    "no change": no_change,
    "linear trend": linear_trend,
    "last value with drift": last_value_with_drift,
}


def _line_at(t: Array, y: Array, when: float, comparable: float) -> tuple[float, float, float, float]:
    """Log mean, log scale, degrees of freedom and points of the line at one time."""
    apart = np.abs((t - when + 0.5) % 1.0 - 0.5)
    same = apart <= comparable + 1e-9
    if same.sum() < 2:
        kept = same if same.any() else np.ones(len(t), dtype=bool)
        one = no_change(t[kept], np.exp(y[kept]), [when])
        return float(np.log(one.value[0])), float(one.log_sd[0]), float(one.df[0]), float(one.points[0])
    x, z = t[same], y[same]
    centre, n = x.mean(), len(x)
    squares = float(((x - centre) ** 2).sum())
    slope = float(((x - centre) * (z - z.mean())).sum()) / squares
    rest = z - z.mean() - slope * (x - centre)
    variance = float((rest**2).sum()) / (n - 2) * (1 + 1 / n + (when - centre) ** 2 / squares) if n > 2 else np.nan
    return float(z.mean() + slope * (when - centre)), float(np.sqrt(variance)), float(n - 2), float(n)


def _projection(mean: Array, sd: Array, df: int, points: int) -> Projection:
    return Projection(np.exp(mean), sd, np.full(len(mean), float(df)), np.full(len(mean), points))


def _series(times: Any, values: Any, at: Any) -> tuple[Array, Array, Array]:
    """Times in order, logs of the values, and how far ahead of the last point each time asked for lies."""
    t, v, when = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (times, values, at))
    if t.ndim != 1 or t.shape != v.shape or len(t) == 0:
        found = f"{t.size} times and {v.size} values"
        raise ZholError("a series needs one time for each value", found=found, expected="1 or more of each")
    if not (np.isfinite(t).all() and np.isfinite(when).all()):
        raise ZholError("times of a series must be numbers")
    if not np.all(np.isfinite(v) & (v > 0)):
        bad = float(v[~(np.isfinite(v) & (v > 0))][0])
        raise ZholError("values of a series must be above zero", found=bad, hint="leave such points out")
    order = np.argsort(t, kind="stable")
    t, v = t[order], v[order]
    if np.any(np.diff(t) <= 0):
        raise ZholError("two points of a series share a time", found=float(t[1:][np.diff(t) <= 0][0]))
    if len(when) == 0 or when.min() < t[-1] - 1e-9:
        earliest = float(when.min()) if len(when) else "no time"
        raise ZholError("a yardstick looks ahead only", found=earliest, expected=f"{t[-1]:g} or later")
    return t, np.log(v), when - t[-1]

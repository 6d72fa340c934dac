"""Indices of sensitivity by SALib: of any function on the unit cube, with several outcomes at once."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError

SCALES = ("rank", "log", "natural")
LEVELS = 8  # of the grid of Morris
TRIM = 0.05  # Morris goes from the 5 % to the 95 % quantile: the ends of a distribution have none
Function = Callable[[np.ndarray], np.ndarray]


def global_indices(
    function: Function,
    names: Sequence[str],
    *,
    method: str = "sobol",
    runs: int = 20_000,
    seed: int = 1,
    level: float = 0.95,
    scale: str = "natural",
) -> pl.DataFrame:
    """Sensitivity of a function on the unit cube to each of its arguments.

    Parameters
    ----------
    function : callable
        From an array (n, arguments) of numbers in 0 to 1 to an array (n,) or (n, outcomes).
    names : sequence of str
        Names of the arguments.
    method : {"sobol", "morris"}
    runs : int
        Most rows that the function may be asked for.
    seed : int
    level : float
        Coverage of the intervals (by SALib's bootstrap).
    scale : {"natural", "log", "rank"}
        Scale on which the outcome is taken: indices of ranks do not hang on a few extreme draws.

    Returns
    -------
    polars.DataFrame
        ``outcome`` (number), ``factor``, then ``first, first_low, first_high, total, total_low, total_high`` (Sobol) or
        ``mean_effect, size, size_low, size_high, spread`` (Morris: mu, mu*, sigma, from the 5 % to the 95 % quantile).

    Raises
    ------
    ZholError
        Unknown method or scale, too few runs, an outcome that is not finite on a scale that needs it.

    References
    ----------
    Saltelli, Annoni, Azzini, Campolongo, Ratto, Tarantola (2010), doi 10.1016/j.cpc.2009.09.018;
    Campolongo, Cariboni, Saltelli (2007), doi 10.1016/j.envsoft.2006.10.004.

    Examples
    --------
    >>> table = global_indices(lambda u: 2 * u[:, 0] + u[:, 1], ["a", "b"], runs=4096)
    >>> table["total"].round(2).to_list()
    [0.8, 0.2]
    """
    if method not in ("sobol", "morris"):
        raise ZholError("unknown method of sensitivity", found=method, expected="sobol or morris")
    if scale not in SCALES:
        raise ZholError("unknown scale of the outcome", found=scale, expected=", ".join(SCALES))
    unit = sobol_points(len(names), runs, seed) if method == "sobol" else morris_points(len(names), runs, seed)
    values = np.asarray(function(unit), dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    analyse = _sobol if method == "sobol" else _morris
    rows: list[dict[str, Any]] = []
    for number, column in enumerate(values.T):
        found = analyse(unit, scaled(column, scale), names, level, seed)
        rows += [{"outcome": number, "factor": name, **row} for name, row in zip(names, found, strict=True)]
    return pl.DataFrame(rows)


def sobol_points(count: int, runs: int, seed: int) -> np.ndarray:
    """Points of Saltelli's design, (N (count + 2), count), N a power of two."""
    from SALib.sample import sobol

    base = 2 ** int(np.floor(np.log2(max(runs // (count + 2), 1))))
    if base < 4:
        raise ZholError("too few runs for Sobol's indices", found=runs, expected=f"{4 * (count + 2)} or more")
    return np.asarray(sobol.sample(problem(count), base, calc_second_order=False, seed=seed))


def morris_points(count: int, runs: int, seed: int) -> np.ndarray:
    """Points of Morris' trajectories, (r (count + 1), count)."""
    from SALib.sample import morris

    paths = runs // (count + 1)
    if paths < 2:
        raise ZholError("too few runs for Morris' effects", found=runs, expected=f"{2 * (count + 1)} or more")
    return np.asarray(morris.sample(problem(count, TRIM), paths, num_levels=LEVELS, seed=seed))


def problem(count: int, trim: float = 0.0) -> dict[str, Any]:
    """A problem as SALib takes it."""
    return {"num_vars": count, "names": [str(i) for i in range(count)], "bounds": [[trim, 1.0 - trim]] * count}


def scaled(values: np.ndarray, scale: str) -> np.ndarray:
    """Values on the scale asked for; ranks lie between 0 and 1, what is not finite stands highest.

    Raises
    ------
    ZholError
        If values are not finite, or not positive on the log scale.
    """
    if scale == "rank":
        from scipy.stats import rankdata

        return np.asarray(rankdata(np.where(np.isfinite(values), values, np.inf)) / len(values))
    if scale == "log":
        if not (values > 0).all():
            raise ZholError("the logarithm needs outcomes above zero", hint="scale='rank'")
        values = np.log(values)
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ZholError("some runs are not finite", found=f"{bad} of {len(values)}", hint="scale='rank'")
    return values


def _sobol(unit: np.ndarray, y: np.ndarray, names: Sequence[str], level: float, seed: int) -> list[dict[str, Any]]:
    from SALib.analyze import sobol

    if np.ptp(y) == 0:
        zero = dict.fromkeys(("first", "first_low", "first_high", "total", "total_low", "total_high"), 0.0)
        return [zero for _ in names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sobol.analyze(problem(len(names)), y, calc_second_order=False, conf_level=level, seed=seed)
    rows = []
    for i in range(len(names)):
        row: dict[str, float] = {}
        for name, key in (("first", "S1"), ("total", "ST")):
            value, half = float(found[key][i]), float(found[f"{key}_conf"][i])
            row |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
        rows.append(row)
    return rows


def _morris(unit: np.ndarray, y: np.ndarray, names: Sequence[str], level: float, seed: int) -> list[dict[str, Any]]:
    from SALib.analyze import morris

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = morris.analyze(problem(len(names), TRIM), unit, y, conf_level=level, num_levels=LEVELS, seed=seed)
    rows = []
    for i in range(len(names)):
        size, half = float(found["mu_star"][i]), float(found["mu_star_conf"][i])
        rows.append({
            "mean_effect": float(found["mu"][i]), "size": size, "size_low": max(size - half, 0.0),
            "size_high": size + half, "spread": float(found["sigma"][i]),
        })  # fmt: skip
    return rows

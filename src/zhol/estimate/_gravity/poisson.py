"""Poisson pseudo-maximum likelihood with effects of origins and destinations, through pyfixest."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.estimate._indices.margins import fit_margins

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Fit:
    """Coefficients of the kept columns, their covariance, fitted flows of all rows, and which rows and columns went."""

    kept: list[int]
    beta: Array
    covariance: Array
    information: Array
    fitted: Array
    used: Flags
    clusters: int
    deviance: float
    null_deviance: float


def fit(persons: Array, columns: Array, groups: dict[str, Array], cluster: list[Array] | None) -> Fit:
    """Fit flows on the columns with one effect for every value of each group.

    Raises
    ------
    ZholError
        If nothing is left to estimate, or the iterations do not settle.
    """
    import pandas as pd
    import pyfixest

    # In units near one the first steps are well scaled, whatever the size of the flows.
    unit = float(persons[persons > 0].mean())
    centre, spread = columns.mean(0), columns.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    frame = pd.DataFrame((columns - centre) / spread, columns=[f"x{i}" for i in range(columns.shape[1])])
    frame["y"] = persons / unit
    frame["row_"] = np.arange(len(persons))
    for name, codes in groups.items():
        frame[name] = codes
    clusters = {f"cluster{i}": codes for i, codes in enumerate(cluster or [])}
    for name, codes in clusters.items():
        frame[name] = codes
    how: str | dict[str, str] = {"CRV1": "+".join(clusters)} if clusters else "HC1"
    asked = f"y ~ {' + '.join(c for c in frame.columns if c.startswith('x'))} | {' + '.join(groups)}"
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        try:
            model = pyfixest.fepois(
                asked, frame, vcov=how, separation_check=["fe", "ir"], fixef_rm="none", iwls_tol=1e-10, iwls_maxiter=100
            )
        except Exception as error:
            if "collinear" in str(error):
                hint = "use terms that differ between the pairs of one place"
                raise ZholError("the fixed effects absorb every term", hint=hint) from error
            reason = str(error).strip().splitlines()
            raise ZholError(
                "the model cannot be estimated", found=reason[0] if reason else type(error).__name__
            ) from error
    return _read(model, persons, spread, unit)


def _read(model: Any, persons: Array, spread: Array, unit: float) -> Fit:
    m = model  # pyfixest keeps what is needed under private names; tests hold them to a plain fit
    if not m._convergence:
        raise ZholError(
            "the iterations did not settle", found=f"{m.maxiter} steps", hint="leave out terms that move together"
        )
    kept = [int(str(n)[1:]) for n in m._coefnames]
    scale = spread[kept]
    used = np.zeros(len(persons), dtype=bool)
    used[m._data["row_"].to_numpy()] = True
    fitted = np.zeros(len(persons))
    fitted[used] = np.asarray(m._Y_hat_response, float).ravel() * unit
    clusters = int(np.min(m._G)) if m._is_clustered else int(used.sum())
    return Fit(
        kept,
        np.asarray(m._beta_hat, float) / scale,
        np.asarray(m._vcov, float) / np.outer(scale, scale),
        np.asarray(m._hessian, float) * np.outer(scale, scale) * unit,
        fitted,
        used,
        clusters,
        float(m.deviance) * unit,
        _null_deviance(persons),
    )


def _null_deviance(persons: Array) -> float:
    """Deviance of one mean for all flows."""
    mean = persons.mean()
    positive = persons > 0
    return float(2 * (persons[positive] * np.log(persons[positive] / mean)).sum())


def settle(panel: pl.DataFrame, index: Array, used: Flags) -> Array:
    """Fitted flows that meet the totals of every origin and destination in every period exactly.

    ``index`` is the linear part without fixed effects; the effects follow from the totals.
    """
    fitted = np.zeros(panel.height)
    persons = panel["persons"].to_numpy()
    for rows in group_rows(panel["period"]):
        own = rows[used[rows]]
        if not len(own):
            continue
        origins, o = np.unique(panel["origin"].to_numpy()[own], return_inverse=True)
        destinations, d = np.unique(panel["destination"].to_numpy()[own], return_inverse=True)
        pattern, moved = np.zeros((len(origins), len(destinations))), np.zeros((len(origins), len(destinations)))
        pattern[o, d] = np.exp(index[own] - index[own].max())
        moved[o, d] = persons[own]
        fitted[own] = fit_margins(pattern, moved.sum(1), moved.sum(0))[o, d]
    return fitted


def group_rows(values: pl.Series) -> list[NDArray[np.int64]]:
    """Row numbers of each value, in order of value."""
    array = values.to_numpy()
    return [np.flatnonzero(array == v) for v in np.unique(array)]

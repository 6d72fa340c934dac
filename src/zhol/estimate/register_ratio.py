"""How many live here unregistered, from three aggregate counts: registered, seen by the police, apprehended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.result import Estimate
from zhol.estimate._registers import population as sums
from zhol.estimate._registers.best_fit import best
from zhol.estimate._registers.input import Cells, read_cells
from zhol.estimate._registers.intervals import Context, Progress, intervals
from zhol.estimate._registers.power_law import Problem
from zhol.estimate._registers.report import compare, country_column, result, worries

_MODELS = {"poisson": False, "negbin": True, "nb": True, "negative_binomial": True}
_INTERVALS = ("analytic", "bootstrap", "parametric")


def registers(
    data: Any,
    observed: str = "m",
    auxiliary: str = "n",
    reference: str = "N",
    model: str = "poisson",
    by: str | Sequence[str] | None = None,
    *,
    alpha: str = "~ 1",
    beta: str = "~ 1",
    formulas: Mapping[str, str] | None = None,
    gamma: float | str | None = "estimate",
    gamma_bounds: tuple[float, float] = (1e-10, 0.5),
    constrained: bool = False,
    cluster: str | None = None,
    interval: str = "analytic",
    replicates: int = 500,
    seed: int = 1,
    level: float = 0.95,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Estimate:
    """Stock of irregular residents from registered, police and border-guard counts.

    Each row i (a country of origin, in a year, of a sex, …) has N registered foreigners, n of them or of their
    compatriots met by the police, and m found to stay irregularly. The model is

        E(m_i) = N_i^α · (γ + n_i/N_i)^β,    irregular residents  ξ = Σ N_i^α

    so that the expected irregular stock is a power of the registered one and the chance to be found a power of the
    police rate. α and β may depend on covariates; γ keeps the rate above zero where the police met nobody.

    Parameters
    ----------
    data : frame, mapping of columns, list of records, or path
        One row a cell. Integers in a formula are numbers; write ``C(year)`` for years as categories.
    observed, auxiliary, reference : str
        Columns of m, n and N (persons).
    model : str
        ``poisson`` (consistent whatever the variance) or ``negbin`` (variance μ + μ²/θ).
    by : str or list of str, optional
        Columns to report populations by; without it, the covariates of α.
    alpha, beta : str
        Right-hand sides, for example ``"~ sex + C(year)"``.
    formulas : mapping, optional
        The same two as ``{"alpha": …, "beta": …}``.
    gamma : "estimate", float or None
        Estimated within ``gamma_bounds``, fixed, or no offset at all. Without an offset rows with n = 0 would have
        expected count 0, so γ is then estimated after all, with a warning.
    gamma_bounds : tuple of float
        Smallest and largest γ.
    constrained : bool
        Keep 0 < α < 1 (logit) and β > 0 (log); coefficients are then on the link scale.
    cluster : str, optional
        Column whose rows belong together, normally the country. The analytic interval then leaves out one cluster
        after the other (jackknife); the bootstrap weights whole clusters and, if none is named, takes the country
        column where countries repeat.
    interval : str
        ``analytic`` (log-normal, delta method), ``bootstrap`` (fractional random weights, no distribution
        assumed) or ``parametric`` (counts drawn anew from the fitted model).
    replicates, seed : int
        Of the bootstraps.
    level : float
        Coverage of the intervals.
    jobs : int
        Threads for the refits.
    progress : callable, optional
        Called with (done, total) while replicates are fitted.

    Returns
    -------
    Estimate
        ``population`` is the maximum-likelihood ξ. ``table`` has one row a group: ``observed``, ``reference``,
        ``population``, ``low``, ``high``, ``se``, ``bias_corrected`` (less the upward bias of N^α̂), ``share``.
        ``details``: ``coefficients``, ``gamma``, ``theta``, ``loglik``, ``aic``, ``bic``, ``deviance``,
        ``dispersion``, ``models`` (the other model beside this one), ``influence`` (with clusters: how the total
        moves when one is left out), ``draws`` and ``percentile`` (of a bootstrap; the latter without the stretch
        described below).

    Raises
    ------
    ZholError
        Missing column or value, negative count, nothing observed, terms that cannot be told apart, unknown option.

    Notes
    -----
    Standard errors are HC3; the analytic interval of a group is ξ·exp(±z·se/ξ). Bootstrap deviations of log ξ are
    stretched by the ratio of HC3 (with clusters: jackknife) to plain sandwich errors, because random weights
    reproduce the latter, which are too small where few rows or clusters decide.

    References
    ----------
    Zhang (2008), Statistics Norway Documents 2008/11; Beręsewicz and Pawlukiewicz (2020), arXiv:2008.09407;
    Santos Silva and Tenreyro (2006), Review of Economics and Statistics 88(4); Xu et al. (2020), The American
    Statistician 74(4) (random weights); MacKinnon and White (1985), Journal of Econometrics 29(3) (HC3).

    Examples
    --------
    >>> cells = {"country": list("ABCDEF"), "m": [10, 2, 45, 8, 30, 1], "n": [17, 0, 90, 7, 41, 1],
    ...          "N": [1089, 140, 9000, 700, 5200, 60]}
    >>> est = registers(cells, gamma=0.005, by="country")
    >>> print(f"{est.population:.0f}", est.table.columns[:5])
    1180 ['country', 'observed', 'reference', 'population', 'low']
    """
    negbin = _check(model, interval, level, replicates, gamma, gamma_bounds)
    groups_by = [by] if isinstance(by, str) else list(by or [])
    sides = _sides(alpha, beta, formulas)
    others = [*groups_by, *([cluster] if cluster else [])]
    cells = read_cells(data, observed, auxiliary, reference, *sides, others)
    notes = list(cells.notes)
    fixed = _gamma(gamma, cells, auxiliary, notes)
    _enough_rows(cells, fixed is None)
    fitted = best(_problem(cells, fixed, gamma_bounds, negbin, constrained))
    cluster_name = cluster or (country_column(cells.frame) if interval == "bootstrap" else None)
    labels, group = _grouping(cells, groups_by or list(cells.alpha_columns))
    context = Context(cells, fitted, group, cluster_name, interval, replicates, seed, level, jobs, progress)
    spread = intervals(context, notes)
    notes += worries(context, spread, negbin, bool(cluster))
    other = best(_problem(cells, fixed, gamma_bounds, not negbin, constrained))
    models = compare(context, other, notes)
    return result(context, spread, labels, models, notes, (observed, auxiliary, reference))


def _check(
    model: str, interval: str, level: float, replicates: int, gamma: Any, gamma_bounds: tuple[float, float]
) -> bool:
    name = str(model).strip().lower().replace("-", "_").replace(" ", "_")
    if name not in _MODELS:
        raise ZholError("unknown model", found=model, expected="poisson or negbin")
    if interval not in _INTERVALS:
        raise ZholError("unknown interval", found=interval, expected=", ".join(_INTERVALS))
    if not 0 < level < 1:
        raise ZholError("level is not a coverage", found=level, expected="a number between 0 and 1, such as 0.95")
    if interval != "analytic" and replicates < 20:
        raise ZholError("too few replicates", found=replicates, expected="20 or more")
    if not (gamma is None or gamma == "estimate" or (isinstance(gamma, int | float) and 0 <= gamma < 1)):
        raise ZholError("gamma is not an offset", found=gamma, expected='"estimate", None or a number from 0 to 1')
    if not 0 < gamma_bounds[0] < gamma_bounds[1]:
        raise ZholError("gamma_bounds upside down", found=gamma_bounds, expected="0 < lowest < highest")
    return _MODELS[name]


def _sides(alpha: str, beta: str, formulas: Mapping[str, str] | None) -> tuple[str, str]:
    given = {"alpha": alpha, "beta": beta, **(formulas or {})}
    unknown = set(given) - {"alpha", "beta"}
    if unknown:
        raise ZholError("the model has no such parameter", found=sorted(unknown)[0], expected="alpha or beta")
    return tuple(str(given[k] or "1").replace("~", "", 1).strip() or "1" for k in ("alpha", "beta"))  # type: ignore[return-value]


def _gamma(gamma: float | str | None, cells: Cells, auxiliary: str, notes: list[str]) -> float | None:
    """Fixed offset, or None for an estimated one."""
    if gamma == "estimate":
        return None
    offset = float(gamma or 0.0)  # type: ignore[arg-type]
    zeros = int((cells.auxiliary == 0).sum())
    if offset > 0 or zeros == 0:
        return offset
    notes.append(
        f"{auxiliary} is zero in {zeros:,} of {len(cells.auxiliary):,} rows, where a model without an offset expects "
        "nobody to be found; gamma was estimated instead"
    )
    return None


def _enough_rows(cells: Cells, estimated: bool) -> None:
    terms = cells.alpha.shape[1] + cells.beta.shape[1] + estimated
    if len(cells.observed) <= terms:
        raise ZholError(
            "too few rows", found=len(cells.observed), expected=f"more than the {terms} parameters to estimate"
        )


def _problem(
    cells: Cells, gamma: float | None, bounds: tuple[float, float], negbin: bool, constrained: bool
) -> Problem:
    ratio = cells.auxiliary / cells.reference
    return Problem(
        cells.observed, np.log(cells.reference), ratio, cells.alpha, cells.beta, gamma, bounds, negbin, constrained
    )


def _grouping(cells: Cells, by: list[str]) -> tuple[pl.DataFrame, sums.Groups]:
    """One row of labels a group, in order of appearance, and the groups."""
    if not by:
        return pl.DataFrame({"group": ["all"]}), sums.Groups.of(np.zeros(len(cells.observed), dtype=np.intp))
    labels = cells.frame.select(by).unique(maintain_order=True)
    place = cells.frame.select(by).join(labels.with_row_index("_group"), on=by, how="left", nulls_equal=True)
    return labels, sums.Groups.of(place["_group"].to_numpy().astype(np.intp))

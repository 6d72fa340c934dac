"""How many, from one list in which persons may be recorded more than once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.frames import to_polars
from zhol.core.result import Estimate
from zhol.estimate._recapture import diagnostics
from zhol.estimate._recapture.bootstrap import CITES as BOOTSTRAP_CITES
from zhol.estimate._recapture.bootstrap import KINDS, Replicates, bootstrap, percentile_interval
from zhol.estimate._recapture.cells import Sample, build_sample
from zhol.estimate._recapture.fit import Fit, credible_limit, fit_sample
from zhol.estimate._recapture.intervals import (
    VARIANCES,
    differs_from_theory,
    log_normal_interval,
    normal_interval,
    population_variance,
)
from zhol.estimate._recapture.lower_bound import likelihood_lower_bound
from zhol.estimate._recapture.models import MODELS, Model, find_model
from zhol.estimate._recapture.penalty import CITE as FIRTH

__all__ = ["MODELS", "CountsEstimate", "Model", "average_counts", "compare_counts", "counts"]

INTERVALS = ("analytic", *KINDS)


@dataclass(frozen=True)
class CountsEstimate(Estimate):
    """Result of :func:`counts`: an ``Estimate`` with the fit behind it.

    ``table`` has one row a stratum. ``details`` holds ``coefficients``, ``std_errors``, ``loglik``, ``aic``, ``bic``,
    ``deviance``, ``n_observed``, ``converged``, ``gradient``, ``ending`` (``maximum``, ``edge`` or ``penalised``),
    ``intervals`` (normal and log_normal, and percentile after a bootstrap), ``frequencies`` and, after a bootstrap,
    ``draws``.
    """

    fit: Fit | None = field(default=None, compare=False, repr=False)
    request: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def rootogram(self) -> pl.DataFrame:
        """Observed and fitted number of units by count, their square roots and the gap between those."""
        return diagnostics.rootogram(self.fitted_frequencies())

    def fitted_frequencies(self) -> pl.DataFrame:
        """Observed and fitted number of units by count; the last row is all larger counts."""
        fit = self._fit()
        return diagnostics.fitted_frequencies(fit.sample, fit.beta)

    def goodness(self) -> dict[str, Any]:
        """Pearson's and the likelihood-ratio statistic of the fitted frequencies, cells below five pooled."""
        return diagnostics.goodness(self.fitted_frequencies(), len(self._fit().beta))

    def residuals(self, kind: str = "pearson") -> pl.DataFrame:
        """Residual of each row of the data: ``raw`` or ``pearson``; null where the model does not use the count."""
        fit = self._fit()
        return diagnostics.residual_table(fit.sample, fit.beta, kind)

    def compare(self, *models: str) -> pl.DataFrame:
        """This model beside others on the same data; AIC is set side by side only inside one class of likelihood."""
        return compare_counts(self, *(self.refit(m) for m in models))

    def refit(self, model: str) -> CountsEstimate:
        """The same question to another model, with formulas for the parameters that it shares."""
        wanted = find_model(model)
        ask = dict(self.request)
        ask["formulas"] = {k: v for k, v in (ask["formulas"] or {}).items() if k in wanted.parameters} or None
        ask["links"] = {k: v for k, v in (ask["links"] or {}).items() if k in wanted.parameters} or None
        return counts(**{**ask, "model": wanted.name})

    def plot_rootogram(self) -> Any:
        """Rootogram: the fitted curve with the observed bars hanging from it."""
        from zhol.estimate._recapture.rootogram_chart import chart

        return chart(self.rootogram(), self.title)

    def _fit(self) -> Fit:
        if self.fit is None:
            raise ZholError("this estimate holds no fit", hint="an average of models has no single fit")
        return self.fit


def counts(
    formula: str,
    data: Any,
    model: str = "ztpoisson",
    interval: str = "analytic",
    replicates: int = 500,
    seed: int = 1,
    *,
    formulas: Mapping[str, str] | None = None,
    weights: Any = None,
    offset: Any = None,
    level: float = 0.95,
    strata: Any = None,
    links: Mapping[str, str] | None = None,
    variance: str = "reference",
) -> CountsEstimate:
    """Size of a hidden population from one list with repeated captures.

    Parameters
    ----------
    formula : str
        ``"captures ~ covariates"``: how the rate of capture λ depends on what is known of each unit. Coded as in R.
    data : table or path
        One row a unit, or a frequency table (then ``weights``). Captures are whole numbers of 1 or more.
    model : str
        One of the 21 names in ``MODELS``, in any case.
    interval : str
        ``analytic`` (log-normal, from the delta method), or a bootstrap: ``parametric``, ``semiparametric``,
        ``nonparametric`` (percentile).
    replicates, seed : int
        Of the bootstrap.
    formulas : mapping, optional
        Formulas of further parameters: ``{"omega": "~ gender"}`` (also ``alpha``, ``pi``).
    weights : str or sequence, optional
        Column (or numbers) saying how many units a row stands for.
    offset : str, sequence or mapping, optional
        Offset of λ's predictor, or one a parameter: ``{"lambda": "log_days"}``.
    level : float
        Coverage of the interval.
    strata : str, sequence or mapping, optional
        Which totals to give apart: ``"~ gender + age"``, ``["gender", "gender:age"]``, or labels with true/false for
        each row. By default each level of the categorical covariates.
    links : mapping, optional
        Links other than log (λ, α: also ``neglog``) and logit (ω, π: also ``cloglog``, ``probit``).
    variance : str
        ``reference``: as singleRcapture computes it. ``theory``: one formula for all models; it differs for zotgeom,
        ztoigeom and ztHurdlegeom (a warning says by how much where that is more than 5%).

    Returns
    -------
    CountsEstimate
        Persons; the interval is log-normal or, after a bootstrap, percentile. Where the likelihood has no interior
        maximum the fit is at the edge or penalised and a warning says so; where the list gives only a lower bound,
        ``high`` is infinite.

    Raises
    ------
    ZholError
        If the captures are not whole numbers of 1 or more, a value is missing, a name is unknown, or the list holds
        no information at all about the model.

    References
    ----------
    van der Heijden et al. (2003), Statistical Modelling 3(4), 305–322; Chao (1987), Biometrics 43(4), 783–791;
    Zelterman (1988), Journal of Statistical Planning and Inference 18(2), 225–237; Godwin & Böhning (2017), JRSS C
    66(2), 425–448; Chlebicki & Beręsewicz (2025), arXiv:2411.11032.

    Examples
    --------
    >>> seen = {"captures": [1, 2, 3, 4, 5, 6], "persons": [1645, 183, 37, 13, 1, 1]}
    >>> est = counts("captures ~ 1", seen, model="ztpoisson", weights="persons")
    >>> round(est.population), round(est.low), round(est.high)
    (7080, 6411, 7848)
    >>> round(est.compare("ztgeom")["delta_aic"].max(), 2)
    37.48
    """
    _check(interval, replicates, seed, level, variance)
    found = find_model(model)
    frame = _frame(data)
    sample = build_sample(
        formula,
        frame,
        found,
        formulas=formulas,
        links=None if links is None else dict(links),
        weights=weights,
        offset=offset,
        strata=strata,
    )
    fit = fit_sample(sample)
    n_hat = float(population_variance(fit.sample, fit.sample.w[None], fit.beta[None], fit.covariance[None])[0][0])
    draws = None if interval == "analytic" else bootstrap(fit, interval, n_hat, replicates, seed)
    request = {
        "formula": formula,
        "data": frame,
        "interval": interval,
        "replicates": replicates,
        "seed": seed,
        "formulas": formulas,
        "weights": weights,
        "offset": offset,
        "level": level,
        "strata": strata,
        "links": links,
        "variance": variance,
    }
    return _result(found, fit, draws, interval, level, variance, request)


def _frame(data: Any) -> pl.DataFrame:
    """The data in polars; the order of a pandas category's levels is kept, since the first is the reference."""
    frame = to_polars(data)
    if type(data).__module__.split(".")[0] == "pandas":
        for name, kind in data.dtypes.items():
            levels = getattr(kind, "categories", None)
            if levels is not None and all(isinstance(x, str) for x in levels) and len(set(levels)) == len(levels):
                frame = frame.with_columns(pl.col(str(name)).cast(pl.String).cast(pl.Enum(list(levels))))
    return frame


def _check(interval: str, replicates: int, seed: int, level: float, variance: str) -> None:
    if interval not in INTERVALS:
        raise ZholError("unknown interval", found=interval, expected=" or ".join(INTERVALS))
    if variance not in VARIANCES:
        raise ZholError("unknown variance", found=variance, expected=" or ".join(VARIANCES))
    for name, value, least in (("replicates", replicates, 2), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ZholError(f"{name} is not a whole number of {least} or more", found=value)
    if not isinstance(level, int | float) or not 0 < level < 1:
        raise ZholError("level is not between 0 and 1", found=level, expected="for example 0.95")


def _result(
    asked: Model,
    fit: Fit,
    draws: Replicates | None,
    interval: str,
    level: float,
    convention: str,
    request: Mapping[str, Any],
) -> CountsEstimate:
    sample = fit.sample
    n_hat, variance = _moments(fit, None, convention)
    intervals = {
        "normal": normal_interval(n_hat, variance, sample.n, level),
        "log_normal": log_normal_interval(n_hat, variance, sample.n, level),
    }
    se = float(np.sqrt(variance))
    low, high = intervals["log_normal"]
    warnings = [*sample.warnings, *fit.warnings]
    if draws is not None:
        intervals["percentile"] = percentile_interval(draws.population, level)
        low, high = max(intervals["percentile"][0], sample.n), intervals["percentile"][1]
        se = _spread(draws.population)
        warnings += _notes_on_draws(sample, draws, n_hat)
    else:
        warnings += _note_on_variance(fit, se, convention)
    if _only_a_bound(fit, n_hat, float(np.sqrt(variance))):
        low, high = likelihood_lower_bound(fit, level), float("inf")
        n_hat, se, note = _bounded(fit, n_hat, se, low)
        warnings.append(note)
    return CountsEstimate(
        n_hat,
        low,
        high,
        se,
        _strata_table(fit, draws, level, convention),
        tuple(dict.fromkeys(warnings)),
        f"{asked.name}, {interval} interval",
        level,
        "persons",
        MappingProxyType(_details(asked, fit, draws, intervals, variance)),
        _cites(asked, fit, interval),
        fit,
        MappingProxyType(dict(request)),
    )


def _moments(fit: Fit, mask: np.ndarray | None, convention: str) -> tuple[float, float]:
    one = (fit.sample, fit.sample.w[None], fit.beta[None], fit.covariance[None], mask, convention)
    total, variance = population_variance(*one)
    return float(total[0]), float(variance[0])


def _only_a_bound(fit: Fit, n_hat: float, se: float) -> bool:
    """Penalised, and either nobody was seen more often than the least, or the error exceeds the estimate."""
    sample = fit.sample
    inside = (sample.y >= sample.model.first) & (sample.y <= (sample.model.last or np.inf))
    nobody_again = not (sample.y[inside] > sample.model.first).any()
    return fit.ending == "penalised" and (nobody_again or se > n_hat)


def _bounded(fit: Fit, n_hat: float, se: float, low: float) -> tuple[float, float, str]:
    """Point and error where there is a lower bound only; the bound itself where the penalised point has run away."""
    limit = float(credible_limit(fit.sample.n))
    se = se if se <= limit else float("nan")
    if low <= n_hat <= limit:
        note = "no upper end can be set, and the point estimate depends on the penalty"
        return n_hat, se, f"the list gives only a lower bound: {note}"
    note = "the number given is that bound, and no standard error can be set"
    return low, float("nan"), f"the list gives only a lower bound: {note}"


def _note_on_variance(fit: Fit, se: float, convention: str) -> list[str]:
    if convention != "reference" or not differs_from_theory(fit.sample):
        return []
    theory = float(np.sqrt(_moments(fit, None, "theory")[1]))
    if abs(theory / se - 1) < 0.05:
        return []
    return [f"the standard error {se:,.0f} is singleRcapture's; by the general formula it is {theory:,.0f}"]


def _spread(draws: np.ndarray) -> float:
    """Standard deviation; half the middle 68% where some draws have no bound."""
    if np.isfinite(draws).all():
        return float(draws.std(ddof=1))
    low, high = np.quantile(draws, [0.16, 0.84], method="nearest")
    return float((high - low) / 2) if np.isfinite(high) else float("nan")


def _notes_on_draws(sample: Sample, draws: Replicates, n_hat: float) -> list[str]:
    notes = []
    total = len(draws.population)
    if draws.penalised:
        notes.append(f"{draws.penalised} of {total} replicates were separated and fitted with the Jeffreys penalty")
    if wild := int((~np.isfinite(draws.population)).sum()):
        notes.append(f"{wild} of {total} replicates gave no upper bound")
    if not 0.05 <= np.mean(draws.population <= n_hat) <= 0.95:
        notes.append("the replicates lie to one side of the estimate: prefer the analytic interval")
    if draws.edge:
        notes.append(f"{draws.edge} of {total} replicates had a parameter at zero and were fitted by the smaller model")
    if abs(sample.n - round(sample.n)) > 1e-9:
        notes.append("the weights do not sum to a whole number: the bootstrap rounds the number of units")
    return notes


def _strata_table(fit: Fit, draws: Replicates | None, level: float, convention: str) -> pl.DataFrame:
    rows = []
    for i, ((stratum, label), mask) in enumerate(fit.sample.strata.items()):
        observed = float((fit.sample.w * mask).sum())
        if not observed > 0:
            continue
        n_hat, variance = _moments(fit, mask, convention)
        low, high = log_normal_interval(n_hat, variance, observed, level)
        se = float(np.sqrt(variance))
        if draws is not None:
            low, high = percentile_interval(draws.strata[:, i], level)
            low = max(low, observed)  # a replicate may have seen fewer than the list did
            se = _spread(draws.strata[:, i])
        if not n_hat <= credible_limit(observed):
            n_hat, low, high, se = observed, observed, float("inf"), float("nan")
        rows.append((stratum, label, observed, n_hat, low, high, se))
    names = ("stratum", "level", "observed", "population", "low", "high", "se")
    kinds = (pl.String, pl.String, *[pl.Float64] * 5)
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def _details(
    asked: Model, fit: Fit, draws: Replicates | None, intervals: Mapping[str, tuple[float, float]], variance: float
) -> dict[str, Any]:
    sample, p = fit.sample, len(fit.beta)
    errors = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))
    counts_, units = np.unique(sample.y, return_inverse=True)
    frequency = np.bincount(units, weights=sample.w)
    details: dict[str, Any] = {
        "model": asked.name,
        "fitted_model": sample.model.name,
        "likelihood": sample.model.likelihood_class,
        "coefficients": dict(zip(sample.names, fit.beta.tolist(), strict=True)),
        "std_errors": dict(zip(sample.names, errors.tolist(), strict=True)),
        "covariance": fit.covariance.tolist(),
        "links": dict(zip(sample.model.parameters, sample.links, strict=True)),
        "loglik": fit.log_likelihood,
        "aic": 2 * p - 2 * fit.log_likelihood,
        "bic": float(p * np.log(sample.n) - 2 * fit.log_likelihood),
        "deviance": diagnostics.deviance(sample, fit.beta),
        "df_residual": sample.n * len(sample.model.parameters) - p,
        "n_observed": sample.n,
        "frequencies": {int(c): float(f) for c, f in zip(counts_, frequency, strict=True)},
        "converged": fit.ending != "penalised",
        "ending": fit.ending,
        "gradient": fit.gradient,
        "steps": fit.steps,
        "starts": fit.starts,
        "variance": variance,
        "intervals": dict(intervals),
    }
    if draws is not None:
        details["draws"] = draws.population.tolist()
        details["replicates_penalised"] = draws.penalised
        details["replicates_at_edge"] = draws.edge
    return details


def _cites(asked: Model, fit: Fit, interval: str) -> tuple[str, ...]:
    papers = [*asked.cites, *fit.sample.model.cites]
    papers += [FIRTH] if fit.ending == "penalised" else []
    return tuple(dict.fromkeys([*papers, *BOOTSTRAP_CITES.get(interval, ())]))


def compare_counts(*estimates: CountsEstimate) -> pl.DataFrame:
    """Estimates of one list side by side.

    AIC, BIC and Akaike weights are computed inside each class of likelihood only: a model of counts of 1 and more and
    one of counts of 2 and more have likelihoods of different data, and their AIC must not be compared.

    Parameters
    ----------
    *estimates : CountsEstimate
        Two or more, of the same list.

    Returns
    -------
    polars.DataFrame
        likelihood, model, coefficients, loglik, aic, bic, population, low, high, se, ending, delta_aic, delta_bic,
        akaike_weight.

    Examples
    --------
    >>> seen = {"n": [1, 2, 3], "persons": [100, 20, 5]}
    >>> both = [counts("n ~ 1", seen, model=m, weights="persons") for m in ("ztpoisson", "zotpoisson")]
    >>> compare_counts(*both)["delta_aic"].to_list()
    [0.0, 0.0]
    """
    return diagnostics.compare(estimates)


def average_counts(*estimates: CountsEstimate, criterion: str = "aic") -> Estimate:
    """Average of models of one list, weighted by AIC or BIC, with the spread between models in the error.

    Parameters
    ----------
    *estimates : CountsEstimate
        Two or more, of the same list and the same class of likelihood. Penalised fits are left out where there are
        others.
    criterion : str
        ``aic`` or ``bic``.

    Returns
    -------
    Estimate
        With a log-normal interval; ``table`` has each model's weight.

    References
    ----------
    Buckland, Burnham & Augustin (1997), Biometrics 53(2), 603–618.

    Examples
    --------
    >>> seen = {"n": [1, 2, 3], "persons": [100, 20, 5]}
    >>> est = average_counts(*(counts("n ~ 1", seen, model=m, weights="persons") for m in ("ztpoisson", "ztgeom")))
    >>> est.table["weight"].sum()
    1.0
    """
    level = min((e.level for e in estimates), default=0.95)
    found = diagnostics.average(estimates, criterion, level)
    kept: Sequence[CountsEstimate] = found["kept"]
    observed = float(kept[0].details["n_observed"])
    low, high = log_normal_interval(found["population"], found["se"] ** 2, observed, level)
    table = pl.DataFrame(
        {
            "model": [e.details["model"] for e in kept],
            "weight": found["weights"],
            "population": [e.population for e in kept],
            "low": [e.low for e in kept],
            "high": [e.high for e in kept],
        }
    )
    notes = [f"{name} left out of the average: its fit is penalised" for name in found["left_out"]]
    papers = dict.fromkeys(c for e in kept for c in e.cites)
    return Estimate(
        found["population"],
        low,
        high,
        found["se"],
        table,
        tuple(notes),
        f"average of {len(kept)} models by {criterion.upper()}",
        level,
        "persons",
        MappingProxyType({"criterion": criterion, "n_observed": observed}),
        ("Buckland, Burnham & Augustin (1997), Biometrics 53(2), 603–618, doi:10.2307/2533961", *papers),
    )

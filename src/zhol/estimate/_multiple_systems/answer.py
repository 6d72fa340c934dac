"""From counts and a rule to one opinion: fit, check, interval, warnings, details."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.estimate._multiple_systems import bootstrap, profile, wald
from zhol.estimate._multiple_systems.design import Array, Flags, design, formula, main_terms, term_name
from zhol.estimate._multiple_systems.existence import Check, Unseen
from zhol.estimate._multiple_systems.heterogeneity import shape_name
from zhol.estimate._multiple_systems.labels import list_order, relabelled
from zhol.estimate._multiple_systems.newton import fit
from zhol.estimate._multiple_systems.opinions import Opinion
from zhol.estimate._multiple_systems.rules import Rule, identified
from zhol.estimate._multiple_systems.stepwise import Selection, fit_given
from zhol.estimate._multiple_systems.table import Histories

FEW_OVERLAPS = 10


@dataclass(frozen=True)
class Settings:
    """What the user asked of the interval."""

    interval: str = "bca"
    replicates: int = 1000
    seed: int = 1
    level: float = 0.95


@dataclass(frozen=True, eq=False)
class Fitted:
    """One model on one table, checked.

    Attributes
    ----------
    rule : Rule
    histories : Histories
    chosen : Selection
        Of one row.
    unseen : float
        Number on no list at the supremum of the likelihood.
    fate : Unseen
    how : str
        How existence was shown.
    """

    rule: Rule
    histories: Histories
    chosen: Selection
    unseen: float
    fate: Unseen
    how: str

    @property
    def finite(self) -> Flags:
        """Terms with a finite coefficient."""
        return self.chosen.finite[0]

    @property
    def keep(self) -> Flags:
        """Cells with a positive expected count."""
        return self.chosen.keep[0]


def log_linear_opinion(rule: Rule, histories: Histories, settings: Settings) -> Opinion:
    """Population by one log-linear rule."""
    fitted = fit_checked(rule, histories)
    wald_variance = wald.scoring_variance(rule.design, histories.counts, fitted.finite, fitted.keep)
    exact = float(fitted.chosen.fits.variance[0])
    variance = wald_variance if np.isfinite(wald_variance) else exact
    point = histories.observed + fitted.unseen
    details = _details(fitted, exact) | _searched(fitted)
    notes: tuple[str, ...]
    if fitted.fate is Unseen.ZERO:
        kind, variance = "profile", 0.0
        found = profile.profile(rule.design, histories.counts, fitted.finite, fitted.keep, settings.level)
        low, high, notes = histories.observed, found.high, (_all_seen(histories, found.high, settings.level),)
    else:
        kind = settings.interval
        low, high, notes, more = _interval(fitted, point, variance, settings)
        details |= more
    terms = tuple(np.array(rule.design.terms)[fitted.chosen.active[0]].tolist())
    return Opinion(
        rule.row,
        point,
        low,
        high,
        wald.standard_error(fitted.unseen, variance),
        kind,
        formula=formula(tuple(t for t in terms if t >= 0), histories.names)
        if rule.row.name[0] != "M"
        else rule.row.name,
        aic=details["aic"],
        bic=details["bic"],
        warnings=(*notes, *_remarks(fitted)),
        details=details,
    )


def fit_checked(rule: Rule, histories: Histories) -> Fitted:
    """Fit, with existence and identifiability settled.

    Raises
    ------
    ZholError
        If the model is not identified, or the number on no list is not bounded by the data.
    """
    counts = histories.counts
    chosen = rule.choose(counts[None])
    known = bool(identified(rule.design, counts[None], chosen)[0])
    if known and chosen.fits.positive[0]:
        return Fitted(rule, histories, chosen, float(chosen.fits.unseen[0]), Unseen.FINITE, "certificate")
    found = rule.check(counts, chosen, 0)
    if found.unseen is Unseen.FINITE:
        chosen = _on_face(rule, counts, chosen, found)
        return Fitted(rule, histories, chosen, float(chosen.fits.unseen[0]), Unseen.FINITE, _shown(found))
    if found.unseen is Unseen.ZERO:
        return Fitted(rule, histories, chosen, 0.0, Unseen.ZERO, _shown(found))
    raise _no_estimate(rule, histories, chosen, found)


def _shown(found: Check) -> str:
    return "linear programme" if found.sound else f"linear programme: {int(found.face.sum())} cells stay positive"


def _on_face(rule: Rule, counts: Array, chosen: Selection, found: Check) -> Selection:
    """Refit on the cells that stay positive; the number on no list is determined there, other effects may not be."""
    keep = chosen.keep & found.face[None]
    fits = fit(rule.design, counts[None], chosen.finite, keep, most_steps=200)
    return Selection(chosen.active, chosen.finite, keep, fits)


def _no_estimate(rule: Rule, histories: Histories, chosen: Selection, found: Check) -> ZholError:
    names = _term_names(rule, histories, chosen.active[0])
    shown = "~ " + " + ".join(names[1:])
    if found.unseen is Unseen.INFINITE:
        bound = profile.profile(rule.design, histories.counts, chosen.finite[0], chosen.keep[0], 0.9)
        return ZholError(
            "the counts set no upper bound under this model: its maximum-likelihood estimate does not exist",
            found=shown,
            expected="overlaps that the model needs",
            hint=f"at 95% the population is at least {plain_number(bound.low)}; use a smaller model, as stepwise does",
        )
    lack = "is not identified" if not found.identified else "has no maximum-likelihood estimate"
    return ZholError(
        f"the model {lack} on these counts",
        found=shown,
        expected="three lists that overlap two by two" if rule.row.name == "all" else "fewer effects",
        hint="use a smaller model, as stepwise does",
    )


def _interval(
    fitted: Fitted, point: float, variance: float, settings: Settings
) -> tuple[float, float, tuple[str, ...], dict[str, Any]]:
    """Ends of the interval of the kind asked for, remarks and details."""
    histories, rule = fitted.histories, fitted.rule
    if settings.interval == "wald":
        low, high = wald.interval(histories.observed, fitted.unseen, variance, settings.level)
        return low, high, (), {}
    if settings.interval == "profile":
        found = profile.profile(rule.design, histories.counts, fitted.finite, fitted.keep, settings.level)
        notes = (f"the profile likelihood sets no upper bound at {settings.level:.0%}",) if np.isinf(found.high) else ()
        more = {"profile": {"population": found.population, "drop": found.drop}}
        return found.low, found.high, notes, more
    rng = generator(settings.seed, "lists", "bootstrap")
    order = np.argsort(relabelled(histories.k, list_order(histories.counts, histories.k)))
    result = bootstrap.bca(
        histories.counts,
        order,
        point,
        rule.populations,
        settings.replicates,
        settings.level,
        rng,
        same_size=rule.selects,
    )
    return result.low, result.high, _bootstrap_remarks(result, settings), {"bootstrap": _bootstrap_details(result)}


def _bootstrap_details(result: bootstrap.Bootstrap) -> dict[str, Any]:
    shares = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
    return {
        "replicates": result.replicates,
        "quantiles": {f"{s:.1%}": bootstrap.read_off(result.replicates, s) for s in shares},
        "bias": result.bias,
        "acceleration": result.acceleration,
        "shares": result.shares,
        "unbounded": int(np.isinf(result.replicates).sum()),
    }


def _bootstrap_remarks(result: bootstrap.Bootstrap, settings: Settings) -> tuple[str, ...]:
    notes = []
    unbounded = int(np.isinf(result.replicates).sum())
    if unbounded:
        notes.append(
            f"{unbounded} of {settings.replicates} bootstrap replicates set no upper bound; they count as infinite"
        )
    if np.isinf(result.high):
        notes.append("the upper end has no bound: too many replicates lack the overlaps that the model needs")
    edge = 2.0 / settings.replicates
    for end, share in zip(("lower", "upper"), result.shares, strict=True):
        if share < edge or share > 1.0 - edge:
            notes.append(
                f"the {end} end of the BCa interval lies at the edge of {settings.replicates} replicates "
                f"(share {share:.2g}); take more replicates, or read it as rough"
            )
    return tuple(notes)


def _all_seen(histories: Histories, high: float, level: float) -> str:
    return (
        "the likelihood is highest when nobody is missing, at the edge of what the model can say; the interval is "
        f"one-sided ({plain_number(histories.observed)} counted, at most {plain_number(high)} at {level:.0%})"
        if np.isfinite(high)
        else "the likelihood is highest when nobody is missing, and sets no upper bound either"
    )


def _remarks(fitted: Fitted) -> tuple[str, ...]:
    """What a reader must know about the data and the fit."""
    notes, histories = [], fitted.histories
    several = float(histories.counts[[m.bit_count() > 1 for m in range(1, 2**histories.k)]].sum())
    if several < FEW_OVERLAPS:
        few = "1 case is" if several == 1 else f"{several:.0f} cases are"
        notes.append(f"only {few} on more than one list; the estimate rests on so little")
    if histories.left_out:
        notes.append(f"{histories.left_out:,.0f} cases are only on lists that were left out; they count as unseen")
    if histories.k == 2:
        notes.append("with two lists nothing tests whether they are independent; the estimate assumes it")
    empty = fitted.chosen.active[0] & ~fitted.finite & (np.array(fitted.rule.design.terms) >= 0)
    if empty.any():
        pairs = ", ".join(n for n, e in zip(_all_names(fitted.rule, histories), empty, strict=True) if e)
        notes.append(f"no case is on both lists of {pairs}; these effects are at minus infinity")
    if fitted.chosen.found and not fitted.chosen.found[0].exhaustive:
        notes.append(f"{fitted.rule.row.title}: too many models to rule out all others; a local search found this one")
    if ":" in fitted.how and fitted.fate is Unseen.FINITE:
        notes.append("some effects of the model are not determined by these counts; the population is")
    return tuple(notes)


def _all_names(rule: Rule, histories: Histories) -> list[str]:
    return [term_name(t, histories.names) if t >= 0 else shape_name(t) for t in rule.design.terms]


def _term_names(rule: Rule, histories: Histories, active: Flags) -> list[str]:
    return [name for name, on in zip(_all_names(rule, histories), active, strict=True) if on]


def _details(fitted: Fitted, exact: float) -> dict[str, Any]:
    """Everything about the fit, by name."""
    rule, histories, chosen = fitted.rule, fitted.histories, fitted.chosen
    counts, mu, active = histories.counts, chosen.fits.mu[0], chosen.active[0]
    parameters = int(active.sum())
    loglik = float(wald.log_likelihood(counts, mu))
    beta = np.where(fitted.finite, chosen.fits.beta[0], -np.inf)
    errors = np.full(beta.size, np.nan)
    errors[fitted.finite] = _errors(rule.design.matrix[np.ix_(fitted.keep, fitted.finite)], mu[fitted.keep])
    names = _all_names(rule, histories)
    return {
        "model": rule.row.name,
        "coefficients": {n: float(b) for n, b, on in zip(names, beta, active, strict=True) if on},
        "standard_errors": {n: float(e) for n, e, on in zip(names, errors, active, strict=True) if on},
        "se_log_unseen": float(np.sqrt(exact)),
        "loglik": loglik,
        "deviance": float(wald.deviance(counts, mu)),
        "df": counts.size - parameters,
        "aic": -2.0 * loglik + 2.0 * parameters,
        "bic": -2.0 * loglik + float(np.log(histories.observed)) * parameters,
        "observed": histories.observed,
        "unseen": fitted.unseen,
        "empty_overlaps": _empty_overlaps(fitted),
        "existence": fitted.how,
        "fitted": _fitted_table(histories, mu),
    }


def _searched(fitted: Fitted) -> dict[str, Any]:
    """The best models that a search met, for rules that search."""
    if not fitted.chosen.found:
        return {}
    ranked, rule, histories = fitted.chosen.found[0], fitted.rule, fitted.histories
    count = len(ranked.pairs)
    active = np.concatenate([np.ones((count, histories.k + 1), dtype=bool), ranked.pairs], axis=1)
    fits = fit_given(rule.design, np.repeat(histories.counts[None], count, axis=0), active).fits
    terms = np.array(rule.design.terms)
    table = pl.DataFrame(
        {
            "formula": [formula(tuple(terms[row].tolist()), histories.names) for row in active],
            "population": histories.observed + fits.unseen,
            "difference": ranked.value - ranked.value.min(initial=np.inf),
        }
    )
    return {"models": table, "fitted_models": ranked.fitted, "exhaustive": ranked.exhaustive}


def _errors(matrix: Array, mu: Array) -> Array:
    """Standard errors of the coefficients at the maximum."""
    inverse = np.linalg.pinv(matrix.T @ (mu[:, None] * matrix), hermitian=True)
    return np.sqrt(np.maximum(np.diagonal(inverse), 0.0))


def _empty_overlaps(fitted: Fitted) -> dict[str, float]:
    """For each empty overlap in the model, the chance of its being empty had its effect been left out."""
    rule, counts = fitted.rule, fitted.histories.counts
    empty = np.flatnonzero(fitted.chosen.active[0] & ~fitted.finite & (np.array(rule.design.terms) >= 0))
    if empty.size == 0:
        return {}
    active = np.repeat(fitted.chosen.active, empty.size, axis=0)
    active[np.arange(empty.size), empty] = False
    without = fit_given(rule.design, np.repeat(counts[None], empty.size, axis=0), active)
    expected = np.einsum("ij,ij->i", without.fits.mu, rule.design.matrix[:, empty].T)
    names = _all_names(rule, fitted.histories)
    return {names[i]: float(np.exp(-e)) for i, e in zip(empty, expected, strict=True)}


def _fitted_table(histories: Histories, mu: Array) -> pl.DataFrame:
    masks = np.arange(1, 2**histories.k)
    columns: dict[str, Any] = {name: (masks >> j & 1).astype(np.int8) for j, name in enumerate(histories.names)}
    return pl.DataFrame(columns | {"observed cases": histories.counts, "expected cases": mu})


def no_overlap(histories: Histories) -> ZholError:
    """Error for lists without a common case, with the lower bound that the counts still give."""
    model = design(histories.k, main_terms(histories.k))
    everything = np.ones(model.cells, dtype=bool)
    bound = profile.profile(model, histories.counts, np.ones(len(model.terms), dtype=bool), everything, 0.9)
    return ZholError(
        "no case is on two lists, so the lists set no upper bound",
        found=f"{histories.observed:.0f} cases, each on one list",
        expected="some overlap",
        hint=f"if the lists are independent the population is at least {plain_number(bound.low)} at 95%",
    )

"""Fit one sample, or many weightings of it: several starts, and honest ends where there is no interior maximum."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from zhol.core.errors import ZholError
from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.design import Design
from zhol.estimate._recapture.links import start_of
from zhol.estimate._recapture.newton import Climb, climb
from zhol.estimate._recapture.penalty import penalised_climb, penalised_maximum
from zhol.estimate._recapture.score import population, score

_EDGE = -5.0  # a predictor of alpha or omega below this everywhere is on its way to zero
_PLAIN = "none"


@dataclass(frozen=True)
class Fit:
    """A fitted model of one list.

    Parameters
    ----------
    sample : Sample
        What was fitted (at an edge, the smaller model).
    beta : array (p,)
        Coefficients.
    covariance : array (p, p)
        Inverse observed information (expected, where penalised).
    log_likelihood : float
        At ``beta``, without penalty.
    gradient : float
        Largest absolute score at ``beta`` (of the penalised likelihood, where penalised).
    steps : int
        Newton steps.
    ending : str
        ``maximum``, ``edge`` (a parameter went to zero: the smaller model is the maximum) or ``penalised``.
    starts : int
        Starting points tried.
    warnings : tuple of str
        What the reader must know.
    """

    sample: Sample
    beta: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    gradient: float
    steps: int
    ending: str
    starts: int
    warnings: tuple[str, ...] = ()


def fit_sample(sample: Sample) -> Fit:
    """Maximum likelihood of one sample, from several starts."""
    _refuse_without_information(sample)
    starts = starting_points(sample)
    w = np.broadcast_to(sample.w, (len(starts), len(sample.y)))
    found = climb(sample, w, starts)
    best = _best(found)
    if best is not None:
        size = float(population(sample, sample.w[None], found.beta[best : best + 1])[0][0])
        if size <= credible_limit(sample.n):
            return _finish(sample, found, best, len(starts))
        note = f"the highest point of the likelihood of {sample.model.name} is a population of {size:.0e}"
        return _penalised(sample, found, len(starts), note)
    edge = _at_edge(sample, found)
    return edge if edge is not None else _penalised(sample, found, len(starts))


def _best(found: Climb) -> int | None:
    """The highest settled end, unless a start that never settled climbed higher still."""
    settled = np.flatnonzero(found.settled)
    if not len(settled):
        return None
    top = int(settled[np.argmax(found.value[settled])])
    highest = float(np.max(found.value[np.isfinite(found.value)]))
    return top if found.value[top] >= highest - 1e-5 else None


def _finish(sample: Sample, found: Climb, i: int, starts: int) -> Fit:
    covariance = np.linalg.inv(-found.hessian[i])
    covariance = (covariance + covariance.T) / 2
    gradient = float(np.abs(found.gradient[i]).max())
    return Fit(
        sample, found.beta[i], covariance, float(found.value[i]), gradient, int(found.steps[i]), "maximum", starts
    )


def _at_edge(sample: Sample, found: Climb) -> Fit | None:
    """The smaller model, where the likelihood rises all the way to a parameter of zero."""
    top = int(np.argmax(np.where(np.isfinite(found.value), found.value, -np.inf)))
    for parameter in parameters_at_edge(sample, found.beta[top : top + 1]):
        smaller = sample.at_edge(parameter)
        if smaller is None:
            continue
        inner = fit_sample(smaller)
        if inner.log_likelihood >= found.value[top] - 1e-3:
            note = (
                f"the likelihood of {sample.model.name} is highest at {parameter} = 0: "
                f"this is the fit of {inner.sample.model.name}"
            )
            ending = "edge" if inner.ending == "maximum" else inner.ending
            return replace(inner, ending=ending, warnings=(note, *inner.warnings))
    return None


def parameters_at_edge(sample: Sample, beta: np.ndarray) -> list[str]:
    """Parameters whose predictor has gone towards zero for every unit of the first replicate."""
    out = []
    for name, link, eta in zip(sample.model.parameters, sample.links, sample.eta(beta), strict=True):
        value = -eta if link == "neglog" else eta
        if name in ("omega", "alpha") and value[0].max() < _EDGE:
            out.append(name)
    return out


def _penalised(sample: Sample, found: Climb, starts: int, reason: str | None = None) -> Fit:
    w = sample.w[None, :]
    tried = penalised_maximum(sample, _fresh_start(sample)[0])
    near = int(np.argmax(np.where(np.isfinite(found.value), found.value, -np.inf)))
    second = penalised_maximum(sample, _pulled_in(sample, found.beta[near]))
    ends = [c for c in (tried, second) if np.isfinite(c.value[0])]
    if not ends:
        raise ZholError(
            f"{sample.model.name} cannot be fitted to these data",
            hint="the counts do not hold enough information; try fewer covariates, ztpoisson or chao",
        )
    end = max(ends, key=lambda c: float(c.value[0]))
    covariance = np.linalg.pinv(-end.hessian[0], hermitian=True)
    value = float(score(sample, w, end.beta)[0][0])
    flat = f"the likelihood of {sample.model.name} has no interior maximum (too little information or separation)"
    note = f"{reason or flat}: penalised fit (Jeffreys prior, Firth 1993)"
    gradient = float(np.abs(end.gradient[0]).max())
    return Fit(sample, end.beta[0], covariance, value, gradient, int(end.steps[0]), "penalised", starts + 2, (note,))


def _fresh_start(sample: Sample) -> np.ndarray:
    table = {"lambda": 0.5, "alpha": 0.5, "omega": 0.2, "pi": 0.5}
    constants = [start_of(k, table[p]) for p, k in zip(sample.model.parameters, sample.links, strict=True)]
    return constant_start(sample, constants)[None, :]


def _pulled_in(sample: Sample, beta: np.ndarray) -> np.ndarray:
    """A start near where the climb got to, but with every predictor inside (−4, 4)."""
    parts = []
    for d, eta in zip(sample.designs, sample.eta(beta), strict=True):
        eta = np.clip(eta, -4.0, 4.0)
        matrix = d.matrix
        parts.append(np.linalg.lstsq(matrix, np.broadcast_to(eta, (len(matrix),)), rcond=None)[0])
    return np.concatenate(parts)


def _refuse_without_information(sample: Sample) -> None:
    """Errors for lists that say nothing at all under this model."""
    model, y, w = sample.model, sample.y, sample.w
    inside = (y >= model.first) & (y <= (model.last or np.inf))
    if not (w * inside).sum() > 0:
        raise ZholError(
            f"no unit was captured {model.first}{' or more' if model.last is None else f' or {model.last}'} times",
            hint=f"{model.name} uses only these counts",
        )
    if len(model.parameters) > 1 and not (y > 1).any():
        raise ZholError(
            f"every unit was captured once: {model.name} cannot be told from rarity",
            hint="use ztpoisson or chao, which give a lower bound here",
        )


def starting_points(sample: Sample) -> np.ndarray:
    """Coefficients to start from: the best ends of the model without covariates, and moments."""
    k = len(sample.model.parameters)
    moment = max(min(_rate_of_pairs(sample), 20.0), 0.02)
    rates = [moment] if k == 1 else [moment, max(moment / 4, 0.02), min(moment * 3, 20.0)]
    grid = {"lambda": rates, "alpha": [0.05, 0.6, 3.0], "omega": [0.1, 0.5], "pi": [_single_share(sample)]}
    values = [[start_of(k_, v) for v in grid[p]] for p, k_ in zip(sample.model.parameters, sample.links, strict=True)]
    constants = [list(c) for c in itertools.product(*values)]
    plain = without_covariates(sample)
    ends = climb(plain, np.broadcast_to(plain.w, (len(constants), len(plain.y))), np.array(constants))
    order = np.argsort(-np.where(np.isfinite(ends.value), ends.value, -np.inf))
    kept: list[np.ndarray] = []
    for i in order:
        end = np.clip(ends.beta[i], -4.0, 4.0)
        if all(np.abs(end - other).max() > 0.05 for other in kept):
            kept.append(end)
        if len(kept) == 3:
            break
    kept.append(np.array(constants[0]))
    return np.stack([constant_start(sample, list(c)) for c in kept])


def constant_start(sample: Sample, constants: list[float]) -> np.ndarray:
    """Coefficients that make each predictor as constant as its design allows."""
    parts = []
    for d, c, shift in zip(sample.designs, constants, sample.offset, strict=True):
        middle = 0.0 if shift is None else float(np.average(shift, weights=sample.w))
        if d.constant:
            parts.append(np.array([c - middle]))
        elif (hit := np.flatnonzero((d.matrix == 1.0).all(axis=0))).size:
            part = np.zeros(d.matrix.shape[1])
            part[hit[0]] = c - middle
            parts.append(part)
        else:
            parts.append(np.linalg.lstsq(d.matrix, np.full(len(d.matrix), c - middle), rcond=None)[0])
    return np.concatenate(parts)


def _rate_of_pairs(sample: Sample) -> float:
    """Rate of capture from the two lowest counts that the model uses."""
    first = sample.model.first
    low = float(sample.w[sample.y == first].sum())
    high = float(sample.w[sample.y == first + 1].sum())
    return (first + 1) * (high + 0.5) / (low + 0.5)


def _single_share(sample: Sample) -> float:
    return min(max(float(sample.w[sample.y == 1].sum()) / sample.n, 0.05), 0.95)


def without_covariates(sample: Sample) -> Sample:
    """The counts alone, every predictor a constant."""
    counts, code = np.unique(sample.y, return_inverse=True)
    designs = tuple(Design(np.ones((1, 1)), (f"start of {p}",)) for p in sample.model.parameters)
    return replace(
        sample,
        y=counts,
        w=np.bincount(code, weights=sample.w, minlength=len(counts)),
        designs=designs,
        offset=(None,) * len(designs),
        strata={},
    )


@dataclass
class Refits:
    """Population of each replicate, and how many needed help."""

    population: np.ndarray  # infinite where a penalised fit ran away
    parts: np.ndarray
    beta: np.ndarray
    settled: np.ndarray
    edge: np.ndarray
    penalised: np.ndarray


def refit_many(sample: Sample, w: np.ndarray, start: np.ndarray, *, tolerance: float = 1e-6) -> Refits:
    """Fit each weighting (replicates, cells) of a sample, starting at ``start`` (p,) or (replicates, p).

    Replicates at an edge are fitted by the smaller model; separated ones with the Jeffreys penalty.
    """
    b = len(w)
    begin = np.broadcast_to(start, (b, len(sample.names)))
    found = climb(sample, w, begin, limit=40, tolerance=tolerance)
    edge, penalised = np.zeros(b, dtype=bool), np.zeros(b, dtype=bool)
    beta = found.beta.copy()
    total, parts = _populations(sample, w, beta)
    for parameter in sample.model.parameters[1:]:
        lost = np.flatnonzero(~found.settled & ~edge)
        at = [i for i in lost if parameter in parameters_at_edge(sample, beta[i : i + 1])]
        smaller = sample.at_edge(parameter) if at else None
        if smaller is not None:
            keep = [i for i, name in enumerate(sample.names) if name in smaller.names]
            inner = refit_many(smaller, w[at], start[..., keep] if start.ndim == 1 else begin[at][:, keep])
            total[at], parts[at] = inner.population, inner.parts
            edge[at], penalised[at] = True, inner.penalised
    absurd = ~(total <= credible_limit(w.sum(axis=1))) & ~edge
    lost = np.flatnonzero((~found.settled & ~edge) | absurd)
    if len(lost):
        end = penalised_climb(sample, w[lost], begin[lost], limit=25, decrement=1e-4)
        beta[lost] = end.beta
        total[lost], parts[lost] = _populations(sample, w[lost], end.beta)
        penalised[lost] = True
        wild = lost[~(total[lost] <= credible_limit(w[lost].sum(axis=1)))]
        total[wild], parts[wild] = np.inf, np.inf
    return Refits(total, parts, beta, found.settled, edge, penalised)


def credible_limit(n: np.ndarray | float) -> np.ndarray:
    """Beyond this a penalised population says nothing but that there is no upper bound."""
    size = np.asarray(n, dtype=float)
    return np.minimum(size * np.maximum(1000.0, 4.0 * size), 1e9)


def _populations(sample: Sample, w: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Population and its strata (replicates, strata)."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        total, _, weight = population(sample, w, beta)
        masks = np.array(list(sample.strata.values()), dtype=float).reshape(len(sample.strata), len(sample.y))
        return total, np.nan_to_num(w * weight) @ masks.T

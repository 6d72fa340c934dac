"""Forward selection of two-list effects, for many tables at once (Chan, Silverman and Vincent 2021, section 3.1).

From the main effects on, the effect with the smallest p-value enters, as long as that is below the threshold and
the larger model has a maximum-likelihood estimate and is identified. The p-value of a pair is the one-sided Poisson
probability of its observed overlap, given the overlap that the present model expects; an empty overlap enters as an
effect at minus infinity. Every row is a table of its own and goes its own way; all rows move together in arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Design, Flags, Ints, product
from zhol.estimate._multiple_systems.existence import check, supported, two_list_identified
from zhol.estimate._multiple_systems.newton import Fits, fit

THRESHOLD = 0.02


@dataclass(eq=False)
class Selection:
    """Chosen models, one a row.

    Attributes
    ----------
    active : bool array (fits, terms)
        Terms in the model, those at minus infinity included.
    finite : bool array (fits, terms)
        Terms with a finite coefficient.
    keep : bool array (fits, cells)
        Cells in the model.
    fits : Fits
    found : tuple
        What a search met on its way, one entry a row; empty for other rules.
    """

    active: Flags
    finite: Flags
    keep: Flags
    fits: Fits
    found: tuple[Any, ...] = ()


def fit_given(model: Design, counts: Array, active: Flags, start: Array | None = None) -> Selection:
    """Fit the models given by ``active``, empty overlaps taken out."""
    finite, keep = supported(model, counts, active)
    return Selection(active, finite, keep, fit(model, counts, finite, keep, start))


def select(model: Design, counts: Array, threshold: float = THRESHOLD) -> Selection:
    """Stepwise choice among all two-list effects of a pairs design, one table a row.

    Parameters
    ----------
    model : Design
        From ``pairs_design``.
    counts : array (fits, cells)
    threshold : float
        Largest p-value at which an effect still enters.
    """
    k, rows = model.k, counts.shape[0]
    pairs = np.arange(k + 1, len(model.terms))
    observed = product(counts, model.matrix[:, pairs])
    active = np.zeros((rows, len(model.terms)), dtype=bool)
    active[:, : k + 1] = True
    chosen = fit_given(model, counts, active)
    refused = np.zeros((rows, pairs.size), dtype=bool)
    memory: dict[bytes, bool] = {}
    going = np.flatnonzero(chosen.fits.positive)
    ranks = _log_p(observed[going], product(chosen.fits.mu[going], model.matrix[:, pairs]))
    log_p = np.full((rows, pairs.size), 0.0)
    log_p[going] = ranks
    while going.size:
        open_p = np.where(refused[going] | chosen.active[np.ix_(going, pairs)], np.inf, log_p[going])
        best = _first_smallest(open_p)
        passing = open_p[np.arange(going.size), best] < np.log(threshold)
        going, best = going[passing], best[passing]
        if going.size == 0:
            break
        trial, sound = _try(model, counts, chosen, going, pairs[best], memory)
        refused[going[~sound], best[~sound]] = True
        won = going[sound]
        _accept(chosen, won, trial, sound)
        refused[won] = False
        log_p[won] = _log_p(observed[won], product(chosen.fits.mu[won], model.matrix[:, pairs]))
    return chosen


def _try(
    model: Design, counts: Array, chosen: Selection, rows: Ints, terms: Ints, memory: dict[bytes, bool]
) -> tuple[Selection, Flags]:
    """Fit each row's model with one more term; say where that model is sound."""
    active = chosen.active[rows].copy()
    active[np.arange(rows.size), terms] = True
    start = chosen.fits.beta[rows].copy()
    expected = np.einsum("ij,ij->i", chosen.fits.mu[rows], model.matrix[:, terms].T)
    overlap = np.einsum("ij,ij->i", counts[rows], model.matrix[:, terms].T)
    start[np.arange(rows.size), terms] = np.log(np.maximum(overlap, 0.5) / np.maximum(expected, 1e-12))
    trial = fit_given(model, counts[rows], active, start)
    identified = two_list_identified(model, counts[rows], active)
    sound = identified & trial.fits.positive
    for i in np.flatnonzero(identified & ~trial.fits.positive):
        sound[i] = _exists(model, counts[rows[i]], trial, int(i), memory)
    return trial, sound


def _exists(model: Design, counts: Array, trial: Selection, row: int, memory: dict[bytes, bool]) -> bool:
    """Linear programme for a fit without a certificate; the answer depends on the zero pattern and the model only."""
    key = np.packbits(np.concatenate([counts > 0, trial.active[row]])).tobytes()
    if key not in memory:
        memory[key] = check(model, counts, trial.finite[row], trial.keep[row]).exists
    return memory[key]


def _accept(chosen: Selection, rows: Ints, trial: Selection, sound: Flags) -> None:
    chosen.active[rows], chosen.finite[rows] = trial.active[sound], trial.finite[sound]
    chosen.keep[rows] = trial.keep[sound]
    kept = trial.fits.take(sound)
    chosen.fits.beta[rows], chosen.fits.mu[rows] = kept.beta, kept.mu
    chosen.fits.variance[rows], chosen.fits.positive[rows] = kept.variance, kept.positive


def _first_smallest(values: Array) -> Ints:
    """Column of the smallest value in each row, the first among those that differ by rounding only."""
    least = values.min(1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.argmax(values <= least + 1e-9 * (1.0 + np.abs(least)), axis=1))


def _log_p(observed: Array, expected: Array) -> Array:
    """Log of the one-sided Poisson p-value of an overlap, the smaller of the two tails."""
    from scipy.special import gammainc, gammaincc, gammaln

    expected = np.maximum(expected, 1e-300)
    below = gammaincc(observed + 1.0, expected)
    above = np.where(observed > 0, gammainc(np.maximum(observed, 0.5), expected), 1.0)
    least = np.minimum(below, above)
    point = observed * np.log(expected) - expected - gammaln(observed + 1.0)  # leading term, where a tail underflows
    with np.errstate(divide="ignore"):
        return np.where(least > 0, np.log(np.maximum(least, 1e-320)), point)

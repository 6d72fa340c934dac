"""Draws of stocks round the given ones: errors of the size that rival revisions show, residents unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zhol.core.draws import generator
from zhol.estimate._flows.scaling import Array

_FURTHEST = 3.0  # a drawn stock is at most exp(3), about twenty times, off
_NATIVES_LEFT = 0.1  # share of the natives that no draw takes away


class ErrorLaw(NamedTuple):
    """Law of the error of a log stock.

    Parameters
    ----------
    edges : array
        Persons at which a class of size ends (the last class has no end).
    scale : array
        Scale of the error in each class.
    df : float
        Degrees of freedom of Student's t; infinite for a normal law.
    shared : float
        Part of the variance that all origins of a destination share.
    persistence : float
        Correlation of a cell's error with that five years before.
    """

    edges: Array
    scale: Array
    df: float
    shared: float
    persistence: float


class Gaps(NamedTuple):
    """Where a stock was filled, and the log standard deviation of a filled cell."""

    mask: Array
    log_sd: float


def standard_errors(places: Sequence[str], law: ErrorLaw, seed: int, draw: int, lags: tuple[int, int]) -> list[Array]:
    """Error of every cell (birthplace, residence) in units of its scale at two times, the same for any order of places.

    Parameters
    ----------
    lags : tuple of int
        Which periods of five years the two times are, so that the end of one call is the start of the next.
    """
    rank = np.argsort(np.argsort(np.array(places, dtype=object)))
    size = len(places)
    chance = generator(seed, "stocks", str(draw))
    heavy = [_heavy(chance, law.df, shape) for shape in ((size,), (size, size))]
    parts = (law.shared**0.5, (1 - law.shared) ** 0.5)
    rho = law.persistence
    whole, cells = chance.standard_normal(size), chance.standard_normal((size, size))
    found = []
    for time in range(lags[1] + 1):
        if time:
            fresh = (1 - rho * rho) ** 0.5
            whole = rho * whole + fresh * chance.standard_normal(size)
            cells = rho * cells + fresh * chance.standard_normal((size, size))
        if time in lags:
            error = parts[0] * whole[None, :] * heavy[0][None, :] + parts[1] * cells * heavy[1]
            found.append(error[np.ix_(rank, rank)])
    return found


def _heavy(chance: np.random.Generator, df: float, shape: tuple[int, ...]) -> Array:
    """Factors that turn normal draws into Student's t."""
    if not np.isfinite(df):
        return np.ones(shape)
    return np.sqrt(df / chance.chisquare(df, shape))


def perturb(stock: Array, law: ErrorLaw, width: Array, gaps: Gaps, errors: Array) -> Array:
    """One drawn stock: foreign-born with errors, natives what is left of the residents.

    Parameters
    ----------
    stock, errors : array, shape (birthplace, residence)
    width : array, shape (residence,)
        Multiple of the scale for each residence.
    """
    scale = law.scale[np.searchsorted(law.edges, stock, side="right")] * width[None, :]
    scale = np.where(gaps.mask, gaps.log_sd, scale)
    drawn = stock * np.exp(np.clip(scale * errors, -_FURTHEST, _FURTHEST))
    natives = np.diag(stock)
    np.fill_diagonal(drawn, 0.0)
    if not natives.any():
        return drawn
    residents = stock.sum(0)
    foreign = drawn.sum(0)
    room = residents - np.minimum(_NATIVES_LEFT * natives, natives)
    drawn *= np.divide(np.minimum(foreign, room), foreign, out=np.ones_like(foreign), where=foreign > 0)[None, :]
    np.fill_diagonal(drawn, np.maximum(residents - drawn.sum(0), 0.0))
    return drawn

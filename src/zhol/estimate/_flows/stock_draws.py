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
    persistence : float, or array of shape (residence,)
        Correlation of a cell's error with that five years before.
    """

    edges: Array
    scale: Array
    df: float
    shared: float
    persistence: float | Array


class Gaps(NamedTuple):
    """Cells of a stock that nobody estimated, and what a draw puts there.

    Parameters
    ----------
    never : array of bool, shape (birthplace, residence)
        Cells estimated at neither date: a draw puts ``expected`` there, times a misfit of its model.
    expected : array
        What birthplace and residence effects expect there.
    misfit : array
        Sorted logarithms of persons over expectation, as seen where there is a figure; each is as likely.
    persistence : float
        Correlation of a cell's misfit with that at the other date.
    once : array of bool
        Cells filled from the other date.
    growth_sd : float
        Log error of such a cell.
    most : array of shape (residence,), or None
        People whose birthplace is not stated: no more of them are in cells estimated at neither date.
    """

    never: Array
    expected: Array
    misfit: Array
    persistence: float
    once: Array
    growth_sd: float
    most: Array | None = None


def no_gaps(size: int) -> Gaps:
    """A stock that was estimated everywhere."""
    nowhere = np.zeros((size, size), dtype=bool)
    return Gaps(nowhere, np.zeros((size, size)), np.zeros(1), 0.0, nowhere, 0.0)


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
    rho = np.broadcast_to(law.persistence, size)[np.argsort(rank)]
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


def gap_errors(places: Sequence[str], persistence: float, seed: int, draw: int, lags: tuple[int, int]) -> list[Array]:
    """Standard normal misfit of every cell at two times, the same for any order of places."""
    rank = np.argsort(np.argsort(np.array(places, dtype=object)))
    chance = generator(seed, "gaps", str(draw))
    found, now = [], np.zeros(0)
    for time in range(lags[1] + 1):
        fresh = chance.standard_normal((len(rank), len(rank)))
        now = persistence * now + (1 - persistence**2) ** 0.5 * fresh if time else fresh
        if time in lags:
            found.append(now[np.ix_(rank, rank)])
    return found


def _heavy(chance: np.random.Generator, df: float, shape: tuple[int, ...]) -> Array:
    """Factors that turn normal draws into Student's t."""
    if not np.isfinite(df):
        return np.ones(shape)
    return np.sqrt(df / chance.chisquare(df, shape))


def perturb(stock: Array, law: ErrorLaw, width: Array, gaps: Gaps, errors: Array, misfits: Array) -> Array:
    """One drawn stock: foreign-born with errors, natives what is left of the residents. Nobody stays nobody.

    Parameters
    ----------
    stock, errors, misfits : array, shape (birthplace, residence)
        The last two in units of their scale.
    width : array, shape (residence,)
        Multiple of the scale for each residence.
    """
    scale = law.scale[np.searchsorted(law.edges, stock, side="right")] * width[None, :]
    drawn = stock * np.exp(np.clip(scale * errors, -_FURTHEST, _FURTHEST))
    natives = np.diag(stock)
    np.fill_diagonal(drawn, 0.0)
    _draw_gaps(drawn, stock, gaps, misfits)
    if not natives.any():
        return drawn
    residents = stock.sum(0)
    foreign = drawn.sum(0)
    room = residents - np.minimum(_NATIVES_LEFT * natives, natives)
    drawn *= np.divide(np.minimum(foreign, room), foreign, out=np.ones_like(foreign), where=foreign > 0)[None, :]
    np.fill_diagonal(drawn, np.maximum(residents - drawn.sum(0), 0.0))
    return drawn


def _draw_gaps(drawn: Array, stock: Array, gaps: Gaps, misfits: Array) -> None:
    """People in cells that nobody estimated, in place."""
    if gaps.once.any():
        drawn[gaps.once] *= np.exp(gaps.growth_sd * misfits[gaps.once])
    if not gaps.never.any():
        return
    from scipy.special import ndtr

    seen = np.interp(ndtr(misfits), np.linspace(0, 1, len(gaps.misfit)), gaps.misfit)
    people = np.where(gaps.never, gaps.expected * np.exp(seen), 0.0)
    if gaps.most is not None:  # the people of no stated birthplace who are not here are among those of the other cells
        size = people.sum(0)
        people *= np.divide(gaps.most, size, out=np.ones_like(size), where=size > gaps.most)[None, :]
        given = np.where(gaps.never, stock, 0.0).sum(0)
        rest = stock.sum(0) - np.diag(stock) - given
        more = np.divide(rest + given - people.sum(0), rest, out=np.ones_like(rest), where=rest > 0)
        drawn *= np.maximum(more, 0.0)[None, :]
    drawn[gaps.never] = people[gaps.never]

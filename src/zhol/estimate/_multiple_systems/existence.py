"""Does the maximum-likelihood estimate exist, and can the number on no list be told from it?

Existence: Fienberg and Rinaldo (2012). The maximum exists when some table with every cell positive has the observed
margins. Otherwise the likelihood rises for ever along a direction of recession d with X d = 0 on the cells that
must stay positive (the facial set) and X d < 0 on the others, whose expected counts go to zero. One linear
programme finds the whole facial set. What then happens to the intercept, the log of the number on no list, is
settled by two more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import combinations

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Design, Flags, product


class Unseen(Enum):
    """What the data say about the number on no list."""

    FINITE = "finite"
    ZERO = "goes to zero"
    INFINITE = "grows without bound"
    OPEN = "is not determined"


@dataclass(frozen=True)
class Check:
    """Outcome for one model and one table.

    Attributes
    ----------
    exists : bool
        Every coefficient that is not at minus infinity through an empty overlap is finite.
    identified : bool
        The coefficients are told apart by the cells in the model (full column rank).
    unseen : Unseen
        Fate of the number on no list at the supremum of the likelihood.
    face : bool array (cells,)
        Cells whose expected count stays positive.
    """

    exists: bool
    identified: bool
    unseen: Unseen
    face: Flags

    @property
    def sound(self) -> bool:
        """Whether the model may be fitted as it stands."""
        return self.exists and self.identified


def supported(model: Design, counts: Array, active: Flags) -> tuple[Flags, Flags]:
    """Take out terms that no case has, and every history that contains one (Chan, Silverman and Vincent 2021).

    Works on one table or on rows of them; returns the terms with a finite coefficient and the cells that remain.
    """
    margins = product(counts, model.matrix)
    empty = active & (margins <= 0) & (np.array(model.terms) >= 0)
    finite = active & ~empty
    keep = ~(product(empty.astype(float), model.matrix.T) > 0)
    return finite, keep


def check(model: Design, counts: Array, finite: Flags, keep: Flags) -> Check:
    """Existence by linear programming, identifiability by rank, for one table (cells,) and one model (terms,)."""
    matrix = model.matrix[np.ix_(keep, finite)]
    rank = np.linalg.matrix_rank(matrix)
    identified = bool(rank == finite.sum())
    inner = facial_set(matrix, counts[keep] > 0)
    face = np.zeros(model.cells, dtype=bool)
    face[np.flatnonzero(keep)[inner]] = True
    return Check(bool(inner.all()), identified, _fate(matrix, inner), face)


def facial_set(matrix: Array, seen: Flags) -> Flags:
    """Cells that stay positive: the largest support of a table with the observed margins.

    Maximises the number of cells pushed down by a direction that leaves every seen cell alone; the programme has a
    solution with each push 0 or 1, because a direction may be stretched at will.
    """
    from scipy.optimize import linprog

    blank = ~seen
    if not blank.any():
        return np.ones(seen.size, dtype=bool)
    terms, low = matrix.shape[1], int(blank.sum())
    cost = np.concatenate([np.zeros(terms), -np.ones(low)])
    solution = linprog(
        cost,
        A_ub=np.hstack([matrix[blank], np.eye(low)]),
        b_ub=np.zeros(low),
        A_eq=np.hstack([matrix[seen], np.zeros((int(seen.sum()), low))]),
        b_eq=np.zeros(int(seen.sum())),
        bounds=[(None, None)] * terms + [(0, 1)] * low,
        method="highs",
    )
    inner = np.ones(seen.size, dtype=bool)
    inner[np.flatnonzero(blank)] = np.asarray(solution.x)[terms:] < 0.5
    return inner


def _fate(matrix: Array, inner: Flags) -> Unseen:
    """How the intercept may move at the supremum: both ways, one way, or not at all."""
    from scipy.optimize import linprog

    face = matrix[inner]
    # The intercept is fixed by the face if adding its unit vector to the rows raises no rank.
    unit = np.zeros((1, matrix.shape[1]))
    unit[0, 0] = 1.0
    if np.linalg.matrix_rank(np.vstack([face, unit])) == np.linalg.matrix_rank(face):
        return Unseen.FINITE
    outer = matrix[~inner]
    ends = []
    for sign in (1.0, -1.0):
        solution = linprog(
            -sign * unit[0],
            A_ub=outer if outer.size else None,
            b_ub=np.zeros(outer.shape[0]) if outer.size else None,
            A_eq=face,
            b_eq=np.zeros(face.shape[0]),
            bounds=[(-1, 1)] * matrix.shape[1],
            method="highs",
        )
        ends.append(bool(float(solution.fun or 0.0) < -1e-7))
    return {(True, True): Unseen.OPEN, (True, False): Unseen.INFINITE, (False, True): Unseen.ZERO}[(ends[0], ends[1])]


def two_list_identified(model: Design, counts: Array, active: Flags) -> Flags:
    """Whether two-list models are identified, one table and model a row (Chan, Silverman and Vincent 2021).

    A model that leaves out the effect of some pair is, because two lists and their overlap then fix the intercept.
    With the effects of all pairs it takes three lists that overlap two by two. Lists without cases count for nothing.
    """
    k = model.k
    order = {mask: i for i, mask in enumerate(model.terms)}
    margins = product(counts, model.matrix) > 0
    pairs = [(i, j) for i, j in combinations(range(k), 2)]
    inside = {
        p: active[:, order[_mask(*p)]] if _mask(*p) in order else np.zeros(len(counts), dtype=bool) for p in pairs
    }
    both = {(i, j): margins[:, order[1 << i]] & margins[:, order[1 << j]] for i, j in pairs}
    fine = np.any([both[p] & ~inside[p] for p in pairs], axis=0)
    if len(order) == 1 + k + len(pairs):
        overlap = {p: margins[:, order[_mask(*p)]] for p in pairs}
        for a, b, c in combinations(range(k), 3):
            fine |= overlap[a, b] & overlap[a, c] & overlap[b, c]
    return np.asarray(fine)


def _mask(i: int, j: int) -> int:
    return (1 << i) | (1 << j)

"""Log-linear models over capture histories: which parameters there are and how they add up.

A capture history is a bit mask over the lists, bit j set if the case is on list j; the observable cells are the
masks 1 … 2^k − 1, in that order. A parameter is a bit mask too: 0 is the intercept, {j} the effect of a list,
{i, j} a two-list effect. Parameter θ acts on every history that contains θ.

Every sum that Newton's method needs is a sum of expected counts over the histories that contain some set: the
score of θ over the histories ⊇ θ, the information of θ and φ over those ⊇ θ ∪ φ. ``Design.sums`` holds one column
for each such set, so that score and information of any number of fits come out of one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.intp]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

ONE_THREAD = 60**3  # multiplications up to which linear-algebra libraries do not start threads, which cost more here


@dataclass(frozen=True, eq=False)
class Design:
    """Parameters of a log-linear model over the 2^k − 1 observable histories.

    Attributes
    ----------
    k : int
        Number of lists.
    terms : tuple of int
        Parameters as bit masks; the first is the intercept. Negative numbers stand for columns that depend on the
        number of lists a case is on (``heterogeneity``).
    matrix : array (cells, terms)
        1 where the history contains the term.
    sums : array (cells, sets)
        Products of two columns; one for each union of two terms.
    union : int array (terms, terms)
        Column of ``sums`` for two terms; its first row, with the intercept, gives the terms' own margins.
    """

    k: int
    terms: tuple[int, ...]
    matrix: Array
    sums: Array
    union: Ints

    @property
    def own(self) -> Ints:
        """Column of ``sums`` that belongs to each term."""
        return self.union[0]

    @property
    def cells(self) -> int:
        """Number of observable histories."""
        return self.matrix.shape[0]


def product(left: Array, right: Array) -> Array:
    """Matrix product in blocks of rows too small for threads to be started."""
    rows = ONE_THREAD // right.size
    if rows < 8 or left.shape[0] <= rows:
        return left @ right
    whole = left.shape[0] // rows * rows
    blocks = np.matmul(left[:whole].reshape(-1, rows, left.shape[1]), right)
    return np.concatenate([blocks.reshape(whole, -1), left[whole:] @ right])


def contains(histories: Ints, sets: Ints) -> Flags:
    """Whether each history (rows) contains each set (columns)."""
    return (histories[:, None] & sets[None, :]) == sets[None, :]


@lru_cache(maxsize=32)
def design(k: int, terms: tuple[int, ...]) -> Design:
    """Design for the given terms; kept, because the same few are asked for again and again."""
    histories = np.arange(1, 2**k)
    masks = np.array(terms)
    unions = masks[:, None] | masks[None, :]
    sets, union = np.unique(unions, return_inverse=True)
    return Design(
        k,
        terms,
        np.ascontiguousarray(contains(histories, masks), dtype=float),
        np.ascontiguousarray(contains(histories, sets), dtype=float),
        union.reshape(unions.shape),
    )


def main_terms(k: int) -> tuple[int, ...]:
    """Intercept and one effect a list."""
    return (0, *(1 << j for j in range(k)))


def pair_masks(k: int) -> tuple[int, ...]:
    """Two-list effects in the order (1,2), (1,3), …, (2,3), …"""
    return tuple((1 << i) | (1 << j) for i, j in combinations(range(k), 2))


def pairs_design(k: int) -> Design:
    """Design with every two-list effect; smaller models switch some of them off."""
    return design(k, main_terms(k) + pair_masks(k))


def term_name(mask: int, names: tuple[str, ...]) -> str:
    """Name of a parameter, as ``A:C``."""
    members = [name for j, name in enumerate(names) if mask >> j & 1]
    return ":".join(members) if members else "(Intercept)"


def formula(terms: tuple[int, ...], names: tuple[str, ...]) -> str:
    """Model as a formula, main effects first."""
    shown = sorted((t for t in terms if t), key=lambda t: (t.bit_count(), [j for j in range(len(names)) if t >> j & 1]))
    return "~ " + " + ".join(term_name(t, names) for t in shown)

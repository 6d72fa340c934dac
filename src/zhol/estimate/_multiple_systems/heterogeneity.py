"""Models in which cases differ in how easily they are listed (Chao 1987; Darroch and others 1993;
Baillargeon and Rivest 2007).

A column h(s) of the number s of lists a case is on is added to equal (Mh) or unequal (Mth) lists: its coefficient
tells how far the cases differ. Which h is right the data cannot say, and the answers run apart: that is the point
of looking at them. Chao's columns max(s − j, 0) assume no form and give a lower bound.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Design, main_terms
from zhol.estimate._multiple_systems.stepwise import Selection, fit_given

SHAPES = {
    "poisson": lambda s: 2.0**s - 1.0,
    "darroch": lambda s: s**2 / 2.0,
    "gamma": lambda s: np.log(3.5) - np.log(3.5 + s),
}


@lru_cache(maxsize=32)
def heterogeneity_design(k: int, name: str) -> Design:
    """Design of M0, or of Mh or Mth with a shape, as in ``mth chao``."""
    base, _, shape = name.partition(" ")
    histories = np.arange(1, 2**k)
    lists = (histories[:, None] >> np.arange(k) & 1).astype(float)
    size = lists.sum(1)
    columns = [np.ones_like(size), *(lists.T if base == "mth" else [size])]
    terms = list(main_terms(k)) if base == "mth" else [0, -1]
    if shape == "chao":
        extra = [np.maximum(size - j, 0.0) for j in range(2, k)]
    else:
        extra = [SHAPES[shape](size)] if shape else []
    columns += extra
    terms += [-2 - i for i in range(len(extra))]
    matrix = np.column_stack(columns)
    a, b = np.triu_indices(len(terms))
    union = np.zeros((len(terms), len(terms)), dtype=np.intp)
    union[a, b] = union[b, a] = np.arange(a.size)
    return Design(k, tuple(terms), matrix, np.ascontiguousarray(matrix[:, a] * matrix[:, b]), union)


def fit_heterogeneity(model: Design, counts: Array, *, bound: bool) -> Selection:
    """Fit the models; for Chao's bound, columns with a negative coefficient are dropped and the rest fitted again."""
    active = np.ones((counts.shape[0], len(model.terms)), dtype=bool)
    spread = np.array(model.terms) <= -2
    if bound:  # a column that no case reaches has no coefficient
        active &= ~(spread & (counts @ np.maximum(model.matrix, 0.0) <= 0))
    chosen = fit_given(model, counts, active)
    while bound:
        negative = chosen.finite & spread & (chosen.fits.beta < 0)
        rows = np.flatnonzero(negative.any(1))
        if rows.size == 0:
            break
        active[rows] &= ~negative[rows]
        chosen = fit_given(model, counts, active)
    return chosen


def shape_name(term: int) -> str:
    """Name of a coefficient that belongs to no list."""
    return "captures" if term == -1 else "heterogeneity" if term == -2 else f"heterogeneity {-1 - term}"

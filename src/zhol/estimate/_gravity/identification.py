"""What the data can and cannot tell apart: absorbed, collinear, separated and barely identified terms, by name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]

# A variance-inflation factor above ten is the usual alarm (a term nine tenths of which the others explain).
ALARM = 10.0
# A yes-or-no term inside a block that rests on at most this many pairs is as good as an anecdote.
FEW = 5
# The fifteen states that were republics of the Soviet Union.
FORMER_USSR = ["ARM", "AZE", "BLR", "EST", "GEO", "KAZ", "KGZ", "LTU", "LVA", "MDA", "RUS", "TJK", "TKM", "UKR", "UZB"]
# What those states share and what tells Russia from the rest, so that these terms move together among them.
SHARED_PAST = ("colonial_tie", "common_coloniser", "common_language", "contiguous")


@dataclass(frozen=True)
class Dropped:
    """A term that cannot be estimated, and why."""

    term: str
    reason: str


def within(columns: Array, groups: list[Array], weights: Array | None = None, rounds: int = 5000) -> Array:
    """Columns with the (weighted) effects of all groups taken out, by alternating projections.

    Examples
    --------
    >>> within(np.array([[1.0], [3.0], [5.0], [7.0]]), [np.array([0, 0, 1, 1])]).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """
    left = columns.astype(float).copy()
    weight = np.ones(len(left)) if weights is None else weights
    codes = [np.unique(g, return_inverse=True)[1] for g in groups]
    sizes = [np.maximum(np.bincount(c, weight), 1e-300) for c in codes]
    scale = np.maximum(np.abs(left).max(0), 1e-300)
    for _ in range(rounds):
        moved = 0.0
        for code, size in zip(codes, sizes, strict=True):
            for k in range(left.shape[1]):
                mean = np.bincount(code, weight * left[:, k]) / size
                moved = max(moved, float(np.abs(mean).max(initial=0.0)) / scale[k])
                left[:, k] -= mean[code]
        if moved < 1e-12 or len(codes) == 1:
            break
    return left


def why_dropped(
    names: list[str], kept: list[int], columns: Array, groups: list[Array], used: NDArray[np.bool_]
) -> list[Dropped]:
    """The reason for every column that the fit left out."""
    gone = [i for i in range(len(names)) if i not in kept]
    if not gone:
        return []
    everywhere = within(columns[:, gone], groups)
    here = within(columns[used][:, gone + kept], [g[used] for g in groups])
    found = []
    for k, i in enumerate(gone):
        size = max(float(columns[:, i].std()), 1e-300)
        if np.abs(columns[:, i] - columns[0, i]).max() == 0:
            reason = "is the same for all pairs"
        elif everywhere[:, k].std() < 1e-7 * size:
            reason = "is absorbed by the fixed effects"
        elif here[:, k].std() < 1e-7 * size:
            reason = "differs only where all flows are zero (separated)"
        else:
            reason = _partners(here[:, k], here[:, len(gone) :], [names[j] for j in kept])
        found.append(Dropped(names[i], reason))
    return found


def _partners(target: Array, others: Array, names: list[str]) -> str:
    """The kept columns that together make up a dropped one."""
    spread = np.maximum(others.std(0), 1e-300)
    weights = np.linalg.lstsq(others / spread, target, rcond=None)[0]
    with_ = [n for n, w in zip(names, weights, strict=True) if abs(w) > 1e-6 * target.std()]
    return f"is collinear with {', '.join(with_)}" if with_ else "is collinear with the other terms"


def inflation(information: Array) -> tuple[Array, float]:
    """Variance-inflation factors and condition number of an information matrix of the terms, effects taken out.

    Examples
    --------
    >>> factors, condition = inflation(np.array([[1.0, 0.9], [0.9, 1.0]]))
    >>> factors.round(2).tolist(), round(condition, 2)
    ([5.26, 5.26], 4.36)
    """
    size = np.sqrt(np.maximum(np.diag(information), 0.0))
    alive = size > 0
    factors = np.full(len(size), np.inf)
    if not alive.any():
        return factors, np.inf
    correlation = information[np.ix_(alive, alive)] / np.outer(size[alive], size[alive])
    values, vectors = np.linalg.eigh(correlation)
    small = values < 1e-10
    shares = (vectors**2 / np.where(small, np.inf, values)).sum(1)
    factors[alive] = np.where((vectors[:, small] ** 2).sum(1) > 1e-8, np.inf, shares)
    return factors, float(np.sqrt(values[-1] / values[0])) if not small.any() else np.inf


def inside_block(
    panel: pl.DataFrame, names: list[str], columns: Array, fitted: Array, places: list[str]
) -> pl.DataFrame | None:
    """How well every term is identified by the pairs inside a block of places alone.

    Columns: term, share_within (what is left of its variance once origins and destinations are taken out), inflation,
    identified, condition, pairs, rests_on (for a yes-or-no term, the number of pairs of places with the rarer answer).
    None if the block has too few pairs.
    """
    inside = (panel["origin"].is_in(places) & panel["destination"].is_in(places)).to_numpy() & (fitted > 0)
    if inside.sum() < 2 * columns.shape[1] + 8:
        return None
    own, weight = columns[inside], fitted[inside]
    part = panel.filter(pl.Series(inside))
    groups = [
        part.select(pl.concat_str(side, "period", separator=" "))[:, 0].to_numpy() for side in ("origin", "destination")
    ]
    left = within(own, groups, weight)
    mean = (weight[:, None] * own).sum(0) / weight.sum()
    total = (weight[:, None] * (own - mean) ** 2).sum(0)
    share = np.divide((weight[:, None] * left**2).sum(0), total, out=np.zeros(len(total)), where=total > 1e-12)
    left = np.where(share > 1e-8, left, 0.0)
    factors, condition = inflation(left.T @ (weight[:, None] * left))
    rows = {
        "term": names,
        "share_within": share,
        "inflation": np.where(share > 1e-8, factors, np.inf),
        "identified": (share > 1e-8) & (factors < ALARM),
        "condition": np.full(len(names), condition),
        "pairs": np.full(len(names), int(inside.sum())),
        "rests_on": [_rests_on(part, own[:, k]) for k in range(len(names))],
    }
    return pl.DataFrame(rows)


def _rests_on(part: pl.DataFrame, values: Array) -> int | None:
    """Pairs of places, either way, that have the rarer of two values; None for a term with more values."""
    answers, count = np.unique(values, return_counts=True)
    if len(answers) != 2:
        return None
    rare = part.filter(pl.Series(values == answers[count.argmin()]))
    ends = pl.min_horizontal("origin", "destination").alias("a"), pl.max_horizontal("origin", "destination").alias("b")
    return rare.select(ends).n_unique()

"""Bayesian model averaging over decomposable graphs (Madigan and York 1997).

Under a decomposable graph the joint distribution of the lists factorises: taking vertices off one at a time, each
with a complete neighbourhood b among those that remain, p(x) = Π p(x_v | x_b). With a hyper-Dirichlet prior
(δ prior cases in each of the 2^k cells, summed in every margin) the likelihood of the counts under a graph is a
product of ratios of Dirichlet-multinomial terms, m(b ∪ v) / m(b), and the number on no list enters each term
through one cell only. So the joint posterior of graph and population is one matrix product: graphs × subsets times
subsets × trial populations.

Trial populations are the integers up to a few hundred unseen cases, then a geometric grid whose points carry the
number of integers they stand for. The prior of N is 1/N.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Flags, Ints

MOST_EXACT = 6  # lists up to which every graph is visited (18,154 graphs at six)
DENSE, POINTS = 400, 900  # integers visited one by one, and points of the grid beyond them
MIDDLE = (100, 300)  # the same for many graphs
ROUGH_DENSE, ROUGH_POINTS = 8, 60  # the same when graphs are only being sorted out
NEGLIGIBLE = 1e-8  # graphs less probable than the best by this factor are left out of the fine sums
FAR = 1e4  # largest trial number on no list, in observed cases
WALKS, WALK_WARM_UP, WALK_STEPS, WALK_THIN = 300, 200, 300, 20  # random walks over graphs, seven lists and more
UNMET = 0.05  # share of the posterior not met up to which graphs count by their weight, above it by their visits


@dataclass(frozen=True, eq=False)
class Average:
    """Posterior of the number on no list, and of the graphs.

    Attributes
    ----------
    unseen : array (points,)
        Trial numbers on no list.
    weight : array (points,)
        Posterior probability of the integers each point stands for.
    graphs : bool array (graphs, pairs)
    graph_weight : array (graphs,)
        Posterior probability of each graph.
    graph_mean : array (graphs,)
        Posterior mean of the number on no list under each graph.
    exhaustive : bool
        Whether every decomposable graph was visited.
    """

    unseen: Array
    weight: Array
    graphs: Flags
    graph_weight: Array
    graph_mean: Array
    exhaustive: bool


def average(counts: Array, k: int, rng: np.random.Generator, prior_cases: float | None = None) -> Average:
    """Average over decomposable graphs on k lists.

    Parameters
    ----------
    counts : array (2^k − 1,)
        Cases by history.
    k : int
        Number of lists.
    rng : numpy.random.Generator
        For the random walks that take the place of a full count with seven lists and more.
    prior_cases : float, optional
        δ, prior cases a cell; 2^−k (one case in all) by default.
    """
    delta = 2.0**-k if prior_cases is None else prior_cases
    rough = _Evidence(counts, k, delta, ROUGH_DENSE, ROUGH_POINTS)
    if k > MOST_EXACT:
        graphs, factors = _walk(k, rough, rng)
        unique, first, times = np.unique(graphs, axis=0, return_index=True, return_counts=True)
        middle = _Evidence(counts, k, delta, *MIDDLE)
        joint = middle.joint(factors[first])
        if (times == 1).sum() > UNMET * times.sum():  # Good and Turing: that share of the posterior was not met
            joint += (np.log(times) - middle.by_graph(factors[first]))[:, None]
        return _posterior(unique, joint, middle.unseen, exhaustive=False)
    graphs, factors = decomposable_graphs(k)
    worth = rough.by_graph(factors)
    kept = worth > worth.max() + np.log(NEGLIGIBLE)
    fine = _Evidence(counts, k, delta, DENSE, POINTS)
    return _posterior(graphs[kept], fine.joint(factors[kept]), fine.unseen, exhaustive=True)


class _Evidence:
    """Log joint weight of graphs and trial populations on one grid."""

    def __init__(self, counts: Array, k: int, prior_cases: float, dense: int, points: int) -> None:
        self.unseen, width = trial_numbers(counts.sum(), dense, points)
        self.terms = _subset_terms(counts, k, self.unseen, prior_cases)
        self.shared = _population_terms(counts.sum(), self.unseen) + np.log(width)

    def joint(self, factors: Array) -> Array:
        """Log weight (graphs, points)."""
        return np.asarray(factors @ self.terms + self.shared)

    def by_graph(self, factors: Array) -> Array:
        """Log weight of each graph, populations summed out."""
        joint = self.joint(factors)
        top = joint.max(1)
        return np.asarray(top + np.log(np.exp(joint - top[:, None]).sum(1)))


def trial_numbers(observed: float, dense: int = DENSE, points: int = POINTS) -> tuple[Array, Array]:
    """Trial numbers on no list, and how many integers each stands for."""
    far = np.unique(np.round(np.geomspace(dense, FAR * observed, points)))
    trial = np.unique(np.concatenate([np.arange(dense), far]))
    edges = np.concatenate([[-0.5], 0.5 * (trial[1:] + trial[:-1]), [trial[-1] + 0.5]])
    return trial, np.diff(edges)


def _population_terms(observed: float, unseen: Array) -> Array:
    """Log of the number of ways to be unseen, and of the prior 1/N."""
    from scipy.special import gammaln

    total = observed + unseen
    return np.asarray(gammaln(total + 1.0) - gammaln(unseen + 1.0) - np.log(total))


def _subset_terms(counts: Array, k: int, unseen: Array, prior_cases: float) -> Array:
    """Log Dirichlet-multinomial of every margin (subsets, points); row 0 is the empty margin."""
    from scipy.special import gammaln

    histories, rows = np.arange(1, 2**k), []
    total = counts.sum() + unseen
    whole = prior_cases * 2**k
    for subset in range(2**k):
        seen = np.bincount(histories & subset, weights=counts, minlength=2**k)
        cells = 2 ** subset.bit_count()
        prior = whole / cells
        listed = seen[1:][(histories & subset) == histories]
        fixed = float(gammaln(listed + prior).sum()) - cells * float(gammaln(prior))
        rows.append(fixed + gammaln(seen[0] + unseen + prior) + gammaln(whole) - gammaln(total + whole))
    return np.array(rows)


def _posterior(graphs: Flags, log_joint: Array, unseen: Array, *, exhaustive: bool) -> Average:
    joint = np.exp(log_joint - log_joint.max())
    joint /= joint.sum()
    by_graph = joint.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (joint @ unseen) / by_graph
    order = np.argsort(-by_graph, kind="stable")
    return Average(unseen, joint.sum(0), graphs[order], by_graph[order], mean[order], exhaustive)


@lru_cache(maxsize=4)
def decomposable_graphs(k: int) -> tuple[Flags, Array]:
    """Every decomposable graph on k lists: its edges (graphs, pairs) and its factors (graphs, subsets)."""
    pairs = k * (k - 1) // 2
    edges = (np.arange(2**pairs)[:, None] >> np.arange(pairs) & 1).astype(bool)
    chordal, factors = factorise(edges, k)
    return edges[chordal], factors[chordal]


def factorise(edges: Flags, k: int) -> tuple[Flags, Array]:
    """Take off vertices with complete neighbourhoods; graphs that lose all of them are decomposable.

    Returns, for graphs in rows, whether each is decomposable and how often each subset's margin enters (+1 for a
    vertex with its neighbours, −1 for the neighbours).
    """
    graphs = edges.shape[0]
    near = np.zeros((graphs, k), dtype=np.int64)
    for column, (i, j) in enumerate(combinations(range(k), 2)):
        near[:, i] |= edges[:, column].astype(np.int64) << j
        near[:, j] |= edges[:, column].astype(np.int64) << i
    alive = np.full(graphs, 2**k - 1, dtype=np.int64)
    factors = np.zeros((graphs, 2**k))
    for _ in range(k):
        taken = np.zeros(graphs, dtype=bool)
        for v in range(k):
            around = near[:, v] & alive
            free = ~taken & (alive >> v & 1).astype(bool) & _complete(near, around, k)
            rows = np.flatnonzero(free)
            factors[rows, around[rows] | (1 << v)] += 1.0
            factors[rows, around[rows]] -= 1.0
            alive[rows] &= ~(1 << v)
            taken |= free
    return alive == 0, factors


def _complete(near: Ints, around: Ints, k: int) -> Flags:
    """Whether the vertices ``around`` are joined two by two."""
    fine = np.ones(around.shape[0], dtype=bool)
    for u in range(k):
        member = (around >> u & 1).astype(bool)
        others = around & ~(1 << u)
        fine &= ~member | (near[:, u] & others == others)
    return fine


def _walk(k: int, evidence: _Evidence, rng: np.random.Generator) -> tuple[Flags, Array]:
    """Draws of graphs from their posterior and their factors: many random walks side by side (Madigan and York 1995).

    A step offers to switch one edge; it is refused if the graph would not be decomposable, and taken with the usual
    probability otherwise. Any decomposable graph can be reached by such steps. Evidence counts little at first and
    grows to its full weight, so that the walks do not all end where they began.
    """
    pairs = k * (k - 1) // 2
    graphs = np.zeros((WALKS, pairs), dtype=bool)
    _, factors = factorise(graphs, k)
    worth = evidence.by_graph(factors)
    kept: list[tuple[Flags, Array]] = []
    for step in range(-WALK_WARM_UP, WALK_STEPS):
        trial = graphs.copy()
        trial[np.arange(WALKS), rng.integers(pairs, size=WALKS)] ^= True
        chordal, new = factorise(trial, k)
        value = evidence.by_graph(new)
        heat = min(1.0, 0.02 * 50.0 ** (1.2 * (step + WALK_WARM_UP) / WALK_WARM_UP))
        taken = chordal & (np.log(rng.random(WALKS)) < heat * (value - worth))
        graphs, factors = np.where(taken[:, None], trial, graphs), np.where(taken[:, None], new, factors)
        worth = np.where(taken, value, worth)
        if step >= 0 and step % WALK_THIN == 0:
            kept.append((graphs, factors))
    return np.concatenate([g for g, _ in kept]), np.concatenate([f for _, f in kept])


def quantile(result: Average, share: float) -> float:
    """Posterior quantile of the number on no list, interpolated within the integers a point stands for."""
    upto = np.cumsum(result.weight)
    i = int(np.searchsorted(upto, share))
    i = min(i, result.unseen.size - 1)
    before = upto[i - 1] if i else 0.0
    left = 0.0 if i == 0 else 0.5 * (result.unseen[i - 1] + result.unseen[i])
    right = result.unseen[i] if i == result.unseen.size - 1 else 0.5 * (result.unseen[i] + result.unseen[i + 1])
    return float(left + (right - left) * (share - before) / result.weight[i]) if result.weight[i] > 0 else float(left)

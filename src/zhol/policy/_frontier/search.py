"""The search: NSGA-III over strengths and delays, everything that it tries kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zhol.core.draws import generator
from zhol.policy._frontier.evaluation import Bench, evaluate
from zhol.policy._frontier.knees import not_dominated
from zhol.policy._frontier.options import Space
from zhol.policy.outcomes import all_outcomes

_TIRED = 8  # generations without a new design after which the search ends
_AT_ONCE = 64  # designs of a refinement
_GENERATIONS = 8  # at least, if the runs allow
Progress = Callable[[int, int], None]
Key = tuple[tuple[float, ...], tuple[int, ...]]


@dataclass
class Archive:
    """Every design tried, once.

    Attributes
    ----------
    bench : Bench
    quantile : float
        Of the draws, counted from the good side, that an objective must hold for.
    """

    bench: Bench
    quantile: float
    cluster: str | None = None
    designs: list[Key] = field(default_factory=list)
    gaps: list[np.ndarray] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    known: dict[Key, int] = field(default_factory=dict)

    def unknown(self, strength: np.ndarray, late: np.ndarray) -> int:
        """How many of these designs have not been tried yet."""
        return len(set(_keys(strength, late)) - set(self.known))

    def add(self, strength: np.ndarray, late: np.ndarray, tell: Progress | None = None) -> np.ndarray:
        """Numbers of these designs in the archive; those not tried yet are run."""
        keys = _keys(strength, late)
        new = [k for k in dict.fromkeys(keys) if k not in self.known]
        if new:
            found = evaluate(self.bench, np.array([k[0] for k in new]), np.array([k[1] for k in new]),
                             cluster=self.cluster, tell=tell)  # fmt: skip
            for key, gap, broken in zip(new, found.gaps, found.broken, strict=True):
                self.known[key] = len(self.designs)
                self.designs.append(key)
                self.gaps.append(gap)
                self.broken.append(broken)
        return np.array([self.known[k] for k in keys])

    def objectives(self, rows: np.ndarray | None = None) -> np.ndarray:
        """What the search makes small: the quantile of each difference, turned so that less is better."""
        gaps = np.array([self.gaps[i] for i in (range(len(self.gaps)) if rows is None else rows)])
        sign = np.array([-1.0 if o.direction == "more" else 1.0 for o in self.bench.outcomes])
        # On a grid as fine as single precision tells apart, so that rounding makes no design better than another.
        grid = all_outcomes().tolerance * np.median(np.abs(self.bench.before), axis=0)
        values = robust(gaps * sign, self.quantile)
        return np.asarray(np.where(grid > 0, np.round(values / np.where(grid > 0, grid, 1.0)) * grid, values))

    def infeasible(self, rows: np.ndarray | None = None) -> np.ndarray:
        """How many rights floors each design breaks, and one more if it runs away where present policies do not."""
        chosen = range(len(self.designs)) if rows is None else rows
        floors = np.array([len(self.broken[i].split(", ")) if self.broken[i] else 0 for i in chosen], dtype=float)
        lost = np.array([not np.isfinite(self.gaps[i]).all() for i in chosen])
        return floors + lost


def _keys(strength: np.ndarray, late: np.ndarray) -> list[Key]:
    return [(tuple(x), tuple(d)) for x, d in zip(strength.tolist(), late.tolist(), strict=True)]


def robust(gaps: np.ndarray, quantile: float) -> np.ndarray:
    """Quantile over draws of (designs, draws, outcomes); draws that are not finite count as the worst of the outcome.

    Examples
    --------
    >>> robust(np.arange(5.0).reshape(1, 5, 1), 0.75)
    array([[3.]])
    """
    worst = np.where(np.isfinite(gaps), gaps, -np.inf).max(axis=(0, 1), initial=0.0)
    return np.asarray(np.quantile(np.where(np.isfinite(gaps), gaps, worst), quantile, axis=1))


def search(archive: Archive, designs: int, size: int, seed: int, progress: Progress | None = None) -> str:
    """Fill an archive with up to so many designs: with all there are if they are no more, else by NSGA-III.

    Returns
    -------
    str
        What was done, in words.

    References
    ----------
    Deb, Jain (2014), doi 10.1109/TEVC.2013.2281535; Blank, Deb (2020), doi 10.1109/ACCESS.2020.2990567.
    """
    space = archive.bench.space
    if space.count <= designs:
        strength, late = space.every()
        archive.add(strength, late, progress)
        return f"every mix in steps of {space.step:g} of strength was tried"
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.problem import Problem
    from pymoo.operators.selection.tournament import TournamentSelection
    from pymoo.problems.static import StaticProblem

    count = len(archive.bench.outcomes)
    size = min(size, max(designs // _GENERATIONS, len(space.options) + 3, count))  # few runs: smaller generations
    directions = reference_directions(count, size)
    first = first_designs(space, max(size, len(directions)), seed)
    fewer = TournamentSelection(func_comp=_less_broken)
    algorithm = NSGA3(directions, pop_size=len(first), sampling=first, selection=fewer)
    problem = Problem(n_var=space.size, n_obj=count, n_ieq_constr=1, xl=0.0, xu=1.0)
    algorithm.setup(problem, termination=("n_gen", 10**6), seed=seed, verbose=False)
    idle = 0
    while idle < _TIRED:
        before = len(archive.designs)
        asked = algorithm.ask()
        strength, late = space.decode(asked.get("X"))
        if before + archive.unknown(strength, late) > designs:
            break
        rows = archive.add(strength, late, None if progress is None else _from(progress, before, designs))
        known = StaticProblem(problem, F=archive.objectives(rows), G=archive.infeasible(rows)[:, None] - 0.5)
        Evaluator().eval(known, asked)
        algorithm.tell(infills=asked)
        idle = 0 if len(archive.designs) > before else idle + 1
    _refine(archive, designs, seed, progress)
    if progress:
        progress(designs, designs)
    return "a search shows what it found; that nothing better exists is not shown"


def _refine(archive: Archive, designs: int, seed: int, progress: Progress | None) -> None:
    """Spend what is left on mixes one step away from those that nothing beats, until none is new."""
    random = generator(seed, "steps of the frontier")
    while (left := designs - len(archive.designs)) > 0:
        fair = np.flatnonzero(archive.infeasible() == 0)
        best = fair[not_dominated(archive.objectives(fair))] if fair.size else fair
        near = [
            key for i in best for key in _steps(archive.bench.space, archive.designs[i]) if key not in archive.known
        ]
        near = list(dict.fromkeys(near))
        if not near:
            return
        some = [near[i] for i in random.permutation(len(near))[: min(left, _AT_ONCE)]]
        tell = None if progress is None else _from(progress, len(archive.designs), designs)
        archive.add(np.array([x for x, _ in some]), np.array([d for _, d in some]), tell)


def _steps(space: Space, key: Key) -> list[Key]:
    """Designs one step of strength or one delay away, within the budget."""
    strength, late = (np.array(part) for part in key)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for i in range(len(strength)):
        one = np.arange(len(strength)) == i
        found += [(strength + by * one, late) for by in (space.step, -space.step)]
        if strength[i] > 0:
            found += [(strength, late + by * one) for by in (1, -1)]
    last = len(space.delays) - 1
    inside = [(x, d) for x, d in found if x.min() > -1e-9 and x.max() < 1.0 + 1e-9 and d.min() >= 0 and d.max() <= last]
    if not inside:
        return []
    return _keys(*space.decode(space.encode(*(np.array(part) for part in zip(*inside, strict=True)))))


def _less_broken(population: Any, pairs: np.ndarray, random_state: np.random.Generator, **_: Any) -> np.ndarray:
    """Of each pair the one that breaks less; among equals one at random, from the seed (pymoo's own takes another)."""
    broken = population.get("CV")[:, 0][pairs]
    equal = random_state.integers(0, 2, len(pairs))
    side = np.where(broken[:, 0] == broken[:, 1], equal, broken.argmin(axis=1))
    return np.asarray(pairs[np.arange(len(pairs)), side][:, None])


def _from(progress: Progress, before: int, designs: int) -> Progress:
    return lambda done, of: progress(min(before + done, designs), designs)


def reference_directions(count: int, size: int) -> np.ndarray:
    """Directions of Das and Dennis, as many as fit into a population."""
    from math import comb

    from pymoo.util.ref_dirs import get_reference_directions

    parts = 1
    while comb(parts + 1 + count - 1, count - 1) <= max(size, count):
        parts += 1
    return np.asarray(get_reference_directions("das-dennis", count, n_partitions=parts))


def first_designs(space: Any, count: int, seed: int) -> np.ndarray:
    """Nothing, every option alone at full strength, all together, and a random rest with some options left out."""
    options = len(space.options)
    fixed = np.concatenate([np.zeros((1, options)), np.eye(options), np.ones((1, options)), np.full((1, options), 0.5)])
    random = generator(seed, "first designs")
    more = max(count - len(fixed), 0)
    drawn = random.random((more, options)) * (random.random((more, options)) < 0.6)
    strength = np.concatenate([fixed, drawn])[:count]
    late = np.zeros(strength.shape, dtype=int)
    late[len(fixed) :] = random.integers(0, len(space.delays), late[len(fixed) :].shape)
    return np.asarray(space.encode(strength, late))

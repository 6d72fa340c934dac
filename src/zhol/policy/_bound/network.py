"""People on a network: the cheapest road of each demand under given intensities, in whole cents, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = Any
_TIE = 128  # room under the cents for the number of legs: of two roads equally dear the one with fewer legs is taken
FAR = np.int64(2) ** 60


@dataclass(frozen=True, eq=False)
class Problem:
    """A network with its travellers, as an enforcer finds it.

    Parameters
    ----------
    places : int
        Places are numbered from 0.
    tail, head, pair : (A,) arrays of int
        Legs: where they begin and end, and which pair of countries they belong to; modes are legs of their own.
    caps : (P,) array
        Most levels of intensity that the enforcer can put on each pair; 0 where it cannot act.
    origins : (O,) array of int
        Places that people leave from; costs differ by origin, because what a loss is worth does.
    base, rise : (O, A) arrays of whole numbers
        Cost of each leg in cents, and what each level adds; not below 0.
    origin, destination : (D,) arrays of int
        Of each demand: its row in ``origins``, and a place.
    persons : (D,) array
    spread : (D,) array
        Mean, in cents, of what people would pay beyond today's cost (exponential); unused where ``room`` counts.
    room : (D,) array or None
        Whole cents by which the cost can rise until all of a demand stay at home (a rise above it stops them); None:
        people differ, as ``spread`` says.
    whole : bool
        Levels are whole numbers.
    """

    places: int
    tail: Array
    head: Array
    pair: Array
    caps: Array
    origins: Array
    base: Array
    rise: Array
    origin: Array
    destination: Array
    persons: Array
    spread: Array
    room: Array | None = None
    whole: bool = True

    @cached_property
    def today(self) -> State:
        """Without enforcement."""
        return evaluate(self, np.zeros(len(self.caps)), None)

    @cached_property
    def full(self) -> State:
        """With all that the enforcer can do anywhere: nothing does more."""
        return evaluate(self, self.caps.astype(float), self.today)

    @cached_property
    def _by_head(self) -> tuple[Array, Array, Array]:
        """Legs in the order of where they end, first leg of each end, and the ends."""
        order = np.lexsort((np.arange(len(self.head)), self.head))
        ends, first = np.unique(self.head[order], return_index=True)
        return order, first, ends


@dataclass(frozen=True, eq=False)
class State:
    """What people do under given intensities.

    Parameters
    ----------
    levels : (P,) array
    cost : (D,) array of cents
    roads : tuple of tuples of legs, one a demand
    stopped : (D,) array
        Share of each demand that stays at home.
    value : float
        Persons who stay at home.
    """

    levels: Array
    cost: Array
    roads: tuple[tuple[int, ...], ...]
    stopped: Array
    value: float


def leg_costs(problem: Problem, levels: Array) -> Array:
    """Cost of each leg by origin, (O, A) whole cents."""
    exact = problem.base + problem.rise * levels[problem.pair]
    return np.floor(exact + 1e-6).astype(np.int64)


def evaluate(problem: Problem, levels: Array, today: State | None) -> State:
    """Cheapest roads, costs and who stays at home under ``levels``; a demand keeps today's road if none is cheaper."""
    costs = leg_costs(problem, levels)
    distance, by = _cheapest(problem, costs * _TIE + 1)
    reached = distance[problem.origin, problem.destination]
    cost = reached // _TIE
    roads = []
    for d, (o, end) in enumerate(zip(problem.origin.tolist(), problem.destination.tolist(), strict=True)):
        if today is not None:
            kept = today.roads[d]
            if sum(costs[o, list(kept)].tolist()) == cost[d]:
                roads.append(kept)
                continue
        roads.append(_road(by[o], problem, int(problem.origins[o]), end) if reached[d] < FAR else ())
    before = cost if today is None else today.cost
    stopped = stopped_share(problem, cost - before)
    return State(levels, cost, tuple(roads), stopped, float(problem.persons @ stopped))


def stopped_share(problem: Problem, rise: Array) -> Array:
    """Share of each demand that stays at home when its cost rises by so many cents, (D,)."""
    if problem.room is not None:
        return (rise > problem.room).astype(float)
    return -np.expm1(-rise / problem.spread)


def _cheapest(problem: Problem, costs: Array) -> tuple[Array, Array]:
    """Bellman and Ford for all origins at once: distances (O, places), and the leg by which each place is reached."""
    order, first, ends = problem._by_head
    tails, costs = problem.tail[order], costs[:, order]
    rows = np.arange(len(problem.origins))
    distance = np.full((len(rows), problem.places), FAR, dtype=np.int64)
    distance[rows, problem.origins] = 0
    while len(order):
        through = np.minimum(distance[:, tails] + costs, FAR)
        best = np.minimum(np.minimum.reduceat(through, first, axis=1), distance[:, ends])
        if (best == distance[:, ends]).all():
            break
        distance[:, ends] = best
    by = np.full((len(rows), problem.places), -1, dtype=np.int64)
    for i, end in enumerate(ends):
        stop = first[i + 1] if i + 1 < len(first) else len(order)
        part = slice(first[i], stop)
        by[:, end] = order[part][np.argmin(distance[:, tails[part]] + costs[:, part], axis=1)]
    return distance, by


def _road(by: Array, problem: Problem, start: int, end: int) -> tuple[int, ...]:
    legs = []
    while end != start:
        leg = int(by[end])
        legs.append(leg)
        end = int(problem.tail[leg])
    return tuple(reversed(legs))

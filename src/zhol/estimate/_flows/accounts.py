"""From stocks and vital events to a matrix of moves, for a batch of stocks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zhol.estimate._flows import closing, simple, tables, vital_events
from zhol.estimate._flows.scaling import Array


@dataclass(frozen=True)
class Plan:
    """Everything that says how flows are made from stocks; the arguments of ``zhol.estimate.flows``."""

    method: str = "demographic"
    closed: bool = True
    births_method: str = "native"
    deaths_method: str = "proportion"
    stayers: bool = True
    balance: str = "before"
    birth_non_negative: bool = True
    open_weights: str = "own"
    whole_persons: bool = False
    weight: float = 0.87
    decrease: str = "return"
    include_native_born: bool = False
    rates: str = "dennett"
    total: float | None = None
    seed_matrix: Array | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Account:
    """Stocks of one batch after vital events and matching, what happened on the way, and the birthplace tables."""

    start_used: Array  # residents (draw, place) after balancing the world
    end_used: Array
    births: Array  # births and deaths (draw, place) that the residents could bear
    deaths: Array
    matched: closing.Matched
    accounted: Array  # draws in which deaths by accounting was possible


def make_account(start: Array, end: Array, births: Array, deaths: Array, plan: Plan) -> Account:
    """Take births and deaths off and make the two stocks one account.

    Parameters
    ----------
    start, end : array, shape (draw, birthplace, residence)
    births, deaths : array, shape (draw, place)
    """
    if plan.closed and plan.balance == "before":
        start, end = closing.balance_world(start, end, (births - deaths).sum(1), plan.whole_persons)
    start_used, end_used = start.sum(1), end.sum(1)
    births, deaths = vital_events.feasible_events(start, end, births, deaths)
    born = vital_events.birth_table(end, births, plan.births_method, plan.birth_non_negative)
    died, accounted = vital_events.death_table(start, end, births, deaths, plan.deaths_method)
    start, end = np.maximum(start - died, 0.0), np.maximum(end - born, 0.0)
    if plan.closed:
        survivors, others = start.sum(1), end.sum(1)
        if not np.allclose(survivors.sum(1), others.sum(1), rtol=1e-14):
            start, end = closing.balance_world(start, end, np.zeros(len(start)))
            start_used, end_used = start_used + start.sum(1) - survivors, end_used + end.sum(1) - others
        matched = closing.match_closed(start, end)
    else:
        matched = closing.match_open(start, end, plan.open_weights)
    return Account(start_used, end_used, births, deaths, matched, accounted)


def flow_parts(matched: closing.Matched, plan: Plan) -> list[tuple[float, tables.Factors]]:
    """Birthplace tables with their weights: one, or the two of the mixture."""
    start, end, seed = matched.start, matched.end, plan.seed_matrix
    if plan.method == "pseudo_bayes":
        fewest, most = tables.fewest_moves(start, end, seed), tables.independent_moves(start, end, seed)
        return [(plan.weight, fewest), (1.0 - plan.weight, most)]
    make = tables.fewest_moves if plan.stayers else tables.independent_moves
    return [(1.0, make(start, end, seed))]


def matrices(start: Array, end: Array, births: Array, deaths: Array, plan: Plan) -> Array:
    """Moves (draw, origin, destination) of a batch of stocks by any method."""
    if plan.method == "difference":
        return simple.differences(start, end, plan.decrease, plan.include_native_born)
    if plan.method == "rates":
        return rate_flows(start, end, births - deaths, plan)
    matched = make_account(start, end, births, deaths, plan).matched
    if plan.seed_matrix is not None and plan.seed_matrix.ndim == 3:
        return np.stack([mixed_cube(matched, plan, k)[0].sum(2) for k in range(len(start))])
    found: Array = np.sum([weight * part.matrices() for weight, part in flow_parts(matched, plan)], axis=0)
    return found


def rate_flows(start: Array, end: Array, natural: Array, plan: Plan) -> Array:
    """Dennett's flows (moves of the world, if not given: sum of absolute net moves), or Rogers and von Rabenau's."""
    if plan.rates == "dennett":
        moved = np.abs(end.sum(1) - start.sum(1) - natural).sum(1)
        return simple.dennett(start, moved if plan.total is None else np.full(len(start), plan.total))
    return simple.rogers_von_rabenau(start, end)


def mixed_cube(matched: closing.Matched, plan: Plan, draw: int = 0) -> tuple[Array, bool]:
    """Flows (origin, destination, birthplace) of one draw, and whether a seed with zeros let all totals be met."""
    seed = plan.seed_matrix
    if seed is None or seed.ndim == 2:
        parts = flow_parts(matched, plan)
        cube = np.zeros((1, 1, 1))
        for weight, part in parts:
            cube = cube + weight * part.cube(draw)
        return cube, all(bool(part.met[draw]) for _, part in parts)
    one = (matched.start[draw], matched.end[draw], seed)
    if plan.method != "pseudo_bayes":
        cube, met = tables.cube_from_cube(*one, plan.stayers)
        return cube, bool(met.all())
    fewest, most = tables.cube_from_cube(*one, True), tables.cube_from_cube(*one, False)
    both = bool(fewest[1].all() and most[1].all())
    return plan.weight * fewest[0] + (1 - plan.weight) * most[0], both

"""The search: solve the programme, see which roads people take, add them, until truth and promise meet."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhol.policy._bound.master import Master
from zhol.policy._bound.network import Problem, State, evaluate

Array = Any


@dataclass(frozen=True, eq=False)
class Answer:
    """What a budget can do.

    Parameters
    ----------
    state : State
        The best intensities found, and what people do under them.
    bound : float
        Persons; proven: no intensities within the budget keep more at home.
    proven : bool
        Whether bound and state meet within the gap asked for.
    """

    state: State
    bound: float
    proven: bool


@dataclass(frozen=True)
class Rule:
    """When the search stops: at a gap relative to the people kept at home, or after so many seconds a budget."""

    gap: float = 1e-4
    seconds: float = 60.0


def answers(
    problem: Problem, budgets: Sequence[float], rule: Rule, starts: Sequence[Iterable[Array]] = ()
) -> list[Answer]:
    """The answer to each of the budgets (levels, rising); ``starts`` are intensities to begin from, for each budget."""
    master: Master | None = None
    out: list[Answer] = []
    tried = problem.today
    for i, budget in enumerate(budgets):
        if budget >= problem.caps.sum():
            state = _trim(problem, problem.full)
            out.append(Answer(state, problem.full.value, True))
            continue
        given = starts[i] if i < len(starts) else ()
        best = max((tried, *(evaluate(problem, y, problem.today) for y in given)), key=lambda s: s.value)
        if budget > 0 and problem.full.value > 0:
            if master is None:
                master = Master(problem)
                master.learn([problem.today, problem.full])
            best, bound = _search(problem, master, budget, best, rule)
        else:
            bound = 0.0 if budget == 0 else problem.full.value
        best = _trim(problem, best)
        tried = best
        out.append(Answer(best, bound, bound - best.value <= _slack(best.value, rule, problem)))
    return _never_falling(out, rule, problem)


def _search(problem: Problem, master: Master, budget: float, best: State, rule: Rule) -> tuple[State, float]:
    master.budget(budget)
    bound, end = problem.full.value, time.monotonic() + rule.seconds
    for whole in (False, True):
        while bound - best.value > _slack(best.value, rule, problem) and time.monotonic() < end:
            solution, top = master.solve(whole, rule.gap / 4, end - time.monotonic())
            bound = min(bound, top)
            if solution is None:
                break
            raw = np.zeros(len(problem.caps))
            raw[master.pairs] = np.clip(solution[: len(master.pairs)], 0, problem.caps[master.pairs])
            state = evaluate(problem, _within(raw, budget) if not problem.whole else raw, problem.today)
            new = master.learn([state])
            new |= master.tighten(solution)
            if problem.whole:
                state = evaluate(problem, _rounded(problem, raw, budget), problem.today)
                new |= master.learn([state])
            best = max((best, state), key=lambda s: s.value)
            if not new:
                break
    return best, max(bound, best.value)


def _slack(value: float, rule: Rule, problem: Problem) -> float:
    return rule.gap * value + 1e-9 * problem.full.value


def _within(levels: Array, budget: float) -> Array:
    """Shrunk by what rounding in the programme overspent."""
    return levels * min(1.0, budget / max(levels.sum(), 1e-300))


def _rounded(problem: Problem, levels: Array, budget: float) -> Array:
    """Whole levels within the budget: rounded down, and what is left goes where most was cut off."""
    down = np.floor(levels + 1e-6)
    left = int(budget - down.sum() + 1e-6)
    order = np.argsort(-(levels - down), kind="stable")
    for p in order[problem.caps[order] > down[order]][: max(left, 0)]:
        down[p] += 1
    return down


def _trim(problem: Problem, state: State) -> State:
    """The same result for less: levels taken off pairs where they keep nobody at home."""
    used = set() if problem.room is not None else {int(problem.pair[leg]) for road in state.roads for leg in road}
    floor = state.value * (1 - 1e-12)
    for p in np.flatnonzero(state.levels > 0):
        if int(p) in used:
            continue
        low, high = 0.0, float(state.levels[p])
        while high - low > (0.5 if problem.whole else 0.01):
            middle = np.floor((low + high) / 2) if problem.whole else (low if low == 0 else (low + high) / 2)
            levels = state.levels.copy()
            levels[p] = middle
            less = evaluate(problem, levels, problem.today)
            if less.value >= floor:
                state, high = less, float(middle)
            else:
                low = float(middle) + (1.0 if problem.whole else 0.01)
    return state


def _never_falling(found: list[Answer], rule: Rule, problem: Problem) -> list[Answer]:
    """A bound on a larger budget holds for a smaller one."""
    out: list[Answer] = []
    bound = problem.full.value
    for answer in reversed(found):
        bound = max(min(bound, answer.bound), answer.state.value)
        out.append(Answer(answer.state, bound, bound - answer.state.value <= _slack(answer.state.value, rule, problem)))
    return out[::-1]

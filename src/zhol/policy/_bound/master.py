"""The mixed-integer programme: known roads and tangents only, so that it never promises less than the truth."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zhol.policy._bound.network import Problem, State

Array = Any
_EXACT = 1e-9


@cache
def solver() -> Any:
    """The module highspy, which greets once a process on standard output, where results go: here it greets nobody."""
    import highspy

    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            highspy.Highs()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    return highspy


class Master:
    """Intensities that stop most people, as if only the roads known so far existed.

    Variables: levels y of each pair; for each demand that can be moved at all, the rise x of its cost (as a share of
    its spread or of its room) and the share s that stays at home. Each known road bounds x from above, since nobody
    pays more than the cheapest; s lies under tangents of 1 - exp(-x), or is 0 or 1. Leaving out roads or tangents only
    raises the optimum.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self._highspy = problem, solver()
        self.pairs = np.flatnonzero(problem.caps > 0)
        most = problem.full.cost - problem.today.cost
        self._unit = problem.spread if problem.room is None else problem.room + 1.0
        moved = problem.full.stopped > 0
        self.demands = np.flatnonzero(moved & (problem.persons > 0))
        self._most = most / self._unit
        self.scale = max(problem.full.value, 1e-300)  # the objective runs from 0 to 1
        self._column = {int(p): i for i, p in enumerate(self.pairs)}
        self._slot = {int(d): i for i, d in enumerate(self.demands)}
        self._roads: set[tuple[int, tuple[int, ...]]] = set()
        self._touched: set[tuple[int, float]] = set()
        self.highs = self._build()

    def _build(self) -> Any:
        highs = self._highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 0), ("mip_abs_gap", 0.0)):
            highs.setOptionValue(option, value)
        highs.setOptionValue("mip_feasibility_tolerance", _EXACT)
        highs.setOptionValue("primal_feasibility_tolerance", _EXACT)
        p, d = len(self.pairs), len(self.demands)
        upper = np.concatenate([self.problem.caps[self.pairs], self._most[self.demands], np.ones(d)])
        upper[p + d :] = self.problem.full.stopped[self.demands]
        cost = np.concatenate([np.zeros(p + d), self.problem.persons[self.demands] / self.scale])
        none: Array = np.array([], dtype=np.int32)
        highs.addCols(p + 2 * d, cost, np.zeros(p + 2 * d), upper, 0, none, none, np.array([], dtype=float))
        highs.changeObjectiveSense(self._highspy.ObjSense.kMaximize)
        self._row(-math.inf, 0.0, np.arange(p), np.ones(p), highs)
        for i in range(d):
            self._first_tangents(i, highs)
        return highs

    def _first_tangents(self, i: int, highs: Any) -> None:
        p, d = len(self.pairs), len(self.demands)
        if self.problem.room is not None:
            self._row(-math.inf, 0.0, [p + i, p + d + i], [-1.0, 1.0], highs)  # s <= x, and s is 0 or 1
            return
        most = float(self._most[self.demands[i]])
        for x in np.unique([0.0, most / 8, most / 3, most]):
            self._tangent(i, float(x), highs)

    def _row(self, low: float, high: float, columns: Any, values: Any, highs: Any) -> None:
        highs.addRow(low, high, len(columns), np.asarray(columns, dtype=np.int32), np.asarray(values, dtype=float))

    def _tangent(self, i: int, x: float, highs: Any) -> bool:
        """s <= 1 - exp(-x0) + exp(-x0) (x - x0); False if it is there."""
        x = round(x, 9)
        if (i, x) in self._touched:
            return False
        self._touched.add((i, x))
        p, d, slope = len(self.pairs), len(self.demands), math.exp(-x)
        self._row(-math.inf, 1.0 - slope - slope * x, [p + i, p + d + i], [-slope, 1.0], highs)
        return True

    def _road(self, d: int, road: tuple[int, ...]) -> bool:
        """x <= what this road costs more than today's cheapest; False if it is there."""
        if (d, road) in self._roads:
            return False
        self._roads.add((d, road))
        i, o, unit, problem = self._slot[d], self.problem.origin[d], self._unit[d], self.problem
        levels: dict[int, float] = {}
        for leg in road:
            column = self._column.get(int(problem.pair[leg]))
            if column is not None:
                levels[column] = levels.get(column, 0.0) + problem.rise[o, leg] / unit
        apart = (problem.base[o, list(road)].sum() - problem.today.cost[d]) / unit
        columns = [len(self.pairs) + i, *levels]
        self._row(-math.inf, float(apart), columns, [1.0, *(-v for v in levels.values())], self.highs)
        return True

    def budget(self, levels: float) -> None:
        """Levels that may be spent in all."""
        self.highs.changeRowBounds(0, -math.inf, float(levels))

    def learn(self, states: Iterable[State]) -> bool:
        """Add the roads that people take in these states, and tangents where they stand; False if nothing was new."""
        new = False
        for state in states:
            rises = (state.cost - self.problem.today.cost) / self._unit
            for d in self._slot:
                new |= self._road(d, state.roads[d])
                if self.problem.room is None:
                    new |= self._tangent(self._slot[d], float(rises[d]), self.highs)
        return new

    def tighten(self, solution: Array) -> bool:
        """Add tangents where the programme believes more than 1 - exp(-x); False if nowhere."""
        if self.problem.room is not None:
            return False
        p, d = len(self.pairs), len(self.demands)
        x, s = solution[p : p + d], solution[p + d :]
        over = (s + np.expm1(-x)) * self.problem.persons[self.demands] / self.scale
        new = [self._tangent(int(i), float(x[i]), self.highs) for i in np.flatnonzero(over > 1e-8)]
        return any(new)

    def solve(self, whole: bool, gap: float, seconds: float) -> tuple[Array | None, float]:
        """Solution (or None), and a proven upper bound on persons who stay at home (infinite if none was proven)."""
        highs, kind = self.highs, self._highspy.HighsVarType
        p, d = len(self.pairs), len(self.demands)
        members = np.concatenate([np.arange(p), np.arange(p + d, p + 2 * d)] if self.problem.room is not None
                                 else [np.arange(p)]).astype(np.int32)  # fmt: skip
        if not self.problem.whole:
            members = members[p:]
        sort = kind.kInteger if whole else kind.kContinuous
        highs.changeColsIntegrality(len(members), members, np.array([sort] * len(members)))
        highs.setOptionValue("mip_rel_gap", gap)
        highs.setOptionValue("time_limit", max(seconds, 0.05))
        highs.run()
        info, done = highs.getInfo(), highs.getModelStatus() == self._highspy.HighsModelStatus.kOptimal
        if whole and len(members):
            top = info.mip_dual_bound if math.isfinite(info.mip_dual_bound) else math.inf
        else:
            top = info.objective_function_value if done else math.inf
        found = np.array(highs.getSolution().col_value) if info.primal_solution_status == 2 else None
        return found, top * self.scale

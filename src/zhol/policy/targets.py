"""What it would take: the least package that reaches a target, or the reason why none in range does.

Every instrument of a package may be used at any strength from none to what the package gives it. In each draw the best
point of such a box is one of its corners if the outcome rises or falls steadily along every line parallel to an edge;
that is checked, and draws where it fails count as if they could reach the target. The share of draws whose best corner
reaches it then bounds what any package in range can do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.policy.instruments import instrument
from zhol.policy.measured import remarks, scope_for
from zhol.policy.outcomes import Outcome, Scope, outcome, totals, unit_of, worded
from zhol.policy.paired import START, Paired, pair
from zhol.policy.rights import judge, lawful
from zhol.policy.scenario import Scenario

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.model import Model
    from zhol.system.run import Run

MOST_INSTRUMENTS = 8  # every corner is run: 256 packages
_GRID = {1: 21, 2: 11, 3: 6, 4: 4, 5: 3}  # strengths tried for each instrument, by their number; above: 0 and 1
_STEPS = (0.2, 0.1, 0.05)  # of the descent from the cheapest point of the grid
_LINES = 12  # edges on which it is checked that the outcome moves steadily
_POINTS = 5
_STARTS = 3  # cheapest packages of the grid from which it is tried to get cheaper still
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """Answer to "what would it take"; frozen.

    Attributes
    ----------
    verdict : {"reached", "only unlawful", "out of reach", "not found"}
        ``only unlawful``: every package found that reaches the target breaks a rights floor. ``out of reach``: shown
        for the whole range. ``not found``: nothing tried reaches it, and that is all that can be said.
    package : Scenario or None
        The least package that reaches the target and breaks no rights floor.
    strengths : mapping of instrument to float
        Beside what the package given to `target` has.
    probability : float
        Share of draws in which the package found reaches the target; without one, the best of what was tried.
    bound : float
        No package in range reaches it in a larger share of draws, as far as was checked.
    cost : float
        In ``cost_unit``.
    cost_unit : str
    steady : float
        Share of draws in which the outcome moves steadily along every edge looked at.
    tried : polars.DataFrame
        Every package tried: strengths, probability, cost, lawful.
    at_target, beside : (draw,) arrays
        The outcome under the package found (or the best tried) and under present policies.
    """

    question: str
    verdict: str
    package: Scenario | None
    strengths: Mapping[str, float]
    probability: float
    wanted: float
    bound: float
    cost: float
    cost_unit: str
    steady: float
    tried: pl.DataFrame
    at_target: np.ndarray
    beside: np.ndarray
    unit: str
    level: float
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    def summary(self) -> str:
        """The answer in plain text."""
        after, before = (_span(v, self.level, self.unit) for v in (self.at_target, self.beside))
        lines = [self.question, f"Without: {before} {self.unit}."]
        used = ", ".join(f"{n} {x:.2f}" for n, x in self.strengths.items() if x > 0) or "nothing"
        if self.verdict == "reached":
            lines.append(f"Reached in {self.probability:.0%} of draws with {used} "
                         f"({self.cost_unit}: {self.cost:g}): {after} {self.unit}.")  # fmt: skip
        else:
            lines.append(
                f"{_WORDS[self.verdict]} Nearest tried: {used}, {self.probability:.0%} of draws: {after} {self.unit}."
            )
            lines.append(
                f"No package in range can pass {self.bound:.0%} of draws: the outcome moved steadily on every line "
                f"looked at in {self.steady:.0%} of them, and the others count as reaching it."
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        from zhol.core.result import json_ready

        plain = {
            f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("package", "at_target", "beside")
        }
        spans = {n: _ends(getattr(self, n), self.level) for n in ("at_target", "beside")}
        package = None if self.package is None else [m.to_dict() for m in self.package.measures]
        found: dict[str, Any] = json_ready({**plain, **spans, "package": package})
        return found


_WORDS = {
    "only unlawful": "Reached only by packages that break a rights floor.",
    "out of reach": "Out of reach: no package in range does it.",
    "not found": "Not found; that none exists is not shown.",
}


def target(
    name: str,
    value: float,
    year: int | str,
    package: Scenario,
    model: Region | Model | str = "central_asia",
    *,
    probability: float = 0.8,
    relative: bool = False,
    costs: Mapping[str, float] | None = None,
    draws: int = 48,
    seed: int = 1,
    start: str = START,
    end: str | None = None,
    level: float = 0.8,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Target:
    """The least package that brings an outcome to a value by a year with a stated probability.

    Parameters
    ----------
    name : str
        An outcome of ``packs/shared/weights.yaml``. The target is reached at or below the value where less is better,
        at or above it where more is.
    value : float
        In the outcome's unit; stocks at the end of the year, flows in the year.
    year : int
    package : Scenario
        The instruments that may be used, each at most as strongly as here.
    probability : float
        Share of draws in which the target must be reached.
    relative : bool
        Read the value as a share of what present policies give in the same draw and year: 0.7 is 30 % less.
    costs : mapping of instrument to float, optional
        Cost at full strength, for all instruments. Without it, and where the files of the instruments do not give one
        unit for all, the least package is the one with the least total strength.
    end : str, optional
        December of ``year`` if not given.
    draws, seed, start, level, parameters, drivers
        As in `compare`.

    Raises
    ------
    ZholError
        Unknown outcome, a year outside the window, more than eight instruments, costs for some of them only.

    Examples
    --------
    >>> from zhol.policy import package
    >>> from zhol.policy.targets import target
    >>> honest = package("tool1_anti_corruption", "KAZ", "2027-01")
    >>> found = target("irregular_stock", 0.01, 2028, honest, relative=True, start="2027", draws=16, parameters="prior")
    >>> found.verdict, found.package
    ('out of reach', None)
    """
    one = outcome(name)
    if not isinstance(package, Scenario) or not package.measures:
        raise ZholError("the instruments that may be used come as a scenario", found=type(package).__name__)
    if not 0.0 < probability <= 1.0:
        raise ZholError("a probability lies between 0 and 1", found=probability)
    last = end or f"{year}-12"
    paired = pair(
        [None, package], model, start=start, end=last, draws=draws, seed=seed, parameters=parameters, drivers=drivers
    )
    names = paired.plans[1].instruments
    if not names:
        raise ZholError("no instrument of the package acts by then", found=f"{package.name}, {year}")
    if len(names) > MOST_INSTRUMENTS:
        raise ZholError("too many instruments to try every combination", found=len(names),
                        expected=f"{MOST_INSTRUMENTS} or fewer", hint="choose some with package.only(...)")  # fmt: skip
    weights, unit = _costs(names, costs)
    search = _Search.of(paired, package, one, str(year), float(value), relative, weights)
    found = _look(search, probability, progress)
    sense = "at most" if one.direction == "less" else "at least"
    said = f"{value:g} times the base" if relative else f"{worded(value, search.unit)} {search.unit}"
    return replace(
        found,
        question=f"{one.title}: {sense} {said} in {year}, in {probability:.0%} of draws",
        cost_unit=unit,
        level=level,
        warnings=(*found.warnings, *remarks(paired)),
    )


@dataclass
class _Search:
    """Packages between none and full strength, and what each does to the outcome."""

    paired: Paired
    package: Scenario
    names: tuple[str, ...]
    one: Outcome
    scope: Scope
    year: str
    value: float
    relative: bool
    weights: np.ndarray
    beside: np.ndarray
    unit: str
    base: Run
    known: dict[tuple[float, ...], np.ndarray]
    judged: dict[tuple[float, ...], bool]

    @classmethod
    def of(
        cls,
        paired: Paired,
        package: Scenario,
        one: Outcome,
        year: str,
        value: float,
        relative: bool,
        weights: np.ndarray,
    ) -> _Search:
        base = paired.run(0)
        if year not in base.time:
            raise ZholError("a year outside the window", found=year, expected=f"{base.time[0]} to {base.time[-1]}")
        scope = scope_for(paired, base)
        beside = _in_year(base, one, scope, year)
        unit = unit_of(base, one)
        return cls(
            paired,
            package,
            paired.plans[1].instruments,
            one,
            scope,
            year,
            value,
            relative,
            weights,
            beside,
            unit,
            base,
            {},
            {},
        )

    def run(self, points: np.ndarray) -> np.ndarray:
        """The outcome at each point, (point, draw); points run before are remembered."""
        keys = [tuple(round(float(x), 6) for x in p) for p in points]
        new = list(dict.fromkeys(k for k in keys if k not in self.known))
        if new:
            found = self.paired.many(
                1, np.array(new), lambda run: {"v": _in_year(run, self.one, self.scope, self.year)}
            )
            self.known.update(zip(new, found["v"], strict=True))
        return np.stack([self.known[k] for k in keys])

    def reached(self, values: np.ndarray) -> np.ndarray:
        """Whether the target is reached, in the draws that can be used: (point, draw)."""
        goal = self.value * self.beside if self.relative else np.full_like(self.beside, self.value)
        return np.asarray(values <= goal if self.one.direction == "less" else values >= goal)

    def cost(self, points: np.ndarray) -> np.ndarray:
        """Cost of each point."""
        return np.asarray(points @ self.weights)

    def scenario(self, point: Any) -> Scenario:
        """The package at these strengths."""
        at = {name: round(float(x), 6) for name, x in zip(self.names, point, strict=True)}
        measures = [
            replace(
                m,
                intensity=m.intensity * at.get(m.instrument, 1.0),
                path=tuple((t, x * at.get(m.instrument, 1.0)) for t, x in m.path),
            )
            for m in self.package.measures
            if at.get(m.instrument, 1.0) > 0
        ]
        return replace(self.package, name=f"{self.package.name}, least for the target", measures=tuple(measures))

    def declared(self, point: Any) -> bool:
        """Whether the package is lawful at these strengths by what its instruments declare."""
        return lawful(judge(self.scenario(point)))

    def fair(self, point: Any) -> bool:
        """Whether it is lawful by its outcomes too, which takes a run."""
        key = tuple(round(float(x), 6) for x in point)
        if key not in self.judged:
            self.judged[key] = self.declared(point) and lawful(judge(self.paired.at(1, point), self.base))
        return self.judged[key]


def _in_year(run: Run, one: Outcome, scope: Scope, year: str) -> np.ndarray:
    at = run.time.index(year)
    single = replace(run, arrays={n: a[:, at : at + 1] for n, a in run.arrays.items()}, time=(year,))
    return totals(single, one, scope)


def _costs(names: Sequence[str], given: Mapping[str, float] | None) -> tuple[np.ndarray, str]:
    """Cost of each instrument at full strength, and its unit; strength itself where costs are not known for all."""
    if given is not None:
        missing = [n for n in names if n not in given]
        if missing:
            raise ZholError(
                "costs must be given for all instruments or for none", found=f"none for {', '.join(missing)}"
            )
        if any(given[n] < 0 for n in names):
            raise ZholError("a cost cannot be negative", found=str({n: given[n] for n in names if given[n] < 0}))
        return np.array([float(given[n]) for n in names]), "cost as given"
    files = [instrument(n).cost for n in names]
    if all(not isinstance(c, str) and c.value >= 0 for c in files):
        units = {c.unit for c in files if not isinstance(c, str)}
        if len(units) == 1:
            return np.array([c.value for c in files if not isinstance(c, str)]), units.pop()
    return np.ones(len(names)), "total strength, as costs are not known for all instruments"


def _grid(n: int) -> np.ndarray:
    levels = np.linspace(0.0, 1.0, _GRID.get(n, 2))
    return np.stack(np.meshgrid(*[levels] * n, indexing="ij"), axis=-1).reshape(-1, n)


def _look(search: _Search, wanted: float, progress: Progress | None) -> Target:
    tell = progress or (lambda text: None)
    grid = _grid(len(search.names))
    if _by_itself(search, wanted):
        grid = grid[:1]
    tell(f"{len(grid)} packages")
    values = search.run(grid)
    good = np.isfinite(values).all(axis=0) & np.isfinite(search.beside)
    if good.sum() < 2:
        raise ZholError("fewer than two draws stay finite", hint="give fitted parameters, or a shorter window")
    reached = search.reached(values)[:, good]
    share, cost = reached.mean(axis=1), search.cost(grid)
    tell("rights floors of those that reach it")
    able = [int(i) for i in np.argsort(cost, kind="stable") if share[i] >= wanted and search.declared(grid[i])]
    starts = _first(able, lambda i: search.fair(grid[i]), _STARTS)
    bound, steady = 1.0, float("nan")
    if starts:
        tell("descent from the cheapest that reach it")
        point, verdict = _descend(search, grid[starts], good, wanted), "reached"
    else:
        point = grid[_nearest(search, grid, values[:, good], share)]
        tell("lines along which the outcome must move steadily")
        uneven = _uneven(search, point, good)
        bound, steady = float((reached.any(axis=0) | uneven).mean()), float((~uneven).mean())
        verdict = "only unlawful" if (share >= wanted).any() else "out of reach" if bound < wanted else "not found"
    return _answer(search, point, verdict, good, wanted, bound, steady)


def _by_itself(search: _Search, wanted: float) -> bool:
    """Whether present policies already reach the target."""
    good = np.isfinite(search.beside)
    return bool(good.any() and search.reached(search.beside[None])[0, good].mean() >= wanted)


def _answer(
    search: _Search, point: np.ndarray, verdict: str, good: np.ndarray, wanted: float, bound: float, steady: float
) -> Target:
    after = search.run(point[None])
    return Target(
        question="",
        verdict=verdict,
        package=search.scenario(point) if verdict == "reached" else None,
        strengths={name: round(float(x), 6) for name, x in zip(search.names, point, strict=True)},
        probability=float(search.reached(after)[0, good].mean()),
        wanted=wanted,
        bound=bound,
        cost=float(search.cost(point)),
        cost_unit="",
        steady=steady,
        tried=_tried(search, good),
        at_target=after[0, good],
        beside=search.beside[good],
        unit=search.unit,
        level=0.8,
        warnings=() if good.all() else (f"{(~good).sum()} of {len(good)} draws run away and are left out",),
        notes=search.paired.notes,
    )


def _nearest(search: _Search, grid: np.ndarray, values: np.ndarray, share: np.ndarray) -> int:
    """The lawful package that reaches the target most often; among equals the one whose median comes nearest."""
    fair = np.array([search.declared(p) for p in grid])
    sign = 1.0 if search.one.direction == "less" else -1.0
    return int(np.lexsort((search.cost(grid), sign * np.median(values, axis=1), -np.where(fair, share, -1.0)))[0])


def _first(items: Sequence[int], test: Callable[[int], bool], count: int) -> list[int]:
    """The first few that pass a test which takes time; at most four times as many are tested."""
    found: list[int] = []
    for item in items[: 4 * count]:
        if len(found) < count and test(item):
            found.append(item)
    return found


def _descend(search: _Search, starts: np.ndarray, good: np.ndarray, wanted: float) -> np.ndarray:
    """Take strength away while the target stays reached and the floors kept: the dearest first, in smaller steps."""
    best, least = starts[0], float(search.cost(starts[0]))
    for begin in starts:
        point: np.ndarray | None = begin
        for step in _STEPS:
            while point is not None:
                last, point = point, _less(search, point, step, good, wanted)
            point = last
        if search.cost(last) < least - 1e-12:
            best, least = last, float(search.cost(last))
    return best


def _less(search: _Search, point: np.ndarray, step: float, good: np.ndarray, wanted: float) -> np.ndarray | None:
    """The cheapest package, one step weaker in one instrument, that still reaches the target lawfully."""
    moves = np.array([np.maximum(point - step * unit, 0.0) for unit in np.eye(len(point))[point > 1e-9]])
    if not len(moves):
        return None
    share = search.reached(search.run(moves))[:, good].mean(axis=1)
    able = sorted(np.flatnonzero(share >= wanted), key=lambda i: (round(float(search.cost(moves[i])), 9), -share[i]))
    return next((moves[i] for i in able if search.fair(moves[i])), None)


def _uneven(search: _Search, best: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Draws (kept ones) in which the outcome turns back along some line parallel to an edge, of those looked at."""
    rng = generator(search.paired.seed, "edges")
    n, levels = len(search.names), np.linspace(0.0, 1.0, _POINTS)
    lines = []
    for k in range(max(_LINES, n)):
        at = best if k < n else rng.random(n).round(3)
        line = np.repeat(at[None], _POINTS, axis=0)
        line[:, k % n] = levels
        lines.append(line)
    values = search.run(np.concatenate(lines))[:, good].reshape(len(lines), _POINTS, -1)
    steps = np.diff(values, axis=1)
    noise = 1e-5 * np.abs(values).max(axis=1, keepdims=True)
    turns = (steps > noise).any(axis=1) & (steps < -noise).any(axis=1)
    return np.asarray(turns.any(axis=0))


def _tried(search: _Search, good: np.ndarray) -> pl.DataFrame:
    points = np.array(list(search.known))
    share = search.reached(np.stack(list(search.known.values())))[:, good].mean(axis=1)
    columns: dict[str, Any] = {name: points[:, i] for i, name in enumerate(search.names)}
    columns |= {"probability": share, "cost": search.cost(points)}
    return pl.DataFrame(columns).with_columns(
        pl.Series("lawful", [_lawful(search, p) for p in points], dtype=pl.Boolean)
    ).sort("cost", "probability", descending=[False, True])  # fmt: skip


def _lawful(search: _Search, point: np.ndarray) -> bool:
    """By declaration, and by outcomes where these were looked at."""
    return search.judged.get(tuple(round(float(x), 6) for x in point), search.declared(point))


def _ends(values: np.ndarray, level: float) -> dict[str, float]:
    middle, low, high = np.quantile(values, [0.5, (1 - level) / 2, (1 + level) / 2])
    return {"median": float(middle), "low": float(low), "high": float(high)}


def _span(values: np.ndarray, level: float, unit: str) -> str:
    ends = {name: worded(x, unit) for name, x in _ends(values, level).items()}
    return f"{ends['median']} ({ends['low']} to {ends['high']})"

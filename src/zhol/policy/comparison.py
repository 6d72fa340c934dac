"""Scenarios beside each other: what each changes, how surely, for whom, and which floors it breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.policy.measured import acting as acting_countries
from zhol.policy.measured import remarks
from zhol.policy.outcomes import (
    Outcome,
    Scope,
    all_outcomes,
    chosen,
    outcome,
    scope_of,
    series,
    totals,
    unit_of,
    worded,
)
from zhol.policy.paired import END, START, Paired, Plan, pair
from zhol.policy.rights import Broken, broken_table, judge, lawful
from zhol.policy.scenario import Scenario
from zhol.policy.substitution import span_of

if TYPE_CHECKING:
    import altair as alt

    from zhol.policy.substitution import Substitution
    from zhol.region.load import Region
    from zhol.system.model import Model
    from zhol.system.run import Run

DIMENSIONS = ("corridor", "destination", "origin", "status", "year")
_FEWEST = 10  # people in a cell that is shown
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Comparison:
    """Scenarios under common random numbers, beside the first of them; frozen.

    Attributes
    ----------
    names : tuple of str
        The base first.
    runs : tuple of Run
        Draws that are finite in all of them.
    outcomes : tuple of Outcome
    scope : Scope
        The countries that act, and the corridors of people in need.
    broken : tuple of list of Broken
        Rights floors that each scenario breaks or puts at risk.
    level : float
        Coverage of every interval.
    warnings : tuple of str
    spans : tuple of (first, last)
        Years of the window, counted from 0, in which each scenario acts beside the base.
    """

    names: tuple[str, ...]
    runs: tuple[Run, ...]
    outcomes: tuple[Outcome, ...]
    scope: Scope
    broken: tuple[tuple[Broken, ...], ...]
    level: float
    warnings: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row a scenario and outcome: the base, the difference with its interval, the probability of being better.

        ``probability_better`` and ``probability_worse`` are shares of draws; what is left is no difference. They follow
        the direction of the outcome's own family (control for control, people for the others); ``contested`` says that
        the other side wants the opposite.
        """
        rows = []
        for number in range(1, len(self.names)):
            for one in self.outcomes:
                base, after = self._totals[0][one.id], self._totals[number][one.id]
                columns = self._columns(one, base[:, None], after[:, None])
                rows.append({**self._head(number, one), **{name: float(a[0]) for name, a in columns.items()}})
        return pl.DataFrame(rows)

    def by(self, dimensions: Sequence[str] | str, outcomes: Sequence[str] | None = None) -> pl.DataFrame:
        """The same differences by corridor, destination, origin, status and year.

        Outcomes that do not have a dimension are left out, unless they are asked for; so are cells of fewer than ten
        people in the base and under the scenario alike.

        Parameters
        ----------
        dimensions : sequence of str
            Among ``corridor``, ``destination``, ``origin``, ``status``, ``year``.
        outcomes : sequence of str, optional

        Raises
        ------
        ZholError
            An unknown dimension, or an outcome asked for that does not have it.
        """
        dims = [dimensions] if isinstance(dimensions, str) else list(dimensions)
        for dim in dims:
            if dim not in DIMENSIONS:
                raise ZholError("unknown dimension", found=dim, expected=", ".join(DIMENSIONS))
        yearly, places = "year" in dims, [d for d in dims if d != "year"]
        frames = []
        for one in self.outcomes if outcomes is None else chosen(outcomes):
            try:
                _, labels = series(self.runs[0], one, self.scope, places)
            except ZholError:
                if outcomes is None:
                    continue
                raise
            keys = {"year": list(self.runs[0].time), **labels} if yearly else dict(labels)
            values = [self._cut(run, one, places, yearly) for run in self.runs]
            frames += [self._frame(n, one, keys, values[0], values[n]) for n in range(1, len(self.names))]
        order = ["scenario", "outcome", *dims]
        return pl.concat(frames).select(*order, pl.exclude(order))

    def difference(self, scenario: int | str, name: str) -> np.ndarray:
        """Every draw of the difference to the base in one outcome over the whole window, (draw,)."""
        number = self._number(scenario)
        one = outcome(name)
        if name in self._totals[0]:
            return self._totals[number][name] - self._totals[0][name]
        return totals(self.runs[number], one, self.scope) - totals(self.runs[0], one, self.scope)

    def substitution(self) -> Substitution:
        """What moves elsewhere: to other countries and roads, other statuses, other times, and into fewer returns."""
        from zhol.policy.substitution import substitution

        return substitution(self)

    @cached_property
    def standing(self) -> pl.DataFrame:
        """Where each scenario stands: lawful or not, and which lawful scenario is better on everything.

        No scenario gets a number. One dominates another if it is at least as good on every outcome (on both sides of
        a contested one) and better on some, at the median of the draws; ``not_dominated`` is the share of draws in
        which no lawful scenario does so. Scenarios that break a rights floor stand last and dominate nothing.
        """
        objectives = self._objectives()
        fair = [lawful(b) for b in self.broken]
        middle = _dominates(np.median(self._gaps(objectives), axis=-1, keepdims=True), fair)[..., 0]
        each = _dominates(self._gaps(objectives), fair)
        rows = []
        for j, name in enumerate(self.names):
            rows.append(
                {
                    "scenario": name,
                    "verdict": "lawful" if fair[j] else "not lawful",
                    "floors_broken": ", ".join(sorted({b.floor for b in self.broken[j] if b.verdict == "breaks"})),
                    "floors_at_risk": ", ".join(sorted({b.floor for b in self.broken[j] if b.verdict == "at risk"})),
                    "dominated_by": ", ".join(self.names[i] for i in np.flatnonzero(middle[:, j])),
                    "not_dominated": float((~each[:, j].any(axis=0)).mean()) if fair[j] else None,
                    "surely_better": self._sure(j, "probability_better"),
                    "surely_worse": self._sure(j, "probability_worse"),
                }
            )
        return pl.DataFrame(rows, schema_overrides={"not_dominated": pl.Float64}).sort(
            pl.col("verdict") == "not lawful", maintain_order=True
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """How the drivers of the window were made: what was interpolated, held, projected."""
        return tuple(self.runs[0].meta["notes"])

    @property
    def rights(self) -> pl.DataFrame:
        """Rights floors broken or at risk, by scenario."""
        frames = [
            broken_table(b).with_columns(pl.lit(name).alias("scenario"))
            for name, b in zip(self.names, self.broken, strict=True)
        ]
        return pl.concat(frames).select("scenario", pl.exclude("scenario"))

    def summary(self) -> str:
        """The comparison in plain text: verdicts first, then what changes, then what a reader must know."""
        lines = [f"Compared with {self.names[0]}, {self.runs[0].time[0]} to {self.runs[0].time[-1]}; "
                 f"{self.level:.0%} intervals over {self.runs[0].n_draws} draws"]  # fmt: skip
        for row in self.standing.to_dicts():
            broken = f": breaks {row['floors_broken']}" if row["floors_broken"] else ""
            lines.append(f"{row['scenario']}: {row['verdict']}{broken}")
            for part in self.table.filter(pl.col("scenario") == row["scenario"]).to_dicts():
                middle, low, high = (worded(part[n], part["unit"], signed=True) for n in ("difference", "low", "high"))
                lines.append(f"  {part['title']}: {middle} {part['unit']} ({low} to {high}), better in "
                             f"{part['probability_better']:.0%} of draws, worse in {part['probability_worse']:.0%}"
                             f"{' (contested)' if part['contested'] else ''}")  # fmt: skip
        return "\n".join([*lines, *(f"Warning: {w}" for w in self.warnings)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: standing, table, rights floors, warnings."""
        from zhol.core.result import json_ready

        parts = {"standing": self.standing, "table": self.table, "rights": self.rights,
                 "substitution": self.substitution().table}  # fmt: skip
        found: dict[str, Any] = json_ready({"base": self.names[0], "level": self.level, **parts})
        return {**found, "acting": list(self.scope.acting), "warnings": list(self.warnings), "notes": list(self.notes)}

    def plot(self, title: str = "") -> alt.Chart | alt.LayerChart:
        """Interval chart of every outcome as a multiple of the base, one colour a scenario; families in their order.

        Outcomes of which the base has none in most draws are left out.
        """
        from zhol.core import charts

        rows = []
        for one in self.outcomes:
            base = self._totals[0][one.id]
            if np.median(base) <= 0:
                continue
            label = f"{one.title}{' (contested)' if one.contested else ''}"
            for number, name in enumerate(self.names[1:], start=1):
                after = self._totals[number][one.id]
                ratio = np.divide(after, base, out=np.full_like(after, np.nan), where=base > 0)
                ends = [float(q[0]) if q[0] > 0 else None for q in _quantiles(ratio[:, None], self.level)]
                group = name if lawful(self.broken[number]) else f"{name} (not lawful)"
                rows.append({"label": label, **dict(zip(("value", "low", "high"), ends, strict=True)), "group": group})
        title = title or f"Beside {self.names[0]}"
        return charts.interval(rows, unit="multiple of the base", title=title, log=True)

    @cached_property
    def _totals(self) -> tuple[dict[str, np.ndarray], ...]:
        return tuple({o.id: totals(run, o, self.scope) for o in self.outcomes} for run in self.runs)

    def _number(self, scenario: int | str) -> int:
        if isinstance(scenario, str):
            if scenario not in self.names:
                raise ZholError("no such scenario in the comparison", found=scenario, expected=", ".join(self.names))
            return self.names.index(scenario)
        return scenario

    def _head(self, number: int, one: Outcome) -> dict[str, Any]:
        return {
            "scenario": self.names[number],
            "verdict": "lawful" if lawful(self.broken[number]) else "not lawful",
            "outcome": one.id,
            "title": one.title,
            "family": one.family,
            "unit": unit_of(self.runs[0], one),
            "better": one.direction,
            "contested": one.contested,
        }

    def _columns(self, one: Outcome, base: np.ndarray, after: np.ndarray) -> dict[str, np.ndarray]:
        """Numbers of the table for cells (draw, n): medians, intervals, probabilities, each (n,)."""
        gap = after - base
        before, middle = _quantiles(base, self.level), _quantiles(gap, self.level)
        good = _better(gap, base, one.direction)
        return {
            "base": before[0],
            "base_low": before[1],
            "base_high": before[2],
            "difference": middle[0],
            "low": middle[1],
            "high": middle[2],
            "probability_better": (good > 0).mean(axis=0),
            "probability_worse": (good < 0).mean(axis=0),
        }

    def _cut(self, run: Run, one: Outcome, dims: list[str], yearly: bool) -> np.ndarray:
        if not yearly:
            return totals(run, one, self.scope, dims)
        return series(run, one, self.scope, dims)[0]

    def _frame(
        self, number: int, one: Outcome, keys: Mapping[str, Sequence[Any]], base: np.ndarray, after: np.ndarray
    ) -> pl.DataFrame:
        sizes = [len(v) for v in keys.values()]
        at = np.indices(sizes).reshape(len(sizes), -1)
        base, after = base.reshape(len(base), -1), after.reshape(len(after), -1)
        unit = unit_of(self.runs[0], one)
        kept = base.any(axis=0) | after.any(axis=0)
        if unit == "persons":
            kept &= (np.median(base, axis=0) >= _FEWEST) | (np.median(after, axis=0) >= _FEWEST)
        labels = {
            d: pl.Series([v[i] for i in a[kept]], dtype=pl.String) for (d, v), a in zip(keys.items(), at, strict=True)
        }
        head = {"scenario": self.names[number], "outcome": one.id, "unit": unit, "better": one.direction}
        columns = {**labels, **self._columns(one, base[:, kept], after[:, kept])}
        return pl.DataFrame(columns).with_columns(pl.lit(v).alias(n) for n, v in head.items())

    def _objectives(self) -> list[tuple[str, int]]:
        return [(o.id, sign) for o in self.outcomes for sign in o.signs]

    def _gaps(self, objectives: list[tuple[str, int]]) -> np.ndarray:
        """Gains of scenario i over j: (i, j, objective, draw), none where smaller than the tolerance."""
        values = np.stack([[t[name] * sign for name, sign in objectives] for t in self._totals])
        gaps = values[:, None] - values[None, :]
        gaps[~(np.abs(gaps) > all_outcomes().tolerance * np.abs(values[0]))] = 0.0
        return gaps

    def _sure(self, number: int, column: str) -> str:
        if number == 0:
            return ""
        own = self.table.filter((pl.col("scenario") == self.names[number]) & (pl.col(column) >= 0.9))
        return ", ".join(own["outcome"])


def compare(
    scenarios: Sequence[Any],
    model: Region | Model | str = "central_asia",
    *,
    draws: int = 200,
    seed: int = 1,
    start: str = START,
    end: str = END,
    outcomes: Sequence[str] | None = None,
    acting: Sequence[str] | str | None = None,
    level: float = 0.8,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Run scenarios under common random numbers and put them beside the first.

    Parameters
    ----------
    scenarios : sequence
        The base first; ``None`` is present policies. Scenarios, or whatever ``Model.simulate`` takes.
    model : Model, Region, or name of a pack
    draws, seed : int
        Draws of parameters, drivers and effects: the same for all scenarios.
    start, end : str
        Window, in whole years. Stocks are counted at its end, flows over all of it.
    outcomes : sequence of str, optional
        Names of ``packs/shared/weights.yaml``; all if not given. Outcomes of control need one of protection beside
        them.
    acting : sequence of str, optional
        Countries counted as acting ("here"); those whose measures differ from the base if not given.
    level : float
        Coverage of the intervals.
    parameters, drivers
        As in ``Model.simulate``.
    progress : callable (scenario, done, all), optional

    Returns
    -------
    Comparison

    Raises
    ------
    ZholError
        Fewer than two scenarios, control without protection, not whole years, an unknown country.

    Examples
    --------
    >>> from zhol.policy import compare, package
    >>> networks = package("r3_networks", "KAZ", "2027-01")
    >>> found = compare([None, networks], start="2027", end="2028", draws=16, parameters="prior")
    >>> found.names, found.scope.acting
    (('present policies', 'r3_networks'), ('KAZ',))
    >>> found.standing["verdict"].to_list()
    ['lawful', 'lawful']
    """
    wanted = chosen(outcomes)
    if isinstance(scenarios, Scenario | str) or scenarios is None or len(scenarios) < 2:
        raise ZholError("a comparison needs a base and at least one scenario", expected="[base, scenario, ...]")
    if not 0.0 < level < 1.0:
        raise ZholError("the level of an interval lies between 0 and 1", found=level)
    paired = pair(
        scenarios, model, start=start, end=end, draws=draws, seed=seed, parameters=parameters, drivers=drivers
    )
    names = _names(paired.plans)
    who = _here(paired, acting)
    runs = []
    for number, name in enumerate(names):
        tell = None if progress is None else lambda done, of, name=name: progress(name, done, of)
        runs.append(paired.run(number, tell))
    kept, warnings = _finite(runs, paired)
    broken = tuple(_judged(plan, run, kept[0]) for plan, run in zip(paired.plans, kept, strict=True))
    base = set(paired.plans[0].actions)
    spans = tuple(
        span_of([a.intensity(paired.months) for a in set(p.actions) ^ base], len(paired.months) // 12)
        for p in paired.plans
    )
    scope = scope_of(kept[0], who, paired.model.region.manifest.focus)
    return Comparison(names, tuple(kept), wanted, scope, broken, level, tuple(warnings), spans)


def _names(plans: Sequence[Plan]) -> tuple[str, ...]:
    names: list[str] = []
    for plan in plans:
        name, number = plan.name, 2
        while name in names:
            name, number = f"{plan.name} ({number})", number + 1
        names.append(name)
    return tuple(names)


def _here(paired: Paired, given: Sequence[str] | str | None) -> tuple[str, ...]:
    if given is None:
        return acting_countries(paired)
    wanted = [given] if isinstance(given, str) else list(given)
    for place in wanted:
        if place not in paired.model.places:
            raise ZholError("unknown country", found=place, expected=", ".join(paired.model.places))
    return tuple(sorted(set(wanted)))


def _finite(runs: Sequence[Run], paired: Paired) -> tuple[list[Run], list[str]]:
    """Runs with the draws that stay finite under every scenario, and what must be said."""
    good = np.ones(runs[0].n_draws, dtype=bool)
    for run in runs:
        for array in run.arrays.values():
            good &= np.isfinite(array.reshape(len(good), -1).sum(axis=1))
    if good.sum() < 2:
        raise ZholError("fewer than two draws stay finite", hint="give fitted parameters, or a shorter window")
    warnings = []
    if not good.all():
        runs = [replace(r, arrays={n: a[good] for n, a in r.arrays.items()}) for r in runs]
        warnings.append(f"{(~good).sum()} of {len(good)} draws run away under some scenario and are left out of all")
    unjudged = [p.name for p in paired.plans if p.actions and _written(p) is None]
    if unjudged:
        warnings.append(f"rights floors judged by outcomes alone, not by instruments: {', '.join(unjudged)}")
    return list(runs), [*warnings, *remarks(paired)]


def _judged(plan: Plan, run: Run, base: Run) -> tuple[Broken, ...]:
    written = _written(plan)
    return (*([] if written is None else judge(written)), *judge(run, base))


def _written(plan: Plan) -> Scenario | None:
    """The scenario behind a plan, whatever effects were chosen for it."""
    inner = getattr(plan.scenario, "scenario", plan.scenario)
    return inner if isinstance(inner, Scenario) else None


def _dominates(gaps: np.ndarray, fair: Sequence[bool]) -> np.ndarray:
    """Whether lawful scenario i dominates j, (i, j, draw)."""
    found = (gaps >= 0).all(axis=2) & (gaps > 0).any(axis=2)
    return np.asarray(found & np.asarray(fair)[:, None, None])


def _better(gap: np.ndarray, base: np.ndarray, direction: str) -> np.ndarray:
    """+1 where better, -1 where worse, 0 where the difference is too small to count."""
    sign = np.sign(gap) * (1.0 if direction == "more" else -1.0)
    return np.where(np.abs(gap) > all_outcomes().tolerance * np.abs(base), sign, 0.0)


def _quantiles(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median and ends of the interval over the draws (the first axis) that are defined; NaN where none is."""
    at = [0.5, (1.0 - level) / 2.0, (1.0 + level) / 2.0]
    found = np.quantile(values, at, axis=0)
    for k in np.flatnonzero(~np.isfinite(found[0])):
        known = values[np.isfinite(values[:, k]), k]
        found[:, k] = np.quantile(known, at) if known.size else np.nan
    return found[0], found[1], found[2]

"""The frontier: which mixes of instruments no lawful other beats, and what each further step would cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.policy._frontier.evaluation import Bench, bench_of, paired_of
from zhol.policy._frontier.knees import knees, not_dominated, scaled, spread_out, steepness
from zhol.policy._frontier.options import STEP, Space, options_of, space_of
from zhol.policy._frontier.search import Archive, Progress, search
from zhol.policy._uncertain.coarse import coarse_model, window
from zhol.policy.outcomes import Outcome, all_outcomes, chosen, unit_of, worded
from zhol.policy.scenario import Scenario

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region
    from zhol.system.model import Model

OBJECTIVES = (
    "irregular_stock", "irregular_elsewhere", "deaths_on_road", "exposure", "protection_gap", "unfilled_demand",
    "public_cost",
)  # fmt: skip
# Other words for the same.
ALSO = {
    "burden": "irregular_elsewhere",
    "burden_on_neighbours": "irregular_elsewhere",
    "deaths": "deaths_on_road",
    "labour_shortage": "unfilled_demand",
}
_UNLAWFUL = 20  # unlawful designs shown, at most


@dataclass(frozen=True)
class Frontier:
    """Designs that no lawful other beats in every objective; frozen.

    Attributes
    ----------
    table : polars.DataFrame
        A row a design: ``point``, ``knee``, ``budget`` (what it takes of it), the strength of each option (1: all that
        was allowed) and the month ``…_from`` which it acts, and for each objective the difference to present policies:
        ``…_robust``, the quantile that the search made good, and median, ``…_low`` and ``…_high`` of other draws, which
        had no part in the choice.
    unlawful : polars.DataFrame
        Designs that break a rights floor and would else stand among these, with the floors; never part of the frontier.
    objectives : tuple of Outcome
    units : tuple of str
    space : Space
        What could be chosen.
    strengths, delays : (points, options) arrays
        ``delays`` are numbers of ``space.delays``.
    ratio, next_point : (points,) arrays
        What the cheapest step on from each point costs for what it brings, and the row to which it leads.
    spans : (objectives,) array
        Range of each objective among all mixes that no other beats: what steps are measured by.
    held : float
        Share of the other draws in which an objective is as good as its ``…_robust`` says, over all points.
    tried, runs : int
        Designs and runs of the system.
    quantile, level : float
    warnings : tuple of str
    """

    table: pl.DataFrame
    unlawful: pl.DataFrame
    objectives: tuple[Outcome, ...]
    units: tuple[str, ...]
    space: Space
    strengths: np.ndarray
    delays: np.ndarray
    ratio: np.ndarray
    next_point: np.ndarray
    spans: np.ndarray
    held: float
    tried: int
    runs: int
    quantile: float
    level: float
    warnings: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def knees(self) -> pl.DataFrame:
        """The points from which every step on costs clearly more of some objective's range than it brings of any."""
        return self.table.filter(pl.col("knee"))

    def scenario(self, point: int) -> Scenario:
        """A point as a scenario, to be compared, written to a file, or changed.

        Raises
        ------
        ZholError
            If there is no such point.
        """
        if not 1 <= point <= len(self.strengths):
            raise ZholError("no such point of the frontier", found=point, expected=f"1 to {len(self.strengths)}")
        return self.space.scenario(self.strengths[point - 1], self.delays[point - 1], f"frontier point {point}")

    def words(self, point: int) -> str:
        """A point in words: what is done, what it brings, and what the cheapest step on would cost."""
        row = self.table.row(point - 1, named=True)
        done = [
            f"{o.name} at {row[o.name]:.0%} from {row[f'{o.name}_from']}" for o in self.space.options if row[o.name] > 0
        ]
        lines = [f"Point {point}: {', '.join(done) or 'present policies, nothing more'}"]
        for one, unit in zip(self.objectives, self.units, strict=True):
            middle, low, high = (worded(row[f"{one.id}{end}"], unit, signed=True) for end in ("", "_low", "_high"))
            lines.append(f"  {one.title}: {middle} {unit} ({low} to {high})")
        if np.isfinite(self.ratio[point - 1]) and len(self.strengths) > 1:
            lines.append(f"  Going on: {self._step(point)}")
        return "\n".join(lines)

    def _step(self, point: int) -> str:
        """What the cheapest step on brings and costs."""
        other = int(self.next_point[point - 1]) + 1
        here, there = (self._robust(p) for p in (point, other))
        change = (there - here) / np.where(self.spans > 0, self.spans, 1.0)
        best, worst = int(change.argmin()), int(change.argmax())
        gain, loss = (
            f"{worded(self._turned(k) * (there[k] - here[k]), self.units[k], signed=True)} {self.units[k]} in "
            f"{self.objectives[k].id}"
            for k in (best, worst)
        )
        return (
            f"the cheapest step, to point {other}, brings {gain} and costs {loss}: "
            f"{self.ratio[point - 1]:.1f} times as much of its range"
        )

    def _turned(self, objective: int) -> float:
        return -1.0 if self.objectives[objective].direction == "more" else 1.0

    def _robust(self, point: int) -> np.ndarray:
        row = self.table.row(point - 1, named=True)
        return np.array([self._turned(k) * row[f"{o.id}_robust"] for k, o in enumerate(self.objectives)])

    def summary(self) -> str:
        """The frontier in plain text: its extent, its knees, what was not lawful, what a reader must know."""
        lines = [
            f"{self.table.height} mixes that no lawful other beats, of {self.tried:,} tried ({self.runs:,} runs); "
            f"each objective holds in {self.quantile:.0%} of the draws searched, {self.held:.0%} of others; "
            f"{self.level:.0%} intervals"
        ]
        for one, unit in zip(self.objectives, self.units, strict=True):
            values = self.table[f"{one.id}_robust"].to_numpy()
            ends = [worded(float(v), unit, signed=True) for v in (values.min(), values.max())]
            lines.append(f"{one.title}: from {ends[0]} to {ends[1]} {unit}")
        found = self.knees["point"].to_list()
        lines.append("Knees, from where every step on costs at least a fifth more of some range than it brings of any:"
                     if found else "No knee: what is gained anywhere is lost at a steady rate.")  # fmt: skip
        lines += [self.words(p) for p in found]
        if self.unlawful.height:
            floors = sorted({f for text in self.unlawful["floors_broken"] for f in text.split(", ")})
            lines.append(f"Not lawful and left out though they would stand among these: {self.unlawful.height} mixes, "
                         f"which break {', '.join(floors)}")  # fmt: skip
        return "\n".join([*lines, *(f"Warning: {w}" for w in self.warnings)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        from zhol.core.result import json_ready

        found: dict[str, Any] = json_ready({
            "table": self.table, "unlawful": self.unlawful, "objectives": [o.id for o in self.objectives],
            "units": list(self.units), "knees": [self.words(p) for p in self.knees["point"]], "tried": self.tried,
            "runs": self.runs, "quantile": self.quantile, "held": self.held, "level": self.level,
            "warnings": list(self.warnings), "details": dict(self.details),
        })  # fmt: skip
        return found

    def plot(self, title: str = "") -> alt.Chart | alt.LayerChart:
        """One line a point across all objectives, the best at the top; knees in colour, present policies dashed."""
        from zhol.policy._frontier.picture import frontier_chart

        return frontier_chart(self, title)


def frontier(
    instruments: Any,
    region_or_model: Region | Model | str = "central_asia",
    *,
    budget: float | None = None,
    objectives: Sequence[str] = OBJECTIVES,
    delays: Sequence[int] = (0, 3, 6),
    costs: Mapping[str, float] | None = None,
    step: float = STEP,
    actor: str | None = None,
    since: str | None = None,
    runs: int = 50_000,
    draws: int = 32,
    quantile: float = 0.8,
    points: int = 40,
    population: int = 84,
    start: str | None = None,
    end: str | None = None,
    seed: int = 1,
    level: float = 0.8,
    acting: Sequence[str] | str | None = None,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Frontier:
    """Search the mixes of instruments, their strengths and start dates, that no lawful other beats.

    Every mix is run beside present policies under the same draws. Rights floors are no objective: a mix that breaks
    one, by what its instruments declare or by what the runs show, is shown apart and never part of the frontier.

    Parameters
    ----------
    instruments : Scenario, str, Measure, or several of these
        What may be used: one option for each instrument of a scenario or ready-made package (at most as strong as
        there), names of instruments, or single measures.
    region_or_model : Region, Model or name of a pack
        A model is used as it is; from a region the coarse one is made, without the smallest corridors.
    budget : float, optional
        What a mix may take in all. Where costs are not given it is one of strength: 1 is one instrument at full
        intensity from the earliest start to the end, so that half the strength, or half the time, takes half.
    objectives : sequence of str
        Two or more of `zhol.policy.outcomes`; control never without protection, none that is contested. Also
        ``burden_on_neighbours``, ``labour_shortage``, ``deaths``.
    delays : sequence of int
        Years after its own start at which each option may begin.
    costs : mapping of option to float, optional
        Cost of each at full strength over the whole time, in one unit, which is then that of the budget.
    step : float
        Between strengths. Where no more mixes than ``runs`` allow lie on this grid, every one is tried.
    actor, since : str, optional
        Who acts and from when, for options given by name.
    runs, draws : int
        Most runs of the search; draws for each mix. The points found are run once more, in twice as many other draws.
    quantile : float
        Share of the draws in which an objective must hold: 0.5 looks at the median, more is more careful.
    points, population : int
        Points of the frontier that are kept; size of a generation.
    start, end, seed, acting, parameters, drivers, cluster
        As in `sensitivity`.
    level : float
        Coverage of the intervals over draws.
    progress : callable (done, all), optional
        Told how many mixes were tried.

    Raises
    ------
    ZholError
        Nothing to choose from, an unknown or contested objective, fewer than two, a budget of nothing, too few runs.

    References
    ----------
    Deb, Jain (2014), doi 10.1109/TEVC.2013.2281535.

    Examples
    --------
    >>> import zhol
    >>> found = zhol.policy.frontier(
    ...     ["regularisation", "border_officers", "patents"], actor="KAZ", budget=1.5, runs=50_000)  # doctest: +SKIP
    >>> print(found.summary())  # doctest: +SKIP
    """
    wanted = _objectives(objectives)
    _check(quantile, level, draws, points, population)
    model, said = coarse_model(region_or_model)
    options = options_of(instruments, actor, since, _pack(model))
    designs = int(runs) // draws - 1  # one goes to present policies
    if designs < len(options) + 3:
        raise ZholError("too few runs for every option to be tried", found=runs,
                        expected=f"{draws * (len(options) + 4)} or more")  # fmt: skip
    months = window([a for o in options for a in o.scenario.actions(model)], start, end)
    space = space_of(options, delays, months, budget, costs, step)

    def bench(count: int, number: int) -> Bench:
        paired = paired_of(space, model, start=months[0], end=months[-1], draws=count, seed=number,
                           parameters=parameters, drivers=drivers)  # fmt: skip
        notes.update(dict.fromkeys((f"parameters: {paired.origin}", *paired.notes)))
        return bench_of(space, _acting(paired, acting), wanted, paired)

    notes: dict[str, None] = {}
    archive = Archive(bench(draws, seed), quantile, cluster)
    last = search(archive, designs, population, seed, progress)
    # Draws that a mix was chosen by flatter it; others do not.
    fresh = Archive(bench(2 * draws, seed + 1), quantile, cluster)
    kept = _kept(archive, fresh, points)
    return _frontier(archive, fresh, kept, level, (*_warnings(archive, said, costs), last), tuple(notes))


def _pack(model: Model) -> str:
    """Name of the model's pack, or its folder if it is not one that ships."""
    from zhol.region.load import shipped

    return model.region.name if model.region.name in shipped() else str(model.region.path)


def _check(quantile: float, level: float, draws: int, points: int, population: int) -> None:
    """Refuse options that mean nothing."""
    for name, value in (("a quantile", quantile), ("the level of an interval", level)):
        if not 0.0 < value < 1.0:
            raise ZholError(f"{name} lies between 0 and 1", found=value)
    if draws < 2:
        raise ZholError("a frontier needs draws: a number without its interval says too little", found=draws,
                        expected="2 or more, better 32")  # fmt: skip
    for name, number in (("points", points), ("population", population)):
        if number < 2:
            raise ZholError(f"too few {name}", found=number, expected="2 or more")


def _objectives(names: Sequence[str]) -> tuple[Outcome, ...]:
    wanted = chosen([ALSO.get(n, n) for n in ([names] if isinstance(names, str) else names)])
    if len(wanted) < 2:
        raise ZholError("a trade-off needs two objectives or more", found=", ".join(o.id for o in wanted))
    for one in wanted:
        if one.contested:
            raise ZholError("people and control want opposite things of it: no objective", found=one.id)
    return wanted


def _acting(paired: Any, given: Sequence[str] | str | None) -> tuple[str, ...]:
    from zhol.policy._uncertain.system import acting_of

    return acting_of([p.actions for p in paired.plans], given, paired.model)


@dataclass(frozen=True)
class _Kept:
    """Which designs of the archive are shown: the points, which of them are knees, steps on, unlawful ones."""

    rows: np.ndarray
    knee: np.ndarray
    ratio: np.ndarray
    next_point: np.ndarray
    spans: np.ndarray
    unlawful: np.ndarray
    not_dominated: int


def _kept(archive: Archive, fresh: Archive, points: int) -> _Kept:
    """Choose the points; one that breaks a floor in the other draws is not lawful, and the choice is made anew."""
    while True:
        found = _chosen(archive, points)
        numbers = fresh.add(*_designs(archive, found.rows))
        bad = fresh.infeasible(numbers) > 0
        if not bad.any():
            shown = found.unlawful[:_UNLAWFUL]
            if shown.size:
                fresh.add(*_designs(archive, shown))
            return found
        for i, j in zip(found.rows[bad], numbers[bad], strict=True):
            archive.broken[i] = fresh.broken[j]
            archive.gaps[i] = archive.gaps[i] if fresh.broken[j] else archive.gaps[i] * np.nan


def _designs(archive: Archive, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.array([archive.designs[i][k] for i in rows]) for k in (0, 1))  # type: ignore[return-value]


def _numbers(archive: Archive, fresh: Archive, rows: np.ndarray) -> np.ndarray:
    return np.array([fresh.known[archive.designs[i]] for i in rows], dtype=int)


def _chosen(archive: Archive, points: int) -> _Kept:
    values, floors = archive.objectives(), archive.infeasible()
    fair = np.flatnonzero(floors == 0)
    if not fair.size:
        raise ZholError("no mix is lawful and stays finite", hint="fewer draws run away with fitted parameters")
    best = fair[not_dominated(values[fair])]
    best = best[np.sort(np.unique(values[best], axis=0, return_index=True)[1])]  # one of those that do the same
    z = scaled(values[best])
    steep = knees(z)
    shown = np.array(spread_out(z, points, steep), dtype=int)
    shown = shown[np.argsort(values[best[shown], 0], kind="stable")]
    none = (np.full(len(shown), np.inf), np.zeros(len(shown), dtype=int))
    ratio, to = steepness(z[shown]) if len(shown) > 1 else none
    both = zip(archive.broken, archive.gaps, strict=True)
    wrong = np.flatnonzero([bool(b) and bool(np.isfinite(g).all()) for b, g in both])
    wrong = wrong[[not _beaten(values[i], values[best]) for i in wrong]] if wrong.size else wrong
    wrong = wrong[np.argsort(values[wrong, 0], kind="stable")]
    return _Kept(best[shown], np.isin(shown, steep), ratio, to, np.ptp(values[best], axis=0), wrong, len(best))


def _frontier(
    archive: Archive, fresh: Archive, kept: _Kept, level: float, warnings: tuple[str, ...], notes: tuple[str, ...]
) -> Frontier:
    bench = archive.bench
    strengths, late = _designs(archive, kept.rows)
    held = _held(archive, fresh, kept.rows)
    if held < archive.quantile - 0.1:
        warnings = (*warnings, f"robust values were too good: they hold in {held:.0%} of other draws; give more draws")
    details = {"start": bench.months[0], "end": bench.months[-1], "acting": bench.scope.acting, "draws": bench.draws,
               "corridors": len(bench.model.corridors), "not_dominated": kept.not_dominated,
               "unlawful": len(kept.unlawful), "notes": notes}  # fmt: skip
    return Frontier(
        table=_table(archive, fresh, kept.rows, level).insert_column(1, pl.Series("knee", kept.knee)),
        unlawful=_unlawful(archive, fresh, kept.unlawful[:_UNLAWFUL], level),
        objectives=bench.outcomes,
        units=tuple(unit_of(bench.base, o) for o in bench.outcomes),
        space=bench.space,
        strengths=strengths,
        delays=late,
        ratio=kept.ratio,
        next_point=kept.next_point,
        spans=kept.spans,
        held=held,
        tried=len(archive.designs),
        runs=sum((len(a.designs) + 1) * a.bench.draws for a in (archive, fresh)),
        quantile=archive.quantile,
        level=level,
        warnings=warnings,
        details=details,
    )


def _held(archive: Archive, fresh: Archive, rows: np.ndarray) -> float:
    """Share of draws, points and objectives in which other draws are as good as the search said."""
    sign = np.array([-1.0 if o.direction == "more" else 1.0 for o in archive.bench.outcomes])
    said = archive.objectives(rows)
    found = np.array([fresh.gaps[j] for j in _numbers(archive, fresh, rows)]) * sign
    return float((found <= said[:, None] + all_outcomes().tolerance * np.abs(fresh.bench.before)).mean())


def _beaten(row: np.ndarray, others: np.ndarray) -> bool:
    return bool(((others <= row).all(axis=1) & (others < row).any(axis=1)).any())


def _table(archive: Archive, fresh: Archive, rows: np.ndarray, level: float) -> pl.DataFrame:
    space, tail = archive.bench.space, (1.0 - level) / 2.0
    values, numbers = archive.objectives(rows), _numbers(archive, fresh, rows)
    out = []
    for n, (i, j) in enumerate(zip(rows, numbers, strict=True)):
        strength, late = (np.array(part) for part in archive.designs[i])
        row: dict[str, Any] = {"point": n + 1, "budget": float(space.spent(strength[None], late[None])[0])}
        for option, x, d in zip(space.options, strength, late, strict=True):
            row[option.name] = float(x)
            row[f"{option.name}_from"] = _later(option.start, space.delays[d]) if x > 0 else None
        for k, one in enumerate(archive.bench.outcomes):
            gap = fresh.gaps[j][:, k]
            middle, low, high = np.nanquantile(np.where(np.isfinite(gap), gap, np.nan), [0.5, tail, 1.0 - tail])
            safe = float(values[n, k]) * (-1.0 if one.direction == "more" else 1.0)
            row |= {one.id: float(middle), f"{one.id}_low": float(low), f"{one.id}_high": float(high),
                    f"{one.id}_robust": safe + 0.0}  # fmt: skip
        out.append(row)
    return pl.DataFrame(out, schema_overrides={f"{o.name}_from": pl.String() for o in space.options})


def _unlawful(archive: Archive, fresh: Archive, rows: np.ndarray, level: float) -> pl.DataFrame:
    if not rows.size:
        return pl.DataFrame(schema={"floors_broken": pl.String()})
    floors = pl.Series("floors_broken", [archive.broken[i] for i in rows], dtype=pl.String)
    return _table(archive, fresh, rows, level).drop("point").insert_column(0, floors)


def _later(month: str, years: int) -> str:
    return f"{int(month[:4]) + years:04d}{month[4:]}"


def _warnings(archive: Archive, said: str, costs: Mapping[str, float] | None) -> tuple[str, ...]:
    bench, space = archive.bench, archive.bench.space
    out = [f"{bench.months[0]} to {bench.months[-1]}; {bench.draws} draws a mix"]
    if said:
        out.append(said)
    if not bench.good.all():
        out.append(f"{(~bench.good).sum()} of {bench.draws} draws run away under present policies and are left out")
    if costs is None:
        unit = "1 is one instrument at full intensity from the earliest start to the end"
        limit = "there is no budget" if not np.isfinite(space.budget) else f"the budget is {space.budget:g} of strength"
        out.append(f"public costs of the instruments are not known: {limit}, where {unit}")
    pairs = [f"{space.options[i].name} with {space.options[j].name}" for i, j in space.apart]
    if pairs:
        out.append(f"contradict each other and never stand together: {', '.join(pairs)}")
    return tuple(out)

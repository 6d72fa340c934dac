"""What waiting costs: the same package begun some years later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.policy.measured import reader, remarks, scope_for, units, usable
from zhol.policy.outcomes import Outcome, all_outcomes, chosen
from zhol.policy.paired import END, START, pair
from zhol.policy.rights import judge, lawful
from zhol.policy.scenario import Scenario
from zhol.system.instruments import month_number

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region
    from zhol.system.model import Model


@dataclass(frozen=True)
class Delay:
    """Cost of delay of a package; frozen.

    Attributes
    ----------
    name : str
    years : tuple of int
        Years of waiting; the first is no delay.
    outcomes : tuple of Outcome
    effect : mapping of outcome to (years, draw) array
        What the package does over the window if it begins so late, beside the base.
    cost : mapping of outcome to (years, draw) array
        What is lost by waiting, beside beginning at once; more is worse, by the direction of the outcome's own family.
    units, level, verdict, warnings, notes
    """

    name: str
    years: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    effect: Mapping[str, np.ndarray]
    cost: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    level: float
    verdict: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def table(self) -> pl.DataFrame:
        """One row an outcome and delay: effect and cost of waiting with intervals, probability of being worse."""
        rows = []
        for one in self.outcomes:
            for i, wait in enumerate(self.years):
                effect, cost = self.effect[one.id][i], self.cost[one.id][i]
                rows.append(
                    {
                        "outcome": one.id,
                        "title": one.title,
                        "family": one.family,
                        "years": wait,
                        **_ends("effect", effect, self.level),
                        **_ends("cost", cost, self.level),
                        "probability_worse": float((cost > 0).mean()),
                        "unit": self.units[one.id],
                        "better": one.direction,
                        "contested": one.contested,
                    }
                )
        return pl.DataFrame(rows)

    def plot(self, name: str, title: str = "") -> alt.Chart | alt.LayerChart:
        """Interval chart of what waiting costs in one outcome, one row a delay."""
        from zhol.core import charts

        found = self.table.filter(pl.col("outcome") == name)
        if found.is_empty():
            raise ZholError("no such outcome here", found=name, expected=", ".join(o.id for o in self.outcomes))
        wait = pl.when(pl.col("years") == 1).then(pl.lit("1 year")).otherwise(pl.format("{} years", "years"))
        rows = found.select(
            wait.alias("label"),
            pl.col("cost").alias("value"),
            pl.col("cost_low").alias("low"),
            pl.col("cost_high").alias("high"),
        )
        heading = title or f"Waiting with {self.name}: {found['title'][0]} (more is worse)"
        return charts.interval(rows, unit=self.units[name], title=heading)


def delay(
    package: Scenario,
    years: Sequence[int] = range(11),
    model: Region | Model | str = "central_asia",
    *,
    base: Any = None,
    outcomes: Sequence[str] | None = None,
    draws: int = 100,
    seed: int = 1,
    start: str = START,
    end: str = END,
    level: float = 0.8,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Delay:
    """The same package begun later: what it still does in the window, and what waiting has cost.

    Flows are summed over the window; stocks are person-years in it, so that a package that reaches the same end later
    still shows what the years between have cost.

    Parameters
    ----------
    package : Scenario
    years : sequence of int
        Years of waiting. 0 is always run.
    base : optional
        What the package is put beside; present policies if not given.
    outcomes, draws, seed, start, end, level, parameters, drivers
        As in `compare`.

    Raises
    ------
    ZholError
        Not a scenario, a negative delay, a package that would begin after the window.

    Examples
    --------
    >>> from zhol.policy import package
    >>> from zhol.policy.delays import delay
    >>> networks = package("r3_networks", "KAZ", "2027-01")
    >>> found = delay(networks, (0, 1), start="2027", end="2028", draws=16, parameters="prior")
    >>> found.years, bool(found.cost["attempts"][0].any())
    ((0, 1), False)
    """
    wanted, waits = chosen(outcomes), _waits(package, years, end)
    later = [package.shifted(12 * w) for w in waits]
    paired = pair(
        [base, *later], model, start=start, end=end, draws=draws, seed=seed, parameters=parameters, drivers=drivers
    )
    before = paired.run(0)
    read = reader(wanted, scope_for(paired, before), years=paired.years)
    found, broken = [read(before)], judge(package)
    for number in range(1, len(paired.plans)):
        run = paired.run(number)
        found.append(read(run))
        broken += judge(run, before) if number == 1 else []
        if progress:
            progress(number, len(waits))
    values, _, notes = usable({o.id: np.stack([f[o.id] for f in found]) for o in wanted})
    kept = tuple(o for o in wanted if o.id in values)
    cost = {o.id: _worse(o, values[o.id][1:], values[o.id]) for o in kept}
    return Delay(
        package.name,
        waits,
        kept,
        {n: v[1:] - v[0] for n, v in values.items()},
        cost,
        units(before, kept, paired.years),
        level,
        "lawful" if lawful(broken) else "not lawful",
        (*notes, *remarks(paired)),
        paired.notes,
    )


def _worse(one: Outcome, values: np.ndarray, every: np.ndarray) -> np.ndarray:
    """Loss of each delay beside none, (years, draw); zero where too small to tell."""
    loss = (values - values[0]) * (1.0 if one.direction == "less" else -1.0)
    return np.where(np.abs(loss) > all_outcomes().tolerance * np.abs(every[0]), loss, 0.0)


def _waits(package: Any, years: Sequence[int], end: str) -> tuple[int, ...]:
    if not isinstance(package, Scenario) or not package.measures:
        raise ZholError("only a scenario with measures can be delayed", found=type(package).__name__)
    waits = tuple(sorted({0, *(int(y) for y in years)}))
    if waits[0] < 0:
        raise ZholError("a delay cannot be negative", found=waits[0], expected="0 or more years")
    first = min(month_number(m.points()[0][0]) for m in package.measures)
    last = month_number(f"{end}-12" if len(str(end)) == 4 else str(end))
    if first + 12 * waits[-1] > last:
        raise ZholError("the package would begin after the window", found=f"{waits[-1]} years late",
                        hint="give a later end or fewer years")  # fmt: skip
    return waits


def _ends(name: str, values: np.ndarray, level: float) -> dict[str, float]:
    middle, low, high = np.quantile(values, [0.5, (1 - level) / 2, (1 + level) / 2])
    return {name: float(middle), f"{name}_low": float(low), f"{name}_high": float(high)}

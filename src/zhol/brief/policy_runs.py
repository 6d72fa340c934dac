"""Runs of policy that the sections share: one comparison of ready-made packages with a place as the one that acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.brief.content import Marks, Number, Text, text
from zhol.brief.model_runs import LEVEL, SEED, Outlook, outlook
from zhol.brief.quantities import SMALLEST_BASE, SMALLEST_CELL, is_people
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.policy.comparison import Comparison
    from zhol.policy.outcomes import Outcome
    from zhol.policy.scenario import Scenario
    from zhol.region.load import Region

START, END = "2020", "2040"
DRAWS = 40
RUNS = "runs of the system"  # the source of what comes out of the model
RECOMMENDATIONS = ("r1_borders", "r2_interior", "r3_networks", "r4_diplomacy", "r5_root_causes")
TOGETHER = ("control_only", "protect_and_regularise", "cooperate")
WAITS = "protect_and_regularise"
YEARS = (2, 5, 10)
MAIN = 0.1  # share of the region's people abroad from which another country's policy is asked about too
CHANCE = "a share of draws, which has no interval of its own"
PAIRED = "80% interval over draws: parameters, effects of instruments and drivers, the same on both sides"
NONE, FEW = "no change", "too few"


@dataclass(frozen=True, eq=False)
class Judged:
    """Packages with one place as the one that acts, beside present policies.

    Attributes
    ----------
    view : Outlook
    place : str
    scenarios : mapping of package to Scenario
    comparison : Comparison
        Present policies, every package, and the package that waits, begun later; the place alone is "here".
    """

    view: Outlook
    place: str
    scenarios: dict[str, Scenario]
    comparison: Comparison

    @property
    def begins(self) -> str:
        """First year of action."""
        return min(m.start for s in self.scenarios.values() for m in s.measures)[:4]

    def draws(self, name: str, outcome: str, *, over_window: bool = False) -> np.ndarray:
        """Draws of an outcome under a scenario; stocks at the end, or person-years over the window, (draw,)."""
        from zhol.policy.outcomes import outcome as one_of
        from zhol.policy.outcomes import totals

        run = self.comparison.runs[self.comparison.names.index(name)]
        span = float(len(run.time)) if over_window else 0.0
        return totals(run, one_of(outcome), self.comparison.scope, years=span)

    def change(self, name: str, outcome: str) -> Text:
        """Change beside present policies in percent, with its interval, as a cell."""
        base, after = (self.draws(n, outcome) for n in (self.comparison.names[0], name))
        return relative(after, base, self.unit(outcome), self.sources(name))

    def better(self, name: str, outcome: str) -> Text:
        """Probability of being better, as a cell."""
        row = self.row(name, outcome)
        if not row["probability_better"] and not row["probability_worse"]:
            return ("–",)
        return (chance(row["probability_better"]),)

    def row(self, name: str, outcome: str) -> dict[str, Any]:
        """The row of the comparison's table."""
        return self.comparison.table.row(
            by_predicate=(_col("scenario") == name) & (_col("outcome") == outcome), named=True
        )

    def unit(self, outcome: str) -> str:
        """Unit of an outcome."""
        from zhol.policy.outcomes import outcome as one_of
        from zhol.policy.outcomes import unit_of

        return unit_of(self.comparison.runs[0], one_of(outcome))

    def lawful(self, name: str) -> bool:
        """Whether a package breaks no rights floor."""
        return not any(b.verdict == "breaks" for b in self.broken(name))

    def broken(self, name: str) -> tuple[Any, ...]:
        """Rights floors that a package breaks or puts at risk."""
        return self.comparison.broken[self.comparison.names.index(name)]

    def lawful_first(self, names: Sequence[str]) -> list[str]:
        """The same packages in the same order, those that are not lawful last."""
        return sorted(names, key=lambda n: not self.lawful(n))

    def sources(self, name: str) -> tuple[str, ...]:
        """The runs, and the rows of evidence on which the effects of a package rest."""
        return (RUNS, *evidence_of(self.scenarios[name].instruments))

    def rests_on(self, name: str) -> Text:
        """The line of sources under a table of a package."""
        found = self.sources(name)
        if len(found) == 1:
            return text("From runs of the system{run}; no measured effect stands behind it.", run=Marks((RUNS,)))
        return text("From runs of the system{run} and effects from studies{rows}.", run=Marks((RUNS,)),
                    rows=Marks(found[1:]))  # fmt: skip


def _col(name: str) -> Any:
    import polars as pl

    return pl.col(name)


def evidence_of(instruments: Sequence[str]) -> tuple[str, ...]:
    """Studies that the effects of instruments rest on, each by its first row of evidence; recalled rows left out."""
    from zhol.policy.instruments import instrument, recalled_rows

    rows = {i for name in instruments for e in instrument(name).effects for i in e.evidence} - recalled_rows()
    return tuple(sorted({next(k for k, s in studies().items() if i in s["rows"]) for i in rows}))


@lru_cache(maxsize=1)
def studies() -> dict[str, dict[str, Any]]:
    """Studies as sources: title, address, and their rows of evidence; known by the first of these rows."""
    from zhol.policy.instruments import evidence

    found: dict[str, dict[str, Any]] = {}
    keys: dict[str, str] = {}
    for row in evidence().sort("evidence_id").to_dicts():
        key = keys.setdefault(row["citation"] or row["evidence_id"], row["evidence_id"])
        one = found.setdefault(key, {"title": row["citation"] or "", "url": "", "rows": []})
        one["rows"].append(row["evidence_id"])
        one["url"] = one["url"] or (f"https://doi.org/{row['doi']}" if row["doi"] else "")
    for one in found.values():
        rows = "row" if len(one["rows"]) == 1 else "rows"
        one["publisher"] = f"Evidence of this package, {rows} {', '.join(one['rows'])}"
    return found


def chance(share: float) -> Number:
    """A share of draws."""
    return Number(Quantity(100 * share, None, None, "%", (RUNS,), no_interval=CHANCE), "whole", quiet=True)


def relative(after: np.ndarray, base: np.ndarray, unit: str, sources: tuple[str, ...]) -> Text:
    """Change in percent, draw by draw; nothing where the base is too small for a rate."""
    known = base > 0
    if known.mean() < 0.5 or (is_people(unit) and np.median(base) < SMALLEST_BASE):
        return (FEW,)
    values = 100.0 * (after[known] / base[known] - 1.0)
    if np.abs(values).max() < 1e-3:
        return (NONE,)
    low, middle, high = (float(v) for v in np.quantile(values, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2]))
    return (Number(Quantity(middle, low, high, "%", sources, PAIRED), "signed", quiet=True),)


def difference(values: np.ndarray, unit: str, sources: tuple[str, ...]) -> Text:
    """A difference with its interval and sign; below the smallest cell it is not told."""
    low, middle, high = (float(v) for v in np.quantile(values, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2]))
    if not values.any():
        return (NONE,)
    if is_people(unit) and max(abs(low), abs(high)) < SMALLEST_CELL:
        return (FEW,)
    shown = None if is_people(unit) and abs(middle) < SMALLEST_CELL else middle
    return (Number(Quantity(shown, low, high, unit, sources, PAIRED), "signed", quiet=True),)


@lru_cache(maxsize=8)
def judged(region: Region, place: str) -> Judged | None:
    """The packages with a place as the one that acts; None for a place that the packages are not written for."""
    from zhol.policy.comparison import compare
    from zhol.policy.ready_made import package

    view = outlook(region)
    if view is None or not _asked(view, region, place):
        return None
    scenarios = {name: package(name, place, region=str(region.path)) for name in (*RECOMMENDATIONS, *TOGETHER)}
    later = [replace(scenarios[WAITS].shifted(12 * wait), name=waiting(wait)) for wait in YEARS]
    found = compare(
        [None, *scenarios.values(), *later],
        view.model,
        draws=DRAWS,
        seed=SEED,
        start=START,
        end=END,
        acting=[place],
        level=LEVEL,
    )
    return Judged(view, place, scenarios, found)


def waiting(wait: int) -> str:
    """Name of the package begun so many years later."""
    return f"{WAITS}, {wait} years later"


def _asked(view: Outlook, region: Region, place: str) -> bool:
    """Countries that the pack is about, and those where many of their people live."""
    inside = [p for p in region.focus if p in view.model.places]
    if place in inside:
        return True
    kinds = dict(region.places.select("place", "kind").iter_rows())
    if kinds.get(place) != "country" or place not in view.model.places or not inside:
        return False
    abroad, labels = view.run.draws("stock", ("destination",), {"origin": inside})
    middle = np.median(abroad[:, view.at(view.now)], axis=0)
    return place in labels["destination"] and middle[labels["destination"].index(place)] >= MAIN * middle.sum()


def outcomes_of(names: Sequence[str]) -> tuple[Outcome, ...]:
    """Outcomes by name."""
    from zhol.policy.outcomes import outcome

    return tuple(outcome(name) for name in names)

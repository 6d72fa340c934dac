"""What follows from intensities, counted draw by draw: who is kept, who re-routes, through whom, at what price."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from zhol.core.disclosure import THRESHOLD
from zhol.policy._bound.costs import Draw, Ground
from zhol.policy._bound.network import State
from zhol.policy._bound.search import Answer

Array = Any
LEVEL = 0.8
UNITS = {
    "passages": "persons a year",
    "in_reach": "persons a year",
    "bound": "persons a year",
    "bound_share": "% of those in reach",
    "reached": "persons a year",
    "rerouted": "persons a year",
    "rerouted_share": "% of those in reach",
    "direct_before": "persons a year",
    "direct_after": "persons a year",
    "protection": "persons a year",
    "price_before": "USD a person",
    "price_after": "USD a person",
    "deaths_before": "deaths per 10,000 who set out",
    "deaths_after": "deaths per 10,000 who set out",
    "spent": "units of national intensity",
    "gap": "% of those in reach",
    "gain_over_best_member": "persons a year",
}
MEANINGS = {
    "passages": "set out without papers today, on all demands",
    "in_reach": "of them, those whose present road uses a leg that enters or leaves an actor",
    "bound": "most that any use of the budget can keep from passage: proven",
    "bound_share": "the same, of those in reach, over draws in which somebody is",
    "reached": "kept by the best use that was found",
    "rerouted": "still pass, by another road, under that use",
    "rerouted_share": "the same, of those in reach, over draws in which somebody is",
    "direct_before": "of all, those who pass through no third place today",
    "direct_after": "the same under that use",
    "protection": "among those kept, who would be recognised if they asked as others of their corridor did",
    "price_before": "mean price of those in reach today",
    "price_after": "mean price of those in reach who still pass",
    "deaths_before": "risk of those in reach today",
    "deaths_after": "risk of those in reach who still pass",
    "spent": "intensity that the best use found needs",
    "gap": "bound less reached: 0 means that nothing better exists",
    "gain_over_best_member": "bound together less the largest bound of a member alone with the same budget",
}


def outcomes(draw: Draw, answer: Answer, caps: Array, levels: int, recognised: Array | None) -> dict[str, float]:
    """Every outcome of one draw, by name; NaN where nobody is in reach."""
    problem, state, today = draw.problem, answer.state, draw.problem.today
    persons = problem.persons
    reach = np.array([bool((caps[problem.pair[list(road)]] > 0).any()) for road in today.roads])
    left = persons * (1.0 - state.stopped)
    moved = np.array([a != b for a, b in zip(state.roads, today.roads, strict=True)])
    inside = float(persons[reach].sum())
    rerouted = float(left[moved].sum())
    share = 100.0 / inside if inside > 0 else float("nan")
    before, after = _along(draw, today), _along(draw, state)
    direct = [np.array([len(road) == 1 for road in s.roads]) for s in (today, state)]
    kept = float("nan") if recognised is None else float((persons * state.stopped) @ recognised)
    return {
        "passages": float(persons.sum()),
        "in_reach": inside,
        "bound": answer.bound,
        "bound_share": answer.bound * share,
        "reached": state.value,
        "rerouted": rerouted,
        "rerouted_share": rerouted * share,
        "direct_before": float(persons @ direct[0]),
        "direct_after": float(left @ direct[1]),
        "protection": kept,
        "price_before": _mean(before[0], persons * reach),
        "price_after": _mean(after[0], left * reach),
        "deaths_before": 1e4 * _mean(before[1], persons * reach),
        "deaths_after": 1e4 * _mean(after[1], left * reach),
        "spent": float(state.levels.sum()) / levels,
        "gap": (answer.bound - state.value) * share,
    }


def _along(draw: Draw, state: State) -> tuple[Array, Array]:
    """Price in USD and probability of death along the road of each demand, each (D,)."""
    problem = draw.problem
    levels = state.levels[problem.pair]
    price = draw.price + draw.price_rise * levels
    death = draw.death + draw.death_rise * levels
    roads = [list(road) for road in state.roads]
    return (
        np.array([price[o, road].sum() for o, road in zip(problem.origin, roads, strict=True)]),
        np.array([-np.expm1(-death[road].sum()) for road in roads]),
    )


def _mean(value: Array, weight: Array) -> float:
    total = float(weight.sum())
    return float(value @ weight) / total if total > 0 else float("nan")


def passing(draw: Draw, state: State) -> Array:
    """Persons who pass through and who come to each place, (2, places)."""
    problem = draw.problem
    left = problem.persons * (1.0 - state.stopped)
    out = np.zeros((2, problem.places))
    np.add.at(out[1], problem.destination, left)
    for persons, road in zip(left, state.roads, strict=True):
        out[0, problem.head[list(road[:-1])]] += persons
    return out


def spread_of(values: Array) -> tuple[float | None, float | None, float | None]:
    """Median and 80 % interval over draws; a single run has no interval."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return None, None, None
    if len(values) == 1:
        return float(known[0]), None, None
    low, middle, high = np.quantile(known, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return float(middle), float(low), float(high)


def outcome_table(found: list[tuple[str, float, list[dict[str, float]]]]) -> pl.DataFrame:
    """One row an actor (or all together) and outcome, from its draws."""
    rows = []
    for actors, budget, draws in found:
        for name, unit in UNITS.items():
            values = np.array([d.get(name, np.nan) for d in draws])
            middle, low, high = spread_of(values)
            if middle is not None:
                rows.append((actors, budget, name, middle, low, high, unit, MEANINGS[name]))
    number = dict.fromkeys(("value", "low", "high"), pl.Float64)
    schema = {"actors": pl.String, "budget": pl.Float64, "outcome": pl.String, **number}
    return pl.DataFrame(rows, schema={**schema, "unit": pl.String, "meaning": pl.String}, orient="row")


def curve_table(budgets: list[float], full: float, found: list[list[dict[str, float]]]) -> pl.DataFrame:
    """One row a budget: what it can do at most, and what people do instead, each with its interval."""
    shown = ("bound", "bound_share", "rerouted", "rerouted_share", "price_after", "deaths_after", "gap")
    rows = []
    for budget, draws in zip(budgets, found, strict=True):
        row: dict[str, float | None] = {"budget": budget, "share_of_full": budget / full}
        for name in shown:
            ends = spread_of(np.array([d[name] for d in draws]))
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None).cast(pl.Float64)


def displacement_table(
    ground: Ground, names: dict[str, str], actors: tuple[str, ...], before: Array, after: Array
) -> pl.DataFrame:
    """One row a place and role: persons before and after; arrays (draws, 2, places). Fewer than ten persons: no row."""
    rows = []
    for place, code in enumerate(ground.places):
        for i, role in enumerate(("transit", "arrival")):
            row: dict[str, Any] = {"place": code, "name": names[code], "role": role, "acts": code in actors}
            values = {"before": before[:, i, place], "after": after[:, i, place]}
            values["change"] = values["after"] - values["before"]
            for name, drawn in values.items():
                ends = [_coarse(v) for v in spread_of(drawn)]
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
            if max(row[c] or 0 for c in ("before", "after", "before_high", "after_high")) >= THRESHOLD:
                rows.append(row)
    numbers = [f"{name}{end}" for name in ("before", "after", "change") for end in ("", "_low", "_high")]
    schema = {"place": pl.String, "name": pl.String, "role": pl.String, "acts": pl.Boolean}
    table = pl.DataFrame(rows, schema={**schema, **dict.fromkeys(numbers, pl.Float64)})
    return table.sort("role", "place", descending=[True, False])


def _coarse(value: float | None) -> float | None:
    """Nothing below ten persons is told apart."""
    return None if value is None else (0.0 if abs(value) < THRESHOLD else value)

"""Enforcement bound: the most that a national enforcement budget can do once people re-route.

It says how much at most, and where people go instead. Where on the ground a budget acts is nowhere in the result.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.core.result import json_ready
from zhol.policy._bound import outcomes as counted
from zhol.policy._bound.costs import Draw, Ground, caps_of, ground, problems
from zhol.policy._bound.search import Answer, Rule, answers
from zhol.policy._bound.travellers import given, of_the_system
from zhol.policy.instruments import Instrument
from zhol.policy.instruments import instrument as known_instrument
from zhol.policy.places import places_of

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region
    from zhol.system.model import Model

Array = Any
TOGETHER = "together"
_CITES = (
    "Israeli E., Wood R. K. (2002) Shortest-path network interdiction. Networks 40(2):97-111",
    "Huangfu Q., Hall J. A. J. (2018) Parallelizing the dual revised simplex method. "
    "Mathematical Programming Computation 10:119-142 (HiGHS)",
)


@dataclass(frozen=True, eq=False)
class EnforcementBound:
    """What an enforcement budget can do at most, and where people go instead.

    Parameters
    ----------
    table : polars.DataFrame
        One row an actor alone, or all together, and outcome: ``actors``, ``budget``, ``outcome``, ``value`` (median
        over draws), ``low``, ``high`` (80 %), ``unit``, ``meaning``. The outcome ``bound`` is proven in every draw.
    curve : polars.DataFrame
        All together, one row a budget from nothing to full intensity everywhere they can act.
    displacement : polars.DataFrame
        All together at the budget: persons in ``transit`` through and on ``arrival`` in each place, before, after and
        change, with 80 % intervals.
    actors : tuple of str
    budget : float
        Units of national intensity: 1 is intensity 1 of one country towards one neighbour, one way.
    instrument : str
    proven : bool
        Whether bound and best use found meet in every draw; else the bound still holds but may be larger than it need.
    warnings : tuple of str
        What the reader must know.
    source : str
        Where the travellers come from.
    """

    table: pl.DataFrame
    curve: pl.DataFrame
    displacement: pl.DataFrame
    actors: tuple[str, ...]
    budget: float
    instrument: str
    proven: bool
    warnings: tuple[str, ...]
    source: str
    cites: tuple[str, ...] = _CITES

    def outcome(self, name: str, actors: str = TOGETHER) -> tuple[float, float | None, float | None]:
        """Value, low and high of one outcome; ``actors`` is ``together`` or a member.

        Raises
        ------
        ZholError
            If the table has no such row.
        """
        found = self.table.filter((pl.col("outcome") == name) & (pl.col("actors") == actors))
        if found.height != 1:
            raise ZholError("no such outcome", found=f"{name}, {actors}",
                            expected=", ".join(self.table["outcome"].unique(maintain_order=True)))  # fmt: skip
        row = found.row(0, named=True)
        return row["value"], row["low"], row["high"]

    def summary(self) -> str:
        """The bound, what people do instead, and what a reader must know, in a few lines."""
        who = " and ".join(self.actors) if len(self.actors) < 4 else f"{len(self.actors)} places together"
        full = self.curve["budget"].to_list()[-1]
        verdict = "proven: nothing does more" if self.proven else "proven, but perhaps too large"
        lines = [
            f"Enforcement bound: {who}, budget {self.budget:g} of {full:g}, {self.instrument}",
            f"In reach: {self._text('in_reach')} persons a year ({self.source})",
            f"Kept from passage, at most: {self._text('bound')} persons a year, "
            f"{self._text('bound_share')} % of those in reach ({verdict})",
            f"By another road: {self._text('rerouted')} persons a year",
            f"Price: {self._text('price_before')} USD before, {self._text('price_after')} after",
        ]
        lines.append(f"More transit through: {self._gains()}")
        if len(self.actors) > 1:
            lines.append(f"Together rather than the best alone: {self._text('gain_over_best_member')} persons more")
        lines += [f"Warning: {w}" for w in self.warnings]
        return "\n".join(lines + [f"Method: {c}" for c in self.cites])

    def _gains(self) -> str:
        """Places with more transit, in alphabetical order, unless it is below a hundredth of those in reach."""
        least = 0.01 * self.outcome("in_reach")[0]
        most = pl.max_horizontal("change", "change_high")
        gains = self.displacement.filter((pl.col("role") == "transit") & (most > least)).sort("place").to_dicts()
        named = [f"{r['place']} {_span(r['change'], r['change_low'], r['change_high'])}" for r in gains]
        return ", ".join(named) or "no place"

    def _text(self, name: str) -> str:
        try:
            value, low, high = self.outcome(name)
        except ZholError:
            return "none"
        return _span(value, low, high)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        head = {
            "actors": list(self.actors),
            "budget": self.budget,
            "instrument": self.instrument,
            "proven": self.proven,
            "source": self.source,
            "warnings": list(self.warnings),
            "cites": list(self.cites),
        }
        tables = {"table": self.table, "curve": self.curve, "displacement": self.displacement}
        return {**head, **{name: json_ready(t) for name, t in tables.items()}}

    def plot(self) -> alt.Chart | alt.LayerChart:
        """Curve over budgets: kept from passage at most, and on another road."""
        from zhol.policy._bound.picture import curve_chart

        who = ", ".join(self.actors) if len(self.actors) < 4 else f"{len(self.actors)} places together"
        return curve_chart(self.curve, f"What enforcement can do at most: {who}")


def _span(value: float, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return plain_number(value)
    return f"{plain_number(value)} (80% {plain_number(low)} to {plain_number(high)})"


def enforcement_bound(
    region: Region | Model,
    actors: str | Iterable[str],
    budget: float,
    demand: Any = None,
    *,
    instrument: str = "border_officers",
    levels: int | None = 10,
    year: int | None = None,
    draws: int = 20,
    seed: int = 1,
    parameters: Any = None,
    alone: bool = True,
    gap: float = 1e-4,
    time_limit: float = 20.0,
) -> EnforcementBound:
    """Most that a national enforcement budget can do once people take other roads.

    People take the road that is cheapest to them: its price, the loss when intercepted, the risk of death. An enforcer
    raises these on legs that enter or leave it; people then take another chain of countries, pay more, or do not go.
    The bound is what the best use of the budget keeps from passage, found exactly among all uses: no other does more.

    Parameters
    ----------
    region : Region or zhol.system.Model
    actors : str or iterable of str
        Countries or blocks, or a group of the pack (``XEE``); several act as one, with one budget. ``WLD``: all.
    budget : float
        Units of national intensity to spend; 1 is intensity 1 of one country towards one neighbour, one way.
    demand : frame, optional
        Columns origin, destination, persons (a year) and perhaps reservation (USD: who must pay more, price and risk
        together, stays at home). Not given: passage as the moving system has it, and its response to cost.
    instrument : str
        What intensity 1 is and what it does to price, interception and danger.
    levels : int or None
        Steps of intensity between 0 and 1; None: any intensity.
    year : int, optional
        Year of the travellers and incomes; the last one with stocks if not given.
    draws : int
        Draws of parameters, effects and travellers; 0: their centre alone, without intervals.
    seed : int
    parameters : optional
        As for ``Model.simulate``.
    alone : bool
        Whether each member is also bounded alone, with the same budget.
    gap : float
        Largest share of the result that the proof may leave open.
    time_limit : float
        Seconds for one budget of one draw; when they run out the bound still holds, and ``proven`` is False.

    Returns
    -------
    EnforcementBound

    Raises
    ------
    ZholError
        An unknown actor, a negative budget, a demand that cannot be, an instrument that does not act on roads.

    Notes
    -----
    Shortest-path interdiction (Israeli and Wood 2002): by duality of linear programmes the people's cheapest road
    becomes one constraint a road, which makes one mixed-integer programme of the two levels. Roads enter when people
    would take them, so that all roads count and few are written down. A rise of the cost keeps a share
    1 - exp(-rise / patience) from passage, concave in the rise and so exact in the limit of tangents.

    Examples
    --------
    >>> import zhol
    >>> people = {"origin": ["AFG"], "destination": ["XEU"], "persons": [1000.0]}
    >>> found = enforcement_bound(zhol.load("central_asia"), "TUR", 2, people, draws=0)
    >>> found.proven, found.outcome("passages")[0]
    (True, 1000.0)
    """
    model, one, codes = _model(region), known_instrument(instrument), _actors(region, actors)
    _check(budget, levels, draws, gap, time_limit)
    when = _year(model, year)
    people = given(demand, model) if demand is not None else of_the_system(model, when, draws, seed, parameters)
    found, notes = ground(model, people, when)
    steps = levels or 1
    groups = {TOGETHER: codes, **({code: (code,) for code in codes} if alone and len(codes) > 1 else {})}
    caps = {name: caps_of(found, members, steps) for name, members in groups.items()}
    full = float(caps[TOGETHER].sum()) / steps
    if full == 0:
        raise ZholError("the actors have no legs to act on", found=", ".join(codes), hint="see `zhol data show legs`")
    budgets = _budgets(float(budget), full, steps, levels is not None)
    todo = problems(model, found, one, levels=steps, whole=levels is not None, draws=draws, seed=seed,
                    parameters=parameters)  # fmt: skip
    plan = _Plan(caps, budgets, float(budget), steps, Rule(gap, time_limit), _recognition(model, found))
    solved = [_solve(draw, plan) for draw in todo]
    return _result(model, found, one, codes, plan, full, solved, notes, draws)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is asked of every draw: for whom, and at which budgets."""

    caps: dict[str, Array]
    budgets: list[float]
    budget: float
    steps: int
    rule: Rule
    recognised: Array | None

    @property
    def at(self) -> int:
        """Place of the budget among those of the curve."""
        return max(i for i, b in enumerate(self.budgets) if b <= self.budget)


@dataclass(frozen=True, eq=False)
class _Solved:
    """What one draw answers."""

    rows: dict[str, dict[str, float]]
    curve: list[dict[str, float]]
    before: Array
    after: Array
    proven: bool


def _solve(draw: Draw, plan: _Plan) -> _Solved:
    spend = [b * plan.steps for b in plan.budgets]
    found: dict[str, Answer] = {}
    members = [name for name in plan.caps if name != TOGETHER]
    for name in members:
        own = replace(draw.problem, caps=plan.caps[name])
        found[name] = answers(own, [spend[plan.at]], plan.rule)[0]
    whole = replace(draw.problem, caps=plan.caps[TOGETHER])
    starts = [[a.state.levels for a in found.values()] if i == plan.at else [] for i in range(len(spend))]
    curve = answers(whole, spend, plan.rule, starts)
    together = curve[plan.at]
    # What holds for all together holds for each of them.
    found = {n: replace(a, bound=max(min(a.bound, together.bound), a.state.value)) for n, a in found.items()}

    def count(answer: Answer, name: str) -> dict[str, float]:
        return counted.outcomes(draw, answer, plan.caps[name], plan.steps, plan.recognised)

    rows = {TOGETHER: count(together, TOGETHER), **{n: count(a, n) for n, a in found.items()}}
    if found:
        rows[TOGETHER]["gain_over_best_member"] = together.bound - max(a.bound for a in found.values())
    return _Solved(
        rows,
        [count(a, TOGETHER) for a in curve],
        counted.passing(draw, draw.problem.today),
        counted.passing(draw, together.state),
        all(a.proven for a in [*curve, *found.values()]),
    )


def _result(
    model: Model,
    found: Ground,
    one: Instrument,
    codes: tuple[str, ...],
    plan: _Plan,
    full: float,
    solved: list[_Solved],
    notes: Sequence[str],
    draws: int,
) -> EnforcementBound:
    names = dict(model.region.table("places").select("place", "name").iter_rows())
    rows = [(name, plan.budget, [s.rows[name] for s in solved]) for name in plan.caps]
    curve = [[s.curve[i] for s in solved] for i in range(len(plan.budgets))]
    before, after = np.stack([s.before for s in solved]), np.stack([s.after for s in solved])
    proven = all(s.proven for s in solved)
    return EnforcementBound(
        table=counted.outcome_table(rows),
        curve=counted.curve_table(plan.budgets, full, curve),
        displacement=counted.displacement_table(found, names, codes, before, after),
        actors=codes,
        budget=plan.budget,
        instrument=one.title,
        proven=proven,
        warnings=_warnings(one, notes, proven, draws),
        source=found.travellers.source,
    )


def _warnings(one: Instrument, notes: Sequence[str], proven: bool, draws: int) -> tuple[str, ...]:
    breaks = sorted({b.floor.replace("_", " ") for b in one.rights.may_break})
    said = [
        "The bound holds for an enforcer that knows every road and every price, wastes nothing and is not bribed; "
        "those intercepted count as stopped for good. Real enforcement does less.",
        "Prices follow the instrument; what crowding does to the price of the roads taken instead is left out.",
        "Those kept from passage are not fewer in need: the outcome protection says how many would be recognised.",
        one.transfer,
    ]
    if breaks:
        said.append(f"Rights floors that {one.title.lower()} puts at risk or breaks: {', '.join(breaks)}.")
    if not proven:
        said.append("Time ran out before bound and best use met in every draw: the bound holds, but may be too large.")
    if draws == 0:
        said.append("Without draws there are no intervals.")
    return (*said, *notes)


def _model(region: Any) -> Model:
    from zhol.system.model import Model

    return region if isinstance(region, Model) else Model(region)


def _actors(region: Any, actors: str | Iterable[str]) -> tuple[str, ...]:
    """Places that act, in alphabetical order, groups resolved."""
    pack = places_of(getattr(region, "region", region))
    asked = [actors] if isinstance(actors, str) else list(actors)
    if not asked:
        raise ZholError("nobody acts", expected="at least one country, block or group")
    for code in asked:
        pack.need(code, "unknown actor", acts=code != "WLD")
    found = {p for code in asked for p in (pack.actors if code == "WLD" else pack.expand(code))}
    return tuple(sorted(found))


def _check(budget: float, levels: int | None, draws: int, gap: float, seconds: float) -> None:
    if isinstance(budget, bool) or not isinstance(budget, int | float | np.number) or not 0 <= budget < math.inf:
        raise ZholError("budget of enforcement", found=budget, expected="a number of 0 or more")
    if levels is not None and (isinstance(levels, bool) or not isinstance(levels, int) or not 1 <= levels <= 1000):
        raise ZholError("levels of intensity", found=levels, expected="a whole number from 1 to 1000, or None")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 0 or draws == 1:
        raise ZholError("draws", found=draws, expected="0, or 2 and more")
    if not 0 < gap < 1 or not seconds > 0:
        raise ZholError("gap and time limit", found=f"{gap}, {seconds}", expected="a share above 0, seconds above 0")


def _year(model: Model, year: int | None) -> int:
    if year is not None:
        return int(year)
    if "stocks" not in model.region.tables:
        raise ZholError("the pack has no stocks", hint="name a year")
    return int(model.region.table("stocks")["year"].max())  # type: ignore[arg-type]


def _budgets(budget: float, full: float, steps: int, whole: bool) -> list[float]:
    """Budgets of the curve: nothing, parts of the budget, the budget, up to full intensity everywhere."""
    wanted = {0.0, full, *(min(budget * f, full) for f in (0.25, 0.5, 1.0, 2.0, 4.0)), full / 2}
    return sorted({math.floor(b * steps + 1e-9) / steps if whole else b for b in wanted})


def _recognition(model: Model, found: Ground) -> Array | None:
    """Share of each demand's corridor that was recognised among those who asked; None without a table of claims."""
    if "asylum" not in model.region.tables:
        return None
    from zhol.system.model import recognition_record

    return 1.0 / (1.0 + np.exp(-recognition_record(model.region, found.travellers.pairs)))

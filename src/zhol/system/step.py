"""One month: its processes in their order. Arrays have the corridors last, so that a column lies in one piece."""

from __future__ import annotations

from typing import Any, NamedTuple

from zhol.system import accounts, choice, exits, passage, status
from zhol.system.fixed import Fixed, entry_of
from zhol.system.instruments import log_multipliers
from zhol.system.names import (
    ASYLUM,
    CHANNELS,
    CLANDESTINE,
    FLOWS,
    PASSAGE,
    PENDING,
    RESIDENT,
    SETTLE,
    VISIT,
    VISITOR,
    WORK,
    WORKER,
)

Array = Any


class State(NamedTuple):
    """What the system remembers from month to month.

    Attributes
    ----------
    counts : (10, C) persons by status and corridor
    home : (P,) working-age persons at home
    volume : (k, C) persons a month that the market for passage has noticed
    capacity : (k, C) share of its capacity that each road has
    """

    counts: Array
    home: Array
    volume: Array
    capacity: Array

    @property
    def people(self) -> Array:
        """Persons by corridor and status, (C, 10)."""
        return self.counts.swapaxes(-1, -2)


class Start(NamedTuple):
    """What the draw and the first month fixed: costs, incomes, labour, against which later months are measured."""

    fixed: Fixed
    work: Array
    visit: Array
    passage: Array
    relative: Array
    labour: Array
    working_age: Array
    pull: Array | None
    rate: Array


class Month(NamedTuple):
    """Drivers, regimes and intensities of one month; ``growth`` is that of the working-age population, a month."""

    drivers: dict[str, Array]
    growth: Array
    regime: Array
    intensity: Array


class Policy(NamedTuple):
    """Actions as arrays; the names of the levers they touch are static."""

    actor: Array
    effect: dict[str, Array]
    mask: dict[str, Array]


class Moved(NamedTuple):
    """What the intensities of a month make of the levers; months of the same intensities share it.

    Attributes
    ----------
    levers, logs : multipliers by name, and logs of those that odds and prices need
    roads : dict of (k, C) arrays
        ``through``, ``death``, ``base`` and ``ceiling`` where an instrument moves them.
    """

    levers: dict[str, Array]
    logs: dict[str, Array]
    roads: dict[str, Array]


_LOGS = ("open_settle", "open_work", "open_visit", "open_asylum", "open_passage", "demand_labour", "income_origin")
_ROADS = ("interception", "danger", "passage_price", "capacity")


def moved_by(
    world: Any,
    p: dict[str, Array],
    fixed: Fixed,
    policy: Policy,
    levers_touched: tuple[str, ...],
    intensity: Array,
    xp: Any,
) -> Moved:
    """Levers and roads under the intensities of a month."""
    logs = log_multipliers(levers_touched, intensity, policy.actor, policy.effect, policy.mask, p["leakage"], xp)
    levers = {name: xp.exp(log) for name, log in logs.items() if name != "open_settle"}
    roads = {}
    if "interception" in levers or "danger" in levers:
        roads["through"], roads["death"] = passage.road_risks(world, p, levers, xp)
    if "passage_price" in levers:  # instruments act on legs; a road's price moves by the mean of its legs
        mean = (world.uses @ logs["passage_price"]) / world.leg_count
        roads["base"] = fixed.base * xp.exp(xp.swapaxes(mean, 0, 1))
    if "capacity" in levers:
        roads["ceiling"] = xp.exp(xp.minimum(xp.swapaxes(world.uses @ logs["capacity"], 0, 1), 20.0))
    kept = {name: m for name, m in levers.items() if name not in _ROADS}
    return Moved(kept, {name: log for name, log in logs.items() if name in _LOGS}, roads)


def along_corridors(world: Any, d: dict[str, Array], p: dict[str, Array], xp: Any) -> dict[str, Array]:
    """Drivers of the month along the corridors, (C,) each."""
    wage, earnings = xp.log(d["income_ppp"] * d["employment"]), xp.log(d["income_usd"] * d["employment"])
    prices = xp.log(d["income_usd"] / d["income_ppp"])
    here = xp.stack([wage, earnings, prices, d["income_usd"], xp.exp(p["remit_origin"])])[:, world.origin]
    there = xp.stack([wage, earnings, prices, d["income_usd"], d["death_rate"]])[:, world.destination]
    return {
        "wages": there[0] - here[0],
        "earnings": there[1] - here[1],
        "prices": there[2] - here[2],
        "income_here": here[3],
        "income_there": there[3],
        "remitting": here[4] * there[3],
        "death_rate": there[4],
    }


def entry_costs(
    p: dict[str, Array],
    fixed: Fixed,
    state: State,
    along: dict[str, Array],
    entry: dict[str, Array],
    moved: Moved,
    xp: Any,
) -> tuple[Array, Array, dict[str, Array]]:
    """Prices and shares of roads, and the cost of passage, of work and of a visit, in years of income."""
    roads, levers = moved.roads, moved.levers
    prices = passage.road_prices(p, roads.get("base", fixed.base), fixed.limit, state.volume, state.capacity, xp)
    through, death = roads.get("through", fixed.through), roads.get("death", fixed.death)
    income = along["income_here"] * choice.gate("income_origin", levers)
    shares, cost = passage.road_shares(fixed, p, passage.road_costs(p, income, prices, through, death), xp)
    work = entry["cost_work"] * choice.gate("cost_work", levers)
    visit = entry["cost_visit"] * choice.gate("cost_visit", levers)
    return prices, shares, {"passage": cost, "work": work, "visit": visit}


def first_pull(world: Any, p: dict[str, Array], fixed: Fixed, state: State, month: Month, xp: Any) -> Array:
    """Log of the total pull on each origin, (P,), without instruments."""
    none = Moved({}, {}, {})
    along, entry = along_corridors(world, month.drivers, p, xp), entry_of(fixed, month.regime, xp)
    _, _, costs = entry_costs(p, fixed, state, along, entry, none, xp)
    odds = choice.channel_odds(p, fixed, along, entry, costs, {}, {}, xp)
    *_, inclusive = choice.channel_shares(odds, p["channel_nest"], xp)
    pull = choice.destination_pull(p, fixed, along, inclusive, everyone(state.counts), {}, xp)
    return choice.total_pull(world, pull, xp)


def everyone(counts: Array) -> Array:
    """People of all statuses, (C,), of (10, C)."""
    return sum(counts[s] for s in range(counts.shape[0]))


def one_month(
    world: Any, p: dict[str, Array], start: Start, moved: Moved, state: State, month: Month, dt: float, xp: Any
) -> tuple[State, dict[str, Any]]:
    """Move the system by ``dt`` months.

    Returns
    -------
    State
    dict
        The accounts of the step: ``entries`` (five (C,) arrays), ``flows`` (a dict of (C,) arrays), ``volume``,
        ``revenue`` and ``attempts`` (k, C), ``unfilled_demand`` and ``grown`` (P,).
    """
    d, fixed, levers = month.drivers, start.fixed, moved.levers
    along, entry = along_corridors(world, d, p, xp), entry_of(fixed, month.regime, xp)

    # Choice
    prices, road, costs = entry_costs(p, fixed, state, along, entry, moved, xp)
    odds = choice.channel_odds(p, fixed, along, entry, costs, levers, moved.logs, xp)
    shares, turned, inclusive = choice.channel_shares(odds, p["channel_nest"], xp)
    pull = choice.destination_pull(p, fixed, along, inclusive, everyone(state.counts), moved.logs, xp)
    leaving, share = choice.departures(
        world, p, state.home, pull, start.pull, start.rate, d["conflict"], levers, dt, xp
    )
    quota = world.quota * choice.gate("quota_work", levers)
    entries, unmet = choice.ration(leaving * shares, turned, quota, dt, xp)

    # Passage
    setting_out = entries[PASSAGE] * road
    through, death = moved.roads.get("through", fixed.through), moved.roads.get("death", fixed.death)
    again = passage.try_again(p, levers)
    tries = passage.attempt(setting_out, through, death, again, p["strand"], fixed.lost, xp)
    arrived, stranded = passage.over_roads(tries["arrived"]), passage.stranded_in(world, tries["stranded"], xp)

    # Status and exits: competing hazards; those who enter during the step face them for what is left of it
    recognised = status.recognition(world, p, levers, xp) if "recognition" in levers else fixed.recognised
    moves = status.transition_hazards(p, entry, recognised, levers)
    dearer = {name: costs[name] - getattr(start, name) for name in costs}
    relative = along["earnings"] - choice.log_gate("income_origin", moved.logs) - start.relative
    returns = exits.return_hazards(p, fixed, entry, dearer, relative, levers, xp)
    leave = exits.exit_hazards(p, along["death_rate"], returns, levers)
    come = {
        RESIDENT: entries[SETTLE],
        WORKER: entries[WORK],
        VISITOR: entries[VISIT],
        PENDING: entries[ASYLUM],
        CLANDESTINE: arrived + stranded,
    }
    after, present = status.split(state.counts, come, moves, leave.total(), dt, xp)
    out = exits.exits_of(present, leave, dt)
    onward_in, nowhere = exits.move_on(world, out["onward"], share, xp)
    unit = xp.asarray([[1.0 if s == CLANDESTINE else 0.0] for s in range(after.shape[0])], dtype=after.dtype)
    after = after + unit * onward_in

    # Home, market, accounts
    back = passage.over_roads(tries["home"]) + out["return"] + out["removal"] + nowhere
    left_over = state.home + (back - leaving) @ world.at_origin
    grown = xp.maximum(state.home * xp.expm1(month.growth * dt), -left_over)  # no more are lost than are there
    volume = passage.remember(state.volume, tries["attempts"], p["volume_memory"], dt, xp)
    capacity = passage.recover(state.capacity, moved.roads.get("ceiling", 1.0), p, dt, xp)
    happened = {
        "present": present,
        "moves": moves,
        "exits": out,
        "tries": tries,
        "into": arrived + stranded + onward_in,
        "unmet": unmet,
    }
    anyone = start.working_age > 0
    growth = xp.where(anyone, d["working_age"] / xp.where(anyone, start.working_age, 1.0), 1.0)
    return State(after, left_over + grown, volume, capacity), {
        "entries": dict(zip(CHANNELS, entries, strict=True)),
        "flows": accounts.flow_accounts(p, along, happened, levers, dt),
        "volume": setting_out,
        "revenue": setting_out * prices,
        "attempts": tries["attempts"],
        "unfilled_demand": accounts.unfilled(world, after, start.labour, growth, levers, xp) * dt,
        "grown": grown,
    }


def month_step(
    world: Any,
    p: dict[str, Array],
    start: Start,
    policy: Policy,
    levers_touched: tuple[str, ...],
    state: State,
    month: Month,
    dt: float,
    xp: Any,
) -> tuple[State, dict[str, Array]]:
    """Move the system by ``dt`` months, with accounts under the names and in the shapes of ``reported``."""
    moved = moved_by(world, p, start.fixed, policy, levers_touched, month.intensity, xp)
    state, out = one_month(world, p, start, moved, state, month, dt, xp)
    found = reported(world, start.fixed, state, out, xp)
    return state, {name: xp.swapaxes(a, -1, -2) if a.ndim > 1 else a for name, a in found.items()}


def reported(world: Any, fixed: Fixed, state: State, out: dict[str, Any], xp: Any) -> dict[str, Array]:
    """Accounts of a step or the sum of several, as they are kept.

    Returns
    -------
    dict of arrays
        ``entries`` (5, C), ``flows`` (F, C), ``volume`` and ``revenue`` (k, C), ``transit``, ``unfilled_demand`` and
        ``grown`` (P,), ``protection_gap`` (C,).
    """
    through = xp.swapaxes(world.through, 0, 1)
    return {
        "entries": xp.stack([out["entries"][name] for name in CHANNELS]),
        "flows": xp.stack([out["flows"][name] for name in FLOWS]),
        "volume": out["volume"],
        "revenue": out["revenue"],
        "transit": out["attempts"].reshape(-1) @ through.reshape(-1, through.shape[-1]),
        "unfilled_demand": out["unfilled_demand"],
        # Need is what the corridor's record says, whatever an instrument does to decisions.
        "protection_gap": accounts.protection_gap(state.counts, fixed.recognised),
        "grown": out["grown"],
    }

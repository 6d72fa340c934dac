"""One month: its processes in their order."""

from __future__ import annotations

from typing import Any, NamedTuple

from zhol.system import accounts, choice, exits, passage, status
from zhol.system.instruments import multipliers
from zhol.system.names import ASYLUM, CLANDESTINE, FLOWS, PASSAGE, PENDING, SETTLE, VISIT, WORK

Array = Any


class State(NamedTuple):
    """What the system remembers from month to month.

    Attributes
    ----------
    people : (C, 10) persons by corridor and status
    home : (P,) working-age persons at home
    volume : (C, k) persons a month that the market for passage has noticed
    capacity : (C, k) share of its capacity that each road has
    """

    people: Array
    home: Array
    volume: Array
    capacity: Array


class Start(NamedTuple):
    """What the first month fixed: costs, incomes, labour, against which later months are measured."""

    work: Array
    visit: Array
    passage: Array
    relative: Array
    labour: Array
    working_age: Array
    pull: Array | None
    rate: Array
    risks: tuple[Array, Array]


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


def entry_costs(
    world: Any,
    p: dict[str, Array],
    state: State,
    month: Month,
    risks: tuple[Array, Array],
    levers: dict[str, Array],
    xp: Any,
) -> Any:
    """Risks, prices and shares of roads, and the cost of passage, of work and of a visit, in years of income."""
    income = month.drivers["income_usd"][world.origin] * choice.gate("income_origin", levers)
    through, death = risks
    if "interception" in levers or "danger" in levers:  # else what the first month found, which never changes
        through, death = passage.road_risks(world, p, levers, xp)
    prices = passage.road_prices(world, p, state.volume, state.capacity, levers, xp)
    shares, cost = passage.road_shares(world, p, passage.road_costs(p, income, prices, through, death), xp)
    work = (month.regime @ p["cost_work"]) * choice.gate("cost_work", levers)
    visit = (month.regime @ p["cost_visit"]) * choice.gate("cost_visit", levers)
    return through, death, prices, shares, {"passage": cost, "work": work, "visit": visit}


def relative_income(world: Any, month: Month, levers: dict[str, Array], xp: Any) -> Array:
    """Log earnings of the destination over the origin, in dollars, (C,)."""
    earnings = xp.log(month.drivers["income_usd"] * month.drivers["employment"])
    home = earnings[world.origin] + choice.log_gate("income_origin", levers, xp)
    return earnings[world.destination] - home


def first_pull(
    world: Any, p: dict[str, Array], state: State, month: Month, risks: tuple[Array, Array], xp: Any
) -> Array:
    """Total pull on each origin, (P,), without instruments."""
    *_, costs = entry_costs(world, p, state, month, risks, {}, xp)
    odds = choice.channel_odds(world, p, month.drivers, month.regime, costs["passage"], {}, xp)
    _, inclusive = choice.channel_shares(odds, p["channel_nest"], xp)
    pull = choice.destination_pull(world, p, month.drivers, inclusive, state.people.sum(axis=-1), {}, xp)
    return pull @ world.at_origin


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
    """Move the system by ``dt`` months.

    Returns
    -------
    State
    dict of arrays
        The accounts of the step: ``entries`` (C, 5), ``flows`` (C, F), ``volume`` and ``revenue`` (C, k),
        ``transit`` and ``unfilled_demand`` (P,), ``protection_gap`` (C,).
    """
    d = month.drivers
    levers = multipliers(levers_touched, month.intensity, policy.actor, policy.effect, policy.mask, p["leakage"], xp)

    # Choice
    through, death, prices, road, costs = entry_costs(world, p, state, month, start.risks, levers, xp)
    odds = choice.channel_odds(world, p, d, month.regime, costs["passage"], levers, xp)
    shares, inclusive = choice.channel_shares(odds, p["channel_nest"], xp)
    stock = state.people.sum(axis=-1)
    pull = choice.destination_pull(world, p, d, inclusive, stock, levers, xp)
    first_pull = start.pull if start.pull is not None else pull @ world.at_origin  # in the spin-up: as it is
    hazard, share = choice.leaving_hazard(world, p, d, pull, first_pull, start.rate, levers, xp)
    leaving = choice.departures(world, state.home, hazard, dt, xp)
    quota = world.quota * choice.gate("quota_work", levers)
    entries, unmet = choice.ration(leaving[..., None] * shares, odds, quota, p["channel_nest"], dt, xp)

    # Passage
    setting_out = entries[..., PASSAGE, None] * road
    tries = passage.attempt(setting_out, through, death, passage.try_again(p, levers), p["strand"])
    stranded_in = xp.zeros(stock.shape[-1] + 1, stock.dtype).at[world.strand_to].add(tries["stranded"])
    arrived = tries["arrived"].sum(axis=-1)
    lost = xp.where(world.strand_to == stock.shape[-1], tries["stranded"], 0.0)
    # Who has nowhere to be stranded in goes home, and is counted there.
    tries = {**tries, "stranded": tries["stranded"] - lost, "home": tries["home"] + lost}
    back = tries["home"].sum(axis=-1)

    # Status and exits: competing hazards; those who enter during the step face them for what is left of it
    recognised = status.recognition(world, p, levers, xp)
    moves = status.transition_hazards(p, month.regime, recognised, levers, xp)
    dearer = {name: costs[name] - getattr(start, name) for name in costs}
    relative = relative_income(world, month, levers, xp) - start.relative
    returns = exits.return_hazards(world, p, month.regime, dearer, relative, levers, xp)
    leave = exits.exit_hazards(world, p, d, returns, levers, xp)
    come = _arrivals(entries, arrived, stranded_in[:-1], xp)
    after, changes, out, people = status.split(state.people, come, moves, leave, dt, xp)
    onward_in, nowhere = exits.move_on(world, out[..., exits.ONWARD].sum(axis=-1), share, xp)
    after = _add_status(after, CLANDESTINE, onward_in, xp)

    # Home, market, accounts
    came_back = back + out[..., exits.RETURN].sum(axis=-1) + out[..., exits.REMOVAL].sum(axis=-1) + nowhere
    grown = state.home * xp.expm1(month.growth * dt)
    home = state.home + grown - leaving @ world.at_origin + came_back @ world.at_origin
    volume = passage.remember(state.volume, tries["attempts"], p["volume_memory"], dt, xp)
    capacity = passage.recover(state.capacity, world, p, levers, dt, xp)
    happened = {
        "changes": changes,
        "exits": out,
        "tries": tries,
        "people": people,
        "arrived": arrived,
        "stranded_in": stranded_in[:-1],
        "onward_in": onward_in,
        "unmet": unmet,
    }
    flows = accounts.flow_accounts(world, p, d, happened, levers, dt, xp)
    anyone = start.working_age > 0
    growth = xp.where(anyone, d["working_age"] / xp.where(anyone, start.working_age, 1.0), 1.0)
    return State(after, home, volume, capacity), {
        "entries": entries,
        "flows": xp.stack([flows[name] for name in FLOWS], axis=-1),
        "volume": setting_out,
        "revenue": setting_out * prices,
        "transit": (tries["attempts"][..., None] * world.through).sum(axis=(0, 1)),
        "unfilled_demand": accounts.unfilled(world, after, start.labour, growth, levers, xp) * dt,
        # Need is what the corridor's record says, whatever an instrument does to decisions.
        "protection_gap": accounts.protection_gap(after, status.recognition(world, p, {}, xp)),
        "grown": grown,
    }


def _arrivals(entries: Array, arrived: Array, stranded: Array, xp: Any) -> Array:
    """People who come into each status from outside in the step, (C, 10)."""
    zero = xp.zeros_like(arrived)
    columns = [zero] * 10
    columns[0], columns[1], columns[2] = entries[..., SETTLE], entries[..., WORK], entries[..., VISIT]
    columns[PENDING], columns[CLANDESTINE] = entries[..., ASYLUM], arrived + stranded
    return xp.stack(columns, axis=-1)


def _add_status(people: Array, which: int, more: Array, xp: Any) -> Array:
    unit = xp.asarray([1.0 if s == which else 0.0 for s in range(people.shape[-1])], dtype=people.dtype)
    return people + more[..., None] * unit

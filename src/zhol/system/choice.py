"""Choice: who leaves, for where, by which channel. A nested logit with staying at home as its own nest."""

from __future__ import annotations

from typing import Any

from zhol.system.names import PASSAGE

Array = Any
MOST = 80.0  # exponents beyond this overflow single precision


def gate(name: str, levers: dict[str, Array]) -> Array:
    """Multiplier of a lever: 1 where no instrument touches it."""
    return levers.get(name, 1.0)


def log_gate(name: str, levers: dict[str, Array], xp: Any) -> Array:
    """Log-multiplier of a lever: 0 where no instrument touches it."""
    return xp.log(levers[name]) if name in levers else 0.0


def channel_odds(
    world: Any,
    p: dict[str, Array],
    d: dict[str, Array],
    regime: Array,
    passage_cost: Array,
    levers: dict[str, Array],
    xp: Any,
) -> Array:
    """Log odds of each channel of each corridor inside its destination, before the network and the wage.

    Parameters
    ----------
    d : drivers of the month, each (P,)
    regime : (C, 3) array of 0 and 1
    passage_cost : (C,) array
        Generalised cost of clandestine passage in years of income at the origin.

    Returns
    -------
    (C, 5) array
    """
    o, t = world.origin, world.destination
    slope = p["beta_cost"] / p["nest"]
    prices = xp.log(d["income_usd"] / d["income_ppp"])
    share = p["channel_nest"]  # what stands behind it is in log odds of the channel, the rest in utility
    corridor = p["pull_destination"][t] + p["pull_corridor"]
    labour = (
        corridor
        + share * (world.labour_effect(p, xp) + p["labour_destination"][t] + p["labour_origin"][o])
        + p["beta_exchange"] / p["nest"] * (prices[t] - prices[o])
        + log_gate("demand_labour", levers, xp)
    )
    settle = (
        corridor
        + share * (p["settle_mean"] + log_gate("open_settle", levers, xp))
        - slope * p["cost_settle"] * gate("cost_settle", levers)
    )
    work = (
        labour
        + share * (regime @ p["work_regime"] + log_gate("open_work", levers, xp))
        - slope * (regime @ p["cost_work"]) * gate("cost_work", levers)
    )
    visit = (
        labour
        + share * (regime @ p["visit_regime"] + log_gate("open_visit", levers, xp))
        - slope * (regime @ p["cost_visit"]) * gate("cost_visit", levers)
    )
    asylum = (
        corridor
        + share * (p["asylum_mean"] + world.asylum_effect(p, xp) + log_gate("open_asylum", levers, xp))
        - slope * p["cost_asylum"]
    )
    passage = xp.where(
        world.has_road,
        labour + share * (regime @ p["passage_regime"] + log_gate("open_passage", levers, xp)) - slope * passage_cost,
        -1e9,
    )
    return xp.stack([settle, work, visit, asylum, passage], axis=-1)


def channel_shares(odds: Array, channel_nest: Array, xp: Any) -> tuple[Array, Array]:
    """Shares of the channels of each corridor, (C, 5), and the inclusive value of the corridor, (C,)."""
    top = xp.max(odds, axis=-1, keepdims=True)
    weight = xp.exp((odds - top) / channel_nest)
    total = xp.sum(weight, axis=-1, keepdims=True)
    return weight / total, (top + channel_nest * xp.log(total))[..., 0]


def destination_pull(
    world: Any,
    p: dict[str, Array],
    d: dict[str, Array],
    inclusive: Array,
    people: Array,
    levers: dict[str, Array],
    xp: Any,
) -> Array:
    """Weight of each corridor among the destinations of its origin, (C,).

    The diaspora stands inside the nest with an exponent below 0.7: outside it small corridors run away. What the
    exponent leaves of the size of the first stock is the centre of the corridor's intercept.
    """
    o, t = world.origin, world.destination
    earnings = xp.log(d["income_ppp"] * d["employment"])
    home = earnings[o] + log_gate("income_origin", levers, xp)
    first = (1.0 - p["beta_network"]) * xp.log1p(xp.exp(world.stock_log) / p["network_scale"])
    pull = inclusive + first + p["beta_network"] * xp.log1p(people / p["network_scale"])
    pull = pull + p["beta_wage"] / p["nest"] * (earnings[t] - home)
    return xp.exp(xp.clip(pull, -MOST, MOST))


def leaving_hazard(
    world: Any,
    p: dict[str, Array],
    d: dict[str, Array],
    pull: Array,
    first_pull: Array,
    first_rate: Array,
    levers: dict[str, Array],
    xp: Any,
) -> tuple[Array, Array]:
    """Monthly hazard of leaving by each corridor, (C,), and share of the corridor among its origin's, (C,).

    The hazard of an origin is the one at the start times (pull / pull at the start) to the power of the nest: the odds
    of a nested logit against staying, read as a hazard so that halving a month changes nothing.

    Parameters
    ----------
    first_pull : (P,) array
        Total pull on each origin at the start.
    first_rate : (P,) array
        Residents abroad per person at home at the start.
    """
    o = world.origin
    total = pull @ world.at_origin
    share = pull / total[o]
    conflict = d["conflict"][o] * gate("conflict", levers)
    push = p["level"][o] + p["beta_conflict"] * xp.log1p(conflict)
    gain = p["nest"] * (xp.log(total)[o] - xp.log(first_pull)[o])
    hazard = first_rate[o] * xp.exp(push + gain) * gate("departures", levers)
    return hazard * share, share


def departures(world: Any, home: Array, hazard: Array, dt: float, xp: Any) -> Array:
    """People who leave by each corridor in a step, (C,): competing hazards, so that nobody leaves twice."""
    o = world.origin
    total = hazard @ world.at_origin
    gone = home * -xp.expm1(-total * dt)
    return gone[o] * hazard / xp.maximum(total[o], 1e-30)


def ration(flows: Array, odds: Array, quota: Array, channel_nest: Array, dt: float, xp: Any) -> tuple[Array, Array]:
    """Hold the work channel to its quota; those who find no place choose again without it.

    Parameters
    ----------
    flows : (C, 5) array
        People by wanted channel.
    quota : (C,) array
        Places a month; infinity where there is no quota.

    Returns
    -------
    (C, 5) array, people by channel; (C,) array, people who found no place.
    """
    wanted = flows[..., 1]
    given = xp.minimum(wanted, quota * dt)
    unmet = wanted - given
    without = xp.stack([odds[..., 0], xp.full_like(odds[..., 1], -1e9), odds[..., 2], odds[..., 3], odds[..., 4]], -1)
    again, _ = channel_shares(without, channel_nest, xp)
    taken = flows - xp.stack([0 * wanted, unmet, 0 * wanted, 0 * wanted, 0 * wanted], -1)
    return taken + unmet[..., None] * again, unmet


def clandestine(flows: Array) -> Array:
    """People who set out by clandestine passage, (C,)."""
    return flows[..., PASSAGE]

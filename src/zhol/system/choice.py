"""Choice: who leaves, for where, by which channel. A nested logit with staying at home as its own nest.

Arrays of corridors have the corridors last, (..., C): columns of one month lie side by side in memory.
"""

from __future__ import annotations

from typing import Any

Array = Any
MOST = 80.0  # exponents beyond this overflow single precision


def gate(name: str, levers: dict[str, Array]) -> Array:
    """Multiplier of a lever: 1 where no instrument touches it."""
    return levers.get(name, 1.0)


def log_gate(name: str, logs: dict[str, Array]) -> Array:
    """Log-multiplier of a lever: 0 where no instrument touches it."""
    return logs.get(name, 0.0)


def channel_odds(
    p: dict[str, Array],
    fixed: Any,
    along: dict[str, Array],
    entry: dict[str, Array],
    costs: dict[str, Array],
    levers: dict[str, Array],
    logs: dict[str, Array],
    xp: Any,
) -> tuple[Array, ...]:
    """Log odds of each channel of each corridor inside its destination, before the network and the wage.

    Parameters
    ----------
    fixed : Fixed
        What no month changes: intercepts of corridors.
    along, entry : dict of (C,) arrays
        Drivers along the corridors; what the regime of entry says of each channel.
    costs : dict of (C,) arrays
        ``work``, ``visit``, ``passage``: years of income at the origin.

    Returns
    -------
    Five (C,) arrays in the order of the channels
    """
    slope, share = p["beta_cost"] / p["nest"], p["channel_nest"]
    labour = fixed.labour + p["beta_exchange"] / p["nest"] * along["prices"] + log_gate("demand_labour", logs)
    settle = fixed.settle + share * log_gate("open_settle", logs)
    settle = settle - slope * p["cost_settle"] * gate("cost_settle", levers)
    work = labour + share * (entry["work_regime"] + log_gate("open_work", logs)) - slope * costs["work"]
    visit = labour + share * (entry["visit_regime"] + log_gate("open_visit", logs)) - slope * costs["visit"]
    asylum = fixed.asylum + share * log_gate("open_asylum", logs)
    passage = labour + share * (entry["passage_regime"] + log_gate("open_passage", logs)) - slope * costs["passage"]
    return settle, work, visit, asylum, xp.where(fixed.has_road, passage, -1e9)


def channel_shares(odds: tuple[Array, ...], channel_nest: Array, xp: Any) -> tuple[Array, Array, Array]:
    """Shares of the channels, what they would be without that of work, and the inclusive value of the corridor.

    Returns
    -------
    (5, C) shares; (5, C) shares of those who find no place in the work channel; (C,) array
    """
    settle, work, *rest = odds
    top = settle
    for other in rest:
        top = xp.maximum(top, other)
    free = xp.exp((xp.stack([settle, *rest]) - top) / channel_nest)  # without work
    others = free[0] + free[1] + free[2] + free[3]
    ahead = (work - top) / channel_nest
    weight = xp.exp(xp.minimum(ahead, MOST))
    total = others + weight
    value = top + channel_nest * xp.where(ahead < MOST, xp.log(total), ahead)
    turned = free / others
    shares = free / total
    zero = xp.zeros_like(weight)
    return (
        xp.stack([shares[0], weight / total, shares[1], shares[2], shares[3]]),
        xp.stack([turned[0], zero, turned[1], turned[2], turned[3]]),
        value,
    )


def destination_pull(
    p: dict[str, Array],
    fixed: Any,
    along: dict[str, Array],
    inclusive: Array,
    people: Array,
    logs: dict[str, Array],
    xp: Any,
) -> Array:
    """Weight of each corridor among the destinations of its origin, (C,).

    The diaspora stands inside the nest with an exponent below 0.7: outside it small corridors run away. What the
    exponent leaves of the size of the first stock is the centre of the corridor's intercept.
    """
    pull = inclusive + fixed.network + p["beta_network"] * xp.log1p(people / p["network_scale"])
    pull = pull + p["beta_wage"] / p["nest"] * (along["wages"] - log_gate("income_origin", logs))
    return xp.exp(xp.clip(pull, -MOST, MOST))


def total_pull(world: Any, pull: Array, xp: Any) -> Array:
    """Log of the pull on each origin, (P,); 0 where no corridor leaves."""
    total = pull @ world.at_origin
    return xp.log(xp.where(total > 0.0, total, 1.0))


def departures(
    world: Any,
    p: dict[str, Array],
    home: Array,
    pull: Array,
    first: Array | None,
    rate: Array,
    conflict: Array,
    levers: dict[str, Array],
    dt: float,
    xp: Any,
) -> tuple[Array, Array]:
    """People who leave by each corridor in a step, (C,), and share of the corridor among its origin's, (C,).

    The hazard of an origin is the one at the start times (pull / pull at the start) to the power of the nest: the odds
    of a nested logit against staying, read as a hazard so that halving a month changes nothing. Hazards compete, so
    that nobody leaves twice.

    Parameters
    ----------
    first : (P,) array or None
        Log of the total pull on each origin at the start; None where this is the start.
    rate : (P,) array
        Residents abroad per person at home at the start.
    conflict : (P,) array
        Intensity at the origin.
    """
    o = world.origin
    log_total = total_pull(world, pull, xp)
    gain = 0.0 if first is None else p["nest"] * (log_total - first)
    moved = "departures" in levers or "conflict" in levers
    push = p["level"] + gain
    if not moved:
        push = push + p["beta_conflict"] * xp.log1p(conflict)
    hazard = rate * xp.exp(push)
    if not moved:  # one hazard an origin, shared out
        leave = home * -xp.expm1(-hazard * dt)
        each = xp.stack([xp.exp(-log_total), leave])[..., o]
        share = pull * each[0]
        return each[1] * share, share
    each = xp.stack([xp.exp(-log_total), hazard, conflict])[..., o]
    share = pull * each[0]
    fights = xp.exp(p["beta_conflict"] * xp.log1p(each[2] * gate("conflict", levers)))
    own = each[1] * share * fights * gate("departures", levers)
    total = own @ world.at_origin
    leave = home * -xp.expm1(-total * dt) / xp.maximum(total, 1e-30)
    return leave[o] * own, share


def ration(flows: Array, turned: Array, quota: Array, dt: float, xp: Any) -> tuple[Array, Array]:
    """Hold the work channel to its quota; those who find no place choose again without it.

    Parameters
    ----------
    flows : (5, C) array
        People by wanted channel.
    turned : (5, C) array
        Shares of the channels of those who find no place.
    quota : (C,) array
        Places a month; infinity where there is no quota.

    Returns
    -------
    Five (C,) arrays, people by channel; (C,) array, people who found no place.
    """
    wanted = flows[1]
    given = xp.minimum(wanted, quota * dt)
    unmet = wanted - given
    return tuple(given if i == 1 else flows[i] + unmet * turned[i] for i in range(5)), unmet

"""Passage: clandestine departures over the roads; attempts, interceptions, deaths, strandings, and the price."""

from __future__ import annotations

from typing import Any

from zhol.system.choice import gate

Array = Any


def road_risks(world: Any, p: dict[str, Array], levers: dict[str, Array], xp: Any) -> tuple[Array, Array]:
    """Probability that an attempt over each road gets through, and that it ends in death, both (C, k)."""
    interception = (world.leg_mode @ p["interception"]) * gate("interception", levers)
    danger = (world.leg_mode @ p["danger"]) * gate("danger", levers)
    through = xp.exp(-(world.uses @ interception))
    death = -xp.expm1(-(world.uses @ danger))
    return through, death


def road_prices(
    world: Any, p: dict[str, Array], volume: Array, capacity: Array, levers: dict[str, Array], xp: Any
) -> Array:
    """Price of a passage over each road, US dollars, (C, k): base (1 + (volume / capacity)^congestion)."""
    base = xp.exp(world.log_price_mean + p["price_error"] * world.log_price_sd)
    if "passage_price" in levers:  # instruments act on legs; a road's price moves by the mean of its legs
        base = base * xp.exp((world.uses @ xp.log(levers["passage_price"])) / world.leg_count)
    limit = capacity * world.capacity(p, xp)
    load = volume / limit
    # No volume is no congestion: a small number inside the log is not small once it is raised to a tenth.
    full = xp.exp(p["congestion"] * xp.log(xp.where(load > 0.0, load, 1.0)))
    return base * (1.0 + xp.where(load > 0.0, full, 0.0))


def road_costs(p: dict[str, Array], income: Array, prices: Array, through: Array, death: Array) -> Array:
    """Generalised cost of each road in years of income at the origin, (C, k)."""
    return prices / income[..., None] + p["passage_loss"] * (1.0 - through) + p["danger_value"] * death


def road_shares(world: Any, p: dict[str, Array], costs: Array, xp: Any) -> tuple[Array, Array]:
    """Share of each road, (C, k), and the cost of passage as a whole, (C,): the logsum of its roads."""
    value = xp.where(world.exists, -p["road_choice"] * costs, -1e9)
    top = xp.max(value, axis=-1, keepdims=True)
    weight = xp.where(world.exists, xp.exp(value - top), 0.0)
    total = xp.maximum(xp.sum(weight, axis=-1, keepdims=True), 1e-30)
    cost = -(top + xp.log(total))[..., 0] / p["road_choice"]
    return weight / total, xp.where(world.has_road, cost, 0.0)


def attempt(people: Array, through: Array, death: Array, retry: Array, strand: Array) -> dict[str, Array]:
    """What becomes of people who set out over each road; every one ends in exactly one place.

    Each attempt ends in death, arrival or interception; the intercepted try again with probability ``retry``; those who
    give up are stranded on the way or go home.

    Returns
    -------
    dict of (C, k) arrays
        attempts, interceptions, dead, arrived, stranded, home: arrived + dead + stranded + home = people.
    """
    caught = (1.0 - death) * (1.0 - through)
    attempts = people / (1.0 - caught * retry)
    given_up = attempts * caught * (1.0 - retry)
    return {
        "attempts": attempts,
        "interceptions": attempts * caught,
        "dead": attempts * death,
        "arrived": attempts * (1.0 - death) * through,
        "stranded": given_up * strand,
        "home": given_up * (1.0 - strand),
    }


def try_again(p: dict[str, Array], levers: dict[str, Array]) -> Array:
    """Probability of another attempt, (C, 1) or a scalar."""
    if "retry" not in levers:
        return p["retry"]
    odds = p["retry"] / (1.0 - p["retry"]) * levers["retry"]
    return (odds / (1.0 + odds))[..., None]


def remember(volume: Array, flow: Array, memory: Array, dt: float, xp: Any) -> Array:
    """Volume a month as the market takes notice of it, (C, k)."""
    return volume + (flow / dt - volume) * -xp.expm1(-dt / memory)


def recover(capacity: Array, world: Any, p: dict[str, Array], levers: dict[str, Array], dt: float, xp: Any) -> Array:
    """Share of its capacity that each road has after a step, (C, k).

    A disruption pulls capacity down to the level that the instrument allows at once; when it ends, capacity comes back
    with the half-life of recovery.
    """
    ceiling = xp.ones_like(capacity)
    if "capacity" in levers:
        ceiling = xp.exp(xp.minimum(world.uses @ xp.log(levers["capacity"]), 20.0))
    back = capacity + (ceiling - capacity) * -xp.expm1(-dt * 0.6931471805599453 / p["recovery"])
    return xp.minimum(back, ceiling)

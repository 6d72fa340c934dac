"""Passage: clandestine departures over the roads; attempts, interceptions, deaths, strandings, and the price.

Arrays of roads are (k, C): the roads of a corridor first, corridors last.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from zhol.system.choice import gate

Array = Any


def over_roads(rows: Array) -> Array:
    """Sum over the roads of each corridor, (C,)."""
    return reduce(lambda a, b: a + b, [rows[r] for r in range(rows.shape[0])])


def road_risks(world: Any, p: dict[str, Array], levers: dict[str, Array], xp: Any) -> tuple[Array, Array]:
    """Probability that an attempt over each road gets through, and that it ends in death, both (k, C)."""
    interception = (world.leg_mode @ p["interception"]) * gate("interception", levers)
    danger = (world.leg_mode @ p["danger"]) * gate("danger", levers)
    through = xp.exp(-xp.swapaxes(world.uses @ interception, 0, 1))
    return through, -xp.expm1(-xp.swapaxes(world.uses @ danger, 0, 1))


def base_price(world: Any, p: dict[str, Array], xp: Any) -> Array:
    """Price of a passage without congestion and instruments, US dollars, (k, C)."""
    return xp.swapaxes(xp.exp(world.log_price_mean + p["price_error"] * world.log_price_sd), 0, 1)


def road_prices(p: dict[str, Array], base: Array, limit: Array, volume: Array, capacity: Array, xp: Any) -> Array:
    """Price of a passage over each road, US dollars, (k, C): base (1 + (volume / capacity)^congestion)."""
    load = volume / (capacity * limit)
    # No volume is no congestion: a small number inside the log is not small once it is raised to a tenth.
    full = xp.exp(p["congestion"] * xp.log(xp.where(load > 0.0, load, 1.0)))
    return base * (1.0 + xp.where(load > 0.0, full, 0.0))


def road_costs(p: dict[str, Array], income: Array, prices: Array, through: Array, death: Array) -> Array:
    """Generalised cost of each road in years of income at the origin, (k, C)."""
    return prices / income + p["passage_loss"] * (1.0 - through) + p["danger_value"] * death


def road_shares(fixed: Any, p: dict[str, Array], costs: Array, xp: Any) -> tuple[Array, Array]:
    """Share of each road, (k, C), and the cost of passage as a whole, (C,): the logsum of its roads."""
    value = xp.where(fixed.exists, -p["road_choice"] * costs, -1e9)
    top = reduce(xp.maximum, [value[r] for r in range(value.shape[0])])
    weight = xp.where(fixed.exists, xp.exp(value - top), 0.0)
    total = xp.maximum(over_roads(weight), 1e-30)
    cost = -(top + xp.log(total)) / p["road_choice"]
    return weight / total, xp.where(fixed.has_road, cost, 0.0)


def attempt(
    people: Array, through: Array, death: Array, retry: Array, strand: Array, lost: Array, xp: Any
) -> dict[str, Array]:
    """What becomes of people who set out over each road; every one ends in exactly one place.

    Each attempt ends in death, arrival or interception; the intercepted try again with probability ``retry``; those who
    give up are stranded on the way or go home. Who has nowhere to be stranded in (``lost``) goes home, and is counted
    there.

    Returns
    -------
    dict of (k, C) arrays
        attempts, interceptions, dead, arrived, stranded, home: arrived + dead + stranded + home = people.
    """
    caught = (1.0 - death) * (1.0 - through)
    attempts = people / (1.0 - caught * retry)
    intercepted = attempts * caught
    given_up = intercepted * (1.0 - retry)
    kept = xp.where(lost, 0.0, strand)
    return {
        "attempts": attempts,
        "interceptions": intercepted,
        "dead": attempts * death,
        "arrived": attempts * (1.0 - death) * through,
        "stranded": given_up * kept,
        "home": given_up * (1.0 - kept),
    }


def stranded_in(world: Any, stranded: Array, xp: Any) -> Array:
    """People stranded on the roads by the corridor that they are counted in, (C,)."""
    corridors = stranded.shape[-1]
    found = xp.zeros(corridors + 1, stranded.dtype).at[xp.swapaxes(world.strand_to, 0, 1)].add(stranded)
    return found[:-1]


def try_again(p: dict[str, Array], levers: dict[str, Array]) -> Array:
    """Probability of another attempt, (C,) or a scalar."""
    if "retry" not in levers:
        return p["retry"]
    odds = p["retry"] / (1.0 - p["retry"]) * levers["retry"]
    return odds / (1.0 + odds)


def remember(volume: Array, flow: Array, memory: Array, dt: float, xp: Any) -> Array:
    """Volume a month as the market takes notice of it, (k, C)."""
    return volume + (flow / dt - volume) * -xp.expm1(-dt / memory)


def recover(capacity: Array, ceiling: Array | float, p: dict[str, Array], dt: float, xp: Any) -> Array:
    """Share of its capacity that each road has after a step, (k, C).

    A disruption pulls capacity down to the level that the instrument allows at once (``ceiling``); when it ends,
    capacity comes back with the half-life of recovery.
    """
    back = capacity + (ceiling - capacity) * -xp.expm1(-dt * 0.6931471805599453 / p["recovery"])
    return xp.minimum(back, ceiling)

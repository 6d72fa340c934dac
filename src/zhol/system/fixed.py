"""What a draw fixes: parts of choice, roads and exits that no month changes, worked out once."""

from __future__ import annotations

from typing import Any, NamedTuple

from zhol.system import passage, status

Array = Any
# Parameters by regime of entry, looked up for all corridors at once.
BY_REGIME = (
    "work_regime",
    "cost_work",
    "visit_regime",
    "cost_visit",
    "passage_regime",
    "settle_in",
    "breach",
    "permit",
    "overstay",
    "unauthorised_work",
    "return_worker",
    "return_visitor",
)


class Fixed(NamedTuple):
    """Corridors last: C corridors, k roads.

    Attributes
    ----------
    labour, settle, asylum : (C,)
        Intercepts of the channels.
    network : (C,)
        Log of what the first stock leaves beside the exponent of the network.
    regimes : (12, 3)
        Parameters by regime, in the order of ``BY_REGIME``.
    resident_return : (C,)
    recognised : (C,)
        Probability of recognition by the corridor's record.
    has_road : (C,) bool;  exists : (k, C) bool
    base, limit : (k, C)
        Price of passage without congestion, US dollars; persons a month that an undisturbed road carries.
    through, death : (k, C)
        Probability that an attempt gets through, that it ends in death.
    lost : (k, C) bool
        Roads on which there is nowhere to be stranded.
    """

    labour: Array
    settle: Array
    asylum: Array
    network: Array
    regimes: Array
    resident_return: Array
    recognised: Array
    has_road: Array
    exists: Array
    base: Array
    limit: Array
    through: Array
    death: Array
    lost: Array


def fix(world: Any, p: dict[str, Array], xp: Any) -> Fixed:
    """The fixed parts of one draw."""
    o, t = world.origin, world.destination
    slope = p["beta_cost"] / p["nest"]
    odds = p["channel_nest"]  # what stands behind it is in log odds of the channel, the rest in utility
    corridor = p["pull_destination"][t] + p["pull_corridor"]
    through, death = passage.road_risks(world, p, {}, xp)
    return Fixed(
        labour=corridor + odds * (world.labour_effect(p, xp) + p["labour_destination"][t] + p["labour_origin"][o]),
        settle=corridor + odds * p["settle_mean"],
        asylum=corridor + odds * (p["asylum_mean"] + world.asylum_effect(p, xp)) - slope * p["cost_asylum"],
        network=(1.0 - p["beta_network"]) * xp.log1p(xp.exp(world.stock_log) / p["network_scale"]),
        regimes=xp.stack([p[name] for name in BY_REGIME]),
        resident_return=p["return_resident"] * xp.exp(p["return_origin"][o] + p["return_destination"][t]),
        recognised=status.recognition(world, p, {}, xp),
        has_road=world.has_road,
        exists=xp.swapaxes(world.exists, 0, 1),
        base=passage.base_price(world, p, xp),
        limit=xp.swapaxes(world.capacity(p, xp), 0, 1),
        through=through,
        death=death,
        lost=xp.swapaxes(world.strand_to, 0, 1) == world.origin.shape[0],
    )


def entry_of(fixed: Fixed, regime: Array, xp: Any) -> dict[str, Array]:
    """Parameters of each corridor under its regime of entry, (C,) each; ``regime`` is (C, 3) of 0 and 1."""
    rows = fixed.regimes @ xp.swapaxes(regime, 0, 1)
    return {name: rows[i] for i, name in enumerate(BY_REGIME)}

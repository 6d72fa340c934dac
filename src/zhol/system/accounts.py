"""Accounts: what a step did to control and to people, per corridor."""

from __future__ import annotations

from typing import Any

from zhol.system.choice import gate
from zhol.system.exits import DEATH, NATURALISATION, ONWARD, REMOVAL, RETURN, detection
from zhol.system.names import CLANDESTINE, OVERSTAYER, PENDING, REFUSED, RESIDENT

Array = Any

_BREACH, _OVERSTAY, _UNAUTHORISED, _RECOGNISED, _REFUSED = 1, 3, 4, 7, 8  # places in status.TRANSITIONS
_REGULARISED = (10, 11, 12, 13, 14)


def labour(people: Array) -> Array:
    """People who live from work abroad, (C,): workers, visitors and everyone in an irregular status."""
    return people[..., 1] + people[..., 2] + people[..., 5:].sum(axis=-1)


def flow_accounts(
    world: Any,
    p: dict[str, Array],
    d: dict[str, Array],
    happened: dict[str, Array],
    levers: dict[str, Array],
    dt: float,
    xp: Any,
) -> Array:
    """Every flow account of a step, (C, F), in the order of ``names.FLOWS``."""
    changes, exits, tries, people = (happened[n] for n in ("changes", "exits", "tries", "people"))
    t = world.destination
    income = d["income_usd"][t]
    irregular = people[..., 5:].sum(axis=-1)
    removals = exits[..., REMOVAL].sum(axis=-1)
    interceptions = tries["interceptions"].sum(axis=-1)
    into = happened["arrived"] + happened["stranded_in"] + happened["onward_in"]
    into = into + changes[..., _BREACH] + changes[..., _OVERSTAY] + changes[..., _UNAUTHORISED] + changes[..., _REFUSED]
    sent = p["remit_labour"] * labour(people) + p["remit_resident"] * people[..., RESIDENT]
    sent = sent * xp.exp(p["remit_origin"])[world.origin] * gate("remittance_rate", levers) * income / 12.0 * dt / 1e6
    cost = p["cost_removal"] * removals + p["cost_interception"] * interceptions
    cost = (cost + p["cost_reception"] * people[..., PENDING] * dt) * income / 1e6
    columns = {
        "attempts": tries["attempts"].sum(axis=-1),
        "interceptions": interceptions,
        "stranded": tries["stranded"].sum(axis=-1),
        "irregular_inflow": into,
        "returns": exits[..., RETURN].sum(axis=-1),
        "removals": removals,
        "detections": irregular * detection(p, levers) * dt,
        "onward": exits[..., ONWARD].sum(axis=-1),
        "regularised": sum(changes[..., i] for i in _REGULARISED),
        "recognised": changes[..., _RECOGNISED],
        "refused": changes[..., _REFUSED],
        "naturalised": exits[..., NATURALISATION].sum(axis=-1),
        "deaths_on_road": tries["dead"].sum(axis=-1),
        "deaths": exits[..., DEATH].sum(axis=-1),
        "exposure": irregular * p["exploitation"] * gate("exploitation", levers) * dt,
        "remittances": sent,
        "quota_unmet": happened["unmet"],
        "public_cost": cost,
    }
    return columns


def protection_gap(people: Array, recognised: Array) -> Array:
    """People present who would be recognised if they were heard, and are not protected, (C,).

    Those who came without papers, stayed on, or were refused, times the corridor's probability of recognition.
    """
    return recognised * (people[..., CLANDESTINE] + people[..., OVERSTAYER] + people[..., REFUSED])


def unfilled(world: Any, people: Array, first: Array, growth: Array, levers: dict[str, Array], xp: Any) -> Array:
    """Places of migrant labour that stand empty, by destination, (P,).

    Demand is what was filled at the start, growing with the working-age population of the destination.
    """
    wanted = (first * growth[world.destination] * gate("demand_labour", levers)) @ world.at_destination
    return xp.maximum(wanted - labour(people) @ world.at_destination, 0.0)

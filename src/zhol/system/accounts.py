"""Accounts: what a step did to control and to people, per corridor."""

from __future__ import annotations

from typing import Any

from zhol.system.choice import gate
from zhol.system.exits import MAY_BE_REMOVED, detection
from zhol.system.names import (
    BREACH,
    CLANDESTINE,
    OVERSTAYER,
    PENDING,
    PROTECTED,
    REFUSED,
    RESIDENT,
    UNAUTHORISED,
    VISITOR,
    WORKER,
)
from zhol.system.passage import over_roads

Array = Any


def labour(people: Array) -> Array:
    """People who live from work abroad, (C,), of (10, C): workers, visitors and everyone in an irregular status."""
    return people[WORKER] + people[VISITOR] + irregular(people)


def irregular(people: Array) -> Array:
    """Everyone in an irregular status, (C,), of (10, C)."""
    return sum(people[s] for s in MAY_BE_REMOVED)


def flow_accounts(
    p: dict[str, Array],
    along: dict[str, Array],
    happened: dict[str, Any],
    levers: dict[str, Array],
    dt: float,
) -> dict[str, Array]:
    """Every flow account of a step, (C,) each, by the names of ``names.FLOWS``.

    Parameters
    ----------
    happened : dict
        ``present`` (10, C), mean number of people in each status; ``moves``, hazards of the changes; ``exits`` and
        ``tries``, people by exit and by what became of them on the road; (C,) arrays ``into`` and ``unmet``.
    """
    present, moves, exits, tries = (happened[n] for n in ("present", "moves", "exits", "tries"))
    changed = {pair: present[pair[0]] * (hazard * dt) for pair, hazard in moves.items()}
    hidden = irregular(present)
    interceptions = over_roads(tries["interceptions"])
    into = changed[WORKER, BREACH] + changed[VISITOR, OVERSTAYER] + changed[VISITOR, UNAUTHORISED]
    sent = p["remit_labour"] * labour(present) + p["remit_resident"] * present[RESIDENT]
    sent = sent * (along["remitting"] * gate("remittance_rate", levers) * (dt / 12e6))
    cost = p["cost_removal"] * exits["removal"] + p["cost_interception"] * interceptions
    cost = (cost + p["cost_reception"] * present[PENDING] * dt) * (along["income_there"] / 1e6)
    return {
        "attempts": over_roads(tries["attempts"]),
        "interceptions": interceptions,
        "stranded": over_roads(tries["stranded"]),
        "irregular_inflow": happened["into"] + into + changed[PENDING, REFUSED],
        "returns": exits["return"],
        "removals": exits["removal"],
        "detections": hidden * (detection(p, levers) * dt),
        "onward": exits["onward"],
        "regularised": hidden * (moves[CLANDESTINE, WORKER] * dt),
        "recognised": changed[PENDING, PROTECTED],
        "refused": changed[PENDING, REFUSED],
        "naturalised": exits["naturalisation"],
        "deaths_on_road": over_roads(tries["dead"]),
        "deaths": exits["death"],
        "exposure": hidden * (p["exploitation"] * gate("exploitation", levers) * dt),
        "remittances": sent,
        "quota_unmet": happened["unmet"],
        "public_cost": cost,
    }


def protection_gap(people: Array, recognised: Array) -> Array:
    """People present who would be recognised if they were heard, and are not protected, (C,).

    Those who came without papers, stayed on, or were refused, times the corridor's probability of recognition.
    """
    return recognised * (people[CLANDESTINE] + people[OVERSTAYER] + people[REFUSED])


def unfilled(world: Any, people: Array, first: Array, growth: Array, levers: dict[str, Array], xp: Any) -> Array:
    """Places of migrant labour that stand empty, by destination, (P,).

    Demand is what was filled at the start, (C,), growing with the working-age population of the destination, (P,).
    """
    if "demand_labour" in levers:
        first = first * levers["demand_labour"]
    return xp.maximum((first @ world.at_destination) * growth - labour(people) @ world.at_destination, 0.0)

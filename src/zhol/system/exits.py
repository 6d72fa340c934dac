"""Exits: voluntary return, removal, onward movement, naturalisation, death."""

from __future__ import annotations

from typing import Any

from zhol.system.choice import MOST, gate
from zhol.system.names import RESIDENT

Array = Any

EXITS = ("return", "removal", "onward", "naturalisation", "death")
RETURN, REMOVAL, ONWARD, NATURALISATION, DEATH = range(5)
MAY_MOVE_ON = (0, 0, 0, 0, 1, 1, 1, 1, 1, 1)
MAY_BE_REMOVED = (0, 0, 0, 0, 0, 1, 1, 1, 1, 1)


def return_hazards(
    world: Any,
    p: dict[str, Array],
    regime: Array,
    dearer: dict[str, Array],
    relative: Array,
    levers: dict[str, Array],
    xp: Any,
) -> Array:
    """Monthly hazard of voluntary return from each status, (C, 10).

    Parameters
    ----------
    dearer : dict of (C,) arrays
        ``work``, ``visit``, ``passage``: how much dearer re-entry is by that channel than at the start, years of
        income.
    relative : (C,) array
        Log income of the destination over the origin, against the start: a destination that pays less loses workers.
    """
    one = xp.ones_like(relative)
    regular, irregular = gate("return_regular", levers), gate("return_irregular", levers)
    pay = xp.exp(-p["return_wage"] * relative)
    # Where passage cost centuries of income at the start, its fall overflows single precision.
    keep = {name: xp.exp(xp.clip(-p["reentry"] * cost, -MOST, MOST)) for name, cost in dearer.items()}
    hidden = p["return_irregular"] * keep["passage"] * pay * irregular
    expired = p["return_irregular"] * keep["visit"] * pay * irregular
    return xp.stack(
        [
            p["return_resident"]
            * xp.exp(p["return_origin"][world.origin] + p["return_destination"][world.destination])
            * regular,
            (regime @ p["return_worker"]) * keep["work"] * pay * regular,
            (regime @ p["return_visitor"]) * keep["visit"] * pay * regular,
            p["return_protected"] * one * regular,
            p["return_pending"] * one * regular,
            hidden,
            expired,
            expired,
            expired,
            p["return_irregular"] * one * irregular,
        ],
        axis=-1,
    )


def exit_hazards(
    world: Any, p: dict[str, Array], d: dict[str, Array], returns: Array, levers: dict[str, Array], xp: Any
) -> Array:
    """Monthly hazard of every exit from every status, (C, 10, 5), in the order of ``EXITS``."""
    t = world.destination
    one = xp.ones_like(returns[..., 0])
    removal = detection(p, levers) * removability(p, levers) * one
    onward = p["onward"] * gate("onward", levers) * one
    death = p["mortality"] * d["death_rate"][t]
    naturalise = p["naturalisation"] * gate("naturalisation", levers) * one
    zero = xp.zeros_like(one)
    rows = []
    for s in range(10):
        rows.append(
            xp.stack(
                [
                    returns[..., s],
                    removal if MAY_BE_REMOVED[s] else zero,
                    onward if MAY_MOVE_ON[s] else zero,
                    naturalise if s == RESIDENT else zero,
                    death,
                ],
                axis=-1,
            )
        )
    return xp.stack(rows, axis=-2)


def detection(p: dict[str, Array], levers: dict[str, Array]) -> Array:
    """Monthly hazard of being detected in an irregular status."""
    return p["detection"] * gate("detection", levers)


def removability(p: dict[str, Array], levers: dict[str, Array]) -> Array:
    """Share of the detected that can be removed: readmission in force, documents, capacity."""
    if "removability" not in levers:
        return p["removability"]
    odds = p["removability"] / (1.0 - p["removability"]) * levers["removability"]
    return odds / (1.0 + odds)


def move_on(world: Any, leaving: Array, share: Array, xp: Any) -> tuple[Array, Array]:
    """Where people go who move on, (C,), and those who have nowhere else and go home, (C,).

    They choose among the other destinations of their origin by the same shares as those who leave it.
    """
    o = world.origin
    other = 1.0 - share
    can = other > 1e-6
    each = xp.where(can, leaving / xp.where(can, other, 1.0), 0.0)
    total = each @ world.at_origin
    return share * (total[o] - each), xp.where(can, 0.0, leaving)

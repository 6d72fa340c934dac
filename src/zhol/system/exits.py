"""Exits: voluntary return, removal, onward movement, naturalisation, death."""

from __future__ import annotations

from typing import Any, NamedTuple

from zhol.system.choice import MOST, gate
from zhol.system.names import BREACH, CLANDESTINE, OVERSTAYER, PENDING, REFUSED, RESIDENT, UNAUTHORISED

Array = Any

MAY_MOVE_ON = (PENDING, CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED)
MAY_BE_REMOVED = (CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED)


def return_hazards(
    p: dict[str, Array],
    fixed: Any,
    entry: dict[str, Array],
    dearer: dict[str, Array],
    relative: Array,
    levers: dict[str, Array],
    xp: Any,
) -> tuple[Array, ...]:
    """Monthly hazard of voluntary return from each status, ten (C,) arrays or scalars.

    Parameters
    ----------
    dearer : dict of (C,) arrays
        ``work``, ``visit``, ``passage``: how much dearer re-entry is by that channel than at the start, years of
        income.
    relative : (C,) array
        Log income of the destination over the origin, against the start: a destination that pays less loses workers.
    """
    regular, irregular = gate("return_regular", levers), gate("return_irregular", levers)
    pay = -p["return_wage"] * relative
    # Where passage cost centuries of income at the start, its fall overflows single precision.
    keep = {name: xp.exp(xp.clip(pay - p["reentry"] * cost, -MOST, MOST)) for name, cost in dearer.items()}
    hidden, expired, refused = (p["return_irregular"] * irregular * k for k in (keep["passage"], keep["visit"], 1.0))
    return (
        fixed.resident_return * regular,
        entry["return_worker"] * keep["work"] * regular,
        entry["return_visitor"] * keep["visit"] * regular,
        p["return_protected"] * regular,
        p["return_pending"] * regular,
        hidden,
        expired,
        expired,
        expired,
        refused,
    )


class Exits(NamedTuple):
    """Monthly hazards of leaving: each is a (C,) array or a scalar; ``returns`` one for each status."""

    returns: tuple[Array, ...]
    removal: Array
    onward: Array
    naturalisation: Array
    death: Array

    def total(self) -> tuple[Array, ...]:
        """Hazard of leaving from each status."""
        out = []
        for status, back in enumerate(self.returns):
            hazard = back + self.death
            hazard = hazard + self.removal if status in MAY_BE_REMOVED else hazard
            hazard = hazard + self.onward if status in MAY_MOVE_ON else hazard
            out.append(hazard + self.naturalisation if status == RESIDENT else hazard)
        return tuple(out)


def exit_hazards(p: dict[str, Array], death_rate: Array, returns: tuple[Array, ...], levers: dict[str, Array]) -> Exits:
    """Monthly hazard of every exit."""
    return Exits(
        returns,
        detection(p, levers) * removability(p, levers),
        p["onward"] * gate("onward", levers),
        p["naturalisation"] * gate("naturalisation", levers),
        p["mortality"] * death_rate,
    )


def exits_of(present: Array, leave: Exits, dt: float) -> dict[str, Array]:
    """People who leave in each way, (C,): hazards times the mean number present, (10, C)."""
    irregular = sum(present[s] for s in MAY_BE_REMOVED)
    return {
        "return": sum(present[s] * hazard for s, hazard in enumerate(leave.returns)) * dt,
        "removal": irregular * (leave.removal * dt),
        "onward": (irregular + present[PENDING]) * (leave.onward * dt),
        "naturalisation": present[RESIDENT] * (leave.naturalisation * dt),
        "death": sum(present[s] for s in range(len(leave.returns))) * (leave.death * dt),
    }


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
    return share * xp.maximum(total[o] - each, 0.0), xp.where(can, 0.0, leaving)

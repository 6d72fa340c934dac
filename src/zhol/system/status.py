"""Changes of status: competing monthly hazards, split exactly. Arrays are (statuses, corridors)."""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial
from typing import Any

from zhol.system.choice import gate
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

Array = Any

_SMALL = 0.25  # below it psi is a series, whose last term is then smaller than what double precision resolves
_SERIES = tuple(1.0 / factorial(n + 2) for n in range(10))  # psi(x) = sum of (-x)^n / (n + 2)!


def recognition(world: Any, p: dict[str, Array], levers: dict[str, Array], xp: Any) -> Array:
    """Probability that a claim is recognised, (C,): the corridor's record, shifted."""
    odds = xp.exp(world.recognition_log_odds + p["recognition_shift"]) * gate("recognition", levers)
    return odds / (1.0 + odds)


def transition_hazards(
    p: dict[str, Array], entry: dict[str, Array], recognised: Array, levers: dict[str, Array]
) -> dict[tuple[int, int], Array]:
    """Monthly hazard of every transition (from, to), (C,) or a scalar each.

    Parameters
    ----------
    entry : dict of (C,) arrays
        Parameters of each corridor under its regime of entry.
    recognised : (C,) array
        Probability that a claim is recognised.
    """
    decision = p["decision"] * gate("decision_speed", levers)
    overstay = entry["overstay"] * gate("overstay", levers)
    regular = p["regularisation"] * gate("regularisation", levers)
    return {
        (WORKER, RESIDENT): entry["settle_in"] * gate("settle_in", levers),
        (WORKER, BREACH): entry["breach"] * gate("breach", levers),
        (VISITOR, WORKER): entry["permit"] * gate("open_work", levers),
        (VISITOR, OVERSTAYER): overstay,
        (VISITOR, UNAUTHORISED): entry["unauthorised_work"] * gate("unauthorised_work", levers),
        (UNAUTHORISED, OVERSTAYER): overstay,
        (PROTECTED, RESIDENT): p["settle_protected"],
        (PENDING, PROTECTED): decision * recognised,
        (PENDING, REFUSED): decision * (1.0 - recognised),
        (CLANDESTINE, PENDING): p["claim"] * gate("open_asylum", levers) * recognised,
        **{(status, WORKER): regular for status in (CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED)},
    }


def presence(total: Array, dt: float, xp: Any) -> tuple[Array, Array, Array]:
    """Who is still there at the end of a step, and the mean share of it spent there, under a constant hazard.

    Parameters
    ----------
    total : array of monthly hazards

    Returns
    -------
    Of those there at the beginning ``exp(-x)`` are there at the end, x being the hazard of the step, and
    ``phi = (1 - exp(-x)) / x`` in the mean; of those who come evenly over the step ``phi`` are there at the end and
    ``psi = (1 - phi) / x`` in the mean, which is a series where x is small.
    """
    x = xp.maximum(total * dt, 0.0)
    small = xp.minimum(x, _SMALL)
    series = xp.full_like(x, _SERIES[-1])
    for term in _SERIES[-2::-1]:
        series = term - small * series
    large = xp.maximum(x, _SMALL)
    gone = 1.0 - xp.exp(-large)
    phi = xp.where(x < _SMALL, 1.0 - small * series, gone / large)
    psi = xp.where(x < _SMALL, series, (1.0 - phi) / large)
    return xp.where(x < _SMALL, 1.0 - small * phi, 1.0 - gone), phi, psi


def split(
    people: Array,
    come: Mapping[int, Array],
    moves: Mapping[tuple[int, int], Array],
    leave: tuple[Array, ...],
    dt: float,
    xp: Any,
) -> tuple[Array, Array]:
    """Who is there after a step, and who was there in the mean.

    Hazards compete: of those there at the beginning (1 - exp(-sum h)) h_i / sum h go each way. Those who come, and
    those who change status, are spread evenly over the step and face the hazards of where they are for what is left.
    A change or an exit is its hazard times the mean number present.

    Parameters
    ----------
    people : (10, C) array
        There at the beginning.
    come : mapping of status to (C,) array
        Coming from outside during the step.
    moves : mapping of (from, to) to monthly hazards
    leave : ten (C,) arrays
        Monthly hazard of leaving from each status.

    Returns
    -------
    (10, C) array of people after the step; (10, C) array of the mean number present.
    """
    total = list(leave)
    for (source, _), hazard in moves.items():
        total[source] = total[source] + hazard
    zero = xp.zeros_like(people[0])
    stay, phi, psi = presence(xp.stack([hazard + zero for hazard in total]), dt, xp)
    new = xp.stack([come.get(s, zero) for s in range(len(total))])
    first = people * phi + new * psi
    changed = _arrivals(first, moves, dt, xp)
    again = changed * psi
    after = people * stay + (new + changed) * phi + _arrivals(again, moves, dt, xp)
    return after, first + again


def _arrivals(present: Array, moves: Mapping[tuple[int, int], Array], dt: float, xp: Any) -> Array:
    """People who come into each status by a change, (10, C), from those present in the mean of the step."""
    zero = xp.zeros_like(present[0])
    rows = [zero] * present.shape[0]
    for (source, target), hazard in moves.items():
        rows[target] = rows[target] + present[source] * hazard * dt
    return xp.stack(rows)

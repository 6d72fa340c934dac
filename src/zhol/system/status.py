"""Changes of status: competing monthly hazards, split exactly."""

from __future__ import annotations

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

# (from, to) in the order in which `transition_hazards` gives them.
TRANSITIONS = (
    (WORKER, RESIDENT),
    (WORKER, BREACH),
    (VISITOR, WORKER),
    (VISITOR, OVERSTAYER),
    (VISITOR, UNAUTHORISED),
    (UNAUTHORISED, OVERSTAYER),
    (PROTECTED, RESIDENT),
    (PENDING, PROTECTED),
    (PENDING, REFUSED),
    (CLANDESTINE, PENDING),
    (CLANDESTINE, WORKER),
    (OVERSTAYER, WORKER),
    (UNAUTHORISED, WORKER),
    (BREACH, WORKER),
    (REFUSED, WORKER),
)


def recognition(world: Any, p: dict[str, Array], levers: dict[str, Array], xp: Any) -> Array:
    """Probability that a claim is recognised, (C,): the corridor's record, shifted."""
    odds = xp.exp(world.recognition_log_odds + p["recognition_shift"]) * gate("recognition", levers)
    return odds / (1.0 + odds)


def transition_hazards(
    p: dict[str, Array], regime: Array, recognised: Array, levers: dict[str, Array], xp: Any
) -> Array:
    """Monthly hazard of every transition, (C, 15), in the order of ``TRANSITIONS``."""
    one = xp.ones_like(recognised)
    decision = p["decision"] * gate("decision_speed", levers)
    overstay = (regime @ p["overstay"]) * gate("overstay", levers)
    regular = p["regularisation"] * gate("regularisation", levers) * one
    columns = [
        (regime @ p["settle_in"]) * gate("settle_in", levers),
        (regime @ p["breach"]) * gate("breach", levers),
        (regime @ p["permit"]) * gate("open_work", levers),
        overstay,
        (regime @ p["unauthorised_work"]) * gate("unauthorised_work", levers),
        overstay,
        p["settle_protected"] * one,
        decision * recognised,
        decision * (1.0 - recognised),
        p["claim"] * gate("open_asylum", levers) * recognised,
        regular,
        regular,
        regular,
        regular,
        regular,
    ]
    return xp.stack(columns, axis=-1)


def presence(total: Array, dt: float, xp: Any) -> tuple[Array, Array, Array, Array]:
    """Who is still there at the end of a step, and the mean share of it spent there, under a constant hazard.

    Parameters
    ----------
    total : array of monthly hazards

    Returns
    -------
    Of those there at the beginning: ``exp(-x)`` and ``phi = (1 - exp(-x)) / x``, x being the hazard of the step. Of
    those who come evenly over the step: ``phi`` and ``psi = (1 - phi) / x``, which is a series where x is small.
    """
    x = xp.maximum(total * dt, 1e-20)
    gone = -xp.expm1(-x)
    phi = gone / x
    psi = xp.where(x < 0.01, 0.5 - x / 6.0 + x * x / 24.0, (1.0 - phi) / xp.maximum(x, 0.01))
    return 1.0 - gone, phi, 1.0 - x * psi, psi


def split(
    people: Array, come: Array, transitions: Array, exits: Array, dt: float, xp: Any
) -> tuple[Array, Array, Array, Array]:
    """Who is there after a step, who changes status, who leaves, and who was there in the mean.

    Hazards compete: of those there at the beginning (1 - exp(-sum h)) h_i / sum h go each way. Those who come, and
    those who change status, are spread evenly over the step and face the hazards of where they are for what is left.

    Parameters
    ----------
    people, come : (C, 10) arrays
        There at the beginning; coming from outside during the step.
    transitions : (C, 15) array of monthly hazards
    exits : (C, 10, E) array of monthly hazards of leaving

    Returns
    -------
    (C, 10) array of people after the step; (C, 15) array of changes; (C, 10, E) array of exits; (C, 10) array of the
    mean number present.
    """
    columns = [xp.sum(exits[..., s, :], axis=-1) for s in range(people.shape[-1])]
    for i, (source, _) in enumerate(TRANSITIONS):
        columns[source] = columns[source] + transitions[..., i]
    stay, phi, left, psi = presence(xp.stack(columns, axis=-1), dt, xp)
    first = people * phi + come * psi
    changed = _arrivals(first, transitions, dt, xp)
    again = changed * psi
    after = people * stay + (come + changed) * left + _arrivals(again, transitions, dt, xp)
    present = first + again
    changes = xp.stack([present[..., a] * transitions[..., i] * dt for i, (a, _) in enumerate(TRANSITIONS)], axis=-1)
    return after, changes, present[..., None] * exits * dt, present


def _arrivals(present: Array, transitions: Array, dt: float, xp: Any) -> Array:
    """People who come into each status by a change, (C, 10), from those present in the mean of the step."""
    zero = xp.zeros_like(present[..., 0])
    columns = [zero] * present.shape[-1]
    for i, (source, target) in enumerate(TRANSITIONS):
        columns[target] = columns[target] + present[..., source] * transitions[..., i] * dt
    return xp.stack(columns, axis=-1)

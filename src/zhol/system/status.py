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


def split(people: Array, transitions: Array, exits: Array, dt: float, xp: Any) -> tuple[Array, Array, Array]:
    """Who stays, who changes status, who leaves: (1 - exp(-sum h)) h_i / sum h of each status.

    Parameters
    ----------
    people : (C, 10) array
    transitions : (C, 15) array of monthly hazards
    exits : (C, 10, E) array of monthly hazards of leaving

    Returns
    -------
    (C, 10) array that stays in its status; (C, 15) array of changes; (C, 10, E) array of exits.
    """
    columns = [xp.sum(exits[..., s, :], axis=-1) for s in range(people.shape[-1])]
    for i, (source, _) in enumerate(TRANSITIONS):
        columns[source] = columns[source] + transitions[..., i]
    total = xp.stack(columns, axis=-1)
    stay = people * xp.exp(-total * dt)
    rate = people * -xp.expm1(-total * dt) / xp.maximum(total, 1e-30)
    changes = xp.stack([rate[..., source] * transitions[..., i] for i, (source, _) in enumerate(TRANSITIONS)], axis=-1)
    return stay, changes, rate[..., None] * exits


def arrivals(changes: Array, xp: Any) -> Array:
    """People who come into each status by a change, (C, 10)."""
    zero = xp.zeros_like(changes[..., 0])
    columns = [zero] * 10
    for i, (_, target) in enumerate(TRANSITIONS):
        columns[target] = columns[target] + changes[..., i]
    return xp.stack(columns, axis=-1)

"""Random scenarios over levers, actors, partners, intensities and dates: the same for one seed, whatever the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.system.instruments import Hooks, month_number
from zhol.system.names import LEVERS

if TYPE_CHECKING:
    from zhol.system.model import Model

SLOTS = 8  # steps of policy that the scenarios of one batch choose from; the engine makes room for as many
_LARGEST = 1.2  # standard deviation of a log-multiplier at full intensity
_PARTNERED = 0.4  # share of steps toward one partner


@dataclass(frozen=True)
class Step:
    """One lever moved by one actor, toward one partner or all: a log-multiplier at full intensity."""

    lever: str
    slot: int
    size: float


@dataclass(frozen=True)
class Slot:
    """Who acts toward whom, and when: intensity rises from ``since`` over ``months`` to ``height``."""

    actor: str
    partner: str | None
    since: str
    months: int
    height: float


@dataclass(frozen=True)
class Batch:
    """Scenarios that share their slots; each is a few steps."""

    slots: tuple[Slot, ...]
    scenarios: tuple[tuple[Step, ...], ...]


def batches(places: Sequence[str], months: Sequence[str], count: int, seed: int, at_once: int) -> list[Batch]:
    """``count`` scenarios in batches of ``at_once``; what is drawn depends on the seed and the places only."""
    out = []
    for number, first in enumerate(range(0, count, at_once)):
        rng = generator(seed, "scenarios", str(number))
        slots = tuple(_slot(rng, places, months) for _ in range(SLOTS))
        many = min(at_once, count - first)
        out.append(Batch(slots, tuple(_scenario(rng) for _ in range(many))))
    return out


def _slot(rng: np.random.Generator, places: Sequence[str], months: Sequence[str]) -> Slot:
    actor = str(rng.choice(list(places)))
    partner = str(rng.choice(list(places))) if rng.random() < _PARTNERED else None
    since = months[int(rng.integers(0, max(len(months) * 3 // 4, 1)))]
    return Slot(
        actor, None if partner == actor else partner, since, int(rng.integers(0, 37)), float(rng.uniform(0.2, 1))
    )


def _scenario(rng: np.random.Generator) -> tuple[Step, ...]:
    levers = sorted(LEVERS)
    return tuple(
        Step(str(rng.choice(levers)), int(rng.integers(SLOTS)), float(rng.normal(0.0, _LARGEST)))
        for _ in range(int(rng.integers(1, 5)))
    )


def hooks_of(batch: Batch, model: Model, months: Sequence[str], draws: int) -> Hooks:
    """A batch as the month sees it: scenario after scenario, ``draws`` rows each."""
    rows = len(batch.scenarios) * draws
    effect = {name: np.zeros((rows, SLOTS)) for name in LEVERS}
    mask = {name: np.zeros((SLOTS, model.members(LEVERS[name].side))) for name in LEVERS}
    actor, intensity = np.zeros(SLOTS, dtype=np.int32), np.zeros((len(months), SLOTS))
    at = np.array([month_number(m) for m in months])
    for k, slot in enumerate(batch.slots):
        if slot.actor not in model.places or (slot.partner is not None and slot.partner not in model.places):
            continue  # a place that the other version knew
        actor[k] = model.places.index(slot.actor)
        since = month_number(slot.since)
        intensity[:, k] = slot.height * np.clip((at - since + 1) / (slot.months + 1), 0.0, 1.0)
        for name in LEVERS:
            mask[name][k] = model.touches(LEVERS[name].side, slot.actor, slot.partner)
    for i, steps in enumerate(batch.scenarios):
        for step in steps:
            effect[step.lever][i * draws : (i + 1) * draws, step.slot] += step.size
    return Hooks(tuple(LEVERS), intensity, actor, effect, mask)


def words(batch: Batch, steps: tuple[Step, ...]) -> str:
    """A scenario in words, for the table of the worst."""
    parts = []
    for step in steps:
        slot = batch.slots[step.slot]
        toward = f" toward {slot.partner}" if slot.partner else ""
        parts.append(f"{slot.actor}{toward} {step.lever} ×{np.exp(step.size * slot.height):.2g} from {slot.since}")
    return "; ".join(parts)


def as_json(found: list[Batch]) -> list[dict[str, Any]]:
    """Batches as plain values."""
    return [
        {
            "slots": [[s.actor, s.partner, s.since, s.months, s.height] for s in b.slots],
            "scenarios": [[[x.lever, x.slot, x.size] for x in steps] for steps in b.scenarios],
        }
        for b in found
    ]


def from_json(rows: list[dict[str, Any]]) -> list[Batch]:
    """Inverse of ``as_json``; levers that are gone are left out."""
    return [
        Batch(
            tuple(Slot(*s) for s in row["slots"]),
            tuple(tuple(Step(*x) for x in steps if x[0] in LEVERS) for steps in row["scenarios"]),
        )
        for row in rows
    ]

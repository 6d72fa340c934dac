"""What is kept of a scenario: totals of the accounts in the last year, and the irregular stock of every destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zhol.system.names import CHANNELS, FLOWS, STATUSES

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = np.ndarray


def outcome_names(model: Model) -> list[str]:
    """Names of the outcomes, in the order of ``outcomes``."""
    return [
        *(f"stock: {s}" for s in STATUSES),
        *(f"entries: {c}" for c in CHANNELS),
        *FLOWS,
        "protection_gap",
        "unfilled_demand",
        "revenue",
        "price",
        *(f"irregular stock in {p}" for p in model.places),
    ]


def outcomes(arrays: dict[str, Array], model: Model, periods: int) -> Array:
    """Outcomes of every draw, (D, outcomes); flows are sums over the last ``periods`` of the run."""
    world = next(iter(model._worlds.values()))
    people = arrays["people"][:, -1].astype(float)
    last = {n: arrays[n][:, -periods:].astype(float).sum(axis=1) for n in ("entries", "flows", "volume", "revenue")}
    revenue, volume = (last[n].sum(axis=(1, 2)) for n in ("revenue", "volume"))
    empty = arrays["unfilled_demand"][:, -periods:].astype(float).sum(axis=(1, 2)) / 12.0
    with np.errstate(invalid="ignore", divide="ignore"):
        price = np.where(volume > 0, revenue / volume, 0.0)
    return np.concatenate(
        [
            people.sum(axis=1),
            last["entries"].sum(axis=1),
            last["flows"].sum(axis=1),
            arrays["protection_gap"][:, -1].astype(float).sum(axis=1)[:, None],
            empty[:, None],
            revenue[:, None] / 1e6,
            price[:, None],
            people[..., 5:].sum(axis=-1) @ world.at_destination,
        ],
        axis=1,
    )

"""Intensity and impact: flows against the people who could move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zhol.estimate._indices.concentration import divide

Array = NDArray[np.float64]


def intensity(total: Array, population: float, places: int) -> dict[str, Array]:
    """Crude migration probability (%) and Courgeau's k = probability / ln(n²).

    Examples
    --------
    >>> {name: round(float(v), 4) for name, v in intensity(np.array(50.0), 1000.0, 17).items()}
    {'cmp': 5.0, 'courgeau_k': 0.8824}
    """
    probability = 100.0 * total / population
    return {"cmp": probability, "courgeau_k": probability / np.log(float(places) ** 2)}


def effectiveness(moves: Array) -> Array:
    """Migration effectiveness index: net moves over gross moves, %; moves (…, n, n) without diagonal."""
    net = moves.sum(-2) - moves.sum(-1)
    return 100.0 * divide(np.abs(net).sum(-1), 2.0 * moves.sum((-1, -2)))


def impact(moves: Array, people: Array) -> dict[str, Array]:
    """Aggregate net migration rate (%), index of preference and index of velocity; moves (…, n, n), people (n,)."""
    net = moves.sum(-2) - moves.sum(-1)
    total, everybody = moves.sum((-1, -2)), people.sum()
    per_pair = moves / (people[:, None] * people)
    velocity = per_pair.sum((-1, -2)) * everybody
    return {
        "anmr": 50.0 * np.abs(net).sum(-1) / everybody,
        "preference": divide(velocity * everybody, total),
        "velocity": velocity,
    }

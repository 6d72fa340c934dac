"""Chance must not depend on the order in which lists are given: draws are made with lists in an order of their own."""

from __future__ import annotations

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Ints


def list_order(counts: Array, k: int) -> Ints:
    """Lists by size, then by their overlaps with the others; the given order only where nothing tells them apart."""
    histories = np.arange(1, 2**k)
    on = (histories[:, None] >> np.arange(k) & 1).astype(float)
    overlaps = on.T @ (on * counts[:, None])
    keys = [(overlaps[j, j], *sorted(np.delete(overlaps[j], j)), *np.sort(counts[on[:, j] > 0])) for j in range(k)]
    return np.array(sorted(range(k), key=lambda j: keys[j]), dtype=np.intp)


def relabelled(k: int, order: Ints) -> Ints:
    """Place of each history (mask − 1) once lists stand in the given order."""
    histories = np.arange(1, 2**k)
    new = np.zeros(histories.size, dtype=np.intp)
    for place, j in enumerate(order):
        new |= (histories >> j & 1) << place
    return new - 1


def relabel(counts: Array, k: int, order: Ints) -> Array:
    """Counts by history with the lists in the given order."""
    moved = np.empty_like(counts)
    moved[relabelled(k, order)] = counts
    return moved

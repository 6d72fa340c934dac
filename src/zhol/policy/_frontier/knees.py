"""Which designs no other beats, and where going further costs more than it brings."""

from __future__ import annotations

import numpy as np

KNEES = 3  # named at most
STEEP = 1.2  # a step that costs less than a fifth more than it brings makes no knee


def not_dominated(values: np.ndarray) -> np.ndarray:
    """Whether no other row is at least as small everywhere and smaller somewhere: (n,) of bool.

    Examples
    --------
    >>> not_dominated(np.array([[0, 2], [1, 1], [1, 2], [2, 0]]))
    array([ True,  True, False,  True])
    """
    out = np.ones(len(values), dtype=bool)
    for i, row in enumerate(values):
        out[i] = not ((values <= row).all(axis=1) & (values < row).any(axis=1)).any()
    return out


def scaled(values: np.ndarray) -> np.ndarray:
    """Each column from 0 (its best) to 1 (its worst)."""
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    return np.asarray((values - low) / np.where(span > 0, span, 1.0))


def steepness(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much going on from each design to its cheapest neighbour costs for what it brings.

    The largest loss in any objective over the largest gain in any, both as shares of the objective's range; the
    smallest over all others. No objective is weighed against another: only the largest of a side counts.

    Parameters
    ----------
    z : (n, objectives) array
        Scaled, see `scaled`.

    Returns
    -------
    (n,) array
        Above 1: every way on costs more of some range than it brings of any.
    (n,) array of int
        The neighbour to which it is cheapest to go.

    Examples
    --------
    >>> ratio, to = steepness(np.array([[0.0, 1.0], [0.1, 0.1], [1.0, 0.0]]))
    >>> ratio.round(2).tolist(), to.tolist()
    ([0.11, 9.0, 0.11], [1, 0, 1])
    """
    count = len(z)
    ratio, to = np.full(count, np.inf), np.zeros(count, dtype=int)
    for i in range(count):
        step = z - z[i]
        loss, gain = step.max(axis=1), (-step).max(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            cost = np.where(gain > 1e-9, np.maximum(loss, 0.0) / gain, np.inf)
        cost[i] = np.inf
        to[i], ratio[i] = int(np.argmin(cost)), float(cost.min(initial=np.inf))
    return ratio, to


def knees(z: np.ndarray, most: int = KNEES) -> list[int]:
    """The designs with the steepest way on, at most so many, none beside a steeper one."""
    if len(z) < 3:
        return []
    ratio, _ = steepness(z)
    out: list[int] = []
    for i in np.argsort(-np.where(np.isfinite(ratio), ratio, -np.inf), kind="stable"):
        near = any(np.abs(z[i] - z[j]).max() < 0.1 for j in out)
        if np.isfinite(ratio[i]) and ratio[i] >= STEEP and not near:
            out.append(int(i))
        if len(out) == most:
            break
    return out


def spread_out(z: np.ndarray, most: int, first: list[int]) -> list[int]:
    """Rows that stand for all: those named, the best of each column, then always the one farthest from all chosen."""
    chosen = list(dict.fromkeys([*first, *(int(i) for i in z.argmin(axis=0))]))
    distance = np.min([np.abs(z - z[i]).max(axis=1) for i in chosen], axis=0)
    while len(chosen) < min(most, len(z)):
        far = int(distance.argmax())
        if distance[far] <= 1e-6:
            break
        chosen.append(far)
        distance = np.minimum(distance, np.abs(z - z[far]).max(axis=1))
    return sorted(chosen)

"""What all options do, in rows of the compiled month: a design is a path of intensity for every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhol.policy.paired import Plan
from zhol.system.names import LEVERS


@dataclass(frozen=True)
class Slots:
    """Rows of the compiled month: K of them, T months, D draws.

    Attributes
    ----------
    levers : tuple of str
        Those that some option moves; no others are compiled.
    actor : (K,) array of place numbers
    effect : mapping of lever to (D, K) array of log-multipliers
    mask : mapping of lever to (K, members) array
    path : (options, delays, T, K) array
        Intensity at full strength.
    waiting : (options, delays, T, K) array
        1 between announcement and start, at any strength.
    """

    levers: tuple[str, ...]
    actor: np.ndarray
    effect: dict[str, np.ndarray]
    mask: dict[str, np.ndarray]
    path: np.ndarray
    waiting: np.ndarray

    def intensity(self, strength: np.ndarray, late: np.ndarray) -> np.ndarray:
        """Intensities of designs (n, T, K) from strengths and numbers of delays, each (n, options)."""
        at = np.arange(strength.shape[1])
        acting, waiting = self.path[at, late], self.waiting[at, late]
        return np.asarray((strength[..., None, None] * acting + (strength > 0)[..., None, None] * waiting).sum(axis=1))


def slots_of(plans: Sequence[Sequence[Plan]], months: int, draws: int, members: dict[str, int]) -> Slots:
    """Put the plans of every option (from every start) into rows; what does the same stands in one row.

    Effects of an instrument do not hang on its start, so that its starts share a row and only the path differs.
    """
    levers = tuple(n for n in LEVERS if any(n in b.hooks.levers for own in plans for p in own for b in p.blocks))
    known: dict[bytes, int] = {}
    rows: list[tuple[int, dict[str, np.ndarray], dict[str, np.ndarray]]] = []
    placed: list[tuple[int, int, int, bool, np.ndarray]] = []
    for option, own in enumerate(plans):
        for delay, plan in enumerate(own):
            for block in plan.blocks:
                h = block.hooks
                for k in range(h.intensity.shape[1]):
                    effect = {n: h.effect[n][:, k] for n in h.levers if h.mask[n][k].any()}
                    mask = {n: h.mask[n][k] for n in effect}
                    parts = [n.encode() + effect[n].tobytes() + mask[n].tobytes() for n in effect]
                    row = known.setdefault(b"|".join([str(h.actor[k]).encode(), *parts]), len(known))
                    if row == len(rows):
                        rows.append((int(h.actor[k]), effect, mask))
                    placed.append((option, delay, row, block.waiting, h.intensity[:, k]))
    shape = (len(plans), len(plans[0]), months, len(rows))
    path, waiting = np.zeros(shape), np.zeros(shape)
    for option, delay, row, before, intensity in placed:
        (waiting if before else path)[option, delay, :, row] += intensity
    return Slots(
        levers,
        np.array([actor for actor, _, _ in rows], dtype=np.int32),
        {n: np.stack([e.get(n, np.zeros(draws)) for _, e, _ in rows], axis=1) for n in levers},
        {n: np.stack([m.get(n, np.zeros(members[n])) for _, _, m in rows]) for n in levers},
        path,
        waiting,
    )

"""The two-list models with the smallest information criterion, without fitting all of them.

With p pairs of lists there are 2^p models. Leaving effects out never lowers the deviance, so a model and all its
smaller relatives that keep the effects I cost at least the deviance of the largest of them plus the penalty of I
(branch and bound, Furnival and Wilson 1974). Pairs are decided one after another, the most telling first; branches
that cannot reach the best few are cut, whole levels are fitted in one batch. A local search sets the bar before.
Where too many branches would stay, the local search stands and the answer says that it is not exhaustive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Design, Flags
from zhol.estimate._multiple_systems.existence import facial_set, supported, two_list_identified
from zhol.estimate._multiple_systems.stepwise import fit_given
from zhol.estimate._multiple_systems.wald import deviance

MOST_FITS = 40_000  # on tables of up to 64 cells; on larger ones fewer, so that time and memory stay modest
PROGRAMMES = 3  # linear programmes for each model wanted; a fit without a certificate has hardly ever a maximum
BLOCK = 2_000  # models fitted at a time
SLACK = 1e-6  # numerical slack on a bound


@dataclass(eq=False)
class Ranking:
    """Best sound models by one criterion.

    Attributes
    ----------
    pairs : bool array (models, pairs)
    value : array (models,)
        Deviance plus penalty; differences are differences of the criterion.
    fitted : int
        Number of models fitted on the way.
    exhaustive : bool
        Whether no other sound model can be better.
    """

    pairs: Flags
    value: Array
    fitted: int
    exhaustive: bool


class _Evaluator:
    """Deviances of two-list models on one table, remembered."""

    def __init__(self, model: Design, counts: Array) -> None:
        self.model, self.counts = model, counts
        self.first = model.k + 1
        self.known: dict[bytes, tuple[float, bool]] = {}

    def active(self, pairs: Flags) -> Flags:
        """Terms of models given by their pairs."""
        return np.concatenate([np.ones((pairs.shape[0], self.first), dtype=bool), pairs], axis=1)

    def __call__(self, pairs: Flags) -> tuple[Array, Flags]:
        """Deviance of each model, and whether it is known to have a maximum and to be identified."""
        keys = [row.tobytes() for row in np.packbits(pairs, axis=1)]
        new = {key: i for i, key in enumerate(keys) if key not in self.known}
        if new:
            fresh = pairs[np.fromiter(new.values(), dtype=int)]
            parts = [self._fit(fresh[i : i + BLOCK]) for i in range(0, len(fresh), BLOCK)]
            self.known.update(zip(new, (answer for part in parts for answer in part), strict=True))
        found = [self.known[key] for key in keys]
        return np.array([f[0] for f in found]), np.array([f[1] for f in found], dtype=bool)

    def _fit(self, pairs: Flags) -> list[tuple[float, bool]]:
        tables = np.broadcast_to(self.counts, (len(pairs), self.counts.size))
        active = self.active(pairs)
        fits = fit_given(self.model, tables, active).fits
        sound = fits.positive & two_list_identified(self.model, tables, active)
        return list(zip(deviance(tables, fits.mu).tolist(), sound.tolist(), strict=True))

    def exists(self, pairs: Flags) -> bool:
        """Linear programme for an identified model whose fit carries no certificate."""
        active = self.active(pairs[None])
        if not two_list_identified(self.model, self.counts[None], active)[0]:
            return False
        finite, keep = supported(self.model, self.counts[None], active)
        matrix = self.model.matrix[np.ix_(keep[0], finite[0])]
        return bool(facial_set(matrix, self.counts[keep[0]] > 0).all())


def rank(model: Design, counts: Array, penalty: float, starts: Iterable[Flags] = (), best: int = 10) -> Ranking:
    """Best two-list models under deviance + penalty · parameters.

    Parameters
    ----------
    model : Design
        From ``pairs_design``.
    counts : array (cells,)
    penalty : float
        2 for AIC, log n for BIC.
    starts : iterable of bool array (pairs,)
        Models from which the local search sets out, besides the main effects.
    best : int
        How many models to return at most.
    """
    evaluator = _Evaluator(model, counts)
    pairs = len(model.terms) - evaluator.first
    bar = _local_search(evaluator, pairs, penalty, starts, best)
    complete = _branches(evaluator, pairs, penalty, bar)
    bits = np.array([np.unpackbits(np.frombuffer(key, dtype=np.uint8))[:pairs] for key in evaluator.known], dtype=bool)
    value = np.array([v[0] for v in evaluator.known.values()]) + penalty * (bits.sum(1) + evaluator.first)
    certified = np.array([v[1] for v in evaluator.known.values()])
    kept: list[int] = []
    programmes = PROGRAMMES * best
    for i in np.argsort(value, kind="stable"):
        if len(kept) == best:
            break
        if not certified[i] and programmes > 0:
            programmes -= 1
            certified[i] = evaluator.exists(bits[i])
        if certified[i]:
            kept.append(int(i))
    return Ranking(bits[kept], value[kept], len(evaluator.known), complete)


def _local_search(evaluator: _Evaluator, pairs: int, penalty: float, starts: Iterable[Flags], best: int) -> float:
    """Switch one effect at a time while that helps; returns the value that the last of the best few reaches."""
    seen: dict[bytes, float] = {}
    around: set[bytes] = set()

    def look_around(present: Flags) -> tuple[Flags, Array]:
        near = np.concatenate([present[None], present[None] ^ np.eye(pairs, dtype=bool)])
        worth, sound = evaluator(near)
        value = np.where(sound, worth + penalty * near.sum(1), np.inf)
        seen.update({row.tobytes(): v for row, v in zip(near, value.tolist(), strict=True)})
        around.add(present.tobytes())
        return near, value

    for start in [np.zeros(pairs, dtype=bool), *starts]:
        present, step = start.copy(), -1
        while step != 0:
            near, value = look_around(present)
            step = int(np.argmin(value)) if value.min() < value[0] - SLACK else 0
            present = near[step]
    while sum(map(np.isfinite, seen.values())) < best and len(around) < min(len(seen), 4 * best):
        key = min((k for k in seen if k not in around), key=lambda k: seen[k])
        look_around(np.frombuffer(key, dtype=bool))
    finite = sorted(v for v in seen.values() if np.isfinite(v))
    return finite[best - 1] if len(finite) >= best else np.inf


def _branches(evaluator: _Evaluator, pairs: int, penalty: float, bar: float) -> bool:
    """Fit every model that could still beat the bar; False if there are too many."""
    full = np.ones((1, pairs), dtype=bool)
    base = evaluator(full)[0][0]
    drops, _ = evaluator(full ^ np.eye(pairs, dtype=bool))
    order = np.argsort(-(drops - base), kind="stable")
    upper, kept, worth = full, np.zeros(1), np.array([base])
    most = MOST_FITS * 64 // max(64, evaluator.model.cells)
    for pair in order:
        without = upper.copy()
        without[:, pair] = False
        if len(evaluator.known) + len(without) > most:
            return False
        less, _ = evaluator(without)
        upper = np.concatenate([upper, without])
        kept = np.concatenate([kept + 1, kept])
        worth = np.concatenate([worth, less])
        stay = worth + penalty * kept <= bar + SLACK
        upper, kept, worth = upper[stay], kept[stay], worth[stay]
    return True

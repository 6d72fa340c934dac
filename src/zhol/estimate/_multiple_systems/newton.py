"""Maximum likelihood for many log-linear Poisson models at once.

Rows of every array are fits: other counts, another model, or both. The likelihood is concave, so Newton's method
with step halving finds the maximum where there is one; where there is none, some expected counts go to zero for
ever. The two are told apart by a certificate that each Newton step carries. With score r = X'(n − μ), information
H = X' diag(μ) X and step Δ = H⁻¹ r, the table μ(1 + XΔ) has exactly the observed margins; if it is positive
(XΔ > −1 in every cell) then a positive table with the observed margins exists, and that is the condition of
Haberman (1974) and Fienberg and Rinaldo (2012) for the maximum to exist. A fit that runs away has XΔ at or near −1
for ever and is left to the linear programme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Design, Flags, Ints, product

MOST_STEPS = 25
CHUNK = 2_000_000  # numbers held in the largest array at a time


@dataclass(frozen=True, eq=False)
class Fits:
    """Fitted models, one a row.

    Attributes
    ----------
    beta : array (fits, terms)
        Coefficients; 0 where a term is switched off.
    mu : array (fits, cells)
        Expected counts; 0 in the cells that were taken out.
    variance : array (fits,)
        Variance of the intercept, which is the log of the expected number on no list.
    positive : bool array (fits,)
        True where the certificate shows that the maximum exists.
    """

    beta: Array
    mu: Array
    variance: Array
    positive: Flags

    @property
    def unseen(self) -> Array:
        """Expected number of cases on no list."""
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(self.beta[:, 0]))

    def take(self, rows: Ints | Flags) -> Fits:
        """Some of the rows."""
        return Fits(self.beta[rows], self.mu[rows], self.variance[rows], self.positive[rows])


def fit(
    model: Design,
    counts: Array,
    active: Flags,
    keep: Flags,
    start: Array | None = None,
    unseen: Array | None = None,
    most_steps: int = MOST_STEPS,
) -> Fits:
    """Fit one log-linear model a row.

    Parameters
    ----------
    model : Design
    counts : array (fits, cells)
    active : bool array (fits, terms)
        Terms in the model; the others are zero.
    keep : bool array (fits, cells)
        Cells in the model; the others have expected count zero (effects at minus infinity).
    start : array (fits, terms), optional
        Coefficients to start from.
    unseen : array (fits,), optional
        Counts for the cell "on no list", if it is part of the data (for profile likelihoods).
    """
    rows = counts.shape[0]
    size = max(1, CHUNK // max(int(active.sum(1).max(initial=1)) ** 2, model.cells, model.sums.shape[1]))
    if rows > size:
        cuts = [slice(i, i + size) for i in range(0, rows, size)]
        parts = [fit(model, counts[c], active[c], keep[c], _cut(start, c), _cut(unseen, c), most_steps) for c in cuts]
        return Fits(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("beta", "mu", "variance", "positive")))
    return _Newton(model, counts, active, keep, unseen).run(start, most_steps)


def _cut(array: Array | None, rows: slice) -> Array | None:
    return None if array is None else array[rows]


class _Newton:
    """One batch: the index arrays are made once, the steps use them."""

    def __init__(self, model: Design, counts: Array, active: Flags, keep: Flags, unseen: Array | None) -> None:
        self.model, self.unseen, self.across = model, unseen, np.ascontiguousarray(model.matrix.T)
        self.keep = keep.astype(float)
        self.counts = counts * self.keep
        self.targets = product(self.counts, model.sums[:, model.own])
        if unseen is not None:
            self.targets[:, 0] += unseen
        self.active = active
        width = int(active.sum(1).max(initial=1))
        self.chosen = np.argsort(~active, axis=1, kind="stable")[:, :width]
        self.valid = np.take_along_axis(active, self.chosen, axis=1)
        self.sets = model.union[self.chosen[:, :, None], self.chosen[:, None, :]]
        self.off = ~(self.valid[:, :, None] & self.valid[:, None, :])

    def run(self, start: Array | None, most_steps: int) -> Fits:
        fits, terms = self.active.shape
        beta = self._first_guess() if start is None else np.where(self.active, start, 0.0)
        mu, value = self._evaluate(np.arange(fits), beta)
        variance, positive = np.full(fits, np.nan), np.zeros(fits, dtype=bool)
        rows = np.arange(fits)
        for _ in range(most_steps):
            if rows.size == 0:
                break
            score, information = self._derivatives(rows, mu[rows], beta[rows])
            step, first = _solve(information, score)
            full = np.zeros((rows.size, terms))
            np.put_along_axis(full, self.chosen[rows], np.where(self.valid[rows], step, 0.0), axis=1)
            move = product(full, self.across) * self.keep[rows]
            positive[rows] = move.min(1, initial=0.0) > -0.9
            if self.unseen is not None:
                positive[rows] &= full[:, 0] > -0.9
            variance[rows] = first
            gain = np.einsum("ij,ij->i", score, step)
            beta[rows], mu[rows], value[rows] = self._walk(rows, beta[rows], full, move, value[rows], gain)
            rows = rows[~((gain < 1e-16 * (1.0 + self.targets[rows, 0])) & positive[rows])]
        positive[rows] = False
        return Fits(beta, mu, variance, positive)

    def _first_guess(self) -> Array:
        """One weighted least-squares fit to the logs of the counts, a half added."""
        raised = (self.counts + 0.5) * self.keep
        rows = np.arange(raised.shape[0])
        sums = product(raised, self.model.sums)
        logs = product(raised * np.log(self.counts + 0.5), self.model.sums[:, self.model.own])
        if self.unseen is not None:
            sums[:, self.model.own[0]] += self.unseen
            logs[:, 0] += self.unseen * np.log(self.unseen + 0.5)
        score = np.where(self.valid, np.take_along_axis(logs, self.chosen, axis=1), 0.0)
        step, _ = _solve(self._gather(rows, sums), score)
        beta = np.zeros(self.active.shape)
        np.put_along_axis(beta, self.chosen, np.where(self.valid, step, 0.0), axis=1)
        return beta

    def _gather(self, rows: Ints, sums: Array) -> Array:
        """Information matrices out of the sums over histories; unused places are a unit matrix."""
        offsets = (np.arange(rows.size) * sums.shape[1])[:, None, None]
        matrix = sums.ravel().take(self.sets[rows] + offsets)
        matrix[self.off[rows]] = 0.0
        diagonal = np.einsum("ijj->ij", matrix)
        diagonal[~self.valid[rows]] = 1.0
        return matrix

    def _derivatives(self, rows: Ints, mu: Array, beta: Array) -> tuple[Array, Array]:
        sums = product(mu, self.model.sums)
        if self.unseen is not None:
            sums[:, self.model.own[0]] += np.exp(beta[:, 0])
        gap = self.targets[rows] - sums[:, self.model.own]
        score = np.where(self.valid[rows], np.take_along_axis(gap, self.chosen[rows], axis=1), 0.0)
        return score, self._gather(rows, sums)

    def _evaluate(self, rows: Ints, beta: Array) -> tuple[Array, Array]:
        """Expected counts and the negative log-likelihood without its constant."""
        with np.errstate(over="ignore", invalid="ignore"):
            mu = np.exp(np.minimum(product(beta, self.across), 600.0)) * self.keep[rows]
            value = mu.sum(1) - np.einsum("ij,ij->i", beta, self.targets[rows])
            if self.unseen is not None:
                value = value + np.exp(np.minimum(beta[:, 0], 600.0))
        return mu, value

    def _walk(
        self, rows: Ints, beta: Array, full: Array, move: Array, value: Array, gain: Array
    ) -> tuple[Array, Array, Array]:
        """Take the step, halved until the likelihood does not fall."""
        size = np.minimum(1.0, 8.0 / np.maximum(np.abs(move).max(1, initial=0.0), 1e-300))
        new = beta + size[:, None] * full
        mu, worth = self._evaluate(rows, new)
        for _ in range(40):
            bad = np.flatnonzero(~(worth <= value - 1e-4 * size * gain + 1e-11 * (1.0 + np.abs(value))))
            if bad.size == 0:
                break
            size[bad] *= 0.5
            new[bad] = beta[bad] + size[bad, None] * full[bad]
            mu[bad], worth[bad] = self._evaluate(rows[bad], new[bad])
        return new, mu, worth


def _solve(information: Array, score: Array) -> tuple[Array, Array]:
    """Newton step and the first diagonal element of the inverse, on a scaled and slightly raised matrix."""
    diagonal = np.maximum(np.einsum("ijj->ij", information), 1e-300)
    scale = 1.0 / np.sqrt(diagonal)
    scaled = information * scale[:, :, None] * scale[:, None, :]
    np.einsum("ijj->ij", scaled)[...] += 1e-13
    right = np.zeros((*score.shape, 2))
    right[:, :, 0] = score * scale
    right[:, 0, 1] = scale[:, 0]
    solved = np.linalg.solve(scaled, right) * scale[:, :, None]
    return solved[:, :, 0], solved[:, 0, 1]

"""From fitted exponents to populations: sums of N^alpha by group, their spread and their bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from zhol.estimate._registers.power_law import Array, Problem


@dataclass(frozen=True)
class Groups:
    """Which rows add up to what: rows in order of their group, and where each group starts."""

    order: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, label: NDArray[np.intp]) -> Groups:
        """Groups numbered from 0 without gaps."""
        order = np.argsort(label, kind="stable")
        return cls(order, np.searchsorted(label[order], np.arange(int(label.max()) + 1)))

    def sums(self, values: Array) -> Array:
        """Sums over the last axis by group, and over everybody at the end.

        Examples
        --------
        >>> Groups.of(np.array([0, 1, 0])).sums(np.array([1.0, 2, 4])).tolist()
        [5.0, 2.0, 7.0]
        """
        parts = np.add.reduceat(values[..., self.order], self.starts, axis=-1)
        return np.concatenate([parts, values.sum(axis=-1, keepdims=True)], axis=-1)


def totals(problem: Problem, params: Array, groups: Groups) -> Array:
    """Population of each group under each replicate, shape (replicates, groups and everybody)."""
    pa, size = problem.shape[0], max(1, 4_000_000 // len(problem.log_size))
    out = []
    for at in range(0, len(params), size):
        eta = params[at : at + size, :pa] @ problem.alpha.T
        exponent = expit(eta) if problem.constrained else eta
        out.append(groups.sums(np.exp(np.clip(exponent * problem.log_size, -300, 300))))
    return np.concatenate(out)


def log_errors(problem: Problem, params: Array, covariance: Array, groups: Groups) -> Array:
    """Standard error of each group's log population by the delta method."""
    pa = problem.shape[0]
    value, slope, _ = _powers(problem, params)
    gradient = groups.sums((problem.alpha * slope[:, None]).T).T
    variance = np.einsum("gi,ij,gj->g", gradient, covariance[:pa, :pa], gradient)
    return np.sqrt(np.maximum(variance, 0)) / groups.sums(value)


def corrected(problem: Problem, params: Array, model: Array, groups: Groups) -> Array:
    """Populations with the bias from the curvature of N^alpha taken off.

    With alpha normal, E exp(alpha log N) exceeds N^alpha by exp(V (log N)²/2): exact, so divided out. Under the
    logit link there is no closed form and the second-order term is subtracted.
    """
    pa = problem.shape[0]
    value, _, bend = _powers(problem, params)
    spread = np.einsum("ni,ij,nj->n", problem.alpha, model[:pa, :pa], problem.alpha)
    if problem.constrained:
        plain = groups.sums(value)
        less = plain - groups.sums(0.5 * bend * spread)
        return np.where(less > 0, less, plain)
    return groups.sums(value * np.exp(-0.5 * problem.log_size**2 * spread))


def _powers(problem: Problem, params: Array) -> tuple[Array, Array, Array]:
    """N^alpha of every row and its first two derivatives by alpha's linear predictor."""
    eta = problem.alpha @ params[: problem.shape[0]]
    log_size = problem.log_size
    if not problem.constrained:
        value = np.exp(np.clip(eta * log_size, -300, 300))
        return value, value * log_size, value * log_size**2
    exponent = expit(eta)
    value, first = np.exp(exponent * log_size), exponent * (1 - exponent)
    return value, value * log_size * first, value * (log_size**2 * first**2 + log_size * first * (1 - 2 * exponent))

"""From fitted exponents to populations: sums of N^alpha by group, their spread and their bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from zhol.estimate._registers.power_law import Array, Problem


@dataclass(frozen=True)
class Groups:
    """Which rows add up to what: an indicator of shape (groups, rows); the last group is everybody."""

    member: Array

    @classmethod
    def of(cls, label: NDArray[np.intp]) -> Groups:
        """Groups numbered from 0, and everybody."""
        member = (label[None, :] == np.arange(int(label.max()) + 1)[:, None]).astype(float)
        return cls(np.concatenate([member, np.ones((1, len(label)))]))


def totals(problem: Problem, params: Array, groups: Groups) -> Array:
    """Population of each group under each replicate, shape (replicates, groups)."""
    pa = problem.shape[0]
    eta = params[:, :pa] @ problem.alpha.T
    exponent = expit(eta) if problem.constrained else eta
    return np.asarray(np.exp(np.clip(exponent * problem.log_size, -300, 300)) @ groups.member.T)


def log_errors(problem: Problem, params: Array, covariance: Array, groups: Groups) -> Array:
    """Standard error of each group's log population by the delta method."""
    pa = problem.shape[0]
    value, slope, _ = _powers(problem, params)
    gradient = groups.member @ (problem.alpha * slope[:, None])
    block = covariance[:pa, :pa]
    variance = np.einsum("gi,ij,gj->g", gradient, block, gradient)
    return np.sqrt(np.maximum(variance, 0)) / (groups.member @ value)


def corrected(problem: Problem, params: Array, model: Array, groups: Groups) -> Array:
    """Populations with the bias from the curvature of N^alpha taken off.

    With alpha normal, E exp(alpha log N) exceeds N^alpha by exp(V (log N)²/2): exact, so divided out. Under the
    logit link there is no closed form and the second-order term is subtracted.
    """
    pa = problem.shape[0]
    value, _, bend = _powers(problem, params)
    spread = np.einsum("ni,ij,nj->n", problem.alpha, model[:pa, :pa], problem.alpha)
    if problem.constrained:
        plain = groups.member @ value
        less = plain - groups.member @ (0.5 * bend * spread)
        return np.where(less > 0, less, plain)
    return np.asarray(groups.member @ (value * np.exp(-0.5 * problem.log_size**2 * spread)))


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

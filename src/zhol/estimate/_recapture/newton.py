"""Newton's method with line search, for all replicates at once, to machine accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.score import score

_LONGEST_STEP = 3.0
_FAR = {"lambda": 18.0, "alpha": 14.0, "omega": 14.0, "pi": 14.0}
Evaluation = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass
class Climb:
    """Where each replicate ended.

    ``settled`` is true where the last step was smaller than the tolerance and the Hessian is negative definite;
    elsewhere the likelihood has no interior maximum that was found.
    """

    beta: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    settled: np.ndarray
    steps: np.ndarray


def climb(sample: Sample, w: np.ndarray, beta: np.ndarray, *, limit: int = 60, tolerance: float = 1e-9) -> Climb:
    """Maximise the likelihood of each replicate, starting at ``beta`` (replicates, p)."""

    def evaluate(rows: np.ndarray, at: np.ndarray) -> Evaluation:
        return score(sample, w[rows], at)

    def drifted(at: np.ndarray) -> np.ndarray:
        return far_away(sample, at)

    return ascend(evaluate, sample.scale, beta, limit=limit, tolerance=tolerance, drifted=drifted)


def ascend(
    evaluate: Callable[[np.ndarray, np.ndarray], Evaluation],
    scale: np.ndarray,
    beta: np.ndarray,
    *,
    limit: int,
    tolerance: float,
    drifted: Callable[[np.ndarray], np.ndarray],
    decrement: float = 0.0,
) -> Climb:
    """Ascend any function of which value, gradient and Hessian (or minus an information matrix) are given.

    A replicate is done when its step is below ``tolerance``, or its squared Newton decrement below ``decrement``
    (in squared standard errors).
    """
    beta = np.array(beta, dtype=float)
    value, gradient, hessian = evaluate(np.arange(len(beta)), beta)
    small = np.zeros(len(beta), dtype=bool)
    steps = np.zeros(len(beta), dtype=int)
    active = np.flatnonzero(np.isfinite(value))
    for _ in range(limit):
        if not len(active):
            break
        move = direction(gradient[active], hessian[active], scale)
        size = np.abs(move * scale).max(axis=-1)
        close = (move * gradient[active]).sum(axis=-1) < decrement
        move *= np.minimum(1.0, _LONGEST_STEP / np.maximum(size, 1e-300))[:, None]
        at, v, g, h, moved = _line_search(evaluate, active, beta, value, move, gradient)
        gain = moved * np.minimum(size, _LONGEST_STEP)
        beta[active], value[active], gradient[active], hessian[active] = at, v, g, h
        steps[active] += 1
        small[active] = close | np.where(moved > 0, gain < tolerance, size < 1e-5)
        stop = small[active] | (moved == 0) | drifted(at)
        active = active[~stop]
    settled = small & definite(hessian, scale) & np.isfinite(value)
    return Climb(beta, value, gradient, hessian, settled, steps)


def _line_search(
    evaluate: Callable[[np.ndarray, np.ndarray], Evaluation],
    active: np.ndarray,
    beta: np.ndarray,
    value: np.ndarray,
    move: np.ndarray,
    gradient: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Halve each step until the function rises; ``moved`` is the share of the step taken, 0 where none helped."""
    at = beta[active] + move
    v, g, h = evaluate(active, at)
    moved = np.ones(len(active))
    slack = 1e-11 * (1.0 + np.abs(value[active]))
    bad = np.flatnonzero(~(v >= value[active] - slack))
    for _ in range(40):
        if not len(bad):
            break
        moved[bad] *= 0.5
        at[bad] = beta[active[bad]] + moved[bad, None] * move[bad]
        v[bad], g[bad], h[bad] = evaluate(active[bad], at[bad])
        bad = bad[~(v[bad] >= value[active[bad]] - slack[bad])]
    if len(bad):
        moved[bad], at[bad] = 0.0, beta[active[bad]]
        v[bad], g[bad], h[bad] = evaluate(active[bad], at[bad])
    return at, v, g, h, moved


def direction(gradient: np.ndarray, hessian: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Newton direction, made an ascent where the Hessian is not negative definite."""
    g = gradient / scale
    minus = -hessian / (scale[:, None] * scale[None, :])
    good = np.isfinite(minus).all(axis=(-1, -2)) & np.isfinite(g).all(axis=-1)
    move = np.zeros_like(g)
    if good.any():
        move[good] = _solve(minus[good], g[good])
    return move / scale


def _solve(minus: np.ndarray, g: np.ndarray) -> np.ndarray:
    try:
        move = np.linalg.solve(minus, g[..., None])[..., 0]
    except np.linalg.LinAlgError:
        move = np.full_like(g, np.nan)
    try:
        np.linalg.cholesky(minus)
        return move if np.isfinite(move).all() else _spectral(minus, g)
    except np.linalg.LinAlgError:
        weak = np.linalg.eigvalsh(minus)[..., 0] <= 0
        weak |= ~np.isfinite(move).all(axis=-1)
        move[weak] = _spectral(minus[weak], g[weak])
        return move


def _spectral(minus: np.ndarray, g: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(minus)
    size = np.abs(values)
    size = np.maximum(size, 1e-10 * size.max(axis=-1, keepdims=True) + 1e-300)
    return np.einsum("bij,bj->bi", vectors, np.einsum("bji,bj->bi", vectors, g) / size)


def definite(hessian: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Whether each Hessian is negative definite."""
    minus = -hessian / (scale[:, None] * scale[None, :])
    good = np.isfinite(minus).all(axis=(-1, -2))
    out = np.zeros(len(minus), dtype=bool)
    if good.any():
        values = np.linalg.eigvalsh(minus[good])
        out[good] = values[..., 0] > 1e-13 * np.maximum(values[..., -1], 1e-300)
    return out


def far_away(sample: Sample, beta: np.ndarray, slack: float = 1.0) -> np.ndarray:
    """Whether a linear predictor has left the range in which a finite maximum can lie."""
    out = np.zeros(len(beta), dtype=bool)
    for name, eta in zip(sample.model.parameters, sample.eta(beta), strict=True):
        out |= np.abs(eta).max(axis=-1) > slack * _FAR[name]
    return out

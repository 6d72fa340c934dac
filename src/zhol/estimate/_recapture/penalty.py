"""Jeffreys-penalised (Firth-type) fits, for when the likelihood has no interior maximum.

The penalty is ½ log det of the expected information. It is the correction of Firth (1993, Biometrika 80, 27–38), keeps
every estimate finite, and vanishes as the list grows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.jets import Array
from zhol.estimate._recapture.likelihood import log_likelihood
from zhol.estimate._recapture.newton import Climb, Evaluation, ascend, far_away
from zhol.estimate._recapture.score import score

CITE = "Firth (1993), Biometrika 80(1), 27–38, doi:10.1093/biomet/80.1.27"
_STEP = 1e-4


def penalised_climb(
    sample: Sample, w: np.ndarray, beta: np.ndarray, *, limit: int = 60, decrement: float = 1e-8
) -> Climb:
    """Maximise likelihood plus Jeffreys penalty by Fisher scoring with line search, for each replicate."""
    evaluate = _objective(sample, w)
    return ascend(
        evaluate,
        sample.scale,
        beta,
        limit=limit,
        tolerance=1e-9,
        drifted=lambda at: far_away(sample, at, 3.0),
        decrement=decrement,
    )


def penalised_maximum(sample: Sample, beta: np.ndarray) -> Climb:
    """The same for the one weighting of the sample, with BFGS steps where scoring is slow along a ridge."""
    from scipy.optimize import minimize

    evaluate = _objective(sample, sample.w[None, :])
    end = penalised_climb(sample, sample.w[None, :], beta[None, :], limit=12)
    if end.settled[0] or not np.isfinite(end.value[0]):
        return end
    root = np.linalg.inv(np.linalg.cholesky(-end.hessian[0] + 1e-9 * np.diag(sample.scale**2)).T)
    centre = end.beta[0]

    def minus(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient, _ = evaluate(np.zeros(1, dtype=int), (centre + root @ x)[None, :])
        if not np.isfinite(value[0]) or not np.isfinite(gradient).all():
            return 1e300, np.zeros(len(x))
        return -float(value[0]), -root.T @ gradient[0]

    found = minimize(minus, np.zeros(len(centre)), jac=True, method="BFGS", options={"gtol": 1e-5, "maxiter": 150})
    at = (centre + root @ found.x)[None, :]
    value, gradient, hessian = evaluate(np.zeros(1, dtype=int), at)
    if np.abs(root.T @ gradient[0]).max() > 1e-2 or not value[0] >= end.value[0]:
        return penalised_climb(sample, sample.w[None, :], end.beta, limit=100)
    steps = end.steps + int(found.nit)
    return Climb(at, value, gradient, hessian, np.ones(1, dtype=bool), steps)


def _objective(sample: Sample, w: np.ndarray) -> Callable[[np.ndarray, np.ndarray], Evaluation]:
    pattern, first = sample.pattern
    inside = (sample.y >= sample.model.first) & (sample.y <= (sample.model.last or np.inf))
    units = np.stack([np.bincount(pattern, weights=row * inside, minlength=len(first)) for row in w])
    corner = sample.take(first)
    grid = count_grid(sample)

    def evaluate(rows: np.ndarray, at: np.ndarray) -> Evaluation:
        value, gradient, _ = score(sample, w[rows], at)
        information, tilt = _information_and_tilt(corner, units[rows], at, grid)
        value = value + 0.5 * _log_det(information) - np.where(far_away(sample, at), np.inf, 0.0)
        return value, gradient + tilt, -information

    return evaluate


def count_grid(sample: Sample) -> np.ndarray:
    """Counts over which expectations are summed: well beyond the largest observed."""
    model = sample.model
    top = model.last or int(min(max(sample.y.max() + 10, 25), 60))
    return np.arange(model.first, top + 1, dtype=float)


def information_blocks(
    corner: Sample, beta: np.ndarray, grid: np.ndarray, shift: tuple[int, float]
) -> list[list[Array]]:
    """Expected information of one unit of each pattern, by pairs of predictors; ``shift`` moves one predictor."""
    eta = [e[..., None] for e in corner.eta(beta)]
    eta[shift[0]] = eta[shift[0]] + shift[1]
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        jet = log_likelihood(corner.model, corner.links, eta, grid, False)
        chance = np.exp(jet.v)
        chance = chance / chance.sum(axis=-1, keepdims=True)
        k = len(jet.g)
        return [[(chance * jet.g[i] * jet.g[j]).sum(axis=-1) for j in range(k)] for i in range(k)]


def _information_and_tilt(
    corner: Sample, units: np.ndarray, beta: np.ndarray, grid: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Information (replicates, p, p) and the gradient of ½ log det of it (replicates, p)."""
    k = len(corner.designs)
    information = _assemble(corner, units, information_blocks(corner, beta, grid, (0, 0.0)))
    safe = np.isfinite(_log_det(information))
    inverse = np.full_like(information, np.nan)
    inverse[safe] = np.linalg.pinv(information[safe], hermitian=True)
    spread = _leverages(corner, inverse)
    tilt = []
    for a in range(k):
        up = information_blocks(corner, beta, grid, (a, _STEP))
        down = information_blocks(corner, beta, grid, (a, -_STEP))
        slope: Array = 0.0
        for i in range(k):
            for j in range(k):
                slope = slope + spread[i][j] * (up[i][j] - down[i][j]) / (2 * _STEP)
        weighted = 0.5 * units * slope
        d = corner.designs[a]
        tilt.append(weighted.sum(axis=-1, keepdims=True) if d.constant else weighted @ d.matrix)
    return information, np.concatenate(tilt, axis=-1)


def _log_det(information: np.ndarray) -> np.ndarray:
    """log det, minus infinity where rounding leaves no digits of it."""
    diagonal = np.einsum("bii->bi", information)
    good = np.isfinite(information).all(axis=(-1, -2)) & (diagonal > 0).all(axis=-1)
    out = np.full(len(information), -np.inf)
    if good.any():
        size = np.sqrt(diagonal[good])
        values = np.linalg.eigvalsh(information[good] / (size[:, :, None] * size[:, None, :]))
        clear = values[:, 0] > 1e-9
        logs = np.log(np.where(clear[:, None], values, 1.0)).sum(axis=-1) + 2 * np.log(size).sum(axis=-1)
        out[good] = np.where(clear, logs, -np.inf)
    return out


def _assemble(corner: Sample, units: np.ndarray, blocks: list[list[Array]]) -> np.ndarray:
    p = len(corner.names)
    out = np.zeros((len(units), p, p))
    for i, a in enumerate(corner.designs):
        for j, b in enumerate(corner.designs):
            weight = np.broadcast_to(units * blocks[i][j], units.shape)
            x = np.broadcast_to(a.matrix, (units.shape[1], len(a.names)))
            z = np.broadcast_to(b.matrix, (units.shape[1], len(b.names)))
            outer = (x[:, :, None] * z[:, None, :]).reshape(units.shape[1], -1)
            out[:, corner.blocks[i], corner.blocks[j]] = (weight @ outer).reshape(len(units), len(a.names), -1)
    return out


def _leverages(corner: Sample, inverse: np.ndarray) -> list[list[np.ndarray]]:
    """x_i' V_ij x_j of each pattern, for each pair of predictors."""
    out = []
    for i, a in enumerate(corner.designs):
        row = []
        for j, b in enumerate(corner.designs):
            block = inverse[:, corner.blocks[i], corner.blocks[j]]
            row.append(
                np.einsum("cp,bpq,cq->bc", np.atleast_2d(a.matrix), block, np.atleast_2d(b.matrix), optimize=True)
                if a.constant == b.constant
                else _mixed(a.matrix, block, b.matrix)
            )
        out.append(row)
    return out


def _mixed(x: np.ndarray, block: np.ndarray, z: np.ndarray) -> np.ndarray:
    left = np.einsum("cp,bpq->bcq", x, block)
    return (left * z[None]).sum(axis=-1)

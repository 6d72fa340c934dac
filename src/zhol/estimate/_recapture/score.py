"""Log-likelihood, score and Hessian of many weightings of one sample at once.

``w`` is (replicates, cells) and ``beta`` (replicates, coefficients): a bootstrap is one call, not a loop.
"""

from __future__ import annotations

import numpy as np

from zhol.estimate._recapture.cells import Sample
from zhol.estimate._recapture.jets import Array, Jet, pairs
from zhol.estimate._recapture.likelihood import log_likelihood, weight_in_population

_LARGEST = 40_000_000  # elements of a table of outer products worth keeping


def likelihood(sample: Sample, w: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Log-likelihood of each replicate (replicates,)."""
    jet = _unit(sample, beta, False)
    return _finite((w * jet.v).sum(axis=-1))


def score(sample: Sample, w: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-likelihood (replicates,), score (replicates, p) and Hessian (replicates, p, p)."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return _score(sample, w, beta)


def _score(sample: Sample, w: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    jet = _unit(sample, beta, True)
    value = _finite((w * jet.v).sum(axis=-1))
    gradient = np.concatenate([_to_columns(sample, i, g, w) for i, g in enumerate(jet.g)], axis=-1)
    p = len(sample.names)
    hessian = np.zeros((*gradient.shape[:-1], p, p))
    assert jet.h is not None
    for (i, j), h in zip(pairs(len(sample.designs)), jet.h, strict=True):
        block = _to_square(sample, i, j, h, w)
        hessian[..., sample.blocks[i], sample.blocks[j]] = block
        if i != j:
            hessian[..., sample.blocks[j], sample.blocks[i]] = np.swapaxes(block, -1, -2)
    return value, gradient, hessian


def population(
    sample: Sample, w: np.ndarray, beta: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Population (replicates,), its gradient in the coefficients (replicates, p), and each cell's weight.

    ``mask`` (cells,) restricts both to a stratum.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return _population(sample, w, beta, mask)


def _population(
    sample: Sample, w: np.ndarray, beta: np.ndarray, mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    jet = weight_in_population(sample.model, sample.links, sample.eta(beta), sample.y)
    part = w if mask is None else w * mask
    total = (part * jet.v).sum(axis=-1)
    gradient = np.concatenate([_to_columns(sample, i, g, part) for i, g in enumerate(jet.g)], axis=-1)
    return total, gradient, np.broadcast_to(jet.v, w.shape)


def _unit(sample: Sample, beta: np.ndarray, second: bool) -> Jet:
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return log_likelihood(sample.model, sample.links, sample.eta(beta), sample.y, second)


def _finite(value: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(value), value, -np.inf)


def _to_columns(sample: Sample, i: int, g: Array, w: np.ndarray) -> np.ndarray:
    """Σ over cells of w g x for the columns of one design."""
    d = sample.designs[i]
    weighted = w * g
    if d.constant:
        return weighted.sum(axis=-1, keepdims=True)
    return weighted @ d.matrix


def _to_square(sample: Sample, i: int, j: int, h: Array, w: np.ndarray) -> np.ndarray:
    """Σ over cells of w h x_i x_j'."""
    a, b = sample.designs[i], sample.designs[j]
    weighted = w * h
    if a.constant and b.constant:
        return weighted.sum(axis=-1)[..., None, None]
    if a.constant:
        return (weighted @ b.matrix)[..., None, :]
    if b.constant:
        return (weighted @ a.matrix)[..., :, None]
    rows, p, q = len(sample.y), len(a.names), len(b.names)
    if rows * p * q > _LARGEST:
        flat = np.broadcast_to(weighted, w.shape).reshape(-1, rows)
        return np.stack([(a.matrix.T * row) @ b.matrix for row in flat]).reshape(*w.shape[:-1], p, q)
    outer = _outer(sample, i, j)
    return (weighted @ outer).reshape(*w.shape[:-1], p, q)


def _outer(sample: Sample, i: int, j: int) -> np.ndarray:
    store: dict[tuple[int, int], np.ndarray] = sample.__dict__.setdefault("_outer_products", {})
    if (i, j) not in store:
        a, b = sample.designs[i].matrix, sample.designs[j].matrix
        store[i, j] = (a[:, :, None] * b[:, None, :]).reshape(len(sample.y), -1)
    return store[i, j]

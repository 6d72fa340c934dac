"""Draws of the posterior around its mode: a random walk that Laplace's approximation scales and figures correct."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from zhol.system.likelihood import Problem

Array = np.ndarray
CHAINS, STEPS = 64, 200
_BLOCK = 8  # chains whose figures are worked out together
_BEGIN = 0.7  # chains begin at Laplace's draws drawn in by this, which figures refuse less
_WANTED = 0.25  # share of proposals taken that the first third of the steps looks for
_GAIN, _LEAST, _MOST = 0.1, 0.01, 0.9


def walk(
    excess: Callable[[Array], Array], size: int, draws: int, seed: int, chains: int = CHAINS, steps: int = STEPS
) -> tuple[Array, dict[str, Any]]:
    """Draws of exp(-excess(z)) times a standard normal of z.

    Chains begin at draws of the normal, drawn in, and need not forget them: with a thousand entries that takes more
    steps than anybody waits for, and ``largest_rhat`` says how far from it they are. What the steps do is to take every
    draw to where figures and prior agree on it. A step proposes sqrt(1 - b^2) z + b xi, which keeps the normal as it is
    whatever the dimension; the figures alone decide whether it is taken. The first third sets b and is thrown away.

    Parameters
    ----------
    excess : callable
        (chains, size) array to (chains,) array: minus the log density over that of a standard normal.
    size, draws, seed, chains, steps : int

    Returns
    -------
    (draws, size) array, evenly from the chains; dict with ``taken`` (share of proposals), ``stride`` (b),
    ``effective_size`` (least over entries and median) and ``largest_rhat`` and ``median_rhat``.

    References
    ----------
    Cotter, S. L., Roberts, G. O., Stuart, A. M., White, D. (2013). MCMC methods for functions: modifying old algorithms
    to make them faster. Statistical Science 28(3).

    Examples
    --------
    >>> sample, found = walk(lambda z: 1.5 * (z**2).sum(axis=1), 2, 400, seed=1, chains=16, steps=600)
    >>> bool(np.all(np.abs(sample.var(axis=0) - 0.25) < 0.08))
    True
    """
    rng = generator(seed, "walk")
    z = _BEGIN * rng.standard_normal((chains, size))
    at = excess(z)
    at = np.where(np.isfinite(at), at, np.inf)
    stride, burn = 0.15, steps // 3
    kept = np.empty((steps - burn, chains, size), dtype=np.float32)
    taken = 0.0
    for i in range(steps):
        trial = np.sqrt(1.0 - stride**2) * z + stride * rng.standard_normal((chains, size))
        there = excess(trial)
        with np.errstate(invalid="ignore"):
            yes = np.isfinite(there) & (np.log(rng.random(chains)) < at - there)
        z[yes], at[yes] = trial[yes], there[yes]
        if i < burn:
            stride = float(np.clip(stride * np.exp(_GAIN * (yes.mean() - _WANTED)), _LEAST, _MOST))
        else:
            kept[i - burn], taken = z, taken + yes.mean()
    return _even(kept, draws), {"taken": taken / len(kept), "stride": stride, **_mixing(kept)}


def walk_draws(
    problem: Problem, mode: Array, factor: Array, draws: int, seed: int, chains: int = CHAINS, steps: int = STEPS
) -> tuple[Array, dict[str, Any]]:
    """Draws of the posterior of a problem, (draws, entries), from its mode and Laplace's factor; and how they mixed."""
    import jax

    from zhol.system.likelihood import objective

    with jax.enable_x64(True):
        run = jax.jit(jax.vmap(lambda v: objective(problem, v)))
        lowest = float(run(np.repeat(mode[None], _BLOCK, axis=0))[0])

    def block(z: Array) -> Array:
        with jax.enable_x64(True):
            value = np.asarray(run(mode + np.resize(z, (_BLOCK, len(mode))) @ factor.T))[: len(z)]
        return value - lowest - 0.5 * (z**2).sum(axis=1)

    with ThreadPoolExecutor(2) as pool:

        def excess(z: Array) -> Array:
            return np.concatenate(list(pool.map(block, np.split(z, range(_BLOCK, len(z), _BLOCK)))))

        sample, found = walk(excess, len(mode), draws, seed, chains, steps)
    return mode + sample @ factor.T, found


def _even(kept: Array, draws: int) -> Array:
    """``draws`` of the states kept, evenly over steps and in turn over chains."""
    steps, chains, size = kept.shape
    number = np.linspace(0, steps * chains - 1, draws).round().astype(int)
    return kept.reshape(steps * chains, size)[number].astype(float)


def _mixing(kept: Array) -> dict[str, float]:
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

    some = kept[:, :, :: max(1, kept.shape[2] // 300)].astype(float).transpose(1, 0, 2)
    rhat, size = np.asarray(split_gelman_rubin(some)), np.asarray(effective_sample_size(some))
    return {
        "largest_rhat": float(np.nanmax(rhat)),
        "median_rhat": float(np.nanmedian(rhat)),
        "least_effective_size": float(np.nanmin(size)),
        "median_effective_size": float(np.nanmedian(size)),
    }

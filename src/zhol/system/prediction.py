"""What a fit says of figures, seen and unseen: predictive draws with every source of error."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.system.instruments import month_number

if TYPE_CHECKING:
    from zhol.system.fit import Fit
    from zhol.system.likelihood import Problem

_AT_ONCE = 8


def latent_draws(problem: Problem, vectors: np.ndarray, actions: Any = None) -> np.ndarray:
    """Log of what the model says of every figure, biases not included, (draws, figures)."""
    import jax

    from zhol.system.engine import use_cache
    from zhol.system.likelihood import log_predictions

    use_cache()
    with jax.enable_x64(True):
        run = jax.jit(jax.vmap(lambda v: log_predictions(problem, v)))

    def block(first: int) -> np.ndarray:
        rows = np.minimum(np.arange(first, first + _AT_ONCE), len(vectors) - 1)
        with jax.enable_x64(True):
            return np.asarray(run(vectors[rows]))[: min(_AT_ONCE, len(vectors) - first)]

    starts = list(range(0, len(vectors), _AT_ONCE))
    first = block(starts[0])
    with ThreadPoolExecutor(2) as pool:
        return np.concatenate([first, *pool.map(block, starts[1:])])


def predictive_draws(
    problem: Problem,
    fit: Fit,
    *,
    draws: int = 200,
    seed: int = 1,
    cut: str | None = None,
    discrepancy: Mapping[str, float] | None = None,
) -> dict[str, np.ndarray]:
    """Draws of every figure as a publisher would print it, given what was known at ``cut``.

    The error of measurement persists within a cell as the likelihood says: what is known of it before ``cut`` is
    carried on. Beyond ``cut`` the model's own error grows as a random walk with the yearly variance ``discrepancy`` of
    its kind.

    Returns
    -------
    dict of (draws, figures) arrays
        ``figure``: with all errors; ``latent``: the model's own value, biases included.
    """
    from zhol.system.likelihood import error_model

    n, names = problem.model.layout.size, {name: i for i, name in enumerate(fit.names)}
    rows = np.arange(draws) % len(fit.sample)
    vectors = np.zeros((draws, problem.size))
    vectors[:, :n] = fit.vectors(problem.model, draws, seed)
    rng = generator(seed, "predictive")
    fresh = rng.standard_normal((draws, problem.size - n))
    for i, name in enumerate(problem.names[n:]):  # a bias that the fit has not met keeps its prior
        vectors[:, n + i] = fit.sample[rows, names[name]] if name in names else fresh[:, i]
    latent = latent_draws(problem, vectors)
    b, r, e = len(problem.obs.bias_groups), len(problem.obs.trend_groups), problem.errors
    zero = np.zeros((draws, 1))
    bias = np.concatenate([vectors[:, n : n + b], zero], axis=1)[:, e["bias"]] * e["bias_sd"]
    trend = np.concatenate([vectors[:, n + b : n + b + r], zero], axis=1)[:, e["trend"]] * e["trend_sd"]
    mean = latent + bias - trend
    scale, kept, goes_on = error_model(problem, vectors, np)
    ends = np.array([month_number(m) for m in problem.obs.table["month_end"]])
    limit = month_number(cut) if cut else int(ends.max())
    ahead = np.maximum(ends - limit, 0) / 12.0
    kinds = problem.obs.table["kind"].to_list()
    yearly = np.array([(discrepancy or {}).get(k, 0.0) for k in kinds])
    drift = np.sqrt(ahead) * yearly * _shared_walk(problem, draws, seed)
    error, step = np.empty_like(mean), np.zeros_like(mean)
    for i in np.argsort(ends, kind="stable"):
        before = e["before"][i]
        earlier = kept[:, i] * error[:, before] if before >= 0 else 0.0
        if ends[i] <= limit:
            error[:, i] = e["log_value"][i] - mean[:, i]
            step[:, i] = error[:, i] - earlier if before >= 0 else 0.0
            continue
        on = goes_on[:, i] * step[:, before] if before >= 0 else 0.0
        step[:, i] = on + _student(rng, e["df"][i], draws) * scale[:, i]
        error[:, i] = earlier + step[:, i]
    return {
        "figure": np.exp(mean + drift + np.where(ends > limit, error, _replicated(rng, e, scale))),
        "latent": np.exp(mean + drift),
    }


def _student(rng: np.random.Generator, df: float, count: int) -> np.ndarray:
    return rng.standard_normal(count) / np.sqrt(rng.chisquare(df, count) / df)


def _replicated(rng: np.random.Generator, e: dict[str, np.ndarray], scale: np.ndarray) -> np.ndarray:
    """Fresh errors for figures that the fit has seen: what the publisher might have printed."""
    df = e["df"][None, :]
    return rng.standard_normal(scale.shape) / np.sqrt(rng.chisquare(np.broadcast_to(df, scale.shape)) / df) * scale


def _shared_walk(problem: Problem, draws: int, seed: int) -> np.ndarray:
    """Standard normal scores, one a corridor and kind: the model errs alike in the same place. (draws, figures)."""
    table = problem.obs.table
    out = np.empty((draws, table.height))
    scores: dict[tuple[str, str, str], np.ndarray] = {}
    for i, key in enumerate(zip(table["kind"], table["origin"], table["destination"], strict=True)):
        if key not in scores:
            scores[key] = generator(seed, "discrepancy", *key).standard_normal(draws)
        out[:, i] = scores[key]
    return out

"""Many designs under the same draws: what only a draw decides is worked out once for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

DRAWS, DESIGNS = 4, 4  # at once on one core: more fall out of its cache


@lru_cache(maxsize=8)
def compiled(sizes: tuple[tuple[str, int], ...], levers: tuple[str, ...]) -> Any:
    """The engine mapped over draws and, within a draw, over designs: arrays come back (draws, designs, ...)."""
    import jax
    import jax.numpy as jnp

    from zhol.system.engine import Inputs, one_draw, use_cache
    from zhol.system.parameters import Layout
    from zhol.system.step import Policy

    use_cache()
    layout = Layout(dict(sizes))

    def run(world: Any, vector: Any, policy: Any, inputs: Any) -> dict[str, Any]:
        p = {name: jnp.asarray(value, vector.dtype) for name, value in layout.values(vector, jnp).items()}
        return one_draw(world, p, policy, inputs, levers, 12, 1)[0]

    designs = jax.vmap(run, in_axes=(None, None, None, Inputs(None, None, 0)))  # type: ignore[arg-type]
    draws = jax.vmap(designs, in_axes=(None, 0, Policy(None, 0, None), Inputs(0, None, None)))  # type: ignore[arg-type]
    return jax.jit(draws)


def run_designs(
    engine: Any,
    world: Any,
    vectors: np.ndarray,
    policy: tuple[np.ndarray, Mapping[str, np.ndarray], Mapping[str, np.ndarray]],
    drivers: Mapping[str, np.ndarray],
    regimes: np.ndarray,
    intensity: np.ndarray,
) -> dict[str, np.ndarray]:
    """Run designs, given as intensities (n, T, K), under every draw, in chunks of one size, in single precision.

    Returns
    -------
    dict of (n, draws, ...) arrays
    """
    import jax

    from zhol.system.engine import Inputs
    from zhol.system.step import Policy

    actor, effect, mask = policy
    out: dict[str, np.ndarray] = {}
    with jax.enable_x64(False):
        for first in range(0, len(vectors), DRAWS):
            which = np.minimum(np.arange(first, first + DRAWS), len(vectors) - 1)  # the last chunk repeats its last
            own = Policy(actor, {n: e[which] for n, e in effect.items()}, dict(mask))
            paths = {n: a[which] for n, a in drivers.items()}
            for begin in range(0, len(intensity), DESIGNS):
                some = np.minimum(np.arange(begin, begin + DESIGNS), len(intensity) - 1)
                found = engine(world, vectors[which], own, Inputs(paths, regimes, intensity[some]))
                _keep(out, found, (begin, first), (len(intensity), len(vectors)))
    return out


def _keep(out: dict[str, np.ndarray], found: Mapping[str, Any], at: tuple[int, int], size: tuple[int, int]) -> None:
    here = tuple(slice(a, min(a + n, s)) for a, n, s in zip(at, (DESIGNS, DRAWS), size, strict=True))
    for name, value in found.items():
        array = np.asarray(value).swapaxes(0, 1)
        out.setdefault(name, np.empty((*size, *array.shape[2:]), dtype=array.dtype))
        out[name][here] = array[: here[0].stop - at[0], : here[1].stop - at[1]]

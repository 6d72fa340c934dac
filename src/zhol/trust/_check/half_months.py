"""The engine once more with two steps a month and a scale for people: for the laws of halving and of doubling."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.system.parameters import Layout

if TYPE_CHECKING:
    from zhol.system.world import World
    from zhol.trust._check.bench import Bench

Array = np.ndarray
_CHUNK = 16


@lru_cache(maxsize=4)
def _compiled(sizes: tuple[tuple[str, int], ...]) -> Any:
    import jax
    import jax.numpy as jnp

    from zhol.system.engine import Inputs, one_draw, use_cache
    from zhol.system.step import Policy

    use_cache()
    layout = Layout(dict(sizes))

    def run(world: World, vector: Any, scale: Any, inputs: Inputs) -> Any:
        p = {n: jnp.asarray(v, vector.dtype) for n, v in layout.values(vector, jnp).items()}
        p["network_scale"] = p["network_scale"] * scale
        out, begun = one_draw(world, p, Policy(jnp.zeros(0, jnp.int32), {}, {}), inputs, (), 1, 2)
        return {**out, "people_start": begun.people, "home_start": begun.home}

    return jax.jit(jax.vmap(run, in_axes=(None, 0, None, None)))


def run_half_months(bench: Bench, rows: Array, scale: float = 1.0) -> dict[str, Array]:
    """Arrays of the engine in half months, with every count of people in the world times ``scale``.

    People, the sizes that networks are measured by, the capacity of roads and quotas all grow alike.
    """
    import jax

    from zhol.system.engine import Inputs

    world = scaled(bench.world(), scale)
    drivers = {**bench.drivers, "working_age": bench.drivers["working_age"] * scale}
    sizes = tuple(sorted(bench.model.layout.sizes.items()))
    parts = []
    with jax.enable_x64(True):
        inputs = Inputs(drivers, bench.regimes.astype(np.int32), np.zeros((len(bench.months), 0)))
        for first in range(0, len(rows), _CHUNK):
            here = np.arange(first, first + _CHUNK)
            picked = bench.vectors[rows[np.minimum(here, len(rows) - 1)]]
            out = _compiled(sizes)(world, picked, np.float64(scale), inputs)
            parts.append({n: np.asarray(a)[: len(rows) - first] for n, a in out.items()})
    return {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}


def scaled(world: World, scale: float) -> World:
    """The fixed arrays with every count of people times ``scale``."""
    more = float(np.log(scale))
    return world._replace(
        stock_log=np.asarray(world.stock_log) + more,
        log_capacity_mean=np.asarray(world.log_capacity_mean) + more,
        protected=np.asarray(world.protected) * scale,
        pending=np.asarray(world.pending) * scale,
        quota=np.asarray(world.quota) * scale,
    )

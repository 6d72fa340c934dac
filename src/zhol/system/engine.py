"""The compiled engine: months scanned in periods, draws mapped, everything else fixed. One copy, in JAX."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from zhol.system import passage, step
from zhol.system.parameters import Layout
from zhol.system.step import Month, Policy, Start, State
from zhol.system.world import World

Array = Any
SPIN_UP = 36  # months with the drivers of the first, until labour stocks sustain themselves
_FROZEN = (0, 3, 4)  # statuses that the data give at the start and the spin-up leaves alone


class Inputs(NamedTuple):
    """Months as arrays: (T, ...) each; drivers (T, P) of one draw or (D, T, P) of several."""

    drivers: dict[str, Array]
    regime: Array
    intensity: Array


def use_cache() -> None:
    """Keep compiled code between starts, so that a second start compiles nothing."""
    if getattr(jax.config, "jax_compilation_cache_dir", None) is None:
        base = os.environ.get("ZHOL_CACHE") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(Path(base) / "zhol" / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def growth_of(working_age: Array) -> Array:
    """Monthly growth of the working-age population, (T, P); the last month keeps that of the one before."""
    safe = jnp.maximum(working_age, 1e-6)
    growth = jnp.log(safe[1:] / safe[:-1])
    growth = jnp.concatenate([growth, growth[-1:]]) if growth.shape[0] else jnp.zeros_like(working_age)
    return jnp.where(working_age > 0, growth, 0.0)


def begin(world: World, p: dict[str, Array], first: Month) -> tuple[State, Start]:
    """First state and what later months are measured against: residents from the data, labour from a spin-up."""
    corridors, dtype = world.origin.shape[0], first.drivers["working_age"].dtype
    home = first.drivers["working_age"]
    residents = jnp.exp(world.stock_log + p["stock_error"] * world.stock_sd)
    people = jnp.zeros((corridors, 10), dtype)
    people = people.at[:, 0].set(residents).at[:, 3].set(world.protected).at[:, 4].set(world.pending)
    roads = world.exists.shape
    state = State(people, home, jnp.zeros(roads, dtype), jnp.ones(roads, dtype))
    zero = jnp.zeros(corridors, dtype)
    none = Policy(jnp.zeros(0, jnp.int32), {}, {})

    risks = passage.road_risks(world, p, {}, jnp)
    rate = jnp.where(home > 0, (residents @ world.at_origin) / jnp.where(home > 0, home, 1.0), 0.0)

    def against(state: State, pull: Array | None) -> Start:
        *_, costs = step.entry_costs(world, p, state, first, risks, {}, jnp)
        relative = step.relative_income(world, first, {}, jnp)
        labour = state.people[:, 1] + state.people[:, 2] + state.people[:, 5:].sum(axis=-1)
        return Start(
            costs["work"] + zero, costs["visit"] + zero, costs["passage"], relative, labour, home, pull, rate, risks
        )

    start = against(state, None)
    frozen = jnp.asarray([1.0 if s in _FROZEN else 0.0 for s in range(10)], dtype)

    def turn(state: State, nothing: None) -> tuple[State, None]:
        new, _ = step.month_step(world, p, start, none, (), state, first, 1.0, jnp)
        held = new.people * (1.0 - frozen) + people * frozen
        return State(held, home, new.volume, new.capacity), None

    state, _ = jax.lax.scan(jax.checkpoint(turn), state, None, length=SPIN_UP)
    return state, against(state, step.first_pull(world, p, state, first, risks, jnp))


def one_draw(
    world: World,
    p: dict[str, Array],
    policy: Policy,
    inputs: Inputs,
    levers: tuple[str, ...],
    months: int,
    substeps: int,
) -> tuple[dict[str, Array], State]:
    """Run one draw; results per period of ``months`` months.

    Returns
    -------
    dict of arrays with the periods first
        ``people`` (N, C, 10) and ``home`` (N, P) at the end of each period; sums of every account over it.
    State at the start
    """
    dt = 1.0 / substeps
    regimes = jax.nn.one_hot(inputs.regime, 3, dtype=inputs.drivers["working_age"].dtype)
    growth = growth_of(inputs.drivers["working_age"])
    rows = Month(inputs.drivers, growth, regimes, inputs.intensity)
    first = jax.tree.map(lambda a: a[0], rows)
    state, start = begin(world, p, first)
    begun = state

    def month(state: State, row: Month) -> tuple[State, dict[str, Array]]:
        state, out = step.month_step(world, p, start, policy, levers, state, row, dt, jnp)
        for _ in range(substeps - 1):
            state, more = step.month_step(world, p, start, policy, levers, state, row, dt, jnp)
            gap = more["protection_gap"]
            out = {**jax.tree.map(jnp.add, out, more), "protection_gap": gap}
        return state, out

    month = jax.checkpoint(month)

    def period(state: State, rows: Month) -> tuple[State, dict[str, Array]]:
        shapes = jax.eval_shape(lambda: month(state, jax.tree.map(lambda a: a[0], rows))[1])
        zero = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)

        def add(carry: Any, row: Month) -> Any:
            state, sums = carry
            state, out = month(state, row)
            gap = out["protection_gap"]
            return (state, {**jax.tree.map(jnp.add, sums, out), "protection_gap": gap}), None

        (state, sums), _ = jax.lax.scan(add, (state, zero), rows)
        return state, {**sums, "people": state.people, "home": state.home}

    grouped = jax.tree.map(lambda a: a.reshape(a.shape[0] // months, months, *a.shape[1:]), rows)
    _, out = jax.lax.scan(period, state, grouped)
    return out, begun


@lru_cache(maxsize=32)
def compiled(
    sizes: tuple[tuple[str, int], ...], levers: tuple[str, ...], months: int, substeps: int, drivers_vary: bool
) -> Any:
    """The engine for one shape of problem, mapped over draws of parameters, effects and (perhaps) drivers."""
    use_cache()
    layout = Layout(dict(sizes))

    def run(world: World, vector: Array, policy: Policy, inputs: Inputs) -> tuple[dict[str, Array], State]:
        p = layout.values(vector, jnp)
        p = {name: jnp.asarray(value, vector.dtype) for name, value in p.items()}
        return one_draw(world, p, policy, inputs, levers, months, substeps)

    driver_axis = 0 if drivers_vary else None
    axes = (None, 0, Policy(None, 0, None), Inputs(driver_axis, None, None))  # type: ignore[arg-type]
    return jax.jit(jax.vmap(run, in_axes=axes))

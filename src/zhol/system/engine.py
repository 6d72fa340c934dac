"""The compiled engine: months scanned in periods, draws mapped, everything else fixed. One copy, in JAX."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from zhol.system import step
from zhol.system.accounts import labour
from zhol.system.fixed import entry_of, fix
from zhol.system.names import PENDING, PROTECTED, RESIDENT, STATUSES
from zhol.system.parameters import Layout
from zhol.system.step import Month, Policy, Start, State
from zhol.system.world import World

Array = Any
SPIN_UP = 36  # months with the drivers of the first, until labour stocks sustain themselves
CORRIDORS_LAST = ("people", "people_start", "entries", "flows", "volume", "revenue")


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
    given = {RESIDENT: residents, PROTECTED: world.protected, PENDING: world.pending}
    zero = jnp.zeros(corridors, dtype)
    counts = jnp.stack([given.get(s, zero) + zero for s in range(len(STATUSES))])
    roads = world.exists.shape[::-1]
    state = State(counts, home, jnp.zeros(roads, dtype), jnp.ones(roads, dtype))
    none = step.Moved({}, {}, {})
    fixed = fix(world, p, jnp)
    along, entry = step.along_corridors(world, first.drivers, p, jnp), entry_of(fixed, first.regime, jnp)
    rate = jnp.where(home > 0, (residents @ world.at_origin) / jnp.where(home > 0, home, 1.0), 0.0)

    def against(state: State, pull: Array | None) -> Start:
        *_, costs = step.entry_costs(p, fixed, state, along, entry, none, jnp)
        return Start(fixed, **costs, relative=along["earnings"], labour=labour(state.counts), working_age=home,
                     pull=pull, rate=rate)  # fmt: skip

    start = against(state, None)
    frozen = jnp.asarray([[1.0 if s in given else 0.0] for s in range(len(STATUSES))], dtype)

    def turn(state: State, nothing: None) -> tuple[State, None]:
        new, _ = step.one_month(world, p, start, none, state, first, 1.0, jnp)
        held = new.counts * (1.0 - frozen) + counts * frozen
        return State(held, home, new.volume, new.capacity), None

    state, _ = jax.lax.scan(jax.checkpoint(turn), state, None, length=SPIN_UP)
    return state, against(state, step.first_pull(world, p, fixed, state, first, jnp))


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
        ``people`` (N, C, 10) and ``home`` (N, P) at the end of each period; sums of every account over it, corridors
        before what they are divided by.
    State at the start
    """
    out, begun = _columns(world, p, policy, inputs, levers, months, substeps)
    return {name: a.swapaxes(1, 2) if name in CORRIDORS_LAST else a for name, a in out.items()}, begun


def _columns(
    world: World,
    p: dict[str, Array],
    policy: Policy,
    inputs: Inputs,
    levers: tuple[str, ...],
    months: int,
    substeps: int,
) -> tuple[dict[str, Array], State]:
    """The same with corridors last, as they are computed."""
    dt = 1.0 / substeps
    regimes = jax.nn.one_hot(inputs.regime, 3, dtype=inputs.drivers["working_age"].dtype)
    growth = growth_of(inputs.drivers["working_age"])
    rows = Month(inputs.drivers, growth, regimes, inputs.intensity)
    state, start = begin(world, p, jax.tree.map(lambda a: a[0], rows))
    begun = state

    def levers_of(intensity: Array) -> step.Moved:
        return step.moved_by(world, p, start.fixed, policy, levers, intensity, jnp)

    def month(carry: Any, given: tuple[Month, Array]) -> tuple[Any, Any]:
        (state, moved), (row, changes) = carry, given
        if levers:  # worked out only where an intensity changes
            moved = jax.lax.cond(changes, levers_of, lambda _: moved, row.intensity)
        state, out = step.one_month(world, p, start, moved, state, row, dt, jnp)
        for _ in range(substeps - 1):
            state, more = step.one_month(world, p, start, moved, state, row, dt, jnp)
            out = jax.tree.map(jnp.add, out, more)
        return (state, moved), out

    month = jax.checkpoint(month)

    def period(carry: Any, rows: Any) -> tuple[Any, dict[str, Array]]:
        shapes = jax.eval_shape(lambda: month(carry, jax.tree.map(lambda a: a[0], rows))[1])
        zero = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)

        def add(carry: Any, row: Any) -> Any:
            before, sums = carry
            after, out = month(before, row)
            return (after, jax.tree.map(jnp.add, sums, out)), None

        (carry, sums), _ = jax.lax.scan(add, (carry, zero), rows)
        state = carry[0]
        kept = step.reported(world, start.fixed, state, sums, jnp)
        return carry, {**kept, "people": state.counts, "home": state.home}

    changes = jnp.any(inputs.intensity[1:] != inputs.intensity[:-1], axis=-1)
    changes = jnp.concatenate([jnp.zeros(1, bool), changes])
    grouped = jax.tree.map(lambda a: a.reshape(a.shape[0] // months, months, *a.shape[1:]), (rows, changes))
    _, out = jax.lax.scan(period, (state, levers_of(inputs.intensity[0])), grouped)
    return out, begun


@lru_cache(maxsize=32)
def compiled(
    sizes: tuple[tuple[str, int], ...], levers: tuple[str, ...], months: int, substeps: int, drivers_vary: bool
) -> Any:
    """The engine for one shape of problem, mapped over draws of parameters, effects and (perhaps) drivers.

    Accounts come with the corridors last; those of ``CORRIDORS_LAST`` are to be turned round.
    """
    use_cache()
    layout = Layout(dict(sizes))

    def run(world: World, vector: Array, policy: Policy, inputs: Inputs) -> dict[str, Array]:
        p = layout.values(vector, jnp)
        p = {name: jnp.asarray(value, vector.dtype) for name, value in p.items()}
        out, begun = _columns(world, p, policy, inputs, levers, months, substeps)
        return {**out, "people_start": begun.counts, "home_start": begun.home}

    driver_axis = 0 if drivers_vary else None
    axes = (None, 0, Policy(None, 0, None), Inputs(driver_axis, None, None))  # type: ignore[arg-type]
    return jax.jit(jax.vmap(run, in_axes=axes))

"""Simulate: draws of parameters, drivers and effects through the engine, in chunks that fit the cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.errors import ZholError
from zhol.system.driver_paths import driver_paths
from zhol.system.instruments import Hooks, actions_of, compile_actions, month_number, month_range
from zhol.system.names import FLOWS, LEVERS
from zhol.system.parameters import parameter_table, prior_draws
from zhol.system.regimes import regime_paths

if TYPE_CHECKING:
    from zhol.system.model import Model
    from zhol.system.run import Run

_DRIVERS = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")
_PRECISIONS = {"single": np.float32, "double": np.float64}
_SLOTS = 8
_CHUNK = 16  # draws at once: more fall out of the processor's cache
Progress = Callable[[int, int], None]


def simulate(
    model: Model,
    scenario: Any = None,
    *,
    start: str = "2000-01",
    end: str = "2040-12",
    draws: int = 200,
    seed: int = 1,
    every: str = "year",
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    precision: str = "single",
    substeps: int = 1,
    levers: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Run:
    """Run the system of a pack under a scenario.

    Parameters
    ----------
    model : Model
    scenario : None, actions, or an object with ``actions(model)``
        None is present policies.
    start, end : str
        First and last month, both included.
    draws : int
        Draws of parameters, drivers and effects; 0 is one run at the centre of everything.
    seed : int
        The same seed gives the same draws, whatever the scenario: two runs compared share all their randomness.
    every : {"year", "month"}
        How often stocks are kept; flows are sums over that time.
    parameters : optional
        A fit (``zhol.system.calibrate``), an array of unconstrained vectors (draws, parameters), a mapping of names to
        natural values that replace the prior, or None: the posterior shipped with the pack if it belongs to these data,
        else the prior.
    drivers : mapping, optional
        Options of ``driver_paths``: ``until``, ``income``, ``population``, ...
    precision : {"single", "double"}
        Single is enough for reports; accounts are checked in double.
    substeps : int
        Steps a month.
    levers : tuple of str
        Levers that the compiled month must have although the scenario does not move them, so that runs under several
        scenarios go through the very same arithmetic.
    progress : callable (done, all), optional

    Returns
    -------
    Run

    Raises
    ------
    ZholError
        Months that are not months, an unknown place in the scenario, a missing driver.

    Examples
    --------
    >>> import zhol
    >>> model = zhol.system.Model(zhol.load("central_asia"))
    >>> run = model.simulate(end="2001-12", draws=2)
    >>> run.table("irregular_stock", by=["destination"]).columns
    ['time', 'destination', 'median', 'low', 'high', 'unit']
    """
    _check(every, draws, substeps, precision, levers)
    months = month_range(start, end)
    hooks = compile_actions(actions_of(scenario, model), model, months, draws, seed)
    vectors, origin = parameter_vectors(model, parameters, draws, seed)
    paths = driver_paths(
        model.region,
        model.places,
        start=start,
        end=end,
        draws=draws,
        seed=seed,
        dtype=np.float32 if precision == "single" else np.float64,
        **(drivers or {}),
    )
    regimes = regime_paths(model.region, model.corridors, start, end, policies_until=model.policies_until)
    yearly = every == "year" and month_number(start) % 12 == 0 and len(months) % 12 == 0
    arrays = run_engine(
        model,
        vectors,
        hooks,
        {n: getattr(paths, n) for n in _DRIVERS},
        np.asarray(regimes.index),
        start,
        months=12 if yearly else 1,
        substeps=substeps,
        precision=precision,
        levers=levers,
        progress=progress,
    )
    from zhol.system.run import assemble

    return assemble(
        model,
        arrays,
        months,
        every=every,
        seed=seed,
        draws=draws,
        parameters=origin,
        notes=(*model.notes, *paths.notes),
        scenario=_name(scenario),
    )


def _check(every: str, draws: int, substeps: int, precision: str, levers: tuple[str, ...]) -> None:
    """Refuse options that mean nothing."""
    if every not in ("year", "month"):
        raise ZholError("unknown interval", found=every, expected="year or month")
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in (draws, substeps)):
        raise ZholError("draws and steps are whole numbers", found=f"{draws}, {substeps}")
    if draws < 0 or substeps < 1:
        raise ZholError("draws cannot be negative, and a month has at least one step", found=f"{draws}, {substeps}")
    if precision not in _PRECISIONS:
        raise ZholError("unknown precision", found=precision, expected=" or ".join(_PRECISIONS))
    for lever in levers:
        if lever not in LEVERS:
            raise ZholError("unknown lever", found=lever, expected=", ".join(LEVERS))


def parameter_vectors(model: Model, parameters: Any, draws: int, seed: int) -> tuple[np.ndarray, str]:
    """Unconstrained vectors (draws, parameters) and where they come from in words."""
    layout, keys, count = model.layout, model.keys(), max(draws, 1)
    if parameters is None:
        from zhol.system.posterior import shipped

        parameters = shipped(model)
    if parameters is None or (isinstance(parameters, str) and parameters == "prior"):
        vectors = prior_draws(layout, keys, count, seed) if draws else np.zeros((1, layout.size))
        return vectors, "prior"
    if hasattr(parameters, "vectors"):
        return parameters.vectors(model, draws, seed), str(parameters.origin)
    if isinstance(parameters, Mapping):
        vectors = prior_draws(layout, keys, count, seed) if draws else np.zeros((1, layout.size))
        return _replaced(vectors, parameters, layout), "prior with " + ", ".join(sorted(parameters))
    if isinstance(parameters, str):
        raise ZholError("unknown parameters", found=parameters, expected="prior, a fit, vectors, or values by name")
    vectors = np.asarray(parameters, dtype=float)
    if vectors.ndim != 2 or vectors.shape[1] != layout.size:
        raise ZholError("parameters of another model", found=str(vectors.shape), expected=f"(draws, {layout.size})")
    return vectors[np.arange(count) % len(vectors)], "given"


def _replaced(vectors: np.ndarray, given: Mapping[str, Any], layout: Any) -> np.ndarray:
    table, parts = parameter_table(), layout.slices()
    for name, value in given.items():
        if name not in parts:
            raise ZholError("unknown parameter", found=name, expected=", ".join(parts))
        parameter = table[name]
        natural = np.asarray(value, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            if parameter.scale == "log":
                scaled = np.log(natural)
            elif parameter.scale == "logit":
                scaled = np.log(natural / (parameter.upper - natural))
            else:
                scaled = natural
        score = np.clip((scaled - parameter.centre()) / parameter.sd, -1e4, 1e4)
        members = parts[name].stop - parts[name].start
        if score.shape not in ((1,), (members,)):
            raise ZholError(f"parameter {name} has {members} members", found=str(natural.shape))
        if np.isnan(score).any():
            wants = {"log": "numbers above 0", "logit": f"numbers between 0 and {parameter.upper:g}"}
            raise ZholError(f"parameter {name} out of its range", found=value, expected=wants.get(parameter.scale))
        vectors[:, parts[name]] = score
    return vectors


def run_engine(
    model: Model,
    vectors: np.ndarray,
    hooks: Hooks,
    drivers: Mapping[str, np.ndarray],
    regimes: np.ndarray,
    start: str,
    *,
    months: int,
    substeps: int = 1,
    precision: str = "single",
    levers: tuple[str, ...] = (),
    chunk: int = _CHUNK,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Run every draw, in chunks on the cores there are; arrays come back with the draws first."""
    import jax

    from zhol.system.engine import CORRIDORS_LAST, Inputs, compiled
    from zhol.system.step import Policy

    kind = _PRECISIONS[precision]
    touched = tuple(sorted({*hooks.levers, *levers}))
    hooks = _with_levers(hooks, touched, model, len(vectors))
    vary = drivers["working_age"].ndim == 3
    draws, size = len(vectors), min(chunk, len(vectors))
    sizes = tuple(sorted(model.layout.sizes.items()))
    world = _cast(model.world(start), kind)
    starts = list(range(0, draws, size))
    out: dict[str, np.ndarray] = {}
    done = [0]

    def work(first: int) -> None:
        rows = np.minimum(np.arange(first, first + size), draws - 1)  # the last chunk repeats its last draw
        with jax.enable_x64(precision == "double"):
            engine = compiled(sizes, touched, months, substeps, vary)
            picked = {n: np.asarray(a[rows] if vary else a, dtype=kind) for n, a in drivers.items()}
            policy = Policy(
                hooks.actor,
                {n: e[rows].astype(kind) for n, e in hooks.effect.items()},
                {n: m.astype(kind) for n, m in hooks.mask.items()},
            )
            inputs = Inputs(picked, regimes.astype(np.int32), hooks.intensity.astype(kind))
            results = engine(world, vectors[rows].astype(kind), policy, inputs)
            here = slice(first, min(first + size, draws))
            for name, value in results.items():
                array = np.asarray(value)
                out[name][here] = array[: here.stop - here.start]

    def prepare(first: int) -> None:
        with jax.enable_x64(precision == "double"):
            engine = compiled(sizes, touched, months, substeps, vary)
            rows = np.minimum(np.arange(first, first + size), draws - 1)
            shapes = jax.eval_shape(
                engine,
                world,
                vectors[rows].astype(kind),
                Policy(
                    hooks.actor,
                    {n: e[rows].astype(kind) for n, e in hooks.effect.items()},
                    {n: m.astype(kind) for n, m in hooks.mask.items()},
                ),
                Inputs(
                    {n: np.asarray(a[rows] if vary else a, dtype=kind) for n, a in drivers.items()},
                    regimes.astype(np.int32),
                    hooks.intensity.astype(kind),
                ),
            )
        for name, shape in shapes.items():
            out[name] = np.empty((draws, *shape.shape[1:]), dtype=kind)

    prepare(0)
    work(starts[0])  # compiles once
    done[0] = 1
    if progress:
        progress(1, len(starts))
    workers = max(1, min(len(starts) - 1, os.cpu_count() or 1))
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(work, starts[1:]):
            done[0] += 1
            if progress:
                progress(done[0], len(starts))
    return {name: a.swapaxes(-1, -2) if name in CORRIDORS_LAST else a for name, a in out.items()}


def _with_levers(hooks: Hooks, levers: tuple[str, ...], model: Model, draws: int) -> Hooks:
    """Hooks that have every lever of the compiled month, untouched ones with effects of exactly zero."""
    used = hooks.intensity.shape[1]
    # Room for a multiple of eight, so that scenarios with a few actions more or fewer share one compiled month.
    count = max(-(-used // _SLOTS) * _SLOTS, _SLOTS) if levers else 0
    more = count - used
    intensity = np.pad(hooks.intensity, ((0, 0), (0, more)))
    actor = np.pad(hooks.actor, (0, more))
    effect = {n: np.pad(hooks.effect.get(n, np.zeros((draws, used))), ((0, 0), (0, more))) for n in levers}
    mask = {
        n: np.pad(hooks.mask.get(n, np.zeros((used, model.members(LEVERS[n].side)))), ((0, more), (0, 0)))
        for n in levers
    }
    return Hooks(levers, intensity, actor, effect, mask)


def _cast(world: Any, kind: Any) -> Any:
    return type(world)(*(a.astype(kind) if np.issubdtype(a.dtype, np.floating) else a for a in world))


def _name(scenario: Any) -> str:
    if scenario is None:
        return "present policies"
    return str(getattr(scenario, "name", "actions"))


__all__ = ["FLOWS", "parameter_vectors", "run_engine", "simulate"]

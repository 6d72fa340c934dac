"""The system as a function of its uncertain inputs: totals of outcomes under one scenario or several."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core import jobs
from zhol.core.errors import ZholError
from zhol.policy._uncertain.inputs import BANK, Inputs, inputs_of
from zhol.policy.outcomes import Outcome, Scope, scope_of, totals
from zhol.policy.paired import merged
from zhol.system.instruments import Action, Effect, Hooks, compile_actions
from zhol.system.names import LEVERS

if TYPE_CHECKING:
    from zhol.system.model import Model
    from zhol.system.run import Run

BATCH = 512  # runs whose arrays are held at once
_PATHS = 256  # paths of each driver
_CHUNK = 16  # runs that the engine takes at once
_LOOK = 64  # draws by which corridors of people in need are found
# A driver that is drawn as a whole, and the series that belong to it.
_DRIVERS = {"population": ("working_age",), "income": ("income_ppp", "income_usd"), "conflict": ("conflict",)}
_SERIES = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")
Progress = Callable[[int, int], None]
Read = Callable[["Run"], np.ndarray]


@dataclass(frozen=True)
class Setting:
    """Everything a run needs beside the values of its inputs; it travels to workers.

    Attributes
    ----------
    worlds : tuple of tuple of Action
        The actions of each scenario.
    drivers : mapping of a series to (paths, T, P), or (T, P) where it is not drawn
    room : int
        Rows of actions in the compiled month, the same for all scenarios.
    """

    model: Model
    months: tuple[str, ...]
    worlds: tuple[tuple[Action, ...], ...]
    inputs: Inputs
    drivers: Mapping[str, np.ndarray]
    regimes: np.ndarray
    levers: tuple[str, ...]
    room: int
    outcomes: tuple[Outcome, ...]
    scope: Scope
    origin: str
    notes: tuple[str, ...]
    seed: int

    def run(self, world: int, values: np.ndarray) -> Run:
        """Run one scenario at rows of inputs (n, M)."""
        from zhol.system.run import assemble
        from zhol.system.simulate import run_engine

        i = self.inputs
        arrays = run_engine(
            self.model,
            values[:, : i.parameters].astype(float),
            self._hooks(world, values),
            self._drivers(values),
            self.regimes,
            self.months[0],
            months=12,
            levers=self.levers,
        )
        return assemble(self.model, arrays, self.months, every="year", seed=self.seed, scenario=str(world))

    def totals(self, values: np.ndarray) -> np.ndarray:
        """Totals of the outcomes under every scenario, (n, scenarios, outcomes)."""
        found = []
        for world in range(len(self.worlds)):
            run = self.run(world, values)
            found.append(np.stack([totals(run, one, self.scope) for one in self.outcomes], axis=-1))
        return np.stack(found, axis=1)

    def _hooks(self, world: int, values: np.ndarray) -> Hooks:
        """The actions with the effects of each row of inputs."""
        i = self.inputs
        given = {
            (owner, one.lever, one.components): values[:, i.parameters + k] for k, (owner, one) in enumerate(i.effects)
        }
        actions = _fixed(self.worlds[world], given)
        hooks = merged(compile_actions(actions, self.model, self.months, len(values), 0))
        return room_for(hooks, self.levers, self.room, self.model, len(values))

    def _drivers(self, values: np.ndarray) -> dict[str, np.ndarray]:
        i, out = self.inputs, {}
        for name, array in self.drivers.items():
            driver = next((d for d in i.drivers if name in _DRIVERS[d]), None)
            if driver is None:
                out[name] = np.broadcast_to(array, (len(values), *array.shape))
                continue
            column = values[:, i.parameters + len(i.effects) + i.drivers.index(driver)]
            out[name] = array[np.clip(column.astype(int), 0, len(array) - 1)]
        return out


@dataclass(frozen=True)
class _Given(Effect):
    """An effect whose draws are known."""

    sizes: Any = None

    def draws(self, count: int, seed: int, owner: str) -> np.ndarray:
        return np.asarray(self.sizes, dtype=float)


def _fixed(actions: Sequence[Action], given: Mapping[tuple[str, str, Any], np.ndarray]) -> list[Action]:
    def known(owner: str, one: Effect) -> Effect:
        return _Given(one.lever, one.components, one.side, given[owner, one.lever, one.components])

    return [
        replace(a, effects=tuple(known(a.name, e) for e in a.effects),
                anticipation=None if a.anticipation is None else known(a.name, a.anticipation))
        for a in actions
    ]  # fmt: skip


def room_for(hooks: Hooks, levers: Sequence[str], room: int, model: Model, draws: int) -> Hooks:
    """The same hooks in the rows and levers that all scenarios have, so that all go through the same arithmetic."""
    used = hooks.intensity.shape[1]
    more = room - used
    nothing = np.zeros((draws, used))
    return Hooks(
        tuple(levers),
        np.pad(hooks.intensity, ((0, 0), (0, more))),
        np.pad(hooks.actor, (0, more)),
        {n: np.pad(hooks.effect.get(n, nothing), ((0, 0), (0, more))) for n in levers},
        {
            n: np.pad(hooks.mask.get(n, np.zeros((used, model.members(LEVERS[n].side)))), ((0, more), (0, 0)))
            for n in levers
        },
    )


def setting_of(
    model: Model,
    worlds: Sequence[tuple[Action, ...]],
    months: Sequence[str],
    outcomes: Sequence[Outcome],
    acting: Sequence[str],
    *,
    seed: int,
    bank: int = BANK,
    paths: int = _PATHS,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
) -> Setting:
    """Make the system ready to be run at any inputs.

    Parameters
    ----------
    bank, paths : int
        Draws of parameters and effects, and paths of drivers, from which inputs are taken.
    """
    from zhol.system.driver_paths import driver_paths
    from zhol.system.regimes import regime_paths
    from zhol.system.simulate import parameter_vectors

    vectors, origin = parameter_vectors(model, parameters, bank, seed)
    found = driver_paths(model.region, model.places, start=months[0], end=months[-1], draws=paths, seed=seed,
                         dtype=np.float32, **(drivers or {}))  # fmt: skip
    series, counts = _sorted({n: np.asarray(getattr(found, n)) for n in _SERIES})
    regimes = regime_paths(model.region, model.corridors, months[0], months[-1], policies_until=model.policies_until)
    every = [a for world in worlds for a in world]
    inputs = inputs_of(model, every, vectors, origin, counts, seed)
    hooks = [merged(compile_actions(w, model, months, 8, seed)) for w in worlds]
    levers = {name for h in hooks for name in h.levers}
    setting = Setting(
        model,
        tuple(months),
        tuple(tuple(w) for w in worlds),
        inputs,
        series,
        np.asarray(regimes.index),
        tuple(name for name in LEVERS if name in levers),
        max(h.intensity.shape[1] for h in hooks),
        tuple(outcomes),
        Scope(tuple(acting), (), ()),
        origin,
        (*model.notes, *found.notes),
        seed,
    )
    look = setting.run(len(worlds) - 1, inputs.bank[:_LOOK])
    return replace(setting, scope=scope_of(look, acting, model.region.manifest.focus))


def _sorted(series: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Paths in the order of their mean at the end, so that a quantile is low or high; undrawn series once."""
    out: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for driver, names in _DRIVERS.items():
        drawn = series[names[0]]
        if np.ptp(drawn, axis=0).max() == 0:
            out |= {name: series[name][0] for name in names}
            continue
        order = np.argsort(np.log1p(drawn[:, -1]).mean(axis=-1), kind="stable")
        out |= {name: series[name][order] for name in names}
        counts[driver] = len(drawn)
    return {**{n: a[0] for n, a in series.items() if n not in out}, **out}, counts


def evaluate(
    setting: Setting, values: np.ndarray, *, cluster: str | None = None, progress: Progress | None = None
) -> np.ndarray:
    """Totals at rows of inputs, batch by batch, here or on a cluster: (n, scenarios, outcomes).

    Raises
    ------
    ZholError
        If the cluster does not answer.
    """
    tasks = [values[i : i + BATCH] for i in range(0, len(values), BATCH)]
    tell = None if progress is None else lambda done, of: progress(min(done * BATCH, len(values)), len(values))
    # Here the engine already keeps the cores busy: one batch after another.
    return np.concatenate(jobs.run(_work, tasks, shared=setting, cluster=cluster, threads=1, progress=tell))


def _work(setting: Setting, values: np.ndarray) -> np.ndarray:
    rows = np.minimum(np.arange(max(len(values), _CHUNK)), len(values) - 1)  # never fewer than the engine compiles for
    return setting.totals(values[rows])[: len(values)]


def acting_of(worlds: Sequence[Sequence[Action]], given: Sequence[str] | str | None, model: Model) -> tuple[str, ...]:
    """The countries that act: those whose actions differ between scenarios; if nobody acts, those the pack is about.

    Raises
    ------
    ZholError
        If a country given is not in the pack.
    """
    if given is not None:
        wanted = [given] if isinstance(given, str) else list(given)
        for place in wanted:
            if place not in model.places:
                raise ZholError("unknown country", found=place, expected=", ".join(model.places))
        return tuple(sorted(set(wanted)))
    common = set.intersection(*(set(w) for w in worlds)) if len(worlds) > 1 else set()
    found = {a.actor for w in worlds for a in set(w) - common}
    return tuple(sorted(found)) or tuple(p for p in model.region.manifest.focus if p in model.places)

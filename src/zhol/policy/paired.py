"""Runs of several scenarios that share everything but the scenarios: draws, drivers, and the very same arithmetic.

Drivers, regimes and parameters are drawn once; all scenarios go through one compiled month, so that a difference holds
nothing but what the scenarios do, and nothing is compiled twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.errors import ZholError
from zhol.system.instruments import Action, Hooks, actions_of, compile_actions, month_range
from zhol.system.names import LEVERS

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.model import Model
    from zhol.system.run import Run

DRIVERS = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")
START, END = "2020-01", "2039-12"
_ROOM = 16  # slots of actions in the compiled month: so many, or twice, four times, ... as many
_CHUNK = 8  # draws run at once on one core: with all levers more fall out of its cache
_AT_ONCE = 192  # draws whose arrays are held at once where only totals are kept
Progress = Callable[[int, int], None]
Read = Callable[["Run"], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Block:
    """The rows of one instrument; ``waiting`` holds what it does between announcement and start."""

    instrument: str
    waiting: bool
    hooks: Hooks


@dataclass(frozen=True)
class Plan:
    """One scenario made ready.

    Attributes
    ----------
    name : str
    scenario : the scenario as given, None for present policies
    actions : tuple of Action
    blocks : tuple of Block
    """

    name: str
    scenario: Any
    actions: tuple[Action, ...]
    blocks: tuple[Block, ...]

    @property
    def instruments(self) -> tuple[str, ...]:
        """Instruments that do something in the window."""
        return tuple(dict.fromkeys(b.instrument for b in self.blocks))

    @property
    def rows(self) -> int:
        """Rows of all blocks."""
        return sum(b.hooks.intensity.shape[1] for b in self.blocks)


@dataclass(frozen=True)
class Paired:
    """Everything that scenarios compared have in common, and the scenarios made ready."""

    model: Model
    plans: tuple[Plan, ...]
    months: tuple[str, ...]
    seed: int
    draws: int
    vectors: np.ndarray
    origin: str
    drivers: Mapping[str, np.ndarray]
    regimes: np.ndarray
    notes: tuple[str, ...]

    @property
    def years(self) -> float:
        """Length of the window."""
        return len(self.months) / 12.0

    @property
    def levers(self) -> tuple[str, ...]:
        """Levers of the compiled month: all of them if any scenario acts, so that one program serves every scenario."""
        return tuple(LEVERS) if any(plan.blocks for plan in self.plans) else ()

    @property
    def room(self) -> int:
        """Slots of the compiled month: the same for all scenarios."""
        room = _ROOM if self.levers else 0
        while room < max(plan.rows for plan in self.plans):
            room *= 2
        return room

    def run(self, number: int, progress: Progress | None = None) -> Run:
        """Run one of the scenarios."""
        plan = self.plans[number]
        return self._run(
            self._joined(plan, np.ones((1, len(plan.instruments)))), np.arange(self.draws), plan.name, progress
        )

    def at(self, number: int, factors: Sequence[float]) -> Run:
        """Run a scenario once with its instruments at other strengths."""
        plan = self.plans[number]
        hooks = self._joined(
            plan, np.broadcast_to(np.asarray(factors, dtype=float), (self.draws, len(plan.instruments)))
        )
        return self._run(hooks, np.arange(self.draws), plan.name, None)

    def many(
        self, number: int, factors: np.ndarray, read: Read, progress: Progress | None = None
    ) -> dict[str, np.ndarray]:
        """Run a scenario with its instruments at other strengths, many at once, and keep what ``read`` takes from each.

        Parameters
        ----------
        factors : (G, n) or (G, D, n) array
            Strength of each instrument of the plan beside what the scenario gives it, for each draw or for all alike.
            0 leaves it out.
        read : callable
            From a run to arrays with the draws first.

        Returns
        -------
        dict of (G, D, ...) arrays
        """
        plan = self.plans[number]
        factors = np.asarray(factors, dtype=float)
        if factors.ndim == 2:
            factors = np.broadcast_to(factors[:, None, :], (len(factors), self.draws, factors.shape[1]))
        flat = factors.reshape(-1, factors.shape[-1])
        which = np.tile(np.arange(self.draws), len(factors))
        parts: list[Mapping[str, np.ndarray]] = []
        starts = range(0, len(flat), _AT_ONCE)
        for done, first in enumerate(starts, start=1):
            rows = np.arange(first, first + _AT_ONCE) if len(flat) > _AT_ONCE else np.arange(len(flat))
            kept = min(len(flat) - first, len(rows))
            rows = np.minimum(rows, len(flat) - 1)  # every batch is as long, so that nothing is compiled twice
            found = read(self._run(self._joined(plan, flat[rows], which[rows]), which[rows], plan.name, None))
            parts.append({name: a[:kept] for name, a in found.items()})
            if progress:
                progress(done, len(starts))
        shape = (len(factors), self.draws)
        return {
            name: np.concatenate([p[name] for p in parts]).reshape(*shape, *parts[0][name].shape[1:])
            for name in parts[0]
        }

    def _joined(self, plan: Plan, factors: np.ndarray, which: np.ndarray | None = None) -> Hooks:
        """Blocks beside each other in the room of all scenarios; effects times the strength of their instrument."""
        which = np.arange(self.draws) if which is None else which
        room, months = self.room, len(self.months)
        intensity, actor = np.zeros((months, room)), np.zeros(room, dtype=np.int32)
        effect = {name: np.zeros((len(which), room)) for name in self.levers}
        mask = {name: np.zeros((room, self.model.members(LEVERS[name].side))) for name in self.levers}
        order, first = plan.instruments, 0
        for block in plan.blocks:
            h, last = block.hooks, first + block.hooks.intensity.shape[1]
            intensity[:, first:last], actor[first:last] = h.intensity, h.actor
            strength = factors[:, order.index(block.instrument)]
            strength = (strength > 0).astype(float) if block.waiting else strength
            for name in h.levers:
                effect[name][:, first:last] = h.effect[name][which] * strength[:, None]
                mask[name][first:last] = h.mask[name]
            first = last
        return Hooks(self.levers, intensity, actor, effect, mask)

    def _run(self, hooks: Hooks, which: np.ndarray, name: str, progress: Progress | None) -> Run:
        from zhol.system.run import assemble
        from zhol.system.simulate import run_engine

        arrays = run_engine(
            self.model,
            self.vectors[which],
            hooks,
            {n: a[which] for n, a in self.drivers.items()},
            self.regimes,
            self.months[0],
            months=12,
            levers=self.levers,
            chunk=_CHUNK,
            progress=progress,
        )
        meta = {
            "seed": self.seed,
            "draws": len(which),
            "parameters": self.origin,
            "notes": self.notes,
            "scenario": name,
        }
        return assemble(self.model, arrays, self.months, every="year", **meta)


def pair(
    scenarios: Sequence[Any],
    model: Region | Model | str,
    *,
    start: str = START,
    end: str = END,
    draws: int = 200,
    seed: int = 1,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
) -> Paired:
    """Make scenarios ready to be run under common random numbers.

    Parameters
    ----------
    scenarios : sequence
        What ``Model.simulate`` takes as a scenario: None is present policies.
    model : Model, Region or name of a pack
    start, end : str
        First and last month: whole years. ``2025`` is January at the start and December at the end.
    draws, seed : int
    parameters, drivers
        As in ``Model.simulate``.

    Raises
    ------
    ZholError
        Not whole years, or fewer than two draws.
    """
    from zhol.system.driver_paths import driver_paths
    from zhol.system.regimes import regime_paths
    from zhol.system.simulate import parameter_vectors

    months = _window(start, end)
    if draws < 2:
        raise ZholError("a comparison needs draws: a number without its interval says too little", found=draws,
                        expected="2 or more, better 200")  # fmt: skip
    system = model_of(model)
    plans = tuple(_plan(one, system, months, draws, seed) for one in scenarios)
    vectors, origin = parameter_vectors(system, parameters, draws, seed)
    paths = driver_paths(
        system.region, system.places, start=months[0], end=months[-1], draws=draws, seed=seed, **(drivers or {})
    )
    regimes = regime_paths(system.region, system.corridors, months[0], months[-1], policies_until=system.policies_until)
    return Paired(
        system,
        plans,
        tuple(months),
        seed,
        draws,
        vectors,
        origin,
        {n: np.asarray(getattr(paths, n)) for n in DRIVERS},
        np.asarray(regimes.index),
        (*system.notes, *paths.notes),
    )


def model_of(given: Any) -> Model:
    """The model of whatever is given: a model, a region, or the name or folder of a pack."""
    from zhol.region.load import load
    from zhol.system.model import Model

    if hasattr(given, "corridors") and hasattr(given, "simulate"):
        return given  # type: ignore[no-any-return]
    return Model(load(given) if isinstance(given, str) or hasattr(given, "__fspath__") else given)


def name_of(scenario: Any) -> str:
    """Name of a scenario."""
    return "present policies" if scenario is None else str(getattr(scenario, "name", "actions"))


def _window(start: str, end: str) -> list[str]:
    first = f"{start}-01" if len(str(start)) == 4 else str(start)
    last = f"{end}-12" if len(str(end)) == 4 else str(end)
    months = month_range(first, last)
    if not (first.endswith("-01") and last.endswith("-12")):
        raise ZholError("scenarios are compared over whole years", found=f"{first} to {last}",
                        expected="January of a year to December of a year")  # fmt: skip
    return months


def _plan(scenario: Any, model: Model, months: Sequence[str], draws: int, seed: int) -> Plan:
    actions = actions_of(scenario, model)
    blocks = []
    for name in sorted({a.name for a in actions}):
        own = [a for a in actions if a.name == name]
        acting = [replace(a, anticipation=None) for a in own]
        waiting = [replace(a, effects=()) for a in own if a.anticipation is not None and any(x > 0 for _, x in a.path)]
        for some, before in ((acting, False), (waiting, True)):
            hooks = merged(compile_actions(some, model, months, draws, seed))
            if hooks.levers:
                blocks.append(Block(name, before, hooks))
    return Plan(name_of(scenario), scenario, actions, tuple(blocks))


def merged(hooks: Hooks) -> Hooks:
    """The same hooks in fewer rows: those of one actor and one path stand together where nothing is lost by it.

    Two rows of one lever may share a row if they touch the same members (their effects add up) or have the same draws
    (their members do).
    """
    slots: list[tuple[bytes, int, dict[str, tuple[np.ndarray, np.ndarray]]]] = []
    for k in range(hooks.intensity.shape[1]):
        key, actor = hooks.intensity[:, k].tobytes(), int(hooks.actor[k])
        for name in hooks.levers:
            mask = hooks.mask[name][k]
            if mask.any():
                _place(slots, key, actor, name, hooks.effect[name][:, k], mask)
    count = len(slots)
    intensity = np.stack([np.frombuffer(key) for key, _, _ in slots], axis=1) if slots else hooks.intensity[:, :0]
    levers = tuple(n for n in hooks.levers if any(n in held for _, _, held in slots))
    effect = {n: np.zeros((len(hooks.effect[n]), count)) for n in levers}
    mask = {n: np.zeros((count, hooks.mask[n].shape[1])) for n in levers}
    for k, (_, _, held) in enumerate(slots):
        for name, (size, members) in held.items():
            effect[name][:, k], mask[name][k] = size, members
    return Hooks(levers, intensity, np.array([a for _, a, _ in slots], dtype=np.int32), effect, mask)


def _place(slots: list[Any], key: bytes, actor: int, lever: str, effect: np.ndarray, mask: np.ndarray) -> None:
    for other, who, held in slots:
        if other != key or who != actor:
            continue
        if lever not in held:
            held[lever] = (effect, mask)
            return
        size, members = held[lever]
        if np.array_equal(members, mask):
            held[lever] = (size + effect, mask)
            return
        if np.array_equal(size, effect) and not (members * mask).any():
            held[lever] = (size, members + mask)
            return
    slots.append((key, actor, {lever: (effect, mask)}))

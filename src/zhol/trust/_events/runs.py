"""Runs with and without an event: the same draws, the same arithmetic, effects that can be replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zhol.policy.scenario import month_text
from zhol.system.driver_paths import driver_paths
from zhol.system.instruments import Action, Hooks, month_number, month_range
from zhol.system.model import Model
from zhol.system.names import LEVERS
from zhol.system.observations import Observations, observations
from zhol.system.regimes import regime_paths
from zhol.system.simulate import parameter_vectors, run_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from zhol.region.load import Region
    from zhol.trust._events.cells import Point
    from zhol.trust._events.measures import Case

Array = np.ndarray
Effects = dict[tuple[str, str], Array]  # (instrument, lever) to (draw,) logs of the factor
DRIVERS = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")
_AT_ONCE = 32  # draws whose months are held at once
_FIVE_YEARS = 60


@dataclass(frozen=True, eq=False)
class Bench:
    """What all runs of one event share.

    Attributes
    ----------
    model : Model
    vectors : (D, n) array
    drivers : mapping of name to (T, P)
        As they came: the test is of the effect of the event.
    regimes : (T, C) array
        They know nothing from the month of the event on.
    months : list of str
    levers : tuple of str
        Those of all events tested together, so that they share one compiled month.
    """

    model: Model
    vectors: Array
    drivers: Mapping[str, Array]
    regimes: Array
    months: list[str]
    levers: tuple[str, ...]

    def read(self, hooks: Callable[[Array], Hooks] | None, points: Sequence[Point]) -> list[Array]:
        """Run every draw and keep what the points say, each (D,)."""
        draws, start = len(self.vectors), month_number(self.months[0])
        size, out = min(_AT_ONCE, draws), []
        for first in range(0, draws, size):
            rows = np.minimum(np.arange(first, first + size), draws - 1)  # the last batch repeats its last draw
            acting = hooks(rows) if hooks else _nothing(len(self.months))
            arrays = run_engine(self.model, self.vectors[rows], acting, self.drivers, self.regimes, self.months[0],
                                months=1, levers=self.levers)  # fmt: skip
            out.append(np.stack([p.read(arrays, start) for p in points])[:, : min(size, draws - first)])
        return list(np.concatenate(out, axis=1))


@dataclass(frozen=True, eq=False)
class Stage:
    """What all events share: one model, its figures, its parameters.

    Attributes
    ----------
    model : Model
    obs : Observations
        Figures that the definition map of the pack ties to the model.
    vectors : (D, n) array
    levers : tuple of str
        Those of all events tested together.
    origin : str
        Where the parameters come from.
    start : str
        First month of every run.
    """

    model: Model
    obs: Observations
    vectors: Array
    levers: tuple[str, ...]
    origin: str
    start: str

    def bench(self, case: Case, last: int) -> Bench:
        """Months, drivers and regimes for one event: no rule from its first month on is applied."""
        start, first = self.start, month_number(self.start)
        # Few lengths, so that events share one compiled run.
        end = month_text(first + -(-(last - first + 1) // _FIVE_YEARS) * _FIVE_YEARS - 1)
        model, before = self.model, month_text(case.first - 1)
        paths = driver_paths(model.region, model.places, start=start, end=end, draws=0)
        regimes = regime_paths(model.region, model.corridors, start, end, policies_until=before)
        drivers = {name: np.asarray(getattr(paths, name)) for name in DRIVERS}
        return Bench(model, self.vectors, drivers, np.asarray(regimes.index), month_range(start, end), self.levers)


def make_stage(region: Region, chosen: Sequence[Case], parameters: Any, draws: int, seed: int, start: str) -> Stage:
    """Compile the pack and draw its parameters once for all events."""
    model = Model(region)
    vectors, origin = parameter_vectors(model, parameters, draws, seed)
    levers = sorted({e.lever for c in chosen for a in c.scenario.actions(model) for e in a.effects})
    obs = observations(region, model.corridors, model.places, since=start)
    return Stage(model, obs, vectors, tuple(levers), origin, start)


def effects_of(actions: Sequence[Action], draws: int, seed: int) -> Effects:
    """Draws of every effect of the actions, one an instrument and lever, as the engine would draw them."""
    return {(a.name, e.lever): e.draws(draws, seed, a.name) for a in actions for e in a.effects}


def hooks_of(actions: Sequence[Action], model: Model, months: Sequence[str], effects: Effects) -> Hooks:
    """Actions as arrays with given draws of their effects; partners of one actor on one path share a row.

    The effects of one instrument are the same toward every partner, so nothing is lost and few rows are needed.
    """
    slots = list(dict.fromkeys((a.name, a.actor, a.path) for a in actions))
    levers = tuple(name for name in LEVERS if any(e.lever == name for a in actions for e in a.effects))
    draws = len(next(iter(effects.values())))
    size = {name: np.zeros((draws, len(slots))) for name in levers}
    mask = {name: np.zeros((len(slots), model.members(LEVERS[name].side))) for name in levers}
    intensity = np.zeros((len(months), len(slots)))
    for action in actions:
        k = slots.index((action.name, action.actor, action.path))
        intensity[:, k] = action.intensity(months)
        for e in action.effects:
            size[e.lever][:, k] = effects[action.name, e.lever]
            mask[e.lever][k] += model.touches(e.where, action.actor, action.partner)
    actor = np.array([model.places.index(a) for _, a, _ in slots], dtype=np.int32)
    return Hooks(levers, intensity, actor, size, mask)


def _nothing(months: int) -> Hooks:
    return Hooks((), np.zeros((months, 0)), np.zeros(0, dtype=np.int32), {}, {})

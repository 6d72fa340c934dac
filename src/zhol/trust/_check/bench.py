"""Runs of a model under single levers: draws of the parameters beside several corridors, in one compiled month."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.errors import ZholError
from zhol.system.instruments import Hooks, compile_actions, month_number
from zhol.system.names import LEVERS
from zhol.trust._check.seen import Case, Seen, join, reduce_arrays

if TYPE_CHECKING:
    from zhol.system.instruments import Action
    from zhol.system.model import Model
    from zhol.system.world import World

Array = np.ndarray
DRIVERS = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")
SLOTS = 8  # one a corridor looked at; the engine makes room for as many
_CHUNK = 16
_BATCH = 48  # cells whose arrays are held at once
# Room for legs that appear when another is removed, and up to a round number: packs of a size share a compiled month.
_SPARE_LEGS, _LEG_STEP = 16, 32


@dataclass(frozen=True)
class Size:
    """How much is run: corridors looked at, draws of the parameters, months."""

    cases: int
    draws: int
    months: int


SIZES = {"small": Size(2, 8, 72), "full": Size(8, 24, 120)}


@dataclass
class Bench:
    """A model made ready for many runs that differ in one thing only.

    A cell is one draw of the parameters beside one corridor (a case). Everything else is common to all runs, so a
    difference between two runs comes from what was changed and from nothing else.
    """

    model: Model
    start: str
    months: list[str]
    vectors: Array
    origin: str
    drivers: dict[str, Array]
    regimes: Array
    seed: int
    cases: list[Case] = field(default_factory=list)
    cell: Array = field(default_factory=lambda: np.zeros(0, dtype=int))
    after: int = 0
    tell: Callable[[], None] = lambda: None
    seen: list[Seen] = field(default_factory=list)

    @property
    def cells(self) -> int:
        """Number of cells: draws times cases."""
        return len(self.vectors)

    def values(self) -> dict[str, Array]:
        """Natural values of the parameters of each cell."""
        return self.model.layout.values(self.vectors, np)

    def raw(
        self,
        hooks: Hooks | None = None,
        *,
        rows: slice | Array = slice(None),
        vectors: Array | None = None,
        world: World | None = None,
        drivers: Mapping[str, Array] | None = None,
        regimes: Array | None = None,
    ) -> dict[str, Array]:
        """Arrays of the engine for some cells."""
        from zhol.system.simulate import run_engine

        picked = (self.vectors if vectors is None else vectors)[rows]
        hooks = self.hooks({}) if hooks is None else hooks
        hooks = Hooks(
            hooks.levers, hooks.intensity, hooks.actor, {n: e[rows] for n, e in hooks.effect.items()}, hooks.mask
        )
        return run_engine(
            self.model if world is None else with_world(self.model, self.start, world),
            picked,
            hooks,
            self.drivers if drivers is None else drivers,
            self.regimes if regimes is None else regimes,
            self.start,
            months=1,
            precision="double",
            levers=tuple(LEVERS),
            chunk=_CHUNK,
        )

    def run(
        self,
        levers: Mapping[str, float] | None = None,
        *,
        partner: bool = False,
        path: Array | None = None,
        actions: Sequence[Action] | None = None,
        **changed: Any,
    ) -> Seen:
        """Run every cell with levers moved by fixed log-multipliers at the cell's own corridor, and reduce.

        Parameters
        ----------
        levers : mapping of lever to log-multiplier at intensity 1
        partner : bool
            Toward the origin of the corridor only, not all.
        path : (T,) array, optional
            Intensity by month; a step to 1 after the first year if not given.
        actions : sequence of Action, optional
            Instead of levers: the same for every cell.
        changed : optional
            ``vectors``, ``world``, ``drivers``, ``regimes`` instead of the common ones.
        """
        if actions is None:
            hooks = self.hooks(levers or {}, partner=partner, path=path)
        else:
            hooks = self.widened(compile_actions(actions, self.model, self.months, self.cells, self.seed))
        parts = []
        for first in range(0, self.cells, _BATCH):
            rows = slice(first, min(first + _BATCH, self.cells))
            arrays = self.raw(hooks, rows=rows, **changed)
            parts.append(reduce_arrays(arrays, self.model, self.cases, self.cell[rows]))
        found = join(parts)
        self.seen.append(found)
        self.tell()
        return found

    def hooks(self, levers: Mapping[str, float], *, partner: bool = False, path: Array | None = None) -> Hooks:
        """Levers of the compiled month: each case has a slot of its own, which only its cells move."""
        intensity = np.zeros((len(self.months), SLOTS))
        intensity[:] = (self.step() if path is None else path)[:, None]
        actor = np.zeros(SLOTS, dtype=np.int32)
        effect = {name: np.zeros((self.cells, SLOTS)) for name in LEVERS}
        mask = {name: np.zeros((SLOTS, self.members(LEVERS[name].side))) for name in LEVERS}
        for k, case in enumerate(self.cases):
            actor[k] = self.model.places.index(case.destination)
            for name, size in levers.items():
                touched = self.touched(name, case, partner)
                mask[name][k, : len(touched)] = touched
                effect[name][self.cell == k, k] = size
        return Hooks(tuple(LEVERS), intensity, actor, effect, mask)

    def touched(self, lever: str, case: Case, partner: bool) -> Array:
        """0/1 array of what the lever touches at a corridor."""
        side = LEVERS[lever].side
        if side == "leg":
            return np.zeros(0) if case.leg is None else self.model.touches("leg", case.leg[1], case.leg[0])
        if side == "origin":
            return self.model.touches(side, case.origin, case.destination if partner else None)
        return self.model.touches(side, case.destination, case.origin if partner else None)

    def members(self, side: str) -> int:
        """Members of a side in the compiled month, spare legs with them."""
        return int(self.world().uses.shape[-1]) if side == "leg" else self.model.members(side)

    def widened(self, hooks: Hooks) -> Hooks:
        """Hooks of actions with room for the spare legs."""
        wide = {n: np.pad(m, ((0, 0), (0, self.members(LEVERS[n].side) - m.shape[1]))) for n, m in hooks.mask.items()}
        every = {n: np.zeros((len(hooks.actor), self.members(LEVERS[n].side))) for n in LEVERS} | wide
        effect = {n: hooks.effect.get(n, np.zeros((self.cells, len(hooks.actor)))) for n in LEVERS}
        return Hooks(tuple(LEVERS), hooks.intensity, hooks.actor, effect, every)

    def step(self, height: float = 1.0, until: int | None = None) -> Array:
        """Intensity that jumps to ``height`` after the first year, and back to 0 in month ``until``."""
        at = np.arange(len(self.months))
        return height * ((at >= self.after) & (at < (len(at) if until is None else until)))

    def world(self) -> World:
        """The fixed arrays of the model, with the spare legs."""
        return self.model.world(self.start)


def make_bench(
    model: Model,
    size: Size,
    seed: int,
    *,
    start: str | None = None,
    parameters: Any = None,
    tell: Callable[[], None] = lambda: None,
) -> Bench:
    """Drivers, regimes, draws and corridors for the runs.

    Raises
    ------
    ZholError
        A model without corridors.
    """
    from zhol.system.regimes import regime_paths
    from zhol.system.simulate import parameter_vectors

    if not model.corridors:
        raise ZholError("a model without corridors has nothing to check", found=model.region.name)
    first, paths = first_month(model, size.months, start)
    months = list(paths.months)
    regimes = regime_paths(model.region, model.corridors, months[0], months[-1], policies_until=model.policies_until)
    draws, origin = parameter_vectors(model, parameters, size.draws, seed)
    roomy = with_world(model, first, _with_spare_legs(model.world(first)))
    drivers = {name: np.asarray(getattr(paths, name)) for name in DRIVERS}
    bench = Bench(roomy, first, months, draws, origin, drivers, np.asarray(regimes.index), seed, after=12, tell=tell)
    bench.cases = _cases(bench, size.cases)
    bench.cell = np.repeat(np.arange(len(bench.cases)), size.draws)
    bench.vectors = np.tile(draws, (len(bench.cases), 1))
    return bench


def first_month(model: Model, length: int, start: str | None) -> tuple[str, Any]:
    """Month from which the pack can be run, and its drivers: the one asked for, 2000, or the first its series allow."""
    from zhol.system.driver_paths import driver_paths

    def paths(first: str) -> Any:
        n = month_number(first) + length - 1
        return driver_paths(model.region, model.places, start=first, end=f"{n // 12:04d}-{n % 12 + 1:02d}", draws=0)

    if start is not None:
        return start, paths(start)
    error: ZholError | None = None
    for year in dict.fromkeys((2000, *_first_years(model))):
        try:
            return f"{year}-01", paths(f"{year}-01")
        except ZholError as refused:
            error = error or refused
    raise error if error else ZholError("no month to start from")


def _first_years(model: Model) -> list[int]:
    """First year that every place has, of population and of income, the later last."""
    import polars as pl

    years = []
    for table in ("population", "economy"):
        rows = model.region.table(table).filter(pl.col("place").is_in(model.places))
        each = rows.group_by("place", "variable").agg(pl.col("year").min())
        if each.height:
            years.append(int(each["year"].max()))  # type: ignore[arg-type]
    return sorted({*years, max(years, default=2000)})


def with_world(model: Model, start: str, world: World) -> Model:
    """The same model with other fixed arrays."""
    other = copy.copy(model)
    other._worlds = {start: world}
    return other


def spare_legs(world: World, legs: int) -> World:
    """The fixed arrays with room for ``legs`` legs; those that no road uses change nothing."""
    more = legs - world.uses.shape[-1]
    return world._replace(
        uses=np.pad(world.uses, ((0, 0), (0, 0), (0, more))), leg_mode=np.pad(world.leg_mode, ((0, more), (0, 0)))
    )


def _with_spare_legs(world: World) -> World:
    legs = world.uses.shape[-1] + _SPARE_LEGS
    return spare_legs(world, -(-legs // _LEG_STEP) * _LEG_STEP)


def _cases(bench: Bench, count: int) -> list[Case]:
    """Corridors with most people in an irregular status, each with a road and with another way out of its origin."""
    model, world = bench.model, bench.world()
    bench.cell = np.zeros(len(bench.vectors), dtype=int)
    rows = np.arange(_CHUNK) % len(bench.vectors)
    arrays = bench.raw(rows=rows)
    people = np.median(arrays["people"][:, -1, :, 5:].sum(axis=-1), axis=0)
    volume = np.median(arrays["volume"].sum(axis=1), axis=0)
    ways = np.bincount(world.origin, minlength=len(model.places))[world.origin]
    good = np.asarray(world.has_road, dtype=float) + (ways > 1)
    order = np.lexsort((-people, -good))
    legs = list(zip(model.roads.legs["origin"], model.roads.legs["destination"], strict=True))
    chosen: list[int] = []
    for fresh in (True, False):  # first each destination once
        for c in order:
            used = {model.corridors[i][1] for i in chosen}
            if len(chosen) < min(count, SLOTS) and c not in chosen and not (fresh and model.corridors[c][1] in used):
                if fresh and good[c] < 2:
                    continue
                chosen.append(int(c))
    return [_case(model, c, volume[c] @ world.uses[c], legs) for c in chosen]


def _case(model: Model, corridor: int, use: Array, legs: list[tuple[str, str]]) -> Case:
    leg = legs[int(np.argmax(use[: len(legs)]))] if len(legs) and use.max() > 0 else None
    return Case(corridor, *model.corridors[corridor], leg)

"""What designs do: many at once through one compiled month, each beside present policies in the same draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core import jobs
from zhol.core.errors import ZholError
from zhol.policy._frontier.engine import compiled, run_designs
from zhol.policy._frontier.options import Space
from zhol.policy._frontier.slots import Slots, slots_of
from zhol.policy.outcomes import Outcome, Scope, all_outcomes, scope_of, totals
from zhol.policy.paired import Paired, pair
from zhol.policy.rights import judge
from zhol.system.names import LEVERS

if TYPE_CHECKING:
    from zhol.policy.paired import Progress
    from zhol.system.model import Model
    from zhol.system.run import Run

BATCH = 128  # runs whose arrays are held at once, by each core


@dataclass(frozen=True)
class Bench:
    """Everything that designs share; it travels to workers.

    Attributes
    ----------
    base : Run
        Present policies, in the draws that stay finite there.
    before : (draws, outcomes) array
        Totals of the base.
    good : (draws,) array of bool
        Draws that stay finite under present policies; no others count.
    """

    space: Space
    model: Model
    slots: Slots
    vectors: np.ndarray
    drivers: dict[str, np.ndarray]
    regimes: np.ndarray
    months: tuple[str, ...]
    seed: int
    outcomes: tuple[Outcome, ...]
    scope: Scope
    base: Run
    before: np.ndarray
    good: np.ndarray

    @property
    def draws(self) -> int:
        """Draws of each design, those that run away under present policies too."""
        return len(self.vectors)

    def runs(self, strength: np.ndarray, late: np.ndarray) -> list[Run]:
        """Run designs: a run for each, in the draws that count."""
        from zhol.system.run import assemble

        s = self.slots
        engine = compiled(tuple(sorted(self.model.layout.sizes.items())), s.levers)
        arrays = run_designs(engine, _single(self.model.world(self.months[0])), self.vectors,
                             (s.actor, s.effect, s.mask), self.drivers, self.regimes,
                             s.intensity(strength, late).astype(np.float32))  # fmt: skip
        own = [{n: a[i][self.good] for n, a in arrays.items()} for i in range(len(strength))]
        return [assemble(self.model, one, self.months, every="year", seed=self.seed) for one in own]


@dataclass(frozen=True)
class Found:
    """What designs do.

    Attributes
    ----------
    gaps : (designs, draws, outcomes) array
        Difference to present policies; none where too small to tell.
    broken : tuple of str
        Rights floors that each design breaks, empty if none.
    """

    gaps: np.ndarray
    broken: tuple[str, ...]


def paired_of(space: Space, model: Model, **settings: Any) -> Paired:
    """Present policies and every option from every start, made ready under the same draws."""
    return pair([None, *(o.at(1.0, d) for o in space.options for d in space.delays)], model, **settings)


def bench_of(space: Space, acting: Sequence[str], outcomes: Sequence[Outcome], paired: Paired) -> Bench:
    """Run present policies, and put together what designs share.

    Raises
    ------
    ZholError
        If fewer than two draws stay finite.
    """
    p, many = paired, len(space.delays)
    own = [p.plans[1 + i * many : 1 + (i + 1) * many] for i in range(len(space.options))]
    members = {n: p.model.members(LEVERS[n].side) for n in LEVERS}
    slots = slots_of(own, len(p.months), p.draws, members)
    slots = replace(slots, effect=_floats(slots.effect), mask=_floats(slots.mask))
    nobody = Scope(tuple(acting), (), ())
    empty = Bench(space, p.model, slots, p.vectors.astype(np.float32), _floats(p.drivers), p.regimes.astype(np.int32),
                  p.months, p.seed, tuple(outcomes), nobody, None, np.zeros(0), np.ones(p.draws, dtype=bool))  # type: ignore[arg-type]  # fmt: skip
    none = np.zeros((1, len(space.options)))
    (base,) = empty.runs(none, none.astype(int))
    good = np.isfinite(base.arrays["people"]).all(axis=(1, 2, 3))
    if good.sum() < 2:
        raise ZholError("fewer than two draws stay finite", hint="give fitted parameters, or a shorter window")
    base = replace(base, arrays={n: a[good] for n, a in base.arrays.items()})
    scope = scope_of(base, acting, p.model.region.manifest.focus)
    before = np.stack([totals(base, one, scope) for one in outcomes], axis=-1)
    return replace(empty, scope=scope, base=base, before=before, good=good)


def evaluate(
    bench: Bench, strength: np.ndarray, late: np.ndarray, *, cluster: str | None = None, tell: Progress | None = None
) -> Found:
    """What designs do, batch by batch, here or on a cluster; ``tell`` hears how many designs are done."""
    at_once = max(BATCH // bench.draws, 1)
    tasks = [(strength[i : i + at_once], late[i : i + at_once]) for i in range(0, len(strength), at_once)]
    told = None if tell is None else lambda done, of: tell(min(done * at_once, len(strength)), len(strength))
    parts = jobs.run(work, tasks, shared=bench, cluster=cluster, progress=told)
    return Found(np.concatenate([p.gaps for p in parts]), tuple(b for p in parts for b in p.broken))


def work(bench: Bench, task: tuple[np.ndarray, np.ndarray]) -> Found:
    """What some designs do."""
    strength, late = task
    gaps, broken = [], []
    least = all_outcomes().tolerance * np.abs(bench.before)
    for x, d, run in zip(strength, late, bench.runs(strength, late), strict=True):
        gap = np.stack([totals(run, one, bench.scope) for one in bench.outcomes], axis=-1) - bench.before
        gaps.append(np.where(np.abs(gap) <= least, 0.0, gap))
        seen = [*judge(bench.space.scenario(x, d, "design")), *judge(run, bench.base)] if x.any() else []
        broken.append(", ".join(sorted({b.floor for b in seen if b.verdict == "breaks"})))
    return Found(np.stack(gaps), tuple(broken))


def _floats(arrays: Any) -> dict[str, np.ndarray]:
    return {n: a.astype(np.float32) for n, a in arrays.items()}


def _single(world: Any) -> Any:
    return type(world)(*(a.astype(np.float32) if np.issubdtype(a.dtype, np.floating) else a for a in world))

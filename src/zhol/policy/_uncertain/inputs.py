"""The uncertain inputs of a run: parameters, effects of instruments, drivers; as factors that vary one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.system.instruments import Action, Effect
from zhol.system.names import LEVERS
from zhol.system.parameters import parameter_table

if TYPE_CHECKING:
    from zhol.system.model import Model

BANK = 2048  # draws from which the values of a factor are taken
UNMOVED = 0.5  # width of posterior over prior above which the data have not spoken
_SAID = {"income": "incomes after their last figure", "population": "population after its last figure",
         "conflict": "conflict after its last figure"}  # fmt: skip


@dataclass(frozen=True)
class Factor:
    """One uncertain thing that varies as a whole.

    Attributes
    ----------
    name : str
    kind : str
        ``parameter``, ``effect``, ``driver`` or ``group``.
    columns : tuple of int
        Inputs that belong to it.
    meaning : str
    basis : str
        What its width rests on: none, theory, evidence, data, specification, definition, projection, posterior.
    evidence : str
        Rows of evidence, or empty.
    prior_only : bool or None
        Whether neither data nor evidence stand behind it; None for a group of several.
    """

    name: str
    kind: str
    columns: tuple[int, ...]
    meaning: str
    basis: str
    evidence: str = ""
    prior_only: bool | None = None


@dataclass(frozen=True)
class Inputs:
    """Every uncertain input as a column; a bank of draws of all of them.

    Attributes
    ----------
    bank : (B, M) array
        Draws: parameters as their unconstrained vector, effects as log-multipliers, drivers as the number of a path.
    parameters : int
        How many columns are parameters; effects and drivers follow.
    effects : tuple of (instrument, Effect)
    drivers : tuple of str
    factors : tuple of Factor
    """

    bank: np.ndarray
    parameters: int
    effects: tuple[tuple[str, Effect], ...]
    drivers: tuple[str, ...]
    factors: tuple[Factor, ...]

    def values(self, unit: np.ndarray, factors: Sequence[Factor]) -> np.ndarray:
        """Inputs (n, M) from numbers between 0 and 1, one a factor: (n, factors).

        A factor of one column takes that quantile; one of several takes a whole draw, so that what hangs together in
        them stays together. Columns of no factor stay at their median.
        """
        out = np.broadcast_to(np.median(self.bank, axis=0), (len(unit), self.bank.shape[1])).copy()
        grid = (np.arange(len(self.bank)) + 0.5) / len(self.bank)
        for u, factor in zip(unit.T, factors, strict=True):
            if len(factor.columns) == 1:
                out[:, factor.columns[0]] = np.interp(u, grid, np.sort(self.bank[:, factor.columns[0]]))
            else:
                row = np.minimum((u * len(self.bank)).astype(int), len(self.bank) - 1)
                out[:, factor.columns] = self.bank[row][:, factor.columns]
        return out


def inputs_of(
    model: Model, actions: Sequence[Action], vectors: np.ndarray, origin: str, drivers: Mapping[str, int], seed: int
) -> Inputs:
    """Every uncertain input of a model under some actions.

    Parameters
    ----------
    vectors : (B, parameters) array
        Draws of the parameters.
    origin : str
        Where they come from, in words.
    drivers : mapping of a driver to the number of its paths
    """
    effects = effects_of(actions)
    draws = len(vectors)
    parts = [vectors, *(e.draws(draws, seed, owner)[:, None] for owner, e in effects)]
    parts += [_paths(name, count, draws, seed)[:, None] for name, count in drivers.items()]
    bank = np.concatenate(parts, axis=1).astype(np.float32)
    factors = [*_parameter_factors(model, vectors, origin), *_effect_factors(effects, vectors.shape[1], bank)]
    first = vectors.shape[1] + len(effects)
    factors += [Factor(f"driver: {n}", "driver", (first + i,), _SAID.get(n, n), "projection", "", False)
                for i, n in enumerate(drivers)]  # fmt: skip
    return Inputs(bank, vectors.shape[1], effects, tuple(drivers), tuple(factors))


def _paths(name: str, count: int, draws: int, seed: int) -> np.ndarray:
    return generator(seed, "path of a driver", name).permutation(np.arange(draws) % count).astype(float)


def effects_of(actions: Sequence[Action]) -> tuple[tuple[str, Effect], ...]:
    """Every uncertain effect of some actions, by the instrument that has it, each once."""
    found: dict[tuple[str, str, Any], tuple[str, Effect]] = {}
    for action in sorted(actions, key=lambda a: a.name):
        for one in (*action.effects, *((action.anticipation,) if action.anticipation else ())):
            found.setdefault((action.name, one.lever, one.components), (action.name, one))
    return tuple(found.values())


def _parameter_factors(model: Model, vectors: np.ndarray, origin: str) -> list[Factor]:
    width, out = vectors.std(axis=0), []
    fitted = not origin.startswith("prior")
    for name, part in model.layout.slices().items():
        columns = tuple(i for i in range(part.start, part.stop) if width[i] > 0)
        if not columns:
            continue
        p = parameter_table()[name]
        moved = fitted and float(np.mean(width[list(columns)])) < UNMOVED
        basis = "posterior" if moved else p.basis
        meaning = p.meaning if p.shape in ("scalar", "regime", "mode") else f"{p.meaning} (all {len(columns)} together)"
        out.append(Factor(name, "parameter", columns, meaning, basis, ", ".join(p.evidence), basis == "none"))
    return out


def _effect_factors(effects: Sequence[tuple[str, Effect]], first: int, bank: np.ndarray) -> list[Factor]:
    columns: dict[tuple[str, str], list[int]] = {}
    for i, (owner, one) in enumerate(effects):
        if bank[:, first + i].std() > 0:
            columns.setdefault((owner, one.lever), []).append(first + i)
    return [_effect_factor(owner, lever, tuple(found)) for (owner, lever), found in columns.items()]


def _effect_factor(owner: str, lever: str, columns: tuple[int, ...]) -> Factor:
    from zhol.policy.instruments import instruments

    name, one = f"{owner}: {lever}", instruments().get(owner)
    effect = None if one is None else next((e for e in one.effects if e.lever == lever), None)
    title = owner if one is None else one.title
    meaning = f"what {title} does to the {LEVERS[lever].meaning}"
    if effect is None:
        waiting = one is not None and one.anticipation is not None and one.anticipation.lever == lever
        return Factor(name, "effect", columns, meaning, "theory" if waiting else "given", "", waiting)
    if effect.definition:
        return Factor(name, "effect", columns, meaning, "definition", "", False)
    rows = ", ".join(effect.evidence)
    return Factor(name, "effect", columns, meaning, "evidence" if rows else "none", rows, not rows)


def grouped(factors: Sequence[Factor], groups: Mapping[str, Sequence[str]] | None) -> tuple[Factor, ...]:
    """Factors with some of them put together under a name of their own.

    Raises
    ------
    ZholError
        If a group names a factor that there is not, or two groups name the same.
    """
    if not groups:
        return tuple(factors)
    known, taken, out = {f.name: f for f in factors}, set(), []
    for title, members in groups.items():
        for name in members:
            if name not in known:
                raise ZholError(f"group {title}: no such uncertain input", found=name,
                                expected=", ".join(list(known)[:8]) + ", ...")  # fmt: skip
            if name in taken:
                raise ZholError("an uncertain input stands in two groups", found=name)
            taken.add(name)
        out.append(joined(title, [known[name] for name in members]))
    return (*out, *(f for f in factors if f.name not in taken))


def joined(title: str, members: Sequence[Factor]) -> Factor:
    """Several factors as one."""
    columns = tuple(c for f in members for c in f.columns)
    said = ", ".join(f.name for f in members[:6]) + (f" and {len(members) - 6} more" if len(members) > 6 else "")
    bases = sorted({f.basis for f in members})
    alone = all(f.prior_only for f in members)
    return Factor(title, "group", columns, said, ", ".join(bases), "", True if alone else None)

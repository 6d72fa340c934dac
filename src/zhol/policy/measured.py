"""Totals of many runs: what is read from each, and which draws and outcomes can be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zhol.core.errors import ZholError
from zhol.policy.outcomes import Outcome, Scope, all_outcomes, scope_of, totals, unit_of

if TYPE_CHECKING:
    from zhol.policy.paired import Paired, Read
    from zhol.system.run import Run


def acting(paired: Paired) -> tuple[str, ...]:
    """Countries whose actions differ from those of the first scenario."""
    base = set(paired.plans[0].actions)
    return tuple(sorted({a.actor for p in paired.plans[1:] for a in set(p.actions) ^ base}))


def scope_for(paired: Paired, base: Run) -> Scope:
    """What outcomes are counted for, by the run of the first scenario."""
    return scope_of(base, acting(paired), paired.model.region.manifest.focus)


def reader(outcomes: Sequence[Outcome], scope: Scope, years: float = 0.0) -> Read:
    """A function that takes the totals of a run: one (draw,) array an outcome."""

    def read(run: Run) -> dict[str, np.ndarray]:
        return {one.id: totals(run, one, scope, years=years) for one in outcomes}

    return read


def usable(values: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray, tuple[str, ...]]:
    """Draws that are finite in every run, and outcomes that have a value in most of them.

    Parameters
    ----------
    values : mapping of outcome to (run, draw) array

    Returns
    -------
    mapping of the outcomes kept to (run, kept draw) arrays, (draw,) mask, what must be said

    Raises
    ------
    ZholError
        If fewer than two draws are left.
    """
    defined = {name: np.isfinite(v).all(axis=0) for name, v in values.items()}
    ran = np.any(list(defined.values()), axis=0)  # a draw that runs away has no outcome at all
    kept = {name: v for name, v in values.items() if defined[name][ran].mean() > 0.5} if ran.any() else {}
    good = ran & np.all([defined[name] for name in kept], axis=0)
    if good.sum() < 2:
        raise ZholError("fewer than two draws stay finite", hint="give fitted parameters, or a shorter window")
    notes = [f"{name}: no value in most draws, left out" for name in values if name not in kept]
    if not good.all():
        notes.append(f"{(~good).sum()} of {len(good)} draws run away or have no value, and are left out everywhere")
    return {name: v[:, good] for name, v in kept.items()}, good, tuple(notes)


def units(run: Run, outcomes: Sequence[Outcome], years: float = 0.0) -> dict[str, str]:
    """Unit of each outcome."""
    return {one.id: unit_of(run, one, years) for one in outcomes}


def remarks(paired: Paired) -> tuple[str, ...]:
    """What stands under every result: where the parameters come from, and what the system does not count."""
    return (f"parameters: {paired.origin}", *(f"not modelled: {t}" for t in all_outcomes().not_modelled))

"""What is kept of a run: sums at the corridor looked at, its destination, its origin and everywhere, month by month."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.system.names import CHANNELS, FLOWS, STATUSES

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = np.ndarray
SCOPES = ("corridor", "destination", "origin", "world")
_NOT_NEGATIVE = (
    "people", "home", "entries", "flows", "volume", "revenue", "transit", "unfilled_demand", "protection_gap",
)  # fmt: skip
_LEAVE = [FLOWS.index(name) for name in ("deaths", "naturalised", "deaths_on_road")]


@dataclass(frozen=True)
class Case:
    """A corridor that is looked at, and the leg of its roads that most of its people use."""

    corridor: int
    origin: str
    destination: str
    leg: tuple[str, str] | None


@dataclass(frozen=True)
class Seen:
    """Sums of a run, (D, T, ...) for D cells and T months.

    Attributes
    ----------
    people, entries, flows : mapping of scope to array
        By status, channel and account; scopes are the corridor, all corridors into its destination, all out of its
        origin, and all.
    gap : (D, T) people in need of protection without it, at the destination
    home : (D, T) people at home at the origin
    unfilled : (D, T) places of labour that stand empty at the destination
    volume, revenue : (D, T, k) over the roads of the corridor
    leg_volume : (D, T) over every road that uses the leg
    by_destination : (D, T, P) entries from the origin
    lost : (D,) people made or lost, relative to those of the place
    lowest : (D,) smallest number anywhere, relative to the largest of its kind
    prints : (T,) sums of checks over all bits of a month; equal only where a run is the same to the last bit
    """

    people: dict[str, Array]
    entries: dict[str, Array]
    flows: dict[str, Array]
    gap: Array
    home: Array
    unfilled: Array
    volume: Array
    revenue: Array
    leg_volume: Array
    by_destination: Array
    lost: Array
    lowest: Array
    prints: Array

    def status(self, scope: str, *names: str) -> Array:
        """People in some statuses (all if none is named), (D, T)."""
        return self.people[scope][..., [STATUSES.index(n) for n in names or STATUSES]].sum(axis=-1)

    def irregular(self, scope: str) -> Array:
        """People in an irregular status, (D, T)."""
        return self.people[scope][..., 5:].sum(axis=-1)

    def entry(self, scope: str, *names: str) -> Array:
        """Entries by some channels (all if none is named), (D, T)."""
        return self.entries[scope][..., [CHANNELS.index(n) for n in names or CHANNELS]].sum(axis=-1)

    def flow(self, scope: str, name: str) -> Array:
        """A flow account, (D, T)."""
        return self.flows[scope][..., FLOWS.index(name)]


def reduce_arrays(arrays: dict[str, Array], model: Model, cases: Sequence[Case], cell: Array) -> Seen:
    """Reduce the arrays of the engine for cells that look at ``cases[cell]``."""
    world = next(iter(model._worlds.values()))
    masks = {s: np.stack([_mask(model, case, s) for case in cases])[cell] for s in SCOPES}
    corridor = np.array([case.corridor for case in cases])[cell]
    place = {s: np.array([model.places.index(getattr(c, s)) for c in cases])[cell] for s in ("origin", "destination")}
    at = np.arange(len(cell))
    leg = np.stack([_leg_roads(model, case, world.uses) for case in cases])[cell]
    out = arrays["entries"].sum(axis=-1) * masks["origin"][:, None, :]
    return Seen(
        people={s: _summed(arrays["people"], m) for s, m in masks.items()},
        entries={s: _summed(arrays["entries"], m) for s, m in masks.items()},
        flows={s: _summed(arrays["flows"], m) for s, m in masks.items()},
        gap=_summed(arrays["protection_gap"], masks["destination"]),
        home=arrays["home"][at, :, place["origin"]],
        unfilled=arrays["unfilled_demand"][at, :, place["destination"]],
        volume=arrays["volume"][at, :, corridor],
        revenue=arrays["revenue"][at, :, corridor],
        leg_volume=np.einsum("dtck,dck->dt", arrays["volume"], leg),
        by_destination=out @ world.at_destination,
        lost=people_lost(arrays, world.at_origin),
        lowest=smallest(arrays),
        prints=month_prints(arrays),
    )


def people_lost(arrays: dict[str, Array], at_origin: Array) -> Array:
    """Largest error of the account of people by origin in any month, relative to the people of the origin, (D,).

    At home and abroad now = before + growth at home - deaths - deaths on the road - those who became citizens.
    """
    abroad = arrays["people"].sum(axis=-1) @ at_origin
    first = arrays["home_start"] + arrays["people_start"].sum(axis=-1) @ at_origin
    now = np.concatenate([first[:, None], arrays["home"] + abroad], axis=1)
    left = arrays["flows"][..., _LEAVE].sum(axis=-1) @ at_origin
    error = np.abs(np.diff(now, axis=1) - arrays["grown"] + left) / np.maximum(now[:, 1:], 1.0)
    return error.reshape(len(error), -1).max(axis=1)


def smallest(arrays: dict[str, Array]) -> Array:
    """Smallest count or flow relative to the largest of its kind, (D,); minus infinity if one is not a number."""
    found = []
    for name in _NOT_NEGATIVE:
        a = arrays[name].reshape(len(arrays[name]), -1)
        if a.shape[1]:
            found.append(np.where(np.isfinite(a).all(axis=1), a.min(axis=1) / np.maximum(a.max(axis=1), 1.0), -np.inf))
    return np.min(found, axis=0)


def month_prints(arrays: dict[str, Array]) -> Array:
    """One number a month for all bits of people, entries and flows, (1, T)."""
    months = range(arrays["people"].shape[1])
    kept = [arrays[n] for n in ("people", "entries", "flows")]
    return np.array([[sum(zlib.crc32(np.ascontiguousarray(a[:, t]).tobytes()) for a in kept) for t in months]])


def join(parts: Sequence[Seen]) -> Seen:
    """Put batches of cells together."""
    out: dict[str, Any] = {}
    for f in fields(Seen):
        values = [getattr(p, f.name) for p in parts]
        if isinstance(values[0], dict):
            out[f.name] = {k: np.concatenate([v[k] for v in values]) for k in values[0]}
        else:
            out[f.name] = np.concatenate(values)
    return Seen(**out)


def _summed(array: Array, mask: Array) -> Array:
    """Sum over the corridors of each cell; (D, T, C, ...) and (D, C) give (D, T, ...)."""
    flat = array.reshape(*array.shape[:3], -1)
    return np.einsum("dtcx,dc->dtx", flat, mask).reshape(*array.shape[:2], *array.shape[3:])


def _mask(model: Model, case: Case, scope: str) -> Array:
    if scope == "world":
        return np.ones(len(model.corridors))
    if scope == "corridor":
        return (np.arange(len(model.corridors)) == case.corridor).astype(float)
    return model.touches(scope, getattr(case, scope), None)


def _leg_roads(model: Model, case: Case, uses: Array) -> Array:
    """0/1 (C, k): roads that use the leg of the case."""
    if case.leg is None:
        return np.zeros(uses.shape[:2])
    legs = model.touches("leg", case.leg[1], case.leg[0])
    return (uses[..., : len(legs)] @ legs > 0).astype(float)

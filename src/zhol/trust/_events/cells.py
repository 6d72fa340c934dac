"""Figures as sums over the arrays of a run: which corridors, statuses or accounts, and which months."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.policy.places import EVERYBODY, places_of
from zhol.system.instruments import month_number
from zhol.system.names import CHANNELS, FLOWS, STATUSES
from zhol.trust._events.measures import FILE, Measure, span, stated

if TYPE_CHECKING:
    from zhol.system.model import Model
    from zhol.system.observations import Observations

Array = np.ndarray
_ACCOUNTS = (*(f"entries:{channel}" for channel in CHANNELS), *FLOWS)


@dataclass(frozen=True, eq=False)
class Point:
    """One figure: months (numbers, both included), what is added up, the value printed and its error on the log scale.

    ``parts`` are triples of an array of the engine (``people``, ``entries`` or ``flows``), corridors and columns.
    """

    first: int
    last: int
    parts: tuple[tuple[str, Array, Array], ...]
    mean: bool = False
    value: float | None = None
    log_sd: float = 0.0

    def read(self, arrays: Mapping[str, Array], start: int) -> Array:
        """What a run says of it, (draw,): a stock at the end of its month (or its mean), a flow over its months."""
        total: Array = np.zeros(len(arrays["people"]))
        for name, corridors, columns in self.parts:
            stock = name == "people"
            first = self.last if stock and not self.mean else self.first
            block = arrays[name][:, first - start : self.last - start + 1][:, :, corridors, columns]
            months = block.sum(axis=-1, dtype=np.float64)
            total = total + (months.mean(axis=1) if stock else months.sum(axis=1))
        return total


@dataclass(frozen=True, eq=False)
class Asked:
    """A measure beside the points that it compares: before and after, of the treated and of those beside them."""

    measure: Measure
    treated: tuple[Point, ...]
    against: tuple[Point, ...]
    observed: float | None
    error: float

    @property
    def last(self) -> int:
        """Last month that it needs."""
        return max(p.last for p in (*self.treated, *self.against))


def asked(model: Model, obs: Observations, measure: Measure) -> Asked:
    """Tie a measure to the corridors of a model and the rows of its pack.

    Raises
    ------
    ZholError
        A row that the series does not have, a corridor that the model does not have, or months that are missing.
    """
    treated = tuple(_points(model, obs, measure, measure.treated))
    against = tuple(_points(model, obs, measure, measure.against)) if measure.against else ()
    wanted = 1 if measure.kind == "level" else 2
    for points in (treated, *([against] if against or measure.kind == "share" else [])):
        if len(points) != wanted:
            raise ZholError(f"{measure.id}: a {measure.kind} compares {wanted} rows", file=FILE, found=len(points))
    observed = stated(model.region, measure)
    if observed is None and all(p.value is not None for p in (*treated, *against)):
        printed = ([np.array([p.value]) for p in points] for points in (treated, against))
        observed = float(value(measure, *printed)[0])
    error = measure.error or float(np.sqrt(sum(p.log_sd**2 for p in (*treated, *against))))
    if not error:
        raise ZholError(f"{measure.id}: no error", file=FILE, hint="give error and why")
    return Asked(measure, treated, against, observed, error)


def value(measure: Measure, treated: list[Array], against: list[Array]) -> Array:
    """The number that a measure is about, from what its points say, each (draw,)."""
    if measure.kind == "level":
        return treated[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure.kind == "share":
            lost = against[0] - against[1]
            # A share of a loss that hardly is one says nothing.
            return np.where(lost > 0.01 * against[0], (treated[1] - treated[0]) / lost, np.nan)
        change = np.log(treated[1] / treated[0])
        return change - np.log(against[1] / against[0]) if against else change


def _points(model: Model, obs: Observations, measure: Measure, labels: tuple[str, ...]) -> list[Point]:
    if measure.series:
        return [_observed(obs, measure, label) for label in labels]
    if measure.counts is None or not measure.months:
        raise ZholError(f"{measure.id}: neither a series nor what to count and when", file=FILE)
    values: list[float | None] = [_printed(model, label) for label in labels]
    values = values or [None] * len(measure.months)
    if len(values) != len(measure.months):
        raise ZholError(f"{measure.id}: not as many months as rows", file=FILE, found=len(measure.months))
    parts = _parts(model, measure)
    return [Point(*span(m), parts, value=v) for m, v in zip(measure.months, values, strict=True)]


def _observed(obs: Observations, measure: Measure, label: str) -> Point:
    """A point that the definition map of the pack defines."""
    table = obs.table.with_row_index("_at")
    rows = table.filter((pl.col("series") == measure.series) & (pl.col("label") == label))
    if rows.height != 1:
        raise ZholError(f"{measure.id}: the series has no such row", file=FILE, found=f"{measure.series} {label}")
    row = rows.row(0, named=True)
    here = obs.obs_index == row["_at"]
    corridors, statuses, accounts = (a[here] for a in (obs.corridor_index, obs.status_index, obs.account_index))
    if row["measure"] in ("stock", "stock_mean"):
        parts: tuple[tuple[str, Array, Array], ...] = (("people", corridors, statuses),)
    else:
        parts = _split(corridors, accounts)
    first, last = month_number(row["month_start"]), month_number(row["month_end"])
    return Point(first, last, parts, row["measure"] == "stock_mean", row["value"], row["log_sd"])


def _parts(model: Model, measure: Measure) -> tuple[tuple[str, Array, Array], ...]:
    counts = measure.counts
    assert counts is not None
    known, places = set(model.places), places_of(model.region)
    origins = {p for o in counts.origins for p in (known if o == EVERYBODY else places.expand(o, known))}
    ends = known if counts.destination == EVERYBODY else set(places.expand(counts.destination, known))
    found = np.array([i for i, (o, d) in enumerate(model.corridors) if o in origins and d in ends], dtype=int)
    if not found.size:
        raise ZholError(f"{measure.id}: no corridor of the model", file=FILE, found=counts.destination)
    for name in (*counts.statuses, *counts.accounts):
        if name not in STATUSES and name not in _ACCOUNTS:
            raise ZholError(f"{measure.id}: neither a status nor an account", file=FILE, found=name)
    if counts.statuses:
        which = np.array([STATUSES.index(s) for s in counts.statuses])
        return (("people", np.repeat(found, len(which)), np.tile(which, len(found))),)
    which = np.array([_ACCOUNTS.index(a) for a in counts.accounts])
    return _split(np.repeat(found, len(which)), np.tile(which, len(found)))


def _split(corridors: Array, accounts: Array) -> tuple[tuple[str, Array, Array], ...]:
    """Accounts by the array of the engine that holds them."""
    entry = accounts < len(CHANNELS)
    parts = (("entries", corridors[entry], accounts[entry]),
             ("flows", corridors[~entry], accounts[~entry] - len(CHANNELS)))  # fmt: skip
    return tuple(p for p in parts if p[1].size)


def _printed(model: Model, label: str) -> float:
    rows = model.region.table("figures").filter(pl.col("figure_id") == label)
    if rows.height != 1 or rows["value"][0] is None:
        raise ZholError("no such row, or one without a number", file=FILE, found=label)
    return float(rows["value"][0])

"""Flows, populations and distances, however the user holds them, as arrays over one list of places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.core.frames import to_polars

Array = NDArray[np.float64]
ALIASES = {
    "origin": ("origin", "orig", "from", "iso_o"),
    "destination": ("destination", "dest", "to", "iso_d"),
    "persons": ("persons", "flow", "flows", "value", "migrants", "moves"),
    "distance": ("distance", "distance_km", "dist", "km"),
    "place": ("place", "region", "country", "iso3", "reg"),
    "population": ("population", "pop", "persons", "value"),
}


@dataclass(frozen=True)
class System:
    """Flows of one period: places in order, persons (origin, destination), and drawn flows if there are any."""

    places: tuple[str, ...]
    flows: Array
    draws: Array | None = None
    period: Any = None

    @property
    def moves(self) -> Array:
        """Flows with an empty diagonal."""
        return self.flows * (1.0 - np.eye(len(self.places)))

    def stacked(self) -> Array:
        """Flows first, then the draws: shape (1 + draw, origin, destination)."""
        first = self.flows[None]
        return first if self.draws is None else np.concatenate([first, np.asarray(self.draws, float)])


def column(frame: pl.DataFrame, wanted: str, name: str) -> str:
    """The column that holds what is wanted, under any of its usual names.

    Examples
    --------
    >>> column(pl.DataFrame({"orig": ["a"]}), "origin", "flows")
    'orig'
    """
    for alias in ALIASES[wanted]:
        if alias in frame.columns:
            return alias
    raise ZholError(f"{name} has no column {wanted!r}", found=", ".join(frame.columns), expected=wanted)


def read_systems(flows: Any, places: Any = None) -> list[System]:
    """One system a period, from a result of ``zhol.estimate.flows``, a matrix, a square frame or a tidy table."""
    if hasattr(flows, "moves") and hasattr(flows, "places"):
        return [System(tuple(flows.places), checked(flows.moves, "flows"), getattr(flows, "draws", None))]
    if isinstance(flows, np.ndarray):
        return [_from_matrix(flows, places)]
    frame = _square(flows)
    if frame is not None:
        return [_from_matrix(frame[1], frame[0])]
    held = getattr(flows, "table", None)
    table = held if isinstance(held, pl.DataFrame) else to_polars(flows, name="flows")
    if "sex" in table.columns and table["sex"].n_unique() > 1:
        raise ZholError("flows hold several sexes", column="sex", hint="filter the table to one, such as total")
    keys = {k: column(table, k, "flows") for k in ("origin", "destination", "persons")}
    period = next((c for c in ("period", "year", "year0") if c in table.columns), None)
    tidy = table.select(
        pl.col(keys["origin"]).alias("origin"),
        pl.col(keys["destination"]).alias("destination"),
        number(table, keys["persons"], "flows").alias("persons"),
        (pl.col(period) if period else pl.lit(None)).alias("period"),
    )
    named(tidy, ("origin", "destination"), "flows")
    parts = [(key[0], part) for key, part in tidy.group_by("period", maintain_order=True)]
    return [_from_tidy(part, key) for key, part in sorted(parts, key=lambda p: str(p[0]))]


def number(table: pl.DataFrame, name: str, what: str) -> pl.Series:
    """A column as numbers, or one line saying which row is none."""
    values = table[name]
    if not values.dtype.is_numeric():
        raise ZholError(f"{what} are not numbers", column=name, found=values.drop_nulls()[0] if len(values) else None)
    return values.cast(pl.Float64)


def named(table: pl.DataFrame, columns: tuple[str, ...], what: str) -> None:
    """No place without a name."""
    for name in columns:
        missing = table[name].is_null()
        if missing.any():
            raise ZholError(f"{what}: a place has no name", row=int(missing.arg_true()[0]) + 2, column=name)


def checked(flows: Any, what: str) -> Array:
    """A square, non-negative, finite array of at least two places."""
    array = np.asarray(flows)
    if array.dtype.kind not in "fiub":
        raise ZholError(f"{what} are not numbers", found=array.dtype.name)
    array = array.astype(float)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise ZholError(f"{what} are not square", found=f"shape {array.shape}", expected="places by places")
    if len(array) < 2:
        raise ZholError(f"{what} hold one place", found=f"{len(array)} place", expected="two or more places")
    off = ~np.eye(len(array), dtype=bool)
    if not np.isfinite(array[off]).all():
        raise ZholError(f"{what} hold a missing cell", expected="a number or zero for every pair of places")
    if (array[off] < 0).any():
        raise ZholError(f"{what} hold a negative number", found=float(array[off].min()), expected="zero or more")
    return np.where(np.isfinite(array), array, 0.0)


def read_population(population: Any, system: System) -> tuple[Array | None, float]:
    """People of every place (None if only a total is known) and their sum."""
    places = system.places
    if isinstance(population, int | float | np.integer | np.floating) and not isinstance(population, bool):
        total = float(population)
        if not total > 0 or not np.isfinite(total):
            raise ZholError("population is not positive", found=total)
        return None, total
    known = _people(population, system)
    missing = [p for p in places if p not in known]
    if missing:
        raise ZholError("population lacks a place", found=", ".join(missing[:5]), expected="a number for every place")
    people = np.array([known[p] for p in places], float)
    if not (people > 0).all() or not np.isfinite(people).all():
        worst = places[int(np.argmin(np.nan_to_num(people, nan=-np.inf)))]
        raise ZholError("population is not positive", found=f"{worst} {known[worst]}")
    return people, float(people.sum())


def read_distance(distance: Any, system: System) -> Array:
    """Distances (n, n) in the order of the system's places."""
    places = system.places
    if isinstance(distance, np.ndarray):
        matrix = np.asarray(distance, float)
        if matrix.shape != system.flows.shape:
            raise ZholError(
                "distances and flows differ in shape", found=str(matrix.shape), expected=str(system.flows.shape)
            )
    else:
        known = _pairs(distance)
        matrix = np.array([[known.get((o, d), np.nan) for d in places] for o in places], float)
    off = ~np.eye(len(places), dtype=bool)
    wrong = off & ~(np.isfinite(matrix) & (matrix > 0))
    if wrong.any():
        o, d = np.argwhere(wrong)[0]
        found = "none" if np.isnan(matrix[o, d]) else float(matrix[o, d])
        raise ZholError(f"no distance above zero from {places[o]} to {places[d]}", found=found)
    return matrix


def _from_matrix(matrix: Any, places: Any) -> System:
    array = checked(matrix, "flows")
    names = [str(i + 1) for i in range(len(array))] if places is None else [str(p) for p in places]
    if len(names) != len(array):
        raise ZholError("places and flows differ in number", found=len(names), expected=str(len(array)))
    return System(tuple(names), array)


def _from_tidy(part: pl.DataFrame, period: Any) -> System:
    places = sorted({str(p) for c in ("origin", "destination") for p in part[c]})
    index = {p: i for i, p in enumerate(places)}
    matrix = np.zeros((len(places), len(places)))
    rows = np.array([index[str(p)] for p in part["origin"]])
    columns = np.array([index[str(p)] for p in part["destination"]])
    np.add.at(matrix, (rows, columns), part["persons"].fill_null(np.nan).to_numpy())
    return System(tuple(places), checked(matrix, "flows"), period=period)


def _square(flows: Any) -> tuple[list[str], Array] | None:
    """Names and numbers of a pandas frame whose rows and columns are the same places."""
    index, columns = getattr(flows, "index", None), getattr(flows, "columns", None)
    if index is None or columns is None or isinstance(flows, pl.DataFrame):
        return None
    names = [str(c) for c in columns]
    return (names, flows.to_numpy()) if [str(i) for i in index] == names else None


def _people(population: Any, system: System) -> dict[str, float]:
    if isinstance(population, np.ndarray):
        if population.shape != (len(system.places),):
            raise ZholError("population and places differ in number", found=str(population.shape))
        return dict(zip(system.places, population.astype(float), strict=True))
    if isinstance(population, Mapping) and not any(np.ndim(v) for v in population.values()):
        return {str(k): float(v) for k, v in population.items()}
    if hasattr(population, "index") and not hasattr(population, "columns"):  # a pandas Series
        return {str(k): float(v) for k, v in population.items()}
    table = to_polars(population, name="population")
    key, value = column(table, "place", "population"), column(table, "population", "population")
    period = next((c for c in ("period", "year", "year0") if c in table.columns), None)
    if period and system.period is not None:
        table = table.filter(pl.col(period) == system.period)
        if table.is_empty():
            raise ZholError("population lacks a period", found=system.period)
    if table[key].n_unique() < table.height:
        raise ZholError("population holds a place twice", found=table.filter(table[key].is_duplicated())[key][0])
    return dict(zip(table[key].cast(pl.String), number(table, value, "population").fill_null(np.nan), strict=True))


def _pairs(distance: Any) -> dict[tuple[str, str], float]:
    square = _square(distance)
    if square is not None:
        names, matrix = square
        return {(o, d): float(matrix[i, j]) for i, o in enumerate(names) for j, d in enumerate(names)}
    table = to_polars(distance, name="distance")
    o, d, km = (column(table, k, "distance") for k in ("origin", "destination", "distance"))
    values = number(table, km, "distance")
    return {(str(a), str(b)): v for a, b, v in zip(table[o], table[d], values, strict=True) if v is not None}

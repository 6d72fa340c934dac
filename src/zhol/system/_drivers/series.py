"""Yearly series of a pack: one column a place, short holes filled, long ones an error, absent places known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    from zhol.region.load import Region


@dataclass(frozen=True)
class Series:
    """A variable by year and place; NaN before the first and after the last figure of a place.

    Attributes
    ----------
    years : array (Y,) of whole years without holes
    values : array (Y, P)
    first, last : arrays (P,), years of the first and last figure; 0 for a place without any
    notes : what was filled
    """

    years: np.ndarray
    values: np.ndarray
    first: np.ndarray
    last: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def present(self) -> np.ndarray:
        """Places with at least one figure, (P,)."""
        return self.last > 0


def yearly(
    region: Region,
    table: str,
    variable: str,
    places: list[str],
    until: int | None,
    gap: float,
    *,
    column: str = "value",
    logs: bool = True,
) -> Series:
    """Read one variable; years after `until` are not looked at.

    Raises
    ------
    ZholError
        For a hole of more than `gap` years inside the series of a place.
    """
    frame = region.table(table)
    if "variable" in frame.columns:
        frame = frame.filter(pl.col("variable") == variable)
    if "level" in frame.columns:
        frame = frame.filter(pl.col("level").is_null())
    frame = frame.filter(pl.col(column).is_not_null(), pl.col("place").is_in(places))
    if until is not None:
        frame = frame.filter(pl.col("year") <= until)
    if frame.is_empty():
        none = np.zeros(len(places), dtype=int)
        return Series(np.zeros(0, dtype=int), np.zeros((0, len(places))), none, none)
    place = np.array([places.index(p) for p in frame["place"]])
    year = frame["year"].to_numpy()
    years = np.arange(year.min(), year.max() + 1)
    values = np.full((len(years), len(places)), np.nan)
    values[year - years[0], place] = frame[column].to_numpy()
    known = ~np.isnan(values)
    has = known.any(axis=0)
    first = np.where(has, years[known.argmax(axis=0)], 0)
    last = np.where(has, years[len(years) - 1 - known[::-1].argmax(axis=0)], 0)
    notes = [
        _fill(values[:, i], years, name, f"{variable} ({table}.csv)", (region, table), gap, logs)
        for i, name in enumerate(places)
        if has[i]
    ]
    return Series(years, values, first, last, tuple(n for n in notes if n))


def _fill(
    values: np.ndarray, years: np.ndarray, place: str, what: str, where: tuple[Region, str], gap: float, logs: bool
) -> str:
    """Fill the holes of one place in its own column; say so."""
    known = np.flatnonzero(~np.isnan(values))
    holes = np.flatnonzero(np.diff(known) > 1)
    if not len(holes):
        return ""
    for hole in holes:
        before, after = known[hole], known[hole + 1]
        if after - before - 1 > gap:
            region, table = where
            raise ZholError(
                f"{what.split(' ')[0]} of {place} has no figure for {years[before] + 1} to {years[after] - 1}",
                file=region.path / f"{table}.csv",
                column="year",
                expected=f"holes of at most {gap:g} years",
                hint="add the years or drop the earlier ones",
            )
    missing = np.setdiff1d(np.arange(known[0], known[-1] + 1), known)
    values[missing] = between(years[missing].astype(float), years[known].astype(float), values[known], logs)
    if len(missing) > 8:
        return (
            f"{what} of {place}: {len(missing)} years between {years[missing[0]]} and {years[missing[-1]]} interpolated"
        )
    return f"{what} of {place}: interpolated in {', '.join(str(y) for y in years[missing])}"


def between(at: np.ndarray, times: np.ndarray, values: np.ndarray, logs: bool = True) -> np.ndarray:
    """Interpolate one series, held beyond its ends; in logs where it is positive throughout."""
    if logs and (values > 0).all():
        return np.exp(np.interp(at, times, np.log(values)))
    return np.interp(at, times, values)


def heads(persons: Series, years: np.ndarray) -> np.ndarray:
    """Persons of every place in these years, (Y, P); held beyond the first and last figure."""
    out = np.empty((len(years), persons.values.shape[1]))
    for i in range(out.shape[1]):
        here = ~np.isnan(persons.values[:, i])
        out[:, i] = np.interp(years, persons.years[here], persons.values[here, i])
    return out


def grouped(notes: dict[str, list[str]]) -> tuple[str, ...]:
    """One line for each thing said, with the places it is said of."""
    return tuple(f"{text}: {', '.join(places)}" for text, places in notes.items())

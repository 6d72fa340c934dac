"""Flows between the places of a region pack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate._flows.result import Flows
from zhol.estimate.flows_from_stocks import flows
from zhol.estimate.methods_side_by_side import flow_methods
from zhol.estimate.rival_stocks import StockError, stock_error

if TYPE_CHECKING:
    from zhol.region.load import Region

__all__ = ["RegionStocks", "region_flows", "region_methods", "region_stocks"]

Array = np.ndarray


@dataclass(frozen=True)
class RegionStocks:
    """Two stocks of a pack with residents and vital events between them.

    Parameters
    ----------
    places : tuple of str
        Countries, blocks and the rest of the world.
    start, end : array, shape (birthplace, residence)
        NaN where a pair has no figure; natives zero, to follow from residents.
    residents, unstated : tuple of two arrays
        All residents, and those whose birthplace is not stated.
    births, deaths : array
        Over the years between, mid-year to mid-year.
    """

    places: tuple[str, ...]
    start: Array
    end: Array
    residents: tuple[Array, Array]
    unstated: tuple[Array, Array]
    births: Array
    deaths: Array

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for ``zhol.estimate.flows``."""
        events = {"births": self.births, "deaths": self.deaths}
        return {"population": self.residents, "unstated": self.unstated, "places": self.places, **events}


def region_stocks(region: Region, start: int, end: int, *, revision: int | str = 2020) -> RegionStocks:
    """Stocks, residents, births and deaths of one period, out of a pack.

    Raises
    ------
    ZholError
        If the pack lacks a table, the revision, or a year.
    """
    for needed in ("stocks", "population"):
        if needed not in region.tables:
            raise ZholError(f"flows need the table {needed!r}", found=", ".join(region.tables), expected=needed)
    if not start < end:
        raise ZholError("the period does not go forward", found=f"{start}-{end}", expected="for example 2015-2020")
    stocks = region.table("stocks").filter(pl.col("revision").cast(pl.String) == str(revision))
    for year in (start, end):
        if year not in stocks["year"].to_list():
            years = ", ".join(map(str, stocks["year"].unique().sort().to_list()))
            raise ZholError(f"revision {revision} has no stocks of that year", found=year, expected=years or "none")
    population = region.table("population").filter(pl.col("level").is_null())
    places = _places(region, population, (start, end))
    tables = [_square(stocks.filter(pl.col("year") == year), places) for year in (start, end)]
    people = [_values(population, places, "persons", year) for year in (start, end)]
    events = [_over(population, places, variable, start, end) for variable in ("births", "deaths")]
    squares, unknown = [t[0] for t in tables], [t[1] for t in tables]
    return RegionStocks(
        places, squares[0], squares[1], (people[0], people[1]), (unknown[0], unknown[1]), events[0], events[1]
    )


def _places(region: Region, population: pl.DataFrame, years: tuple[int, int]) -> tuple[str, ...]:
    listed = region.places.filter(pl.col("kind").is_in(["country", "block", "rest"]))["place"].to_list()
    counted = population.filter(pl.col("variable") == "persons", pl.col("year").is_in(list(years)))
    known = set(counted.group_by("place").len().filter(pl.col("len") >= 2)["place"])
    return tuple(p for p in listed if p in known)


def _square(rows: pl.DataFrame, places: tuple[str, ...]) -> tuple[Array, Array]:
    """Foreign-born by birthplace and residence, NaN where a pair has no figure, and those of no stated birthplace."""
    index = {name: i for i, name in enumerate(places)}
    table, unstated = np.full((len(places), len(places)), np.nan), np.zeros(len(places))
    for origin, destination, persons in rows.select("origin", "destination", "persons").drop_nulls().iter_rows():
        if origin in index and destination in index:
            table[index[origin], index[destination]] = persons
        elif destination in index:
            unstated[index[destination]] += persons
    np.fill_diagonal(table, 0.0)
    return table, unstated


def _values(population: pl.DataFrame, places: tuple[str, ...], variable: str, year: int) -> Array:
    rows = population.filter(pl.col("variable") == variable, pl.col("year") == year)
    known = dict(rows.select("place", "value").iter_rows())
    if lost := [p for p in places if known.get(p) is None]:
        raise ZholError(f"the pack has no {variable} of a place and year", found=f"{lost[0]}, {year}")
    return np.array([float(known[p]) for p in places])


def _over(population: pl.DataFrame, places: tuple[str, ...], variable: str, start: int, end: int) -> Array:
    """From mid-year to mid-year: half of the first and of the last calendar year."""
    total = np.zeros(len(places))
    for year in range(start, end + 1):
        total += (0.5 if year in (start, end) else 1.0) * _values(population, places, variable, year)
    return total


def region_flows(
    region: Region, start: int = 2015, end: int = 2020, *, revision: int | str = 2020, draws: int = 100, **choices: Any
) -> Flows:
    """Flows between the places of a pack, with intervals from the gap between its rival revisions.

    Pairs without a figure are nobody in the estimate and carried by the draws (``missing="carried"``): the United
    Nations list the larger pairs, and those that one revision lacks hold 6 % (median) of what a model of listed pairs
    expects. Each result's ``not_estimated`` lists them with an upper bound.

    Parameters
    ----------
    region : Region
        A pack with ``stocks`` and ``population``.
    start, end : int
        Years of the two stocks.
    revision : int or str
        Revision of the stocks.
    draws : int
        Draws of the stocks; 0 gives no intervals.
    **choices
        As in ``zhol.estimate.flows``.

    Returns
    -------
    Flows

    Raises
    ------
    ZholError
        If the pack lacks a table, the revision or a year.
    """
    stocks = region_stocks(region, start, end, revision=revision)
    law, notes = _own_law(region) if draws and "stock_error" not in choices else (None, ())
    given = {**stocks.arguments(), "draws": draws, "stock_error": law, "missing": "carried", **choices}
    found = flows(stocks.start, stocks.end, **given)
    if end - start != 5:
        notes = (*notes, f"over {end - start} years more people return or move on unseen than over five")
    return replace(found, warnings=(*found.warnings, *notes))


@lru_cache(maxsize=4)
def _own_law(region: Region) -> tuple[StockError | None, tuple[str, ...]]:
    """Errors from the pack's rival revisions; where it has none, those of the Central Asia pack."""
    try:
        return stock_error(region), ()
    except ZholError:
        return None, ("the pack has no rival revisions: errors of stocks are those of the Central Asia pack",)


def region_methods(region: Region, start: int = 2015, end: int = 2020, *, revision: int | str = 2020) -> pl.DataFrame:
    """Flows between the places of a pack by six methods; see ``flow_methods``."""
    stocks = region_stocks(region, start, end, revision=revision)
    return flow_methods(stocks.start, stocks.end, missing="carried", **stocks.arguments())

"""Drivers of the moving system by month: people, incomes, work, conflict, mortality; history, then a projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.errors import ZholError
from zhol.system._drivers import draw
from zhol.system._drivers.conflict import conflict as conflict_of
from zhol.system._drivers.income import INCOMES
from zhol.system._drivers.income import income as income_of
from zhol.system._drivers.population import people as people_of
from zhol.system._drivers.rates import death_rate, employment
from zhol.system._drivers.settings import setting
from zhol.system.instruments import month_number, month_range

if TYPE_CHECKING:
    from zhol.region.load import Region

POPULATIONS = ("low", "medium", "high")


@dataclass(frozen=True, eq=False)
class DriverPaths:
    """Drivers by month and place; arrays (T, P), or (D, T, P) with draws.

    Attributes
    ----------
    months : list of str
        ``"2000-01"``, ...
    places : list of str
    working_age : array, persons aged 15 to 64
    income_ppp : array, international dollars a head and year
    income_usd : array, USD a head and year
    employment : array, one minus the unemployment rate
    conflict : array, deaths per 100,000 people and year
    death_rate : array, per person and month
    notes : tuple of str
        What was interpolated, held and projected.
    observed_until : mapping of a variable to the last year any place has a figure for
    """

    months: list[str]
    places: list[str]
    working_age: np.ndarray
    income_ppp: np.ndarray
    income_usd: np.ndarray
    employment: np.ndarray
    conflict: np.ndarray
    death_rate: np.ndarray
    notes: tuple[str, ...]
    observed_until: dict[str, int]


def driver_paths(
    region: Region,
    places: Sequence[str],
    start: str = "2000-01",
    end: str = "2040-12",
    draws: int = 0,
    seed: int = 1,
    until: str | None = None,
    income: str = "trend",
    population: str = "medium",
    dtype: Any = np.float64,
) -> DriverPaths:
    """Monthly drivers of every place from the yearly series of a pack.

    Parameters
    ----------
    region : Region
        Any valid pack.
    places : sequence of str
        Codes, in the order of the last axis.
    start, end : str
        First and last month, both included.
    draws : int
        0 gives the central path.
    seed : int
        Draws of one place and driver depend on this and on their names only.
    until : str, optional
        Last month that may be known: years that end later, and projections published later, are not used.
    income : {"trend", "flat", "high", "low"}
        Projection of income: growth of the last ten years shrunk to the pack's mean and converging to it; none; or a
        bound of the 80 % interval around the trend (then income is not drawn).
    population : {"medium", "low", "high"}
        Median of the projection, or a bound of its 80 % interval (then population is not drawn).
    dtype : numpy type
        Of the arrays; ``numpy.float32`` halves the memory of many draws.

    Returns
    -------
    DriverPaths

    Raises
    ------
    ZholError
        A place without population or income; a hole of more than two years in a series; an unknown option.

    Examples
    --------
    >>> import zhol
    >>> paths = driver_paths(zhol.load("central_asia"), ["KAZ", "UZB"], end="2025-12")
    >>> paths.working_age.shape
    (312, 2)
    >>> paths.observed_until["conflict"]
    2022
    """
    codes = _checked(region, places, draws, income, population)
    months = month_range(start, end)
    numbers = month_number(start) + np.arange(len(months))
    times = (numbers + 0.5) / 12
    month = None if until is None else month_number(until)
    year = None if month is None else (month + 1) // 12 - 1  # a year is known once its December is over
    people = people_of(region, codes, times, year, month)
    earned = income_of(region, codes, times, year, income, people.series)
    work, work_notes, work_until = employment(region, codes, times, year)
    deaths, death_notes, death_until = death_rate(region, codes, times, year, people.series)
    fights = conflict_of(region, codes, numbers, year, people.series)
    score = NormalDist().inv_cdf(0.5 + setting("variant_level") / 2)
    bound = {"high": np.exp(score * people.up), "low": np.exp(-score * people.down), "medium": 1.0}[population]
    central = people.persons * people.share * bound
    arrays = {
        "working_age": central,
        "income_ppp": earned.ppp,
        "income_usd": earned.usd,
        "employment": work,
        "conflict": fights.monthly,
        "death_rate": deaths,
    }
    arrays = {name: np.asarray(a, dtype=dtype) for name, a in arrays.items()}
    if draws:
        shape = (draws, *central.shape)
        drawn = {name: np.broadcast_to(a, shape) for name, a in arrays.items()}  # seen through every draw, not copied
        if population == "medium":
            drawn["working_age"] = draw.population_draws(arrays["working_age"], people, codes, draws, seed, dtype)
        if income in ("trend", "flat"):
            both = [arrays["income_ppp"], arrays["income_usd"]]
            both = draw.income_draws(both, earned, times, codes, draws, seed, dtype)
            drawn["income_ppp"], drawn["income_usd"] = both
        drawn["conflict"] = draw.conflict_draws(fights, numbers, codes, draws, seed, dtype)
        arrays = drawn
    observed = {
        **people.observed,
        **earned.observed,
        "employment": work_until,
        "conflict": fights.observed,
        "death_rate": death_until,
    }
    notes = (*people.notes, *earned.notes, *work_notes, *fights.notes, *death_notes)
    return DriverPaths(months, codes, **arrays, notes=notes, observed_until=observed)


def _checked(region: Region, places: Sequence[str], draws: int, income: str, population: str) -> list[str]:
    codes = list(places)
    there = set(region.places["place"])
    for code in codes:
        if code not in there:
            raise ZholError("place is not in this pack", found=code, expected="codes of places.csv")
    if not codes:
        raise ZholError("no places to make drivers for", expected="at least one code")
    if draws < 0:
        raise ZholError("draws cannot be negative", found=draws, expected="0 or more")
    if income not in INCOMES:
        raise ZholError("unknown path of income", found=income, expected=" | ".join(INCOMES))
    if population not in POPULATIONS:
        raise ZholError("unknown variant of population", found=population, expected=" | ".join(POPULATIONS))
    return codes

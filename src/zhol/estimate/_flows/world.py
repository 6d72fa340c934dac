"""The world's stocks and vital events from the publishers' files, and flows of every period and sex."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate._flows.scaling import Array

SEXES = {"total": "total", "men": "male", "women": "female"}


@dataclass(frozen=True)
class Period:
    """One period of the world: what ``zhol.estimate.flows`` needs.

    Parameters
    ----------
    first : int
        Year of the first stock; the second is five years later.
    sex : str
        ``total``, ``men`` or ``women``.
    start, end : array, shape (birthplace, residence)
        Foreign-born by birthplace, NaN where a pair has no figure; natives zero, to follow from residents.
    residents, unstated : tuple of two arrays, shape (place,)
        All residents, and those born in no place of the list.
    births, deaths : array, shape (place,)
    """

    first: int
    sex: str
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


def read_world(
    folder: str | Path,
    years: list[int],
    *,
    revision: str = "2020",
    sexes: tuple[str, ...] = ("total",),
    boys_per_girl: float = 1.05,
    residents: str = "2024",
) -> list[Period]:
    """Periods of five years from UN DESA's migrant stocks and UN WPP's residents, births and deaths.

    Places are those with residents, vital events and immigrants throughout. A pair without a figure is NaN.

    Parameters
    ----------
    folder : str or Path
        With ``undesa_ims/ims_bilateral_rev<revision>.csv`` and ``un_wpp2024/wpp2024_population_vital_1950_2023.csv``.
    years : list of int
        First years of the periods.
    sexes : tuple of str
        ``total``, ``men``, ``women``. Residents, births and deaths come for both sexes together: residents are split as
        in WPP 2019's file by age and sex where it lies in the folder (evenly if not), deaths like residents, births by
        ``boys_per_girl``; all three are assumptions.
    residents : str
        ``2024``: residents of WPP 2024; ``2019``: of WPP 2019, beside births and deaths of 2024, to compare with flows
        that were published before 2024.

    Raises
    ------
    ZholError
        If a file is missing or a year is not in it.
    """
    root = Path(folder)
    stocks = _read(root / "undesa_ims" / f"ims_bilateral_rev{revision}.csv")
    vital = _read(root / "un_wpp2024" / "wpp2024_population_vital_1950_2023.csv")
    wanted = sorted({y for year in years for y in (year, year + 5)})
    if lost := sorted(set(wanted) - set(stocks["year"].to_list())):
        raise ZholError("the stocks have no such year", found=lost[0], file=f"ims_bilateral_rev{revision}.csv")
    places = _places(vital, stocks, wanted)
    people, men = _people(vital, places, wanted), _share_of_men(root, places, wanted)
    if residents == "2019":
        people = _older_residents(root, places, people)
    elif residents != "2024":
        raise ZholError("unknown residents", found=residents, expected="2024 or 2019")
    found = []
    for sex in sexes:
        if sex not in SEXES:
            raise ZholError("unknown sex", found=sex, expected=" or ".join(SEXES))
        tables = {y: _table(stocks, places, y, SEXES[sex]) for y in wanted}
        part = {y: {"total": np.ones(len(places)), "men": men[y], "women": 1 - men[y]}[sex] for y in wanted}
        for year in years:
            births, deaths = _events(vital, places, year)
            boys = boys_per_girl / (1 + boys_per_girl)
            births *= {"total": 1.0, "men": boys, "women": 1 - boys}[sex]
            ends = (year, year + 5)
            live = (people[year] * part[year], people[year + 5] * part[year + 5])
            unstated = (tables[year][1], tables[year + 5][1])
            first, second = (tables[y][0].copy() for y in ends)
            found.append(Period(year, sex, places, first, second, live, unstated, births, deaths * part[year]))
    return found


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise ZholError("no such file", file=path, hint="undesa_ims and un_wpp2024 must be there")
    return pl.read_csv(path, infer_schema_length=None)


def _places(vital: pl.DataFrame, stocks: pl.DataFrame, years: list[int]) -> tuple[str, ...]:
    """Places with residents and immigrants at every date, and births and deaths in every year between."""
    within = vital.filter(pl.col("year").is_between(years[0], years[-1]), pl.col("iso3") != "WLD")
    whole = within.filter(pl.all_horizontal(pl.col("population", "births_k", "deaths_k").is_not_null()))
    counts = whole.group_by("iso3").len().filter(pl.col("len") == years[-1] - years[0] + 1)
    dates = stocks.filter(pl.col("year").is_in(years)).group_by("dest").agg(pl.col("year").n_unique())
    hosts = dates.filter(pl.col("year") == len(years))["dest"].to_list()
    return tuple(counts.filter(pl.col("iso3").is_in(hosts))["iso3"].sort().to_list())


def _people(vital: pl.DataFrame, places: tuple[str, ...], years: list[int]) -> dict[int, Array]:
    return {y: _column(vital.filter(pl.col("year") == y), places, "population") for y in years}


def _older_residents(root: Path, places: tuple[str, ...], people: dict[int, Array]) -> dict[int, Array]:
    """Residents of WPP 2019 where it has the place; those of WPP 2024 elsewhere (places of fewer than 90,000)."""
    frame = _read(root / "un_wpp2024" / "wpp2019_population_broad_age_sex_1950_2020.csv")
    sums = frame.group_by("iso3", "year").agg(pl.col("pop_k").sum())
    known = {(iso3, year): 1000.0 * thousands for iso3, year, thousands in sums.iter_rows()}
    return {y: np.array([known.get((p, y), n) for p, n in zip(places, v, strict=True)]) for y, v in people.items()}


def _column(rows: pl.DataFrame, places: tuple[str, ...], name: str) -> Array:
    by_place: dict[str, Any] = dict(zip(rows["iso3"], rows[name], strict=True))
    return np.array([float(by_place[p]) for p in places])


def _events(vital: pl.DataFrame, places: tuple[str, ...], year: int) -> tuple[Array, Array]:
    """Births and deaths from mid-year to mid-year: half of the first and of the last calendar year."""
    born, died = np.zeros(len(places)), np.zeros(len(places))
    for step in range(6):
        weight = 0.5 if step in (0, 5) else 1.0
        rows = vital.filter(pl.col("year") == year + step)
        born += weight * 1000 * _column(rows, places, "births_k")
        died += weight * 1000 * _column(rows, places, "deaths_k")
    return born, died


def _share_of_men(root: Path, places: tuple[str, ...], years: list[int]) -> dict[int, Array]:
    path = root / "un_wpp2024" / "wpp2019_population_broad_age_sex_1950_2020.csv"
    even = {y: np.full(len(places), 0.5) for y in years}
    if not path.is_file():
        return even
    frame = pl.read_csv(path, infer_schema_length=None)
    sums = frame.group_by("iso3", "year", "sex").agg(pl.col("pop_k").sum())
    for year in years:
        wide = sums.filter(pl.col("year") == year).pivot("sex", index="iso3", values="pop_k")
        names = {str(c).lower()[0]: c for c in wide.columns if c != "iso3"}
        if "m" not in names or "f" not in names:
            continue
        share = wide.select("iso3", s=pl.col(names["m"]) / (pl.col(names["m"]) + pl.col(names["f"])))
        known = dict(share.drop_nulls().iter_rows())
        even[year] = np.array([known.get(p, 0.5) for p in places])
    return even


def _table(stocks: pl.DataFrame, places: tuple[str, ...], year: int, column: str) -> tuple[Array, Array]:
    """Square stock of one year, and the people of each residence who were born in no place of the list."""
    rows = stocks.filter(pl.col("year") == year).select("orig", "dest", column).drop_nulls()
    index = {p: i for i, p in enumerate(places)}
    table = np.full((len(places), len(places)), np.nan)
    unstated = np.zeros(len(places))
    for origin, destination, persons in rows.iter_rows():
        if destination not in index or origin == destination:
            continue
        if origin in index:
            table[index[origin], index[destination]] = persons
        else:
            unstated[index[destination]] += persons
    np.fill_diagonal(table, 0.0)
    return table, unstated

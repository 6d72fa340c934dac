"""Income by month: history in logs, then growth that converges to the pack's mean."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from zhol.core.errors import ZholError
from zhol.system._drivers.growth import Growth, growth_of, kept
from zhol.system._drivers.series import Series, grouped, heads, yearly
from zhol.system._drivers.settings import setting

if TYPE_CHECKING:
    from zhol.region.load import Region

INCOMES = ("trend", "flat", "high", "low")


@dataclass(frozen=True)
class Income:
    """Central incomes by month (T, P), how they grow, and the year of the last figure of each place (P,)."""

    ppp: np.ndarray
    usd: np.ndarray
    growth: Growth
    last: np.ndarray
    notes: tuple[str, ...]
    observed: dict[str, int]


def income(
    region: Region, places: list[str], times: np.ndarray, year: int | None, kind: str, persons: Series
) -> Income:
    """Incomes of every place by month.

    Raises
    ------
    ZholError
        If a place with people has no income, or an income is not positive.
    """
    notes: dict[str, list[str]] = {}
    ppp = yearly(region, "economy", "gdp_pc_ppp", places, year, setting("gap_years"))
    ppp = _complete(region, ppp, places, persons, year, notes)
    ending = int(np.ceil(times[-1])) + 1
    growth = growth_of(ppp, notes)
    paths = _extended(ppp, growth, ending, kind)
    monthly = _monthly(paths, ppp, times, places, "gdp_pc_ppp", notes)
    usd = yearly(region, "economy", "gdp_usd", places, year, setting("gap_years"))
    _positive(region, usd, places, "gdp_usd", persons)
    ratio, usd_notes = _ratio(usd, ppp, persons, times, places)
    said = (*ppp.notes, *usd.notes, *grouped(notes), *usd_notes, _said(kind, growth))
    observed = {"income_ppp": int(ppp.last.max()), "income_usd": int(usd.last.max())}
    return Income(monthly, monthly * ratio, growth, ppp.last, said, observed)


def _complete(
    region: Region, ppp: Series, places: list[str], persons: Series, year: int | None, notes: dict[str, list[str]]
) -> Series:
    """A place where nobody lives may lack an income; any other may not."""
    _positive(region, ppp, places, "gdp_pc_ppp")
    values, first, last = ppp.values.copy(), ppp.first.copy(), ppp.last.copy()
    for i, place in enumerate(places):
        if ppp.present[i]:
            continue
        if np.nanmax(persons.values[:, i]) > 0 or not ppp.present.any():
            raise ZholError(
                f"place {place} has no income (gdp_pc_ppp)" + ("" if year is None else f" up to {year}"),
                file=region.path / "economy.csv",
                column="place",
                expected="rows of gdp_pc_ppp for every place with people",
            )
        some = ~np.isnan(ppp.values).all(axis=1)
        values[:, i] = np.interp(ppp.years, ppp.years[some], np.nanmedian(ppp.values[some], axis=1))
        first[i], last[i] = ppp.years[0], ppp.years[-1]
        notes.setdefault("no people and no income: median income of the other places", []).append(place)
    return Series(ppp.years, values, first, last, ppp.notes)


def _positive(region: Region, series: Series, places: list[str], variable: str, persons: Series | None = None) -> None:
    """No income of zero or less; with `persons`, none where there are people."""
    wrong = series.values <= 0
    if persons is not None and wrong.any():
        wrong &= heads(persons, series.years) > 0
    bad = np.argwhere(wrong)
    if len(bad):
        year, place = bad[0]
        raise ZholError(
            f"{variable} of {places[place]} in {series.years[year]} is not positive",
            file=region.path / "economy.csv",
            column="value",
            found=float(series.values[year, place]),
            expected="a number above 0, or an empty cell",
        )


def _extended(ppp: Series, growth: Growth, ending: int, kind: str) -> list[np.ndarray]:
    """Log income of each place by year from its first figure to `ending`."""
    score = NormalDist().inv_cdf(0.5 + setting("variant_level") / 2)
    side = {"high": score, "low": -score}.get(kind, 0.0)
    paths = []
    for i, last in enumerate(ppp.last.tolist()):
        known = np.log(ppp.values[~np.isnan(ppp.values[:, i]), i])
        keep = kept(last, max(ending - last, 0))
        rate = keep * growth.rate[i] + (1 - keep) * growth.centre
        rise = np.zeros(len(keep)) if kind == "flat" else np.cumsum(rate)
        paths.append(np.concatenate([known, known[-1] + rise + side * growth.spread(i, keep)]))
    return paths


def _monthly(
    paths: list[np.ndarray],
    series: Series,
    times: np.ndarray,
    places: list[str],
    variable: str,
    notes: dict[str, list[str]],
) -> np.ndarray:
    monthly = np.empty((len(times), len(paths)))
    for i, path in enumerate(paths):
        monthly[:, i] = np.exp(np.interp(times, series.first[i] + 0.5 + np.arange(len(path)), path))
        if times[0] < series.first[i]:
            notes.setdefault(f"{variable} before {series.first[i]} held at the first figure", []).append(places[i])
        if times[-1] > series.last[i] + 1:
            notes.setdefault(f"{variable} after {series.last[i]} projected", []).append(places[i])
    return monthly


def _ratio(
    usd: Series, ppp: Series, persons: Series, times: np.ndarray, places: list[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Income in dollars over income in international dollars by month: the price level, held beyond its figures."""
    notes: dict[str, list[str]] = {}
    ratio = np.full((len(times), len(places)), np.nan)
    for i, place in enumerate(places):
        years = sorted(_years(usd, i) & _years(ppp, i) & _years(persons, i))
        years = [y for y in years if persons.values[y - persons.years[0], i] > 0]
        if not years:
            notes.setdefault("no gdp_usd: price level is the median of the other places", []).append(place)
            continue
        here = np.array(years)
        level = (
            usd.values[here - usd.years[0], i]
            / persons.values[here - persons.years[0], i]
            / ppp.values[here - ppp.years[0], i]
        )
        ratio[:, i] = np.exp(np.interp(times, here + 0.5, np.log(level)))
        if times[0] < here[0]:
            notes.setdefault(f"price level (gdp_usd) before {here[0]} held", []).append(place)
        if times[-1] > here[-1] + 1:
            notes.setdefault(f"price level (gdp_usd) after {here[-1]} held", []).append(place)
    lacking = np.isnan(ratio).any(axis=0)
    if lacking.all():
        return np.ones_like(ratio), ("no gdp_usd for any place: income in dollars taken equal to income_ppp",)
    ratio[:, lacking] = np.median(ratio[:, ~lacking], axis=1)[:, None]
    return ratio, grouped(notes)


def _years(series: Series, i: int) -> set[int]:
    return {int(y) for y in series.years[~np.isnan(series.values[:, i])]}


def _said(kind: str, growth: Growth) -> str:
    what = {
        "trend": f"growth of the last {setting('trend_years'):g} years shrunk to the pack's mean, reached by "
        f"{setting('converge_by'):g}",
        "flat": "no growth",
        "high": f"upper bound of the {setting('variant_level'):.0%} interval around the trend",
        "low": f"lower bound of the {setting('variant_level'):.0%} interval around the trend",
    }[kind]
    spread = f"a year's growth has sd {growth.common:.1%} in common and {np.median(growth.own):.1%} (median) of a place"
    return f"income after its last figure: {what}; {spread}, from the pack"

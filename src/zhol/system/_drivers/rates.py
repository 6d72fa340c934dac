"""Employment and mortality by month: observed, held beyond their ends, the same in every draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zhol.core.errors import ZholError
from zhol.system._drivers.series import Series, between, grouped, heads, yearly
from zhol.system._drivers.settings import setting

if TYPE_CHECKING:
    from zhol.region.load import Region

Found = tuple[np.ndarray, tuple[str, ...], int]


def employment(region: Region, places: list[str], times: np.ndarray, year: int | None) -> Found:
    """One minus the share of the labour force that is unemployed, (T, P)."""
    series = yearly(region, "economy", "unemployment", places, year, setting("gap_years"), logs=False)
    bad = np.argwhere(series.values >= 100)
    if len(bad):
        y, i = bad[0]
        raise ZholError(
            f"unemployment of {places[i]} in {series.years[y]} leaves nobody at work",
            file=region.path / "economy.csv",
            column="value",
            found=float(series.values[y, i]),
            expected="below 100 %",
        )
    months, notes = _held(series, 1 - series.values / 100, times, places, "unemployment")
    if not series.present.any():
        return np.ones_like(months), ("no unemployment for any place: employment taken as full everywhere",), 0
    return months, notes, int(series.last.max())


def death_rate(region: Region, places: list[str], times: np.ndarray, year: int | None, persons: Series) -> Found:
    """Deaths per person and month, (T, P)."""
    series = yearly(region, "population", "deaths", places, year, setting("gap_years"))
    people = heads(persons, series.years)
    rates = np.where(people > 0, series.values / np.where(people > 0, people, 1.0), 0.0 * series.values) / 12
    months, notes = _held(series, rates, times, places, "deaths")
    if not series.present.any():
        return np.zeros_like(months), ("no deaths for any place: mortality is left out",), 0
    return months, notes, int(series.last.max())


def _held(
    series: Series, values: np.ndarray, times: np.ndarray, places: list[str], variable: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Months from mid-years, held beyond the ends; a place without figures takes the median of the others."""
    notes: dict[str, list[str]] = {}
    months = np.full((len(times), len(places)), np.nan)
    for i, place in enumerate(places):
        if not series.present[i]:
            notes.setdefault(f"no {variable}: median of the other places", []).append(place)
            continue
        here = ~np.isnan(series.values[:, i])
        months[:, i] = between(times, series.years[here] + 0.5, values[here, i])
        if times[0] < series.first[i]:
            notes.setdefault(f"{variable} before {series.first[i]} held at the first figure", []).append(place)
        if times[-1] > series.last[i] + 1:
            notes.setdefault(f"{variable} after {series.last[i]} held at the last figure", []).append(place)
    if series.present.any():
        months[:, ~series.present] = np.median(months[:, series.present], axis=1)[:, None]
    return months, (*series.notes, *grouped(notes))

"""People and people of working age by month: estimates, then a published or own projection with its spread."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.system._drivers.series import Series, between, grouped, yearly
from zhol.system._drivers.settings import setting

if TYPE_CHECKING:
    from zhol.region.load import Region

_MID = 0.5  # estimates are for 1 July
_END = 1.0  # projections whose note says so are for 31 December


@dataclass(frozen=True)
class People:
    """Population by month (T, P), the log spread of it above and below, and the yearly estimates behind it."""

    persons: np.ndarray
    share: np.ndarray
    up: np.ndarray
    down: np.ndarray
    series: Series
    notes: tuple[str, ...]
    observed: dict[str, int]


def people(region: Region, places: list[str], times: np.ndarray, year: int | None, month: int | None) -> People:
    """Population of every place by month; nothing of later years, nothing published after `month`.

    Raises
    ------
    ZholError
        If a place has no population, or no age share is there at all.
    """
    series = yearly(region, "population", "persons", places, year, setting("gap_years"))
    for place, present in zip(places, series.present, strict=True):
        if not present:
            raise ZholError(
                f"place {place} has no population" + ("" if year is None else f" up to {year}"),
                file=region.path / "population.csv",
                column="place",
                expected="rows of persons for every place",
                hint="add them, or take the place out of places.csv",
            )
    notes: dict[str, list[str]] = {}
    projected = _projection(region, month)
    shape = (len(times), len(places))
    persons, up, down = np.empty(shape), np.zeros(shape), np.zeros(shape)
    wander = _wander(series)
    for i, place in enumerate(places):
        rows = projected.filter(pl.col("place") == place, pl.col("year") > int(series.last[i]))
        persons[:, i], up[:, i], down[:, i] = _one(series, i, rows, times, float(wander[i]), notes, place)
    share, share_notes, share_until = _shares(region, places, times, year)
    observed = {"population": int(series.last.max()), "working_age_share": share_until}
    return People(persons, share, up, down, series, (*series.notes, *grouped(notes), *share_notes), observed)


def _projection(region: Region, month: int | None) -> pl.DataFrame:
    """Published projections known at the time: one row a place and year, with the interval nearest to the variants'."""
    apart = (pl.col("level") - 100 * setting("variant_level")).abs()
    frame = region.table("population").filter(
        pl.col("variable") == "persons",
        pl.col("level").is_between(0, 100, closed="none"),
        pl.col("value").is_not_null(),
    )
    frame = frame.sort("year", apart).unique(["place", "year"], keep="first", maintain_order=True)
    if month is None:
        return frame
    known = {
        name
        for name, published in region.sources.select("source_id", "published").iter_rows()
        if published is not None and _last_month(str(published)) <= month
    }
    return frame.filter(pl.col("source_id").map_elements(lambda s: set(s.split(";")) <= known, pl.Boolean))


def _last_month(date: str) -> int:
    """Last month that a date such as 2024, 2024-07 or 2024-07-11 may mean."""
    parts = [int(p) for p in date.split("-")[:2]]
    return parts[0] * 12 + (parts[1] - 1 if len(parts) > 1 else 11)


def _one(
    series: Series,
    i: int,
    rows: pl.DataFrame,
    times: np.ndarray,
    wander: float,
    notes: dict[str, list[str]],
    place: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Months of one place: persons and the log spread up and down."""
    here = ~np.isnan(series.values[:, i])
    known, values = series.years[here] + _MID, series.values[here, i]
    if times[0] < known[0] - _MID:
        notes.setdefault(f"persons before {series.first[i]} held at the first figure", []).append(place)
    if rows.is_empty():
        return _own(known, values, times, wander, notes, place)
    note = rows["note"].fill_null("").str.contains("31 December").to_numpy()
    at = rows["year"].to_numpy() + np.where(note, _END, _MID)
    middle = rows["value"].to_numpy()
    score = np.array([NormalDist().inv_cdf(0.5 + level / 200) for level in rows["level"]])
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.log(rows["high"].cast(pl.Float64).to_numpy() / middle) / score
        below = np.log(middle / rows["low"].cast(pl.Float64).to_numpy()) / score
    above, below = (np.where(np.isfinite(a) & (a > 0), a, 0.0) for a in (above, below))
    alone = np.concatenate([known[-1:], at])
    text = f"persons after {series.last[i]} follow the published projection"
    notes.setdefault(text + (" (31 December)" if note.any() else ""), []).append(place)
    if times[-1] > float(at[-1]):
        notes.setdefault(f"persons after {int(rows['year'][-1])}, the end of the projection, held", []).append(place)
    return (
        between(times, np.concatenate([known, at]), np.concatenate([values, middle])),
        np.interp(times, alone, np.concatenate([[0.0], above])),
        np.interp(times, alone, np.concatenate([[0.0], below])),
    )


def _own(
    known: np.ndarray, values: np.ndarray, times: np.ndarray, wander: float, notes: dict[str, list[str]], place: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Without a published projection: the mean growth of the last years goes on, and growth wanders."""
    persons = between(times, known, values)
    ahead = np.maximum(times - known[-1], 0.0)
    if not ahead.any():
        return persons, ahead, ahead
    back = min(int(setting("population_trend_years")), len(values) - 1)
    growing = back > 0 and values[-1] > 0 and values[-1 - back] > 0
    growth = np.log(values[-1] / values[-1 - back]) / back if growing else 0.0
    notes.setdefault(f"persons after {int(known[-1])} continue the growth of the last {back} years", []).append(place)
    spread = wander * np.sqrt(ahead**3 / 3)  # an integrated random walk: growth itself wanders
    return persons * np.exp(growth * ahead), spread, spread


def _wander(series: Series) -> np.ndarray:
    """How far yearly growth moves from one year to the next, (P,): geometric mean of a place's own and of all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(series.values > 0, series.values, np.nan))
    change = np.diff(np.diff(logs, axis=0), axis=0) ** 2
    count = np.isfinite(change).sum(axis=0)
    if not count.any():
        return np.zeros(logs.shape[1])
    own = np.where(count > 0, np.nansum(change, axis=0) / np.maximum(count, 1), np.nan)
    pooled = float(np.nanmean(own))
    return np.sqrt(np.sqrt(np.where(np.isfinite(own), own, pooled) * pooled))


def _shares(
    region: Region, places: list[str], times: np.ndarray, year: int | None
) -> tuple[np.ndarray, tuple[str, ...], int]:
    """Share of people aged 15 to 64 by month."""
    series = yearly(region, "population", "working_age_share", places, year, setting("share_gap_years"), logs=False)
    if not series.present.any():
        raise ZholError(
            "no working_age_share for any place",
            file=region.path / "population.csv",
            column="variable",
            expected="rows of working_age_share",
            hint="one place with one year is enough to run",
        )
    share = np.full((len(times), len(places)), np.nan)
    for i in np.flatnonzero(series.present).tolist():
        here = ~np.isnan(series.values[:, i])
        share[:, i] = between(times, series.years[here] + _MID, series.values[here, i], logs=False)
    notes: dict[str, list[str]] = {}
    for i, place in enumerate(places):
        if not series.present[i]:
            notes.setdefault("no working_age_share: median of the other places", []).append(place)
        elif times[-1] > series.last[i] + 1:
            notes.setdefault(f"working_age_share after {series.last[i]} held", []).append(place)
    share[:, ~series.present] = np.median(share[:, series.present], axis=1)[:, None]
    merged = f"working_age_share between its years interpolated for {len(series.notes)} places"
    return share, ((merged,) if series.notes else ()) + grouped(notes), int(series.last.max())

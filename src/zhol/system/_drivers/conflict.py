"""Deaths in conflict per 100,000 people by month: history, then a fading present and a place's own past.

The long run is the mean of log(1 + rate), the form in which departures respond: one war does not set decades.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zhol.system._drivers.series import Series, grouped, heads, yearly
from zhol.system._drivers.settings import setting

if TYPE_CHECKING:
    from zhol.region.load import Region


@dataclass(frozen=True)
class Conflict:
    """Central rates by month (T, P), and what draws need, all of it log(1 + rate).

    Attributes
    ----------
    keep : array (T, P), share of the present level that is left; 1 where observed
    recent : array (P,), of the mean of the last years
    histories : one array a place, its years to draw from
    last : array (P,), year of the last figure
    """

    monthly: np.ndarray
    keep: np.ndarray
    recent: np.ndarray
    histories: tuple[np.ndarray, ...]
    last: np.ndarray
    notes: tuple[str, ...]
    observed: int


def conflict(region: Region, places: list[str], months: np.ndarray, year: int | None, persons: Series) -> Conflict:
    """Central rates by month, (T, P); months are counted from the year 0."""
    series = yearly(
        region,
        "conflict",
        "best",
        places,
        year,
        setting("gap_years"),
        column="best",
        logs=False,
    )
    notes: dict[str, list[str]] = {}
    now = months // 12
    monthly, keep = np.zeros((len(months), len(places))), np.ones((len(months), len(places)))
    recent, histories = np.zeros(len(places)), []
    rates = [_rates(series, i, persons) for i in range(len(places))]
    fade = _fade(rates)
    for i, place in enumerate(places):
        if not series.present[i]:
            notes.setdefault("no rows of conflict: none assumed", []).append(place)
            histories.append(np.zeros(1))
            continue
        history, last = np.log1p(rates[i]), int(series.last[i])
        recent[i] = np.log1p(rates[i][-int(setting("conflict_mean_years")) :].mean())
        seen = history[np.clip(now - series.first[i], 0, len(history) - 1)]
        keep[:, i] = fade ** np.maximum(now - last, 0)
        ahead = keep[:, i] * recent[i] + (1 - keep[:, i]) * history.mean()
        monthly[:, i] = np.expm1(np.where(now > last, ahead, seen))
        histories.append(history)
        if now[0] < series.first[i]:
            notes.setdefault(f"conflict before {series.first[i]} held at the first figure", []).append(place)
        if now[-1] > last:
            notes.setdefault(
                f"conflict after {last} goes from its last {setting('conflict_mean_years'):g}-year mean to the mean of "
                f"the place's history, on the scale of log(1 + rate), {1 - fade:.0%} of the way a year",
                [],
            ).append(place)
    return Conflict(
        monthly, keep, recent, tuple(histories), series.last, (*series.notes, *grouped(notes)), int(series.last.max())
    )


def _rates(series: Series, i: int, persons: Series) -> np.ndarray:
    """Deaths per 100,000 people by year of one place."""
    if not series.present[i]:
        return np.zeros(0)
    years = np.arange(series.first[i], series.last[i] + 1)
    people = heads(persons, years)[:, i]
    deaths = series.values[years - series.years[0], i]
    return np.where(people > 0, 1e5 * deaths / np.where(people > 0, people, 1.0), 0.0)


def _fade(rates: list[np.ndarray]) -> float:
    """Share of an outbreak that is left a year later: lag-one correlation of log(1 + rate), all places together."""
    logs = [np.log1p(r) - np.log1p(r).mean() for r in rates if len(r) >= 10 and r.max() > 0]
    square = sum(float((x[:-1] ** 2).sum()) for x in logs)
    if square <= 0:
        return setting("conflict_fade")
    return min(max(sum(float((x[1:] * x[:-1]).sum()) for x in logs) / square, 0.0), 0.99)

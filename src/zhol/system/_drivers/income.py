"""Income by month: history in logs, then growth that converges to the pack's mean; how far it wanders."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from zhol.core.errors import ZholError
from zhol.system._drivers.series import Series, grouped, yearly
from zhol.system._drivers.settings import setting

if TYPE_CHECKING:
    from zhol.region.load import Region

INCOMES = ("trend", "flat", "high", "low")


@dataclass(frozen=True)
class Income:
    """Central incomes by month (T, P), and what draws need: yearly walks from the last figure of each place.

    Attributes
    ----------
    ppp, usd : arrays (T, P)
    common, own : standard deviations of a year's growth, shared by all places and of each place (P,)
    last : array (P,), year of the last figure of each place
    """

    ppp: np.ndarray
    usd: np.ndarray
    common: float
    own: np.ndarray
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
    ppp = _complete(region, ppp, places, persons, notes)
    ending = int(np.ceil(times[-1])) + 1
    growth, common, own = _growth(ppp, notes)
    paths = _extended(ppp, growth, ending, kind, np.sqrt(common**2 + own**2))
    monthly = _monthly(paths, ppp, times, places, "gdp_pc_ppp", notes)
    usd = yearly(region, "economy", "gdp_usd", places, year, setting("gap_years"))
    _positive(region, usd, places, "gdp_usd")
    ratio, usd_notes = _ratio(usd, ppp, persons, times, places)
    said = (*ppp.notes, *usd.notes, *grouped(notes), *usd_notes, *_said(kind, common, own))
    observed = {"income_ppp": int(ppp.last.max()), "income_usd": int(usd.last.max())}
    return Income(monthly, monthly * ratio, common, own, ppp.last, said, observed)


def _complete(region: Region, ppp: Series, places: list[str], persons: Series, notes: dict[str, list[str]]) -> Series:
    """A place where nobody lives may lack an income; any other may not."""
    _positive(region, ppp, places, "gdp_pc_ppp")
    values, first, last = ppp.values.copy(), ppp.first.copy(), ppp.last.copy()
    for i, place in enumerate(places):
        if ppp.present[i]:
            continue
        if np.nanmax(persons.values[:, i]) > 0 or not ppp.present.any():
            raise ZholError(
                f"place {place} has no income (gdp_pc_ppp)",
                file=region.path / "economy.csv",
                column="place",
                expected="rows of gdp_pc_ppp for every place with people",
            )
        values[:, i] = np.nanmedian(ppp.values, axis=1)
        first[i], last[i] = ppp.first[ppp.present].min(), ppp.last.max()
        notes.setdefault("no people and no income: median income of the other places", []).append(place)
    return Series(ppp.years, values, first, last, ppp.notes)


def _positive(region: Region, series: Series, places: list[str], variable: str) -> None:
    bad = np.argwhere(series.values <= 0)
    if len(bad):
        year, place = bad[0]
        raise ZholError(
            f"{variable} of {places[place]} in {series.years[year]} is not positive",
            file=region.path / "economy.csv",
            column="value",
            found=float(series.values[year, place]),
            expected="a number above 0, or an empty cell",
        )


def _growth(ppp: Series, notes: dict[str, list[str]]) -> tuple[np.ndarray, float, np.ndarray]:
    """Growth of each place shrunk to the pack's mean, and the spread of a year's growth, common and own."""
    count = ppp.values.shape[1]
    growth = np.diff(np.log(ppp.values), axis=0)
    recent = _tails(growth, int(setting("trend_years")))
    n = (~np.isnan(recent)).sum(axis=0)
    enough = n >= 2
    if not enough.any():
        notes["too few years of income to know how it grows: held, without draws"] = ["all places"]
        return np.zeros((2, count)), 0.0, np.zeros(count)
    mean = np.nanmean(np.where(enough, recent, np.nan)[:, enough], axis=0)
    error = np.nanvar(recent[:, enough], axis=0, ddof=1) / n[enough]
    centre = float(mean.mean())
    between = max(0.0, float(mean.var(ddof=1)) - float(error.mean())) if len(mean) > 1 else 0.0
    shrunk = np.full(count, centre)
    total = between + error
    shrunk[enough] = centre + np.where(total > 0, between / np.where(total > 0, total, 1.0), 1.0) * (mean - centre)
    common, own = _spread(growth)
    return np.stack([shrunk, np.full(count, centre)]), common, own


def _tails(growth: np.ndarray, years: int) -> np.ndarray:
    """The last `years` known growth rates of each place, (years, P); NaN where there are fewer."""
    tails = np.full((years, growth.shape[1]), np.nan)
    for i in range(growth.shape[1]):
        known = growth[~np.isnan(growth[:, i]), i][-years:]
        if len(known):
            tails[-len(known) :, i] = known
    return tails


def _spread(growth: np.ndarray) -> tuple[float, np.ndarray]:
    """Standard deviation of a year's growth: what all places share, and what is a place's own, half pooled."""
    window = growth[-int(setting("volatility_years")) :]
    count = (~np.isnan(window)).sum(axis=0)
    use = count >= 3
    own = np.zeros(growth.shape[1])
    if not use.any():
        return 0.0, own
    rates = window[:, use] - np.nanmean(window[:, use], axis=0)
    full = ~np.isnan(rates).all(axis=1)
    shared = np.nanmean(rates[full], axis=1) if use.sum() > 1 else np.zeros(int(full.sum()))
    left = rates[full] - shared[:, None]
    each = np.nansum(left**2, axis=0) / np.maximum(count[use] - 1, 1)
    pooled = float(each.mean())
    own[:] = np.sqrt(pooled)
    own[use] = np.sqrt((each + pooled) / 2)
    return float(np.sqrt(np.mean(shared**2) * len(shared) / max(len(shared) - 1, 1))), own


def _extended(ppp: Series, growth: np.ndarray, ending: int, kind: str, spread: np.ndarray) -> list[np.ndarray]:
    """Log income of each place by year from its first figure to `ending`."""
    score = NormalDist().inv_cdf(0.5 + setting("variant_level") / 2)
    side = {"high": score, "low": -score}.get(kind, 0.0)
    paths = []
    for i in range(ppp.values.shape[1]):
        known = np.log(ppp.values[~np.isnan(ppp.values[:, i]), i])
        ahead = np.arange(1, max(ending - int(ppp.last[i]), 0) + 1)
        span = max(setting("converge_by") - int(ppp.last[i]), 1.0)
        keep = np.maximum(1 - ahead / span, 0.0)
        rate = keep * growth[0, i] + (1 - keep) * growth[1, i]
        rate = np.zeros(len(ahead)) if kind == "flat" else rate
        paths.append(np.concatenate([known, known[-1] + np.cumsum(rate) + side * spread[i] * np.sqrt(ahead)]))
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
        heads = np.array([persons.values[y - persons.years[0], i] for y in years])
        years = [y for y, h in zip(years, heads, strict=True) if h > 0]
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


def _said(kind: str, common: float, own: np.ndarray) -> tuple[str, ...]:
    what = {
        "trend": f"growth of the last {setting('trend_years'):g} years shrunk to the pack's mean, reached by "
        f"{setting('converge_by'):g}",
        "flat": "no growth",
        "high": f"upper bound of the {setting('variant_level'):.0%} interval around the trend",
        "low": f"lower bound of the {setting('variant_level'):.0%} interval around the trend",
    }[kind]
    spread = f"a year's growth has sd {common:.1%} in common and {np.median(own):.1%} (median) of a place"
    return (f"income after its last figure: {what}; {spread}, from the pack",)

"""Runs of the moving system that the sections share: one projection of a pack, its variants, and its backtest."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.brief.quantities import SMALLEST_CELL, is_people, sources_of, suppressed
from zhol.core.errors import ZholError
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.fit import Fit
    from zhol.system.model import Model
    from zhol.system.run import Run
    from zhol.trust.backtesting import Backtest

START, END = "2000-01", "2040-12"
DRAWS, FEW = 64, 16  # of the projection; of the prior and of each variant, which are compared draw by draw
SEED = 1
PACK = "this pack"  # where a number comes from many rows of it
LEVEL = 0.8
FITTED = "80% interval over draws of the fitted system, populations, incomes and conflicts"
UNFITTED = "80% interval over draws of priors: nothing is fitted"
VARIANTS = {
    "population low": {"population": "low"},
    "population high": {"population": "high"},
    "income low": {"income": "low"},
    "income high": {"income": "high"},
}
DRIVERS = ("persons", "working_age_share", "gdp_pc_ppp", "gdp_usd", "unemployment")


@dataclass(frozen=True, eq=False)
class Outlook:
    """The system of a pack under present policies.

    Attributes
    ----------
    run : Run
        Present policies, yearly, to the end of the projection.
    prior : Run, optional
        The same with nothing fitted; None where ``run`` is that itself.
    variants : mapping of str to Run
        Other paths of populations and incomes, with the first draws of ``run``.
    fit : Fit, optional
    now : str
        Last year that the pack has stocks of.
    sources : tuple of str
        What the system is built on.
    """

    model: Model
    run: Run
    prior: Run | None
    variants: Mapping[str, Run]
    fit: Fit | None
    now: str
    sources: tuple[str, ...]

    @property
    def interval(self) -> str:
        """What the intervals of its numbers are."""
        return FITTED if self.fit is not None else UNFITTED

    @property
    def end(self) -> str:
        """Last year of the projection."""
        return self.run.time[-1]

    def at(self, year: str) -> int:
        """Place of a year on the axis of time."""
        return self.run.time.index(year)

    def side(self, name: str, place: str, side: str, by: tuple[str, ...] = ()) -> tuple[np.ndarray, list[Any]]:
        """Draws of an outcome of the corridors into (destination) or out of (origin) a place, and labels of ``by``."""
        array, labels = self.run.draws(name, by, {side: place})
        return array, labels[by[0]] if by else []

    def quantity(self, values: np.ndarray, unit: str = "persons") -> Quantity:
        """Median and interval of draws; counts of people are protected like any other."""
        return of_draws(values, unit, self.sources, self.interval)


def of_draws(values: np.ndarray, unit: str, sources: tuple[str, ...], interval: str) -> Quantity:
    """Median and 80% interval of draws, small counts of people withheld.

    Examples
    --------
    >>> of_draws(10 * np.arange(101.0), "persons", ("S",), "made for a test").text()
    '500 (100 to 900)'
    >>> of_draws(np.arange(5.0), "persons", ("S",), "made for a test").interval
    'suppressed small count'
    """
    low, middle, high = (float(v) for v in np.quantile(values, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2]))
    if is_people(unit):
        if high < SMALLEST_CELL:
            return suppressed(unit, sources)
        shown = middle if middle >= SMALLEST_CELL else None
        return Quantity(shown, low if low >= SMALLEST_CELL else 0.0, high, unit, sources, interval)
    return Quantity(middle, low, high, unit, sources, interval)


@lru_cache(maxsize=2)
def outlook(region: Region) -> Outlook | None:
    """The system under present policies; None where the pack cannot feed it."""
    from zhol.system.model import Model
    from zhol.system.posterior import shipped

    try:
        model = Model(region)
        if not model.corridors:
            return None
        fit = shipped(model)
        run = _simulate(model, DRAWS, None)
        with ThreadPoolExecutor(2) as pool:  # few draws keep one core busy only
            apart = None if fit is None else pool.submit(_simulate, model, FEW, "prior")
            others = pool.map(lambda chosen: _simulate(model, FEW, None, chosen), VARIANTS.values())
            variants = dict(zip(VARIANTS, others, strict=True))
            prior = None if apart is None else apart.result()
    except ZholError:
        return None
    years = region.table("stocks")["year"].to_list() if "stocks" in region.tables else []
    now = str(max(years, default=0))
    return Outlook(model, run, prior, variants, fit, now if now in run.time else run.time[0], _sources(region))


def _simulate(model: Model, draws: int, parameters: Any, drivers: Mapping[str, Any] | None = None) -> Run:
    return model.simulate(start=START, end=END, draws=draws, seed=SEED, parameters=parameters, drivers=drivers)


def _sources(region: Region) -> tuple[str, ...]:
    """Sources of what drives every run: stocks, populations, incomes."""
    cells = region.table("stocks")["source_id"].unique().sort().to_list() if "stocks" in region.tables else []
    for name in ("population", "economy"):
        if name in region.tables:
            rows = region.table(name).filter(pl.col("variable").is_in(DRIVERS))
            cells += rows["source_id"].unique().sort().to_list()
    return sources_of(cells)


@lru_cache(maxsize=2)
def backtest_of(region: Region) -> Backtest | None:
    """The backtest that ships with a pack; the first by name where there are several, None where there is none."""
    from zhol.trust.backtesting import load_backtest

    files = sorted((region.path / "fitted").glob("backtest_*.json"))
    return load_backtest(files[0]) if files else None

"""Runs of the moving system that the sections share: one projection of a pack, its variants, and its backtest."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.brief.quantities import SMALLEST_CELL, is_people, sources_of, suppressed
from zhol.brief.stored import fingerprint, stored
from zhol.brief.telling import say
from zhol.core.errors import ZholError
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.fit import Fit
    from zhol.system.model import Model
    from zhol.system.run import Run
    from zhol.trust.backtesting import Backtest

START, END = "2000-01", "2040-12"
RECENT = "2020"  # first year of the prior that is kept
DRAWS, FEW = 50, 12  # of the projection; of the prior and of each variant, which are compared draw by draw
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
        The same with nothing fitted, its last years; None where ``run`` is that itself.
    variants : mapping of str to Run
        Other paths of populations and incomes, with the first draws of ``run``; their last year.
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
        key = fingerprint(region, region.recalled, START, END, DRAWS, FEW, SEED, fit is None)
        arrays, head = stored("outlook", key, lambda: _packed(_runs(model, fit)))
        runs = _unpacked(arrays, head)
    except ZholError:
        return None
    years = region.table("stocks")["year"].to_list() if "stocks" in region.tables else []
    now = str(max(years, default=0))
    run, variants = runs["run"], {name: runs[name] for name in VARIANTS}
    now = now if now in run.time else run.time[0]
    return Outlook(model, run, runs.get("prior"), variants, fit, now, _sources(region))


def _runs(model: Model, fit: Fit | None) -> dict[str, Run]:
    """The projection; its variants, of which the end is kept; and the prior, if anything is fitted."""
    say("the system under present policies")
    found = {"run": _simulate(model, DRAWS, None)}
    say("the system on other paths of populations and incomes")
    with ThreadPoolExecutor(2) as pool:  # few draws keep one core busy only
        apart = None if fit is None else pool.submit(_simulate, model, FEW, "prior")
        others = pool.map(lambda chosen: _simulate(model, FEW, None, chosen), VARIANTS.values())
        found |= {name: since(run, END[:4]) for name, run in zip(VARIANTS, others, strict=True)}
        if apart is not None:
            found["prior"] = since(apart.result(), RECENT)
    return found


def _simulate(model: Model, draws: int, parameters: Any, drivers: Mapping[str, Any] | None = None) -> Run:
    return model.simulate(start=START, end=END, draws=draws, seed=SEED, parameters=parameters, drivers=drivers)


def since(run: Run, year: str) -> Run:
    """The part of a run from a year on."""
    first = next((i for i, t in enumerate(run.time) if t >= year), len(run.time) - 1)
    return replace(run, arrays={n: a[:, first:] for n, a in run.arrays.items()}, time=run.time[first:])


def _packed(runs: Mapping[str, Run]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Runs as arrays by name, and their labels."""
    arrays = {f"{key}/{name}": array for key, run in runs.items() for name, array in run.arrays.items()}
    one = runs["run"]
    labels = {"places": one.places, "corridors": one.corridors, "roads": one.roads}
    each = {key: {"time": run.time, "meta": {k: str(v) for k, v in run.meta.items()}} for key, run in runs.items()}
    return arrays, {**labels, "runs": each}


def _unpacked(arrays: Mapping[str, np.ndarray], head: Mapping[str, Any]) -> dict[str, Run]:
    from zhol.system.run import Run

    places, corridors = tuple(head["places"]), tuple((o, d) for o, d in head["corridors"])
    roads = tuple(tuple(r) for r in head["roads"])
    out = {}
    for key, one in head["runs"].items():
        own = {n.removeprefix(f"{key}/"): a for n, a in arrays.items() if n.startswith(f"{key}/")}
        out[key] = Run(own, tuple(one["time"]), places, corridors, roads, one["meta"])
    return out


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

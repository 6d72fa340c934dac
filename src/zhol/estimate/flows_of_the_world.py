"""Flows between all countries from the publishers' files, period by period, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from zhol.estimate._flows.result import Flows
from zhol.estimate._flows.world import read_world
from zhol.estimate.flows_from_stocks import flows
from zhol.estimate.rival_stocks import StockError, stock_error

__all__ = ["WorldFlows", "world_flows"]

REVISIONS = ("2020", "2024")


@dataclass(frozen=True)
class WorldFlows:
    """Flows of several periods and sexes.

    Parameters
    ----------
    results : dict
        (first year, sex) to ``Flows``.
    error : StockError or None
        Law of the errors that the draws used.
    """

    results: dict[tuple[int, str], Flows]
    error: StockError | None = None

    @property
    def table(self) -> pl.DataFrame:
        """year (first of five), sex, origin, destination, persons, low, high."""
        keys = ("year", "sex")
        parts = [f.table.with_columns(year=pl.lit(y), sex=pl.lit(s)) for (y, s), f in self.results.items()]
        return pl.concat(parts).select(*keys, pl.exclude(keys))

    def summary(self) -> str:
        """A line a period and sex."""
        lines = []
        for (year, sex), found in self.results.items():
            first = found.summary().splitlines()[0]
            lines.append(f"{year} to {year + 5}, {sex}: {first.split(': ', 1)[1]}")
        return "\n".join(lines)


def world_flows(
    folder: str | Path,
    years: Sequence[int] = (1990, 1995, 2000, 2005, 2010, 2015),
    *,
    sexes: Sequence[str] = ("total",),
    revision: str = "2020",
    residents: str = "2024",
    missing: str = "zero",
    draws: int = 0,
    seed: int = 1,
    keep_draws: bool = False,
    cluster: str | None = None,
    **choices: Any,
) -> WorldFlows:
    """Flows between all countries with a migrant stock, from UN DESA's stocks and UN WPP's residents and vital events.

    Parameters
    ----------
    folder : str or Path
        With ``undesa_ims/`` and ``un_wpp2024/`` as their publishers' files are laid out in the project's data folder.
    years : sequence of int
        First years of the periods of five years.
    sexes : sequence of str
        ``total``, ``men``, ``women``; the split of residents and vital events by sex is an assumption.
    revision : str
        Revision of the stocks. Two revisions are never differenced; their gap gives the error of the stocks.
    residents : str
        ``2024`` or ``2019``: edition of WPP that the residents come from.
    missing : str
        ``zero``: a pair without a figure is nobody, and people of unknown birthplace count as natives, as in the
        published estimates; ``expected``: pairs without a figure share the people of unknown birthplace, and the draws
        carry how little is known of them; ``carried``: the draws alone do.
    draws : int
        Draws of the stocks; the errors last over periods, so that the end of one is the start of the next.
    seed : int
        Seed of the draws.
    keep_draws : bool
        Keep every draw (21 MB for each hundred of a period) beside the intervals.
    cluster : str, optional
        Address of a Dask scheduler.
    **choices
        As in ``zhol.estimate.flows``: method, closed, stayers, weight, ...

    Returns
    -------
    WorldFlows

    Raises
    ------
    ZholError
        If a file or a year is missing.
    """
    error = _error(Path(folder)) if draws else None
    found = {}
    first = min(years)
    options: dict[str, Any] = {
        **choices,
        "draws": draws,
        "seed": seed,
        "stock_error": error,
        "cluster": cluster,
        "missing": missing,
    }
    periods = read_world(folder, list(years), revision=revision, sexes=tuple(sexes), residents=residents)
    for p in periods:
        lag = (p.first - first) // 5
        given = {k: v for k, v in p.arguments().items() if k != "unstated" or missing != "zero"}
        result = flows(p.start, p.end, **{**given, **options, "lags": (lag, lag + 1)})
        found[(p.first, p.sex)] = result if keep_draws else _lighter(result)
    return WorldFlows(found, error)


def _lighter(result: Flows) -> Flows:
    """Without its draws; the interval of the total is kept among the details."""
    if result.draws is None:
        return result
    return replace(result, draws=None, details={**result.details, "total_interval": result.total_interval()})


def _error(folder: Path) -> StockError:
    tables = []
    for revision in REVISIONS:
        path = folder / "undesa_ims" / f"ims_bilateral_rev{revision}.csv"
        rows = pl.read_csv(path, infer_schema_length=None).filter(pl.col("orig") != "OOO")
        tables.append(rows.select("year", origin="orig", destination="dest", persons="total"))
    return stock_error(tables[0], tables[1])

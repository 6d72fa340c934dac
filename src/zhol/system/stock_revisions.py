"""How far rival revisions of a migrant stock differ, as the calibration needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate.rival_stocks import CLASSES, stock_error

if TYPE_CHECKING:
    from zhol.region.load import Region

# A cell of a place whose revisions hardly differ is not thereby right: errors that both share cannot be seen.
LEAST = 0.05


@dataclass(frozen=True)
class Revisions:
    """Error of one revision by size and destination.

    Parameters
    ----------
    scales : tuple of float
        Scale of the log error by class of size; empty where the pack has one revision.
    widths : dict of str to float
        Multiple of it by destination.
    df, persistence : float
        Degrees of freedom, and correlation of a cell's error over five years.
    rival : frozenset of str
        Destinations where the revisions differ.
    notes : tuple of str
        What a reader must know.
    """

    scales: tuple[float, ...] = ()
    widths: dict[str, float] | None = None
    df: float = 4.0
    persistence: float = 0.9
    rival: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def scale(self, destination: str, persons: float) -> float | None:
        """Scale of the log error of a stock, or nothing where it could not be measured.

        Examples
        --------
        >>> Revisions((0.8, 0.4, 0.2, 0.1), {"KAZ": 2.0}).scale("KAZ", 5000)
        0.8
        """
        if not self.scales:
            return None
        group = sum(persons >= edge for edge in CLASSES[1:])
        return max(LEAST, self.scales[group] * (self.widths or {}).get(destination, 1.0))


def revisions_of(region: Region) -> Revisions:
    """Fit the gap between the revisions of a pack; a pack with one revision has none to show."""
    stocks = region.table("stocks")
    if stocks.is_empty():
        return Revisions()
    cells = stocks.group_by("year", "origin", "destination").agg(pl.col("persons").n_unique().alias("numbers"))
    rival = cells.filter(pl.col("numbers") > 1)["destination"].unique().sort().to_list()
    try:
        error = stock_error(region)
    except ZholError as reason:
        why = f"error of migrant stocks is taken, not measured: {reason.message}"
        return Revisions(rival=frozenset(rival), notes=(why,))
    law = error.by_destination
    return Revisions(
        tuple(error.by_size["scale"].to_list()),
        dict(zip(law["destination"], law["width"], strict=True)),
        error.df,
        error.persistence,
        frozenset(rival),
        error.warnings,
    )

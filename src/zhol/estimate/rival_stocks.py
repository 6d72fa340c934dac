"""How far a migrant stock may be off, learnt from the gap between two rival publications of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.frames import to_polars
from zhol.core.result import json_ready
from zhol.estimate._flows.missing import absent_pairs
from zhol.estimate._flows.stock_draws import ErrorLaw

if TYPE_CHECKING:
    from zhol.region.load import Region

CLASSES = (0.0, 1e3, 1e4, 1e5)
_FREEDOM = (2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 50.0)
_DOUBT = 20.0  # cells of a destination at which its own width counts as much as that of all
_FEW = 8
_LEAST_CHANGE, _MOST_LASTING = 0.02, 0.999
Array = np.ndarray


@dataclass(frozen=True)
class StockError:
    """Error of the logarithm of a stock: Student's t with a scale by size of the stock and by destination.

    Parameters
    ----------
    by_size : polars.DataFrame
        at_least (persons), cells, equal (cells that are the same number in both: no news of the error), gap (scale of
        the gap of logs), scale (of one publication: gap over the root of two), median_gap (second less first).
    by_destination : polars.DataFrame
        destination, cells, width (multiple of the scale), persistence (correlation of an error with that five years
        before); both drawn towards those of all destinations where cells are few.
    df : float
        Degrees of freedom; infinite for a normal law.
    shared : float
        Part of the variance that all origins of a destination and year share.
    persistence : float
        The same correlation over all destinations. Near one, errors of the two stocks that a flow is made from nearly
        cancel: a census that counts half as many people shifts every year of its country alike.
    absent : tuple of float
        Sorted logarithms of persons over what birthplace and residence effects expect, for pairs that one publication
        lacks and the other has: what pairs without a figure turn out to hold.
    warnings : tuple of str
        What a reader must know.
    """

    by_size: pl.DataFrame
    by_destination: pl.DataFrame
    df: float
    shared: float
    persistence: float
    warnings: tuple[str, ...] = ()
    absent: tuple[float, ...] = ()

    def law(self, places: tuple[str, ...] | None = None) -> ErrorLaw:
        """The same as arrays; with the persistence of each place as a destination where places are named."""
        edges = self.by_size["at_least"].to_numpy()[1:]
        lasting = self.persistence if places is None else self._of(places, "persistence", self.persistence)
        return ErrorLaw(edges, self.by_size["scale"].to_numpy(), self.df, self.shared, lasting)

    def widths(self, places: tuple[str, ...]) -> Array:
        """Multiple of the scale of each place as a destination; one where nothing is known."""
        return self._of(places, "width", 1.0)

    def _of(self, places: tuple[str, ...], column: str, otherwise: float) -> Array:
        known = dict(zip(self.by_destination["destination"], self.by_destination[column], strict=True))
        return np.array([known.get(place, otherwise) for place in places])

    def summary(self) -> str:
        """The error in a few lines."""
        lines = [f"Error of a migrant stock: Student's t with {self.df:g} degrees of freedom on the log scale"]
        for low, scale, cells in self.by_size.select("at_least", "scale", "cells").iter_rows():
            lines.append(f"from {low:,.0f} persons: scale {scale:.2f} ({cells} cells)")
        lines.append(f"shared by a destination: {self.shared:.0%}; correlation over five years: {self.persistence:.2f}")
        if self.absent:
            typical = float(np.exp(np.median(self.absent)))
            lines.append(f"pairs that one publication lacks hold {typical:.0%} of what their model expects (median)")
        return "\n".join(lines + [f"Warning: {w}" for w in self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        tables = {"by_size": json_ready(self.by_size), "by_destination": json_ready(self.by_destination)}
        numbers = {"df": json_ready(self.df), "shared": self.shared, "persistence": self.persistence}
        numbers["absent"] = list(self.absent)
        return {**tables, **numbers, "warnings": list(self.warnings)}


def stock_error(first: Any, second: Any = None) -> StockError:
    """Fit the error of a migrant stock to the gap between two publications of it.

    The two are taken as equally good and their errors as independent, so that each has the scale of the gap over the
    root of two. Cells that are the same number in both were copied, not measured twice: they are one observation, say
    nothing about the error and are left out. If the publications share errors, the true error is larger than this.

    Parameters
    ----------
    first : Region, or table
        A region pack with rival revisions in ``stocks``, or the first of two tables: year (optional), origin (or
        birthplace), destination (or residence), persons.
    second : table, optional
        The rival of ``first``.

    Returns
    -------
    StockError

    Raises
    ------
    ZholError
        If there are no two publications, or fewer than ten cells differ.

    Examples
    --------
    >>> rows = [(y, o, d) for y in (2015, 2020) for o in "ABCDE" for d in "FGHIJ"]
    >>> one = pl.DataFrame(rows, schema=["year", "origin", "destination"], orient="row")
    >>> one = one.with_columns(persons=pl.lit(1000.0) + pl.int_range(50) * 100)
    >>> two = one.with_columns(pl.col("persons") * pl.Series([1.5, 0.8] * 25))
    >>> stock_error(one, two).by_size["cells"].sum()
    50
    """
    tables = _two_tables(first, second)
    pairs = _pairs(*tables)
    differ = pairs.filter(pl.col("first") != pl.col("second"), pl.col("first") > 0, pl.col("second") > 0)
    if differ.height < 10:
        raise ZholError("too few cells differ between the two publications", found=differ.height, expected="10 or more")
    gap = (differ["second"].log() - differ["first"].log()).to_numpy()
    middle = (differ["first"] * differ["second"]).sqrt().to_numpy()
    group = np.searchsorted(np.array(CLASSES[1:]), middle, side="right")
    each = np.ones(len(gap))
    for _ in range(4):  # scales by size and widths by destination, in turn
        df, scales = _student(gap / each, group)
        width = _widths(differ["destination"], np.abs(gap / scales[group]))
        each = differ.select("destination").join(width, on="destination", how="left")["width"].to_numpy()
    standard = gap / (scales[group] * each)
    marked = differ.select("year", "origin", "destination").with_columns(z=pl.Series(standard))
    lasting, width = _persistence(marked, width)
    shared = _shared(marked.with_columns(pl.col("z").clip(-4, 4)))
    by_size = _size_table(pairs, gap, group, scales)
    return StockError(by_size, width, df, shared, lasting, _notes(pairs, differ), absent_pairs(*tables))


def _two_tables(first: Any, second: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    if second is not None:
        return _tidy(to_polars(first, name="first")), _tidy(to_polars(second, name="second"))
    if not hasattr(first, "table"):
        raise ZholError("stock_error needs a region pack or two tables", found=type(first).__name__)
    stocks = _both_revisions(first)
    revisions = stocks["revision"].unique().sort().to_list()
    if len(revisions) < 2:
        raise ZholError("the pack has one revision of the stocks only", found=", ".join(map(str, revisions)))
    return tuple(_tidy(stocks.filter(pl.col("revision") == r)) for r in revisions[-2:])  # type: ignore[return-value]


def _both_revisions(region: Region) -> pl.DataFrame:
    return region.table("stocks")


def _tidy(frame: pl.DataFrame) -> pl.DataFrame:
    renamed = frame.rename(
        {k: v for k, v in (("birthplace", "origin"), ("residence", "destination")) if k in frame.columns}
    )
    for column in ("origin", "destination", "persons"):
        if column not in renamed.columns:
            raise ZholError(f"a table of stocks has no column {column!r}", found=", ".join(frame.columns))
    if "year" not in renamed.columns:
        renamed = renamed.with_columns(year=pl.lit(0))
    keys = [pl.col("origin").cast(pl.String), pl.col("destination").cast(pl.String)]
    return renamed.select(pl.col("year").cast(pl.Int64), *keys, pl.col("persons").cast(pl.Float64))


def _pairs(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    keys = ["year", "origin", "destination"]
    joined = first.rename({"persons": "first"}).join(second.rename({"persons": "second"}), on=keys)
    return joined.filter(pl.col("origin") != pl.col("destination")).drop_nulls()


def _student(gap: Array, group: Array) -> tuple[float, Array]:
    """Degrees of freedom common to all classes and a scale for each, by maximum likelihood (EM for the scales)."""
    best = (-np.inf, 2.0, np.ones(len(CLASSES)))
    for df in _FREEDOM:
        scales = _scales(gap, group, df)
        z = gap / scales[group]
        likelihood = _log_density(z, df) - np.log(scales[group]).sum()
        if likelihood > best[0]:
            best = (likelihood, df, scales)
    return best[1], best[2]


def _log_density(z: Array, df: float) -> float:
    from scipy.special import gammaln

    constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return float(len(z) * constant - (df + 1) / 2 * np.log1p(z * z / df).sum())


def _scales(gap: Array, group: Array, df: float) -> Array:
    whole = _one_scale(gap, df)
    return np.array(
        [_one_scale(gap[group == k], df) if (group == k).sum() >= _FEW else whole for k in range(len(CLASSES))]
    )


def _one_scale(gap: Array, df: float) -> float:
    scale2 = float(np.mean(gap * gap)) + 1e-12
    for _ in range(200):
        weights = (df + 1) / (df + gap * gap / scale2)
        new = float(np.mean(weights * gap * gap)) + 1e-12
        if abs(new / scale2 - 1) < 1e-10:
            break
        scale2 = new
    return float(np.sqrt(scale2))


def _widths(destinations: pl.Series, size: Array) -> pl.DataFrame:
    """Width of each destination: typical size of its standard gaps against that of all, drawn towards one."""
    typical = float(np.median(size))
    frame = pl.DataFrame({"destination": destinations, "size": size})
    table = frame.group_by("destination").agg(cells=pl.len(), own=pl.col("size").median()).sort("destination")
    ratio = np.log(np.maximum(table["own"].to_numpy(), 0.05 * typical) / typical)
    cells = table["cells"].to_numpy()
    width = np.exp(ratio * cells / (cells + _DOUBT))
    return table.select("destination", "cells", pl.Series("width", width))


def _shared(marked: pl.DataFrame) -> float:
    """Intraclass correlation of standard gaps within a destination and year (one-way analysis of variance)."""
    cells = marked.group_by("destination", "year").agg(
        n=pl.len(), mean=pl.col("z").mean(), within=((pl.col("z") - pl.col("z").mean()) ** 2).sum()
    )
    n = cells["n"].to_numpy().astype(float)
    total, groups = n.sum(), len(n)
    if groups < 2 or total <= groups:
        return 0.0
    inside = float(cells["within"].sum()) / (total - groups)
    mean = float((cells["mean"].to_numpy() * n).sum() / total)
    between = float((n * (cells["mean"].to_numpy() - mean) ** 2).sum()) / (groups - 1)
    typical = (total - (n**2).sum() / total) / (groups - 1)
    variance = max((between - inside) / typical, 0.0)
    return float(np.clip(variance / (variance + inside), 0.0, 0.95)) if variance + inside > 0 else 0.0


def _persistence(marked: pl.DataFrame, width: pl.DataFrame) -> tuple[float, pl.DataFrame]:
    """How long errors last, over all and by destination; taken as 0.9 where no cell has two dates.

    From the typical change of a gap over five years against its typical size, because moments follow a few huge gaps.
    """
    before = marked.with_columns(year=pl.col("year") + 5).rename({"z": "before"})
    both = marked.join(before, on=["year", "origin", "destination"])
    if both.height < _FEW:
        return 0.9, width.with_columns(persistence=pl.lit(0.9))
    size = (pl.col("z").abs().median() + pl.col("before").abs().median()) / 2
    typical = (pl.col("z") - pl.col("before")).abs().median() / size.clip(lower_bound=1e-12)
    whole = max(float(both.select(typical).item()), _LEAST_CHANGE)
    own = both.group_by("destination").agg(n=pl.len(), ratio=typical.clip(lower_bound=_LEAST_CHANGE))
    pull = pl.col("n") / (pl.col("n") + _DOUBT)
    drawn = pl.lit(whole) * (pl.col("ratio") / whole) ** pull
    table = width.join(own, on="destination", how="left", maintain_order="left")
    lasting = (1 - drawn.fill_null(whole) ** 2 / 2).clip(0.0, _MOST_LASTING)
    most = float(np.clip(1 - whole**2 / 2, 0.0, _MOST_LASTING))
    return most, table.with_columns(persistence=lasting).select("destination", "cells", "width", "persistence")


def _size_table(pairs: pl.DataFrame, gap: Array, group: Array, scales: Array) -> pl.DataFrame:
    same = pairs.filter(pl.col("first") == pl.col("second"))["first"].to_numpy()
    equal = np.bincount(np.searchsorted(np.array(CLASSES[1:]), same, side="right"), minlength=len(CLASSES))
    medians = [float(np.median(gap[group == k])) if (group == k).any() else None for k in range(len(CLASSES))]
    return pl.DataFrame(
        {
            "at_least": list(CLASSES),
            "cells": np.bincount(group, minlength=len(CLASSES)),
            "equal": equal,
            "gap": scales,
            "scale": scales / np.sqrt(2),
            "median_gap": medians,
        }
    )


def _notes(pairs: pl.DataFrame, differ: pl.DataFrame) -> tuple[str, ...]:
    same = (pairs["first"] == pairs["second"]).sum()
    return (
        f"{same:,} of {pairs.height:,} cells are the same number in both publications: they say nothing of the error",
        "errors that both publications share cannot be seen in their gap; the true error is larger",
    ) + (() if differ["year"].n_unique() > 1 else ("one year only: how long errors last is taken, not measured",))

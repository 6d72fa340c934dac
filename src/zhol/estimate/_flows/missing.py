"""Cells that nobody estimated: filled by a multiplicative model, with the error that the model makes on known cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from zhol.estimate._flows.scaling import Array
from zhol.estimate._flows.stock_draws import Gaps

_TYPICAL = (0.1, 1.0)  # log errors of the model: the least that is believed, and that where too few cells are known
_FEW = 8


class Filled(NamedTuple):
    """A stock without gaps, and what draws put into the cells where they were."""

    stock: Array
    gaps: Gaps


def fill_pair(start: Array, end: Array, how: str, unstated: tuple[Array, Array] | None = None) -> tuple[Filled, Filled]:
    """Fill missing cells off the diagonals of two stocks of the same places.

    A cell estimated at one date is the other date's, times the growth that the model gives it. A cell estimated at
    neither is given by the model: birthplace effect times residence effect, by maximum likelihood from known cells.

    Parameters
    ----------
    start, end : array, shape (birthplace, residence)
        NaN where nothing was estimated.
    how : str
        ``expected``: as said; ``carried``: cells estimated at neither date are nobody, and only draws fill them;
        ``zero``: nobody in any gap, without error.
    unstated : tuple of two arrays of shape (residence,), optional
        People of each residence whose birthplace is not stated: gaps hold no more people than these, and those who are
        left over are spread like the known ones.

    Examples
    --------
    >>> stock = np.array([[50, 2, np.nan], [1, 60, 6], [3, 4, 70.0]])
    >>> [float(fill_pair(stock, stock, how)[0].stock[0, 2].round(2)) for how in ("expected", "carried")]
    [9.0, 0.0]
    >>> float(fill_pair(stock, 2 * np.nan_to_num(stock, nan=9.0), "carried")[0].stock[0, 2].round(2))
    9.0
    """
    stocks = (start, end)
    gaps = (np.isnan(start), np.isnan(end))
    extra = (None, None) if unstated is None else unstated
    if how == "zero" or not (gaps[0] | gaps[1]).any():
        first, second = (_as_nobody(s, g, u) for s, g, u in zip(stocks, gaps, extra, strict=True))
        return first, second
    known = [~g & ~np.eye(len(start), dtype=bool) for g in gaps]
    expected = [expectation(np.where(k, s, 0.0), k) for s, k in zip(stocks, known, strict=True)]
    misfit, lasting, growth = _errors(stocks, known, expected)
    common = known[0] & known[1]  # growth from the same pairs at both dates
    effects = [expectation(np.where(common, s, 0.0), common) for s in stocks]
    never, found = gaps[0] & gaps[1], []
    for k in (0, 1):
        once = gaps[k] & ~never
        grown = np.divide(effects[k], effects[1 - k], out=np.ones_like(start), where=effects[1 - k] > 0)
        wanted = np.where(once, np.nan_to_num(stocks[1 - k]) * grown, 0.0)
        if how == "expected":
            wanted = np.where(never, expected[k], wanted)
        law = Gaps(never, expected[k], misfit, lasting, once, growth, extra[k])
        found.append(Filled(_with_gaps(np.where(gaps[k], 0.0, stocks[k]), wanted, extra[k]), law))
    return found[0], found[1]


def _as_nobody(stock: Array, gaps: Array, unstated: Array | None) -> Filled:
    known = np.where(gaps, 0.0, stock)
    none = np.zeros_like(gaps)
    law = Gaps(none, np.zeros_like(known), np.zeros(1), 0.0, none, 0.0)
    return Filled(known if unstated is None else _spread(known, unstated), law)


def _with_gaps(known: Array, wanted: Array, unstated: Array | None) -> Array:
    if unstated is None:
        return known + wanted
    size = wanted.sum(0)
    wanted = wanted * np.minimum(_over(unstated, size), 1.0)[None, :]
    return _spread(known, np.maximum(unstated - size, 0.0)) + wanted


def _spread(stock: Array, people: Array) -> Array:
    """Add people to each residence, spread like its foreign-born."""
    foreign = stock - np.diag(np.diag(stock))
    return stock + foreign * _over(people, foreign.sum(0))[None, :]


def _errors(stocks: tuple[Array, Array], known: list[Array], expected: list[Array]) -> tuple[Array, float, float]:
    """Log misfits of known cells, their correlation between the dates, and the log error of a cell's growth."""
    held = [k & (s > 0) & (e > 0) for k, s, e in zip(known, stocks, expected, strict=True)]
    logs = [
        np.log(np.divide(s, e, out=np.ones_like(e), where=h)) for s, e, h in zip(stocks, expected, held, strict=True)
    ]
    both = held[0] & held[1]
    misfit = np.sort(np.concatenate([log[h] for log, h in zip(logs, held, strict=True)]))
    sure, unsure = _TYPICAL
    if both.sum() < 3:
        return _normal(unsure), 0.9, unsure
    growth = max(1.4826 * float(np.median(np.abs(logs[1][both] - logs[0][both]))), sure)
    spread = [float(log[both].std()) for log in logs]
    lasting = float(np.corrcoef(logs[0][both], logs[1][both])[0, 1]) if min(spread) > 1e-6 else 0.9
    seen = misfit if misfit.std() > sure else _normal(sure)
    return seen, float(np.clip(lasting, 0.0, 0.999)), growth


def _normal(log_sd: float) -> Array:
    from scipy.special import ndtri

    quantiles: Array = log_sd * ndtri(np.linspace(0.005, 0.995, 100))
    return quantiles


def expectation(counts: Array, known: Array) -> Array:
    """Multiplicative expectation of every cell from the known ones; an effect never seen takes the typical one."""
    weight = known.astype(float)
    rows = np.ones(len(counts))
    columns = np.ones(counts.shape[1])
    for _ in range(500):
        before = rows
        columns = _over(counts.sum(0), weight.T @ rows)
        rows = _over(counts.sum(1), weight @ columns)
        if np.allclose(rows, before, rtol=1e-10, atol=0):
            break
    seen_row, seen_column = known.any(1), known.any(0)
    rows = np.where(seen_row, rows, np.median(rows[seen_row]) if seen_row.any() else 0.0)
    columns = np.where(seen_column, columns, np.median(columns[seen_column]) if seen_column.any() else 0.0)
    return np.outer(rows, columns)


def absent_pairs(first: pl.DataFrame, second: pl.DataFrame) -> tuple[float, ...]:
    """Sorted log of persons over expectation for pairs that one publication lacks and the other has.

    Parameters
    ----------
    first, second : polars.DataFrame
        year, origin, destination, persons; the expectation is that of the publication that lacks the pair.
    """
    found: list[float] = []
    for year in sorted(set(first["year"]) & set(second["year"])):
        tables = [t.filter(pl.col("year") == year).drop_nulls() for t in (first, second)]
        places = sorted({*tables[0]["destination"]} & {*tables[1]["destination"]})
        squares = [_square(t, places) for t in tables]
        for own, other in (squares, squares[::-1]):
            known = ~np.isnan(own) & ~np.eye(len(places), dtype=bool)
            expected = expectation(np.where(known, own, 0.0), known)
            new = np.isnan(own) & (np.nan_to_num(other) > 0) & (expected > 0)
            found += np.log(other[new] / expected[new]).tolist()
    return tuple(sorted(found)) if len(found) >= _FEW else ()


def _square(rows: pl.DataFrame, places: list[str]) -> Array:
    index = {place: i for i, place in enumerate(places)}
    table = np.full((len(places), len(places)), np.nan)
    inside = rows.filter(pl.col("origin").is_in(places), pl.col("destination").is_in(places))
    o, d = (inside[c].replace_strict(index, return_dtype=pl.Int64).to_numpy() for c in ("origin", "destination"))
    table[o, d] = inside["persons"].to_numpy()
    np.fill_diagonal(table, 0.0)
    return table


def _over(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)

"""A network is disrupted and comes back: capacity, price and revenue month by month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.roads.capacity import recover
from zhol.roads.layout import Roads
from zhol.roads.market import ACCOUNTS, UNITS, check_draws, clear, spread, uncertain, warn
from zhol.roads.volumes import read_volumes

if TYPE_CHECKING:
    import altair as alt

Vector = np.ndarray
Pair = tuple[str, str]


@dataclass(frozen=True)
class Disruption:
    """What a disruption does to the roads, month by month.

    Parameters
    ----------
    table : polars.DataFrame
        One row a month and road: month (0 is the month before), origin, destination, road, places, hit (whether the
        road uses a leg that was disrupted); capacity (share left), price, persons and revenue (a year, at the rate of
        the month), ratio (price over that of month 0): median, and _low and _high.
    level : float
    warnings : tuple of str
    """

    table: pl.DataFrame
    level: float
    warnings: tuple[str, ...]

    def plot(
        self,
        account: str = "ratio",
        *,
        origin: str | None = None,
        destination: str | None = None,
        road: int | None = None,
    ) -> alt.Chart | alt.LayerChart:
        """An account of one road by month, with its interval; the first road that is hit, unless said otherwise.

        Raises
        ------
        ZholError
            If there is no such account or road.
        """
        from zhol.core import charts

        known = {**UNITS, "capacity": "share of capacity left", "ratio": "price over the price before"}
        if account not in known:
            raise ZholError("no such account of a disruption", found=account, expected=", ".join(known))
        wanted = {"origin": origin, "destination": destination, "road": road}
        rows = self.table.filter(*(pl.col(k) == v for k, v in wanted.items() if v is not None))
        if rows.is_empty():
            raise ZholError("no such road", found=">".join(str(v) for v in wanted.values() if v is not None))
        first = rows.sort("hit", "origin", "destination", "road", descending=[True, False, False, False]).row(
            0, named=True
        )
        one = rows.filter(pl.col("origin") == first["origin"], pl.col("destination") == first["destination"])
        shown = one.filter(pl.col("road") == first["road"]).select(
            year="month",
            value=account,
            low=f"{account}_low",
            high=f"{account}_high",
            level=pl.lit(round(100 * self.level)),
        )
        title = f"{first['places'].replace('>', ' → ')}, by month since the disruption"
        return charts.fan(shown, unit=known[account], title=title)


def disrupt(
    roads: Roads,
    volumes: Any,
    legs: Iterable[Pair],
    *,
    cut: float = 0.5,
    held: int = 12,
    months: int = 36,
    draws: int = 300,
    seed: int = 1,
    level: float = 0.8,
) -> Disruption:
    """Cut the capacity of the roads over some legs for a while, and let it come back.

    Parameters
    ----------
    roads : Roads
    volumes : frame
        As in :func:`zhol.roads.market`; held fixed, so that the price is that of the same number of people.
    legs : iterable of (origin, destination)
        Legs entered from origin to destination; a road over two of them is cut twice.
    cut : float
        Share of capacity lost while the disruption lasts, above 0 and below 1.
    held : int
        Months that it lasts.
    months : int
        Months to follow, at most 600.

    Returns
    -------
    Disruption

    Raises
    ------
    ZholError
        If no road uses a leg, or a number cannot be.

    Notes
    -----
    After the disruption, half of what is missing comes back in each half-life, which is drawn from its prior: no study
    gives a time. What such a disruption does to how many people travel is the business of the system.

    Examples
    --------
    >>> from zhol.roads.market import lay_of_the_example
    >>> people = {"origin": ["AFG"], "destination": ["XEU"], "persons": [20_000]}
    >>> found = disrupt(lay_of_the_example(), people, [("IRN", "TUR")], months=24, draws=20)
    >>> hit = found.table.filter(road=0)["capacity"]
    >>> float(hit[0]), float(hit[1]), 0.5 < float(hit[24]) < 1.0
    (1.0, 0.5, True)
    """
    check_draws(draws, level)
    _check(cut, held, months)
    given = read_volumes(roads, volumes, draws, seed, level)
    unknown = uncertain(roads, given, draws, seed)
    exists, times = roads.exists[given.corridors], _times_hit(roads, legs)[given.corridors]
    path = capacity_path(cut, held, months, _half_lives(roads, draws, seed))  # (month, draw)
    frames, before = [], np.ones(1)
    for month in range(months + 1):
        left = path[month][:, None, None] ** times
        prices, persons = clear(roads, given, unknown, left)
        drawn = {"price": prices[:, exists], "persons": persons[:, exists]}
        drawn["revenue"] = drawn["price"] * drawn["persons"]
        drawn["capacity"] = left[:, exists]
        before = drawn["price"] if month == 0 else before
        drawn["ratio"] = drawn["price"] / before
        columns = {
            k: v for name in ("capacity", "ratio", *ACCOUNTS) for k, v in spread(name, drawn[name], level).items()
        }
        frames.append(_labels(roads, given.corridors, times, month).with_columns(**columns))
    more = "How fast a disrupted business comes back is a prior alone: no study gives a time."
    return Disruption(pl.concat(frames), level, (*warn(roads, given), more))


def capacity_path(cut: float, held: int, months: int, half_life: Vector) -> Vector:
    """Share of capacity left by month, (months + 1, ...): whole before, cut while it is held, then coming back.

    Examples
    --------
    >>> capacity_path(0.8, held=2, months=4, half_life=np.array(1.0)).round(2).tolist()
    [1.0, 0.2, 0.2, 0.6, 0.8]
    """
    since = np.arange(months + 1.0).reshape(-1, *([1] * np.ndim(half_life))) - held
    back = recover(1.0 - cut, np.asarray(half_life), np.maximum(since, 0.0))
    return np.where(since == -held, 1.0, back)


def _half_lives(roads: Roads, draws: int, seed: int) -> Vector:
    prior = roads.settings.half_life
    return prior.median * np.exp(prior.log_sd * generator(seed, "roads", "half-life").standard_normal(draws))


def _times_hit(roads: Roads, legs: Iterable[Pair]) -> Vector:
    """How many of the legs each road uses, (C, k); two modes of one pair are one border and are hit together."""
    pairs = list(zip(roads.legs["origin"].to_list(), roads.legs["destination"].to_list(), strict=True))
    hit = np.zeros(len(pairs))
    for leg in legs:
        found = [float(pair == tuple(leg)) for pair in pairs]
        if not any(found):
            raise ZholError("no road uses this leg", found=">".join(map(str, leg)), expected="a pair of roads.legs")
        hit = np.maximum(hit, found)
    if not hit.any():
        raise ZholError("no leg to disrupt", expected="at least one (origin, destination)")
    return roads.uses @ hit


def _labels(roads: Roads, rows: Vector, times: Vector, month: int) -> pl.DataFrame:
    exists = roads.exists[rows]
    at = [(*roads.corridors[rows[c]], int(r), bool(times[c, r] > 0)) for c, r in np.argwhere(exists)]
    schema = {"origin": pl.String, "destination": pl.String, "road": pl.Int64, "hit": pl.Boolean}
    keys = pl.DataFrame(at, schema=schema, orient="row")
    places = roads.table.select("origin", "destination", "road", "places")
    named = keys.join(places, on=["origin", "destination", "road"], how="left", maintain_order="left")
    return named.select(pl.lit(month).alias("month"), "origin", "destination", "road", "places", "hit")


def _check(cut: float, held: int, months: int) -> None:
    if not 0 < cut < 1:
        raise ZholError("share of capacity that is cut", found=cut, expected="above 0 and below 1")
    for name, value, most in (("months that it is held", held, 600), ("months to follow", months, 600)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise ZholError(name, found=value, expected=f"a whole number from 1 to {most}")

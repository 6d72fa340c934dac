"""The market for passage: price, volume and revenue of each road, with what is not known about them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.core.result import json_ready
from zhol.roads.assign import balanced_shares
from zhol.roads.capacity import market_price
from zhol.roads.layout import IN_USE, Roads
from zhol.roads.volumes import Volumes, read_volumes

if TYPE_CHECKING:
    import altair as alt

Vector = np.ndarray
ACCOUNTS = ("price", "persons", "revenue")
UNITS = {"price": "USD a person", "persons": "persons a year", "revenue": "USD a year"}
MONTHS = 12.0


@dataclass(frozen=True)
class Market:
    """Price, volume and revenue by road.

    Parameters
    ----------
    table : polars.DataFrame
        One row a road: origin, destination, road, places, modes; price, persons and revenue (median), each with _low
        and _high; ``basis`` of the price and its ``sources``. US dollars a person, persons a year, US dollars a year.
    total : mapping
        ``persons``, ``revenue`` and ``price`` (revenue over persons) of all roads: median, low, high.
    cited : polars.DataFrame
        Figures that the pack cites for revenue, of the world or of a region: for comparison; no part of the fit.
    level : float
        Coverage of the intervals.
    draws : mapping of str to (draw, road) arrays
        ``price``, ``persons``, ``revenue``, in the order of the table.
    warnings : tuple of str
    """

    table: pl.DataFrame
    total: Any
    cited: pl.DataFrame
    level: float
    draws: Any
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """The market in a few lines, what is cited beside it, and the warnings."""
        lines = [f"{_TITLES[name]}: {_say(self.total[name])} {UNITS[name]}" for name in ("persons", "price", "revenue")]
        lines.append(f"Intervals hold {self.level:.0%} of the draws.")
        for row in self.cited.to_dicts():
            number = "" if row["value"] is None else f" {plain_number(row['value'])}"
            ends = "" if row["low"] is None else f" {plain_number(row['low'])} to {plain_number(row['high'])}"
            where = (
                row["destination"] if row["origin"] == row["destination"] else f"{row['origin']}>{row['destination']}"
            )
            lines.append(
                f"Cited beside, not used: {where} {row['year']}:{number}{ends} {row['unit']} "
                f"({row['figure_id']}, {row['source_id']})"
            )
        return "\n".join([*lines, *(f"Warning: {w}" for w in self.warnings)])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, without the draws."""
        return {
            "total": json_ready(dict(self.total)),
            "level": self.level,
            "units": dict(UNITS),
            "table": json_ready(self.table.to_dicts()),
            "cited": json_ready(self.cited.to_dicts()),
            "warnings": list(self.warnings),
        }

    def plot(self, account: str = "revenue", top: int = 20) -> alt.Chart | alt.LayerChart:
        """Interval chart of ``price``, ``persons`` or ``revenue`` of the roads that earn most."""
        from zhol.core import charts

        if account not in ACCOUNTS:
            raise ZholError("no such account of the market", found=account, expected=", ".join(ACCOUNTS))
        most = self.table.sort("revenue", "origin", "destination", "road", descending=[True, False, False, False])
        shown = most.head(top).select(
            label=pl.col("places").str.replace_all(">", " → ")
            + pl.lit(" (")
            + pl.col("modes").str.replace_all(">", ", ")
            + pl.lit(")"),
            value=account,
            low=f"{account}_low",
            high=f"{account}_high",
        )
        return charts.interval(shown, unit=UNITS[account], title=f"{_TITLES[account]} by road")


_TITLES = {"price": "Price of passage", "persons": "Volume", "revenue": "Revenue"}


def market(
    roads: Roads, volumes: Any, *, draws: int = 500, seed: int = 1, level: float = 0.8, capacity_left: Any = 1.0
) -> Market:
    """Price, volume and revenue of passage by road.

    Parameters
    ----------
    roads : Roads
        From :func:`zhol.roads.lay`.
    volumes : frame with origin, destination, persons, and optionally low, high, road
        People who take the roads of a corridor in a year, and how well that is known (an interval at ``level``).
        Without ``road`` they choose: the share of each road and its price are found together.
    draws, seed : int
        Draws of the law of prices, of capacities, of the exponent, of the sharpness of choice and of the volumes.
    level : float
        Coverage of the intervals, above 0 and below 1.
    capacity_left : float or array that broadcasts to (C, k)
        Share of its capacity that each road has, above 0 and at most 1.

    Returns
    -------
    Market

    Raises
    ------
    ZholError
        If a corridor was not laid or has no road, or a number cannot be.

    Notes
    -----
    price = base (1 + (volume / capacity)^exponent). Capacities are known nowhere: their error is common to all roads of
    a draw, so that it does not average out in the total. Demand does not answer the price here; in the system it does.

    Examples
    --------
    >>> import zhol
    >>> roads = lay_of_the_example()
    >>> found = market(roads, {"origin": ["AFG"], "destination": ["XEU"], "persons": [20_000]}, draws=50)
    >>> found.table.columns[:6]
    ['origin', 'destination', 'road', 'places', 'modes', 'price']
    >>> bool(abs(found.draws["persons"].sum(axis=1) - 20_000).max() < 1e-4)
    True
    """
    check_draws(draws, level)
    given = read_volumes(roads, volumes, draws, seed, level)
    left = _left(capacity_left, roads.exists.shape)[given.corridors]
    prices, persons = clear(roads, given, uncertain(roads, given, draws, seed), left)
    return _result(roads, given, prices, persons, level)


def lay_of_the_example() -> Roads:
    """The three cheapest roads from Afghanistan to Europe, for the examples.

    Examples
    --------
    >>> lay_of_the_example().legs.height > 2
    True
    """
    from zhol.region.load import load
    from zhol.roads.layout import lay

    return lay(load("central_asia"), corridors=[("AFG", "XEU")])


@dataclass(frozen=True)
class Unknown:
    """What is drawn: base price (draw, corridor, road), capacity as base, exponent and scale (draw, 1, 1)."""

    base: Vector
    capacity: Vector
    exponent: Vector
    scale: Vector


def uncertain(roads: Roads, given: Volumes, draws: int, seed: int) -> Unknown:
    """Draw what nobody knows, with streams named by corridor: the same for any other selection of corridors."""
    chosen, rows = roads.settings, given.corridors
    exists = roads.exists[rows]
    km = np.where(exists, roads.length_km[rows], 1000.0)
    names = [">".join(roads.corridors[c]) for c in rows]
    own = np.stack(
        [_errors(name, draws, exists.shape[1], chosen.price.same_corridor.value, seed) for name in names], axis=1
    )
    base = np.exp(roads.law.draw(km, roads.air_share[rows], own, seed) - IN_USE)
    common = generator(seed, "roads", "capacity").standard_normal((draws, 1, 1))
    mean, sd = np.nan_to_num(roads.log_capacity_mean[rows]), np.nan_to_num(roads.log_capacity_sd[rows])
    spreads = {}
    for name in ("exponent", "choice"):
        prior = getattr(chosen, name)
        z = generator(seed, "roads", name).standard_normal((draws, 1, 1))
        spreads[name] = prior.median * np.exp(prior.log_sd * z)
    cheapest = np.min(np.where(exists, base, np.inf), axis=-1, keepdims=True)
    return Unknown(base, np.exp(mean + sd * common), spreads["exponent"], spreads["choice"] * cheapest)


def _errors(name: str, draws: int, k: int, common: float, seed: int) -> Vector:
    """Standard normal errors of a corridor's roads, (draw, road), with a share of their variance in common."""
    chance = generator(seed, "roads", "price", name)
    return np.sqrt(common) * chance.standard_normal((draws, 1)) + np.sqrt(1 - common) * chance.standard_normal(
        (draws, k)
    )


def clear(roads: Roads, given: Volumes, unknown: Unknown, left: Vector) -> tuple[Vector, Vector]:
    """Prices and persons a year of each road, both (draw, corridor, road)."""
    exists = roads.exists[given.corridors]
    capacity, volume = unknown.capacity * left, given.persons / MONTHS
    if not given.by_road:
        shares = balanced_shares(
            unknown.base, volume, capacity, unknown.exponent, np.broadcast_to(exists, capacity.shape), unknown.scale
        )
        volume = shares * volume
    return market_price(unknown.base, volume, capacity, unknown.exponent), volume * MONTHS


def _result(roads: Roads, given: Volumes, prices: Vector, persons: Vector, level: float) -> Market:
    exists = roads.exists[given.corridors]
    price, people = prices[:, exists], persons[:, exists]
    drawn = {"price": price, "persons": people, "revenue": price * people}
    pairs = [roads.corridors[c] for c in given.corridors]
    keys = pl.DataFrame(
        [(*pairs[c], int(r)) for c, r in np.argwhere(exists)],
        schema={"origin": pl.String, "destination": pl.String, "road": pl.Int64},
        orient="row",
    )
    about = roads.table.select("origin", "destination", "road", "places", "modes", "basis", "sources")
    table = keys.join(about, on=["origin", "destination", "road"], how="left", maintain_order="left")
    table = table.with_columns(**{k: v for name in ACCOUNTS for k, v in spread(name, drawn[name], level).items()})
    last = ["basis", "sources"]
    table = table.select([c for c in table.columns if c not in last] + last)
    return Market(
        table,
        MappingProxyType(_total(drawn, level)),
        roads.cited_revenue,
        level,
        MappingProxyType(drawn),
        warn(roads, given),
    )


def spread(name: str, drawn: Vector, level: float) -> dict[str, Vector]:
    """Median, low and high of draws along the first axis, as columns.

    Examples
    --------
    >>> {k: v.round(9).tolist() for k, v in spread("x", np.arange(11.0)[:, None], 0.8).items()}
    {'x': [5.0], 'x_low': [1.0], 'x_high': [9.0]}
    """
    low, middle, high = np.quantile(drawn, [0.5 - level / 2.0, 0.5, 0.5 + level / 2.0], axis=0)
    return {name: middle, f"{name}_low": low, f"{name}_high": high}


def _total(drawn: dict[str, Vector], level: float) -> dict[str, tuple[float, float, float]]:
    people, revenue = drawn["persons"].sum(axis=1), drawn["revenue"].sum(axis=1)
    price = revenue / np.where(people > 0, people, 1.0)
    found = {}
    for name, draws in (("persons", people), ("revenue", revenue), ("price", price)):
        low, middle, high = np.quantile(draws, [0.5 - level / 2.0, 0.5, 0.5 + level / 2.0])
        found[name] = (float(middle), float(low), float(high))
    return found


def warn(roads: Roads, given: Volumes) -> tuple[str, ...]:
    """What a reader of any number of the market must know."""
    points = roads.law.points
    sources = len({s for p in points["sources"].to_list() for s in p.split(";")})
    ends = len({(p["origin"], p["destination"]) for p in points.to_dicts()})
    prices = (
        f"Prices follow a law fitted to {points.height} cited prices of {ends} corridors from {sources} sources."
        if points.height
        else "No price of passage is cited in this pack: prices are a prior alone."
    )
    out = [
        prices,
        "Nobody has measured the capacity of any road: it is a prior alone, and so is what it adds to prices.",
    ]
    if given.certain:
        out.append("The volumes came without an interval: the uncertainty of how many travel is not in these numbers.")
    return tuple(out)


def _say(ends: tuple[float, float, float]) -> str:
    return f"{plain_number(ends[0])} ({plain_number(ends[1])} to {plain_number(ends[2])})"


def check_draws(draws: int, level: float) -> None:
    """Refuse what no interval can be made of."""
    if isinstance(draws, bool) or not isinstance(draws, int) or not 2 <= draws <= 100_000:
        raise ZholError("number of draws", found=draws, expected="a whole number from 2 to 100,000")
    if not 0 < level < 1:
        raise ZholError("level of the intervals", found=level, expected="above 0 and below 1")


def _left(capacity_left: Any, shape: tuple[int, ...]) -> Vector:
    left = np.asarray(capacity_left, dtype=float)
    if not np.all((left > 0) & (left <= 1)):
        raise ZholError("share of capacity left", found=capacity_left, expected="above 0 and at most 1")
    try:
        return np.broadcast_to(left, shape)
    except ValueError:
        raise ZholError("share of capacity left", found=left.shape, expected=f"one number, or shape {shape}") from None

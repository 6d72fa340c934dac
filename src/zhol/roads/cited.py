"""The cited prices of a pack, with the length of the road they are for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.roads.network import Costs, Leg, Network, cheapest_roads, network
from zhol.roads.price import as_points
from zhol.roads.settings import Reading, readings

if TYPE_CHECKING:
    from zhol.region.load import Region

QUANTITY = "smuggling_price"
REVENUE = "smuggling_revenue"
_SHOWN = ("figure_id", "indicator", "origin", "destination", "value", "low", "high", "unit", "source_id")


def cited_prices(region: Region, rows: list[Leg], costs: Costs) -> pl.DataFrame:
    """One row a source, corridor and mode: see :class:`zhol.roads.price.PriceLaw`.

    A price without a road in the pack tells nothing about prices by length, and is left out.

    Raises
    ------
    ZholError
        If the pack's `roads.yaml` names a figure that is no price, or a place that is none.
    """
    if "figures" not in region.tables:
        return as_points([])
    figures = region.table("figures").filter(pl.col("quantity") == QUANTITY)
    found = {row["figure_id"]: row for row in figures.to_dicts()}
    asked = readings(region)
    _check(region, asked, found)
    named = {r.figure for r in asked}
    asked += [Reading(figure=name) for name in found if name not in named]
    nets: dict[str, Network] = {}
    points = []
    for reading in asked:
        row = found.get(reading.figure)
        point = None if row is None else _point(reading, row, rows, costs, nets)
        if point is not None:
            points.append(point)
    return as_points(points)


def cited_revenue(region: Region) -> pl.DataFrame:
    """What the pack cites for the revenue of the business, of the world or of a region, oldest first.

    Examples
    --------
    >>> import zhol
    >>> cited_revenue(zhol.load("central_asia"))["figure_id"].to_list()
    ['F105', 'F106']
    """
    rows = region.table("figures").filter(pl.col("quantity") == REVENUE) if "figures" in region.tables else None
    if rows is None or rows.is_empty():
        number = dict.fromkeys(("value", "low", "high"), pl.Float64)
        schema = {**dict.fromkeys(_SHOWN, pl.String), **number, "year": pl.Int64}
        return pl.DataFrame(schema=schema)
    year = pl.col("date_start").cast(pl.String).str.slice(0, 4).cast(pl.Int64, strict=False)
    return rows.select(*_SHOWN, year=year).sort("year", "figure_id")


def _check(region: Region, asked: list[Reading], found: dict[str, Any]) -> None:
    everywhere = region.table("figures")
    known = set(everywhere["figure_id"].to_list())
    places = set(region.table("places")["place"].to_list())
    for reading in asked:
        if reading.figure not in known:
            raise ZholError(
                "no such figure", file="roads.yaml", found=reading.figure, expected="a figure_id of figures.csv"
            )
        if reading.figure not in found:
            raise ZholError(
                "the figure is no price of passage", file="roads.yaml", found=reading.figure, expected=QUANTITY
            )
        for place in (reading.origin, reading.destination):
            if place is not None and place not in places:
                raise ZholError("unknown place", file="roads.yaml", found=place, expected="a code of places.csv")


def _point(
    reading: Reading, row: dict[str, Any], rows: list[Leg], costs: Costs, nets: dict[str, Network]
) -> dict[str, Any] | None:
    price = _middle(reading.value, reading.low, reading.high) or _middle(row["value"], row["low"], row["high"])
    origin, destination = reading.origin or row["origin"], reading.destination or row["destination"]
    if price is None or row["unit"] != "USD" or origin == destination:
        return None
    for mode in (reading.mode, "any"):  # by the mode named, else by whatever road there is
        if mode not in nets:
            nets[mode] = network([leg for leg in rows if mode in ("any", _kind(leg.mode))], costs)
        road = next(iter(cheapest_roads(nets[mode], origin, destination, 1)), None)
        if road is not None:
            break
    else:
        return None
    legs = [nets[mode].legs[i] for i in road]
    km = sum(leg.length_km for leg in legs)
    by_air = sum(leg.length_km for leg in legs if leg.mode == "air") / km
    air = {"land": 0.0, "air": 1.0}.get(reading.mode, by_air)
    return {
        "figures": reading.figure,
        "origin": origin,
        "destination": destination,
        "mode": reading.mode,
        "km": km,
        "air": air,
        "price": price,
        "sources": row["source_id"],
    }


def _kind(mode: str) -> str:
    return "air" if mode == "air" else "land"  # people who go overland also cross water


def _middle(value: float | None, low: float | None, high: float | None) -> float | None:
    """The number as printed; the geometric middle of a range, since prices spread by costs."""
    if value is not None:
        return value if value > 0 else None
    ends = [end for end in (low, high) if end is not None and end > 0]
    return math.exp(sum(math.log(end) for end in ends) / len(ends)) if ends else None

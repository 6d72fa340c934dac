"""A map of the roads: which pairs of countries they lead over, by land, sea and air."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.roads.layout import Roads

if TYPE_CHECKING:
    from zhol.region.load import Region


def legs_in_use(roads: Roads, chosen: pl.DataFrame) -> pl.DataFrame:
    """How many of the chosen roads (rows of ``roads.table``) use each leg: the table of legs with ``value``.

    Examples
    --------
    >>> from zhol.roads.market import lay_of_the_example
    >>> roads = lay_of_the_example()
    >>> legs_in_use(roads, roads.table).filter(origin="AFG", destination="IRN")["value"].to_list()
    [2]
    """
    counts = chosen.select(leg=pl.col("legs").list.explode()).group_by("leg").agg(value=pl.len().cast(pl.Int64))
    legs = roads.legs.with_columns(pl.col("leg").cast(pl.Int64))
    return legs.join(counts, on="leg", how="inner").sort("leg")


def select_roads(roads: Roads, origin: str | None = None, destination: str | None = None) -> pl.DataFrame:
    """Rows of ``roads.table`` from an origin, to a destination, or both.

    Raises
    ------
    ZholError
        If no corridor fits, or none of those that fit has a road.
    """
    rows = roads.table
    pairs = roads.corridors
    for column, place, at in (("origin", origin, 0), ("destination", destination, 1)):
        if place is not None:
            rows = rows.filter(pl.col(column) == place)
            pairs = [pair for pair in pairs if pair[at] == place]
    if not rows.is_empty():
        return rows
    named = f"{origin or '*'}>{destination or '*'}"
    if not pairs:
        raise ZholError("no such corridor", found=named, expected="a corridor of the roads")
    raise ZholError("no road leads there", found=named, hint="the pack has no chain of legs between these places")


def map_spec(
    roads: Roads, region: Region, *, origin: str | None = None, destination: str | None = None, title: str = ""
) -> dict[str, Any]:
    """Specification of the map of the candidate roads of all corridors, or of those from or to a place.

    Parameters
    ----------
    roads : Roads
    region : Region
        The pack they were laid in; its places need coordinates.
    origin, destination : str, optional
        Only the corridors from, to, or from and to these places.

    Examples
    --------
    >>> import zhol
    >>> from zhol.roads.market import lay_of_the_example
    >>> spec = map_spec(lay_of_the_example(), zhol.load("central_asia"), origin="AFG")
    >>> spec["width"] > 600
    True
    """
    from zhol.core.charts.road_map import road_map_spec
    from zhol.region.frame import frame_of

    chosen = select_roads(roads, origin, destination)
    ends = tuple(place for place in (origin, destination) if place is not None)
    sites = region.places.filter(pl.col("kind").is_in(["country", "block"])).select("place", "name", "lat", "lon")
    return road_map_spec(legs_in_use(roads, chosen), sites, frame=frame_of(region), ends=ends, title=title)

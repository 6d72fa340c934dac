"""The part of the world that a map of a region shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from zhol.core.charts import world_frame
from zhol.core.errors import ZholError
from zhol.core.world import Frame

if TYPE_CHECKING:
    from zhol.region.load import Region

_REACH = 5500.0  # km: places farther from the centre do not widen the map, they stand at its edge
_ASPECT = 1.78


def frame_of(region: Region) -> Frame:
    """The part of the world that holds a region's places, centred on what the pack is about.

    Raises
    ------
    ZholError
        If no place has coordinates.
    """
    sites = region.places.filter(pl.col("lat").is_not_null() & pl.col("lon").is_not_null())
    centre = sites.filter(pl.col("place").is_in(list(region.focus)))
    if not centre.height:
        centre = sites
    if not centre.height:
        raise ZholError("no map without coordinates", expected="lat and lon in places.csv")
    lon, lat = _mean_lon(centre["lon"].to_list()), float(centre["lat"].mean())  # type: ignore[arg-type]
    plane = Frame(lon, lat, -1, 1, -1, 1, 2)
    x, y, _ = plane.plane(sites["lon"].to_numpy(), sites["lat"].to_numpy())
    near = [(float(a), float(b)) for a, b in zip(x, y, strict=True) if math.hypot(a, b) <= _REACH] or [(0.0, 0.0)]
    margin = 450.0
    west, east = min(a for a, _ in near) - margin, max(a for a, _ in near) + margin
    wide = max(east - west, 3000.0)
    west, east = (west + east - wide) / 2, (west + east + wide) / 2
    north = max(b for _, b in near) + margin
    return world_frame(west, east, north - wide / _ASPECT, north, lon=lon, lat=lat)


def _mean_lon(values: list[float]) -> float:
    x = sum(math.cos(math.radians(v)) for v in values)
    y = sum(math.sin(math.radians(v)) for v in values)
    return math.degrees(math.atan2(y, x))

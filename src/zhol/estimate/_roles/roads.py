"""Which places the roads between others lead through, over draws of how long roads feel."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from zhol.core.draws import generator

if TYPE_CHECKING:
    from zhol.region.load import Region

Vector = np.ndarray


class Habits(NamedTuple):
    """What is assumed of roads: the arguments of ``zhol.estimate.roles`` of the same names."""

    detour: float
    road_noise: float
    longest: tuple[float, float]
    sea: float


def passing(region: Region, codes: list[str], habits: Habits, draws: int, seed: int) -> Vector:
    """1 where the shortest road from o to p leads through q; shape (draw, origin, destination, passed)."""
    from scipy.sparse.csgraph import shortest_path

    index = {code: i for i, code in enumerate(codes)}
    legs = region.table("legs").filter(pl.col("mode").is_in(["land", "sea"]), pl.col("length_km").is_not_null())
    size = len(codes)
    length = np.full((size, size), np.inf)
    felt = legs.with_columns(km=pl.col("length_km") * pl.when(pl.col("mode") == "sea").then(habits.sea).otherwise(1.0))
    for origin, destination, km in felt.select("origin", "destination", "km").iter_rows():
        if origin in index and destination in index:
            o, d = index[origin], index[destination]
            length[o, d] = length[d, o] = min(km, length[o, d])
    direct = _direct(region, index, size)
    through = np.zeros((draws, size, size, size), dtype=np.float32)
    for k in range(draws):
        chance = generator(seed, "roads", str(k))
        wobble, limit = chance.normal(0.0, habits.road_noise, (size, size)), chance.uniform(*habits.longest)
        symmetric = np.triu(wobble, 1) + np.triu(wobble, 1).T
        graph = np.where(np.isfinite(length), length * np.exp(symmetric), 0.0)
        _, previous = shortest_path(graph, directed=False, return_predecessors=True)
        for o in range(size):
            for d in range(size):
                road = _road(previous, o, d)
                km = sum(length[a, b] for a, b in pairwise(road))
                if len(road) > 2 and km <= min(limit, habits.detour * direct[o, d]):
                    through[k, o, d, road[1:-1]] = 1.0
    return through


def _direct(region: Region, index: dict[str, int], size: int) -> Vector:
    direct = np.full((size, size), np.inf)
    if "distances" in region.tables:
        pairs = region.table("distances").select("origin", "destination", "distance_km").drop_nulls()
        for origin, destination, km in pairs.iter_rows():
            if origin in index and destination in index:
                direct[index[origin], index[destination]] = km
    return direct


def _road(previous: Vector, origin: int, destination: int) -> list[int]:
    road = [destination]
    while road[-1] != origin:
        step = int(previous[origin, road[-1]])
        if step < 0:
            return []
        road.append(step)
    return road[::-1]

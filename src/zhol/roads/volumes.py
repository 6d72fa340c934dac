"""Reads how many people take the roads: by corridor, or by road."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars
from zhol.roads.layout import Roads

Vector = np.ndarray


class Volumes(NamedTuple):
    """Persons a year, drawn.

    ``corridors``: which of the roads' corridors, in their order; ``persons``: (draw, corridor, road) where the roads
    are given, else (draw, corridor, 1); ``by_road``: whether they are; ``certain``: whether no row had an interval.
    """

    corridors: Vector
    persons: Vector
    by_road: bool
    certain: bool


def read_volumes(roads: Roads, data: Any, draws: int, seed: int, level: float) -> Volumes:
    """Check a table of volumes and draw from its intervals.

    Raises
    ------
    ZholError
        If a column is missing, a corridor or road does not exist or comes twice, or a number cannot be.
    """
    table = to_polars(data, name="volumes")
    need_columns(table, ["origin", "destination", "persons"], name="volumes")
    by_road = "road" in table.columns
    index = {pair: i for i, pair in enumerate(roads.corridors)}
    places: list[tuple[int, int]] = []
    for row in table.iter_rows(named=True):
        spot = _spot(roads, index, row, by_road)
        if spot in places:
            raise ZholError("volumes has a road twice" if by_road else "volumes has a corridor twice", found=_say(row))
        places.append(spot)
    drawn, certain = _draw(table, draws, seed, level)
    corridors = np.array(sorted({c for c, _ in places}), dtype=int)
    at = {c: i for i, c in enumerate(corridors.tolist())}
    persons = np.zeros((draws, len(corridors), roads.exists.shape[1] if by_road else 1))
    for column, (c, r) in enumerate(places):
        persons[:, at[c], r] = drawn[:, column]
    return Volumes(corridors, persons, by_road, certain)


def _spot(roads: Roads, index: dict[tuple[str, str], int], row: dict[str, Any], by_road: bool) -> tuple[int, int]:
    c = index.get((row["origin"], row["destination"]))
    if c is None:
        raise ZholError("volumes has a corridor that was not laid", found=_say(row), expected="a corridor of the roads")
    if not roads.exists[c].any():
        raise ZholError("the corridor has no road", found=_say(row), expected="a corridor with a road over the legs")
    if not by_road:
        return c, 0
    r = row["road"]
    if isinstance(r, bool) or not isinstance(r, int) or not 0 <= r < roads.exists.shape[1] or not roads.exists[c, r]:
        raise ZholError(
            "no such road", found=f"{_say(row)} road {r}", expected=f"0 to {int(roads.exists[c].sum()) - 1}"
        )
    return c, r


def _draw(table: pl.DataFrame, draws: int, seed: int, level: float) -> tuple[Vector, bool]:
    """Persons of each row, (draw, row): log-normal over the interval, or the number itself where there is none."""
    from scipy.special import ndtri

    out, certain = np.zeros((draws, table.height)), True
    for i, row in enumerate(table.iter_rows(named=True)):
        value, low, high = (_number(row, name) for name in ("persons", "low", "high"))
        if (low is None) != (high is None):
            raise ZholError("volumes has half an interval", found=_say(row), expected="both low and high, or neither")
        if low is None or high is None:
            if value is None:
                raise ZholError(
                    "volumes has a row without a number", found=_say(row), expected="persons, or an interval"
                )
            out[:, i] = value
            continue
        if not 0 < low <= high or (value is not None and not low <= value <= high):
            found = f"{_say(row)} {low:g} {value if value is None else format(value, 'g')} {high:g}"
            raise ZholError(
                "volumes has an interval that cannot be", found=found, expected="0 < low <= persons <= high"
            )
        certain = False
        middle = np.sqrt(low * high) if value is None else value
        z = generator(seed, "roads", "volume", row["origin"], row["destination"], str(row.get("road"))).standard_normal(
            draws
        )
        reach = float(ndtri(0.5 + level / 2.0))
        out[:, i] = middle * np.exp(z / reach * np.where(z < 0, np.log(middle / low), np.log(high / middle)))
    return out, certain


def _number(row: dict[str, Any], name: str) -> float | None:
    value = row.get(name)
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise ZholError(
            "volumes has a number that cannot be", column=name, found=value, expected="persons a year, from 0"
        )
    return float(value)


def _say(row: dict[str, Any]) -> str:
    return f"{row['origin']}>{row['destination']}"

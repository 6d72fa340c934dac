"""Map of roads: a line a pair of places, coloured by how people go, as wide as the number of roads that use it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.charts.corridors import _points
from zhol.core.charts.flow_shapes import pixels, shape, shapes_layer, text_layers, whole
from zhol.core.charts.placing import Box, place_labels
from zhol.core.charts.render import Spec
from zhol.core.charts.theme import BLUE, GREY, INK, ORANGE, SIZE, VERMILLION, titles
from zhol.core.errors import ZholError
from zhol.core.fonts import text_width
from zhol.core.frames import need_columns, to_polars
from zhol.core.world import BOUNDARY_NOTE, Frame, shapes

Array = NDArray[np.float64]
MODES = {"land": (INK, "overland", 0.0), "sea": (BLUE, "by sea", 0.10), "air": (ORANGE, "by air", 0.20)}
_LAND, _SEA, _ENDS = "#ECEEF0", "#FFFFFF", VERMILLION
_THICK, _THIN, _LINE = 9.0, 1.1, 18.0


def road_map_spec(
    legs: Any, places: Any, *, frame: Frame, ends: tuple[str, ...] = (), title: str = "", subtitle: str = ""
) -> Spec:
    """Specification of a map of roads.

    Parameters
    ----------
    legs : frame with columns origin, destination, mode (land, sea, air), value (how many roads use the leg)
        The two ways of a pair are drawn as one line.
    places : frame with columns place, name, lat, lon
        Whole countries or blocks, shown at their capital; never a finer place. A place beyond the edge stands at it.
    frame : Frame
        The part of the world to show.
    ends : tuple of str
        Places to mark as where the roads begin or end.

    Raises
    ------
    ZholError
        If there is no leg between two places with coordinates, or a mode is unknown.
    """
    table, spots, names = _read(legs, places, frame)
    most = float(table["value"].max())  # type: ignore[arg-type]
    lines = [_leg(row, spots, names, most) for row in table.to_dicts()]
    key, tall = _key(table, most, frame)
    dots = [
        {"x": float(spots[p][0]), "y": float(spots[p][1]), "fill": _ENDS if p in ends else GREY, "big": int(p in ends)}
        for p in _touched(table)
    ]
    layers = [_land(frame), shapes_layer(lines, 0.8), *_dots(dots, frame.width, tall)]
    layers += text_layers(_labels(table, spots, names, frame, ends), frame.width, tall, halo=True)
    return whole({**titles(title, subtitle), "width": frame.width, "height": tall, "layer": [*layers, *key]})


def _read(legs: Any, places: Any, frame: Frame) -> tuple[pl.DataFrame, dict[str, Array], dict[str, str]]:
    table = to_polars(legs, name="map of roads")
    need_columns(table, ["origin", "destination", "mode", "value"], name="map of roads")
    sites = to_polars(places, name="places of the map")
    need_columns(sites, ["place", "name", "lat", "lon"], name="places of the map")
    unknown = sorted(set(table["mode"].to_list()) - set(MODES))
    if unknown:
        raise ZholError("unknown mode of a leg", found=unknown[0], expected=", ".join(MODES))
    spots = {place: np.array([p.x, p.y]) for place, p in _points(sites, frame).items()}
    a, b = pl.min_horizontal("origin", "destination"), pl.max_horizontal("origin", "destination")
    pairs = table.select(a.alias("origin"), b.alias("destination"), "mode", "value")
    drawn = (
        pairs.filter(pl.col("origin").is_in(list(spots)), pl.col("destination").is_in(list(spots)))
        .group_by("origin", "destination", "mode")
        .agg(pl.col("value").sum().cast(pl.Float64))
        .filter(pl.col("value") > 0)
        .sort("value", "origin", "destination", "mode")  # the widest on top
    )
    if drawn.is_empty():
        raise ZholError("map of roads has no leg to draw", expected="a leg between two places with coordinates")
    return drawn, spots, {p: n or p for p, n in sites.select("place", "name").iter_rows()}


def _leg(row: dict[str, Any], spots: dict[str, Array], names: dict[str, str], most: float) -> Spec:
    """A band between two places, bent by mode so that the modes of one pair stay apart."""
    colour, words, bend = MODES[row["mode"]]
    start, end = spots[row["origin"]], spots[row["destination"]]
    along = end - start
    if along[0] < 0:  # always bent to the same side of the map
        start, end, along = end, start, -along
    middle = (start + end) / 2 + np.array([along[1], -along[0]]) * bend
    t = np.linspace(0, 1, 30)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    slope = 2 * (1 - t) * (middle - start) + 2 * t * (end - middle)
    normal = np.column_stack([-slope[:, 1], slope[:, 0]]) / np.maximum(np.hypot(slope[:, :1], slope[:, 1:]), 1e-9)
    half = max(_THIN, _THICK * row["value"] / most) / 2
    outline = np.vstack([curve + normal * half, (curve - normal * half)[::-1]])
    count = f"{row['value']:,.0f} road{'' if row['value'] == 1 else 's'}"
    return shape(outline, colour, f"{names[row['origin']]} – {names[row['destination']]}, {words}: {count}")


def _touched(table: pl.DataFrame) -> list[str]:
    return sorted(set(table["origin"].to_list()) | set(table["destination"].to_list()))


def _land(frame: Frame) -> Spec:
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "MultiPolygon", "coordinates": [[ring] for ring in country.rings]},
        }
        for country in shapes(frame, 1.0)
    ]
    return {
        "data": {"values": features},
        "projection": {"type": "identity", "scale": 1, "translate": [0, 0]},
        "mark": {"type": "geoshape", "fill": _LAND, "stroke": _SEA, "strokeWidth": 0.7},
    }


def _dots(dots: list[dict[str, Any]], width: float, tall: float) -> list[Spec]:
    layers: list[Spec] = []
    for big in (0, 1):
        rows = [d for d in dots if d["big"] == big]
        mark = {"type": "point", "filled": True, "size": 30 + 60 * big, "opacity": 1, "stroke": "white"}
        fill = {"fill": {"field": "fill", "type": "nominal", "scale": None}}
        if rows:
            layers.append({"data": {"values": rows}, "mark": mark, "encoding": {**pixels(width, tall), **fill}})
    return layers


def _labels(
    table: pl.DataFrame, spots: dict[str, Array], names: dict[str, str], frame: Frame, ends: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Names of the places, ends first, each where it covers no other."""
    weight: dict[str, float] = {}
    for row in table.to_dicts():
        for place in (row["origin"], row["destination"]):
            weight[place] = weight.get(place, 0.0) + row["value"]
    wanted = sorted(weight, key=lambda p: (p not in ends, -weight[p], p))
    boxes = []
    for place in wanted:
        wide = text_width(names[place], SIZE - 1, bold=place in ends)
        boxes.append(Box(float(spots[place][0]), float(spots[place][1]), wide, 12.0))
    placed = place_labels(boxes, frame.width, frame.height)
    look = {"align": "center", "size": SIZE - 1}
    return [
        {"x": x, "y": y, "text": names[p], "weight": "bold" if p in ends else "normal", **look}
        for p, (x, y) in zip(wanted, placed, strict=True)
    ]


def _key(table: pl.DataFrame, most: float, frame: Frame) -> tuple[list[Spec], float]:
    """Under the map: what colours and widths mean, and whose boundaries these are."""
    y, at = frame.height + 14, 0.0
    swatches, texts = [], []
    for mode, (fill, words, _) in MODES.items():
        if mode in table["mode"].to_list():
            swatches.append({"x": at, "end": at + 26, "y": y, "fill": fill, "wide": 3.5})
            texts.append({"x": at + 32, "y": y, "text": words})
            at += text_width(words, SIZE - 1) + 50
    y += _LINE
    at = 0.0
    for value in sorted({1, round(most / 2) or 1, round(most)}):
        wide = max(_THIN, _THICK * value / most)
        swatches.append({"x": at, "end": at + 26, "y": y, "fill": GREY, "wide": wide})
        words = f"{value:,} road{'' if value == 1 else 's'}"
        texts.append({"x": at + 32, "y": y, "text": words})
        at += text_width(words, SIZE - 1) + 50
    y += _LINE
    note = f"A line stands for a pair of countries, not for a way on the ground. {BOUNDARY_NOTE}"
    texts.append({"x": 0.0, "y": y, "text": note})
    tall = y + 10
    place = pixels(frame.width, tall)
    look = {
        "x2": {"field": "end"},
        "stroke": {"field": "fill", "type": "nominal", "scale": None},
        "strokeWidth": {"field": "wide", "type": "quantitative", "scale": None},
    }
    rule: Spec = {"data": {"values": swatches}, "mark": {"type": "rule"}, "encoding": {**place, **look}}
    words_of = [{**t, "color": GREY, "size": SIZE - 1} for t in texts]
    return [rule, *text_layers(words_of, frame.width, tall)], tall

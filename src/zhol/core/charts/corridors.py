"""Map of corridors: arcs as wide as the number of people, places in the colours of what they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from zhol.core.charts.placing import Box, place_labels
from zhol.core.charts.render import Spec, finish
from zhol.core.charts.scales import value_axis
from zhol.core.charts.theme import BLUE, GREY, INK, SIZE, VERMILLION, WIDTH, titles
from zhol.core.fonts import text_width
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number
from zhol.core.world import BOUNDARY_NOTE, Country, Frame, shapes

LAND, SEA_LINE = "#ECEEF0", "#FFFFFF"
_THICK, _THIN = 15.0, 1.3  # px of the widest and the narrowest arc
_KEY_STEP = 18.0  # px between rows of the key
_MARGIN = 26.0  # places beyond the edge are shown this far inside it


class _Point(NamedTuple):
    x: float
    y: float
    beyond: bool


def corridors_spec(
    corridors: Any,
    places: Any,
    *,
    unit: str,
    frame: Frame,
    colours: Mapping[str, str] | None = None,
    focus: str | None = None,
    title: str = "",
    subtitle: str = "",
    note: bool = False,
) -> Spec:
    """Specification of a corridor map.

    Parameters
    ----------
    corridors : frame with columns origin, destination, value
        One arc a row; the width is the value. Arcs to and from ``focus`` have two colours.
    places : frame with columns place, name, lat, lon, m49, class
        ``m49``: numbers of the shapes of the place, joined by ``;``; ``class``: a key of ``colours``, or null. A place
        beyond the edge of the frame is shown at the edge; one without coordinates is not drawn.
    unit : str
        Unit of the values.
    frame : Frame
        The part of the world to show.
    colours : mapping, optional
        Class to fill colour, in the order of the key.
    focus : str, optional
        Place to outline.
    note : bool
        Write under the map that boundaries are no endorsement (the brief says it in its own words).
    """
    flows = to_polars(corridors, name="corridor map")
    need_columns(flows, ["origin", "destination", "value"], name="corridor map")
    sites = to_polars(places, name="places of the map")
    need_columns(sites, ["place", "name", "lat", "lon", "m49", "class"], name="places of the map")
    points = _points(sites, frame)
    ends = pl.col("origin").is_in(list(points)) & pl.col("destination").is_in(list(points))
    drawn = flows.filter(ends & (pl.col("value") > 0)).sort("value", descending=True)
    most = float(drawn["value"].max() or 1)  # type: ignore[arg-type]
    arcs = [_arc(row, points, most, focus) for row in drawn.to_dicts()]
    tall = frame.height + 6 + _KEY_STEP * (1 + note + _key_rows(colours or {}, frame))
    layers: list[Spec] = [
        _land(sites, frame, colours or {}, focus),
        _arc_layer(arcs),
        *_label_layers(_labels(sites, drawn, points, focus, frame), tall),
        *_key_layers(colours or {}, most, unit, frame, focus, tall, note),
    ]
    spec: Spec = {**titles(title, subtitle), "width": frame.width, "height": tall, "layer": [x for x in layers if x]}
    return finish(spec)


def world_frame(west: float, east: float, south: float, north: float, *, lon: float, lat: float) -> Frame:
    """Frame of the usual chart width about a centre; edges in km from it."""
    return Frame(lon, lat, west, east, south, north, WIDTH - 4)


def _points(sites: pl.DataFrame, frame: Frame) -> dict[str, _Point]:
    found = {}
    for row in sites.filter(pl.col("lat").is_not_null() & pl.col("lon").is_not_null()).to_dicts():
        x, y = (float(v) for v in frame.place(row["lon"], row["lat"]))
        if 0 <= x <= frame.width and 0 <= y <= frame.height:
            found[row["place"]] = _Point(x, y, False)
        else:
            found[row["place"]] = _at_edge(row["lon"], row["lat"], frame)
    return found


def _at_edge(lon: float, lat: float, frame: Frame) -> _Point:
    """Where the straight line of a common world map towards a far place leaves the frame."""
    cx, cy = frame.place(frame.lon, frame.lat)
    turn = (lon - frame.lon + 180) % 360 - 180
    if abs(turn) > 150:  # the far side: westward across the Atlantic, as on the maps people know
        turn = -abs(turn)
    dx, dy = turn, -(lat - frame.lat)
    room_x = (frame.width - _MARGIN - cx) if dx > 0 else (cx - _MARGIN)
    room_y = (frame.height - _MARGIN - cy) if dy > 0 else (cy - _MARGIN)
    step = min(room_x / abs(dx) if dx else math.inf, room_y / abs(dy) if dy else math.inf)
    return _Point(float(cx + dx * step), float(cy + dy * step), True)


def _arc(row: dict[str, Any], points: dict[str, _Point], most: float, focus: str | None) -> Spec:
    """An arrow as one outline, from thin to wide, bent to the right so that the two ways of a pair stay apart."""
    a, b = points[row["origin"]], points[row["destination"]]
    start, end = np.array([a.x, a.y]), np.array([b.x, b.y])
    length = float(np.hypot(*(end - start))) or 1.0
    middle = (start + end) / 2 + np.array([a.y - b.y, b.x - a.x]) * 0.18
    wide = max(_THIN, _THICK * row["value"] / most)
    head = min(4.5 + wide * 0.8, length * 0.4)
    t = np.linspace(min(3 / length, 0.2), 1 - head / length, 26)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    slope = 2 * (1 - t) * (middle - start) + 2 * t * (end - middle)
    slope /= np.hypot(slope[:, :1], slope[:, 1:])
    normal = np.column_stack([-slope[:, 1], slope[:, 0]])
    half = wide / 2 * np.linspace(0.6, 1.0, len(t))[:, None]
    barb = normal[-1] * (wide / 2 + 2.2 + wide * 0.12)
    left, right = curve + normal * half, curve - normal * half
    outline = np.vstack([left, curve[-1] + barb, end, curve[-1] - barb, right[::-1], left[:1]])
    colour = BLUE if focus is None or row["destination"] == focus else VERMILLION
    return {
        "type": "Feature",
        "properties": {"fill": colour},
        "geometry": {"type": "Polygon", "coordinates": [np.round(outline, 1).tolist()]},
    }


def _land(sites: pl.DataFrame, frame: Frame, colours: Mapping[str, str], focus: str | None) -> Spec:
    owner = {number: row for row in sites.to_dicts() for number in (row["m49"] or "").split(";") if number}
    features = []
    for country in shapes(frame, 1.0):
        row = owner.get(country.m49)
        fill = colours.get(row["class"] or "", LAND) if row else LAND
        outlined = bool(row and row["place"] == focus)
        features.append((outlined, _feature(country, fill, len(row["m49"].split(";")) if row and outlined else 0)))
    ordered = [feature for _, feature in sorted(features, key=lambda f: f[0])]  # the outlined one on top
    return {
        "data": {"values": ordered},
        "projection": {"type": "identity", "scale": 1, "translate": [0, 0]},
        "mark": {"type": "geoshape"},
        "encoding": {
            "fill": {"field": "properties.fill", "type": "nominal", "scale": None},
            "stroke": {"field": "properties.stroke", "type": "nominal", "scale": None},
            "strokeWidth": {"field": "properties.line", "type": "quantitative", "scale": None},
        },
    }


def _feature(country: Country, fill: str, parts: int) -> dict[str, Any]:
    """One shape; the place of the map is outlined, more finely if it has several."""
    line = {"stroke": INK, "line": 1.1 if parts == 1 else 0.5} if parts else {"stroke": SEA_LINE, "line": 0.7}
    return {
        "type": "Feature",
        "properties": {"fill": fill, **line},
        "geometry": {"type": "MultiPolygon", "coordinates": [[ring] for ring in country.rings]},
    }


def _xy(frame_width: float, tall: float) -> dict[str, Any]:
    def pixel(field: str, size: float) -> dict[str, Any]:
        scale = {"domain": [0, size], "range": [0, size], "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "axis": None, "scale": scale}

    return {"x": pixel("x", frame_width), "y": pixel("y", tall)}


def _arc_layer(arcs: list[Spec]) -> Spec:
    if not arcs:
        return {}
    return {
        "data": {"values": arcs},
        "projection": {"type": "identity", "scale": 1, "translate": [0, 0]},
        "mark": {"type": "geoshape", "opacity": 0.78},
        "encoding": {"fill": {"field": "properties.fill", "type": "nominal", "scale": None}},
    }


def _labels(
    sites: pl.DataFrame, drawn: pl.DataFrame, points: dict[str, _Point], focus: str | None, frame: Frame
) -> list[dict[str, Any]]:
    """Names of the places that arcs touch, largest flow first, each where it covers no other."""
    weight: dict[str, float] = {}
    for row in drawn.to_dicts():
        for end in (row["origin"], row["destination"]):
            weight[end] = max(weight.get(end, 0.0), row["value"])
    names = dict(sites.select("place", "name").iter_rows())
    wanted = sorted(weight, key=lambda p: (p != focus, -weight[p]))
    boxes = []
    for place in wanted:
        bold = place == focus
        wide = text_width(names[place], SIZE - 1, bold=bold)
        boxes.append(Box(points[place].x, points[place].y, wide, 12.0))
    placed = place_labels(boxes, frame.width, frame.height)
    rows = []
    for place, (x, y) in zip(wanted, placed, strict=True):
        rows.append({"x": x, "y": y, "text": names[place], "weight": "bold" if place == focus else "normal"})
    return rows


def _label_layers(labels: list[dict[str, Any]], tall: float) -> list[Spec]:
    place = _xy(WIDTH - 4, tall)
    layers: list[Spec] = []
    for weight in ("normal", "bold"):
        rows = [r for r in labels if r["weight"] == weight]
        for halo in (True, False):
            look = {"stroke": "white", "strokeWidth": 2.6, "strokeJoin": "round", "opacity": 0.9} if halo else {}
            mark = {"type": "text", "baseline": "middle", "fontSize": SIZE - 1, "fontWeight": weight, **look}
            layers.append({"data": {"values": rows}, "mark": mark, "encoding": {**place, "text": {"field": "text"}}})
    return [layer for layer in layers if layer["data"]["values"]]


def _key_layers(
    colours: Mapping[str, str], most: float, unit: str, frame: Frame, focus: str | None, tall: float, note: bool
) -> list[Spec]:
    """Under the map: what the fills and the widths mean."""
    place = _xy(WIDTH - 4, tall)
    texts: list[dict[str, Any]] = []
    swatches, at, y = [], 0.0, frame.height + 12
    for name, fill in colours.items():
        wide = text_width(name, SIZE - 1) + 32
        if at + wide - 16 > frame.width:
            at, y = 0.0, y + _KEY_STEP
        swatches.append({"x": at + 6, "y": y, "fill": fill})
        texts.append({"x": at + 16, "y": y, "text": name})
        at += wide
    samples, at, y = [], 0.0, y + _KEY_STEP
    for value in _sample_values(most):
        wide = max(_THIN, _THICK * value / most)
        samples += [{"x": at, "end": at + 26, "y": y, "wide": wide}]
        label = f"{plain_number(value)} {unit}"
        texts.append({"x": at + 32, "y": y, "text": label})
        at += text_width(label, SIZE - 1) + 50
    if note:
        texts.append({"x": 0.0, "y": y + _KEY_STEP, "text": BOUNDARY_NOTE})
    grey = {"type": "text", "align": "left", "baseline": "middle", "fontSize": SIZE - 1, "color": GREY}
    fill_of = {"fill": {"field": "fill", "type": "nominal", "scale": None}}
    square = {"type": "point", "shape": "square", "filled": True, "size": 110, "opacity": 1}
    rule = {"type": "rule", "color": GREY, "opacity": 0.8}
    wide_of = {"x2": {"field": "end"}, "strokeWidth": {"field": "wide", "type": "quantitative", "scale": None}}
    layers: list[Spec] = [
        {"data": {"values": swatches}, "mark": square, "encoding": {**place, **fill_of}},
        {"data": {"values": samples}, "mark": rule, "encoding": {**place, **wide_of}},
        {"data": {"values": texts}, "mark": grey, "encoding": {**place, "text": {"field": "text"}}},
    ]
    return [layer for layer in layers if layer["data"]["values"]]


def _key_rows(colours: Mapping[str, str], frame: Frame) -> int:
    """Rows that the key of fills takes."""
    rows, at = min(len(colours), 1), 0.0
    for name in colours:
        wide = text_width(name, SIZE - 1) + 32
        if at + wide - 16 > frame.width:
            rows, at = rows + 1, 0.0
        at += wide
    return rows


def _sample_values(most: float) -> Sequence[float]:
    """Two or three round numbers for the key of widths."""
    ticks = [t for t in value_axis([most], "").ticks if t > 0]
    return sorted({ticks[0], ticks[len(ticks) // 2], ticks[-1]})

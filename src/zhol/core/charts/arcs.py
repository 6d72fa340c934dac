"""Arc map of flows: width for how many, colour for how well that is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.charts.flow_shapes import flow_list, pixels, say, shape, shapes_layer, text_layers, whole
from zhol.core.charts.placing import Box, place_labels
from zhol.core.charts.render import Spec
from zhol.core.charts.scales import value_axis
from zhol.core.charts.theme import BLUE, GREY, SIZE, VERMILLION, titles
from zhol.core.errors import ZholError
from zhol.core.fonts import text_width
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number
from zhol.core.world import BOUNDARY_NOTE, Frame, shapes

Array = NDArray[np.float64]
# How many times the low end of the interval the high end is, and the colour that says so.
KNOWN = ((2.0, BLUE, "high end at most twice the low end"), (10.0, "#E69F00", "up to ten times"))
UNKNOWN = (VERMILLION, "more than ten times, or from none")
NO_INTERVAL = ("#7A858F", "no interval")
_LAND, _SEA = "#ECEEF0", "#FFFFFF"
_THICK, _THIN, _LINE = 14.0, 1.2, 18.0


def arcs_spec(
    flows: Any,
    places: Any,
    *,
    unit: str,
    frame: Frame,
    top: int = 25,
    labelled: int = 6,
    title: str = "",
    subtitle: str = "",
) -> Spec:
    """Specification of an arc map.

    Parameters
    ----------
    flows : frame with origin, destination, value (or persons), and optionally low and high
        One flow a row; the ``top`` largest between places inside the frame are drawn.
    places : frame with place, name, lat, lon
        Whole countries or blocks; never a finer place.
    unit : str
        Unit of the values.
    frame : Frame
        The part of the world to show.
    labelled : int
        How many of the largest arcs are numbered and listed with their interval.

    Raises
    ------
    ZholError
        If no flow lies between two places of the frame.
    """
    drawn, spots, names = _drawn(flows, places, frame, top)
    most = float(drawn["value"].max())  # type: ignore[arg-type]
    arcs, middles = [], []
    for row in drawn.to_dicts():
        outline, middle = _arc(spots[row["origin"]], spots[row["destination"]], row["value"] / most)
        words = f"{names[row['origin']]} → {names[row['destination']]}: {say(row)} {unit}"
        arcs.append(shape(outline, _colour(row), words))
        middles.append(middle)
    ranked = drawn.head(labelled)
    listed, below = flow_list(ranked, names, unit, frame.width, frame.height + 16, numbered=True)
    key, tall = _key(drawn, most, unit, frame, below + 8)
    marks = [{"x": float(m[0]), "y": float(m[1]), "text": str(k + 1)} for k, m in enumerate(middles[:labelled])]
    layers = [_land(frame), shapes_layer(arcs[::-1], 0.85)]
    layers += text_layers(_labels(drawn, spots, names, frame), frame.width, tall, halo=True)
    layers += _rank_layers(marks, frame.width, tall)
    layers += [*text_layers(listed, frame.width, tall), *key]
    return whole({**titles(title, subtitle), "width": frame.width, "height": tall, "layer": layers})


def _drawn(flows: Any, places: Any, frame: Frame, top: int) -> tuple[pl.DataFrame, dict[str, Array], dict[str, str]]:
    table = to_polars(flows, name="arc map")
    if "persons" in table.columns and "value" not in table.columns:
        table = table.rename({"persons": "value"})
    need_columns(table, ["origin", "destination", "value"], name="arc map")
    for end in ("low", "high"):
        if end not in table.columns:
            table = table.with_columns(pl.lit(None, dtype=pl.Float64).alias(end))
    sites = to_polars(places, name="places of the map")
    need_columns(sites, ["place", "name", "lat", "lon"], name="places of the map")
    spots = {}
    for place, lat, lon in sites.select("place", "lat", "lon").drop_nulls().iter_rows():
        x, y = (float(v) for v in frame.place(lon, lat))
        if 0 <= x <= frame.width and 0 <= y <= frame.height:
            spots[place] = np.array([x, y])
    inside = pl.col("origin").is_in(list(spots)) & pl.col("destination").is_in(list(spots))
    kept = table.filter(inside, pl.col("value") > 0, pl.col("origin") != pl.col("destination"))
    if kept.is_empty():
        raise ZholError("arc map has no flow to draw", expected="flows between two places inside the frame")
    kept = kept.select("origin", "destination", *(pl.col(c).cast(pl.Float64) for c in ("value", "low", "high")))
    largest = kept.sort("value", "origin", "destination", descending=True).head(top)
    return largest, spots, {p: n or p for p, n in sites.select("place", "name").iter_rows()}


def _colour(row: dict[str, Any]) -> str:
    if row["low"] is None or row["high"] is None:
        return NO_INTERVAL[0]
    ratio = row["high"] / row["low"] if row["low"] > 0 else float("inf")
    return next((fill for limit, fill, _ in KNOWN if ratio <= limit), UNKNOWN[0])


def _arc(start: Array, end: Array, share: float) -> tuple[Array, Array]:
    """An arrow bent to its right, so that the two ways of a pair stand apart; and the middle of its back."""
    along = end - start
    length = float(np.hypot(*along)) or 1.0
    bend = (start + end) / 2 + np.array([-along[1], along[0]]) * -0.22
    wide = max(_THIN, _THICK * share)
    head = min(5.0 + 0.9 * wide, 0.4 * length)
    t = np.linspace(min(4 / length, 0.2), 1 - head / (1.05 * length), 30)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
    slope = 2 * (1 - t) * (bend - start) + 2 * t * (end - bend)
    normal = np.column_stack([-slope[:, 1], slope[:, 0]]) / np.hypot(slope[:, :1], slope[:, 1:])
    half = wide / 2 * np.linspace(0.55, 1.0, len(t))[:, None]
    barb = normal[-1] * (wide / 2 + 2.4 + 0.12 * wide)
    left, right = curve + normal * half, curve - normal * half
    outline = np.vstack([left, curve[-1] + barb, end, curve[-1] - barb, right[::-1]])
    half_way = len(curve) // 2
    # On a short arc a number would hide it, so it stands beside.
    aside = wide / 2 + 11 if length < 110 else 0.0
    return outline, curve[half_way] - aside * normal[half_way]


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


def _rank_layers(marks: list[dict[str, Any]], width: float, tall: float) -> list[Spec]:
    """Numbers in white discs on the largest arcs; the list under the map says which they are."""
    disc = {"type": "point", "shape": "circle", "filled": True, "size": 190, "color": "white", "opacity": 1}
    discs: list[Spec] = [{"data": {"values": marks}, "mark": disc, "encoding": pixels(width, tall)}] if marks else []
    look = {"align": "center", "weight": "bold", "size": SIZE - 1}
    return discs + text_layers([{**m, **look} for m in marks], width, tall)


def _labels(drawn: pl.DataFrame, spots: dict[str, Array], names: dict[str, str], frame: Frame) -> list[dict[str, Any]]:
    """Names of the places that arcs touch, where they cover no other."""
    weight: dict[str, float] = {}
    for row in drawn.to_dicts():
        for end in (row["origin"], row["destination"]):
            weight[end] = max(weight.get(end, 0.0), row["value"])
    wanted = sorted(weight, key=lambda p: -weight[p])
    boxes = []
    for place in wanted:
        x, y = (float(v) for v in spots[place])
        boxes.append(Box(x, y, text_width(names[place], SIZE - 1, bold=True), 12.0))
    placed = place_labels(boxes, frame.width, frame.height)
    bold = {"align": "center", "weight": "bold", "size": SIZE - 1}
    return [{"x": x, "y": y, "text": names[p], **bold} for p, (x, y) in zip(wanted, placed, strict=True)]


def _key(drawn: pl.DataFrame, most: float, unit: str, frame: Frame, y: float) -> tuple[list[Spec], float]:
    """What widths and colours mean, and whose boundaries these are."""
    used = {_colour(row) for row in drawn.to_dicts()}
    meanings = [*((fill, words) for _, fill, words in KNOWN), UNKNOWN, NO_INTERVAL]
    meanings = [(fill, words) for fill, words in meanings if fill in used]
    texts: list[dict[str, Any]] = [{"x": 0.0, "y": y, "text": "Interval:"}]
    swatches, at = [], text_width("Interval:", SIZE - 1) + 12
    for fill, words in meanings:
        wide = text_width(words, SIZE - 1) + 34
        if at + wide - 14 > frame.width:
            at, y = 0.0, y + _LINE
        swatches.append({"x": at + 6, "y": y, "fill": fill})
        texts.append({"x": at + 16, "y": y, "text": words})
        at += wide
    y += _LINE
    ticks = [t for t in value_axis([most], "").ticks if t > 0]
    samples, at = [], 0.0
    for value in sorted({ticks[0], ticks[len(ticks) // 2], ticks[-1]}):
        samples.append({"x": at, "end": at + 26, "y": y, "wide": max(_THIN, _THICK * value / most)})
        words = f"{plain_number(value)} {unit}"
        texts.append({"x": at + 32, "y": y, "text": words})
        at += text_width(words, SIZE - 1) + 50
    texts.append({"x": 0.0, "y": y + _LINE, "text": BOUNDARY_NOTE})
    tall = y + _LINE + 10
    place = pixels(frame.width, tall)
    square = {"type": "point", "shape": "square", "filled": True, "size": 110, "opacity": 1}
    fill_of = {"fill": {"field": "fill", "type": "nominal", "scale": None}}
    wide_of = {"x2": {"field": "end"}, "strokeWidth": {"field": "wide", "type": "quantitative", "scale": None}}
    rule = {"type": "rule", "color": GREY, "opacity": 0.8}
    layers: list[Spec] = [
        {"data": {"values": swatches}, "mark": square, "encoding": {**place, **fill_of}},
        {"data": {"values": samples}, "mark": rule, "encoding": {**place, **wide_of}},
    ]
    look = {"color": GREY, "size": SIZE - 1}
    return [*layers, *text_layers([{**t, **look} for t in texts], frame.width, tall)], tall

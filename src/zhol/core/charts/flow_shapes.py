"""What the pictures of flows share: reading, colours, shapes, labels, the list of flows with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.charts.interval import range_text
from zhol.core.charts.render import Spec, finish
from zhol.core.charts.theme import CATEGORIES, GREY, INK, SIZE
from zhol.core.errors import ZholError
from zhol.core.fonts import text_width
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number

Array = NDArray[np.float64]
REST, REST_GREY = "other places", "#9AA5AF"


class Drawn(NamedTuple):
    """Flows between the places that are drawn, the rest summed, and a colour for each place."""

    flows: pl.DataFrame  # origin, destination, value, low, high
    names: dict[str, str]
    colours: dict[str, str]
    order: list[str]
    left_out: float


def read_flows(flows: Any, places: Any, top: int, threshold: float, what: str) -> Drawn:
    """The largest places, the others as one; flows below a share of all are counted, not drawn.

    An interval of a sum is not the sum of intervals: flows from or to the summed places carry none.
    """
    table = to_polars(flows, name=what)
    if "persons" in table.columns and "value" not in table.columns:
        table = table.rename({"persons": "value"})
    need_columns(table, ["origin", "destination", "value"], name=what)
    for end in ("low", "high"):
        if end not in table.columns:
            table = table.with_columns(pl.lit(None, dtype=pl.Float64).alias(end))
    table = table.select("origin", "destination", *(pl.col(c).cast(pl.Float64) for c in ("value", "low", "high")))
    table = table.filter(pl.col("value") > 0, pl.col("origin") != pl.col("destination"))
    if table.is_empty():
        raise ZholError(f"{what} has no flow to draw", expected="a value above zero between two places")
    if top < 1 or top > len(CATEGORIES):
        raise ZholError("too many colours to tell apart", found=top, expected=f"1 to {len(CATEGORIES)} places")
    weight: dict[str, float] = {}
    for origin, destination, value in table.select("origin", "destination", "value").iter_rows():
        weight[origin] = weight.get(origin, 0.0) + value
        weight[destination] = weight.get(destination, 0.0) + value
    chosen = sorted(weight, key=lambda p: -weight[p])[:top]
    names = _names(places, list(weight))
    grouped = _sum_rest(table, chosen)
    total = float(grouped["value"].sum())
    shown = grouped.filter(pl.col("value") >= threshold * total).sort("value", "origin", "destination", descending=True)
    order = [p for p in chosen if p in set(shown["origin"]) | set(shown["destination"])]
    if REST in set(shown["origin"]) | set(shown["destination"]):
        order.append(REST)
    colours = {p: CATEGORIES[i] for i, p in enumerate(chosen)} | {REST: REST_GREY}
    return Drawn(shown, names | {REST: REST}, colours, order, total - float(shown["value"].sum()))


def _sum_rest(table: pl.DataFrame, chosen: list[str]) -> pl.DataFrame:
    def known(side: str) -> pl.Expr:
        return pl.when(pl.col(side).is_in(chosen)).then(side).otherwise(pl.lit(REST)).alias(side)

    moved = table.with_columns(known("origin"), known("destination"))
    moved = moved.filter(~((pl.col("origin") == REST) & (pl.col("destination") == REST)))
    one = pl.len() == 1
    return moved.group_by("origin", "destination", maintain_order=True).agg(
        pl.col("value").sum(),
        pl.when(one).then(pl.col("low").first()).alias("low"),
        pl.when(one).then(pl.col("high").first()).alias("high"),
    )


def _names(places: Any, codes: Sequence[str]) -> dict[str, str]:
    if places is None:
        return {c: c for c in codes}
    if isinstance(places, Mapping) and not {"place", "name"} <= set(places):
        return {c: str(places.get(c, c)) for c in codes}
    table = to_polars(places, name="places")
    need_columns(table, ["place", "name"], name="places")
    known = dict(table.select("place", "name").iter_rows())
    return {c: known.get(c) or c for c in codes}


def say(row: Mapping[str, Any]) -> str:
    """A flow's number with its interval, or without where there is none."""
    value = plain_number(row["value"])
    if row["low"] is None or row["high"] is None:
        return value
    return f"{value} ({range_text(row['low'], row['high'])})"


def whole(spec: Spec) -> Spec:
    """The finished picture on white paper: without any, see-through colours come out wrong in PNG."""
    return finish({"background": "white", **spec})


def shape(outline: Array, fill: str, tooltip: str = "") -> Spec:
    """A closed outline in pixels as a feature; unrolled the way that is filled inside."""
    ring = outline if np.array_equal(outline[0], outline[-1]) else np.vstack([outline, outline[:1]])
    return {
        "type": "Feature",
        "properties": {"fill": fill, "tooltip": tooltip},
        "geometry": {"type": "Polygon", "coordinates": [np.round(ring, 2).tolist()]},
    }


def shapes_layer(shapes: list[Spec], opacity: float) -> Spec:
    """Filled shapes with a thin white edge, so that neighbours stay apart, and what they say when pointed at."""
    return {
        "data": {"values": shapes},
        "projection": {"type": "identity", "scale": 1, "translate": [0, 0]},
        "mark": {"type": "geoshape", "opacity": opacity, "stroke": "white", "strokeWidth": 0.6},
        "encoding": {
            "fill": {"field": "properties.fill", "type": "nominal", "scale": None},
            "tooltip": {"field": "properties.tooltip", "type": "nominal"},
        },
    }


def pixels(width: float, height: float) -> dict[str, Any]:
    """Encoding of x and y in pixels, y downwards."""

    def pixel(field: str, size: float) -> dict[str, Any]:
        scale = {"domain": [0, size], "range": [0, size], "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "axis": None, "scale": scale}

    return {"x": pixel("x", width), "y": pixel("y", height)}


def text_layers(texts: list[dict[str, Any]], width: float, height: float, *, halo: bool = False) -> list[Spec]:
    """Texts with keys x, y, text, align (left, center, right), and optionally color, weight, size."""
    layers: list[Spec] = []
    place = pixels(width, height)
    kinds = {
        (t.get("align", "left"), t.get("color", INK), t.get("weight", "normal"), t.get("size", SIZE)) for t in texts
    }
    for align, color, weight, size in sorted(kinds):
        same = [
            {"x": t["x"], "y": t["y"], "text": t["text"]}
            for t in texts
            if (t.get("align", "left"), t.get("color", INK), t.get("weight", "normal"), t.get("size", SIZE))
            == (align, color, weight, size)
        ]
        look = {"type": "text", "align": align, "baseline": "middle", "fontSize": size, "fontWeight": weight}
        text = {"text": {"field": "text", "type": "nominal"}}
        if halo:
            edge = {"stroke": "white", "strokeWidth": 2.8, "strokeJoin": "round", "opacity": 0.92}
            layers.append({"data": {"values": same}, "mark": {**look, **edge}, "encoding": {**place, **text}})
        layers.append({"data": {"values": same}, "mark": {**look, "color": color}, "encoding": {**place, **text}})
    return layers


def flow_list(
    flows: pl.DataFrame, names: Mapping[str, str], unit: str, width: float, y: float, *, numbered: bool = False
) -> tuple[list[dict[str, Any]], float]:
    """Texts that name flows with their intervals, in two columns if they fit, and where they end."""
    rows = flows.to_dicts()
    small = {"size": SIZE - 1}
    heading = f"Largest flows, {unit} (interval in brackets)"
    texts: list[dict[str, Any]] = [{"x": 0.0, "y": y, "text": heading, "color": GREY, **small}]
    said = [
        (f"{k + 1}  " if numbered else "") + f"{names[row['origin']]} → {names[row['destination']]}"
        for k, row in enumerate(rows)
    ]
    widest = max(
        (text_width(w, SIZE - 1) + text_width(say(r), SIZE - 1) for w, r in zip(said, rows, strict=True)), default=0
    )
    half = (len(rows) + 1) // 2 if widest + 20 < width / 2 else len(rows)
    for k, (words, row) in enumerate(zip(said, rows, strict=True)):
        x, line = (0.0, k) if k < half else (width / 2 + 6, k - half)
        at = y + 18 + 16 * line
        texts.append({"x": x, "y": at, "text": words, **small})
        texts.append({"x": x + text_width(words, SIZE - 1) + 8, "y": at, "text": say(row), "color": GREY, **small})
    return texts, y + 18 + 16 * half


def list_drawn(drawn: Drawn, unit: str, width: float, y: float, most: int) -> tuple[list[dict[str, Any]], float]:
    """The list of the largest flows between named places, and how much is not drawn."""
    named = drawn.flows.filter((pl.col("origin") != REST) & (pl.col("destination") != REST)).head(most)
    texts, end = flow_list(named, drawn.names, unit, width, y)
    if drawn.left_out > 0:
        left = f"Not drawn: {plain_number(drawn.left_out)} {unit} in smaller flows."
        texts.append({"x": 0.0, "y": end + 2, "text": left, "color": GREY, "size": SIZE - 1})
        end += 18
    return texts, end

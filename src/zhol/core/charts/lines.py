"""Lines over time, each named at its end; as small multiples when there are panels."""

from __future__ import annotations

from typing import Any

import polars as pl

from zhol.core.charts.render import Spec, finish
from zhol.core.charts.scales import Axis, spread, value_axis
from zhol.core.charts.theme import CATEGORIES, GREY, SIZE, WIDTH, titles
from zhol.core.fonts import text_width, wrap
from zhol.core.frames import need_columns, to_polars

_LABEL_ROOM = 170  # most room for a series' name at the right, px


def lines_spec(
    table: Any,
    *,
    unit: str,
    title: str = "",
    subtitle: str = "",
    width: int = WIDTH,
    height: int = 230,
    per_row: int = 3,
    points: bool = False,
) -> Spec:
    """Specification of a line chart.

    Parameters
    ----------
    table : frame with columns year, value, series
        Optional ``low`` and ``high`` (band round the line) and ``panel`` (one small chart each, own value axis).
        A missing value breaks the line.
    unit : str
        Unit of the values.
    width, height : int
        Size of the whole chart (of one panel: height), px.
    per_row : int
        Panels in a row.
    points : bool
        Mark each figure with a dot, for figures that are years apart.

    Examples
    --------
    >>> rows = [{"year": 2015, "value": 1, "series": "a"}, {"year": 2020, "value": 2, "series": "a"}]
    >>> spec = lines_spec(rows, unit="persons")
    >>> [layer["mark"]["type"] for layer in spec["layer"]]
    ['line', 'text']
    """
    frame = to_polars(table, name="line chart")
    need_columns(frame, ["year", "value", "series"], name="line chart")
    series = frame["series"].cast(pl.String).unique(maintain_order=True).to_list()
    colours = {s: CATEGORIES[i % len(CATEGORIES)] for i, s in enumerate(series)}
    if "panel" not in frame.columns:
        axis = value_axis(_numbers(frame), unit)
        room = _room(axis, _ends(frame, axis, height, named=True))
        spec = _panel(frame, axis, colours, width, height, points, room, named=True)
        return finish({**titles(title, subtitle), **spec})
    each = int((width - 18 * (per_row - 1)) / per_row)
    parts = {str(name[0]): part for name, part in frame.group_by("panel", maintain_order=True)}
    axes = {name: value_axis(_numbers(part), unit, n=4) for name, part in parts.items()}
    rooms = [_room(axes[n], _ends(part, axes[n], height, named=False)) for n, part in parts.items()]
    room = (max(r[0] for r in rooms), max(r[1] for r in rooms))  # the same in every panel, so that the plots align
    charts = []
    for name, part in parts.items():
        heading = {"title": {"text": name, "fontSize": SIZE, "offset": 8, "frame": "bounds"}}
        charts.append({**heading, **_panel(part, axes[name], colours, each, height, points, room, named=False)})
    grid: Spec = {"concat": charts, "columns": per_row, "spacing": 18, "align": "each", "bounds": "full"}
    if len(series) > 1:
        grid = {"vconcat": [_key(colours), grid], "spacing": 12, "align": "none", "bounds": "full"}
    return finish({**titles(title, subtitle), **grid})


def _numbers(frame: pl.DataFrame) -> list[float | None]:
    return [v for c in ("value", "low", "high") if c in frame.columns for v in frame[c].to_list()]


def _room(axis: Axis, ends: list[dict[str, Any]]) -> tuple[float, float]:
    """Pixels for the value labels at the left and for the names at the right."""
    left = max(text_width(label, SIZE - 1) for label in axis.labels) + 8
    return left, max((max(text_width(line, SIZE) for line in e["text"].split("\n")) for e in ends), default=0) + 10


def _panel(
    frame: pl.DataFrame,
    axis: Axis,
    colours: dict[str, str],
    width: int,
    height: int,
    points: bool,
    room: tuple[float, float],
    *,
    named: bool,
) -> Spec:
    left, right = room
    plot = max(width - left - right - 4, 60)
    years = frame["year"].to_list()
    x = year_axis(min(years), max(years), plot)
    colour: dict[str, Any] = {"field": "series", "type": "nominal", "legend": None}
    colour["scale"] = {"domain": list(colours), "range": list(colours.values())}
    y = axis.encoding("value", titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-left, titleY=-10)
    layers = [
        *_band(frame, x, y, colour),
        *_line(frame, x, y, colour, points=points, dashed=not named and len(colours) <= 4),
        _names(_ends(frame, axis, height, named=named), plot, y, colour),
    ]
    return {"width": plot, "height": height, "layer": layers}


def _band(frame: pl.DataFrame, x: Spec, y: Spec, colour: Spec) -> list[Spec]:
    """The interval round each line, where there is one."""
    if not {"low", "high"} <= set(frame.columns):
        return []
    rows = [r for r in _plain_rows(frame) if r["low"] is not None and r["high"] is not None]
    place = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}
    return [{"data": {"values": rows}, "mark": {"type": "area", "opacity": 0.18}, "encoding": place}]


def _line(frame: pl.DataFrame, x: Spec, y: Spec, colour: Spec, *, points: bool, dashed: bool) -> list[Spec]:
    """The lines, broken where a value is missing, and the dots on them."""
    rows = _plain_rows(frame)
    place: Spec = {"x": x, "y": y, "color": colour}
    dash: Spec = {}
    if dashed:
        names = colour["scale"]["domain"]
        dashes = {"domain": names, "range": [[1, 0], [5, 2], [2, 2], [7, 2, 2, 2]][: len(names)]}
        dash["strokeDash"] = {"field": "series", "type": "nominal", "legend": None, "scale": dashes}
    mark = {"type": "line", "strokeWidth": 2, "invalid": "break-paths-show-domains"}
    layers: list[Spec] = [{"data": {"values": rows}, "mark": mark, "encoding": {**place, **dash}}]
    if points:
        known = [row for row in rows if row["value"] is not None]
        dot = {"type": "point", "size": 24, "filled": True, "opacity": 1}
        layers.append({"data": {"values": known}, "mark": dot, "encoding": place})
    return layers


def _names(ends: list[dict[str, Any]], plot: float, y: Spec, colour: Spec) -> Spec:
    mark = {"type": "text", "align": "left", "baseline": "middle", "lineBreak": "\n", "lineHeight": 13}
    place = {"x": {"value": plot + 7}, "y": {**y, "field": "place"}, "text": {"field": "text"}, "color": colour}
    return {"data": {"values": ends}, "mark": mark, "encoding": place}


def _plain_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Records in the order of time, without what is missing before a series' first value and after its last."""
    known = pl.col("year").filter(pl.col("value").is_not_null())
    frame = frame.filter(pl.col("year").is_between(known.min().over("series"), known.max().over("series")))
    keep = [c for c in ("year", "value", "low", "high", "series") if c in frame.columns]
    return frame.select(keep).sort("series", "year", maintain_order=True).to_dicts()


def _ends(frame: pl.DataFrame, axis: Axis, height: int, *, named: bool) -> list[dict[str, Any]]:
    """Name (or last value, in panels) of each series, moved apart where they would touch."""
    known = frame.filter(pl.col("value").is_not_null())
    last = known.sort("year").group_by("series", maintain_order=True).last()
    rows = []
    final = max(frame["year"].to_list())
    for record in last.to_dicts():
        number = axis.short(record["value"])
        if named and final - record["year"] > 1:
            number += f" in {record['year']}"
        text = "\n".join(wrap(f"{record['series']} {number}", _LABEL_ROOM, SIZE)) if named else number
        rows.append({"series": record["series"], "value": record["value"], "text": text})
    tall = 13.0 * max((len(r["text"].split("\n")) for r in rows), default=1) + 1
    moved = spread([axis.position(r["value"], height) for r in rows], tall, 0, height)
    return [{**r, "place": axis.value_at(p, height)} for r, p in zip(rows, moved, strict=True)]


def year_axis(first: int, last: int, plot: float) -> Spec:
    """Encoding of the years along the bottom: round ones, as many as fit."""
    if first == last:
        first, last = first - 1, last + 1
    room = max(int(plot / 44), 2)
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if (last - first) / s <= room)
    ticks = [y for y in range(first, last + 1) if y % step == 0] or [first, last]
    return {
        "field": "year",
        "type": "quantitative",
        "scale": {"domain": [first, last], "nice": False, "zero": False},
        "axis": {
            "values": ticks,
            "format": "d",
            "title": None,
            "domain": True,
            "domainColor": GREY,
            "ticks": True,
            "tickColor": GREY,
            "tickSize": 4,
            "labelFlush": False,
        },
    }


def _key(colours: dict[str, str]) -> Spec:
    """One line that names the colours, in their own colours."""
    values, at = [], 0.0
    for name, own in colours.items():
        values.append({"x": at, "name": name, "colour": own})
        at += text_width(name, SIZE, bold=True) + 44
    place = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [0, 10], "range": [0, 10]}}
    colour = {"field": "colour", "type": "nominal", "scale": None}
    mark = {"type": "text", "align": "left", "baseline": "middle", "fontWeight": "bold", "dx": 18}
    return {
        "width": 10,
        "height": 14,
        "data": {"values": values},
        "layer": [
            {
                "transform": [{"calculate": "datum.x + 12", "as": "end"}],
                "mark": {"type": "rule", "strokeWidth": 3},
                "encoding": {"x": place, "x2": {"field": "end"}, "color": colour},
            },
            {"mark": mark, "encoding": {"x": place, "text": {"field": "name"}, "color": colour}},
        ],
    }

"""Projection fan: what is known as a line, what is projected as bands that widen."""

from __future__ import annotations

from typing import Any

import polars as pl

from zhol.core.charts.lines import year_axis
from zhol.core.charts.render import Spec, finish
from zhol.core.charts.scales import Axis, spread, value_axis
from zhol.core.charts.theme import BLUE, GREY, INK, SIZE, WIDTH, titles
from zhol.core.fonts import text_width
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number


def fan_spec(
    table: Any,
    *,
    unit: str,
    title: str = "",
    subtitle: str = "",
    width: int = WIDTH,
    height: int = 240,
    centre: str = "median",
) -> Spec:
    """Specification of a fan chart.

    Parameters
    ----------
    table : frame with columns year, value, low, high, level
        Rows without ``level`` are estimates; a projected year has one row a level (for example 80 and 95).
    unit : str
        Unit of the values.
    centre : str
        What the publisher calls the middle of the projection.

    Examples
    --------
    >>> rows = [{"year": 2023, "value": 9, "low": None, "high": None, "level": None}]
    >>> rows += [{"year": 2030, "value": 10, "low": 8, "high": 12, "level": 95}]
    >>> [layer["mark"]["type"] for layer in fan_spec(rows, unit="persons")["layer"]]
    ['area', 'line', 'line', 'text']
    """
    frame = to_polars(table, name="fan chart")
    need_columns(frame, ["year", "value", "low", "high", "level"], name="fan chart")
    known = frame.filter(pl.col("level").is_null()).sort("year")
    ahead = frame.filter(pl.col("level").is_not_null()).sort("level", "year")
    axis = value_axis([v for c in ("value", "low", "high") for v in frame[c].to_list()], unit)
    ends = _ends(known, ahead, axis, height, centre)
    left = max(text_width(label, SIZE - 1) for label in axis.labels) + 8
    plot = width - left - max((text_width(e["text"], SIZE) for e in ends), default=0) - 14
    x = year_axis(frame["year"].min(), frame["year"].max(), plot)  # type: ignore[arg-type]
    y = axis.encoding("value", titleAngle=0, titleAlign="left", titleAnchor="end", titleX=-left, titleY=-10)
    middle = ahead.filter(pl.col("level") == ahead["level"].max()) if ahead.height else ahead
    line = {"type": "line", "strokeWidth": 2}
    layers = [
        *_bands(known, ahead, x, y),
        _line(known, {**line, "color": INK}, x, y),
        _line(pl.concat([known.tail(1), middle]), {**line, "color": BLUE, "strokeDash": [5, 3]}, x, y),
        _names(ends, plot, y),
    ]
    return finish({**titles(title, subtitle), "width": plot, "height": height, "layer": layers})


def _names(ends: list[dict[str, Any]], plot: float, y: Spec) -> Spec:
    colour = {"field": "colour", "type": "nominal", "scale": None}
    place = {"x": {"value": plot + 7}, "y": {**y, "field": "place"}, "text": {"field": "text"}, "color": colour}
    return {
        "data": {"values": ends},
        "mark": {"type": "text", "align": "left", "baseline": "middle"},
        "encoding": place,
    }


def _bands(known: pl.DataFrame, ahead: pl.DataFrame, x: dict[str, Any], y: dict[str, Any]) -> list[Spec]:
    """Widest band first, each starting where the estimates end."""
    layers = []
    start = [{"year": r["year"], "low": r["value"], "high": r["value"]} for r in known.tail(1).to_dicts()]
    for level in ahead["level"].unique().sort(descending=True).to_list():
        rows = ahead.filter(pl.col("level") == level).select("year", "low", "high").to_dicts()
        layers.append(
            {
                "data": {"values": start + rows},
                "mark": {"type": "area", "color": BLUE, "opacity": 0.2},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
            }
        )
    return layers


def _line(frame: pl.DataFrame, mark: dict[str, Any], x: dict[str, Any], y: dict[str, Any]) -> Spec:
    return {"data": {"values": frame.select("year", "value").to_dicts()}, "mark": mark, "encoding": {"x": x, "y": y}}


def _ends(known: pl.DataFrame, ahead: pl.DataFrame, axis: Axis, height: int, centre: str) -> list[dict[str, Any]]:
    """Names at the right edge: the ends of each band in its last year, and the median, moved apart."""
    rows: list[tuple[float, str, str]] = []
    final = ahead.filter(pl.col("year") == ahead["year"].max()).sort("level").to_dicts()
    for record in final:
        for end in ("low", "high"):
            rows.append((record[end], f"{plain_number(record[end])} ({record['level']:g}%)", GREY))
    if final:
        rows.append((final[0]["value"], f"{plain_number(final[0]['value'])} ({centre})", BLUE))
    else:
        rows = [(r["value"], plain_number(r["value"]), INK) for r in known.tail(1).to_dicts()]
    moved = spread([axis.position(value, height) for value, _, _ in rows], 14, 0, height)
    return [
        {"place": axis.value_at(at, height), "text": text, "colour": colour}
        for (_, text, colour), at in zip(rows, moved, strict=True)
    ]

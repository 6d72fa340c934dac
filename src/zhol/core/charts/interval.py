"""Interval chart: one row a number, its dot, its interval, and both written beside it."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from zhol.core.charts.lanes import Lanes
from zhol.core.charts.render import Spec, finish
from zhol.core.charts.scales import Axis, value_axis
from zhol.core.charts.theme import BLUE, CATEGORIES, SIZE, WIDTH, titles
from zhol.core.fonts import text_width
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number

_WORDS = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_OPEN = 46.0  # px of a line that has no end


def interval_spec(
    table: Any, *, unit: str, title: str = "", subtitle: str = "", log: bool = False, width: int = WIDTH
) -> Spec:
    """Specification of an interval chart.

    Parameters
    ----------
    table : frame with columns label, value, low, high
        Optional ``group`` (colour: several dots a row). A row may lack its value (only a range is known), or
        both ends (a hollow dot), or one end (no bound: the line runs out of the plot).
    unit : str
        Unit of the values.
    title, subtitle : str
        Heading; the brief sets its own and leaves these empty.
    log : bool
        Logarithmic axis, for values that differ by orders of magnitude.
    width : int
        Width of the whole chart, px.

    Examples
    --------
    >>> spec = interval_spec([{"label": "KAZ", "value": 2.0, "low": 1.0, "high": 4.0}], unit="persons")
    >>> spec["layer"][-1]["data"]["values"][0]["text"]
    '2 (1–4)'
    """
    frame = to_polars(table, name="interval chart")
    need_columns(frame, ["label", "value", "low", "high"], name="interval chart")
    rows, labels = _rows(frame)
    axis = value_axis((r[k] for r in rows for k in ("value", "low", "high")), unit, log=log)
    grouped = "group" in frame.columns
    lanes = Lanes.of(labels, 27 if grouped else 20)
    right = 8.0 if grouped else max(text_width(r["text"], SIZE) for r in rows) + 14
    plot = max(width - lanes.left - right - 4, 120)
    groups = list(dict.fromkeys(r["group"] for r in rows)) if grouped else []
    for row in rows:
        _ends(row, axis, plot)
        row["y"] = lanes.centres[row["row"]] + (
            6.5 * (groups.index(row["group"]) - (len(groups) - 1) / 2) if grouped else 0
        )
    layers = [lanes.names(), *_mark_layers(rows, axis, groups, lanes)]
    if not grouped:
        layers.append(lanes.beside([(r["y"], r["text"]) for r in rows], plot))
    spec: Spec = {**titles(title, subtitle), "width": plot, "height": lanes.height, "layer": layers}
    return finish(spec)


def _rows(frame: pl.DataFrame) -> tuple[list[dict[str, Any]], list[str]]:
    """Records with a row number each; rows of one label share it when there are groups."""
    grouped = "group" in frame.columns
    records, labels = [], []
    for record in frame.to_dicts():
        label = str(record["label"])
        if not (grouped and label in labels):
            labels.append(label)
        numbers = {k: _finite(record[k]) for k in ("value", "low", "high")}
        row = {"row": labels.index(label) if grouped else len(labels) - 1, "label": label, **numbers}
        if grouped:
            row["group"] = str(record["group"])
        row["text"] = _text(numbers["value"], numbers["low"], numbers["high"])
        records.append(row)
    return records, labels


def _ends(row: dict[str, Any], axis: Axis, plot: float) -> None:
    """Where the line is drawn; without a bound it runs a little beyond the last number, into an arrow."""
    low, high = row["low"], row["high"]
    row["bounded"] = low is not None and high is not None
    if low is None and high is None:
        row["from"] = row["to"] = None
        return
    known = [axis.position(v, plot) for v in (low, row["value"], high) if v is not None]
    row["from"] = axis.value_at(max(min(known) - _OPEN, 0), plot) if low is None else max(low, axis.low)
    row["to"] = axis.value_at(min(max(known) + _OPEN, plot), plot) if high is None else high
    row["open"] = row["from"] if low is None else row["to"] if high is None else None
    row["turn"] = 270 if low is None else 90


def _mark_layers(rows: list[dict[str, Any]], axis: Axis, groups: list[str], lanes: Lanes) -> list[Spec]:
    colour: dict[str, Any] = {"value": BLUE}
    if groups:
        scale = {"domain": groups, "range": list(CATEGORIES[: len(groups)])}
        legend = {"orient": "top", "title": None, "labelFontSize": SIZE, "symbolType": "circle", "symbolOpacity": 1}
        colour = {"field": "group", "type": "nominal", "scale": scale, "legend": legend}
    x, common = axis.encoding("from"), {"y": lanes.axis(), "color": colour}
    spans = [r for r in rows if r["from"] is not None]
    open_ended = [r for r in spans if r.get("open") is not None]
    layers: list[Spec] = [
        {
            "data": {"values": spans},
            "mark": {"type": "rule", "strokeWidth": 3 if groups else 4, "opacity": 0.4, "strokeCap": "round"},
            "encoding": {"x": x, "x2": {"field": "to"}, **common},
        },
        {
            "data": {"values": open_ended},
            "mark": {"type": "point", "filled": True, "shape": "triangle", "size": 70, "opacity": 0.7},
            "encoding": {
                "x": {**x, "field": "open"},
                "angle": {"field": "turn", "type": "quantitative", "scale": None},
                **common,
            },
        },
    ]
    for filled in (True, False):
        fill: dict[str, Any] = {"filled": True} if filled else {"filled": False, "strokeWidth": 1.8}
        layers.append(
            {
                "data": {"values": [r for r in rows if r["value"] is not None and (r["from"] is not None) == filled]},
                "mark": {"type": "point", "size": 40 if groups else 62, "opacity": 1, **fill},
                "encoding": {"x": {**x, "field": "value"}, **common},
            }
        )
    return [layer for layer in layers if layer["data"]["values"]]


def _text(value: float | None, low: float | None, high: float | None) -> str:
    centre = "" if value is None else plain_number(value)
    if low is None and high is None:
        return centre
    span = range_text(low, high)
    return f"{centre} ({span})" if centre else span


def range_text(low: float | None, high: float | None) -> str:
    """An interval in few letters; the word thousand or million stands once when both ends share it.

    Examples
    --------
    >>> range_text(200e3, 300e3), range_text(1, None), range_text(200e3, 2e6), range_text(297e3, 2e6)
    ('200–300 thousand', '1 or more', '0.2–2 million', '297 thousand–2 million')
    >>> range_text(686, 718448), range_text(0, 718448)
    ('686–718,000', '0–718 thousand')
    """
    if high is None:
        return f"{plain_number(low or 0)} or more"
    if low is None:
        return f"up to {plain_number(high)}"
    first, last = plain_number(low), plain_number(high)
    number, _, word = first.partition(" ")
    larger = last.partition(" ")[2]
    if word and word == larger:
        first = number
    elif larger in _WORDS and low > 0:
        # 0.2–2 million reads better than 200 thousand–2 million; 0.297 does not.
        share = float(f"{low / _WORDS[larger]:.3g}")
        if share >= 0.1 and round(share, 2) == share:
            first = f"{share:g}"
        elif not word:
            # 686–718 thousand would read as 686 thousand: both ends in full.
            last = f"{float(f'{high:.3g}'):,.0f}"
    dash = "–" if not last.startswith("-") else " to "
    return f"{first}{dash}{last}"


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)

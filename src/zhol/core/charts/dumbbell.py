"""Dumbbell chart: what rival sources say of the same thing, one row a thing, a line between the rivals."""

from __future__ import annotations

from typing import Any

import polars as pl

from zhol.core.charts.lanes import Lanes
from zhol.core.charts.render import Spec, finish
from zhol.core.charts.scales import value_axis
from zhol.core.charts.theme import CATEGORIES, PALE, SIZE, WIDTH, titles
from zhol.core.fonts import text_width
from zhol.core.frames import need_columns, to_polars


def dumbbell_spec(
    table: Any, *, unit: str, title: str = "", subtitle: str = "", log: bool = True, width: int = WIDTH
) -> Spec:
    """Specification of a dumbbell chart.

    Parameters
    ----------
    table : frame with columns label, source, value
        One row a rival figure. Beside each label stands how many times the largest is the smallest.
    unit : str
        Unit of the values.
    log : bool
        Logarithmic axis: equal distances are then equal ratios.

    Examples
    --------
    >>> rows = [{"label": "RUS", "source": "a", "value": 50}, {"label": "RUS", "source": "b", "value": 100}]
    >>> dumbbell_spec(rows, unit="persons")["layer"][-1]["data"]["values"][0]["text"]
    '2 times'
    """
    frame = to_polars(table, name="dumbbell chart")
    need_columns(frame, ["label", "source", "value"], name="dumbbell chart")
    frame = frame.filter(pl.col("value").is_not_null())
    labels = frame["label"].unique(maintain_order=True).to_list()
    sources = frame["source"].unique(maintain_order=True).to_list()
    axis = value_axis(frame["value"].to_list(), unit, log=log)
    lanes = Lanes.of(labels, 20)
    rows = [{"row": labels.index(r["label"]), "value": r["value"], "source": r["source"]} for r in frame.to_dicts()]
    spans = _spans(rows)
    for row in (*rows, *spans):
        row["y"] = lanes.centres[row["row"]]
    plot = max(width - lanes.left - max(text_width(s["text"], SIZE) for s in spans) - 20, 120)
    x = axis.encoding("value")
    between = {
        "data": {"values": spans},
        "mark": {"type": "rule", "strokeWidth": 3, "color": PALE},
        "encoding": {"y": lanes.axis(), "x": {**x, "field": "low"}, "x2": {"field": "high"}},
    }
    words = lanes.beside([(s["y"], s["text"]) for s in spans], plot)
    layers = [lanes.names(), between, _dots(rows, sources, x, lanes), words]
    return finish({**titles(title, subtitle), "width": plot, "height": lanes.height, "layer": layers})


def _dots(rows: list[dict[str, Any]], sources: list[str], x: dict[str, Any], lanes: Lanes) -> Spec:
    shapes = ["circle", "diamond", "square", "triangle-up", "cross", "triangle-down"]
    legend = {"orient": "top", "title": None, "labelFontSize": SIZE, "labelLimit": 400, "symbolSize": 70}
    common = {"field": "source", "type": "nominal", "legend": legend}
    colour = {**common, "scale": {"domain": sources, "range": list(CATEGORIES[: len(sources)])}}
    shape = {**common, "scale": {"domain": sources, "range": shapes[: len(sources)]}}
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.95},
        "encoding": {"y": lanes.axis(), "x": x, "color": colour, "shape": shape},
    }


def _spans(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    spans = []
    for number in sorted({r["row"] for r in rows}):
        values = [r["value"] for r in rows if r["row"] == number]
        low, high = min(values), max(values)
        text = "one source" if len(values) == 1 else "the same" if low == high else ""
        if not text and low > 0:
            text = f"{high / low:.2g} times" if high / low < 100 else f"{high / low:,.0f} times"
        spans.append({"row": number, "low": low, "high": high, "text": text})
    return spans

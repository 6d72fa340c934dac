"""A line for every point of the frontier across its objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.policy.outcomes import worded

if TYPE_CHECKING:
    import altair as alt

    from zhol.policy.tradeoff_frontier import Frontier

_HEIGHT, _LINE = 260, 15
_NOW = "present policies"


def frontier_chart(found: Frontier, title: str) -> alt.Chart | alt.LayerChart:
    """Axes side by side, each from its worst (bottom) to its best (top) on the frontier or at present policies."""
    from zhol.core.charts.render import finish, to_altair
    from zhol.core.charts.theme import CATEGORIES, GREY, HAIR, INK, PALE, SIZE, WIDTH, titles

    low, high, rows = _lines(found)
    count = len(found.objectives)
    left, right = 60, WIDTH - 60
    across = [left + (right - left) * k / (count - 1) for k in range(count)]
    for row in rows:
        row["x"], row["y"] = across[row["axis"]], _HEIGHT * (1 - row["at"])
    knees = [f"point {p}" for p in found.knees["point"]]
    x = {"field": "x", "type": "quantitative", "scale": {"domain": [0, WIDTH]}, "axis": None}
    top, bottom = -46, _HEIGHT + 30
    y = {"field": "y", "type": "quantitative", "scale": {"domain": [bottom, top]}, "axis": None}
    place = {"x": x, "y": y, "order": {"field": "axis"}, "detail": {"field": "line"}}
    names = [*knees, _NOW]
    colour = {
        "field": "line", "type": "nominal", "scale": {"domain": names, "range": [*CATEGORIES[: len(knees)], INK]},
        "legend": {"title": None, "orient": "bottom", "labelFontSize": SIZE, "labelColor": INK, "symbolType": "stroke",
                   "symbolStrokeWidth": 3},
    }  # fmt: skip
    texts = []
    for k, (one, unit) in enumerate(zip(found.objectives, found.units, strict=True)):
        lines = _wrapped(one.id.replace("_", " "), 14)
        texts += [{"x": across[k], "y": -40 + i * 12, "text": t, "bold": True} for i, t in enumerate(lines)]
        best, worst = (high[k], low[k]) if one.direction == "more" else (low[k], high[k])
        texts.append({"x": across[k], "y": -10, "text": worded(float(best), unit, signed=True), "bold": False})
        texts.append(
            {"x": across[k], "y": _HEIGHT + 12, "text": worded(float(worst), unit, signed=True), "bold": False}
        )
        texts.append({"x": across[k], "y": _HEIGHT + 25, "text": unit, "bold": False})
    axes = [{"x": a, "y": 0, "y2": _HEIGHT} for a in across]
    text = {"x": x, "y": y, "text": {"field": "text"}}
    layers: list[dict[str, Any]] = [
        {"data": {"values": axes}, "mark": {"type": "rule", "color": HAIR, "strokeWidth": 2},
         "encoding": {"x": x, "y": y, "y2": {"field": "y2"}}},
        {"data": {"values": [r for r in rows if r["line"] not in names]},
         "mark": {"type": "line", "color": PALE, "strokeWidth": 1, "opacity": 0.8}, "encoding": place},
        {"data": {"values": [r for r in rows if r["line"] == _NOW]},
         "mark": {"type": "line", "strokeWidth": 2, "strokeDash": [5, 4]}, "encoding": {**place, "color": colour}},
        {"data": {"values": [r for r in rows if r["line"] in knees]},
         "mark": {"type": "line", "strokeWidth": 2.5, "point": {"size": 30}}, "encoding": {**place, "color": colour}},
        {"data": {"values": [t for t in texts if t["bold"]]},
         "mark": {"type": "text", "fontSize": SIZE - 1, "fontWeight": "bold"}, "encoding": text},
        {"data": {"values": [t for t in texts if not t["bold"]]},
         "mark": {"type": "text", "fontSize": SIZE - 1, "color": GREY}, "encoding": text},
    ]  # fmt: skip
    below = f"difference to present policies that holds in {found.quantile:.0%} of draws; best at the top"
    spec = {**titles(title or "Mixes of instruments that no lawful other beats", below), "width": WIDTH,
            "height": bottom - top, "layer": layers}  # fmt: skip
    return to_altair(finish(spec))


def _lines(found: Frontier) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Ends of the axes, and each point's place on them from 0 (worst) to 1 (best)."""
    names = [f"{o.id}_robust" for o in found.objectives]
    values = np.concatenate([found.table.select(names).to_numpy(), np.zeros((1, len(names)))])
    low, high = values.min(axis=0), values.max(axis=0)
    at = (values - low) / np.where(high > low, high - low, 1.0)
    less = np.array([o.direction == "less" for o in found.objectives])
    at = np.where(less, 1.0 - at, at)
    labels = [*(f"point {p}" for p in found.table["point"]), _NOW]
    rows = [
        {"line": label, "axis": k, "at": float(at[i, k])} for i, label in enumerate(labels) for k in range(len(names))
    ]
    return low, high, rows


def _wrapped(words: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(words, width)[:2]

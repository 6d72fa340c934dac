"""Sankey diagram: origins on the left, destinations on the right, flows as bands between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.charts.flow_shapes import (
    REST,
    Drawn,
    list_drawn,
    read_flows,
    say,
    shape,
    shapes_layer,
    text_layers,
    whole,
)
from zhol.core.charts.render import Spec
from zhol.core.charts.theme import GREY, SIZE, WIDTH, titles
from zhol.core.fonts import text_width
from zhol.core.quantity import plain_number

Array = NDArray[np.float64]
_BAR, _GAP, _LEAST = 12.0, 10.0, 26.0  # px: width of a bar, room between bars, room a label needs


def sankey_spec(
    flows: Any,
    *,
    unit: str,
    places: Any = None,
    top: int = 6,
    threshold: float = 0.004,
    listed: int = 8,
    tall: float = 380.0,
    title: str = "",
    subtitle: str = "",
    width: int = WIDTH,
) -> Spec:
    """Specification of a Sankey diagram.

    Parameters
    ----------
    flows, unit, places, top, threshold, listed
        As in ``chord_spec``; a band has the colour of its origin.
    tall : float
        Height of the bars of one side with the room between them, px.

    Examples
    --------
    >>> rows = [{"origin": "UZB", "destination": "RUS", "value": 50, "low": 40, "high": 70}]
    >>> spec = sankey_spec(rows, unit="persons")
    >>> spec["layer"][0]["data"]["values"][0]["properties"]["tooltip"]
    'UZB → RUS: 50 (40–70) persons'
    """
    drawn = read_flows(flows, places, top, threshold, "Sankey diagram")
    left, right = _order(drawn, "origin"), _order(drawn, "destination")
    scale = _scale(drawn, left, right, tall)
    start, finish_at = _bars(drawn, "origin", left, scale), _bars(drawn, "destination", right, scale)
    room = [max(text_width(drawn.names[p], SIZE, bold=True) for p in side) for side in (left, right)]
    room = [max(r, text_width("000 thousand", SIZE - 1)) + 10 for r in room]
    x0, x1 = room[0] + _BAR, width - room[1] - _BAR
    bands = _bands(drawn, start, finish_at, x0, x1, left, right, scale, unit)
    head = 24.0
    for band in bands:
        ring = band["geometry"]["coordinates"][0]
        band["geometry"]["coordinates"][0] = [[x, y + head] for x, y in ring]
    bars, texts = [], _headings(x0, x1)
    for places_, ends, x, align in ((left, start, x0 - _BAR, "right"), (right, finish_at, x1, "left")):
        for place in places_:
            top_, size = ends[place]
            fill = drawn.colours[place]
            total = plain_number(size / scale)
            y = top_ + head
            box = np.array([[x, y], [x, y + size], [x + _BAR, y + size], [x + _BAR, y]])
            bars.append(shape(box, fill, f"{drawn.names[place]}: {total} {unit} (flows drawn)"))
            at = x - 7 if align == "right" else x + _BAR + 7
            middle = y + size / 2
            texts.append({"x": at, "y": middle - 7, "text": drawn.names[place], "align": align, "weight": "bold"})
            texts.append({"x": at, "y": middle + 7, "text": total, "align": align, "color": GREY, "size": SIZE - 1})
    bottom = head + max(t + s for ends in (start, finish_at) for t, s in ends.values())
    listed_texts, end = list_drawn(drawn, unit, width, bottom + 30, listed)
    layers = [shapes_layer(bands, 0.72), shapes_layer(bars, 1.0)]
    layers += text_layers([*texts, *listed_texts], width, end + 4)
    return whole({**titles(title, subtitle), "width": width, "height": end + 4, "layer": layers})


def _headings(x0: float, x1: float) -> list[dict[str, Any]]:
    look = {"y": 6.0, "color": GREY, "size": SIZE - 1}
    return [{"x": x0, "text": "from", "align": "right", **look}, {"x": x1, "text": "to", "align": "left", **look}]


def _order(drawn: Drawn, side: str) -> list[str]:
    """Largest first, the summed rest last."""
    sums = drawn.flows.group_by(side).agg(pl.col("value").sum())
    return [p for p, _ in sorted(sums.iter_rows(), key=lambda r: (r[0] == REST, -r[1]))]


def _scale(drawn: Drawn, left: list[str], right: list[str], tall: float) -> float:
    """Pixels a person, such that the fuller side fits."""
    free = tall - _GAP * (max(len(left), len(right)) - 1)
    return max(free, 60.0) / float(drawn.flows["value"].sum())


def _bars(drawn: Drawn, side: str, order: list[str], scale: float) -> dict[str, tuple[float, float]]:
    """Top and height of every bar; small bars stand far enough apart for their labels."""
    found, at, last = {}, 0.0, -1e9
    for place in order:
        size = scale * sum(r["value"] for r in drawn.flows.to_dicts() if r[side] == place)
        at = max(at, last + _LEAST - size / 2)
        found[place] = (at, size)
        last = at + size / 2
        at += size + _GAP
    return found


def _bands(
    drawn: Drawn,
    start: dict[str, tuple[float, float]],
    end: dict[str, tuple[float, float]],
    x0: float,
    x1: float,
    left: list[str],
    right: list[str],
    scale: float,
    unit: str,
) -> list[Spec]:
    """A band a flow; at each bar in the order of the other side, so that bands cross little."""
    rows = sorted(drawn.flows.to_dicts(), key=lambda r: (left.index(r["origin"]), right.index(r["destination"])))
    used = {("origin", p): t for p, (t, _) in start.items()} | {("destination", p): t for p, (t, _) in end.items()}
    bands = []
    for row in rows:
        size = scale * row["value"]
        a, b = used["origin", row["origin"]], used["destination", row["destination"]]
        used["origin", row["origin"]] += size
        used["destination", row["destination"]] += size
        t = np.linspace(0, 1, 32)
        x, y = x0 + (x1 - x0) * t, a + (b - a) * (3 * t**2 - 2 * t**3)
        outline = np.vstack([np.column_stack([x, y]), np.column_stack([x, y + size])[::-1]])
        words = f"{drawn.names[row['origin']]} → {drawn.names[row['destination']]}: {say(row)} {unit}"
        bands.append(shape(outline, drawn.colours[row["origin"]], words))
    return bands

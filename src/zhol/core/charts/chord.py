"""Chord diagram: who moves to whom, as ribbons between the places on a ring."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from zhol.core.charts.flow_shapes import Drawn, list_drawn, read_flows, say, shape, shapes_layer, text_layers, whole
from zhol.core.charts.render import Spec
from zhol.core.charts.scales import spread
from zhol.core.charts.theme import GREY, SIZE, WIDTH, titles
from zhol.core.quantity import plain_number

Array = NDArray[np.float64]
_RADIUS, _BAND, _GAP = 168.0, 12.0, 0.045  # px, px, radians between places
_TOP = 44.0  # px above and below the ring, where labels of places at the top and the bottom stand
_LEAVE, _ARRIVE = 5.0, 16.0  # px between the band and the two ends of a ribbon


class _Slot(NamedTuple):
    start: float
    end: float


def chord_spec(
    flows: Any,
    *,
    unit: str,
    places: Any = None,
    top: int = 6,
    threshold: float = 0.002,
    listed: int = 8,
    title: str = "",
    subtitle: str = "",
    width: int = WIDTH,
) -> Spec:
    """Specification of a chord diagram.

    A ribbon has the colour of the place people leave, starts at its band and ends with a point before the band of the
    place they come to. The length of a band is the number of people who leave and come.

    Parameters
    ----------
    flows : frame with origin, destination, value (or persons), and optionally low and high
        One flow a row.
    unit : str
        Unit of the values.
    places : mapping of code to name, or frame with place and name, optional
    top : int
        Places with a colour of their own, the largest (six colours can be told apart by everybody); the others are one
        grey band.
    threshold : float
        Flows below this share of all are counted under the picture, not drawn.
    listed : int
        How many flows to list with their intervals.

    Examples
    --------
    >>> rows = {"origin": ["UZB", "RUS"], "destination": ["RUS", "UZB"], "value": [50, 9]}
    >>> spec = chord_spec(rows, unit="persons")
    >>> [f["properties"]["tooltip"] for f in spec["layer"][0]["data"]["values"]]
    ['UZB → RUS: 50 persons', 'RUS → UZB: 9 persons']
    """
    drawn = read_flows(flows, places, top, threshold, "chord diagram")
    centre = np.array([width / 2, _RADIUS + _TOP])
    slots, bands = _slots(drawn)
    ribbons = []
    for row in drawn.flows.to_dicts():
        pair = row["origin"], row["destination"]
        words = f"{drawn.names[pair[0]]} → {drawn.names[pair[1]]}: {say(row)} {unit}"
        ribbons.append(shape(_ribbon(centre, slots[*pair, 0], slots[*pair, 1]), drawn.colours[pair[0]], words))
    rings = [shape(_band(centre, bands[p]), drawn.colours[p], _total(drawn, p, unit)) for p in drawn.order]
    below = 2 * _RADIUS + 2 * _TOP + 34
    texts, end = list_drawn(drawn, unit, width, below, listed)
    height = end + 4
    layers = [shapes_layer(ribbons, 0.8), shapes_layer(rings, 1.0)]
    layers += text_layers([*_labels(drawn, centre, bands), *texts], width, height)
    return whole({**titles(title, subtitle), "width": width, "height": height, "layer": layers})


def _slots(drawn: Drawn) -> tuple[dict[tuple[str, str, int], _Slot], dict[str, _Slot]]:
    """Angles (clockwise from the top) of both ends of every flow and of every band.

    Around a band the partners stand in the order in which they follow anticlockwise, so that ribbons cross little.
    """
    rows = drawn.flows.to_dicts()
    size = {p: sum(r["value"] for r in rows if p in (r["origin"], r["destination"])) for p in drawn.order}
    turn = (2 * math.pi - _GAP * len(drawn.order)) / sum(size.values())
    slots: dict[tuple[str, str, int], _Slot] = {}
    bands: dict[str, _Slot] = {}
    at = _GAP / 2
    for k, place in enumerate(drawn.order):
        start = at
        partners = [drawn.order[(k - step) % len(drawn.order)] for step in range(1, len(drawn.order) + 1)]
        for partner in partners:
            for row in rows:
                ends = row["origin"], row["destination"]
                if ends in ((place, partner), (partner, place)) and partner != place:
                    side = 0 if ends[0] == place else 1
                    slots[*ends, side] = _Slot(at, at + turn * row["value"])
                    at += turn * row["value"]
        bands[place] = _Slot(start, at)
        at += _GAP
    return slots, bands


def _on(centre: Array, radius: float, angle: Array | float) -> Array:
    angles = np.atleast_1d(np.asarray(angle, float))
    return centre + radius * np.column_stack([np.sin(angles), -np.cos(angles)])


def _arc(centre: Array, radius: float, slot: _Slot) -> Array:
    return _on(centre, radius, np.linspace(slot.start, slot.end, max(3, int((slot.end - slot.start) * 40))))


def _ribbon(centre: Array, leave: _Slot, arrive: _Slot) -> Array:
    """From the band of the origin through the middle to a point before the band of the destination."""
    first = _arc(centre, _RADIUS - _LEAVE, leave)
    inner = _RADIUS - _ARRIVE
    middle = (arrive.start + arrive.end) / 2
    reach = min(9.0, max(3.0, inner * (arrive.end - arrive.start)))
    near, far = _on(centre, inner, arrive.start)[0], _on(centre, inner, arrive.end)[0]
    point = _on(centre, inner + reach, middle)
    return np.vstack([first, _curve(first[-1], near, centre), point, _curve(far, first[0], centre)])


def _curve(start: Array, end: Array, centre: Array) -> Array:
    t = np.linspace(0, 1, 28)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * centre + t**2 * end


def _band(centre: Array, slot: _Slot) -> Array:
    return np.vstack([_arc(centre, _RADIUS, slot), _arc(centre, _RADIUS + _BAND, slot)[::-1]])


def _total(drawn: Drawn, place: str, unit: str) -> str:
    rows = drawn.flows.to_dicts()
    out, into = (sum(r["value"] for r in rows if r[s] == place) for s in ("origin", "destination"))
    return f"{drawn.names[place]}: {plain_number(out)} leave, {plain_number(into)} come ({unit}, flows drawn)"


def _labels(drawn: Drawn, centre: Array, bands: dict[str, _Slot]) -> list[dict[str, Any]]:
    """Name outside the band, and under it how many leave and come; pushed apart where they would touch."""
    rows = drawn.flows.to_dicts()
    found: list[dict[str, Any]] = []
    for side in (1, -1):
        angles = {p: (bands[p].start + bands[p].end) / 2 for p in drawn.order}
        own = [p for p in drawn.order if (math.sin(angles[p]) >= 0) == (side > 0)]
        own.sort(key=lambda p: -math.cos(angles[p]))
        spots = {p: _on(centre, _RADIUS + _BAND + 9, angles[p])[0] for p in own}
        # At the top and the bottom the middle of a label has to stand farther out than at the sides.
        wanted = [float(spots[p][1]) - 20 * math.cos(angles[p]) for p in own]
        heights = spread(wanted, 46.0, 20.0, float(centre[1]) + _RADIUS + _TOP)
        for place, y in zip(own, heights, strict=True):
            out, into = (sum(r["value"] for r in rows if r[s] == place) for s in ("origin", "destination"))
            common = {"x": float(spots[place][0]), "align": "left" if side > 0 else "right"}
            small = {**common, "color": GREY, "size": SIZE - 1}
            found.append({**common, "y": y - 14, "text": drawn.names[place], "weight": "bold"})
            found.append({**small, "y": y, "text": f"{plain_number(out)} leave"})
            found.append({**small, "y": y + 13, "text": f"{plain_number(into)} come"})
    return found

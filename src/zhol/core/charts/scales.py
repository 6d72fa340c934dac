"""Axes that read well: round ticks, thousands and millions said once in the title, labels that do not collide."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from zhol.core.charts.theme import HAIR


class Axis(NamedTuple):
    """Domain, ticks and words of one value axis."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]
    title: str
    log: bool
    divisor: float = 1.0

    def short(self, value: float) -> str:
        """A value in the axis' own units (thousands where the title says thousand), three significant digits."""
        scaled = value / self.divisor
        return _plain(round(scaled) if abs(scaled) >= 1000 else float(f"{scaled:.3g}"))

    def encoding(self, field: str, **axis: Any) -> dict[str, Any]:
        """Vega-Lite encoding of a field on this axis."""
        words = json.dumps({_key(t): label for t, label in zip(self.ticks, self.labels, strict=True)})
        scale: dict[str, Any] = {"domain": [self.low, self.high], "nice": False, "zero": False}
        if self.log:
            scale["type"] = "log"
        return {
            "field": field,
            "type": "quantitative",
            "scale": scale,
            "axis": {
                "values": list(self.ticks),
                "labelExpr": f"({words})[format(datum.value, '.10~g')]",
                "grid": True,
                "gridColor": HAIR,
                "title": self.title,
                **axis,
            },
        }

    def position(self, value: float, length: float) -> float:
        """Distance of a value from the low end, on an axis of this length."""
        if self.log:
            return length * math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return length * (value - self.low) / (self.high - self.low)

    def value_at(self, position: float, length: float) -> float:
        """Inverse of ``position``."""
        share = position / length
        return self.low * (self.high / self.low) ** share if self.log else self.low + share * (self.high - self.low)


def value_axis(values: Iterable[float | None], unit: str, *, log: bool = False, zero: bool = True, n: int = 5) -> Axis:
    """Axis that holds all values, with about ``n`` round ticks.

    Examples
    --------
    >>> axis = value_axis([120_000, 690_000], "persons")
    >>> axis.labels, axis.title
    (('0', '200', '400', '600'), 'thousand persons')
    """
    known = [v for v in values if v is not None and math.isfinite(v)]
    if log:
        known = [v for v in known if v > 0]
    if not known:
        known = [1.0, 10.0] if log else [0.0, 1.0]
    low, high = min(known), max(known)
    return _log_axis(low, high, unit) if log else _linear_axis(low, high, unit, zero, n)


def _linear_axis(low: float, high: float, unit: str, zero: bool, n: int) -> Axis:
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        high = low + (abs(low) or 1.0)
    step = _round_step((high - low) / n)
    first = math.floor(low / step + 1e-9) * step
    ticks = tuple(round(first + i * step, 12) for i in range(math.floor((high - first) / step + 1e-9) + 1))
    shown, title, divisor = _worded(ticks, unit)
    return Axis(first, max(high + 0.02 * (high - first), ticks[-1]), ticks, shown, title, False, divisor)


def _log_axis(low: float, high: float, unit: str) -> Axis:
    low, high = low / 1.25, high * 1.25
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < 2.2 else (1, 3) if decades < 3.5 else (1,)
    grid = [s * 10.0**e for e in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1) for s in steps]
    ticks = tuple(round(t, 12) for t in grid if low <= t <= high)
    shown, title, divisor = _worded(ticks, unit)
    return Axis(low, high, ticks, shown, title, True, divisor)


def _round_step(raw: float) -> float:
    size = 10.0 ** math.floor(math.log10(raw))
    return next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)


def _worded(ticks: Sequence[float], unit: str) -> tuple[tuple[str, ...], str, float]:
    """Tick labels in units, thousands or millions, the axis title that says which, and the divisor."""
    most = max(abs(t) for t in ticks) if ticks else 0
    divisor, word = (1e9, "billion") if most >= 2e9 else (1e6, "million") if most >= 2e6 else (1e3, "thousand")
    if most < 20_000:
        divisor, title = 1.0, unit
    elif unit.endswith(" million"):
        divisor, title = 1e3, f"{unit.removesuffix(' million')} billion"
    else:
        title = f"{word} {unit}"
    return tuple(_plain(t / divisor) for t in ticks), title, divisor


def _plain(value: float) -> str:
    text = f"{value:,.6f}".rstrip("0").rstrip(".")
    return ("−" + text[1:] if text.startswith("-") else text) or "0"


def _key(value: float) -> str:
    """What d3's ``.10~g`` writes for this number: the key of the label table."""
    text = f"{value:.10g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent):+d}"
    return text.replace("-", "−")


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart until neighbours stand at least ``gap`` from each other, as little as possible.

    Examples
    --------
    >>> spread([10, 11, 50], 12, 0, 100)
    [4.5, 16.5, 50.0]
    """
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    groups: list[list[float]] = []  # centre, count
    for i in order:
        groups.append([float(positions[i]), 1.0])
        while len(groups) > 1 and _touch(groups[-2], groups[-1], gap):
            above, below = groups.pop(), groups.pop()
            count = above[1] + below[1]
            groups.append([(above[0] * above[1] + below[0] * below[1]) / count, count])
    placed = [centre + (k - (count - 1) / 2) * gap for centre, count in groups for k in range(int(count))]
    # Away from the edges without coming nearer to each other; with too little room the low edge wins.
    last = len(placed) - 1
    placed = [min(p, high - (last - k) * gap) for k, p in enumerate(placed)]
    placed = [max(p, low + k * gap) for k, p in enumerate(placed)]
    result = [0.0] * len(positions)
    for i, position in zip(order, placed, strict=True):
        result[i] = position
    return result


def _touch(first: list[float], second: list[float], gap: float) -> bool:
    return second[0] - first[0] < gap * (first[1] + second[1]) / 2

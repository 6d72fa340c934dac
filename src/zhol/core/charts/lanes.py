"""Rows of a chart that have names: each as tall as its name needs."""

from __future__ import annotations

from typing import Any, NamedTuple

from zhol.core.charts.render import Spec
from zhol.core.charts.theme import GREY, SIZE
from zhol.core.fonts import text_width, wrap

_WIDEST = 330  # px, most room for names
_LINE = 13


class Lanes(NamedTuple):
    """Names in lines, the centre of each row and the height of all, px."""

    lines: list[list[str]]
    centres: list[float]
    height: float
    left: float

    @classmethod
    def of(cls, labels: list[str], least: float) -> Lanes:
        """Lay rows out; none is lower than ``least``.

        Examples
        --------
        >>> Lanes.of(["a", "b"], 24).centres
        [12.0, 36.0]
        """
        lines = [wrap(label, _WIDEST, SIZE) for label in labels]
        heights = [max(least, _LINE * len(parts) + 7) for parts in lines]
        centres = [sum(heights[:i]) + own / 2 for i, own in enumerate(heights)]
        return cls(lines, centres, sum(heights), max(text_width(x, SIZE) for parts in lines for x in parts) + 14)

    def axis(self, field: str = "y") -> dict[str, Any]:
        """Encoding of a vertical position in px."""
        scale = {"domain": [0, self.height], "range": [0, self.height], "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "axis": None, "scale": scale}

    def names(self) -> Spec:
        """The names at the far left, each centred on its row."""
        values = [
            {"y": centre + _LINE * (k - (len(parts) - 1) / 2), "text": part}
            for parts, centre in zip(self.lines, self.centres, strict=True)
            for k, part in enumerate(parts)
        ]
        mark = {"type": "text", "align": "left", "baseline": "middle"}
        encoding = {"y": self.axis(), "x": {"value": -self.left}, "text": {"field": "text"}}
        return {"data": {"values": values}, "mark": mark, "encoding": encoding}

    def beside(self, texts: list[tuple[float, str]], plot: float) -> Spec:
        """Words to the right of the plot, at given heights."""
        values = [{"y": y, "text": words} for y, words in texts]
        mark = {"type": "text", "align": "left", "baseline": "middle", "color": GREY}
        encoding = {"y": self.axis(), "x": {"value": plot + 12}, "text": {"field": "text"}}
        return {"data": {"values": values}, "mark": mark, "encoding": encoding}

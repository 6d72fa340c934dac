"""Matrix of rows and columns: a filled circle says how strong a tie is, in steps that survive grey print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zhol.core.charts.render import Spec, finish
from zhol.core.charts.theme import GREY, HAIR, SIZE, TINTS, WIDTH, titles
from zhol.core.fonts import text_width, wrap
from zhol.core.frames import need_columns, to_polars

_LEFT = 330  # most room for row names, px


def matrix_spec(
    table: Any,
    *,
    levels: Sequence[str],
    title: str = "",
    subtitle: str = "",
    width: int = WIDTH,
    columns: Sequence[str] | None = None,
) -> Spec:
    """Specification of a matrix chart.

    Parameters
    ----------
    table : frame with columns row, column, level
        One cell a row; a cell that is not there stays empty (nothing known, not zero).
    levels : sequence of str
        The levels from weakest to strongest; a stronger one is a larger and darker circle.
    columns : sequence of str, optional
        Order of the columns, also of those without a cell.

    Examples
    --------
    >>> spec = matrix_spec([{"row": "a", "column": "b", "level": "signed"}], levels=["signed", "in force"])
    >>> len(spec["layer"])
    5
    """
    frame = to_polars(table, name="matrix")
    need_columns(frame, ["row", "column", "level"], name="matrix")
    rows = list(dict.fromkeys(frame["row"].to_list()))
    names = list(columns or dict.fromkeys(frame["column"].to_list()))
    lines = [wrap(name, _LEFT, SIZE) for name in rows]
    left = max(text_width(line, SIZE) for parts in lines for line in parts) + 16
    step_x = min(78.0, (width - left - 4) / max(len(names), 1))  # the chart is as wide as all, its columns may not be
    step_y = max(21, 13 * max(len(parts) for parts in lines) + 8)
    place = _scales(len(names), len(rows), step_x, step_y)
    cells = []
    for cell in frame.filter(frame["column"].is_in(names)).to_dicts():
        rank = levels.index(cell["level"])
        cells.append({"x": names.index(cell["column"]) + 0.5, "y": rows.index(cell["row"]) + 0.5, **_dot(rank, levels)})
    heads = [wrap(name, step_x - 6, SIZE - 1) for name in names]
    spec: Spec = {
        **titles(title, subtitle),
        "width": width - left - 4,
        "height": step_y * len(rows),
        "layer": [
            _rules(len(rows), place),
            _names(lines, place, -left, step_y),
            _heads(heads, place, step_y),
            _circles(cells, place),
            *_key(levels, step_y * len(rows), left, place),
        ],
    }
    return finish(spec)


def _dot(rank: int, levels: Sequence[str]) -> dict[str, Any]:
    share = (rank + 1) / len(levels)
    return {"size": 40 + 130 * share, "fill": TINTS[round(share * (len(TINTS) - 1))]}


def _scales(columns: int, rows: int, step_x: float, step_y: float) -> dict[str, Any]:
    def axis(field: str, count: int, step: float) -> dict[str, Any]:
        scale = {"domain": [0, count], "range": [0, count * step], "nice": False, "zero": False}
        return {"field": field, "type": "quantitative", "axis": None, "scale": scale}

    return {"x": axis("x", columns, step_x), "y": axis("y", rows, step_y)}


def _rules(count: int, place: dict[str, Any]) -> Spec:
    values = [{"y": i} for i in range(count + 1)]
    return {"data": {"values": values}, "mark": {"type": "rule", "color": HAIR}, "encoding": {"y": place["y"]}}


def _names(lines: list[list[str]], place: dict[str, Any], at: float, step: float) -> Spec:
    """Names of the rows at the far left; each line of a long one by itself, centred on the row."""
    values = [
        {"y": i + 0.5 + 13 / step * (k - (len(parts) - 1) / 2), "text": part}
        for i, parts in enumerate(lines)
        for k, part in enumerate(parts)
    ]
    encoding = {"y": place["y"], "x": {"value": at}, "text": {"field": "text"}}
    mark = {"type": "text", "align": "left", "baseline": "middle"}
    return {"data": {"values": values}, "mark": mark, "encoding": encoding}


def _heads(heads: list[list[str]], place: dict[str, Any], step: float) -> Spec:
    """Names of the columns, standing on the top line."""
    values = [
        {"x": i + 0.5, "y": -(10 + 12 * (len(parts) - 1 - k)) / step, "text": part}
        for i, parts in enumerate(heads)
        for k, part in enumerate(parts)
    ]
    mark = {"type": "text", "baseline": "middle", "fontSize": SIZE - 1, "color": GREY}
    return {"data": {"values": values}, "mark": mark, "encoding": {**place, "text": {"field": "text"}}}


def _circles(cells: list[dict[str, Any]], place: dict[str, Any]) -> Spec:
    return {
        "data": {"values": cells},
        "mark": {"type": "point", "shape": "circle", "stroke": TINTS[-1], "strokeWidth": 1, "opacity": 1},
        "encoding": {
            **place,
            "fill": {"field": "fill", "type": "nominal", "scale": None},
            "size": {"field": "size", "type": "quantitative", "scale": None},
        },
    }


def _key(levels: Sequence[str], below: float, left: float, place: dict[str, Any]) -> list[Spec]:
    dots, texts, at = [], [], -left + 8
    for rank, level in enumerate(levels):
        dots.append({"px": at, **_dot(rank, levels)})
        texts.append({"px": at + 14, "text": level})
        at += text_width(level, SIZE - 1) + 40
    y = {"value": below + 18}
    layers = []
    for dot in dots:
        circles = _circles([dot], place)
        circles["encoding"] |= {"x": {"value": dot["px"]}, "y": y}
        layers.append(circles)
    for text in texts:
        mark = {"type": "text", "align": "left", "baseline": "middle", "fontSize": SIZE - 1, "color": GREY}
        encoding = {"x": {"value": text["px"]}, "y": y, "text": {"value": text["text"]}}
        layers.append({"data": {"values": [{}]}, "mark": mark, "encoding": encoding})
    return [{"layer": layers}]

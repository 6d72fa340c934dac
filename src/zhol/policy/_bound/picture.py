"""The curve over budgets: kept from passage at most, and on another road, side by side with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import altair as alt

_PANELS = (("bound_share", "kept from passage, at most"), ("rerouted_share", "pass by another road"))
_SIZE = (270, 210)


def curve_chart(curve: pl.DataFrame, title: str) -> alt.Chart | alt.LayerChart:
    """Shares of those in reach against the budget, on one scale."""
    from zhol.core.charts.render import finish, to_altair
    from zhol.core.charts.theme import titles

    ends = [v for c, _ in _PANELS for end in ("", "_low", "_high") for v in curve[f"{c}{end}"].to_list()]
    panels = [_panel(curve, column, words, i, ends) for i, (column, words) in enumerate(_PANELS)]
    words = "% of those in reach; band: 80 % of draws"
    return to_altair(finish({**titles(title, words), "hconcat": panels, "spacing": 24}))


def _panel(curve: pl.DataFrame, column: str, words: str, number: int, ends: list[float | None]) -> dict[str, Any]:
    from zhol.core.charts.scales import value_axis
    from zhol.core.charts.theme import CATEGORIES, SIZE

    names = {"value": column, "low": f"{column}_low", "high": f"{column}_high"}
    rows = [{"budget": r["budget"], **{k: r[c] for k, c in names.items()}} for r in curve.to_dicts()]
    x = value_axis(curve["budget"].to_list(), "units of national intensity").encoding("budget", grid=False)
    y = value_axis(ends, "%").encoding("value", title=None)
    colour = CATEGORIES[number]
    layers = [
        {
            "data": {"values": [r for r in rows if r["low"] is not None]},
            "mark": {"type": "area", "opacity": 0.2, "fill": colour},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": [r for r in rows if r["value"] is not None]},
            "mark": {"type": "line", "strokeWidth": 2, "color": colour, "point": {"size": 26, "color": colour}},
            "encoding": {"x": x, "y": y},
        },
    ]
    heading = {"text": words, "fontSize": SIZE, "offset": 8, "frame": "group", "anchor": "start"}
    return {"title": heading, "width": _SIZE[0], "height": _SIZE[1], "layer": layers}

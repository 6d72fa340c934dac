"""The charts room: one theme, a few kinds of chart, drawn offline.

Each kind comes twice: ``interval_spec`` gives the Vega-Lite specification (a dict; what the brief draws),
``interval`` the same as an Altair chart (what a notebook shows and changes). ``to_svg`` and ``to_png`` draw both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zhol.core.charts.fan import fan_spec
from zhol.core.charts.interval import interval_spec
from zhol.core.charts.lines import lines_spec
from zhol.core.charts.render import to_altair, to_png, to_svg

if TYPE_CHECKING:
    import altair as alt

    Chart = alt.Chart | alt.LayerChart

__all__ = ["fan", "fan_spec", "interval", "interval_spec", "lines", "lines_spec", "to_altair", "to_png", "to_svg"]


def interval(table: Any, *, unit: str, title: str = "", **options: Any) -> Chart:
    """Interval chart of a table with label, value, low and high; see ``interval_spec`` for the options.

    Examples
    --------
    >>> chart = interval([{"label": "2014", "value": None, "low": 2e5, "high": 3e5}], unit="persons")
    >>> "<svg" in to_svg(chart)
    True
    """
    return to_altair(interval_spec(table, unit=unit, title=title, **options))


def lines(table: Any, *, unit: str, title: str = "", **options: Any) -> Chart:
    """Line chart of a table with year, value and series; see ``lines_spec`` for the options."""
    return to_altair(lines_spec(table, unit=unit, title=title, **options))


def fan(table: Any, *, unit: str, title: str = "", **options: Any) -> Chart:
    """Projection fan of a table with year, value, low, high and level; see ``fan_spec`` for the options."""
    return to_altair(fan_spec(table, unit=unit, title=title, **options))

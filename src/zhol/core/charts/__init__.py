"""The charts room: one theme, a few kinds of chart, drawn offline.

Each kind comes twice: ``interval_spec`` gives the Vega-Lite specification (a dict; what the brief draws),
``interval`` the same as an Altair chart (what a notebook shows and changes). ``to_svg`` and ``to_png`` draw both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zhol.core.charts.arcs import arcs_spec
from zhol.core.charts.chord import chord_spec
from zhol.core.charts.corridors import corridors_spec, world_frame
from zhol.core.charts.dumbbell import dumbbell_spec
from zhol.core.charts.fan import fan_spec
from zhol.core.charts.interval import interval_spec
from zhol.core.charts.lines import lines_spec
from zhol.core.charts.matrix import matrix_spec
from zhol.core.charts.render import to_altair, to_png, to_svg
from zhol.core.charts.sankey import sankey_spec

if TYPE_CHECKING:
    import altair as alt

    from zhol.core.world import Frame

    Chart = alt.Chart | alt.LayerChart

__all__ = [
    "arcs",
    "arcs_spec",
    "chord",
    "chord_spec",
    "corridors_spec",
    "dumbbell",
    "dumbbell_spec",
    "fan",
    "fan_spec",
    "interval",
    "interval_spec",
    "lines",
    "lines_spec",
    "map",
    "matrix",
    "matrix_spec",
    "sankey",
    "sankey_spec",
    "to_altair",
    "to_png",
    "to_svg",
    "world_frame",
]


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


def matrix(table: Any, *, levels: Sequence[str], title: str = "", **options: Any) -> Chart:
    """Matrix of a table with row, column and level; see ``matrix_spec`` for the options."""
    return to_altair(matrix_spec(table, levels=levels, title=title, **options))


def dumbbell(table: Any, *, unit: str, title: str = "", **options: Any) -> Chart:
    """Dumbbell chart of a table with label, source and value; see ``dumbbell_spec`` for the options."""
    return to_altair(dumbbell_spec(table, unit=unit, title=title, **options))


def map(corridors: Any, places: Any, *, unit: str, frame: Frame, title: str = "", **options: Any) -> Chart:
    """Map of corridors between places; see ``corridors_spec`` for the options."""
    return to_altair(corridors_spec(corridors, places, unit=unit, frame=frame, title=title, **options))


def chord(flows: Any, *, unit: str, title: str = "", **options: Any) -> Chart:
    """Chord diagram of a table with origin, destination and persons; see ``chord_spec`` for the options.

    Examples
    --------
    >>> drawn = chord({"origin": ["UZB"], "destination": ["RUS"], "persons": [50]}, unit="persons")
    >>> "<svg" in to_svg(drawn)
    True
    """
    return to_altair(chord_spec(flows, unit=unit, title=title, **options))


def sankey(flows: Any, *, unit: str, title: str = "", **options: Any) -> Chart:
    """Sankey diagram of a table with origin, destination and persons; see ``sankey_spec`` for the options."""
    return to_altair(sankey_spec(flows, unit=unit, title=title, **options))


def arcs(flows: Any, places: Any, *, unit: str, frame: Frame, title: str = "", **options: Any) -> Chart:
    """Arc map of flows, coloured by how well each is known; see ``arcs_spec`` for the options."""
    return to_altair(arcs_spec(flows, places, unit=unit, frame=frame, title=title, **options))

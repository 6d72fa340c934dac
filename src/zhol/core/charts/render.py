"""A specification becomes an Altair chart, an SVG or a PNG, offline and with the shipped font."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from zhol.core.charts.theme import config
from zhol.core.errors import ZholError
from zhol.core.fonts import font_folder

if TYPE_CHECKING:
    import altair as alt

Spec = dict[str, Any]


def finish(spec: Spec) -> Spec:
    """Add the theme to a specification."""
    return {"config": config(), **spec}


def to_altair(spec: Spec) -> alt.Chart | alt.LayerChart:
    """The specification as an Altair chart, to change or to show in a notebook."""
    import altair as alt

    return alt.Chart.from_dict(spec)


def to_svg(chart: Any) -> str:
    """Draw a chart as SVG text.

    Parameters
    ----------
    chart : Altair chart or dict
        A chart of this room, any other Altair chart, or a Vega-Lite specification.

    Returns
    -------
    str

    Raises
    ------
    ZholError
        If the chart cannot be drawn.

    Examples
    --------
    >>> from zhol.core.charts import interval_spec
    >>> to_svg(interval_spec([{"label": "a", "value": 2, "low": 1, "high": 3}], unit="persons"))[:4]
    '<svg'
    """
    svg = _draw("svg", chart)
    # The renderer counts its clip paths over the life of the process; from nought, one chart is always one text.
    seen = dict.fromkeys(re.findall(r'id="(clip\d+)"', svg))
    names = {name: f"clip{i}" for i, name in enumerate(seen)}
    return re.sub(r"\bclip\d+\b", lambda m: names.get(m[0], m[0]), svg)


def to_png(chart: Any, *, scale: float = 2.0) -> bytes:
    """Draw a chart as PNG bytes; ``scale`` 2 suits screens, 4 print.

    On white paper where the chart asks for none: see-through colours on no paper come out wrong in PNG.
    """
    spec = dict(chart) if isinstance(chart, dict) else chart.to_dict()
    asked = spec.get("background", spec.get("config", {}).get("background", "transparent"))
    return _draw("png", {**spec, "background": "white"} if asked == "transparent" else spec, scale=scale)


def _draw(form: str, chart: Any, **options: Any) -> Any:
    import vl_convert

    _register_fonts()
    spec = chart if isinstance(chart, dict) else chart.to_dict()
    draw: Any = vl_convert.vegalite_to_svg if form == "svg" else vl_convert.vegalite_to_png
    try:
        return draw(spec, vl_version=_version(), **options)
    except ValueError as error:
        reason = str(error).strip().splitlines()
        raise ZholError("chart cannot be drawn", found=reason[0] if reason else "") from error


@cache
def _register_fonts() -> None:
    import vl_convert

    # An unknown font makes the renderer drop all text without a word: so the folder is ours, and a test reads it back.
    vl_convert.register_font_directory(str(font_folder()))


@cache
def _version() -> str:
    """The Vega-Lite version that Altair writes, as the renderer names it (6.4 for v6.4.1)."""
    import altair as alt
    import vl_convert

    match = re.match(r"v?(\d+)\.(\d+)", alt.SCHEMA_VERSION)
    wanted = f"{match[1]}.{match[2]}" if match else ""
    known = vl_convert.get_vegalite_versions()
    if wanted in known:
        return wanted
    major = [v for v in known if match and v.startswith(f"{match[1]}.")]
    return (major or known)[-1]

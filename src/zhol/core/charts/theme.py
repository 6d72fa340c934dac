"""One look for every chart: colours that colour-blind readers can tell apart, one font, nothing that is not data."""

from __future__ import annotations

from typing import Any

from zhol.core.fonts import FAMILY

# Okabe and Ito's palette (2008), made for colour-blind readers; yellow is left out, it vanishes on white paper.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
CATEGORIES = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY)
INK, GREY, PALE, HAIR = "#1F2933", "#5F6B76", "#B8C0C8", "#E3E7EB"
TINTS = ("#FFFFFF", "#DCE9F3", "#A6CBE3", "#4B97C5", "#00517F")  # steps of one blue, for ordered levels

SIZE = 11  # px; at 700 px on A4 text width this prints at 7.6 pt
WIDTH = 700


def config() -> dict[str, Any]:
    """Vega-Lite configuration that every chart carries."""
    return {
        "font": FAMILY,
        "background": "transparent",
        "view": {"stroke": None},
        "padding": 2,
        "axis": {
            "domain": False,
            "ticks": False,
            "grid": False,
            "labelColor": GREY,
            "labelFontSize": SIZE - 1,
            "labelPadding": 6,
            "titleColor": GREY,
            "titleFontSize": SIZE - 1,
            "titleFontWeight": "normal",
        },
        "text": {"font": FAMILY, "fontSize": SIZE, "color": INK},
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "color": INK,
            "fontSize": SIZE + 2,
            "fontWeight": "bold",
            "subtitleColor": GREY,
            "subtitleFontSize": SIZE,
            "subtitlePadding": 4,
            "offset": 10,
        },
        "header": {"labelColor": INK, "labelFontSize": SIZE, "title": None},
        "concat": {"spacing": 18},
    }


def titles(title: str, subtitle: str = "") -> dict[str, Any]:
    """The ``title`` entry of a specification, or nothing."""
    if not title:
        return {}
    return {"title": {"text": title, "subtitle": subtitle} if subtitle else {"text": title}}

"""The page: one self-contained HTML file that asks for nothing from anywhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhol.core.fonts import web_font

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = Path(__file__).parent / "templates"


def render_html(brief: dict[str, Any]) -> str:
    """The resolved brief as an HTML document.

    Parameters
    ----------
    brief : dict
        What ``resolve`` gives.
    """
    fonts = {style: web_font(style) for style in ("regular", "bold")}
    page = _environment().get_template("page.html.j2")
    return page.render(brief=brief, style=(_TEMPLATES / "style.css").read_text("utf-8"), fonts=fonts)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["drawing"] = _drawing
    return environment


def _drawing(svg: str) -> Any:
    """A chart as part of the page: hidden from screen readers, which read the figure's own words instead."""
    import markupsafe

    svg = re.sub(r' aria-[a-z]+="[^"]*"| role="[^"]*"| xmlns:xlink="[^"]*"', "", svg)
    return markupsafe.Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))

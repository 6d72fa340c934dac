"""One font family for charts, page and PDF, shipped with the package: DejaVu Sans has every Kazakh letter."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

FAMILY = "DejaVu Sans"
_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "fonts"
_FILES = {"regular": "DejaVuSans", "bold": "DejaVuSans-Bold", "oblique": "DejaVuSans-Oblique"}


def font_folder() -> Path:
    """Folder with the shipped TTF files, for programs that load fonts from a path.

    Examples
    --------
    >>> sorted(p.name for p in font_folder().glob("*.ttf"))
    ['DejaVuSans-Bold.ttf', 'DejaVuSans-Oblique.ttf', 'DejaVuSans.ttf']
    """
    return _FOLDER


def web_font(style: str) -> str:
    """Base64 text of the web subset (woff2) of one style: ``regular``, ``bold`` or ``oblique``.

    Examples
    --------
    >>> web_font("regular")[:4]  # the letters "wOF" of the format's signature
    'd09G'
    """
    return base64.b64encode((_FOLDER / f"{_FILES[style]}.woff2").read_bytes()).decode("ascii")


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a line of text in the units of ``size`` (font size), from the font's own advance widths.

    Examples
    --------
    >>> round(text_width("0000", 10), 2)
    25.44
    """
    widths = _widths()["bold" if bold else "regular"]
    return sum(widths.get(letter, 636) for letter in text) * size / 1000


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break a text at spaces so that no line is wider than ``width`` (a longer word stands alone).

    Examples
    --------
    >>> wrap("United Arab Emirates", 70, 10)
    ['United Arab', 'Emirates']
    """
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", size, bold=bold) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


@cache
def _widths() -> dict[str, dict[str, int]]:
    return json.loads((_FOLDER / "widths.json").read_text("utf-8"))

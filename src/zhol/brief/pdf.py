"""The printed brief: A4, set by Typst from the same plain values as the page."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from zhol.core.errors import ZholError
from zhol.core.fonts import font_folder

_TEMPLATE = Path(__file__).parent / "templates" / "brief.typ"


def render_pdf(brief: dict[str, Any]) -> bytes:
    """The resolved brief as a tagged PDF (PDF/UA-1), the same bytes for the same figures.

    Parameters
    ----------
    brief : dict
        What ``resolve`` gives.

    Raises
    ------
    ZholError
        If it cannot be set, or a letter is missing from the font.
    """
    import typst

    # The stub of the library asks for one type in places that take several.
    compile_pdf: Any = typst.compile_with_warnings
    try:
        pdf, warnings = compile_pdf(
            _TEMPLATE.read_bytes(),
            font_paths=[str(font_folder())],
            ignore_system_fonts=True,
            sys_inputs={"brief": json.dumps(brief, ensure_ascii=False)},
            timestamp=_moment(brief["as_of"]),
            pdf_standards=["ua-1"],
            format="pdf",
        )
    except typst.TypstError as error:
        raise ZholError("brief cannot be set as PDF", found=error.message) from error
    if warnings:
        raise ZholError("brief cannot be set as PDF without loss", found=warnings[0].message)
    return pdf


def _moment(as_of: str) -> datetime.datetime:
    """Creation time: the day the figures were retrieved, so that the same figures give the same file."""
    try:
        day = datetime.date.fromisoformat(as_of)
    except ValueError:
        day = datetime.date(int(as_of[:4]) if as_of[:4].isdigit() else 2000, 1, 1)
    return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC)

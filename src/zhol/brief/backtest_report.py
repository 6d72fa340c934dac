"""A backtest as a page in the style of a brief, with its tables beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zhol.brief.compose import PURPOSE, as_of
from zhol.brief.content import Brief, Section
from zhol.brief.html import render_html
from zhol.brief.resolve import resolve
from zhol.brief.sections.trust import blocks
from zhol.core.files import replace_file

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.trust.backtesting import Backtest


def write_backtest_report(region: Region, found: Backtest, out: str | Path) -> tuple[Path, ...]:
    """Write ``backtest.html`` with the misses and scores, ``figures.csv``, ``scores.csv`` and ``backtest.json``.

    Parameters
    ----------
    region : Region
    found : Backtest
    out : str or Path
        Folder; made if it is not there.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    ZholError
        If the folder cannot be written.
    """
    folder = Path(out)
    section = Section("trust", "How far to trust this", tuple(blocks(region, found, found.figures, region.title)))
    page = Brief(
        place=region.name,
        name=region.title,
        title="Backtest of the migration system",
        subtitle="What a fit to an earlier date said of figures that came after, misses first",
        purpose=PURPOSE,
        as_of=as_of(region),
        region=region.title,
        sections=(section,),
    )
    pages = {
        "backtest.html": render_html(resolve(page, region)).encode("utf-8"),
        "figures.csv": found.figures.write_csv().encode("utf-8"),
        "scores.csv": found.scores.write_csv().encode("utf-8"),
    }
    written = [replace_file(folder, name, content) for name, content in pages.items()]
    return (*written, found.save(folder / "backtest.json"))

"""Write the brief of a place: compose once, print twice."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zhol.brief.compose import compose
from zhol.brief.html import render_html
from zhol.brief.resolve import resolve
from zhol.brief.telling import Tell, listening, say
from zhol.core.files import replace_file

if TYPE_CHECKING:
    from zhol.region.load import Region


class BriefFiles(NamedTuple):
    """Where a brief was written; ``pdf`` is None if none was asked for."""

    html: Path
    pdf: Path | None


def write_brief(
    region: Region, place: str, out: str | Path, *, pdf: bool = True, progress: Tell | None = None
) -> BriefFiles:
    """Write the brief of a place as one self-contained HTML file and one PDF.

    Every number in it carries an interval, or the reason why there is none, and the number of its source.

    Parameters
    ----------
    region : Region
        A loaded pack.
    place : str
        Code of a country or block of the pack.
    out : str or Path
        Folder; made if it is not there. Files are named after the place and appear only when whole.
    pdf : bool
        Also print the PDF.
    progress : callable, optional
        Told in words what is being done.

    Returns
    -------
    BriefFiles

    Raises
    ------
    ZholError
        If the place is unknown or no country or block, or the folder cannot be written.

    Examples
    --------
    >>> import zhol
    >>> region = zhol.load("central_asia")
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as out:
    ...     files = zhol.write_brief(region, "XEU", out, pdf=False)
    >>> files.html.name
    'eu-efta-and-united-kingdom.html'
    """
    with listening(progress):
        brief = compose(region, place)
        say("printing")
    content = resolve(brief, region)
    pages: dict[str, bytes] = {"html": render_html(content).encode("utf-8")}
    if pdf:
        from zhol.brief.pdf import render_pdf

        pages["pdf"] = render_pdf(content)
    stem = slug(brief.name)
    written = {form: replace_file(Path(out), f"{stem}.{form}", page) for form, page in pages.items()}
    return BriefFiles(written["html"], written.get("pdf"))


def slug(name: str) -> str:
    """A file name from a place's name.

    Examples
    --------
    >>> slug("Türkiye"), slug("EU, EFTA and United Kingdom")
    ('turkiye', 'eu-efta-and-united-kingdom')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "place"

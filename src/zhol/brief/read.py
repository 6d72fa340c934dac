"""Questions that several sections ask of a pack."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import yaml

from zhol.brief.quantities import SMALLEST_CELL
from zhol.core.errors import ZholError

if TYPE_CHECKING:
    from zhol.estimate.place_roles import Roles
    from zhol.region.load import Region

NOT_STATED = ("XUN",)


def names(region: Region) -> dict[str, str]:
    """Name of every place."""
    return dict(region.places.select("place", "name").iter_rows())


def real_places(region: Region) -> list[str]:
    """Countries and blocks: what a corridor can start or end at by name."""
    kinds = region.places.filter(pl.col("kind").is_in(["country", "block"]))
    return kinds["place"].to_list()


def revisions(region: Region) -> list[int]:
    """Revisions of the stocks, oldest first."""
    return region.table("stocks")["revision"].drop_nulls().unique().sort().to_list()


def stocks(region: Region, place: str, side: str) -> pl.DataFrame:
    """Stocks that start (``origin``) or end (``destination``) at a place; ``partner`` names the other end."""
    other = "destination" if side == "origin" else "origin"
    rows = region.table("stocks").filter(pl.col(side) == place)
    return rows.rename({other: "partner"}).filter(pl.col("persons") >= SMALLEST_CELL)


def counted_by(rows: pl.DataFrame) -> str:
    """What makes someone a migrant in these stocks: ``birth``, ``citizenship``, or ``both`` where countries differ.

    Examples
    --------
    >>> counted_by(pl.DataFrame({"basis": ["B", "BR"]})), counted_by(pl.DataFrame({"basis": ["CR"]}))
    ('birth', 'citizenship')
    """
    codes = {code for cell in rows["basis"].drop_nulls().to_list() for code in cell.split(";")}
    birth, citizenship = any("B" in c for c in codes), any("C" in c for c in codes)
    return "birth" if birth and not citizenship else "citizenship" if citizenship and not birth else "both"


def top_partners(region: Region, place: str, side: str, count: int) -> list[str]:
    """Partners with the largest stock in the last year that the revisions share, whichever revision says so."""
    rows = stocks(region, place, side).filter(pl.col("partner").is_in(real_places(region)))
    if not rows.height:
        return []
    last = rows.filter(pl.col("year") == common_year(rows))
    ranked = last.group_by("partner").agg(pl.col("persons").max()).sort("persons", "partner", descending=[True, False])
    return ranked["partner"].head(count).to_list()


def common_year(rows: pl.DataFrame) -> int:
    """Last year that every revision in the rows has (the last of any, if they share none)."""
    by_revision = [set(part["year"].to_list()) for _, part in rows.group_by("revision")]
    shared = set.intersection(*by_revision) if by_revision else set()
    return max(shared or set(rows["year"].to_list()))


@lru_cache(maxsize=4)
def place_roles(region: Region, year: int) -> Roles | None:
    """Roles of all places, computed once for the sections that need them; None if the pack cannot give them."""
    from zhol.estimate.place_roles import roles

    try:
        return roles(region, year)
    except ZholError:
        return None


def role_words(role: str) -> str:
    """A role as a reader sees it.

    Examples
    --------
    >>> role_words("origin_transit_destination"), role_words("")
    ('origin, transit and destination', 'no clear role')
    """
    parts = [part for part in role.split("_") if part and part != "none"]
    if not parts:
        return "no clear role"
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def joined(words: list[str]) -> str:
    """A list of names in a sentence.

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "none"


def span(start: str | None, end: str | None) -> str:
    """Dates of a figure as briefly as they are known.

    Examples
    --------
    >>> span("2008-01-01", "2008-12-31"), span("2019-06-01", "2019-06-30"), span("2013-10-18", "2013-10-18")
    ('2008', '2019-06', '2013-10-18')
    """
    start, end = start or end or "", end or start or ""
    if not start or start == end:
        return start or "no date"
    if start.endswith("-01-01") and end.endswith("-12-31"):
        return start[:4] if start[:4] == end[:4] else f"{start[:4]}–{end[:4]}"
    if start.endswith("-01") and end[8:] in {"28", "29", "30", "31"}:
        return start[:7] if start[:7] == end[:7] else f"{start[:7]} to {end[:7]}"
    return f"{start} to {end}"


def reconciled_quantities(region: Region, place: str) -> list[str]:
    """Names of the quantities that the pack's ``quantities.yaml`` defines for a place as destination."""
    path = Path(region.path) / "quantities.yaml"
    if not path.is_file():
        return []
    written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return [name for name, entry in written.items() if place in entry["figures"].get("destination", [])]

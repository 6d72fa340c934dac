"""The map that the brief and the command line draw: corridors over roles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from zhol.brief.quantities import SMALLEST_CELL
from zhol.brief.read import common_year, place_roles, real_places, role_words
from zhol.core.charts import corridors_spec, to_png, to_svg
from zhol.core.charts.render import Spec
from zhol.core.errors import ZholError
from zhol.core.files import replace_file
from zhol.region.frame import frame_of
from zhol.region.iso3166 import countries

if TYPE_CHECKING:
    from zhol.region.load import Region

# Tints that stay apart for colour-blind readers and stay pale under the blue and the orange of the arcs.
ROLE_COLOURS = {
    "origin": "#FBE3B6",
    "origin_transit": "#F3CDB4",
    "transit": "#E3D5C5",
    "transit_destination": "#C6DDD6",
    "destination": "#C5DDEE",
    "origin_destination": "#D3E3BF",
    "origin_transit_destination": "#DCCBE3",
}


def corridor_spec(
    region: Region, flows: pl.DataFrame, *, year: int, focus: str | None = None, note: bool = False
) -> Spec:
    """Specification of the corridor map of a region.

    Parameters
    ----------
    region : Region
        A loaded pack; places need coordinates.
    flows : frame with columns origin, destination, value
        Corridors to draw, persons.
    year : int
        Year whose roles fill the places.
    focus : str, optional
        Place to outline; its corridors have two colours.
    note : bool
        Write under the map that boundaries are no endorsement.
    """
    roles = place_roles(region, year)
    classes = {} if roles is None else dict(roles.table.select("place", "role").iter_rows())
    sites = region.places.filter(pl.col("kind").is_in(["country", "block"])).to_dicts()
    rows = [
        {**{k: s[k] for k in ("place", "name", "lat", "lon")}, "m49": _numbers(s), "class": _class(classes, s["place"])}
        for s in sites
    ]
    shown = {role_words(role): colour for role, colour in ROLE_COLOURS.items() if role in set(classes.values())}
    places = pl.DataFrame(rows, infer_schema_length=None)
    return corridors_spec(flows, places, unit="persons", frame=frame_of(region), colours=shown, focus=focus, note=note)


def draw_corridors(region: Region, flows: pl.DataFrame, *, year: int, focus: str | None = None) -> str:
    """The corridor map as SVG."""
    return to_svg(corridor_spec(region, flows, year=year, focus=focus))


def _class(classes: dict[str, str], place: str) -> str | None:
    role = classes.get(place)
    return role_words(role) if role else None


def _numbers(site: dict[str, str | None]) -> str:
    """M49 numbers of a place: its own, or those of a block's members."""
    codes = (site["members"] or site["place"] or "").split(";")
    return ";".join(countries()[c].m49 for c in codes if c in countries())


def largest_corridors(
    region: Region, *, year: int | None = None, place: str | None = None, everywhere: bool = False, top: int = 40
) -> tuple[pl.DataFrame, int]:
    """The largest corridors of a year, each with the spread over the revisions.

    Parameters
    ----------
    year : int, optional
        The last year that all revisions share, if not given.
    place : str, optional
        Only corridors that start or end here.
    everywhere : bool
        Without a place: also corridors that touch none of the places the pack is about.
    top : int
        How many.

    Returns
    -------
    table : polars.DataFrame
        ``origin``, ``destination``, ``year``, ``value`` (persons, newest revision), ``low``, ``high``, ``sources``.
    year : int

    Raises
    ------
    ZholError
        If the place is unknown or nothing is known for the year.
    """
    codes = real_places(region)
    if place is not None and place not in codes:
        raise ZholError("unknown place", found=place, expected=f"one of {', '.join(codes)}")
    ends = pl.col("origin").is_in(codes) & pl.col("destination").is_in(codes) & (pl.col("persons") >= SMALLEST_CELL)
    rows = region.table("stocks").filter(ends)
    touched = [place] if place is not None else [] if everywhere else list(region.focus)
    if touched:
        rows = rows.filter(pl.col("origin").is_in(touched) | pl.col("destination").is_in(touched))
    if not rows.height:
        raise ZholError("no stocks to draw", found=place or region.name)
    when = common_year(rows) if year is None else year
    now = rows.filter(pl.col("year") == when).sort("revision")
    if not now.height:
        known = rows["year"].unique().sort().to_list()
        raise ZholError("no stocks for this year", found=year, expected=f"one of {', '.join(str(y) for y in known)}")
    table = now.group_by("origin", "destination", "year", maintain_order=True).agg(
        value=pl.col("persons").last(),
        low=pl.col("persons").min(),
        high=pl.col("persons").max(),
        sources=pl.col("source_id").unique().sort().str.join(";"),
    )
    return table.sort("value", "origin", "destination", descending=[True, False, False]).head(top), when


def write_map(region: Region, flows: pl.DataFrame, out: str | Path, *, year: int, focus: str | None = None) -> Path:
    """Draw corridors into an SVG or PNG file, whole or not at all.

    Raises
    ------
    ZholError
        If the file's ending is neither, or it cannot be written.
    """
    target = Path(out)
    if target.suffix.lower() not in {".svg", ".png"}:
        raise ZholError("unknown kind of picture", file=target, found=target.suffix, expected=".svg or .png")
    spec = corridor_spec(region, flows, year=year, focus=focus, note=True)
    spec["background"] = "white"
    content = to_png(spec) if target.suffix.lower() == ".png" else to_svg(spec).encode("utf-8")
    return replace_file(target.parent, target.name, content)

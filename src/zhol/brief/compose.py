"""Put the brief of one place together from the registered sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhol.brief.content import Brief, Section, When
from zhol.brief.read import names
from zhol.brief.sections import SECTIONS
from zhol.brief.sections.limits import limits
from zhol.core.errors import ZholError

if TYPE_CHECKING:
    from zhol.region.load import Region

SUBTITLE = "Who lives where and under which rules: what the published figures say, and how far apart they are"
PURPOSE = "Purpose: comparing policies and bodies, never finding people. Aggregates only."


def compose(region: Region, place: str) -> Brief:
    """Ask every section what it has to say about a place.

    Parameters
    ----------
    region : Region
        A loaded pack.
    place : str
        Code of a country or block of the pack.

    Returns
    -------
    Brief
        Sections in reading order; what had nothing to say is named in the limits.

    Raises
    ------
    ZholError
        If the place is unknown, or is no place with people of its own (a group, or the rest of the world).
    """
    known = {row["place"]: row for row in region.places.to_dicts()}
    writable = [code for code, row in known.items() if row["kind"] in {"country", "block"}]
    if place not in writable:
        problem = "no brief for a group or the rest of the world" if place in known else "unknown place"
        raise ZholError(problem, found=place, expected=f"one of {', '.join(writable)}")
    found: list[Section] = []
    missing: list[str] = []
    for part in SECTIONS:
        section = part.compose(region, place)
        if section is None:
            missing += [] if part.without in missing else [part.without]
        else:
            found.append(section)
    found.append(limits(region, place, missing))
    name = names(region)[place]
    return Brief(
        place=place,
        name=name,
        title=f"Migration brief: {name}",
        subtitle=SUBTITLE,
        purpose=PURPOSE,
        as_of=as_of(region),
        region=region.title,
        sections=tuple(found),
        missing=tuple(missing),
    )


def as_of(region: Region) -> When:
    """The latest day on which a source of the pack was retrieved."""
    days = [str(day) for day in region.sources["retrieved"].drop_nulls().to_list()]
    return When(max(days) if days else "no stated date")

"""What the brief cannot say, and the warnings that every brief prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from zhol.brief.content import Bullets, Section, Text, text
from zhol.brief.quantities import counted
from zhol.brief.read import names

if TYPE_CHECKING:
    from zhol.region.load import Region

# Printed word for word in every brief.
WARNINGS = (
    "Detections measure policing as well as migration.",
    "Most causal studies come from the United States-Mexico border and the EU; "
    "transfer to Central Asia is an assumption.",
    "Official counts of the same thing differ by a factor of two to ten.",
)


def limits(region: Region, place: str, missing: list[str]) -> Section:
    """Warnings first, then what is thin or missing for this place."""
    items: list[Text] = [
        text(
            "A stock of people born elsewhere (in some countries: of foreign citizens) is not a stock of migrant "
            "workers: it holds people who moved within one state before its borders became international, and misses "
            "most who come for a season."
        ),
        text(
            "The revisions of the stocks are rival readings by the same publisher. Where both give the same figure it "
            "counts as one observation. A missing pair was not estimated and is not zero."
        ),
        text("Small counts of people (fewer than ten) and rates on fewer than a hundred people are not shown."),
        text("Places are countries and blocks of countries; nothing here is finer than a country or a year."),
        *_second_hand(region, place),
        *(text("{line}", line=line) for line in missing),
    ]
    return Section(
        "limits",
        "Limits",
        (Bullets(tuple((warning,) for warning in WARNINGS), "warning"), Bullets(tuple(items))),
    )


def _second_hand(region: Region, place: str) -> list[Text]:
    """How much of what was published on the place was read in the press and not at its publisher."""
    figures = region.table("figures").filter((pl.col("destination") == place) | (pl.col("origin") == place))
    if not figures.height:
        return []
    secondary = figures.filter(pl.col("status") == "read_secondary").height
    return [
        text(
            "Of {all} cited figures on {name} in the pack, {secondary} were read in the press or a digest and not at "
            "their publisher.",
            all=counted(figures.height, "figures"),
            name=names(region)[place],
            secondary=counted(secondary, "figures"),
        )
    ]

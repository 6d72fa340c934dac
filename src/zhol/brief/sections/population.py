"""Population outlook: estimates, then the projection with its intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from zhol.brief.content import Column, Figure, Number, Paragraph, Section, Table, Text, text, year, years
from zhol.brief.quantities import row_quantity
from zhol.brief.read import names
from zhol.core.charts import fan_spec, to_svg

if TYPE_CHECKING:
    from zhol.region.load import Region


def section(region: Region, place: str) -> Section | None:
    """The population of the place and where it may go."""
    rows = region.table("population").filter(place=place, variable="persons").sort("year", "level")
    if not rows.filter(pl.col("level").is_not_null()).height:
        return None
    called = names(region)[place]
    widest = rows.filter(pl.col("level") == rows["level"].max())
    last, now = widest.tail(1).to_dicts()[0], rows.filter(pl.col("level").is_null()).tail(1).to_dicts()
    lead = text(
        "{name} may have {persons} inhabitants in {when}" + ("; it had {before} in {then}." if now else "."),
        name=called,
        persons=row_quantity(last),
        when=year(last["year"]),
        before=row_quantity(now[0]) if now else "",
        then=year(now[0]["year"]) if now else "",
    )
    figure = Figure(
        title=text("Population of {name}, {span}", name=called, span=years(min(rows["year"]), max(rows["year"]))),
        svg=to_svg(
            fan_spec(rows.select("year", "value", "low", "high", "level"), unit="persons", height=125, centre="medium")
        ),
        alt=f"Population of {called}: estimates as a line, then the middle of the projection with two bands.",
        data=_table(rows),
        note=("Bands: prediction intervals of the projection, as the publisher gives them.",),
    )
    return Section("population", "Population outlook", (Paragraph(lead, "lead"), figure))


def _table(rows: pl.DataFrame) -> Table:
    """Every fifth year, and the last."""
    final = max(rows["year"])
    kept = rows.filter((pl.col("year") % 5 == 0) | (pl.col("year") == final))
    lines: list[tuple[Text, ...]] = []
    for row in kept.to_dicts():
        what: Text = plain_level(row["level"])
        lines.append(((year(row["year"]),), what, (Number(row_quantity(row)),)))
    return Table(
        ("Population, every fifth year of the chart",),
        (Column(("Year",)), Column(("Kind",)), Column(("Persons",), number=True)),
        tuple(lines),
    )


def plain_level(level: float | None) -> Text:
    """Which interval a projected figure carries; its width is no figure about the world."""
    return (
        ("estimate",) if level is None else ("projection, wider band" if level > 90 else "projection, narrower band",)
    )

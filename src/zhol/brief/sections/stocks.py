"""Stocks by origin and by destination over time, under every revision, never differenced across two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from zhol.brief.content import Column, Figure, Number, Paragraph, Section, Table, Text, text, year, years
from zhol.brief.quantities import ONE_REVISION, ONE_SIDE, persons, rivals, sources_of
from zhol.brief.read import common_year, counted_by, names, stocks, top_partners
from zhol.core.charts import lines_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

PANELS = 6
BY = {"birth": "place of birth", "citizenship": "citizenship", "both": "place of birth or citizenship"}


def section(region: Region, place: str) -> Section | None:
    """Small charts, one a corridor: to the place by origin, and from it by destination."""
    figures = [f for side in ("destination", "origin") if (f := _figure(region, place, side)) is not None]
    if not figures:
        return None
    return Section("stocks", "Who lives where, over time", (Paragraph(_finding(region, place), "lead"), *figures))


def totals(region: Region, place: str, side: str) -> tuple[int, Quantity] | None:
    """All people in the place from elsewhere (or elsewhere from the place) in the last year the revisions share."""
    rows = stocks(region, place, side)
    if not rows.height:
        return None
    when = common_year(rows)
    sums = (
        rows.filter(pl.col("year") == when)
        .group_by("revision")
        .agg(pl.col("persons").sum(), pl.col("source_id").first())
    )
    quantity = rivals(sums, "persons", "persons")
    return None if quantity is None else (when, quantity)


def _figure(region: Region, place: str, side: str) -> Figure | None:
    partners = top_partners(region, place, side, PANELS)
    if not partners:
        return None
    called = names(region)
    rows = stocks(region, place, side).filter(pl.col("partner").is_in(partners))
    rank = {partner: i for i, partner in enumerate(partners)}
    rows = rows.with_columns(rank=pl.col("partner").replace_strict(rank)).sort("rank", pl.col("revision") * -1, "year")
    # The newest revision first in every panel, so that its colour is the same throughout.
    points = [
        {
            "year": r["year"],
            "value": r["persons"],
            "series": f"revision {r['revision']}",
            "panel": f"{called[r['partner']]}",
        }
        for r in rows.to_dicts()
    ]
    by = counted_by(rows)
    if side == "destination":
        heading = "People in {name}, by " + BY[by]
    else:
        heading = (
            "People born in {name}, by place of living" if by == "birth" else "People from {name}, by place of living"
        )
    first, last = min(rows["year"]), max(rows["year"])
    return Figure(
        title=text(heading + ", {span}", name=called[place], span=years(first, last)),
        svg=to_svg(lines_spec(points, unit="persons", height=72, points=True)),
        alt=f"Small line charts for {', '.join(called[p] for p in partners)}, each with one line a revision.",
        data=_table(rows, called, BY[by] if side == "destination" else "place of living"),
        note=(
            "Value axes differ from chart to chart; the number at the end of a line is its last figure. The revisions "
            "are rivals: follow a line within one and take no difference between two. A missing figure is not zero.",
        ),
    )


def _table(rows: pl.DataFrame, called: dict[str, str], by: str) -> Table:
    known = rows["revision"].unique().sort().to_list()
    lines: list[tuple[Text, ...]] = []
    for (partner, when), cell in rows.group_by("partner", "year", maintain_order=True):
        numbers: list[Text] = []
        for revision in known:
            own = cell.filter(pl.col("revision") == revision).to_dicts()
            numbers.append(
                (Number(persons(own[0]["persons"], "persons", sources_of(own[0]["source_id"]), ONE_SIDE), "exact"),)
                if own
                else ("not estimated",)
            )
        lines.append(((called[str(partner)],), (year(when),), *numbers))  # type: ignore[arg-type]
    lines.sort(key=lambda line: (line[0][0], line[1][0].shown))  # type: ignore[union-attr]
    return Table(
        title=(f"Persons by {by} and revision",),
        columns=(Column(("Place",)), Column(("Year",)), *(Column(("Revision ", year(r)), number=True) for r in known)),
        rows=tuple(lines),
    )


def who(region: Region, place: str, side: str) -> str:
    """The people that the stocks of a place count, in words with ``{name}`` for the place."""
    by = counted_by(stocks(region, place, side))
    if side == "destination":
        return {"birth": "people born elsewhere", "citizenship": "foreign citizens", "both": "people from elsewhere"}[
            by
        ]
    return {"birth": "people born in {name}", "citizenship": "citizens of {name}", "both": "people from {name}"}[by]


def _finding(region: Region, place: str) -> Text:
    """How many people in all, each way: where the revisions meet, and the newest figure."""
    called = names(region)[place]
    parts: Text = ()
    for side, words in (("destination", " lived in {name}{newest}. "), ("origin", " lived elsewhere{newest}. ")):
        total = totals(region, place, side)
        if total is not None:
            newest = _newest(region, place, side, total[0])
            sentence = "In {when}, {persons} " + who(region, place, side) + words
            parts += text(sentence, name=called, when=year(total[0]), persons=total[1], newest=newest)
    return parts


def _newest(region: Region, place: str, side: str, shared: int) -> Text:
    """What the newest revision says of a year that its rivals do not reach."""
    rows = stocks(region, place, side)
    rows = rows.filter(pl.col("revision") == rows["revision"].max())
    when = int(rows["year"].max())  # type: ignore[arg-type]
    if when <= shared:
        return ()
    now = rows.filter(pl.col("year") == when)
    quantity = persons(
        int(now["persons"].sum()), "persons", sources_of(now["source_id"].unique().to_list()), ONE_REVISION
    )
    return text("; in {when}, {persons} by the newest revision alone", when=year(when), persons=quantity)

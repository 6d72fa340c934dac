"""Asylum and protection: applications, decisions, refugees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import polars as pl

from zhol.brief.content import (
    Block,
    Column,
    Figure,
    Number,
    Paragraph,
    Section,
    Strong,
    Table,
    Text,
    text,
    year,
    years,
)
from zhol.brief.quantities import SMALLEST_CELL, SUMMED, persons, share, sources_of
from zhol.brief.read import names
from zhol.brief.small_cells import protect
from zhol.core.charts import lines_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

COUNTS = {
    "applications": "applications",
    "recognised": "recognised as refugees",
    "other_protection": "other protection",
    "rejected": "rejected",
    "closed": "closed without a decision",
}
ROWS = 6


def section(region: Region, place: str) -> Section | None:
    """Asylum asked for in the place, and asked for elsewhere by people from it; refugees both ways."""
    blocks: list[Block] = []
    for side in ("destination", "origin"):
        rows = _whole_years(region.table("asylum").filter(pl.col(side) == place))
        if rows.height and (rows["applications"].sum() or 0) >= SMALLEST_CELL:
            blocks += _side(region, place, rows, side)
    if not blocks:
        return None
    note = text(
        "Closed cases (withdrawn, moved on) are left out of the rate. The latest year is left out while it is "
        "incomplete. {rounding}",
        rounding="UNHCR rounds small cells in some years." if _from_unhcr(region) else "",
    )
    return Section(
        "asylum",
        "Asylum and protection",
        (Paragraph(_finding(region, place), "lead"), *blocks, Paragraph(note, "note")),
    )


def _from_unhcr(region: Region) -> bool:
    ids = sources_of(region.table("asylum")["source_id"].unique().to_list())
    return "UNHCR" in region.sources.filter(pl.col("source_id").is_in(ids))["publisher"].to_list()


def _whole_years(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(~pl.col("note").fill_null("").str.contains("partial"))


def latest(region: Region, place: str, side: str = "destination") -> tuple[int, dict[str, Quantity]] | None:
    """Counts of the last whole year, all partners together, and the recognition rate where it may be shown."""
    rows = _whole_years(region.table("asylum").filter(pl.col(side) == place))
    asked = rows.filter(pl.col("applications").is_not_null())
    if not asked.height:
        return None
    when = int(max(asked["year"]))
    now = rows.filter(pl.col("year") == when)
    sources = sources_of(now["source_id"].unique().to_list())
    found = {
        name: persons(total, "persons", sources, SUMMED) for name in COUNTS if (total := _sum(now, name)) is not None
    }
    rate = recognition(now)
    if rate is not None:
        found["rate"] = rate
    return when, found


def recognition(rows: pl.DataFrame) -> Quantity | None:
    """Recognised among decided (closed cases left out)."""
    recognised, other, rejected = (_sum(rows, c) or 0 for c in ("recognised", "other_protection", "rejected"))
    return share(recognised, recognised + other + rejected, sources_of(rows["source_id"].unique().to_list()))


def _sum(rows: pl.DataFrame, column: str) -> int | None:
    known = rows[column].drop_nulls()
    return int(known.sum()) if known.len() else None


def _side(region: Region, place: str, rows: pl.DataFrame, side: str) -> list[Block]:
    called = names(region)
    by_year = rows.group_by("year").agg(pl.col(list(COUNTS)).sum(), pl.col("source_id").first())
    known = {row["year"]: row for row in by_year.to_dicts()}
    points: list[dict[str, Any]] = []
    lines: list[tuple[Text, ...]] = []
    for name in ("applications", "recognised", "rejected"):
        for when in range(min(known), max(known) + 1):
            value = known.get(when, {}).get(name)
            # A year without a count, or with one too small to show, is a gap in the line.
            shown = value if value is not None and value >= SMALLEST_CELL else None
            points.append({"year": when, "value": shown, "series": COUNTS[name]})
            if shown is not None:
                number = Number(persons(shown, "persons", sources_of(known[when]["source_id"]), SUMMED), "exact")
                lines.append(((COUNTS[name],), (year(when),), (number,)))
    if not lines:
        return []
    where = "in {name}" if side == "destination" else "elsewhere by people from {name}"
    span = years(min(known), max(known))
    figure = Figure(
        title=text("Asylum asked for " + where + ", {span}", name=called[place], span=span),
        svg=to_svg(lines_spec(points, unit="persons", height=85, points=True)),
        alt=f"Lines of applications, recognitions and rejections a year, {where.format(name=called[place])}.",
        data=Table(
            ("Persons a year",),
            (Column(("Count",)), Column(("Year",)), Column(("Persons",), number=True)),
            tuple(lines),
        ),
        note=("A year with fewer than ten persons, or none counted, is a gap.",),
    )
    table = _table(region, place, rows, side)
    return [figure] if table is None else [figure, table]


def _table(region: Region, place: str, rows: pl.DataFrame, side: str) -> Table | None:
    """The last whole year by the other end, small cells protected so that no total gives them away."""
    other = "origin" if side == "destination" else "destination"
    called = names(region)
    when = int(max(rows.filter(pl.col("applications").is_not_null())["year"]))
    now = rows.filter(pl.col("year") == when)
    ranked = now.with_columns(most=pl.max_horizontal(pl.col(list(COUNTS)).fill_null(0))).sort(
        "most", other, descending=[True, False]
    )
    # A row in which every count is small says nothing: it goes into the last row.
    named = ranked.filter(pl.col("most") >= SMALLEST_CELL).head(ROWS)
    if not named.height:
        return None
    rest = ranked.filter(~pl.col(other).is_in(named[other].to_list()))
    groups = [(called[r[other]], named.filter(pl.col(other) == r[other])) for r in named.to_dicts()]
    if rest.height:
        groups.append(("All others", rest))
    columns = {name: [_sum(part, name) for _, part in groups] for name in COUNTS}
    sources = sources_of(now["source_id"].unique().to_list())
    shown = {name: protect(values) for name, values in columns.items()}
    lines: list[tuple[Text, ...]] = []
    for i, (label, part) in enumerate(groups):
        cells: list[Text] = [_cell(shown[name][i], sources) for name in COUNTS]
        rate = recognition(part)
        lines.append(((label,), *cells, (Number(rate),) if rate else ("too few",)))
    rate = recognition(now)
    totals: list[Text] = [_cell(_sum(now, name), sources) for name in COUNTS]
    lines.append(((Strong("All"),), *totals, (Number(rate),) if rate else ("too few",)))
    head = "By origin" if side == "destination" else "By country of asylum"
    return Table(
        title=text(head + ", {when}, persons", when=year(when)),
        columns=(
            Column(("Place",), width=1.7),
            *(
                Column((w.capitalize(),), number=True, width=1.1)
                for w in ("applied", "recognised", "other protection", "rejected", "closed")
            ),
            Column(("Recognition rate",), number=True, width=1.7),
        ),
        rows=tuple(lines),
        note=text("“Withheld”: not shown, so that a small count cannot be worked out from the total."),
    )


def _cell(value: int | str | None, sources: tuple[str, ...]) -> Text:
    if value is None:
        return ("–",)
    if isinstance(value, str):
        return (value,)
    return (Number(persons(value, "persons", sources, SUMMED), "exact"),)


def _finding(region: Region, place: str) -> Text:
    called, parts = names(region)[place], cast(Text, ())
    here = latest(region, place)
    if here is not None:
        when, counts = here
        parts += text(
            "In {when}, {persons} persons asked for asylum in {name}",
            when=year(when),
            persons=counts["applications"],
            name=called,
        )
        parts += (
            text("; of those decided, {rate} were recognised. ", rate=counts["rate"]) if "rate" in counts else (". ",)
        )
    away = latest(region, place, "origin")
    if away is not None:
        when, counts = away
        parts += text(
            "People from {name} made {persons} applications elsewhere in {when}.",
            name=called,
            persons=counts["applications"],
            when=year(when),
        )
    refugees = hosted(region, place)
    if refugees is not None:
        when, quantity = refugees
        parts += text(
            " {name} hosted {persons} refugees at the end of {when}.", name=called, persons=quantity, when=year(when)
        )
    return parts


def hosted(region: Region, place: str) -> tuple[int, Quantity] | None:
    """Refugees in the place at the end of the last year known."""
    rows = region.table("refugees").filter(pl.col("destination") == place, pl.col("refugees").is_not_null())
    if not rows.height:
        return None
    when = int(max(rows["year"]))
    now = rows.filter(pl.col("year") == when)
    return when, persons(_sum(now, "refugees"), "persons", sources_of(now["source_id"].unique().to_list()), SUMMED)

"""Money sent home: the share of income, what came and what went, and who is said to pay whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import polars as pl

from zhol.brief.content import Column, Figure, Number, Paragraph, Section, Table, Text, text, year, years
from zhol.brief.quantities import row_quantity
from zhol.brief.read import names
from zhol.core.charts import lines_spec, to_svg

if TYPE_CHECKING:
    from zhol.region.load import Region

PAIRS = 8
SHORTEST = 4  # years; fewer are no line


def section(region: Region, place: str) -> Section | None:
    """Remittances as a share of income beside the pack's focus, in dollars both ways, and the modelled pairs."""
    blocks = [b for b in (_share(region, place), _both_ways(region, place), _pairs(region, place)) if b is not None]
    if not blocks:
        return None
    return Section("remittances", "Remittances", (Paragraph(_finding(region, place), "lead"), *blocks))


def _series(region: Region, places: list[str], variables: list[str]) -> pl.DataFrame:
    table = region.table("economy")
    return table.filter(
        pl.col("place").is_in(places), pl.col("variable").is_in(variables), pl.col("value").is_not_null()
    )


def _share(region: Region, place: str) -> Figure | None:
    called = names(region)
    rows = _series(region, list(dict.fromkeys([place, *region.focus])), ["remittances_share_gdp"]).sort("place", "year")
    if place not in rows["place"].to_list():
        return None
    points = [{"year": r["year"], "value": r["value"], "series": called[r["place"]]} for r in rows.to_dicts()]
    points.sort(key=lambda p: p["series"] != called[place])  # the place itself first, in blue
    first, last = min(rows["year"]), max(rows["year"])
    return Figure(
        title=text("Remittances received, share of GDP, {span}", span=years(first, last)),
        svg=to_svg(lines_spec(points, unit="% of GDP", height=115)),
        alt="Lines of remittances as a share of GDP for " + ", ".join(dict.fromkeys(p["series"] for p in points)),
        data=_table(rows, called, "Remittances received, % of GDP", "%"),
        note=("As recorded in the balance of payments; money carried by hand is mostly missing.",),
    )


def _both_ways(region: Region, place: str) -> Figure | None:
    words = {"remittances_received": "received", "remittances_paid": "paid"}
    rows = _series(region, [place], list(words)).with_columns(
        value=pl.when(pl.col("unit") == "USD").then(pl.col("value") / 1e6).otherwise(pl.col("value")),
        unit=pl.lit("USD million"),
    )
    if rows["year"].n_unique() < SHORTEST:
        return None
    rows = rows.sort("variable", "year", descending=[True, False])
    points = [{"year": r["year"], "value": r["value"], "series": words[r["variable"]]} for r in rows.to_dicts()]
    first, last = min(rows["year"]), max(rows["year"])
    return Figure(
        title=text("Remittances received and paid, {name}, {span}", name=names(region)[place], span=years(first, last)),
        svg=to_svg(lines_spec(points, unit="USD million", height=90)),
        alt=f"Lines of remittances received by and paid from {names(region)[place]}, in US dollars of each year.",
        data=_table(
            rows, {k: v.capitalize() for k, v in words.items()}, "Remittances, USD million", "USD million", "variable"
        ),
        note=("US dollars of each year.",),
    )


def _table(rows: pl.DataFrame, called: dict[str, str], title: str, unit: str, by: str = "place") -> Table:
    lines: list[tuple[Text, ...]] = []
    for row in rows.to_dicts():
        number = Number(row_quantity(row, unit=unit), "exact")
        lines.append(((called[row[by]],), (year(row["year"]),), (number,)))
    return Table((title,), (Column(("Series",)), Column(("Year",)), Column((unit,), number=True)), tuple(lines))


def _pairs(region: Region, place: str) -> Table | None:
    table, called = region.table("remittances"), names(region)
    own = table.filter((pl.col("sender") == place) | (pl.col("receiver") == place))
    if not own.height:
        return None
    when = max(own["year"])
    own = own.filter(pl.col("year") == when).with_columns(
        partner=pl.when(pl.col("sender") == place).then(pl.col("receiver")).otherwise(pl.col("sender"))
    )
    ranked = own.group_by("partner").agg(pl.col("value").sum()).sort("value", "partner", descending=[True, False])
    lines: list[tuple[Text, ...]] = []
    for partner in ranked["partner"].head(PAIRS).to_list():
        cells = []
        for end in ("receiver", "sender"):
            row = own.filter(pl.col(end) == partner, pl.col("partner") == partner).to_dicts()
            cells.append((Number(row_quantity(row[0]), "exact"),) if row else ("none stated",))
        lines.append(((called[partner],), *cells))
    return Table(
        title=text("Who is said to pay whom, {when}, USD million (modelled)", when=year(when)),
        columns=(
            Column(("Partner",), width=1.6),
            Column(("Paid from " + called[place] + " to the partner",), number=True),
            Column(("Paid from the partner to " + called[place],), number=True),
        ),
        rows=tuple(lines),
        note=("Not observed: the publisher shares out each country's total over pairs by stocks and incomes.",),
    )


def _finding(region: Region, place: str) -> Text:
    called, parts = names(region)[place], cast(Text, ())
    rows = _series(region, [place], ["remittances_share_gdp"]).sort("year").tail(1).to_dicts()
    if rows:
        parts += text(
            "Remittances received were {share} of the GDP of {name} in {when}. ",
            share=row_quantity(rows[0], unit="%"),
            name=called,
            when=year(rows[0]["year"]),
        )
    paid = _series(region, [place], ["remittances_paid"]).sort("year").tail(1).to_dicts()
    if paid:
        dollars = {**paid[0], "value": paid[0]["value"] * (1e6 if paid[0]["unit"] == "USD million" else 1)}
        parts += text(
            "Paid from {name}: USD {paid} in {when}.",
            name=called,
            paid=row_quantity(dollars, unit="USD"),
            when=year(paid[0]["year"]),
        )
    return parts or text("Only modelled pairs are known for {name}.", name=called)

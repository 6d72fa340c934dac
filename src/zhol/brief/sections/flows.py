"""Where from, where to: five-year flows estimated from stocks, and how far the methods disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief import read
from zhol.brief.content import Column, Figure, Number, Paragraph, Section, Table, Text, text, years
from zhol.brief.quantities import SMALLEST_CELL, sources_of
from zhol.core.charts import interval_spec, to_svg
from zhol.core.errors import ZholError
from zhol.core.quantity import Quantity
from zhol.estimate.flows_of_a_region import region_flows, region_stocks
from zhol.estimate.methods_side_by_side import flow_methods

if TYPE_CHECKING:
    from zhol.region.load import Region

CORRIDORS = 5  # each way
LENGTH = 5  # years of a period
METHODS = "spread of six methods on both revisions"
ERRORS = "95% interval over errors of the stocks, the wider ends of the revisions"
DRAWS = 40


def section(region: Region, place: str) -> Section | None:
    """The largest flows to and from the place in the last five years that every revision has stocks for."""
    period = _period(region)
    if period is None:
        return None
    readings = _readings(region, *period)
    rows = [row for side in ("destination", "origin") for row in _largest(readings, region, place, side)]
    if not rows:
        return None
    span = years(*period)
    vital = region.table("population").filter(pl.col("year").is_between(*period), pl.col("level").is_null())
    used = [frame["source_id"].unique().sort().to_list() for frame in (region.table("stocks"), vital)]
    sources = sources_of([cell for cells in used for cell in cells])
    called = read.names(region)
    first = max(rows, key=lambda row: row["middle"])
    lead = text(
        "Nobody counts flows; they are estimated from stocks. The largest corridor of {name} in {span} is {corridor}: "
        "{persons} persons, depending on method and revision.",
        name=called[place],
        span=span,
        corridor=_label(first, called),
        persons=Number(_quantity(first, sources)),
    )
    why = (
        "The six methods are those that Abel and Cohen publish: growth of stocks with falls left out or read as "
        "return, shares of the world's migrants, accounts of births, deaths and moves that are open, closed, or closed "
        "with some return and transit. They disagree because a stock says where people are, not when and how often "
        "they moved."
    )
    return Section(
        "flows",
        "Where from, where to",
        (
            Paragraph(lead, "lead"),
            _figure(rows, called, sources, span),
            Paragraph((why, " ", *_widest(rows, called, sources))),
            *_errors(region, first, period, sources),
        ),
    )


def _errors(
    region: Region, row: dict[str, Any], period: tuple[int, int], sources: tuple[str, ...]
) -> tuple[Paragraph, ...]:
    """What errors of the stocks alone leave open in the largest corridor, by the account with the fewest moves."""
    pair = (pl.col("origin") == row["origin"]) & (pl.col("destination") == row["destination"])
    found = []
    for revision in read.revisions(region):
        try:
            found.append(region_flows(region, *period, revision=revision, draws=DRAWS).table.filter(pair))
        except ZholError:
            continue  # no residents or vital events for this revision's period
    if not found:
        return ()
    both = pl.concat(found)
    middle, low, high = (float(both.select(e).item()) for e in (pl.median("persons"), pl.min("low"), pl.max("high")))
    if high < SMALLEST_CELL:
        return ()
    low, shown = (low if low >= SMALLEST_CELL else 0.0), (middle if middle >= SMALLEST_CELL else None)
    number = Number(Quantity(shown, low, high, "persons", sources, ERRORS))
    words = (
        "Within one method, errors of the stocks alone leave much open: the closed account with the fewest moves "
        "gives {persons} persons for this corridor. Pairs that no revision lists are taken as nobody there, which is "
        "not the same as zero; the interval allows for them."
    )
    return (Paragraph(text(words, persons=number)),)


def _widest(rows: list[dict[str, Any]], called: dict[str, str], sources: tuple[str, ...]) -> Text:
    """The corridor on which the methods are furthest apart, and which methods those are."""
    row = max(rows, key=lambda r: r["high"] - r["low"])
    low = row["low"] if row["low"] >= SMALLEST_CELL else 0.0
    return text(
        "They are furthest apart on {corridor}: {persons} persons, the fewest by “{lowest}”, the most by “{highest}”.",
        corridor=_label(row, called),
        persons=Number(Quantity(None, low, row["high"], "persons", sources, METHODS)),
        lowest=row["lowest"],
        highest=row["highest"],
    )


def _period(region: Region) -> tuple[int, int] | None:
    """The last five years at both ends of which every revision of the stocks has figures."""
    if not {"stocks", "population"} <= set(region.tables):
        return None
    stocks = region.table("stocks")
    revisions = stocks["revision"].n_unique()
    common = stocks.group_by("year").agg(n=pl.col("revision").n_unique()).filter(n=revisions)["year"].to_list()
    ends = [y for y in common if y - LENGTH in common]
    return (max(ends) - LENGTH, max(ends)) if ends else None


def _readings(region: Region, start: int, end: int) -> pl.DataFrame:
    """Lowest, middle and highest of all methods and revisions for every corridor; pairs without a figure at zero."""
    parts = []
    for revision in region.table("stocks")["revision"].unique().sort().to_list():
        try:
            stocks = region_stocks(region, start, end, revision=revision)
            parts.append(flow_methods(stocks.start, stocks.end, missing="zero", **stocks.arguments()))
        except ZholError:
            continue  # a revision or a population that does not reach is no reading; the others stand
    if not parts:
        return pl.DataFrame(schema={"origin": pl.String, "destination": pl.String, "middle": pl.Float64})
    persons = pl.col("persons")
    return (
        pl.concat(parts)
        .group_by("origin", "destination")
        .agg(
            low=persons.min(),
            middle=persons.median(),
            high=persons.max(),
            lowest=pl.col("in_words").sort_by("persons").first(),
            highest=pl.col("in_words").sort_by("persons").last(),
        )
        .sort("middle", "origin", "destination", descending=[True, False, False])
    )


def _largest(readings: pl.DataFrame, region: Region, place: str, side: str) -> list[dict[str, Any]]:
    """The largest corridors of which some revision holds a stock: where none does, the flow is the method's alone."""
    other = "origin" if side == "destination" else "destination"
    known = region.table("stocks").select("origin", "destination").unique()
    own = readings.filter(
        pl.col(side) == place, pl.col(other).is_in(read.real_places(region)), pl.col("middle") >= SMALLEST_CELL
    )
    return own.join(known, on=["origin", "destination"], how="semi", maintain_order="left").head(CORRIDORS).to_dicts()


def _label(row: dict[str, Any], called: dict[str, str]) -> str:
    return f"{called[row['origin']]} → {called[row['destination']]}"


def _quantity(row: dict[str, Any], sources: tuple[str, ...]) -> Quantity:
    low = row["low"] if row["low"] >= SMALLEST_CELL else 0.0
    return Quantity(row["middle"], low, row["high"], "persons", sources, METHODS)


def _figure(rows: list[dict[str, Any]], called: dict[str, str], sources: tuple[str, ...], span: Any) -> Figure:
    points = []
    lines: list[tuple[Text, ...]] = []
    for row in rows:
        number = _quantity(row, sources)
        points.append({"label": _label(row, called), "value": number.value, "low": number.low, "high": number.high})
        lines.append(((_label(row, called),), (Number(number),)))
    return Figure(
        title=text("Estimated flows in {span}, persons over the five years", span=span),
        svg=to_svg(interval_spec(points, unit="persons")),
        alt="One row a corridor: " + "; ".join(str(p["label"]) for p in points) + ". The bar spans the methods.",
        data=Table(
            text("Flows in {span}", span=span),
            (Column(("Corridor",), width=2), Column(("Persons",), number=True)),
            tuple(lines),
        ),
        note=(
            "Dot: median of six methods on both revisions; bar: lowest to highest of them. Corridors without a stock "
            "in any revision are left out.",
        ),
    )

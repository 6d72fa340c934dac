"""Rival sources: how far apart they are, and by what definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief import read
from zhol.brief.content import (
    Block,
    Column,
    Figure,
    Number,
    Paragraph,
    Section,
    Table,
    Text,
    When,
    plain,
    text,
    year,
    years,
)
from zhol.brief.quantities import (
    ONE_SIDE,
    RIVALS,
    SMALLEST_CELL,
    computed,
    is_people,
    persons,
    row_quantity,
    sources_of,
)
from zhol.brief.words import neutral
from zhol.core.charts import dumbbell_spec, interval_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

CORRIDORS = 6  # each way
QUANTITIES = 2  # charts of rival figures
ROWS = 14  # a larger group is a series, not a handful of rival figures


def section(region: Region, place: str) -> Section | None:
    """One chart of the revisions against each other, then one for each quantity with rival published figures."""
    blocks: list[Block] = []
    revisions = _revisions(region, place)
    if revisions is not None:
        blocks += revisions
    found = irregular_range(region, place)
    if found is not None:
        words = "Published figures on irregular residents or workers in {name} ({span}) range over {range} persons."
        blocks.append(Paragraph(text(words, name=read.names(region)[place], span=found[0], range=found[1])))
    chosen = _quantities(region, place)
    room = QUANTITIES - len(read.reconciled_quantities(region, place))
    for rows in chosen[: max(room, 0)]:
        blocks += _rivals(region, place, rows)
    if not blocks:
        return None
    return Section("rival-sources", "Rival sources: who says what", tuple(blocks))


def _revisions(region: Region, place: str) -> list[Block] | None:
    """Corridors whose stock two revisions put at different numbers, in the last year that both have."""
    called = read.names(region)
    pairs: list[dict[str, Any]] = []
    for side in ("destination", "origin"):
        rows = read.stocks(region, place, side).filter(pl.col("partner").is_in(read.real_places(region)))
        if not rows.height or rows["revision"].n_unique() < 2:
            continue
        now = rows.filter(pl.col("year") == read.common_year(rows))
        for partner in read.top_partners(region, place, side, CORRIDORS):
            cells = now.filter(pl.col("partner") == partner).sort("revision").to_dicts()
            if len(cells) > 1:
                ends = (called[partner], called[place]) if side == "destination" else (called[place], called[partner])
                pairs.append({"label": f"{ends[0]} → {ends[1]}", "cells": cells})
    if not pairs:
        return None
    when = pairs[0]["cells"][0]["year"]
    points = [
        {"label": p["label"], "source": f"revision {c['revision']}", "value": c["persons"]}
        for p in pairs
        for c in p["cells"]
    ]
    figure = Figure(
        title=text("The same corridors in the revisions of the UN stock, {when}", when=year(when)),
        svg=to_svg(dumbbell_spec(points, unit="persons")),
        alt="Pairs of dots, one a revision, for "
        + "; ".join(p["label"] for p in pairs)
        + ". The line between them is the gap.",
        data=_revision_table(pairs, when),
        note=("Logarithmic axis: equal distances are equal ratios. Right: how many times the smaller the larger is.",),
    )
    return [Paragraph(_widest(pairs), "lead"), figure]


def _revision_table(pairs: list[dict[str, Any]], when: int) -> Table:
    known = sorted({c["revision"] for p in pairs for c in p["cells"]})
    lines: list[tuple[Text, ...]] = []
    for pair in pairs:
        by = {c["revision"]: c for c in pair["cells"]}
        cells = [
            (Number(persons(by[r]["persons"], "persons", sources_of(by[r]["source_id"]), ONE_SIDE), "exact"),)
            if r in by
            else ("not estimated",)
            for r in known
        ]
        lines.append(((pair["label"],), *cells, (Number(_ratio(pair["cells"]), "exact"),)))
    heads = (Column(("Revision ", year(r)), number=True) for r in known)
    return Table(
        text("Persons, {when}", when=year(when)),
        (Column(("Corridor",), width=2), *heads, Column(("Larger by, times",), number=True)),
        tuple(lines),
    )


def _ratio(cells: list[dict[str, Any]]) -> Any:
    values = [c["persons"] for c in cells]
    return computed(max(values) / min(values), "times", sources_of([c["source_id"] for c in cells]))


def _widest(pairs: list[dict[str, Any]]) -> Text:
    widest = max(pairs, key=lambda p: max(c["persons"] for c in p["cells"]) / min(c["persons"] for c in p["cells"]))
    return text(
        "Two revisions of one publisher differ most on {label}: the larger figure is {ratio} times the smaller.",
        label=widest["label"],
        ratio=Number(_ratio(widest["cells"]), "value"),
    )


def _quantities(region: Region, place: str) -> list[pl.DataFrame]:
    """Groups of rival figures on people of this place: those on irregular stays first, then the wider apart."""
    figures = region.table("figures")
    own = figures.filter(
        (pl.col("destination") == place) | (pl.col("origin") == place),
        pl.any_horizontal(pl.col("value", "low", "high").is_not_null()),
    )
    groups = []
    reconciled = set(read.reconciled_quantities(region, place))  # these have a part of their own
    for (quantity,), rows in own.group_by("quantity", maintain_order=True):
        if quantity in reconciled:
            continue
        rows = rows.filter(pl.Series([is_people(u) for u in rows["unit"].to_list()], dtype=pl.Boolean))
        if 1 < rows.height <= ROWS and (_irregular(rows) or _rival(rows)):
            groups.append(rows)
    return sorted(groups, key=lambda rows: (not _irregular(rows), -_gap(rows)))


def _rival(rows: pl.DataFrame) -> bool:
    """True if two sources say different things of one corridor and year; a series over time is no rivalry."""
    same = rows.group_by("origin", "destination", pl.col("date_start").str.slice(0, 4))
    spread = same.agg(sources=pl.col("source_id").n_unique(), values=pl.col("value").n_unique())
    return bool(((spread["sources"] > 1) & (spread["values"] > 1)).any())


def _irregular(rows: pl.DataFrame) -> bool:
    return bool(rows["concept"].fill_null("").str.contains("irregular").any())


def irregular_range(region: Region, place: str) -> tuple[When, Quantity] | None:
    """Lowest and highest published figure on irregular residents or workers, whatever their year and definition."""
    rows = region.table("figures").filter(
        pl.col("destination") == place, pl.col("concept").is_in(["irregular_stock", "irregular_workers"])
    )
    rows = rows.filter(pl.Series([is_people(u) for u in rows["unit"].to_list()], dtype=pl.Boolean))
    low, high = _extent(rows)
    if low == high:
        return None
    dates = sorted(d[:4] for d in rows["date_start"].drop_nulls().to_list())
    quantity = Quantity(None, low, high, "persons", sources_of(rows["source_id"].to_list()), RIVALS)
    return years(int(dates[0]), int(dates[-1])), quantity


def _gap(rows: pl.DataFrame) -> float:
    """How many times the smallest figure the largest is."""
    low, high = _extent(rows)
    return high / low if low > 0 else 1.0


def _extent(rows: pl.DataFrame) -> tuple[float, float]:
    values = [v for c in ("value", "low", "high") for v in rows[c].to_list() if v is not None and v > 0]
    return (min(values), max(values)) if values else (0.0, 0.0)


def _rivals(region: Region, place: str, rows: pl.DataFrame) -> list[Block]:
    """A chart of one quantity's figures and the table of who says what."""
    rows = rows.sort("date_start", "figure_id")
    called = read.names(region)
    records = rows.to_dicts()
    labels = [_label(r, place, called) for r in records]
    points = [
        {
            "label": f"{read.span(r['date_start'], r['date_end'])}  {label}",
            **{k: r[k] for k in ("value", "low", "high")},
        }
        for r, label in zip(records, labels, strict=True)
    ]
    title = neutral(_title(records, place, called))
    low, high = _extent(rows)
    table = Table(
        title=text("{title}: definitions", title=title),
        columns=(
            Column(("When",), width=0.8),
            Column(("What was counted",), width=2.6),
            Column(("By what method",), width=1.3),
            Column(("Persons",), number=True, width=1.5),
        ),
        rows=tuple(_line(r, label) for r, label in zip(records, labels, strict=True)),
    )
    figure = Figure(
        title=text("{title}: every published figure in the pack", title=title),
        svg=to_svg(interval_spec(points, unit="persons", log=low > 0 and high / low > 20)),
        alt=f"One row a published figure of {title}; dots are single numbers, bars are ranges.",
        data=table,
        note=("Hollow dot: the source prints one number and no interval. Bar: a range as published.",),
    )
    return [figure, table]


def _drawn(row: dict[str, Any]) -> dict[str, float | None]:
    """Numbers of a row as the chart may show them: no small count."""
    return {k: v if (v := row[k]) is not None and v >= SMALLEST_CELL else None for k in ("value", "low", "high")}


def _title(records: list[dict[str, Any]], place: str, called: dict[str, str]) -> str:
    """The indicator most figures carry, for whom."""
    indicators = [neutral(str(r["indicator"])) for r in records]
    often = max(dict.fromkeys(indicators), key=indicators.count)
    more = " and related counts" if len(set(indicators)) > 1 else ""
    return f"{often[0].upper()}{often[1:]}{more}, {called[place]}"


def _label(row: dict[str, Any], place: str, called: dict[str, str]) -> str:
    """What was counted, and for whom where that is neither the place as a whole nor said already."""
    words = neutral(str(row["indicator"]))
    other = row["origin"] if row["destination"] == place else row["destination"]
    name = "" if other in {None, "WLD", place} else called.get(other, other)
    return words if not name or name[:6].lower() in words.lower() else f"{words} ({name})"


def _line(row: dict[str, Any], label: str) -> tuple[Text, ...]:
    sources = sources_of(row["source_id"])
    definition = neutral(str(row["definition"] or ""))
    what = f"{label}: {definition}" if definition else label
    return (
        (When(read.span(row["date_start"], row["date_end"])),),
        plain(what, sources),
        plain(neutral(str(row["method"] or "not stated")), sources),
        (Number(row_quantity(row)),),
    )

"""How many: rival figures of one quantity reconciled into one posterior, and what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief import read
from zhol.brief.content import (
    Block,
    Bullets,
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
from zhol.brief.quantities import ONE_COUNT, persons, row_quantity, sources_of
from zhol.brief.words import neutral
from zhol.core.charts import interval_spec, to_svg
from zhol.core.quantity import Quantity
from zhol.estimate.reconciliation import Reconciliation
from zhol.estimate.stored_reconciliation import reconciled

if TYPE_CHECKING:
    from zhol.region.load import Region

POSTERIOR = "95% posterior interval of the reconciliation"
EXPECTED = "expected value under the model, computed from its draws"
NEXT = 3  # figures that would help most
# The categories of irregularity in the words of a reader, and the concepts of the table `figures` that speak of each.
# A flow is not a stock: what a figure counts is said beside it.
CATEGORIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Entered with no or with forged documents", ("irregular_inflow",)),
    ("Visa or visa-free stay expired", ()),
    ("Lawful stay, work without the right to it", ("irregular_workers", "foreign_workers_without_permit")),
    ("Residence or work permit expired or its terms broken", ()),
)


def section(region: Region, place: str) -> Section | None:
    """Reconciled quantities that the pack defines for the place as destination."""
    blocks: list[Block] = []
    for name in read.reconciled_quantities(region, place):
        blocks += _quantity(region, reconciled(region, name))
    if not blocks:
        return None
    return Section("how-many", "How many: rival figures reconciled", (*blocks, _categories(region, place)))


def _quantity(region: Region, post: Reconciliation) -> list[Block]:
    when = int(post.details["year"])
    sources = sources_of([str(s) for s in post.figures["source_id"].to_list()])
    headline = Quantity(post.population, post.low, post.high, post.unit, sources, POSTERIOR)
    lead = text(
        "{title}, {when}: {headline} {unit}. The interval is wide because the sources contradict each other.",
        title=post.title,
        when=year(when),
        headline=headline,
        unit=post.unit,
    )
    note = text("{note}", note=neutral(" ".join(str(post.details.get("note") or "").split())))
    figures = _by_definition(post)
    return [
        Paragraph(lead, "lead"),
        _chart(post, figures, headline, when),
        _off(region, post, figures),
        Paragraph(_sensitive(post, sources)),
        Bullets(tuple(_next(post, region))),
        Paragraph(note, "note"),
    ]


def _by_definition(post: Reconciliation) -> list[dict[str, Any]]:
    """Figures in time; of a long series only the first and the last figure of each definition and origin."""
    rows = post.figures.sort("year", "figure_id").to_dicts()
    if len(rows) <= 14:
        return rows
    keys = [(r["concept"], r["source_id"]) for r in rows]
    ends = {k: (keys.index(k), len(keys) - 1 - keys[::-1].index(k)) for k in keys}
    return [r for i, (r, k) in enumerate(zip(rows, keys, strict=True)) if i in ends[k]]


def _chart(post: Reconciliation, figures: list[dict[str, Any]], headline: Quantity, when: int) -> Figure:
    points = [{"label": _label(r), **{k: r[k] for k in ("value", "low", "high")}} for r in figures]
    points.append({"label": f"{when}  reconciled", "value": headline.value, "low": headline.low, "high": headline.high})
    by_year = post.table.filter((pl.col("figures") > 0) | (pl.col("year") == when)).to_dicts()
    sources = headline.sources
    lines = tuple(
        (
            (year(r["year"]),),
            (Number(Quantity(r["population"], r["low"], r["high"], post.unit, sources, POSTERIOR)),),
        )
        for r in by_year
    )
    return Figure(
        title=text("{title}: the figures used, and the reconciled one", title=post.title),
        svg=to_svg(interval_spec(points, unit=post.unit, log=True)),
        alt=f"One row a published figure used for {post.title}; the last is the reconciled stock with its interval.",
        data=Table(
            text("{title} by year with a figure, reconciled", title=post.title),
            (Column(("Year",)), Column((post.unit.capitalize(),), number=True)),
            lines,
        ),
        note=("Logarithmic axis. Definitions differ: the model relates each to the quantity in question.",),
    )


def _label(row: dict[str, Any]) -> str:
    return f"{row['year']}  {neutral(str(row['concept']).replace('_', ' '))}"


def _off(region: Region, post: Reconciliation, figures: list[dict[str, Any]]) -> Table:
    """What each figure says, and by which factor it is off."""
    lines = []
    methods = dict(region.table("figures").select("figure_id", "method").drop_nulls().iter_rows())
    for row in figures:
        sources = sources_of(row["source_id"])
        factor = Quantity(row["off"], row["off_low"], row["off_high"], "times", sources, POSTERIOR)
        what = neutral(str(row["concept"]).replace("_", " "))
        if row.get("definition"):
            what += f": {neutral(str(row['definition']))}"
        if row["figure_id"] in methods:
            what += f" ({neutral(methods[row['figure_id']])})"
        says = Number(row_quantity({**row, "unit": post.unit}))
        lines.append(((When(str(row["year"])),), plain(what, sources), (says,), (Number(factor),)))
    return Table(
        ("How far each figure is off",),
        (
            Column(("Year",), width=0.6),
            Column(("What was counted, and how",), width=2.4),
            Column(("It says",), number=True, width=1.4),
            Column(("Times the reconciled stock",), number=True, width=1.6),
        ),
        tuple(lines),
        note=("Above one: higher than the reconciled stock, because of its definition, its bias or both.",),
    )


def _sensitive(post: Reconciliation, sources: tuple[str, ...]) -> Text:
    rows = {r["priors"]: r for r in post.sensitivity.to_dicts()}
    parts = {
        key: Number(Quantity(r["population"], r["low"], r["high"], post.unit, sources, POSTERIOR), quiet=True)
        for key, r in (("tight", rows["scales halved"]), ("loose", rows["scales doubled"]))
    }
    words = (
        "The scales of bias and error are assumptions. With all of them halved the answer is {tight}, with all of them "
        "doubled {loose}: how wide the interval is rests on judgement as much as on figures."
    )
    return text(words, **parts)


def _next(post: Reconciliation, region: Region) -> list[Text]:
    """The new figures that would narrow the interval most."""
    titles = dict(region.sources.select("source_id", "title").iter_rows())
    sources = sources_of([str(s) for s in post.figures["source_id"].to_list()])
    found = []
    for row in post.next_figure.head(NEXT).to_dicts():
        if row["kind"] == "new source":
            what = f"A new count of grade {row['grade']}"
        else:
            what = f"A count made again as by {titles.get(row['source'], row['source'])}"
        share = Quantity(100 * row["narrows_by"], None, None, "%", sources, no_interval=EXPECTED)
        words = "{what} would narrow the interval by {share}."
        found.append(text(words, what=plain(neutral(what)), share=Number(share, "value", quiet=True)))
    return found


def _categories(region: Region, place: str) -> Table:
    """What is published on each category of irregularity, and where nothing is."""
    figures = region.table("figures").filter(destination=place)
    lines: list[tuple[Text, ...]] = []
    for label, concepts in CATEGORIES:
        rows = figures.filter(
            pl.col("concept").is_in(list(concepts)), pl.any_horizontal(pl.col("value", "low", "high").is_not_null())
        ).sort("date_start", descending=True)
        if not rows.height:
            lines.append(((label,), ("no figure",), ("not known",)))
        for row in rows.head(2).to_dicts():
            sources = sources_of(row["source_id"])
            what = (
                When(read.span(row["date_start"], row["date_end"])),
                ", ",
                *plain(neutral(row["indicator"]), sources),
            )
            lines.append(((label,), what, (Number(row_quantity(row)), f" {row['unit']}")))
    lines.append(_refused(region, place))
    return Table(
        ("What is published on each category of irregularity",),
        (
            Column(("Category",), width=2),
            Column(("When and what",), width=2),
            Column(("Figure",), number=True, width=1.6),
        ),
        tuple(lines),
        note=("The reconciled stock is of all categories together: no source tells them apart.",),
    )


def _refused(region: Region, place: str) -> tuple[Text, ...]:
    label = "Protection refused, still present"
    rows = region.table("asylum").filter(pl.col("destination") == place, pl.col("rejected").is_not_null())
    if not rows.height:
        return ((label,), ("no figure",), ("not known",))
    last = int(rows["year"].max())  # type: ignore[arg-type]
    now = rows.filter(year=last)
    sources = sources_of(now["source_id"].unique().sort().to_list())
    number = persons(float(now["rejected"].sum()), "persons", sources, ONE_COUNT)
    what: Text = (years(last, last), ", claims rejected in the year; how many stayed is not known")
    return ((label,), what, (Number(number), " persons a year"))

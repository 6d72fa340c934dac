"""The moving system: what it is, the statuses apart, which numbers are prior, roads and their market, roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
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
    text,
    year,
)
from zhol.brief.model_runs import LEVEL, Outlook, outlook
from zhol.brief.quantities import SMALLEST_BASE, SMALLEST_CELL, computed, counted, row_quantity, sources_of
from zhol.brief.sections.credible import WITHHELD, Credible, against_published, credible, grounds
from zhol.core.charts import interval_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

ROADS = 6
PLACES = 6
WIDTHS = "a ratio of two widths, which has no interval of its own"
# Name of each status, and the category of the seed paper that it is.
STATUSES = {
    "resident": "long-term residents",
    "worker": "workers with the right to work",
    "visitor": "visitors within their time",
    "protected": "refugees, protected",
    "pending": "asylum claim pending",
    "clandestine": "no or forged documents",
    "overstayer": "visa or stay expired",
    "unauthorised": "work without the right",
    "breach": "permit expired or broken",
    "refused": "refused protection",
}
MARKS = {"figures": "", "a sum": " (in a sum)", "prior": " (prior)"}
SIDES = {"destination": "in {name}", "origin": "of people from {name} elsewhere"}


def section(region: Region, place: str) -> Section | None:
    """What the system is, who is in which status, which roads are used, and what roles follow."""
    view = outlook(region)
    if view is None or not any(place in pair for pair in view.model.corridors):
        return None
    side = main_side(view, place)
    blocks: list[Block] = [Paragraph(_what(view), "lead"), Paragraph(_how())]
    judged = credible(view, region, place)
    blocks += judged.warning()
    blocks += _statuses(view, region, place, side, judged)
    table = against_published(view, region, place, judged)
    blocks += [] if table is None else [table]
    if judged.irregular(side):  # clandestine passage and roles are read from the same people
        blocks += _roads(view, region, place)
        blocks += _roles(view, region, place)
    return Section("the-system", "The system", tuple(blocks))


def main_side(view: Outlook, place: str) -> str:
    """Whether more people are in an irregular status in the place, or from it elsewhere."""
    at = view.at(view.now)
    sums = {s: float(np.median(view.side("irregular_stock", place, s)[0][:, at])) for s in ("destination", "origin")}
    return max(sums, key=lambda s: sums[s])


def _what(view: Outlook) -> Text:
    if view.fit is None:
        stands = text("no posterior that belongs to these data ships with the pack, so every number here is prior")
    else:
        table = view.fit.identified
        stands = text(
            "it is fitted to {figures} figures, which speak of {good} of its {all} parameters; the others keep their "
            "prior",
            figures=counted(int(view.fit.meta["figures"]), "figures"),
            good=counted(int(table["well_identified"].sum()), "parameters"),
            all=counted(table.height, "parameters"),
        )
    return text(
        "A model moves counts of people, month by month, over {corridors} corridors between {places} places and "
        "through the statuses below: {stands}.",
        corridors=counted(len(view.model.corridors), "corridors"),
        places=counted(len(view.model.places), "places"),
        stands=stands,
    )


def _how() -> Text:
    return text(
        "People leave for a destination and a channel (settlement, work, visit, asylum, clandestine passage) by "
        "income, cost, conflict and who is there already; permits and stays run out, claims are decided, people "
        "return, are removed, move on, or become citizens. A line marked prior is a judgement: no figure has narrowed "
        "it to less than half the width that it had before. A line marked in a sum stands on figures that count it "
        "with others, and cannot tell them apart."
    )


def _statuses(view: Outlook, region: Region, place: str, side: str, judged: Credible) -> tuple[Block, ...]:
    """Interval chart of the statuses on the side that matters, with both sides in its table."""
    at, called = view.at(view.now), read.names(region)[place]
    draws = {s: view.side("stock", place, s, ("status",))[0][:, at] for s in SIDES}
    ratios = _widths(view, place, side)
    stands = grounds(view, region, place, side, ratios)
    points, lines = [], []
    for i, (status, words) in enumerate(STATUSES.items()):
        low, middle, high = np.quantile(draws[side][:, i], [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2])
        if middle >= SMALLEST_CELL and judged.shows(side, status):
            label = words + ("" if view.fit is None else MARKS[stands[status]])
            points.append({"label": label, "value": middle, "low": max(low, SMALLEST_CELL), "high": high})
        cells: list[Text] = [(words,), ("irregular" if i >= 5 else "regular",)]
        cells += [(Number(view.quantity(draws[s][:, i])),) if judged.shows(s, status) else WITHHELD for s in SIDES]
        cells.append((stands[status],))
        if ratios is not None:
            share = computed(100 * float(ratios[i]), "%", (), WIDTHS)
            cells.append((Number(share, "value", quiet=True),))
        lines.append(tuple(cells))
    heads = [Column(("Status",), width=2), Column(("Kind",))]
    heads += [Column(text(words[0].upper() + words[1:], name=called), number=True) for words in SIDES.values()]
    heads.append(Column(("Stands on",)))
    if ratios is not None:
        heads.append(Column(("Width, against the prior's",), number=True))
    where = text(SIDES[side], name=called)
    figure = Figure(
        title=text("Statuses {where}, end of {when}, persons, by the system", where=where, when=year(int(view.now))),
        svg=to_svg(interval_spec(points, unit="persons", log=True)) if points else "",
        alt=f"Persons in each status {SIDES[side].format(name=called)} with their intervals, on a logarithmic axis.",
        data=Table(
            text("Statuses of {name} by the system, end of {when}", name=called, when=year(int(view.now))),
            tuple(heads),
            tuple(lines),
        ),
        note=(
            "The last five are the categories of irregularity that the paper names, each apart. "
            "What is withheld in the table is not in the chart. Dot: median; line: four fifths of the draws.",
        ),
    )
    return (figure,) if points else ()


def _widths(view: Outlook, place: str, side: str) -> np.ndarray | None:
    """Width of each status' interval on the log scale, as a share of its width with nothing fitted."""
    if view.prior is None:
        return None
    widths = []
    for run in (view.run, view.prior):
        at = run.time.index(view.now) if view.now in run.time else 0
        array = run.draws("stock", ("status",), {side: place})[0][:, at]
        low, high = np.quantile(np.log(np.maximum(array, 0.5)), [0.5 - LEVEL / 2, 0.5 + LEVEL / 2], axis=0)
        widths.append(high - low)
    return widths[0] / np.maximum(widths[1], 1e-9)


def _roads(view: Outlook, region: Region, place: str) -> tuple[Block, ...]:
    """The roads in use that touch the place: persons, price, revenue; and what is not known of them."""
    rows, total = _used_roads(view, region, place)
    if not rows:
        return ()
    called, table = read.names(region), view.model.roads.table
    cited = table.filter(pl.col("basis").str.contains("has a cited price")).height
    sources = sources_of(table["sources"].drop_nulls().unique().sort().to_list())
    lead = text(
        "No price or capacity is known for most roads: of {all} candidate roads, {cited} belong to a corridor for "
        "which some price was ever cited, all others carry one over by length and mode, and no capacity is known of "
        "any. By the system, passage over the roads that touch {name} brought smugglers {revenue} million US dollars "
        "in {when}{world}.",
        all=counted(table.height, "roads"),
        cited=counted(cited, "roads"),
        name=called[place],
        revenue=Number(view.quantity(total, "USD million")),
        when=year(int(view.now)),
        world=_cited_revenue(view),
    )
    lines: list[tuple[Text, ...]] = []
    for row in rows:
        low, middle, high = row["price"]
        price = Quantity(middle, low, high, "USD", sources, view.interval)
        lines.append(
            (
                (" – ".join(called[p] for p in row["places"]),),
                (Number(view.quantity(row["volume"])),),
                (Number(price),),
                (Number(view.quantity(row["revenue"], "USD")),),
            )
        )
    columns = (
        Column(("Road, a chain of countries",), width=2.2),
        Column(("Persons a year",), number=True, width=1.3),
        Column(("Price, US dollars",), number=True, width=1.3),
        Column(("Revenue a year, US dollars",), number=True, width=1.3),
    )
    title = text("Roads of clandestine passage most used, {when}, by the system (prior)", when=year(int(view.now)))
    note = "Roads by air between two places outside the region are left out: the pack has no flights of theirs."
    return (Paragraph(lead), Table(title, columns, tuple(lines), note=(note,)))


def _used_roads(view: Outlook, region: Region, place: str) -> tuple[list[dict[str, Any]], np.ndarray]:
    """The most used roads that touch the place, and the revenue of all of them, draw by draw.

    The pack has flights from and to its own region only, so that between two others they would lead through it.
    """
    at, found, focus = view.at(view.now), [], set(region.focus)
    by_air = {
        (o, d, places)
        for o, d, places, modes in view.model.roads.table.select("origin", "destination", "places", "modes").iter_rows()
        if "air" in modes and not focus & {o, d}
    }
    volume, revenue = (view.run.arrays[n][:, at].astype(float) for n in ("volume", "revenue"))
    total = np.zeros(len(volume))
    for c, roads in enumerate(view.run.roads):
        for k, words in enumerate(roads):
            places = str(words).split(">")
            if place not in places or (places[0], places[-1], str(words)) in by_air:
                continue
            total += revenue[:, c, k] / 1e6
            people, money = volume[:, c, k], revenue[:, c, k]
            if np.median(people) < SMALLEST_BASE:
                continue
            price = np.quantile(money / np.maximum(people, 1e-9), [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2])
            found.append({"places": places, "volume": people, "price": price, "revenue": money})
    found.sort(key=lambda row: -float(np.median(row["volume"])))
    return found[:ROADS], total


def _cited_revenue(view: Outlook) -> Text:
    rows = view.model.roads.cited_revenue.filter(
        (pl.col("destination") == "WLD") & pl.any_horizontal(pl.col("value", "low", "high").is_not_null())
    )
    if not rows.height:
        return ()
    row = rows.sort("year").tail(1).to_dicts()[0]
    scaled = {k: None if row[k] is None else row[k] / 1e6 for k in ("value", "low", "high")}
    number = Number(row_quantity({**row, **scaled, "unit": "USD million"}))
    return text("; for the whole world {number} million was cited for {when}", number=number, when=year(row["year"]))


def _roles(view: Outlook, region: Region, place: str) -> tuple[Block, ...]:
    """Roles by the system for the place and its neighbours on the corridors, beside those read from figures."""
    from zhol.system.place_roles import ROLES, roles

    found = roles(view.run, view.now)
    known, called = {r["place"]: r for r in found.to_dicts()}, read.names(region)
    if place not in known:
        return ()
    partners = [*read.top_partners(region, place, "destination", 3), *read.top_partners(region, place, "origin", 3)]
    order = list(dict.fromkeys(p for p in (place, *region.focus, *partners) if p in known))[:PLACES]
    read_from = read.place_roles(region, min(int(view.now), 2024))
    others = {} if read_from is None else dict(read_from.table.select("place", "role").iter_rows())
    lines: list[tuple[Text, ...]] = []
    for code in order:
        row = known[code]
        cells: list[Text] = [(called[code],)]
        for role in ROLES:
            ends = [100 * row[f"{role}{end}"] for end in ("", "_low", "_high")]
            cells.append((Number(Quantity(ends[0], ends[1], ends[2], "%", view.sources, view.interval)),))
        cells += [(read.role_words(row["role"]),), (read.role_words(others.get(code, "")),)]
        lines.append(tuple(cells))
    columns = (
        Column(("Place",)),
        *(Column((f"{role.capitalize()}",), number=True, width=1.4) for role in ROLES),
        Column(("By the system",), width=1.2),
        Column(("Read from figures",), width=1.2),
    )
    title = text("Roles by the system, {when}: share of the people who left, passed or came", when=year(int(view.now)))
    note: Text = (
        "Transit counts attempts at clandestine passage alone; the figures’ reading counts all who might pass "
        "overland. Where the two labels differ, one of them is wrong or they count different things.",
    )
    return (Table(title, columns, tuple(lines), note=note),)

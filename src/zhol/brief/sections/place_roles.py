"""Roles read from figures, against what the 2009 seed paper said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief import read
from zhol.brief.content import (
    Bullets,
    Column,
    Figure,
    Inline,
    Number,
    Paragraph,
    Section,
    Table,
    Text,
    plain,
    text,
    year,
)
from zhol.brief.quantities import RIVALS, counted
from zhol.core.charts import interval_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.estimate.place_roles import Roles
    from zhol.region.load import Region

ROLES = ("origin", "transit", "destination")
SHOWN = 8  # places in the chart


def section(region: Region, place: str) -> Section | None:
    """Shares of the three roles for the place and those it has most to do with, and the verdict on the 2009 groups."""
    stock = read.stocks(region, place, "destination")
    stock = stock if stock.height else read.stocks(region, place, "origin")
    if not stock.height:
        return None
    when = read.common_year(stock)
    roles = read.place_roles(region, when)
    if roles is None or place not in roles.table["place"].to_list():
        return None
    row = roles.table.row(by_predicate=pl.col("place") == place, named=True)
    blocks = (
        Paragraph(_finding(row), "lead"),
        _figure(region, place, roles, when),
        Bullets(_verdicts(region, roles)),
        Paragraph(tuple(piece for warning in roles.warnings for piece in (*plain(warning), " ")), "note"),
    )
    return Section("roles", "Roles read from figures", blocks)


def _finding(row: dict[str, Any]) -> Text:
    said = "nothing" if row["seed_role"] == "none" else read.role_words(row["seed_role"])
    verdict = {
        True: "The figures agree.",
        False: "The figures do not agree.",
        None: "The sources differ too much to confirm or reject it." if row["seed_role"] != "none" else "",
    }[row["agrees"]]
    return text(
        "{name}: the figures say {role}; the paper of {seed} said {said}. {verdict}",
        name=row["name"],
        role=read.role_words(row["role"]),
        seed=year(2009),
        said=said,
        verdict=verdict,
    )


def _figure(region: Region, place: str, roles: Roles, when: int) -> Figure:
    wanted = [
        place,
        *read.top_partners(region, place, "destination", 4),
        *read.top_partners(region, place, "origin", 3),
    ]
    wanted += list(region.focus)
    order = list(dict.fromkeys(p for p in wanted if p in set(roles.table["place"].to_list())))[:SHOWN]
    rows = [roles.table.row(by_predicate=pl.col("place") == p, named=True) for p in order]
    points, lines = [], []
    for row in rows:
        cells: list[Text] = [(row["name"],)]
        for role in ROLES:
            value, low, high = (100 * row[f"{role}{end}"] for end in ("", "_low", "_high"))
            points.append({"label": row["name"], "group": role, "value": value, "low": low, "high": high})
            sources = tuple(_sources(region))
            cells.append((Number(Quantity(value, min(low, value), max(high, value), "%", sources, RIVALS)),))
        lines.append(tuple(cells))
    return Figure(
        title=text("How much each place is origin, transit and destination, {when}", when=year(when)),
        svg=to_svg(interval_spec(points, unit="% of the people counted at the place")),
        alt=f"Shares of origin, transit and destination with their spread for {', '.join(r['name'] for r in rows)}.",
        data=Table(
            title=text("Shares of the three roles, {when}, with the spread over rival sources", when=year(when)),
            columns=(Column(("Place",)), *(Column((role.capitalize(),), number=True) for role in ROLES)),
            rows=tuple(lines),
        ),
        note=(
            "Dot: median over readings; line: lowest to highest reading over the sources (stocks of each revision, "
            "their growth, asylum applications) and over possible roads.",
        ),
    )


def _sources(region: Region) -> list[str]:
    """What the roles are read from, as far as the pack holds it."""
    used: list[str] = []
    for name in ("stocks", "asylum", "legs"):
        cells = region.table(name)["source_id"].unique().sort().to_list()
        used += [i for cell in cells for i in cell.split(";") if i not in used]
    return used


def _verdicts(region: Region, roles: Roles) -> tuple[Text, ...]:
    said = roles.table.filter(pl.col("seed_role") != "none")
    items: list[tuple[Inline, ...]] = []
    for verdict, words in (
        (True, "Figures agree with the paper of {seed}"),
        (False, "Figures do not agree with the paper"),
        (None, "Cannot be told, because the spread of the sources crosses the line between two groups"),
    ):
        rows = said.filter(pl.col("agrees").is_null() if verdict is None else pl.col("agrees") == verdict)
        if rows.height:
            template = words + ": {count} of {all} places ({names})."
            items.append(
                text(
                    template,
                    seed=year(2009),
                    count=counted(rows.height, "places"),
                    all=counted(said.height, "places"),
                    names=read.joined(rows["name"].to_list()),
                )
            )
    return tuple(items)

"""Roles read from figures, against what the 2009 seed paper said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief import read
from zhol.brief.content import (
    Block,
    Bullets,
    Column,
    Figure,
    Marks,
    Number,
    Paragraph,
    Section,
    Table,
    Text,
    When,
    plain,
    text,
    year,
)
from zhol.brief.quantities import RIVALS, counted, sources_of
from zhol.core.charts import interval_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.estimate.place_roles import Roles
    from zhol.region.load import Region

ROLES = ("origin", "transit", "destination")
SHOWN = 8  # places in the chart
BASES = (
    ("support", "Probability of each role over all readings"),
    ("flows", "read from flows alone (three methods on every revision, drawn over errors of the stocks; asylum)"),
    ("stocks", "read from stocks alone (every revision; cited counts)"),
)
CHANCE = "a share of readings, draws and roads, which has no interval of its own"


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
    paper = _paper(region, place)
    blocks = (
        Paragraph(_finding(row, paper), "lead"),
        *_chances(region, row),
        _figure(region, place, roles, when),
        *_verdicts(roles, paper),
        Paragraph(tuple(piece for warning in roles.warnings for piece in (*plain(warning), " ")), "note"),
    )
    return Section("roles", "Roles read from figures", blocks)


def _paper(region: Region, place: str) -> dict[str, Any] | None:
    """The paper that the pack's ``seed_role`` repeats."""
    cell = region.places.row(by_predicate=pl.col("place") == place, named=True)["source_id"]
    papers = region.sources.filter(pl.col("source_id").is_in(sources_of(cell)), pl.col("kind") == "paper")
    return papers.to_dicts()[0] if papers.height else None


def _finding(row: dict[str, Any], paper: dict[str, Any] | None) -> Text:
    says = text("{name}: the figures say {role}", name=row["name"], role=read.role_words(row["role"]))
    if paper is None:
        return (*says, ".")
    if row["seed_role"] in {None, "none"}:
        return (*says, *text("; the paper of {when} says nothing of it.", when=_date(paper)))
    verdict = {
        True: "The figures agree.",
        False: "The figures do not agree.",
        None: "The sources differ too much to confirm or reject it.",
    }[row["agrees"]]
    return says + text(
        "; the paper of {when}{mark} said {said}. {verdict}",
        when=_date(paper),
        mark=Marks((paper["source_id"],)),
        said=read.role_words(row["seed_role"]),
        verdict=verdict,
    )


def _date(paper: dict[str, Any]) -> When:
    return When(str(paper["published"] or "no date")[:4])


def _chances(region: Region, row: dict[str, Any]) -> tuple[Block, ...]:
    """Probability of each role of the place, over all readings and by what is read."""
    sources = tuple(_sources(region))
    parts: list[Text] = []
    for column, words in BASES:
        values = [row[f"{role}_{column}"] for role in ROLES]
        if None in values:
            continue
        numbers = {
            role: Number(Quantity(100 * v, None, None, "%", sources, no_interval=CHANCE), "value", quiet=True)
            for role, v in zip(ROLES, values, strict=True)
        }
        parts.append(text(words + ": origin {origin}, transit {transit}, destination {destination}", **numbers))
    if not parts:
        return ()
    pieces = [piece for i, part in enumerate(parts) for piece in ((*(["; "] if i else []), *part))]
    return (Paragraph((*pieces, Marks(sources), f". Each is {CHANCE}.")),)


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
        note=(f"Dot: median over readings, draws and possible roads; line: nine tenths of them. {_read_from(roles)}",),
    )


def _read_from(roles: Roles) -> str:
    """The kinds of readings, in words."""
    kinds = (
        ("stock", "stocks of each revision"),
        ("flows", "flows of the five years before by three methods on each"),
        ("growth", "growth of stocks"),
        ("cited", "cited counts abroad"),
        ("asylum", "asylum applications"),
    )
    words = [w for start, w in kinds if any(m.startswith(start) for m in roles.measures)]
    return f"Readings: {read.joined(words)}."


def _sources(region: Region) -> list[str]:
    """What the roles are read from, as far as the pack holds it."""
    used: list[str] = []
    for name in ("stocks", "population", "asylum", "legs"):
        rows = (
            region.table(name) if name in region.tables else pl.DataFrame({"source_id": []}, {"source_id": pl.String})
        )
        if name == "population":
            rows = rows.filter(pl.col("variable").is_in(["persons", "births", "deaths"]), pl.col("level").is_null())
        cells = rows["source_id"].unique().sort().to_list()
        used += [i for cell in cells for i in cell.split(";") if i not in used]
    return used


def _verdicts(roles: Roles, paper: dict[str, Any] | None) -> tuple[Block, ...]:
    """Where figures and paper agree, where not, and where the figures cannot decide."""
    said = roles.table.filter(pl.col("seed_role").fill_null("none") != "none")
    if paper is None or not said.height:
        return ()
    items: list[Text] = []
    for verdict, words in (
        (True, "Figures agree with the paper of {when}"),
        (False, "Figures do not agree with the paper"),
        (None, "Cannot be told, because the readings are divided"),
    ):
        rows = said.filter(pl.col("agrees").is_null() if verdict is None else pl.col("agrees") == verdict)
        if rows.height:
            items.append(
                text(
                    words + ": {count} of {all} places ({names}).",
                    when=_date(paper),
                    count=counted(rows.height, "places"),
                    all=counted(said.height, "places"),
                    names=read.joined(rows["name"].to_list()),
                )
            )
    return (Bullets(tuple(items)),)

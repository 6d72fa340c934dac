"""Bodies and treaties that cover the largest corridors, graded from declared to practised; mandates that overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief import read
from zhol.brief.content import (
    Block,
    Column,
    Figure,
    Marks,
    Paragraph,
    Section,
    Sign,
    Table,
    Text,
    Title,
    When,
    text,
)
from zhol.brief.quantities import counted, sources_of
from zhol.core.charts import matrix_spec, to_svg

if TYPE_CHECKING:
    from zhol.region.load import Region

LEVELS = ("declared", "signed", "in force", "practised")
GLYPHS = {"declared": "○", "signed": "◔", "in force": "◑", "practised": "●"}
PARTNERS = 5
TREATIES = 14


def section(region: Region, place: str) -> Section | None:
    """Treaties by corridor, then functions by body."""
    partners = _partners(region, place)
    covers = _covers(region, place, partners)
    blocks: list[Block] = [*_treaties(region, place, partners, covers), *_functions(region, place)]
    if not blocks:
        return None
    return Section(
        "treaties", "Bodies and treaties", (Paragraph(_finding(region, place, partners, covers), "lead"), *blocks)
    )


def _partners(region: Region, place: str) -> list[str]:
    """Partners of the largest corridors, either way."""
    both = [read.top_partners(region, place, side, PARTNERS) for side in ("destination", "origin")]
    mixed = [p for pair in zip(*(b + [""] * PARTNERS for b in both), strict=False) for p in pair if p]
    return list(dict.fromkeys(mixed))[:PARTNERS]


def parties(region: Region) -> pl.DataFrame:
    """Who is party to what today: groups spelled out, those who left and treaties that ended taken away."""
    members = {
        row["place"]: row["members"].split(";")
        for row in region.places.filter(kind="group").to_dicts()
        if row["members"]
    }
    rows = region.table("agreement_parties").filter(pl.col("until").is_null())
    alive = (
        region.table("agreements")
        .filter(pl.col("ended").is_null())
        .select("agreement_id", "name", "strength", "signed")
    )
    spelled = [
        {"agreement_id": r["agreement_id"], "place": place, "role": r["role"], "source_id": r["source_id"]}
        for r in rows.to_dicts()
        for place in members.get(r["place"], [r["place"]])
    ]
    schema = dict.fromkeys(("agreement_id", "place", "role", "source_id"), pl.String)
    return pl.DataFrame(spelled, schema=schema).join(alive, on="agreement_id", how="inner")


def _covers(region: Region, place: str, partners: list[str]) -> list[dict[str, Any]]:
    """One row a treaty and partner: both are in it; as strong as the weaker of the two."""
    table = parties(region)
    found = []
    for (_,), rows in table.group_by("agreement_id", maintain_order=True):
        roles = dict(rows.select("place", "role").iter_rows())
        if place not in roles:
            continue
        first = rows.to_dicts()[0]
        for partner in partners:
            if partner not in roles:
                continue
            full = roles[place] == roles[partner] == "party"
            level = first["strength"].replace("_", " ")
            weak = level if full or LEVELS.index(level) < 1 else "signed"
            found.append({**first, "partner": partner, "level": weak, "sources": rows["source_id"].to_list()})
    return found


def _treaties(region: Region, place: str, partners: list[str], covers: list[dict[str, Any]]) -> list[Block]:
    if not covers:
        return []
    called = read.names(region)
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in covers:
        by_name.setdefault(row["name"], []).append(row)
    ranked = sorted(by_name.items(), key=lambda item: (-sum(1 + LEVELS.index(r["level"]) for r in item[1]), item[0]))
    lines: list[tuple[Text, ...]] = []
    for name, rows in ranked[:TREATIES]:
        signed = sorted({r["signed"][:4] for r in rows if r["signed"]})
        dates = (When(signed[0] if len(signed) == 1 else f"{signed[0]}–{signed[-1]}"),) if signed else ("no date",)
        cells = [_cell([r["level"] for r in rows if r["partner"] == p]) for p in partners]
        sources = sources_of([cell for r in rows for cell in r["sources"]])
        lines.append(((Title(name), Marks(sources[:4])), dates, *cells))
    note = text("○ declared, ◔ signed, ◑ in force, ● practised; empty: none in the pack. Signatories count as signed. ")
    if len(ranked) > TREATIES:
        more = len({r["agreement_id"] for _, rows in ranked[TREATIES:] for r in rows})
        note += text("{more} more treaties cover a corridor.", more=counted(more, "treaties"))
    return [
        Table(
            title=text("Treaties between {name} and the other end of its largest corridors", name=called[place]),
            columns=(
                Column(("Treaty",), width=4.2),
                Column(("Signed",), width=1.2),
                *(Column((called[p],), width=1.25) for p in partners),
            ),
            rows=tuple(lines),
            note=note,
        )
    ]


def _cell(levels: list[str]) -> Text:
    if not levels:
        return ("",)
    strongest = max(levels, key=LEVELS.index)
    return (Sign(GLYPHS[strongest], strongest),)


def _functions(region: Region, place: str) -> list[Block]:
    """Functions of the bodies the place is a member of: several circles in a row are several mandates for one task."""
    bodies = _member_of(region, place)
    rows = region.table("functions").filter(pl.col("body").is_in(bodies), pl.col("until").is_null())
    kinds = dict(region.table("bodies").select("body", "kind").iter_rows())
    rows = rows.filter(pl.Series([kinds.get(b) != "convention" for b in rows["body"].to_list()], dtype=pl.Boolean))
    if not rows.height:
        return []
    rank = {level.replace(" ", "_"): i for i, level in enumerate(LEVELS)}
    best = (
        rows.with_columns(rank=pl.col("strength").replace_strict(rank, return_dtype=pl.Int64))
        .sort("rank", descending=True)
        .group_by("function_code", "function", "body", maintain_order=True)
        .first()
    )
    often = best.group_by("function_code").agg(many=pl.len())
    best = best.join(often, on="function_code").sort(["many", "function_code"], descending=[True, False])
    order = [b for b in bodies if b in set(best["body"].to_list())]
    cells = [
        {"row": r["function"], "column": r["body"].replace("_", " "), "level": r["strength"].replace("_", " ")}
        for r in best.to_dicts()
    ]
    figure = Figure(
        title=text("What the bodies of which {name} is a member say they do", name=read.names(region)[place]),
        svg=to_svg(matrix_spec(cells, levels=LEVELS, columns=[b.replace("_", " ") for b in order])),
        alt="Matrix of functions and bodies; a circle for each function of a body, darker from declared to practised.",
        data=_function_table(best),
        note=_overlap(best),
    )
    return [figure]


def _member_of(region: Region, place: str) -> list[str]:
    rows = region.table("memberships").filter(pl.col("place") == place, pl.col("is_member"), pl.col("left").is_null())
    return rows["body"].unique(maintain_order=True).to_list()


def _function_table(best: pl.DataFrame) -> Table:
    lines: list[tuple[Text, ...]] = [
        (
            (r["function"],),
            (r["body"].replace("_", " "), Marks(sources_of(r["source_id"]))),
            (r["strength"].replace("_", " "),),
            (When(r["since"][:4]) if r["since"] else "no date",),
        )
        for r in best.to_dicts()
    ]
    heads = (Column(("Function",)), Column(("Body",)), Column(("Strength",)), Column(("Since",)))
    return Table(("Functions and bodies",), heads, tuple(lines))


def _overlap(best: pl.DataFrame) -> Text:
    shared = best.group_by("function_code").len().filter(pl.col("len") > 1).height
    every = best["function_code"].n_unique()
    return text(
        "{shared} of {every} functions stand with more than one body. An observer or signatory is no member. The "
        "source of each circle stands in the table of the HTML page.",
        shared=counted(shared, "functions"),
        every=counted(every, "functions"),
    )


def _finding(region: Region, place: str, partners: list[str], covers: list[dict[str, Any]]) -> Text:
    called = read.names(region)
    if not covers:
        return text("No treaty of the pack covers the largest corridors of {name}.", name=called[place])
    strong = {r["partner"] for r in covers if r["level"] in ("in force", "practised")}
    bare = [called[p] for p in partners if p not in strong]
    treaties = len({r["agreement_id"] for r in covers})
    return text(
        "{count} treaties of the pack join {name} with the other end of its largest corridors. {rest}",
        count=counted(treaties, "treaties"),
        name=called[place],
        rest=f"None is in force with {read.joined(bare)}."
        if bare
        else "Each of these corridors has at least one in force.",
    )

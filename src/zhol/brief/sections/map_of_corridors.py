"""Map of the corridors of a place, over the roles of all places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.brief.content import Column, Figure, Number, Paragraph, Section, Table, Text, text, year
from zhol.brief.corridor_map import draw_corridors
from zhol.brief.quantities import rivals
from zhol.brief.read import common_year, names, real_places, stocks
from zhol.core.world import BOUNDARY_NOTE

if TYPE_CHECKING:
    from zhol.region.load import Region

Row = dict[str, Any]
ARCS = 9  # each way
SMALLEST_ARC = 1000  # persons


def section(region: Region, place: str) -> Section | None:
    """The largest corridors to and from a place, as arcs and as a table behind them."""
    called = names(region)
    rows = _corridors(region, place)
    placed = region.places.filter(pl.col("lat").is_not_null(), pl.col("lon").is_not_null())["place"].to_list()
    if place not in placed or not any({r["origin"], r["destination"]} <= set(placed) for r in rows):
        return None
    when = rows[0]["year"]
    flows = pl.DataFrame([{k: r[k] for k in ("origin", "destination")} | {"value": r["drawn"]} for r in rows])
    largest = max(rows, key=lambda r: r["drawn"])
    figure = Figure(
        title=text(
            "Corridors of {name}, {when}: people by where they come from and where they live",
            name=called[place],
            when=year(when),
        ),
        svg=draw_corridors(region, flows, year=when, focus=place),
        alt=f"Map of arcs between {called[place]} and the places its people come from (blue) and go to (orange); "
        f"the widest is {called[largest['origin']]} to {called[largest['destination']]}. Fills show roles.",
        data=Table(
            title=text("Corridors on the map, {when}", when=year(when)),
            columns=(Column(("From",)), Column(("To",)), Column(("Persons",), number=True)),
            rows=tuple(((called[r["origin"]],), (called[r["destination"]],), (Number(r["quantity"]),)) for r in rows),
        ),
        note=text(
            "Blue: to {name}; orange: from {name}. Width: newest revision; an arc under the smallest width is drawn "
            "at that width. Fill: roles with a share of at least a fifth (next section). A place beyond the edge "
            "stands at the edge. {boundary}",
            name=called[place],
            boundary=BOUNDARY_NOTE,
        ),
    )
    return Section("map", "Corridors and roles", (Paragraph(_finding(rows, called, place), "lead"), figure))


def _corridors(region: Region, place: str) -> list[Row]:
    found = []
    for side in ("destination", "origin"):
        stock = stocks(region, place, side).filter(pl.col("partner").is_in(real_places(region)))
        if not stock.height:
            continue
        when = common_year(stock)
        for (partner,), pair in stock.filter(pl.col("year") == when).group_by("partner"):
            drawn = pair.sort("revision")["persons"][-1]
            quantity = rivals(pair, "persons", "persons")
            if quantity is None or drawn < SMALLEST_ARC:
                continue
            ends = (partner, place) if side == "destination" else (place, partner)
            found.append(
                {
                    "origin": ends[0],
                    "destination": ends[1],
                    "year": when,
                    "drawn": drawn,
                    "quantity": quantity,
                    "side": side,
                }
            )
    return [
        row
        for side in ("destination", "origin")
        for row in sorted((r for r in found if r["side"] == side), key=lambda r: -r["drawn"])[:ARCS]
    ]


def _finding(rows: list[Row], called: dict[str, str], place: str) -> Text:
    """The largest corridor each way; where the revisions name different ones, both."""
    parts: Text = ()
    for side, other, words, back in (("destination", "origin", "to", "from"), ("origin", "destination", "from", "to")):
        own = [r for r in rows if r["side"] == side]
        if not own:
            continue
        parts += text(
            "The largest corridor {words} {name} is that {back} {other}: {persons} persons",
            words=words,
            name=called[place],
            back=back,
            other=called[own[0][other]],
            persons=own[0]["quantity"],
        )
        rival = max(own, key=lambda r: r["quantity"].high or r["drawn"])
        if rival is not own[0] and (rival["quantity"].high or 0) > (own[0]["quantity"].high or own[0]["drawn"]):
            parts += text(
                " by the newest revision; an older one puts {other} first: {persons}",
                other=called[rival[other]],
                persons=rival["quantity"],
            )
        parts += (". ",)
    return parts

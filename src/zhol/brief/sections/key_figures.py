"""The box on the first page: what a reader should take away, each number with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from zhol.brief.content import Card, Cards, Number, Section, Text, plain, text, year
from zhol.brief.quantities import LEVEL, row_quantity
from zhol.brief.read import names
from zhol.brief.sections import asylum, stocks
from zhol.brief.sections.rival_sources import irregular_range
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region


def section(region: Region, place: str) -> Section | None:
    """Up to eight cards, those for which the pack has figures."""
    makers = (_in, _out, _irregular, _asylum, _rate, _refugees, _remittances, _population)
    cards = [card for make in makers if (card := make(region, place)) is not None]
    return Section("key-figures", "Key figures", (Cards(tuple(cards)),)) if cards else None


def _card(label: Text, quantity: Quantity, unit: str, note: Text = ()) -> Card:
    return Card(label, Number(quantity), unit, note)


def _kind(quantity: Quantity) -> Text:
    """What the interval is."""
    return plain(quantity.interval, why=LEVEL)


def _in(region: Region, place: str) -> Card | None:
    total = stocks.totals(region, place, "destination")
    if total is None:
        return None
    people = stocks.who(region, place, "destination")
    label = text(
        people[0].upper() + people[1:] + " living in {name}, {when}", name=names(region)[place], when=year(total[0])
    )
    return _card(label, total[1], "persons", _kind(total[1]))


def _out(region: Region, place: str) -> Card | None:
    total = stocks.totals(region, place, "origin")
    if total is None:
        return None
    people = stocks.who(region, place, "origin")
    label = text(
        people[0].upper() + people[1:] + " living elsewhere, {when}", name=names(region)[place], when=year(total[0])
    )
    return _card(label, total[1], "persons", _kind(total[1]))


def _irregular(region: Region, place: str) -> Card | None:
    found = irregular_range(region, place)
    if found is None:
        return None
    label = text("Irregular residents or workers, figures of {span}", span=found[0])
    return _card(label, found[1], "persons", text("rival figures, unlike definitions (see “Rival sources”)"))


def _asylum(region: Region, place: str) -> Card | None:
    found = asylum.latest(region, place)
    if found is None or "applications" not in found[1]:
        return None
    label = text("Asylum applications in {name}, {when}", name=names(region)[place], when=year(found[0]))
    return _card(label, found[1]["applications"], "persons")


def _rate(region: Region, place: str) -> Card | None:
    found = asylum.latest(region, place)
    if found is None or "rate" not in found[1]:
        return None
    label = text("Recognised as refugees, of those decided, {when}", when=year(found[0]))
    return _card(label, found[1]["rate"], "of decisions", _kind(found[1]["rate"]))


def _refugees(region: Region, place: str) -> Card | None:
    found = asylum.hosted(region, place)
    if found is None:
        return None
    label = text("Refugees in {name}, end of {when}", name=names(region)[place], when=year(found[0]))
    return _card(label, found[1], "persons")


def _remittances(region: Region, place: str) -> Card | None:
    rows = region.table("economy").filter(
        pl.col("place") == place, pl.col("variable") == "remittances_share_gdp", pl.col("value").is_not_null()
    )
    if not rows.height:
        return None
    last = rows.sort("year").tail(1).to_dicts()[0]
    label = text("Remittances received, share of GDP, {when}", when=year(last["year"]))
    return _card(label, row_quantity(last, unit="%"), "of GDP")


def _population(region: Region, place: str) -> Card | None:
    rows = region.table("population").filter(
        pl.col("place") == place, pl.col("variable") == "persons", pl.col("level").is_not_null()
    )
    if not rows.height:
        return None
    last = rows.sort("year", "level").tail(1).to_dicts()[0]
    label = text("Population projected for {when}", when=year(last["year"]))
    return _card(label, row_quantity(last), "persons", _kind(row_quantity(last)))

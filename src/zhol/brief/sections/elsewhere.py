"""What policy moves instead of stopping: other countries, roads, statuses, times; fewer returns; neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zhol.brief import read
from zhol.brief.content import Block, Column, Number, Paragraph, Section, Strong, Table, Text, plain, text
from zhol.brief.policy_runs import FEW, NONE, PAIRED, Judged, difference, judged
from zhol.brief.quantities import SMALLEST_BASE, SMALLEST_CELL, is_people
from zhol.brief.sections.recommendations import title_of
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

SHOWN = ("r1_borders", "protect_and_regularise", "control_only")
NEIGHBOURS = 6


def section(region: Region, place: str) -> Section | None:
    """The four substitution effects, and where entries rise outside the acting country."""
    found = judged(region, place)
    if found is None:
        return None
    order = found.lawful_first(SHOWN)
    blocks: list[Block] = [Paragraph(_finding(), "lead"), _effects(found, order), _neighbours(found, region, order)]
    return Section("elsewhere", "What moves elsewhere", tuple(blocks))


def _finding() -> Text:
    return text(
        "People whom a policy keeps out may go to another country, by another road, in another status or at another "
        "time, and people who are inside may stay because coming back is harder. A fall here is a success only as far "
        "as these lines do not take it back."
    )


def _heads(found: Judged, order: list[str], first: str) -> tuple[Column, ...]:
    heads = [Column((first,), width=1.5)]
    for name in order:
        mark: Text = () if found.lawful(name) else (Strong(" – not lawful"),)
        heads.append(Column((*plain(title_of(name).split(":")[0]), *mark), number=True, width=1.2))
    return tuple(heads)


def _effects(found: Judged, order: list[str]) -> Table:
    """Rows of the decomposition, in persons over the window."""
    table = found.comparison.substitution().table
    lines: list[tuple[Text, ...]] = []
    for what in table["what"].unique(maintain_order=True):
        cells: list[Text] = []
        for name in order:
            row = table.row(by_predicate=(pl.col("scenario") == name) & (pl.col("what") == what), named=True)
            cells.append(_cell(row["value"], row["low"], row["high"], row["unit"], found.sources(name)))
        lines.append((plain(what[0].upper() + what[1:]), *cells))
    note = text(
        "Persons over the whole window, beside present policies, with an interval that holds four fifths of the draws. "
        "Ways are entry for settlement, work, visit, asylum, and passage without papers. A negative number is a fall."
    )
    title: Text = ("The four substitution effects",)
    return Table(title, _heads(found, order, "Effect"), tuple(lines), note=note)


def _cell(value: float, low: float, high: float, unit: str, sources: tuple[str, ...]) -> Text:
    if value == low == high == 0.0:
        return (NONE,)
    if is_people(unit) and max(abs(low), abs(high)) < SMALLEST_CELL:
        return (FEW,)
    shown = None if is_people(unit) and abs(value) < SMALLEST_CELL else value
    return (Number(Quantity(shown, low, high, unit, sources, PAIRED), "signed", quiet=True),)


def _neighbours(found: Judged, region: Region, order: list[str]) -> Table:
    """Change of people in an irregular status, country by country: the burden on neighbours."""
    base, names = found.comparison.runs[0], found.comparison.names
    before, labels = base.draws("irregular_stock", ["destination"])
    places = [p for p in labels["destination"] if p != found.place]
    at = [labels["destination"].index(p) for p in places]
    gaps = {}
    for name in order:
        after, _ = found.comparison.runs[names.index(name)].draws("irregular_stock", ["destination"])
        gaps[name] = (after - before)[:, -1][:, at]
    # Those whose number moves most by any of the packages, if enough people are there at all.
    size = np.max([np.abs(np.median(g, axis=0)) for g in gaps.values()], axis=0)
    size = np.where(np.median(before[:, -1][:, at], axis=0) >= SMALLEST_BASE, size, 0.0)
    most = [i for i in np.argsort(-size)[:NEIGHBOURS] if size[i] > 0]
    called = read.names(region)
    lines = [
        (plain(called[places[i]]), *(difference(gaps[n][:, i], "persons", found.sources(n)) for n in order))
        for i in most
    ]
    title = ("Burden on others: people in an irregular status at the end, beside present policies",)
    note = ("Countries where the number moves most. More here means that the burden was passed on.",)
    return Table(title, _heads(found, order, "Country"), tuple(lines), note=note)

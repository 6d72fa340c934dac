"""What policy moves instead of stopping: other countries, roads, statuses, times; fewer returns; neighbours."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zhol.brief import read
from zhol.brief.content import Block, Column, Number, Paragraph, Section, Table, Text, plain, text
from zhol.brief.content import years as span
from zhol.brief.model_runs import Outlook, outlook
from zhol.brief.policy_runs import END, MOVED, NONE, PAIRED, SMALLEST, START, Judged, chance, judged, relative
from zhol.brief.quantities import SMALLEST_BASE
from zhol.brief.sections.credible import credible
from zhol.brief.sections.recommendations import marked, title_of
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

NEIGHBOURS = 6
WIDEST = 300.0  # percent of what was kept out: a wider interval says nothing
LEAST = 0.005  # of those who come: a smaller fall has no shares worth telling
NOBODY = "nobody kept out"


def section(region: Region, place: str) -> Section | None:
    """The four substitution effects, and the burden on other countries."""
    found = judged(region, place)
    if found is None:
        return None
    order = found.lawful_first(MOVED)
    blocks: list[Block] = [
        Paragraph(_finding(found, region), "lead"),
        Paragraph(_how()),
        _effects(found, order),
    ]
    view = outlook(region)
    if view is not None:
        blocks += _neighbours(found, region, view, order)
    return Section("elsewhere", "What moves elsewhere", tuple(blocks))


def _finding(found: Judged, region: Region) -> Text:
    """What borders alone move, in words."""
    name = MOVED[0]
    row = _row(found, name, "more go to other countries")
    words = (
        "People whom a policy keeps out may go to another country, by another road, in another status or at another "
        "time, and people who are inside may stay because coming back is harder. A fall here is a success only as far "
        "as the lines below do not take it back. "
    )
    if row is None or row["per_100"] is None or _kept_out(found, name) is None:
        return text(words)
    told = _cell(row, found.sources(name))
    known = len(told) == 1 and isinstance(told[0], Number) and (told[0].quantity.low or 0.0) > 0
    return text(
        words
        + (
            "Under “{title}”, of all whom {place} keeps out {share} turn up in other countries."
            if known
            else "Under “{title}”, how many of those whom {place} keeps out turn up in other countries cannot be told."
        ),
        title=plain(title_of(name)),
        place=read.names(region)[found.place],
        share=told,
    )


def _how() -> Text:
    return text(
        "The first line is the fall of entries by the ways that a package narrows (settlement, work, visit, asylum, "
        "passage without papers), in percent of all who come over {span} under present policies. The lines under it "
        "say what becomes of that fall, in percent of it: a minus is the reverse of what the line says, and above one "
        "hundred percent more moves than was kept out. Intervals hold four fifths of the draws; where one is too wide "
        "to say anything, the share of draws in which the line holds stands there alone.",
        span=span(int(START), int(END)),
    )


def _row(found: Judged, name: str, what: str) -> dict[str, object] | None:
    rows = found.moved.filter((pl.col("scenario") == name) & (pl.col("what") == what)).to_dicts()
    return rows[0] if rows else None


def _kept_out(found: Judged, name: str) -> Quantity | None:
    """Fall of entries by the narrowed ways, in percent of all entries; None where there is hardly any."""
    ways = [v for kind, v in found.entries.items() if kind != "at the end"]
    if not ways:
        return None
    number, base = found.names.index(name), np.sum([v[0] for v in ways], axis=0)
    if np.median(base) < SMALLEST_BASE or (base <= 0).any():
        return None
    lost = np.sum([np.maximum(v[0] - v[number], 0.0) for v in ways], axis=0)
    low, middle, high = (float(v) for v in np.quantile(-100.0 * lost / base, [0.1, 0.5, 0.9]))
    if abs(middle) < 100.0 * LEAST:
        return None
    return Quantity(middle, low, high, "%", found.sources(name), PAIRED)


def _per(row: dict[str, object], sources: tuple[str, ...]) -> Quantity:
    ends = [float(row[k]) for k in ("per_100", "per_100_low", "per_100_high")]  # type: ignore[arg-type]
    return Quantity(ends[0], ends[1], ends[2], "%", sources, PAIRED)


def _cell(row: dict[str, object], sources: tuple[str, ...]) -> Text:
    """A share of what was kept out; where its interval says nothing, the share of draws in which it is above zero."""
    share = _per(row, sources)
    if share.low is None or share.high is None or share.high - share.low > WIDEST:
        return ("not known; more in ", chance(float(row["probability"])))  # type: ignore[arg-type]
    if max(abs(share.low), abs(share.high)) < SMALLEST:
        return (NONE,)
    return (Number(share, "signed", quiet=True),)


def _heads(found: Judged, order: list[str], first: str) -> tuple[Column, ...]:
    heads = [Column((first,), width=1.5)]
    heads += [Column(marked(found, n, title_of(n).split(":")[0]), number=True, width=1.2) for n in order]
    return tuple(heads)


def _effects(found: Judged, order: list[str]) -> Table:
    """Rows of the decomposition, in percent of what was kept out."""
    direct = {name: _kept_out(found, name) for name in order}
    first: list[Text] = [
        (NOBODY,) if q is None else (Number(q, "signed", quiet=True),) for q in (direct[n] for n in order)
    ]
    lines: list[tuple[Text, ...]] = [(("Come by the ways that narrow, of all who come",), *first)]
    rest = found.moved.filter((pl.col("effect") != "direct") & (pl.col("unit") != "years"))
    for what in rest["what"].unique(maintain_order=True).to_list():
        cells: list[Text] = []
        for name in order:
            row = _row(found, name, what)
            passing = row is not None and row["unit"] == "passages"  # in percent of passages kept off
            if row is None or row["per_100"] is None or (direct[name] is None and not passing):
                cells.append(("–",))
            else:
                cells.append(_cell(row, found.sources(name)))
        if any(cell not in (("–",), (NONE,)) for cell in cells):
            lines.append((plain(_words(what)), *cells))
    note = "A dash: nobody was kept out who could move. Other roads: in percent of passages that no longer lead here."
    return Table(("The substitution effects",), _heads(found, order, "Effect"), tuple(lines), note=(note,))


def _words(what: str) -> str:
    return what[0].upper() + what[1:]


def _neighbours(found: Judged, region: Region, view: Outlook, order: list[str]) -> tuple[Block, ...]:
    """Change of people in an irregular status, country by country: the burden on neighbours."""
    index = [found.names.index(n) for n in order]
    sizes = {}
    for place, values in found.abroad.items():
        base = values[0]
        if np.median(base) >= SMALLEST_BASE and (base > 0).all():
            sizes[place] = max(abs(float(np.median(values[i] / base - 1.0))) for i in index)
    order_of = sorted((p for p in sizes if sizes[p] >= LEAST), key=lambda p: -sizes[p])
    most = list(islice((p for p in order_of if _countable(region, view, p)), NEIGHBOURS))
    if not most:
        return ()
    called = read.names(region)
    lines = []
    for place in most:
        values = found.abroad[place]
        cells = (relative(values[i], values[0], "persons", found.sources(n)) for i, n in zip(index, order, strict=True))
        lines.append((plain(called[place]), *cells))
    title = text("Burden on others: people in an irregular status there, {end}", end=span(int(END), int(END)))
    note = ("Countries where the number moves most, in percent of present policies. A plus means that the burden was "
            "passed on.",)  # fmt: skip
    return (Table(title, _heads(found, order, "Country"), tuple(lines), note=note),)


def _countable(region: Region, view: Outlook, place: str) -> bool:
    """Whether the system's count of people in an irregular status there can be believed."""
    kinds = dict(region.places.select("place", "kind").iter_rows())
    return kinds.get(place) in ("country", "block") and credible(view, region, place).irregular("destination")

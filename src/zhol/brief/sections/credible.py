"""Which numbers of the system may be shown for a place: what published figures and the size of populations allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zhol.brief import read
from zhol.brief.content import Bullets, Column, Number, Table, Text, When, text
from zhol.brief.model_runs import LEVEL, Outlook
from zhol.brief.quantities import SUMMED, persons, sources_of
from zhol.brief.sections import rival_sources, stocks
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

ANCHORS = ("irregular", "citizens", "labour", "flow")  # kinds of figures that speak of labour and irregular stay
FAR = 1.5  # times beyond every published figure of the same thing: the median is then withheld
LEAST = 1000  # persons: smaller gaps are not held against a number
MOST = {"destination": 0.1, "origin": 0.25}  # of the population: more people in an irregular status are not believed
SPEAK = 0.5  # of the prior's width: below it the figures have narrowed a number
ALONE = {"resident": {"resident", "protected"}}  # measured together by the stocks; all others are alone or in a sum
# Statuses that only figures on labour and irregular stay can hold.
UNHELD = ("worker", "visitor", "clandestine", "overstayer", "unauthorised", "breach", "refused")
RATIO = "a ratio of a median and the nearest published figure, which has no interval of its own"
WHERE = {"destination": "in {name}", "origin": "elsewhere, from {name}"}
IRREGULAR = "people in an irregular status"
WITHHELD: Text = ("withheld",)


@dataclass(frozen=True)
class Published:
    """A published or reconciled number, and the statuses of the system that it counts."""

    what: str
    when: str
    number: Quantity
    statuses: tuple[str, ...]


@dataclass(frozen=True)
class Credible:
    """What may be shown of a place.

    Attributes
    ----------
    withheld : mapping of side to statuses
        Numbers that are not shown.
    why : tuple of Text
        One line for each thing that is withheld.
    """

    withheld: Mapping[str, frozenset[str]]
    why: tuple[Text, ...]

    def shows(self, side: str, *statuses: str) -> bool:
        """Whether numbers of these statuses may be shown."""
        return not self.withheld[side] & set(statuses)

    def irregular(self, side: str) -> bool:
        """Whether numbers of people in an irregular status may be shown."""
        from zhol.system.names import IRREGULAR as ALL

        return self.shows(side, *ALL)

    def warning(self) -> tuple[Bullets, ...]:
        """What is withheld and why, as a box; nothing where nothing is."""
        return (Bullets(self.why, "warning"),) if self.why else ()


@lru_cache(maxsize=32)
def credible(view: Outlook, region: Region, place: str) -> Credible:
    """Judge the system's numbers of a place by what is published on it."""
    called = read.names(region)[place]
    withheld: dict[str, set[str]] = {side: set() for side in WHERE}
    why: list[Text] = []
    if view.fit is not None and not _anchored(view, place):
        withheld = {side: set(UNHELD) for side in WHERE}
        why.append(
            text(
                "Withheld: workers, visitors and people in an irregular status. No figure on labour or irregular stay "
                "with {name} at either end was in the fit, so that these numbers rest on priors alone.",
                name=called,
            )
        )
    for side, words in WHERE.items():
        where = text(words, name=called)
        for bad, line in (*_against(view, region, place, side), *_beyond(view, region, place, side)):
            fresh = bad - withheld[side]
            if fresh:
                withheld[side] |= fresh
                why.append((*line[:1], *where, *line[1:]))
    return Credible({s: frozenset(v) for s, v in withheld.items()}, tuple(why))


def _anchored(view: Outlook, place: str) -> bool:
    assert view.fit is not None
    here = (pl.col("origin") == place) | (pl.col("destination") == place)
    return bool(view.fit.figures.filter(here & pl.col("kind").is_in(ANCHORS)).height)


def _against(view: Outlook, region: Region, place: str, side: str) -> list[tuple[set[str], Text]]:
    """Statuses that a published figure contradicts; words for where go after the first piece of each line."""
    out: list[tuple[set[str], Text]] = []
    for row in published(region, place, side):
        middle = float(np.median(_draws(view, place, side, row)))
        times = _times(middle, row.number)
        if times is None:
            continue
        bad = {"resident"} if row.statuses[0] == "resident" else set(row.statuses)
        gap = Quantity(max(times, 1 / times), None, None, "times", row.number.sources, no_interval=RATIO)
        what = f"Withheld: {row.what[0].lower()}{row.what[1:]}, "
        line = text(
            "{what}, for the median of the system is {gap} times what is published for {when} ({number})."
            if times > 1
            else "{what}, for what is published for {when} ({number}) is {gap} times the median of the system.",
            what=what,
            gap=Number(gap, "value", quiet=True),
            when=When(row.when),
            number=Number(row.number),
        )
        out.append((bad, line))
    return out


def _times(middle: float, number: Quantity) -> float | None:
    """How many times a median lies beyond every published figure (below 1: under it); None where it is not far."""
    low = number.low if number.low is not None else number.value
    high = number.high if number.high is not None else number.value
    if low is None or high is None:
        return None
    if middle > FAR * high and middle - high >= LEAST:
        return middle / max(high, 1.0)
    if FAR * middle < low and low - middle >= LEAST:
        return max(middle, 1.0) / low
    return None


def _beyond(view: Outlook, region: Region, place: str, side: str) -> list[tuple[set[str], Text]]:
    """Statuses with more people than there can be."""
    from zhol.system.names import IRREGULAR as ALL

    out: list[tuple[set[str], Text]] = []
    at, people = view.at(view.now), _population(region, place, view.now)
    array, labels = view.side("stock", place, side, ("status",))
    irregular = array[:, at][:, [labels.index(s) for s in ALL]].sum(axis=1)
    middle = float(np.median(irregular))
    total = stocks.totals(region, place, side) if "stocks" in region.tables else None
    born = None if total is None else (total[1].high or total[1].value)
    head = f"Withheld: {IRREGULAR}, "
    if born is not None and middle > born and middle - born >= LEAST:
        rest = "for the system puts more of them there than all residents that the United Nations count as born"
        out.append((set(ALL), (head, f", {rest} {'abroad' if side == 'destination' else 'there'}.")))
    elif people is not None and middle > MOST[side] * people:
        share = Quantity(100 * MOST[side], None, None, "%", (), no_interval="a bound that is chosen and not measured")
        line = text(", for the median of the system is above {share} of the population.", share=Number(share, "value"))
        out.append((set(ALL), (head, *line)))
    if people is not None:
        high = np.quantile(array[:, at], 0.5 + LEVEL / 2, axis=0)
        bad = {s for s, h in zip(labels, high, strict=True) if h > people}
        if bad:
            names = read.joined([_words(s) for s in labels if s in bad])
            out.append((bad, (f"Withheld: {names}, ", ", for the interval of the system ends above the population.")))
    return out


def outgrows(view: Outlook, region: Region, place: str, side: str) -> Text | None:
    """Why the end of a projection is not shown, though its start may be."""
    people = _population(region, place, view.end)
    middle = float(np.median(view.side("irregular_stock", place, side)[0][:, -1]))
    if people is None or middle <= MOST[side] * people:
        return None
    return text(
        "No projection is shown: by {when} the system would put more people in an irregular status {where} than is "
        "credible beside its population.",
        when=When(view.end),
        where=text(WHERE[side], name=read.names(region)[place]),
    )


def _words(status: str) -> str:
    from zhol.brief.sections.the_system import STATUSES

    return STATUSES[status]


def _population(region: Region, place: str, when: str) -> float | None:
    if "population" not in region.tables:
        return None
    rows = region.table("population").filter(
        (pl.col("place") == place) & (pl.col("variable") == "persons") & (pl.col("year") <= int(when))
    )
    values = rows.sort("year", "level", nulls_last=False)["value"].drop_nulls().to_list()
    return float(values[-1]) if values else None


def grounds(view: Outlook, region: Region, place: str, side: str, widths: np.ndarray | None) -> dict[str, str]:
    """What each status stands on: ``figures`` of it alone, figures of ``a sum`` with others, or the ``prior``."""
    from zhol.system.names import STATUSES
    from zhol.system.observation_map import observation_map

    if view.fit is None or widths is None:
        return dict.fromkeys(STATUSES, "prior")
    used = set(view.fit.figures.filter(pl.col(side) == place)["series"].unique().to_list())
    sets = [set(s.statuses) for name, s in observation_map(region).series.items() if name in used and s.statuses]
    out = {}
    for status, width in zip(STATUSES, widths, strict=True):
        alone = any(status in s and s <= ALONE.get(status, {status}) for s in sets)
        summed = any(status in s for s in sets)
        out[status] = "prior" if width >= SPEAK or not summed else "figures" if alone else "a sum"
    return out


def against_published(view: Outlook, region: Region, place: str, judged: Credible) -> Table | None:
    """The system's numbers beside published or reconciled ones of the same thing; a number that is far is withheld."""
    lines: list[tuple[Text, ...]] = []
    for row in published(region, place, "destination"):
        ours = _draws(view, place, "destination", row)
        times = _times(float(np.median(ours)), row.number)
        shown = times is None and judged.shows("destination", row.statuses[0])  # a sum may hold though a part does not
        said: Text = (Number(view.quantity(ours)),) if shown else WITHHELD
        lines.append(((row.what,), (When(row.when),), said, (Number(row.number),), (_meet(ours, row.number),)))
    if not lines:
        return None
    heads = (
        Column(("What",), width=1.9),
        Column(("When",), width=0.6),
        Column(("The system",), number=True, width=1.3),
        Column(("Published, or reconciled",), number=True, width=1.4),
        Column(("Do they meet",), width=0.9),
    )
    note = "Where they do not meet, prefer what is published: the system is wrong there."
    title = text("The system against what is published on {name}", name=read.names(region)[place])
    return Table(title, heads, tuple(lines), note=(note,))


def _draws(view: Outlook, place: str, side: str, row: Published) -> np.ndarray:
    """Draws of what a published number counts, in its year, (draw,)."""
    array, labels = view.side("stock", place, side, ("status",))
    at = view.at(row.when) if row.when in view.run.time else view.at(view.now)
    return np.asarray(array[:, at][:, [labels.index(s) for s in row.statuses]].sum(axis=1))


def published(region: Region, place: str, side: str) -> list[Published]:
    """What is published on people in a place, or from it elsewhere."""
    from zhol.system.names import IRREGULAR as ALL

    out: list[Published] = []
    total = stocks.totals(region, place, side) if "stocks" in region.tables else None
    if total is not None:
        words = "Long-term residents and protected, United Nations"
        out.append(Published(words, str(total[0]), total[1], ("resident", "protected")))
    if "refugees" in region.tables:
        for column, words, status in (
            ("refugees", "Refugees, protected", "protected"),
            ("asylum_seekers", "Asylum claims pending", "pending"),
        ):
            found = _counted(region, place, side, column)
            if found is not None:
                out.append(Published(words, *found, (status,)))
    irregular = _irregular(region, place) if side == "destination" else None
    if irregular is not None:
        out.append(Published(*irregular, ALL))
    return out


def _counted(region: Region, place: str, side: str, column: str) -> tuple[str, Quantity] | None:
    """Refugees or claims of the last year that has any, summed."""
    rows = region.table("refugees").filter(pl.col(side) == place, pl.col(column).is_not_null())
    if not rows.height:
        return None
    when = int(rows["year"].max())  # type: ignore[arg-type]
    now = rows.filter(pl.col("year") == when)
    sources = sources_of(now["source_id"].unique().sort().to_list())
    return str(when), persons(float(now[column].sum()), "persons", sources, SUMMED)


def _irregular(region: Region, place: str) -> tuple[str, str, Quantity] | None:
    """The reconciled stock where the pack defines one, else the range of what is published."""
    from zhol.estimate.stored_reconciliation import reconciled

    for name in read.reconciled_quantities(region, place):
        if "irregular" in name:
            post = reconciled(region, name)
            sources = sources_of([str(s) for s in post.figures["source_id"].to_list()])
            number = Quantity(post.population, post.low, post.high, "persons", sources, "95% posterior interval")
            return "In an irregular status, reconciled", str(int(post.details["year"])), number
    found = rival_sources.irregular_range(region, place) if "figures" in region.tables else None
    return None if found is None else ("In an irregular status, rival figures", found[0].shown, found[1])


def _meet(ours: np.ndarray, number: Quantity) -> str:
    """Whether the interval of the system and the published number or interval have anything in common."""
    low, high = np.quantile(ours, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    first = number.low if number.low is not None else number.value
    last = number.high if number.high is not None else number.value
    if first is None or last is None:
        return "not known"
    return "no: too high" if low > last else "no: too low" if high < first else "yes"

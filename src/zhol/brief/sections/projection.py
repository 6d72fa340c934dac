"""If present policies continue: stocks and flows to the end of the projection, with their fans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    text,
    year,
    years,
)
from zhol.brief.model_runs import Outlook, outlook
from zhol.brief.quantities import SMALLEST_CELL
from zhol.brief.sections.credible import IRREGULAR as IN_IRREGULAR
from zhol.brief.sections.credible import WHERE, Credible, credible, outgrows
from zhol.brief.sections.the_system import STATUSES, main_side
from zhol.core.charts import fan_spec, to_svg
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region

PARTNERS = 5
CHANCE = "a share of draws, which has no interval of its own"
LIKELY = 0.75  # share of the draws from which the brief says that something is likely
BANDS = (0.5, 0.8)
IRREGULAR = tuple(STATUSES)[5:]
FANS = {
    "irregular_stock": ("People in an irregular status {where}", "persons"),
    "irregular_inflow": ("People who enter an irregular status in a year, {where}", "persons"),
    "stock": ("People in any status {where}, long-term residents included", "persons"),
}
WORDS = {
    "population low": "Populations at the low end of the published projection",
    "population high": "Populations at the high end",
    "income low": "Incomes at the low end of their trend",
    "income high": "Incomes at the high end",
}


def section(region: Region, place: str) -> Section | None:
    """Where irregular stocks and flows of the place go if nothing changes, and how sure that is."""
    view = outlook(region)
    if view is None or not any(place in pair for pair in view.model.corridors):
        return None
    side = main_side(view, place)
    draws = view.side("irregular_stock", place, side)[0]
    if np.median(draws[:, view.at(view.now)]) < SMALLEST_CELL:
        return None
    judged = credible(view, region, place)
    if not judged.irregular(side):
        return Section("projection", "If present policies continue", _nothing(region, place, side))
    why = outgrows(view, region, place, side)
    if why is not None:
        return Section("projection", "If present policies continue", (Bullets((why,), "warning"),))
    blocks: list[Block] = [Paragraph(_finding(view, region, place, side, draws), "lead")]
    blocks += [_fan(view, region, place, side, n) for n in FANS if n != "stock" or judged.shows(side, *STATUSES)]
    blocks += [_by_status(view, region, place, side, judged), _by_corridor(view, region, place, side)]
    blocks += [_variants(view, region, place, side), Bullets(_assumed(view))]
    return Section("projection", "If present policies continue", tuple(blocks))


def _nothing(region: Region, place: str, side: str) -> tuple[Block, ...]:
    """That there is no projection, because its start is not credible."""
    where = text(WHERE[side], name=read.names(region)[place])
    line = text(
        "Numbers of {whom} {where} are withheld, see the section on the system; so is where they go.",
        whom=IN_IRREGULAR,
        where=where,
    )
    return (Bullets((line,), "warning"),)


def _finding(view: Outlook, region: Region, place: str, side: str, draws: np.ndarray) -> Text:
    """The answer to the paper's expectation, with its chance."""
    now, end = draws[:, view.at(view.now)], draws[:, -1]
    chance = float(np.mean(end > now))
    verdict = "The system finds that likely" if chance >= LIKELY else "The system finds that unlikely"
    if 1.0 - LIKELY < chance < LIKELY:
        verdict = "The system cannot tell"
    paper = region.sources.filter(source_id="SEED2009").to_dicts()
    expected = (
        text(
            "The paper of {when} expected irregular migration to intensify if present policies continue. ",
            when=year(int(str(paper[0]["published"])[:4])),
        )
        if paper
        else ()
    )
    growth = text(
        "{verdict}: people in an irregular status {where}, all five categories together, go from {now} in {then} to "
        "{end} in {last}, and in {chance} of the draws there are more of them at the end. Each category stands apart "
        "below.",
        verdict=verdict,
        where=text(WHERE[side], name=read.names(region)[place]),
        now=Number(view.quantity(now)),
        then=year(int(view.now)),
        end=Number(view.quantity(end)),
        last=year(int(view.end)),
        chance=Number(Quantity(100 * chance, None, None, "%", view.sources, no_interval=CHANCE), "value", quiet=True),
    )
    return (*expected, *growth)


def _fan(view: Outlook, region: Region, place: str, side: str, name: str) -> Figure:
    """Fan of one outcome with 50 and 80 % bands, from the year 2000 on: the past too is the model's."""
    words, unit = FANS[name]
    called = read.names(region)[place]
    draws = view.side(name, place, side)[0]
    rows = []
    for band in BANDS:
        low, middle, high = np.quantile(draws, [0.5 - band / 2, 0.5, 0.5 + band / 2], axis=0)
        rows += [
            {"year": int(t), "value": m, "low": a, "high": b, "level": 100 * band}
            for t, a, m, b in zip(view.run.time, low, middle, high, strict=True)
        ]
    where = WHERE[side].format(name=called)
    title = text(words.replace("{where}", where) + ", {span}", span=years(int(view.run.time[0]), int(view.end)))
    return Figure(
        title=title,
        svg=to_svg(fan_spec(rows, unit=unit, height=105)),
        alt=f"{words.format(where=where)}: the middle of the draws as a line, half and four fifths of them as bands.",
        data=_fan_table(view, draws, words.format(where=where)),
        note=("Line: median; dark band: half of the draws; pale band: four fifths. The past is the system’s too.",)
        if name == "irregular_stock"
        else (),
    )


def _fan_table(view: Outlook, draws: np.ndarray, words: str) -> Table:
    lines = [
        ((year(int(t)),), (Number(view.quantity(draws[:, i])),))
        for i, t in enumerate(view.run.time)
        if int(t) % 5 == 0 or t == view.now
    ]
    return Table((f"{words}, every fifth year",), (Column(("Year",)), Column(("Persons",), number=True)), tuple(lines))


def _times(view: Outlook) -> list[str]:
    middle = str((int(view.now) + int(view.end)) // 2 // 5 * 5)
    return list(dict.fromkeys(t for t in (view.now, middle, view.end) if t in view.run.time))


def _by_status(view: Outlook, region: Region, place: str, side: str, judged: Credible) -> Table:
    draws = view.side("stock", place, side, ("status",))[0]
    lines: list[tuple[Text, ...]] = []
    for i, (status, words) in enumerate(STATUSES.items()):
        if judged.shows(side, status) and (status in IRREGULAR or status in ("resident", "worker")):
            cells = [(Number(view.quantity(draws[:, view.at(t), i])),) for t in _times(view)]
            lines.append(((words[0].upper() + words[1:],), *cells))
    heads = (Column(("Status",), width=1.2), *(Column((year(int(t)),), number=True) for t in _times(view)))
    where = WHERE[side].format(name=read.names(region)[place])
    return Table((f"Persons by status {where}",), heads, tuple(lines))


def _by_corridor(view: Outlook, region: Region, place: str, side: str) -> Table:
    """Corridors with the most people in an irregular status."""
    other = "origin" if side == "destination" else "destination"
    draws, labels = view.side("irregular_stock", place, side, (other,))
    called = read.names(region)
    middle = np.median(draws[:, view.at(view.now)], axis=0)
    order = [i for i in np.argsort(-middle) if middle[i] >= SMALLEST_CELL][:PARTNERS]
    lines: list[tuple[Text, ...]] = [
        ((called[labels[i]],), *((Number(view.quantity(draws[:, view.at(t), i])),) for t in _times(view)))
        for i in order
    ]
    head = "From" if side == "destination" else "In"
    heads = (Column((head,), width=1.2), *(Column((year(int(t)),), number=True) for t in _times(view)))
    where = WHERE[side].format(name=called[place])
    return Table((f"People in an irregular status {where}, largest corridors",), heads, tuple(lines))


def _variants(view: Outlook, region: Region, place: str, side: str) -> Table:
    """What other paths of populations and incomes change, draw by draw against the projection."""
    base = view.side("irregular_stock", place, side)[0][:, -1]
    lines: list[tuple[Text, ...]] = []
    for name, run in view.variants.items():
        other = run.draws("irregular_stock", (), {side: place})[0][:, -1]
        ratio = 100.0 * (other / np.maximum(base[: len(other)], 1e-9) - 1.0)
        lines.append(((WORDS[name],), (Number(view.quantity(ratio, "%")),)))
    return Table(
        text("What other paths change, people in an irregular status in {last}", last=year(int(view.end))),
        (Column(("Path",), width=2), Column(("Change against the projection",), number=True)),
        tuple(lines),
    )


def _assumed(view: Outlook) -> tuple[Text, ...]:
    """What is held, what follows which path, and what the fans leave out."""
    return (
        (
            "Present policies: rules of entry and treaties stay as the last dated rows of the pack have them, practice "
            "as the figures found it.",
        ),
        (
            "Populations follow the published projection with its interval; incomes their own trend, shrunk to a "
            "common one, with drawn errors; conflict goes back from its last level to the mean of each place’s "
            "history, with drawn outbreaks; unemployment is held. None of them answers to migration.",
        ),
        (
            "The fans hold doubt about parameters and about those paths. They do not hold the model’s own error, a "
            "change of policy, a closed border or a war that history has no like of: see the next section. Intervals "
            "in tables hold four fifths of the draws.",
        ),
    )

"""What waiting costs: one package begun some years later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zhol.brief.content import Block, Column, Paragraph, Section, Table, Text, plain, text
from zhol.brief.content import year as when
from zhol.brief.content import years as span
from zhol.brief.policy_runs import END, START, WAITS, YEARS, Judged, difference, judged, outcomes_of, waiting
from zhol.brief.sections.recommendations import CONTROL, PROTECTION, title_of, verdict

if TYPE_CHECKING:
    from zhol.region.load import Region


def section(region: Region, place: str) -> Section | None:
    """Loss beside beginning at once, for each delay and outcome."""
    found = judged(region, place)
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(_finding(found), "lead"), _table(found)]
    blocks.append(Paragraph((*verdict(found, region, WAITS), " ", *found.rests_on(WAITS)), "note"))
    return Section("waiting", "Waiting", tuple(blocks))


def _finding(found: Judged) -> Text:
    return text(
        "The package “{name}”, begun in {begin} or later. What is not done in the years between is not made up for "
        "inside the window {span}; the table says how much that is.",
        name=plain(title_of(WAITS)),
        begin=when(int(found.begins)),
        span=span(int(START), int(END)),
    )


def loss(found: Judged, outcome: str, wait: int) -> np.ndarray:
    """What waiting costs in an outcome, (draw,): more is worse, by the direction of the outcome's own family."""
    from zhol.policy.outcomes import outcome as one_of

    at_once, late = (found.draws(n, outcome, over_window=True) for n in (WAITS, waiting(wait)))
    return (late - at_once) * (1.0 if one_of(outcome).direction == "less" else -1.0)


def _table(found: Judged) -> Table:
    lines: list[tuple[Text, ...]] = []
    for one in outcomes_of((*CONTROL, *PROTECTION)):
        unit = found.unit(one.id)
        unit = "person-years" if one.measure in ("end", "mean") and unit == "persons" else unit
        label = one.title if unit == "persons" else f"{one.title}, {unit}"
        cells = (difference(loss(found, one.id, w), unit, found.sources(WAITS)) for w in YEARS)
        lines.append(((label,), *cells))
    begins = int(found.begins)
    heads = (
        Column(("Loss by waiting",), width=1.8),
        *(Column(text("begun in {year}", year=when(begins + w)), number=True, width=1.2) for w in YEARS),
    )
    note = text(
        "Beside beginning in {begin}: a plus is a loss, a minus says that waiting is better. Stocks are counted as "
        "person-years in the window, all else is summed over it.",
        begin=when(begins),
    )
    return Table(("What waiting costs",), heads, tuple(lines), note=note)

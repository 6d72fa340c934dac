"""What waiting costs: one package begun some years later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zhol.brief.content import Block, Column, Paragraph, Section, Table, Text, plain, text
from zhol.brief.content import year as when
from zhol.brief.content import years as span
from zhol.brief.policy_runs import (
    END,
    FEW,
    START,
    SURE,
    WAITS,
    YEARS,
    Judged,
    judged,
    outcomes_of,
    percent,
    waiting,
)
from zhol.brief.quantities import SMALLEST_BASE, is_people
from zhol.brief.sections.recommendations import JUDGED, label, title_of, verdict

if TYPE_CHECKING:
    from zhol.region.load import Region

MOST = 8  # outcomes


def section(region: Region, place: str) -> Section | None:
    """Loss beside beginning at once, for each delay and outcome."""
    found = judged(region, place)
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(_finding(found, region), "lead"), _table(found, region)]
    blocks.append(Paragraph((*verdict(found, region, WAITS), " ", *found.rests_on(WAITS)), "note"))
    return Section("waiting", "Waiting", tuple(blocks))


def _finding(found: Judged, region: Region) -> Text:
    """Which outcomes surely lose by the longest delay, and which gain."""
    losses = {one.id: loss(found, one.id, YEARS[-1]) for one in outcomes_of(JUDGED)}
    told = []
    for sign, verb in ((1.0, "lose"), (-1.0, "gain")):
        names = [o for o, v in losses.items() if v is not None and (sign * v > 0).mean() >= SURE]
        words = [label(found, region, one) for one in outcomes_of(names)]
        if words:
            told.append(f"{verb}: {'; '.join(w[0].lower() + w[1:] for w in words)}")
    surely = "; those that surely ".join(told)
    rest = f"outcomes that surely {surely}." if told else "no outcome surely loses or gains."
    return text(
        "The package “{name}”, begun in {begin} or later, inside the window {span}. By the longest delay shown, {rest}",
        name=plain(title_of(WAITS)),
        begin=when(int(found.begins)),
        span=span(int(START), int(END)),
        rest=rest,
    )


def loss(found: Judged, outcome: str, wait: int) -> np.ndarray | None:
    """What waiting costs in an outcome, in percent of present policies, (draw,); more is worse for its own family.

    None where present policies give too little to take a share of.
    """
    from zhol.policy.outcomes import outcome as one_of

    late, base = found.pair(waiting(wait), outcome, years=True)
    at_once, _ = found.pair(WAITS, outcome, years=True)
    known = np.isfinite(late) & np.isfinite(at_once) & np.isfinite(base) & (base > 0)
    if known.mean() < 0.5 or (is_people(found.units[outcome]) and np.median(base[known]) < SMALLEST_BASE):
        return None
    sign = 1.0 if one_of(outcome).direction == "less" else -1.0
    return np.asarray(100.0 * sign * (late[known] - at_once[known]) / base[known])


def _table(found: Judged, region: Region) -> Table:
    lines: list[tuple[Text, ...]] = []
    for one in outcomes_of(JUDGED[:MOST]):
        values = [loss(found, one.id, w) for w in YEARS]
        cells = ((FEW,) if v is None else percent(v, found.sources(WAITS)) for v in values)
        lines.append(((label(found, region, one),), *cells))
    begins = int(found.begins)
    heads = (
        Column(("Loss by waiting",), width=1.8),
        *(Column(text("begun in {year}", year=when(begins + w)), number=True, width=1.2) for w in YEARS),
    )
    note = text(
        "In percent of what present policies give over the window, beside beginning in {begin}: a plus is a loss, a "
        "minus says that waiting is better. Stocks are counted as person-years, all else is summed.",
        begin=when(begins),
    )
    return Table(("What waiting costs",), heads, tuple(lines), note=note)

"""Packages of many instruments together, what each instrument adds, and a study beside which the system is put."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zhol.brief import read
from zhol.brief.content import Block, Column, Number, Paragraph, Section, Table, Text, plain, text
from zhol.brief.content import year as when
from zhol.brief.policy_runs import (
    END,
    FEW,
    FEWER,
    NONE,
    PAIRED,
    REFUSALS,
    RUNS,
    SMALLEST,
    SURE,
    TOGETHER,
    WAITS,
    Judged,
    judged,
    outcomes_of,
    percent,
    studies,
)
from zhol.brief.quantities import SMALLEST_BASE, counted
from zhol.brief.sections.recommendations import JUDGED, label, overview, package_blocks, title_of
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.region.load import Region


def section(region: Region, place: str) -> Section | None:
    """One table a package, what each surely improves and worsens, and the instruments of one of them apart."""
    found = judged(region, place)
    if found is None:
        return None
    order = found.lawful_first(TOGETHER)
    blocks: list[Block] = [Paragraph(_finding(found, order), "lead")]
    blocks.append(overview(found, region, order, "The packages beside each other"))
    for name in order:
        blocks += [Paragraph(_described(found, region, name)), *package_blocks(found, region, name)]
    blocks += _apart(found, region)
    blocks += _refused(found)
    return Section("together", "Together", tuple(blocks))


def _finding(found: Judged, order: list[str]) -> Text:
    lawful = [f"“{title_of(n)}”" for n in order if found.lawful(n)]
    bad = [f"“{title_of(n)}”" for n in order if not found.lawful(n)]
    words = f"Lawful as packages: {read.joined(lawful)}. " if lawful else "None of the packages is lawful. "
    words += f"Not lawful: {read.joined(bad)}. " if bad and lawful else ""
    return plain(words + "Instruments overlap: together they do less, or more, than the sum of what each does alone.")


def _described(found: Judged, region: Region, name: str) -> Text:
    words = f"{title_of(name)}: {found.scenarios[name].description} "
    for place, verb in enumerate(("Better", "Worse")):
        told = [o for o in outcomes_of(JUDGED) if found.shares(name, o.id)[place] >= SURE]
        sure = [w[0].lower() + w[1:] for w in (label(found, region, o) for o in told)]
        words += f"{verb} in nine draws of ten or more: {'; '.join(sure) if sure else 'nothing that is counted here'}. "
    return plain(words.strip())


def _apart(found: Judged, region: Region) -> tuple[Block, ...]:
    """What each instrument of one package adds, by the Shapley value."""
    from zhol.policy.instruments import instrument

    parts = found.parts
    if not parts.height:
        return ()
    wanted = outcomes_of(list(dict.fromkeys(parts["outcome"].to_list())))
    names = list(dict.fromkeys(parts["instrument"].to_list()))
    lines: list[tuple[Text, ...]] = []
    for name in names:
        title = "All together" if name == "together" else instrument(name).title
        cells: list[Text] = []
        for one in wanted:
            rows = parts.filter(outcome=one.id, instrument=name).to_dicts()
            if not rows:
                cells.append((FEW,))
                continue
            row = rows[0]
            if max(abs(row[k]) for k in ("mean", "low", "high")) < SMALLEST:
                cells.append((NONE,))
                continue
            ends = (min(row["low"], row["mean"]), max(row["high"], row["mean"]))
            number = Quantity(row["mean"], *ends, "%", found.sources(WAITS), PAIRED)
            cells.append((Number(number, "signed", quiet=True),))
        lines.append((plain(title), *cells))
    heads = [Column(("Instrument",), width=1.8)]
    heads += [Column((label(found, region, one),), number=True, width=1.3) for one in wanted]
    note = text(
        "Each line is what an instrument adds on average over the orders in which they can be brought in (Shapley "
        "value), in percent of present policies; the lines add up to the last. Means and intervals over {draws} draws "
        "with two orders each: rough.",
        draws=counted(FEWER),
    )
    return (Table(plain(f"{title_of(WAITS)}: what each instrument adds"), tuple(heads), tuple(lines), note=note),)


def _refused(found: Judged) -> tuple[Block, ...]:
    """The system beside the study of refused visas, which its prior of that instrument rests on."""
    from zhol.policy.instruments import evidence

    if "at the end" not in found.entries:
        return ()
    after, base = (found.entries["at the end"][found.names.index(n)] for n in (REFUSALS, found.names[0]))
    rows = evidence().filter(evidence_id="E002").to_dicts()
    if not rows or np.median(base) < SMALLEST_BASE or (base <= 0).any():
        return ()
    key = next((k for k, one in studies().items() if "E002" in one["rows"]), None)
    if key is None:
        return ()
    ours = percent(100.0 * (after / base - 1.0), (RUNS, key))
    theirs = [10.0 * float(rows[0][n]) for n in ("value", "low", "high")]
    study = Quantity(theirs[0], theirs[1], theirs[2], "%", (key,), "range of the study's estimates")
    return (
        Paragraph(
            text(
                "Beside a study: if the country refused a tenth more visas from {begin} on, entries without papers in "
                "{end} would change by {ours} in the system. For European destinations Czaika and Hobolth found "
                "{theirs}. The effect in the system was taken from that study: agreement is no test, a gap shows what "
                "other channels and prices do.",
                begin=when(int(found.begins)),
                end=when(int(END)),
                ours=ours,
                theirs=Number(study, "signed"),
            ),
            "note",
        ),
    )

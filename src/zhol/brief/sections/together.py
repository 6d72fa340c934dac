"""Packages of many instruments together: control only, protect and regularise, cooperate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhol.brief import read
from zhol.brief.content import Block, Paragraph, Section, Text, plain, text
from zhol.brief.policy_runs import TOGETHER, Judged, judged, outcomes_of
from zhol.brief.sections.recommendations import CONTROL, PROTECTION, SURE, package_blocks, title_of

if TYPE_CHECKING:
    from zhol.region.load import Region


def section(region: Region, place: str) -> Section | None:
    """One table a package, and in words what each surely improves and worsens."""
    found = judged(region, place)
    if found is None:
        return None
    order = found.lawful_first(TOGETHER)
    blocks: list[Block] = [Paragraph(_finding(found, order), "lead")]
    for name in order:
        blocks += [Paragraph(_described(found, name)), *package_blocks(found, region, name)]
    return Section("together", "Together", tuple(blocks))


def _finding(found: Judged, order: list[str]) -> Text:
    lawful = [title_of(n) for n in order if found.lawful(n)]
    return text(
        "Lawful as packages: {good}. Instruments of one package overlap: together they do less, or more, than the sum "
        "of what each does, and the command zhol compare shares the effect out among them.",
        good=plain(read.joined([f"“{t}”" for t in lawful])),
    )


def _described(found: Judged, name: str) -> Text:
    words = f"{title_of(name)}: {found.scenarios[name].description} "
    for column, verb in (("probability_better", "Better"), ("probability_worse", "Worse")):
        sure = [o.title.lower() for o in outcomes_of((*CONTROL, *PROTECTION)) if found.row(name, o.id)[column] >= SURE]
        words += f"{verb} in nine draws of ten or more: {'; '.join(sure) if sure else 'nothing below'}. "
    return plain(words.strip())

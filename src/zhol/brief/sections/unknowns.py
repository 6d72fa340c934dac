"""What nobody knows about these policies: effects without evidence, outcomes without figures, what is not counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhol.brief import read
from zhol.brief.content import Block, Bullets, Column, Number, Paragraph, Section, Table, Text, plain, text
from zhol.brief.policy_runs import OUTCOMES, Judged, judged, outcomes_of
from zhol.brief.quantities import counted
from zhol.brief.sections.limits import WARNINGS

if TYPE_CHECKING:
    from zhol.policy.instruments import Instrument
    from zhol.region.load import Region


def section(region: Region, place: str) -> Section | None:
    """Warnings, the instruments whose effects are prior, and what the system leaves out."""
    found = judged(region, place)
    if found is None:
        return None
    used = _used(found)
    blocks: list[Block] = [
        Paragraph(_finding(used), "lead"),
        Bullets(tuple((w,) for w in WARNINGS[:2]), "warning"),
        Paragraph(_parameters(found, region)),
        _table(used),
        Bullets(_silent()),
    ]
    return Section("unknowns", "What we do not know", tuple(blocks))


def _used(found: Judged) -> list[Instrument]:
    from zhol.policy.instruments import instrument

    names = {i for s in found.scenarios.values() for i in s.instruments}
    return [instrument(n) for n in sorted(names)]


def _finding(used: list[Instrument]) -> Text:
    effects = [e for one in used for e in one.effects]
    bare = [e for e in effects if not e.evidence and not e.definition]
    return text(
        "The packages above use {all} instruments, which move {effects} parameters of the system between them. For "
        "{bare} of these effects nobody has published a measurement: they are wide priors, and studies can change "
        "every table above.",
        all=counted(len(used)),
        effects=counted(len(effects)),
        bare=counted(len(bare)),
    )


def _parameters(found: Judged, region: Region) -> Text:
    if found.fitted is None:
        return text(
            "No posterior that belongs to these data ships with the pack: the runs draw every parameter of the system "
            "from its prior. Intervals are that wide, and no more than that is known."
        )
    words = [one.title.replace(", acting countries", " here").replace(", other countries", " elsewhere")
             for one in outcomes_of([o for o in OUTCOMES if o in found.prior])]  # fmt: skip
    named = read.joined([w[0].lower() + w[1:] for w in words])
    rest = f"Of what is shown for this place, they have hardly narrowed: {named}. " if words else ""
    return text(
        "The runs draw the parameters of the system from a fit to published figures, which speak of {good} of {all} "
        "parameters. {rest}Effects of instruments are not fitted: they come from studies elsewhere, or from nothing.",
        good=counted(found.fitted[0]),
        all=counted(found.fitted[1]),
        rest=plain(rest),
    )


def _table(used: list[Instrument]) -> Table:
    """Instruments of which no effect, or not every effect, was ever measured; those with least evidence first."""
    rows = []
    for one in used:
        told = [e for e in one.effects if not e.definition]
        bare = [e.lever for e in told if not e.evidence]
        if bare:
            rows.append((len(bare) / len(told), one.title, len(told) - len(bare), bare))
    lines: list[tuple[Text, ...]] = []
    for _, title, known, bare in sorted(rows, key=lambda r: (-r[0], r[1])):
        cell = (Number(counted(known), "exact", quiet=True),)
        lines.append((plain(title), cell, plain(read.joined([_meaning(b) for b in bare]))))
    heads = (
        Column(("Instrument",), width=1.4),
        Column(("Effects with a study",), number=True, width=0.7),
        Column(("What nobody has measured",), width=3),
    )
    return Table(("Effects that are priors only",), heads, tuple(lines))


def _meaning(lever: str) -> str:
    from zhol.system.names import LEVERS

    return str(LEVERS[lever].meaning)


def _silent() -> tuple[Text, ...]:
    """What the system does not count, and what intervals leave out."""
    from zhol.policy.outcomes import all_outcomes

    return (
        plain(f"Not counted at all: {read.joined(list(all_outcomes().not_modelled))}."),
        text(
            "Intervals hold doubt about parameters, about effects and about populations, incomes and conflicts. They "
            "do not hold doubt about the model itself, nor what other governments do in answer."
        ),
        text(
            "Corridors of few people are left out of these runs, and costs of the instruments themselves are known for "
            "hardly any. Which of the priors decides an answer is told by the command zhol sensitivity; which study "
            "would change a recommendation, by the value of information it prints."
        ),
    )

"""What each recommendation of the paper does, control and protection side by side; what is not lawful stands last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhol.brief import read
from zhol.brief.content import Block, Bullets, Column, Number, Paragraph, Section, Strong, Table, Text, plain, text
from zhol.brief.content import year as when
from zhol.brief.content import years as span
from zhol.brief.model_runs import of_draws
from zhol.brief.policy_runs import END, PAIRED, RECOMMENDATIONS, RUNS, START, Judged, judged, outcomes_of
from zhol.brief.quantities import counted

if TYPE_CHECKING:
    from zhol.region.load import Region

CONTROL = ("irregular_stock", "irregular_inflow", "irregular_elsewhere", "attempts")
PROTECTION = ("deaths_on_road", "exposure", "protection_gap", "removals_in_need")
SURE = 0.9  # share of draws from which better or worse is said without a chance


def section(region: Region, place: str) -> Section | None:
    """One table a recommendation, lawful ones first."""
    found = judged(region, place)
    if found is None:
        return None
    blocks: list[Block] = [Paragraph(_finding(found, region), "lead"), Paragraph(_how(found, region)), _base(found)]
    for name in found.lawful_first(RECOMMENDATIONS):
        blocks += package_blocks(found, region, name)
    return Section("recommendations", "What each recommendation does", tuple(blocks))


def title_of(name: str) -> str:
    """Title of a ready-made package."""
    from zhol.policy.ready_made import packages

    return str(packages().filter(package=name)["title"].item())


def package_blocks(found: Judged, region: Region, name: str) -> list[Block]:
    """The verdict on a package, and its table."""
    return [_table(found, name), Paragraph((*verdict(found, region, name), " ", *found.rests_on(name)), "note")]


def _finding(found: Judged, region: Region) -> Text:
    bad = [n for n in RECOMMENDATIONS if not found.lawful(n)]
    sure = [n for n in RECOMMENDATIONS if n not in bad and _sure(found, n, "probability_better") == _signs()]
    words = "Of the paper’s {all} recommendations, taken by {name} from {begin}, {bad} would break a floor of rights"
    words += " and so {are} out, whatever else they do. " if bad else ". "
    words += (
        "{some} of the others do better on every outcome below with confidence."
        if sure
        else "None of the others does better on every outcome below: what helps control may cost people, and the "
        "reverse."
    )
    return text(
        words,
        all=counted(len(RECOMMENDATIONS)),
        name=read.names(region)[found.place],
        begin=when(int(found.begins)),
        bad=counted(len(bad)) if bad else "none",
        are="is" if len(bad) == 1 else "are",
        some=counted(len(sure)) if sure else "none",
    )


def _signs() -> int:
    return len(CONTROL) + len(PROTECTION)


def _sure(found: Judged, name: str, column: str) -> int:
    return sum(found.row(name, o)[column] >= SURE for o in (*CONTROL, *PROTECTION))


def _how(found: Judged, region: Region) -> Text:
    return text(
        "Each table puts a package beside present policies over {span}: the change in percent, with an interval that "
        "holds four fifths of {draws} draws, and the share of draws in which it is better. Both sides of a draw have "
        "the same parameters, populations, incomes and conflicts. Stocks are those of {end}, all else is summed. "
        "Nothing is added up to one score. Strengths are those of the ready-made packages; which instruments stand in "
        "them is told by the command zhol instruments.",
        span=span(int(START), int(END)),
        draws=counted(found.comparison.runs[0].n_draws, "draws"),
        end=when(int(END)),
    )


def _base(found: Judged) -> Table:
    """What present policies give, so that percents can be read as people."""
    lines: list[tuple[Text, ...]] = []
    for left, right in zip(outcomes_of(CONTROL), outcomes_of(PROTECTION), strict=True):
        cells: list[Text] = []
        for one in (left, right):
            unit = found.unit(one.id)
            values = found.draws(found.comparison.names[0], one.id)
            cells += [(_label(one.title, unit),), (Number(of_draws(values, unit, (RUNS,), PAIRED), quiet=True),)]
        lines.append(tuple(cells))
    heads = (
        Column(("Control",), width=1.4),
        Column(("Present policies",), number=True, width=1.3),
        Column(("Protection",), width=1.4),
        Column(("Present policies",), number=True, width=1.3),
    )
    title = text("Present policies, {span}", span=span(int(START), int(END)))
    note = (
        "Acting countries: this one. Other countries, attempts, deaths and protection: all corridors that touch the "
        "countries of the pack, or may pass through them."
    )
    return Table(title, heads, tuple(lines), note=(note,))


def _label(title: str, unit: str) -> str:
    return title if unit == "persons" else f"{title}, {unit}"


def _table(found: Judged, name: str) -> Table:
    lines: list[tuple[Text, ...]] = []
    for left, right in zip(outcomes_of(CONTROL), outcomes_of(PROTECTION), strict=True):
        cells: list[Text] = []
        for one in (left, right):
            cells += [(one.title,), found.change(name, one.id), found.better(name, one.id)]
        lines.append(tuple(cells))
    side = (Column(("Change",), number=True, width=1.25), Column(("Better in",), number=True, width=0.55))
    heads = (Column(("Control",), width=1.5), *side, Column(("Protection",), width=1.5), *side)
    mark: Text = () if found.lawful(name) else (Strong(" – not lawful"),)
    return Table((*plain(title_of(name)), *mark), heads, tuple(lines))


def verdict(found: Judged, region: Region, name: str) -> Text:
    """Lawful or not, by which floors."""
    called = read.names(region)
    broken = [b for b in found.broken(name) if b.verdict == "breaks"]
    risky = [b for b in found.broken(name) if b.verdict == "at risk"]
    if broken:
        floors = read.joined(list(dict.fromkeys(f"“{b.title}” in {called[b.place]}" for b in broken)))
        return plain(f"Not lawful: breaks {floors}.")
    words = "Lawful."
    if risky:
        words = f"Lawful, with {read.joined(list(dict.fromkeys(f'“{b.title}”' for b in risky)))} at risk."
    return plain(words)


__all__ = ["Bullets", "package_blocks", "section", "title_of", "verdict"]

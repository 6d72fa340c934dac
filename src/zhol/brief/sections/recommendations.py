"""What each recommendation of the paper does, control and protection side by side; what is not lawful stands last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zhol.brief import read
from zhol.brief.content import Block, Column, Paragraph, Section, Strong, Table, Text, plain, text
from zhol.brief.content import year as when
from zhol.brief.content import years as span
from zhol.brief.policy_runs import (
    END,
    RECOMMENDATIONS,
    START,
    SURE,
    Floor,
    Judged,
    chance,
    judged,
    outcomes_of,
)
from zhol.brief.quantities import counted

if TYPE_CHECKING:
    from zhol.policy.outcomes import Outcome
    from zhol.region.load import Region

# Outcomes of control and of people, in rows side by side.
LEFT = ("irregular_stock", "irregular_inflow", "irregular_elsewhere", "attempts", "smuggling_revenue", "removals")
RIGHT = ("exposure", "protection_gap", "deaths_on_road", "removals_in_need", "passage_price", "remittances")
OVERVIEW = ("irregular_stock", "irregular_elsewhere", "exposure", "protection_gap", "deaths_on_road")
JUDGED = (*LEFT[:4], *RIGHT[:4])  # on which "better on everything" is said


def section(region: Region, place: str) -> Section | None:
    """An overview, then one table a recommendation, lawful ones first."""
    found = judged(region, place)
    if found is None:
        return None
    order = found.lawful_first(RECOMMENDATIONS)
    blocks: list[Block] = [
        Paragraph(_finding(found, region), "lead"),
        Paragraph(_how(found)),
        overview(found, region, order, "The recommendations beside each other"),
    ]
    for name in order:
        blocks += package_blocks(found, region, name)
    return Section("recommendations", "What each recommendation does", tuple(blocks))


def title_of(name: str) -> str:
    """Title of a ready-made package."""
    from zhol.policy.ready_made import packages

    return str(packages().filter(package=name)["title"].item())


def marked(found: Judged, name: str, words: str) -> Text:
    """Words for a package, with the mark that it is not lawful."""
    return plain(words) if found.lawful(name) else (*plain(words), Strong(" – not lawful"))


def package_blocks(found: Judged, region: Region, name: str) -> list[Block]:
    """The table of a package, and the verdict on it."""
    return [_table(found, region, name), Paragraph((*verdict(found, region, name), " ", *found.rests_on(name)), "note")]


def _finding(found: Judged, region: Region) -> Text:
    unlawful = [n for n in RECOMMENDATIONS if not found.lawful(n)]
    bad = [n for n in unlawful if "differ" not in standing(found, n)]
    sure = [n for n in RECOMMENDATIONS if n not in unlawful and all(found.shares(n, o)[0] >= SURE for o in JUDGED)]
    words = "Of the paper’s {all} recommendations, taken by {name} from {begin}, "
    words += "{bad} would break a floor of rights and {are} out, whatever else is won. " if bad else "none would break "
    words += "" if bad else "a floor of rights for certain. "
    words += "{open} more would in most draws, but not in all. " if len(unlawful) > len(bad) else ""
    words += (
        "{some} of the others is better on every outcome of control and of protection with confidence."
        if sure
        else "None of the others is better on every outcome of control and of protection: what helps the one may cost "
        "the other."
    )
    return text(
        words,
        all=counted(len(RECOMMENDATIONS)),
        name=read.names(region)[found.place],
        begin=when(int(found.begins)),
        bad=counted(len(bad)),
        open=counted(len(unlawful) - len(bad)),
        are="is" if len(bad) == 1 else "are",
        some=counted(len(sure)),
    )


def _how(found: Judged) -> Text:
    grounds = (
        "No posterior that belongs to these data ships with the pack, so that all of it is prior: read directions, not "
        "sizes. "
        if found.fitted is None
        else "An outcome marked prior has not been narrowed by any figure: read its direction, not its size. "
    )
    return text(
        "Each package stands beside present policies over {span}: the change in percent on the corridors of the place, "
        "with an interval that holds four fifths of {draws} draws, and the share of draws in which it is better. Both "
        "sides of a draw have the same parameters, populations, incomes and conflicts. Stocks are those of {end}, all "
        "else is summed. Counts are not given, because most rest on priors. "
        + grounds
        + "Contested: control and people want opposite things of it; better is counted for the side under which it "
        "stands. Nothing is added up to one score; strengths are those of the ready-made packages (command zhol "
        "instruments).",
        span=span(int(START), int(END)),
        draws=counted(found.draws, "draws"),
        end=when(int(END)),
    )


def overview(found: Judged, region: Region, order: list[str], words: str) -> Table:
    """Packages in rows: lawful or not, and the change of the outcomes that matter most, control and protection."""
    lines: list[tuple[Text, ...]] = []
    for name in order:
        cells = [found.change(name, o) for o in OVERVIEW]
        stands = standing(found, name)
        lines.append((plain(title_of(name)), (stands if found.lawful(name) else Strong(stands),), *cells))
    heads = [Column(("Package",), width=1.7), Column(("Floors of rights",), width=0.9)]
    heads += [Column((label(found, region, one),), number=True, width=1.25) for one in outcomes_of(OVERVIEW)]
    note = "Less is better in every column. Packages that are not lawful stand last."
    return Table((words,), tuple(heads), tuple(lines), note=(note,))


def label(found: Judged, region: Region, one: Outcome) -> str:
    """An outcome in words, with the acting country by name, marked where it is contested or stands on priors."""
    name = read.names(region)[found.place]
    words = one.title.replace("acting countries", f"in {name}").replace("other countries", f"elsewhere, from {name}")
    marks = ["contested"] if one.contested else []
    marks += ["prior"] if found.fitted is not None and one.id in found.prior else []
    return f"{words} ({', '.join(marks)})" if marks else words


def _table(found: Judged, region: Region, name: str) -> Table:
    lines: list[tuple[Text, ...]] = []
    for pair in zip(outcomes_of(LEFT), outcomes_of(RIGHT), strict=True):
        cells: list[Text] = []
        for one in pair:
            cells += [(label(found, region, one),), found.change(name, one.id), found.better(name, one.id)]
        lines.append(tuple(cells))
    side = (Column(("Change",), number=True, width=1.35), Column(("Better in",), number=True, width=0.6))
    heads = (Column(("Control",), width=1.4), *side, Column(("People",), width=1.4), *side)
    return Table(marked(found, name, title_of(name)), heads, tuple(lines))


def standing(found: Judged, name: str) -> str:
    """Lawful or not, and whether the draws agree."""
    floors = [f for f in found.floors.get(name, ()) if f.verdict in ("breaks", "divided")]
    unsure = floors and all(f.share is not None and f.share < SURE for f in floors)
    return ("lawful" if found.lawful(name) else "not lawful") + (", draws differ" if unsure else "")


def verdict(found: Judged, region: Region, name: str) -> Text:
    """Lawful or not, by which floors and why, and how sure that is."""
    floors = found.floors[name]
    broken, risky, open_ = ([f for f in floors if f.verdict == v] for v in ("breaks", "at risk", "divided"))
    out: Text = ("Lawful.",)
    if broken:
        out = (Strong("Not lawful"), ": breaks ", *_by_floor(broken, found, region), ".")
        if "differ" in standing(found, name):
            out = (
                *out,
                " The draws do not agree, and tests by outcomes are proxies: a share falls, too, when others come.",
            )
    elif open_:
        out = ("Lawful, but the draws do not agree: some break ", *_by_floor(open_, found, region), ".")
    if risky:
        titles = [f"“{t}”" for t in dict.fromkeys(f.title for f in risky) if _fresh(t, broken)]
        out = (*out, *plain(f" At risk: {read.joined(titles)}.")) if titles else out
    return out


def _fresh(title: str, broken: list[Floor]) -> bool:
    return title not in {f.title for f in broken}


def _by_floor(floors: list[Floor], found: Judged, region: Region) -> Text:
    """Each floor once: its reasons, the place where it is another than the one that acts, shares of draws."""
    out: Text = ()
    for title in dict.fromkeys(f.title for f in floors):
        own = [f for f in floors if f.title == title]
        reasons = [
            _reason([f for f in own if f.why == why], found, region) for why in dict.fromkeys(f.why for f in own)
        ]
        inner = tuple(piece for i, r in enumerate(reasons) for piece in ((*(["; "] if i else []), *r)))
        out = (*out, *(["; "] if out else []), f"“{title}” (", *inner, ")")
    return out


def _reason(same: list[Floor], found: Judged, region: Region) -> Text:
    """One reason, first of the place that acts, and where else it holds."""
    first = next((f for f in same if f.place == found.place), same[0])
    called = read.names(region)
    others = [called[p] for p in dict.fromkeys(f.place for f in same if f.place != first.place)]
    where = "" if first.place == found.place else f", in {called[first.place]}"
    where += f", also in {read.joined(others)}" if others else ""
    if first.share is None:
        return plain(first.why.rstrip(".") + where)
    return text("in {share} of the draws {why}{where}", share=chance(first.share), why=first.why, where=where)

"""What a pack says of entry between two places, and from which month: agreements, dated changes, visa lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    from zhol.region.load import Region

REGIMES = ("treaty", "visa_free", "visa")
ALWAYS = -(10**6)
NEVER = 10**6
Pair = tuple[str, str]


@dataclass(frozen=True)
class Says:
    """One statement: this regime from one month until before another, and where it is written."""

    since: int
    until: int
    regime: str
    basis: str
    source: str
    status: str
    says: str


@cache
def rules() -> dict[str, list[str]]:
    """Choices behind the regimes, from ``packs/shared/regimes.yaml``."""
    file = resources.files("zhol") / "packs" / "shared" / "regimes.yaml"
    return {name: row["value"] for name, row in yaml.safe_load(file.read_text(encoding="utf-8")).items()}


def month_of(date: str, end: bool = False) -> int:
    """Month from which a date counts; a year alone counts from its January, as an end through its December.

    Examples
    --------
    >>> month_of("2015-08-06") - month_of("2015-08"), month_of("2015-08-16") - month_of("2015-08")
    (0, 1)
    >>> month_of("2000", end=True) == month_of("2001-01")
    True
    """
    if not re.fullmatch(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", str(date)):
        raise ZholError(
            "not a date", file="regimes.yaml", found=date, expected="a date such as 2024-06-30, 2024-06 or 2024"
        )
    parts = [int(p) for p in str(date).split("-")]
    if len(parts) == 1:
        return 12 * (parts[0] + end)
    late = len(parts) == 3 and parts[2] > 15
    return 12 * parts[0] + parts[1] - 1 + (late or (end and len(parts) == 2))


def extra(region: Region) -> tuple[dict[str, Any], Path]:
    """The pack's own ``regimes.yaml``, empty where there is none."""
    path = region.path / "regimes.yaml"
    if not path.is_file():
        return {}, path
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ZholError("cannot be read as YAML", file=path, hint=" ".join(str(error).split())[:120]) from None
    wrong = set(read) - {"treaties", "changes", "sources"} if isinstance(read, dict) else {type(read).__name__}
    if wrong:
        raise ZholError("unknown part", file=path, found=sorted(wrong)[0], expected="treaties, changes, sources")
    return read, path


def treaties(region: Region) -> dict[Pair, list[Says]]:
    """Spells in which people of one place may work in the other without a permit."""
    read, path = extra(region)
    out: dict[Pair, list[Says]] = {}
    for rule in read.get("treaties") or []:
        if "agreement" in rule:
            _agreement(region, rule["agreement"], "treaty", str(rule.get("says", "")), out, path)
        else:
            for pair, said in _written(region, {**rule, "regime": "treaty"}, path):
                out.setdefault(pair, []).append(said)
    return out


def visa_agreements(region: Region) -> dict[Pair, list[Says]]:
    """Spells in which an agreement frees two places from visas."""
    out: dict[Pair, list[Says]] = {}
    kinds, effect = rules()["visa_agreements"], rules()["in_effect"]
    rows = region.table("agreements").filter(pl.col("kind").is_in(kinds), pl.col("strength").is_in(effect))
    for name in rows["agreement_id"]:
        _agreement(region, name, "visa_free", "", out, region.path / "agreements.csv")
    return out


def changes(region: Region) -> dict[Pair, list[Says]]:
    """Dated changes of entry."""
    read, path = extra(region)
    out: dict[Pair, list[Says]] = {}
    for rule in read.get("changes") or []:
        for pair, said in _written(region, rule, path):
            out.setdefault(pair, []).append(said)
    return out


def lists(region: Region) -> dict[Pair, list[Says]]:
    """Rows of the visa table that can be used, each from the month of its list on."""
    first, last = (month_of(d) for d in rules()["pandemic"])
    out: dict[Pair, list[Says]] = {}
    rows = region.table("visas").filter(~pl.col("requirement").is_in(rules()["unused"])).sort("date")
    columns = ("origin", "destination", "date", "requirement", "source_id", "status", "note")
    for origin, destination, date, requirement, source, status, note in rows.select(columns).iter_rows():
        since = 12 * date.year + date.month - 1
        if first <= since <= last:
            continue
        before = out.setdefault((origin, destination), [])
        regime = _listed(requirement, note or "", before[-1].regime if before else "visa")
        said = Says(
            since,
            NEVER,
            regime,
            "passport_index",
            source,
            status,
            f"{requirement} on {date:%Y-%m-%d}",
        )
        before.append(said)
    return out


def _listed(requirement: str, note: str, before: str) -> str:
    """Regime that a word of a list means, given that of the list before."""
    if requirement in rules()["light"]:
        return before
    free = _mostly_free(note) if requirement == "mixed" else requirement in rules()["visa_free"]
    return "visa_free" if free else "visa"


def _mostly_free(note: str) -> bool:
    """Whether most members of a block are free of visas, as the note counts them; closures count nowhere."""
    counts = {word: int(n) for word, n in re.findall(r"([a-z_]+) (\d+)(?:,|$)", note.split(":", 1)[-1].strip())}
    for word in rules()["unused"]:
        counts.pop(word, None)
    return 2 * sum(counts.get(word, 0) for word in rules()["visa_free"]) > sum(counts.values())


def _agreement(region: Region, name: str, regime: str, says: str, out: dict[Pair, list[Says]], path: Path) -> None:
    """Spells of one agreement between every two of its parties."""
    row = region.table("agreements").filter(pl.col("agreement_id") == name)
    if row.is_empty():
        raise ZholError("no such agreement in this pack", file=path, found=name, expected="an id of agreements.csv")
    whole = row.row(0, named=True)
    parties = region.table("agreement_parties").filter(pl.col("agreement_id") == name, pl.col("role") == "party")
    spells: list[tuple[str, int, int, str]] = []
    for place, since, until, source in parties.select("place", "since", "until", "source_id").iter_rows():
        begin = _start(since, whole["in_force"], whole["signed"])
        if begin is not None:
            end = NEVER if (last := until or whole["ended"]) is None else month_of(last, end=True)
            spells += [(member, begin, end, source) for member in _members(region, place)]
    text = f"{name} {whole['name']}" + (f": {says}" if says else "")
    for a, begin_a, end_a, source_a in spells:
        for b, begin_b, end_b, source_b in spells:
            since_both, until_both = max(begin_a, begin_b), min(end_a, end_b)
            if a != b and since_both < until_both:
                source = ";".join(dict.fromkeys(";".join((whole["source_id"], source_a, source_b)).split(";")))
                said = Says(since_both, until_both, regime, "law", source, whole["status"], text)
                out.setdefault((a, b), []).append(said)


def _start(*dates: str | None) -> int | None:
    """Month of the first date there is; a year alone gives way to a later date inside the same year."""
    known = [d for d in dates if d]
    if not known:
        return None
    finer = [d for d in known if d.startswith(known[0]) and len(d) > len(known[0])]
    return month_of(max([known[0], *finer], key=len))


def _members(region: Region, code: str) -> list[str]:
    """The place itself, or the places of a group."""
    row = region.places.filter(pl.col("place") == code)
    if row["kind"].to_list() != ["group"]:
        return [code]
    here = set(region.places.filter(pl.col("kind") != "group")["place"])
    return [m for m in (row["members"][0] or "").split(";") if m in here]


def _written(region: Region, rule: dict[str, Any], path: Path) -> list[tuple[Pair, Says]]:
    """Statements of one rule of the pack's file, one a pair."""
    event: dict[str, Any] = {}
    if "event" in rule:
        rows = region.table("events").filter(pl.col("event_id") == rule["event"])
        if rows.is_empty():
            raise ZholError(
                "no such event in this pack", file=path, found=rule["event"], expected="an id of events.csv"
            )
        event = rows.row(0, named=True)
    if rule.get("regime") not in REGIMES:
        raise ZholError("unknown regime", file=path, found=rule.get("regime"), expected=" | ".join(REGIMES))
    date, source = rule.get("since") or event.get("date_start"), rule.get("sources") or event.get("source_id")
    if not date or not source:
        raise ZholError(
            "a rule needs a start and a source", file=path, found=rule, expected="an event, or since and sources"
        )
    ends = {
        side: [rule[side]] if isinstance(rule.get(side), str) else rule.get(side) or []
        for side in ("origin", "destination")
    }
    known = set(region.places["place"])
    for code in ends["origin"] + ends["destination"]:
        if code not in known:
            raise ZholError("place is not in this pack", file=path, found=code, expected="codes of places.csv")
    source = ";".join(source) if isinstance(source, list) else str(source)
    until = month_of(rule["until"], end=True) if rule.get("until") else NEVER
    said = Says(
        month_of(date),
        until,
        rule["regime"],
        "law",
        source,
        str(rule.get("status") or event.get("status")),
        str(rule.get("says") or event.get("event")),
    )
    return [((o, d), said) for o in ends["origin"] for d in ends["destination"] if o != d]

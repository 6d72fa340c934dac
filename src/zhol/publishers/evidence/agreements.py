"""The tables ``agreements`` and ``agreement_parties``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import Citations, first_ids
from zhol.publishers.evidence.periods import moment
from zhol.publishers.evidence.places import UNION, UNION_NOTE, place
from zhol.publishers.evidence.reading import coded, joined, note, plain, records
from zhol.region import schema

FILE = "agreements.csv"
LISTED = "bilateral_migration_agreements_central_asia.csv"
AGREEMENTS = schema.table("agreements").types()
PARTIES = schema.table("agreement_parties").types()


@dataclass
class Named:
    """Places that a text of parties names: bound ones with what is said of their dates, and mere signatories."""

    parties: dict[str, str] = field(default_factory=dict)
    signatories: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def agreements(source_dir: Path, citations: Citations) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Agreements and, one row a place, their parties and signatories.

    The list of bilateral agreements adds its sources and ratifications to the agreements it shares with the
    evidence file, and a row for any other.
    """
    listed = records(source_dir, "data", "agreements", LISTED)
    rows, parties = [], []
    for line, raw in enumerate(records(source_dir, "evidence", FILE), start=2):
        twins = [other for other in listed if _same(raw, other)]
        listed = [other for other in listed if other not in twins]
        row, named = _agreement(line, raw, twins, citations)
        rows.append(row)
        parties += _parties(row, named, raw)
    for order, other in enumerate(listed, start=1):
        row, named = _agreement(order + 1, _as_evidence(order, other), [], citations)
        rows.append(row)
        parties += _parties(row, named, {"ended": "", "grade": ""})
    return pl.DataFrame(rows, schema=AGREEMENTS), pl.DataFrame(parties, schema=PARTIES)


def _agreement(
    line: int, raw: dict[str, str], twins: list[dict[str, str]], citations: Citations
) -> tuple[dict[str, Any], Named]:
    """One agreement and the places it names."""
    named = _named(raw, line)
    dates = {column: moment(raw[column]) for column in ("signed", "in_force", "ended")}
    edits = _edits(raw["id"])
    told = [f"{c}: {text}" for c, (_, text) in dates.items() if text]
    ratified = [f"ratified or approved {t['ratified_or_approved']}" for t in twins if t["ratified_or_approved"]]
    checked = f"checked against: {raw['checked_against']}" if raw["checked_against"] else ""
    grade_of = {
        c: coded("agreement_grades", "grade", c, raw["grade"], file=FILE, row=line, column="grade")
        for c in ("strength", "why")
    }
    row = {
        "agreement_id": raw["id"],
        "name": plain(raw["name"]),
        "kind": raw["type"],
        "parties": joined(named.parties),
        "signatories_only": joined(named.signatories) or None,
        "strength": grade_of["strength"],
        **{c: edits.get(c, dates[c][0]) or None for c in dates},
        "source_id": first_ids(citations.cite(one["source"]) for one in (raw, *twins)),
        "status": coded("statuses", "written", "status", raw["status"], file=FILE, row=line, column="status"),
        "note": note(grade_of["why"], raw["note"], *named.notes, *told, *ratified, edits.get("why", ""), checked),
    }
    return row, named


def _edits(agreement_id: str) -> dict[str, str]:
    found = {e["column"]: e["text"] for e in rules.rows("agreement_dates") if e["agreement_id"] == agreement_id}
    why = "; ".join(e["why"] for e in rules.rows("agreement_dates") if e["agreement_id"] == agreement_id)
    return found | ({"why": why} if why else {})


def _named(raw: dict[str, str], line: int) -> Named:
    """Parties and signatories: from ``agreement_edits.csv`` where the text needs a reader, otherwise from the text."""
    for edit in rules.rows("agreement_edits"):
        if edit["agreement_id"] == raw["id"]:
            sides = [[c for c in edit[side].split(",") if c] for side in ("parties", "signatories_only")]
            return Named(dict.fromkeys(sides[0], ""), dict.fromkeys(sides[1], ""), [edit["why"]])
    named = Named()
    for chunk in re.split(r"; ", raw["parties"]):
        _read_chunk(chunk, named, line)
    return named


def _read_chunk(chunk: str, named: Named, line: int) -> None:
    """One part of a text of parties: ``A,B``, ``A 2005``, ``A signed 2001 only`` or ``not A, B (as of 2014-01)``."""
    if chunk.startswith("not "):
        named.notes.append(f"not parties: {chunk[4:]}")
    elif match := re.fullmatch(r"(\w+) signed (\d{4})( only)?", chunk):
        named.signatories.update(dict.fromkeys(_codes(match[1], named, line), match[2]))
    elif match := re.fullmatch(r"(\w+) (\d{4})", chunk):
        named.parties.update(dict.fromkeys(_codes(match[1], named, line), match[2]))
    else:
        for word in chunk.split(","):
            named.parties.update({code: named.parties.get(code, "") for code in _codes(word.strip(), named, line)})


def _codes(word: str, named: Named, line: int) -> tuple[str, ...]:
    """Place codes of one party; the European Union is its two blocks."""
    if word == "EU":
        named.notes.append(UNION_NOTE)
        return UNION
    code, told = place(word, file=FILE, row=line, column="parties")
    if told:
        named.notes.append(told)
    return (code,)


def _parties(row: dict[str, Any], named: Named, raw: dict[str, str]) -> list[dict[str, Any]]:
    """One row for each place of an agreement.

    A party's ``since`` is its own date where one is given, otherwise the entry into force; ``until`` its own leaving
    or the end of the agreement. A text that is not binding has signatories only, a draft has no rows. A signatory's
    ``since`` is the day of signing.
    """
    left = _left(raw["ended"])
    spells = {s["place"]: s for s in rules.rows("agreement_spells") if s["agreement_id"] == row["agreement_id"]}
    rows = []
    # A text that binds nobody has signatories, a draft has nobody yet.
    role_of_sides = "signatory" if row["strength"] == "declared" else "party"
    sides = {} if raw["grade"] == "D" else named.parties
    for role, group in ((role_of_sides, sides), ("signatory", named.signatories)):
        for code, own in group.items():
            spell = spells.get(code, {"since": "", "until": "", "why": ""})
            since = spell["since"] or own or row["signed" if role == "signatory" else "in_force"]
            untold = "" if since or role == "signatory" else "entry into force for it not read"
            rows.append(
                {
                    "agreement_id": row["agreement_id"],
                    "place": code,
                    "role": role,
                    "since": since or None,
                    "until": spell["until"] or left.get(code, "") or row["ended"],
                    "source_id": row["source_id"],
                    "status": row["status"],
                    "note": note(spell["why"], untold),
                }
            )
    return rows


def _left(text: str) -> dict[str, str]:
    """Years in which single parties left, from ``TKM 1999; RUS 2000; KAZ, UZB 2001``."""
    left = {}
    for places, year in re.findall(r"([A-Z]{3}(?:, [A-Z]{3})*) (\d{4})", text):
        left.update(dict.fromkeys(places.split(", "), year))
    return left


def _same(raw: dict[str, str], other: dict[str, str]) -> bool:
    """Whether a row of the list is this agreement: same states and kind, and the same day where the list gives one."""
    states = set(f"{other['party_a']}+{other['party_b']}".split("+"))
    kind = rules.lookup("agreement_kinds", "listed", "kind").get(other["type"])
    if set(raw["parties"].replace(" ", "").split(",")) != states or raw["type"] != kind:
        return False
    return other["signed"] == raw["signed"] if other["signed"] else other["ratified_or_approved"][:4] in raw["in_force"]


def _as_evidence(order: int, other: dict[str, str]) -> dict[str, str]:
    """A row of the list of bilateral agreements in the evidence file's columns."""
    kind = coded("agreement_kinds", "listed", "kind", other["type"], file=LISTED, row=order + 1, column="type")
    in_force = other["entered_into_force"]
    return {
        "id": f"AB{order:02d}",
        "name": other["type"].replace("_", " ").capitalize(),
        "type": kind,
        "parties": f"{other['party_a'].replace('+', ',')},{other['party_b']}",
        "signed": other["signed"],
        "in_force": in_force,
        "ended": "",
        "source": other["source"],
        "status": "read_secondary_page_now",
        "note": other["status_as_seen"],
        "checked_against": "",
        "grade": "F" if in_force else "S",
    }
